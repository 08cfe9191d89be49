"""Opens the archives; their records and pictures come into the catalogue, window by window.

Durable when: a record with its picture references as soon as it was read; the window as done after its last record;
a picture's file before its row. A crash leaves an open window, which the next night takes up again, and wanted
pictures, which it fetches. One bad record or picture is reported and the rest goes on; a dead archive ends its own
harvest only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from colorize.errors import UnreadableImage
from colorize.images import decode
from colorize.tone import judge_tone
from db.catalogue import Catalogue
from db.entries import (
    Change,
    Derivatives,
    ImageFacts,
    PictureSource,
    RecordEntry,
    RightsEntry,
    Tone,
    WantedPicture,
    WindowState,
)
from flows.archives.errors import ArchiveError, ArchiveRefused, ArchiveUnavailable, BadRecord
from flows.archives.folder import FolderArchive
from flows.archives.http import PoliteClient
from flows.archives.manners import Manners
from flows.archives.oaipmh import OaiPmhArchive
from flows.archives.record import Archive, Record, Unreadable, Validators, Window
from flows.progress import Advance, track
from flows.settings import ArchiveSettings, Settings

SUFFIXES = {
    "JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp", "AVIF": ".avif", "JPEG2000": ".jp2",
}  # fmt: skip
PATIENCE = 5
"""Pictures in a row that an archive may fail or refuse to deliver before it is left for the night."""


@dataclass
class HarvestTally:
    """What one archive gave."""

    archive: str
    records: dict[Change, int] = field(default_factory=lambda: dict.fromkeys(Change, 0))
    pictures: int = 0
    """Fetched and stored."""
    problems: list[tuple[str, str]] = field(default_factory=list)
    """(identifier or file, reason)."""
    failure: str | None = None
    """Why the archive's harvest ended early."""


def open_archive(name: str, archive: ArchiveSettings, settings: Settings) -> Archive:
    """The client that speaks the archive's protocol."""
    if archive.is_folder:
        return FolderArchive(Path(archive.address), name=name, max_bytes=settings.max_picture_bytes)
    manners = Manners(
        pace_s=settings.pace_s if archive.pace_s is None else archive.pace_s,
        max_bytes_picture=settings.max_picture_bytes,
        contact=settings.contact,
    )
    genres = settings.genres_of(archive) or ()
    return OaiPmhArchive(archive.address, name=name, client=PoliteClient(manners, archive.address), genres=genres)


def _unavailable(_task: object, _run: object, state: State[Any]) -> bool:
    """Only an archive that may answer later is asked again."""
    return isinstance(state.result(raise_on_failure=False), ArchiveUnavailable)


@flow(name="harvest", validate_parameters=False)
def harvest(settings: Settings, archives: Sequence[str]) -> list[HarvestTally]:
    """Harvest the named archives, or all of nishiki.toml, one after the other."""
    task_of_archive = harvest_archive.with_options(
        retries=settings.archive_retries,
        retry_delay_seconds=settings.archive_retry_pause_s,
        retry_condition_fn=_unavailable,
    )
    tallies = []
    with Catalogue.open(settings) as catalogue:
        for word in archives or settings.archives:
            try:
                tallies.append(task_of_archive(catalogue, settings, word))
            except ArchiveError as error:
                tallies.append(HarvestTally(word, failure=str(error)))
    return tallies


@task(name="harvest-archive", cache_policy=NO_CACHE, persist_result=False)
def harvest_archive(catalogue: Catalogue, settings: Settings, word: str) -> HarvestTally:
    """One archive: first its records, then every picture that they want.

    Raises:
        ArchiveError: it cannot be read any further; what was read is kept.
    """
    name, address = settings.archive_of(word)
    archive = open_archive(name, address, settings)
    tally = HarvestTally(name)
    try:
        archive_id = catalogue.add_archive(name, archive.kind, archive.address)
        with track(f"records of {name}", None, "records") as advance:
            for window in archive.windows(catalogue.last_window_end(archive_id)):
                harvest_window(catalogue, archive, archive_id, window, tally, advance)
        harvest_pictures(catalogue, archive, archive_id, settings, tally)
    finally:
        archive.close()
    return tally


