"""Opens the archives; their records and pictures come into the catalogue, window by window.

Durable when: a record with its picture references as soon as it was read; the window as done after its last record;
a picture's file and its working copy before its row. A crash leaves an open window, which the next night takes up
again, and wanted pictures, which it fetches. One bad record or picture is reported and the rest goes on; a dead archive
ends its own harvest only.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from colorize.errors import OversizedImage, UnreadableImage
from colorize.images.decode import decode
from colorize.images.tone import judge_tone
from colorize.output.provenance import is_colorization
from db.catalogue import Catalogue
from db.entries.night import (
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
from flows.archives.errors import ArchiveError, ArchiveRefused, ArchiveUnavailable, BadRecord, TooLarge
from flows.archives.record import Archive, Record, Remark, Unreadable, Validators, Window
from flows.endings import Ending
from flows.logs import about
from flows.plan import PlannedArchive, plan_catalogue
from flows.progress import track
from flows.settings import Settings
from flows.working_copies import keep_working_copy

SUFFIXES = {
    "JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp", "AVIF": ".avif", "JPEG2000": ".jp2",
}  # fmt: skip
_SAME = (
    *("identifier", "datestamp", "raw", "title", "artists", "date_text", "year_from", "year_to", "genre"),
    *("holder", "credit_line", "landing_url", "pictures", "deleted"),
)
"""Fields that are the same in the archive's words and the catalogue's."""
PATIENCE = 5
"""Pictures in a row that an archive may fail or refuse to deliver before it is left for the night."""


@dataclass
class HarvestTally:
    """What one archive gave, over all tries: a record that is read again when a try fails counts once."""

    archive: str
    protocol: str = ""
    """What it was taken for."""
    changes: dict[str, Change] = field(default_factory=dict)
    """What became of each record, by identifier."""
    withdrawn: int = 0
    """Records that the archive lists no more."""
    pictures: int = 0
    """Fetched and stored."""
    lasting: dict[tuple[str, str], None] = field(default_factory=dict)
    """Problems that another try does not mend, each once."""
    remarks: dict[tuple[str, str], None] = field(default_factory=dict)
    """What a person should know, each once: how a table was understood, and what it does not name."""
    passing: list[tuple[str, str]] = field(default_factory=list)
    """Why pictures could not be had that are still wanted."""
    failure: str | None = None
    """Why the archive's harvest ended early."""

    @property
    def records(self) -> dict[Change, int]:
        """How many records of each kind."""
        counts = Counter(self.changes.values())
        counts[Change.DELETED] += self.withdrawn
        return {change: counts[change] for change in Change}

    @property
    def problems(self) -> list[tuple[str, str]]:
        """(identifier or file, reason)."""
        return [*self.lasting, *self.passing]

    @property
    def ending(self) -> Ending:
        """A bad record is reported and no failure; a harvest that ended early is one."""
        return Ending.FAILED if self.failure else Ending.DONE

    def count(self, identifier: str, change: Change) -> None:
        """Another try finds unchanged what this night's first one brought."""
        if self.changes.get(identifier, Change.UNCHANGED) is Change.UNCHANGED:
            self.changes[identifier] = change


def _unavailable(_task: object, _run: object, state: State[Any]) -> bool:
    """Only an archive that may answer later is asked again."""
    return isinstance(state.result(raise_on_failure=False), ArchiveUnavailable)


@flow(name="harvest", validate_parameters=False)
def harvest(settings: Settings, archives: Sequence[str]) -> list[HarvestTally]:
    """Harvest the named archives, or all of nishiki.toml, one after the other.

    Raises:
        Misconfigured, ArchiveError: one of them is none; no other was asked.
    """
    task_of_archive = harvest_archive.with_options(
        retries=settings.archive_retries,
        retry_delay_seconds=settings.archive_retry_pause_s,
        retry_condition_fn=_unavailable,
    )
    tallies = []
    with plan_catalogue(settings, archives) as plan:
        plan.catalogue.index_again()
        for planned in plan.archives:
            tally = HarvestTally(planned.name)
            tallies.append(tally)
            try:
                task_of_archive(plan.catalogue, settings, planned, tally)
            except ArchiveError as error:
                tally.failure = str(error)
                about(__name__, archive=planned.name).warning("the harvest ended early: %s", error)
    return tallies


@task(name="harvest-archive", cache_policy=NO_CACHE, persist_result=False)
def harvest_archive(catalogue: Catalogue, settings: Settings, planned: PlannedArchive, tally: HarvestTally) -> None:
    """One archive: first its records, then every picture that they want.

    The tally comes from outside, so that what was read is told even where the archive fails half-way.

    Raises:
        ArchiveError: it cannot be read any further; what was read is kept.
    """
    name, archive = planned.name, planned.open()
    tally.protocol, log = archive.kind, about(__name__, archive=name)
    log.info("read as %s", archive.kind)
    try:
        archive_id = catalogue.add_archive(name, archive.kind, archive.address)
        for window in archive.windows(_beginning(catalogue, archive, archive_id, settings)):
            harvest_window(catalogue, archive, archive_id, window, settings, tally)
        harvest_pictures(catalogue, archive, archive_id, settings, tally)
        log.info(
            "%d records, %d pictures fetched, %d problems", len(tally.changes), tally.pictures, len(tally.problems)
        )
    finally:
        archive.close()


