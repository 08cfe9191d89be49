"""`report`: the report on a night, again. Never Prefect."""

from typing import Annotated

import typer

from flows.cli.console import Home, fail, read_settings, refuse, say

report_app = typer.Typer()


@report_app.command()
def report(
    night: Annotated[int | None, typer.Argument(min=1, help="Its number, see: nishiki nights [the last].")] = None,
    home: Home = None,
    language: Annotated[str | None, typer.Option(help="en or ja [report_language].")] = None,
    send: Annotated[bool, typer.Option("--send", help="Send it by the alarm's webhook and mail, too.")] = False,
) -> None:
    """Write the report on a night again, in the state of today: what came, what was made, what needs a person."""
    from db.catalogue import Catalogue
    from flows.morning import report_file, send_report, write_report
    from flows.plan import check_home

    settings = read_settings(home=home, report_language=language)
    with Catalogue.open(settings, create=False) as catalogue:
        check_home(settings.home)
        found = catalogue.nights(1)
        if not found:
            refuse("no night has begun on this catalogue yet; nishiki nightly begins one")
        number = night or found[0].id
        written = write_report(settings, catalogue, number)
    say([f"Report on night {number}: {report_file(settings, number)}"])
    if send:
        told, failures = send_report(settings, written)
        say(f"Sent by {name}." for name in told)
        if failures:
            fail("; ".join(failures))