def harvest_window(
    catalogue: Catalogue,
    archive: Archive,
    archive_id: int,
    window: Window,
    tally: HarvestTally,
    advance: Advance,
) -> None:
    """Add a window's records; the window is done when the last one is in."""
    window_id = catalogue.open_window(archive_id, window.start, window.until)
    before, problems = sum(tally.records.values()), len(tally.problems)
    state = WindowState.FAILED
    try:
        for found in archive.records(window):
            if isinstance(found, Unreadable):
                tally.problems.append((found.identifier, found.reason))
            else:
                tally.records[catalogue.add_record(archive_id, record_entry(found))] += 1
            advance(1)
        state = WindowState.DONE
    finally:
        records = sum(tally.records.values()) - before
        catalogue.close_window(window_id, state, records=records, problems=len(tally.problems) - problems)


def record_entry(record: Record) -> RecordEntry:
    """An archive's record in the catalogue's words."""
    rights = RightsEntry(
        derivatives=Derivatives(record.rights.derivatives.value),
        basis=record.rights.basis,
        uri=record.rights.uri,
        text=record.rights.text,
    )
    same = {
        key: getattr(record, key)
        for key in (
            *(
                "identifier",
                "datestamp",
                "raw",
                "title",
                "artists",
                "date_text",
                "year_from",
                "year_to",
                "genre",
            ),
            *("holder", "credit_line", "landing_url", "pictures", "deleted"),
        )
    }
    return RecordEntry(rights=rights, cast=tuple((role.role, role.actor) for role in record.cast), **same)


def harvest_pictures(
    catalogue: Catalogue, archive: Archive, archive_id: int, settings: Settings, tally: HarvestTally
) -> None:
    """Fetch what the archive's records want; a picture that cannot be had is noted and the rest goes on.

    Raises:
        ArchiveError: the host refuses, or failed PATIENCE times in a row.
    """
    wanted_pictures = catalogue.wanted_pictures(archive_id)
    refused = 0
    with track(f"pictures of {tally.archive}", len(wanted_pictures), "pictures") as advance:
        for wanted in wanted_pictures:
            try:
                _harvest_picture(catalogue, archive, wanted, settings, tally)
                refused = 0
            except (BadRecord, UnreadableImage) as error:
                catalogue.picture_failed(wanted, str(error), permanent=True)
                tally.problems.append((wanted.identifier, str(error)))
            except (ArchiveUnavailable, ArchiveRefused) as error:
                catalogue.picture_failed(wanted, str(error), permanent=False)
                tally.problems.append((wanted.identifier, str(error)))
                refused += 1
                if refused == PATIENCE:
                    raise
            advance(1)


def _harvest_picture(
    catalogue: Catalogue, archive: Archive, wanted: WantedPicture, settings: Settings, tally: HarvestTally
) -> None:
    picture = archive.picture(wanted.reference, Validators(wanted.etag, wanted.last_modified))
    if picture is None:
        catalogue.keep_picture(wanted)
        return
    decoded = decode(picture.data, max_pixels=settings.max_pixels)
    report = judge_tone(decoded.pixels, decoded.mode)
    facts = ImageFacts(
        sha256=catalogue.pictures.add(picture.data, SUFFIXES[decoded.format]),
        width=decoded.width,
        height=decoded.height,
        mode=decoded.mode,
        bytes=len(picture.data),
        tone=Tone(report.tone.value),
        tone_measures=report.measures,
    )
    source = PictureSource(picture.url, picture.validators.etag, picture.validators.last_modified)
    catalogue.hold_picture(wanted, facts, source)
    tally.pictures += 1