def _beginning(catalogue: Catalogue, archive: Archive, archive_id: int, settings: Settings) -> datetime | None:
    """Where the harvest begins: at the end of the last one, or anew where it is time for a list of everything."""
    if not archive.lists_everything and not archive.names_deleted():
        last = catalogue.last_full_listing(archive_id)
        if last is None or datetime.now(UTC) - last >= timedelta(days=settings.full_listing_days):
            return None
    return catalogue.last_window_end(archive_id)


def harvest_window(
    catalogue: Catalogue, archive: Archive, archive_id: int, window: Window, settings: Settings, tally: HarvestTally
) -> None:
    """Add a window's records; the window is done when the last one is in and what is gone is withdrawn."""
    window_id = catalogue.open_window(archive_id, window.start, window.until)
    listed: set[str] = set()
    records, problems, whole, state, log = 0, 0, True, WindowState.FAILED, about(__name__, archive=tally.archive)
    try:
        with track(f"records of {tally.archive}", None, "records") as advance:
            for found in archive.records(window):
                if isinstance(found, Remark):
                    tally.remarks[found.subject, found.text] = None
                    log.info("%s: %s", found.subject, found.text)
                    continue
                if isinstance(found, Unreadable):
                    tally.lasting[found.identifier, found.reason] = None
                    log.warning("record %s: %s", found.identifier, found.reason)
                    problems += 1
                    whole = whole and not found.breaks_list
                else:
                    tally.count(found.identifier, catalogue.add_record(archive_id, record_entry(found)))
                    records += 1
                if isinstance(found, Record) or not archive.lists_everything:
                    listed.add(found.identifier)
                advance(1)
        if (
            whole
            and _names_all(archive, window)
            and not _withdrawn(catalogue, archive, archive_id, listed, settings, tally)
        ):
            return
        state = WindowState.DONE
    finally:
        catalogue.close_window(window_id, state, records=records, problems=problems)


def _names_all(archive: Archive, window: Window) -> bool:
    """Is what this window does not name gone? Of an archive that names what it deleted, nothing is known by that."""
    return archive.lists_everything or (window.start is None and not archive.names_deleted())


def _withdrawn(
    catalogue: Catalogue, archive: Archive, archive_id: int, listed: set[str], settings: Settings, tally: HarvestTally
) -> bool:
    """Withdraw what a list of everything does not name, until it is named again; False where a person is asked first.

    A folder that lists a picture no more, or not readably, is believed, for an old record may allow what a new one of
    the same picture does not, and the next night lists it again. A list from the web that lacks much is more likely
    that of a broken server: it is tried again the next night.
    """
    gone, live = catalogue.count_unlisted(archive_id, listed)
    if not archive.lists_everything and gone > settings.full_listing_share * live:
        problem = (
            f"its list of everything lacks {gone:,} of {live:,} records, more than {settings.full_listing_share:.0%}: "
            f"nothing was withdrawn. Where they are gone for good, run: nishiki harvest {archive.name} --full"
        )
        tally.lasting[archive.name, problem] = None
        return False
    tally.withdrawn += catalogue.withdraw_unlisted(archive_id, listed)
    return True


def record_entry(record: Record) -> RecordEntry:
    """An archive's record in the catalogue's words."""
    rights = RightsEntry(
        derivatives=Derivatives(record.rights.derivatives.value),
        basis=record.rights.basis,
        uri=record.rights.uri,
        text=record.rights.text,
    )
    same = {key: getattr(record, key) for key in _SAME}
    return RecordEntry(rights=rights, cast=tuple((role.role, role.actor) for role in record.cast), **same)


def harvest_pictures(
    catalogue: Catalogue, archive: Archive, archive_id: int, settings: Settings, tally: HarvestTally
) -> None:
    """Fetch what the archive's records want; a picture that cannot be had is noted and the rest goes on.

    Raises:
        ArchiveError: the host refuses, or failed PATIENCE times in a row.
    """
    wanted_pictures = catalogue.wanted_pictures(archive_id)
    tally.passing.clear()
    refused, log = 0, about(__name__, archive=tally.archive)
    with track(f"pictures of {tally.archive}", len(wanted_pictures), "pictures") as advance:
        for wanted in wanted_pictures:
            try:
                _harvest_picture(catalogue, archive, wanted, settings, tally)
                refused = 0
            except (TooLarge, OversizedImage) as error:  # a limit that is raised lets it in
                catalogue.picture_failed(wanted, str(error), permanent=False, counted=False)
                tally.passing.append((wanted.identifier, str(error)))
                log.info("record %s: %s", wanted.identifier, error)
            except (BadRecord, UnreadableImage) as error:
                catalogue.picture_failed(wanted, str(error), permanent=True)
                tally.lasting[wanted.identifier, str(error)] = None
                log.warning("record %s: %s", wanted.identifier, error)
            except (ArchiveUnavailable, ArchiveRefused) as error:  # a host that is down says nothing of its pictures
                counted = isinstance(error, ArchiveRefused)
                catalogue.picture_failed(wanted, str(error), permanent=False, counted=counted)
                tally.passing.append((wanted.identifier, str(error)))
                log.info("record %s: %s", wanted.identifier, error)
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
    if is_colorization(picture.data):
        raise BadRecord(f"{picture.url} is a colorization that nishiki made, not a print; take it out of the archive")
    decoded = decode(picture.data, max_pixels=settings.max_pixels)
    report = judge_tone(decoded.pixels, decoded.mode)
    sha256 = catalogue.pictures.add(picture.data, SUFFIXES[decoded.format])
    keep_working_copy(catalogue, sha256, decoded.pixels)
    facts = ImageFacts(
        sha256=sha256,
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
