"""`redo`: puts records, archives, windows and batches back to the queue; the next night does them. Never Prefect."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from db.person import person_here
from flows.cli.console import Home, fail, read_settings, say
from flows.endings import Ending
from flows.logs import tell_person

if TYPE_CHECKING:
    from db.catalogue import Catalogue

redo_app = typer.Typer(
    no_args_is_help=True, help="Put back to the queue what the nights have done with; not while a night is at work."
)
Archive = Annotated[str, typer.Argument(metavar="ARCHIVE", help="By its name, as nishiki status lists it.")]
By = Annotated[str | None, typer.Option(help="Who decides [your name on this machine].")]
Results = Annotated[
    bool, typer.Option("--results", help="Also make again what was made of it, in the place of what was.")
]
_FAR = 2**31 - 1


@redo_app.command()
def record(
    identifiers: Annotated[list[str], typer.Argument(metavar="IDENTIFIER...", help="Records by their identifiers.")],
    archive: Annotated[str | None, typer.Option(help="Of this archive.")] = None,
    results: Results = False,
    by: By = None,
    home: Home = None,
) -> None:
    """Fetch the pictures of records again, whatever is known of them, and try again what failed on them."""
    with _alone(home) as catalogue:
        numbers = catalogue.records_named(identifiers, archive)
        made = catalogue.results_of_records(numbers) if results else ()
        pictures = catalogue.want_records_again(numbers)
        tries = catalogue.retry_records(numbers, by or person_here())
        say([_pictures(pictures), _attempts(tries), *_made_again(catalogue, made)])


@redo_app.command("archive")
def whole_archive(archive: Archive, by: By = None, home: Home = None) -> None:
    """List an archive whole again; fetch the pictures that could not be had, and try again what failed."""
    with _alone(home) as catalogue:
        catalogue.forget_windows(archive)
        pictures = catalogue.want_failed_again(archive)
        tries = catalogue.retry_archive(archive, by or person_here())
        say([f"{archive} is listed from its beginning by the next harvest.", _pictures(pictures), _attempts(tries)])


@redo_app.command()
def window(
    archive: Archive,
    since: Annotated[
        datetime, typer.Argument(metavar="DAY", formats=["%Y-%m-%d"], help="As 2026-03-01, in UTC: from then on.")
    ],
    home: Home = None,
) -> None:
    """List again what an archive dates from a day on, at least."""
    with _alone(home) as catalogue:
        count = catalogue.forget_windows(archive, since.replace(tzinfo=UTC))
    windows = "1 window" if count == 1 else f"{count:,} windows"
    say([f"{windows} of {archive} reach beyond {since:%Y-%m-%d} and are listed again by the next harvest."])


@redo_app.command()
def batch(
    number: Annotated[int, typer.Argument(min=1, max=_FAR, metavar="BATCH", help="By its number.")],
    results: Results = False,
    by: By = None,
    home: Home = None,
) -> None:
    """Try again what failed in a batch, also what was set aside or tried too often."""
    with _alone(home) as catalogue:
        if any(each.id == number for each in catalogue.batches_at_work()):
            fail(f"batch {number} is at work; nothing was done: wait until it has ended", code=Ending.BUSY)
        made = catalogue.results_of_batch(number) if results else ()
        tries = catalogue.retry_batch(number, by or person_here())
        say([_attempts(tries), *_made_again(catalogue, made)])


@contextmanager
def _alone(home: Home) -> "Iterator[Catalogue]":
    """The catalogue, with no night at work: it would write over what is put back."""
    from db.catalogue import Catalogue
    from flows.plan import check_home

    settings = read_settings(home=home)
    with Catalogue.open(settings, create=False) as catalogue:
        check_home(settings.home)
        with catalogue.night_alone(settings.home, tell_person, settings.database_wait_s):
            yield catalogue


def _pictures(count: int) -> str:
    return f"{'1 picture is' if count == 1 else f'{count:,} pictures are'} fetched again by the next harvest."


def _attempts(count: int) -> str:
    many = "1 failed attempt counts" if count == 1 else f"{count:,} failed attempts count"
    return f"{many} no longer; the next night tries again."


def _made_again(catalogue: "Catalogue", results: Iterable[str]) -> Iterator[str]:
    """What is made again, in its own batch; verdicts stay where the same comes of it."""
    told = [catalogue.make_again(sha256) for sha256 in results]
    if not told:
        return
    yield f"{'1 result is' if sum(told) == 1 else f'{sum(told):,} results are'} made again by the next night."
    if left := len(told) - sum(told):
        yield f"{left:,} are left as they are: another process is at work on their batch."
