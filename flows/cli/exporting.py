"""The command by which the catalogue's words and pictures leave it: nishiki export. Thin, and never Prefect.

`flows.cli.app` takes it in.
"""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

import typer

from db.person import person_here
from flows.cli.console import Home, exit_with, failed_if, read_settings, refuse, say
from flows.cli.filters import filter_of
from flows.logs import tell_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.catalogue import Catalogue
    from db.exports.package import Order
    from flows.settings import Settings

export_app = typer.Typer()
LOCAL = "http://localhost:8000/"
"""Where `python -m http.server` serves a folder."""


@export_app.command()
def export(
    home: Home = None,
    form: Annotated[
        Literal["csv", "json"] | None, typer.Option("--format", help="Of every attempt: csv or json [csv].")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="DIR|s3://…", help="Make a package of the approved entries there, or renew it."),
    ] = None,
    address: Annotated[
        str | None, typer.Option(help=f"Where the package's data will be served; all ids begin with it [{LOCAL}].")
    ] = None,
    which: Annotated[
        str | None, typer.Option("--filter", help="Which approved entries: what follows the ? in the queue's address.")
    ] = None,
    tiles: Annotated[
        bool | None,
        typer.Option("--tiles/--no-tiles", help="Tiles for zooming, most of a package's files [as export_tiles says]."),
    ] = None,
) -> None:
    """Write every attempt to standard output, or, with --to, approved entries with their pictures into a folder.

    The attempts come with record, rights, recipe, errors and verdict. The folder is a BagIt package: pictures, IIIF
    manifests and tiles, CSV, Linked Art, LIDO, Dublin Core and provenance, of what rights allow alone. Run again, it
    writes what has changed and takes out what may not leave any more. A package in object storage (s3://BUCKET/PREFIX,
    gs://, az://) is made in the home first, and copied from there.
    """
    if to is None:
        if address or which or tiles is not None:
            refuse("--address, --filter and --tiles are for a package; say where it is to lie: --to DIR")
        _write_attempts(read_settings(home=home), form or "csv")
        return
    if form:
        refuse("--format is for the list of attempts; a package (--to) holds every form")
    from db.exports.package import Order

    narrowing = filter_of(which or "", unasked=("queue", "order", "verdict"))
    settings = read_settings(home=home)
    tiled = settings.export_tiles if tiles is None else tiles
    _export(settings, to, Order(_address(address or LOCAL), narrowing.wanted(), narrowing.query(), tiled))


def _write_attempts(settings: "Settings", form: str) -> None:
    from db.catalogue import Catalogue
    from db.exports.attempts import write_csv, write_json

    with Catalogue.open(settings, create=False) as catalogue:
        _keep_that(catalogue, form)
        (write_csv if form == "csv" else write_json)(catalogue, sys.stdout)


def _export(settings: "Settings", to: str, order: "Order") -> None:
    from db.catalogue import Catalogue
    from db.exports.entry_files import Sources
    from db.exports.package import export as export_to
    from flows.progress import track
    from flows.reports.summary import problem_lines
    from flows.workers.tiles import Tiling

    folder, follow = _place(settings, to)
    with Catalogue.open(settings, create=False) as catalogue:
        _keep_that(catalogue, f"package {to.rstrip('/').rpartition('/')[2] or folder.resolve().name}")
        tiling = Tiling.of(catalogue, settings)
        with track("export", None, "entries") as advance:
            done = export_to(Sources(catalogue, tiling.tiles, tiling.make), folder, order, advance, follow)
    told = (
        f"Package {to}: {done.entries:,} entries, {done.new:,} of them new and {done.changed:,} changed; "
        f"{done.withdrawn:,} withdrawn. Its ids begin with {order.address}."
    )
    say([told, *problem_lines(done.problems)])
    exit_with(failed_if(done.problems))


def _place(settings: "Settings", to: str) -> "tuple[Path, Callable[[bool], object]]":
    """The package's folder, and what brings its copy up to date."""
    if "://" not in to:
        return Path(to), lambda _: None
    from db.exports.mirror import send
    from db.files.bucket import Bucket
    from db.files.home import HomeFolder
    from db.settings import known_bucket

    try:
        there = Bucket(known_bucket(to), settings.database_wait_s)
    except ValueError as error:
        refuse(f"--to {to}: {error}")
    folder = settings.home / HomeFolder.EXPORTS / quote(there.url, safe="")
    return folder, partial(send, folder, there)


def _keep_that(catalogue: "Catalogue", what: str) -> None:
    from db.entries.review import AuditWord

    if not catalogue.add_audit_event(AuditWord.EXPORTED, detail=f"{what}, by {person_here()}"):
        tell_person("nishiki: this catalogue may only be read, so it does not keep that it was exported", "WARNING")


def _address(text: str) -> str:
    from db.exports.addresses import folder_address

    try:
        return folder_address(text)
    except ValueError as error:
        refuse(str(error))
