"""The command that makes what the review page shows and is missing; thin, and never Prefect."""

import typer

from flows.cli.console import Home, exit_with, failed_if, read_settings, say

tiles_app = typer.Typer()


@tiles_app.command()
def tiles(home: Home = None) -> None:
    """Make the tiles that the review page shows, where they are missing.

    The night makes them by itself; a catalogue from before the review page has none, and a folder of tiles may be
    deleted at any time.
    """
    settings = read_settings(home=home)
    from flows.reports.summary import problem_lines
    from flows.workers.tiles import make_missing

    tally = make_missing(settings)
    nothing = "" if tally.made or tally.problems else "; none were missing"
    say([f"Tiles: made for {tally.made} attempts{nothing}.", *problem_lines(tally.problems)])
    exit_with(failed_if(tally.problems))
