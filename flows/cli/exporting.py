"""The command by which the catalogue's words and pictures leave it: nishiki export. Thin, and never Prefect.

`flows.cli.app` takes it in.
"""

import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from db.person import person_here
from flows.cli.console import Home, exit_with, failed_if, read_settings, refuse, say
from flows.cli.filters import filter_of
from flows.logs import tell_person

if TYPE_CHECKING:
    from db.catalogue import Catalogue
    from db.exports.package import Order
    from db.files.bucket import Bucket
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
    from db.exports.mirror import Sent, send
    from db.exports.package import export as export_to
    from flows.progress import track
    from flows.reports.summary import problem_lines
    from flows.workers.tiles import Tiling

    folder, there = _place(settings, to)
    sent: list[Sent] = []
    with Catalogue.open(settings, create=False) as catalogue:
        _keep_that(catalogue, f"package {to if there else folder.resolve().name}")
        tiling = Tiling.of(catalogue, settings)
        sources = Sources(catalogue, tiling.tiles, tiling.make)
        with track("export", None, "entries") as advance:
            follow = (lambda whole: sent.append(send(folder, there, whole))) if there else lambda _: None
            done = export_to(sources, folder, order, advance, follow)
    told = (
        f"Package {to}: {done.entries:,} entries, {done.new:,} of them new and {done.changed:,} changed; "
        f"{done.withdrawn:,} withdrawn. Its ids begin with {order.address}."
    )
    if there:
        files, gone = sum(each.sent for each in sent), sum(each.removed for each in sent)
        told += f" {files:,} files were sent there and {gone:,} removed."
    say([told, *problem_lines(done.problems)])
    exit_with(failed_if(done.problems))


def _place(settings: "Settings", to: str) -> "tuple[Path, Bucket | None]":
    """The package's folder, and where a copy of it is to be kept."""
    if "://" not in to:
        return Path(to), None
    from db.exports.mirror import check_place
    from db.files.bucket import Bucket
    from db.files.home import HomeFolder
    from db.settings import known_bucket

    try:
        there = Bucket(known_bucket(to), settings.database_wait_s)
    except ValueError as error:
        refuse(f"--to: {error}")
    if _within(there.url, settings.picture_store) or _within(settings.picture_store, there.url):
        refuse("--to and picture_store lie within each other; give each a prefix of its own")
    folder = settings.home / HomeFolder.EXPORTS / sha256(there.url.encode()).hexdigest()[:16]
    check_place(folder, there)
    return folder, there


def _within(one: str | None, other: str | None) -> bool:
    return f"{one}/".startswith(f"{other}/")


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
