"""`nights`: the history of nights. Never Prefect."""

import json
from typing import Annotated

import typer

from flows.cli.console import Home, read_settings, say, show

nights_app = typer.Typer()


@nights_app.command()
def nights(
    home: Home = None,
    last: Annotated[int, typer.Option(min=1, help="So many of them.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, with seconds by stage.")] = False,
) -> None:
    """List the nights, the newest first: when each began, how it ended and why, what it brought."""
    from db.overview import Overview

    with Overview.open(read_settings(home=home), create=False) as catalogue:
        found = catalogue.nights(last)
    if as_json:
        from flows.reports.nights import night_told

        say([json.dumps([night_told(each) for each in found], ensure_ascii=False)])
    elif found:
        from flows.reports.summary import nights_table

        show(nights_table(found))
    else:
        say(["No night has begun on this catalogue yet; nishiki nightly begins one."])
