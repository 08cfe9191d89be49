"""Opens the archives; their records and pictures come into the catalogue, window by window.

Durable when: a record with its picture references within a second, or with the next one; the window as done after its
last record; a picture's file and its working copy before its row. A crash leaves an open window, which the next night
takes up again, and wanted pictures, which it fetches. One bad record or picture is reported and the rest goes on, and a
picture that could not be had is asked for again; a dead archive ends its own harvest only.
"""

import logging
import os
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from threading import Lock
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from colorize.errors import OversizedImage, UnreadableImage
from colorize.output.provenance import is_colorization
from db.catalogue import Catalogue
from db.entries.night import (
    Change,
    Derivatives,
    ImageFacts,
    Patience,
    PictureSource,
    RecordEntry,
    RightsEntry,
    Tone,
    WantedPicture,
    WindowState,
)
from db.tables.columns import clean
from flows.archives.errors import ArchiveError, ArchiveRefused, ArchiveUnavailable, BadRecord, NoPicture, TooLarge
from flows.archives.identifiers import Identifiers
from flows.archives.record import Archive, Picture, Record, Remark, Rights, Unreadable, Validators, Window
from flows.archives.record import Derivatives as Said
from flows.archives.values.formats import names_picture
from flows.archives.values.permission import PERMITTED, Permission, permitted, with_permission
from flows.archives.values.rights import RULES_VERSION
from flows.archives.web.breaker import Breaker
from flows.endings import Ending
from flows.logs import about
from flows.plan import PlannedArchive, plan_catalogue
from flows.progress import Advance, track
from flows.settings import Settings
from flows.under_prefect import stage, step
from flows.upkeep.working_copies import decode_small, image_facts, keep_working_copy

SUFFIXES = {
    "JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp", "AVIF": ".avif", "JPEG2000": ".jp2",
}  # fmt: skip
_SAME = (
    *("identifier", "datestamp", "raw", "title", "artists", "date_text", "year_from", "year_to", "genre"),
    *("holder", "credit_line", "landing_url", "pictures", "deleted", "authorities"),
)
"""Fields that are the same in the archive's words and the catalogue's."""
HOSTS_AT_ONCE = 8
"""Hosts that pictures are fetched from at the same time."""
DECODED_AT_ONCE = 4
"""Pictures that are decoded at the same time, at most, on as many cores."""
TOGETHER = 100
"""Records that are written together, at most."""
LONGEST_WAIT_S = 1.0
"""So long a record waits for others, at most, while the archive goes on."""
FEW_GONE = 2
"""Records that a list of everything may lack, whatever their share; a small archive loses one, too."""


@dataclass
class HarvestTally:
    """What one archive gave, over all tries: a record that is read again when a try fails counts once."""

    archive: str
    protocol: str = ""
    """What it was taken for."""
    withdrawn: int = 0
    """Records that the archive lists no more."""
    pictures: int = 0
    """Fetched and stored."""
    tones: Counter[Tone] = field(default_factory=Counter)
    """Of those."""
    lasting: dict[tuple[str, str], None] = field(default_factory=dict)
    """Records that cannot be read, and pictures that failed on several nights, each once."""
    passing: dict[tuple[str, str], None] = field(default_factory=dict)
    """Why pictures could not be had that are asked for again."""
    remarks: dict[tuple[str, str], None] = field(default_factory=dict)
    """What a person should know, each once: how a table was understood, and what it does not name."""
    waiting: int = 0
    """Pictures that failed before and are not due tonight."""
    failure: str | None = None
    """Why the archive's harvest ended early."""
    _changes: Counter[Change] = field(default_factory=Counter, repr=False)
    _changed: Identifiers = field(default_factory=Identifiers, repr=False)
    _unchanged: Identifiers = field(default_factory=Identifiers, repr=False)

    @property
    def read(self) -> int:
        """Records that came."""
        return self._changes.total()

    @property
    def records(self) -> dict[Change, int]:
        """How many records of each kind, with those that the archive lists no more."""
        counts = self._changes + Counter({Change.DELETED: self.withdrawn})
        return {change: counts[change] for change in Change}

    @property
    def problems(self) -> list[tuple[str, str]]:
        """(identifier or file, reason)."""
        return [*self.lasting, *self.passing]

    @property
    def ending(self) -> Ending:
        """A bad record is reported and no failure; a harvest that ended early is one."""
        return Ending.FAILED if self.failure else Ending.DONE

    def told(self) -> Iterator[str]:
        """The failure, in a sentence."""
        if self.failure:
            yield f"Harvest of {self.archive} ended early: {self.failure}"

    def count(self, identifier: str, change: Change) -> None:
        """Another try finds unchanged what this night's first one brought."""
        if identifier in self._changed:
            return
        if change is Change.UNCHANGED:
            self._changes[change] += self._unchanged.add(identifier)
            return
        self._changed.add(identifier)
        self._changes[change] += 1
        self._changes[Change.UNCHANGED] -= identifier in self._unchanged


@stage("harvest")
def harvest(settings: Settings, archives: Sequence[str]) -> list[HarvestTally]:
    """Harvest the named archives, or all of nishiki.toml, one after the other.

    Of those that are not asked, also of those that nishiki.toml names no more, written permissions are counted anew.

    Raises:
        Misconfigured, ArchiveError: one of them is none; no other was asked.
    """
    tallies = []
    with plan_catalogue(settings, archives) as plan:
        plan.catalogue.index_again()
        for name in plan.catalogue.archive_addresses().keys() - {planned.name for planned in plan.archives}:
            lay_permission_over(plan.catalogue, settings.permission_for(name), HarvestTally(name))
        for planned in plan.archives:
            tally = HarvestTally(planned.name)
            tallies.append(tally)
            try:
                _harvest_patiently(plan.catalogue, settings, planned, tally)
            except ArchiveError as error:
                tally.failure = str(error)
                about(__name__, archive=planned.name).warning("the harvest ended early: %s", error)
    return tallies


def _harvest_patiently(catalogue: Catalogue, settings: Settings, planned: PlannedArchive, tally: HarvestTally) -> None:
    """Only an archive that may answer later is asked again."""
    for left in reversed(range(settings.archive_retries + 1)):
        try:
            harvest_archive(catalogue, settings, planned, tally)
        except ArchiveUnavailable:
            if not left:
                raise
            time.sleep(settings.archive_retry_pause_s)
        else:
            return


@step("harvest-archive")
def harvest_archive(catalogue: Catalogue, settings: Settings, planned: PlannedArchive, tally: HarvestTally) -> None:
    """One archive: first its records, then every picture that they want, those of a list that broke off too.

    The tally comes from outside, so that what was read is told even where the archive fails half-way.

    Raises:
        ArchiveError: it cannot be read any further; what was read is kept.
    """
    lay_permission_over(catalogue, settings.permission_for(planned.name), tally)
    name, archive = planned.name, planned.open()
    tally.protocol, log = archive.kind, about(__name__, archive=name)
    log.info("read as %s", archive.kind)
    try:
        archive_id = catalogue.add_archive(name, archive.kind, archive.address)
        failures = []
        for stage in (_harvest_records, harvest_pictures):
            try:
                stage(catalogue, archive, archive_id, settings, tally)
            except ArchiveError as error:
                failures.append(error)
        log.info("%d records, %d pictures fetched, %d problems", tally.read, tally.pictures, len(tally.problems))
        if failures:
            raise type(failures[0])("; ".join(map(str, failures)))
    finally:
        archive.close()


def lay_permission_over(catalogue: Catalogue, permission: Permission | None, tally: HarvestTally) -> None:
    """Let what was written to the operator, or has ended, count for the records that are kept already."""
    today = datetime.now(UTC).date()

    def overlay(identifier: str, holder: str, kept: RightsEntry) -> RightsEntry:
        stated = Rights(Said(kept.derivatives.value), kept.basis, kept.uri, kept.text)
        covered = permission is not None and permission.covers(identifier, holder, today)
        laid = with_permission(stated, permission if covered else None)
        if laid == stated:
            return kept
        rules = kept.rules if laid.derivatives is Said.YES else 0  # newer ones may have come meanwhile
        return replace(kept, derivatives=Derivatives(laid.derivatives.value), basis=laid.basis, rules=rules)

    said = "" if permission is None else f"{permission!r} {permission.holds(today)}"
    count = catalogue.lay_over(tally.archive, PERMITTED, overlay, held_too=permission is not None, said=said)
    if count:
        text = f"the written permission in nishiki.toml, or its end, changed the rights of {count:,} kept records"
        tally.remarks[tally.archive, text] = None
        about(__name__, archive=tally.archive).info("%s", text)


def _harvest_records(
    catalogue: Catalogue, archive: Archive, archive_id: int, settings: Settings, tally: HarvestTally
) -> None:
    for window in archive.windows(_beginning(catalogue, archive, archive_id, settings)):
        harvest_window(catalogue, archive, archive_id, window, settings, tally)


def _beginning(catalogue: Catalogue, archive: Archive, archive_id: int, settings: Settings) -> datetime | None:
    """Where the harvest begins: some hours before the end of the last one, or anew where a list of everything is due.

    An archive dates records back, and enters some late: what it names again is known and costs little.
    """
    if not archive.lists_everything and (settings.full_listing_days == 0 or not archive.names_deleted()):
        last = catalogue.last_full_listing(archive_id)
        if last is None or datetime.now(UTC) - last >= timedelta(days=settings.full_listing_days):
            return None
    end = catalogue.last_window_end(archive_id)
    return end and end - timedelta(hours=settings.overlap_hours)


def harvest_window(
    catalogue: Catalogue, archive: Archive, archive_id: int, window: Window, settings: Settings, tally: HarvestTally
) -> None:
    """Add a window's records; the window is done when the last one is in and what is gone is withdrawn."""
    before = catalogue.records_of_unfinished(archive_id, window.start)
    window_id = catalogue.open_window(archive_id, window.start, window.until)
    window = replace(window, read=catalogue.read_in_window(window_id))
    told = _Told(
        catalogue, archive_id, tally, settings.permission_for(tally.archive), window_id if archive.asks_each else None
    )
    told.read.update(window.read)
    told.records = len(window.read)
    unread = catalogue.unreadable_records(archive_id)
    state = WindowState.FAILED
    try:
        with told, track(f"records of {tally.archive}", None, "records") as advance:
            for found in archive.records(window):
                told.add(found)
                advance(0 if isinstance(found, Remark) else 1)
        names_all = _names_all(archive, window)
        gone = unread - told.unread if names_all else {each for each in unread if each in told.read}
        catalogue.forget_unreadable(archive_id, gone)
        if not archive.lists_everything:
            told.read.update(told.unread)
        if told.short and told.records != before:  # a promise that is broken alike twice was wrong
            return
        if told.whole and names_all and not _withdrawn(catalogue, archive, archive_id, told.read, settings, tally):
            return
        state = WindowState.DONE
    finally:
        catalogue.close_window(window_id, state, records=told.records, problems=told.problems)


@dataclass
class _Told:
    """What an archive told in one window."""

    catalogue: Catalogue
    archive_id: int
    tally: HarvestTally
    permission: Permission | None
    window_id: int | None
    """The window that keeps what it has read, if it does."""
    read: Identifiers = field(default_factory=Identifiers)
    unread: set[str] = field(default_factory=set)
    records: int = 0
    problems: int = 0
    whole: bool = True
    """Nothing is missing, so that what is not named is gone."""
    short: bool = False
    """Fewer came than the archive promised."""
    waiting: list[RecordEntry] = field(default_factory=list)
    """Read, and not yet written."""
    kept_at: float = field(default_factory=time.monotonic)

    def add(self, found: Record | Unreadable | Remark) -> None:
        """Keep it, and tell of it; records are kept together that come at once."""
        if isinstance(found, Remark):
            self.tally.remarks[found.subject, found.text] = None
            about(__name__, archive=self.tally.archive).info("%s: %s", found.subject, found.text)
        elif isinstance(found, Unreadable):
            self.problems += 1
            self.whole = self.whole and not found.breaks_list
            self.tally.lasting[found.identifier, found.reason] = None
            self.short = self.short or found.is_list
            if not found.is_list:
                self.keep()
                self.unread.add(clean(found.identifier))
                self.catalogue.keep_unreadable(self.archive_id, found.identifier, found.reason, found.raw)
            about(__name__, archive=self.tally.archive, record=found.identifier).warning("%s", found.reason)
        else:
            self.records += 1
            self.read.add(clean(found.identifier))
            self.waiting.append(record_entry(permitted(found, self.permission, datetime.now(UTC).date())))
            if len(self.waiting) >= TOGETHER or time.monotonic() - self.kept_at > LONGEST_WAIT_S:
                self.keep()

    def keep(self) -> None:
        """Write what waits."""
        waiting, self.waiting = self.waiting, []
        for record, change in zip(waiting, self.catalogue.add_records(self.archive_id, waiting), strict=True):
            self.tally.count(record.identifier, change)
        if self.window_id is not None:
            self.catalogue.note_read(self.window_id, [record.identifier for record in waiting])
        self.kept_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """However the list ended, what came of it is kept."""
        self.keep()


def _names_all(archive: Archive, window: Window) -> bool:
    """Is what this window does not name gone? Of an archive that names what it deleted, nothing is known by that."""
    return archive.lists_everything or (window.start is None and not archive.names_deleted())


def _withdrawn(
    catalogue: Catalogue, archive: Archive, number: int, listed: Identifiers, settings: Settings, tally: HarvestTally
) -> bool:
    """Withdraw what a list of everything does not name, until it is named again; False where a person is asked first.

    A folder that lists a picture no more, or not readably, is believed, for an old record may allow what a new one of
    the same picture does not, and the next night lists it again. A list from the web that lacks much is more likely
    that of a broken server: it is tried again the next night.
    """
    gone, live = catalogue.count_unlisted(number, listed)
    few = gone <= FEW_GONE and 2 * gone <= live
    if not archive.lists_everything and not few and gone > settings.full_listing_share * live:
        problem = (
            f"its list of everything lacks {gone:,} of {live:,} records, more than {settings.full_listing_share:.0%}: "
            f"nothing was withdrawn. Where they are gone for good, run: nishiki harvest {archive.name} --full"
        )
        tally.lasting[archive.name, problem] = None
        return False
    tally.withdrawn += catalogue.withdraw_unlisted(number, listed)
    return True


def record_entry(record: Record) -> RecordEntry:
    """An archive's record in the catalogue's words."""
    rights = RightsEntry(
        derivatives=Derivatives(record.rights.derivatives.value),
        basis=record.rights.basis,
        uri=record.rights.uri,
        text=record.rights.text,
        rules=RULES_VERSION,
    )
    same = {key: getattr(record, key) for key in _SAME}
    return RecordEntry(rights=rights, cast=tuple((role.role, role.actor) for role in record.cast), **same)


def harvest_pictures(
    catalogue: Catalogue, archive: Archive, archive_id: int, settings: Settings, tally: HarvestTally
) -> None:
    """Fetch what the archive's records want and is due; a picture that cannot be had is noted and the rest goes on.

    Several hosts are asked at once, each of them by one thread, at its own pace.

    Raises:
        ArchiveUnavailable, ArchiveRefused: most of what one of its hosts was asked for failed, here and there in the
            list; the other hosts were asked too.
    """
    wanted_pictures = catalogue.wanted_pictures(archive_id)
    tally.waiting = catalogue.waiting_pictures(archive_id)
    tally.passing.clear()
    with track(f"pictures of {tally.archive}", len(wanted_pictures), "pictures") as advance:
        hosts = [*_by_host(wanted_pictures).values()]
        cores = min(DECODED_AT_ONCE, len(os.sched_getaffinity(0)))
        with (
            ThreadPoolExecutor(cores, "decoder") as decoders,
            ThreadPoolExecutor(min(HOSTS_AT_ONCE, len(hosts) or 1), "host") as threads,
        ):
            pictures = _Pictures(catalogue, archive, settings, tally, advance, decoders, cores)
            failures = [*chain.from_iterable(threads.map(pictures.ask_in_turn, hosts))]
    pictures.tell()
    for error in sorted(filter(None, failures), key=lambda error: not isinstance(error, ArchiveUnavailable)):
        raise error


_Kept = Future[ArchiveError | UnreadableImage | None]
"""What went wrong with a picture that was delivered."""


class _Asked(NamedTuple):
    """What pictures are asked for together with."""

    failed_before: bool
    """On an earlier night; that they fail again says nothing of the host."""
    tried: bool
    """Their addresses do not say that they lead to pictures."""
    host: str
    """Empty for a folder."""


def _by_host(wanted_pictures: Iterable[WantedPicture]) -> dict[str, dict[_Asked, list[WantedPicture]]]:
    """Each host's, in the harvest's order."""
    hosts: defaultdict[str, defaultdict[_Asked, list[WantedPicture]]] = defaultdict(lambda: defaultdict(list))
    for wanted in wanted_pictures:
        host = urlsplit(wanted.reference).netloc.rpartition("@")[2]
        tried = bool(host) and not names_picture(wanted.reference)
        hosts[host][_Asked(wanted.failed_nights > 0, tried, host)].append(wanted)
    return {host: dict(sorted(asked.items())) for host, asked in sorted(hosts.items())}


@dataclass(frozen=True)
class _Pictures:
    """Asks for pictures, and notes what could not be had."""

    catalogue: Catalogue
    archive: Archive
    settings: Settings
    tally: HarvestTally
    advance: Advance
    decoders: ThreadPoolExecutor
    ahead: int
    """Pictures of one host that wait to be decoded while the next one is fetched."""
    failed: dict[WantedPicture, tuple[Exception, bool]] = field(default_factory=dict)
    """Why, and whether that lasts."""
    counting: Lock = field(default_factory=Lock)

    def ask_in_turn(self, pictures: Mapping[_Asked, Sequence[WantedPicture]]) -> list[ArchiveError | None]:
        """All that one host is asked for."""
        return [self.ask_host(*each) for each in pictures.items()]

    def ask_host(self, asked: _Asked, pictures: Sequence[WantedPicture]) -> ArchiveError | None:
        """Each in turn, what the host failed to deliver once more at the end; why it was left alone, if it was."""
        breaker, silent = self._ask(asked, pictures)
        self.advance(len(breaker.waiting))
        if breaker.gave_up and silent and not asked.failed_before:  # a host that is down says nothing of its pictures
            self.failed.update({wanted: (error, False) for wanted, error in silent.items()})
            return _left_alone(asked.host, [*silent.values()][-1], len(breaker.waiting))
        if breaker.gave_up and asked.tried:
            text = f"{len(breaker.waiting)} addresses were not tried tonight, since those before led to no picture"
            self.tally.remarks[asked.host, text] = None
        if not asked.failed_before:
            unasked, again = self._ask(asked, [*silent], step=0)
            silent = {wanted: silent[wanted] for wanted in (*again, *unasked.waiting)}
        for wanted, error in silent.items():
            self._failed(wanted, error)
        return None

    def tell(self) -> None:
        """Put into the tally what could not be had; an address that was tried in vain only where no other led on."""
        kinds: Counter[str] = Counter()
        for wanted, (error, lasts) in self.failed.items():
            tried = isinstance(error, NoPicture) and not names_picture(wanted.reference)
            if tried and self.catalogue.drop_picture(wanted):
                continue
            kinds[getattr(error, "kind", "")] += 1
            (self.tally.lasting if lasts else self.tally.passing)[wanted.identifier, str(error)] = None
            log = about(__name__, archive=self.tally.archive, record=wanted.identifier)
            log.log(logging.WARNING if lasts else logging.INFO, "%s", error)
        for kind, count in kinds.items():
            if kind:
                self.tally.remarks[self.tally.archive, f"addresses whose answer is {kind}: {count}"] = None

    def _ask(
        self, asked: _Asked, pictures: Sequence[WantedPicture], *, step: int = 1
    ) -> tuple[Breaker[WantedPicture], dict[WantedPicture, ArchiveError]]:
        """The breaker with what was not asked for, and what the host failed to deliver.

        What was delivered is decoded while the next ones come.
        """
        breaker, silent, delivered = Breaker(deque(pictures)), dict[WantedPicture, ArchiveError](), deque[_Kept]()
        for wanted in breaker.turns():
            error = self._try(wanted, partial(self._fetch, wanted, delivered))
            if isinstance(error, ArchiveUnavailable | ArchiveRefused):
                silent[wanted] = error
            while len(delivered) > (0 if asked.tried else self.ahead):
                damage = delivered.popleft().result()
                error = error or damage
            breaker.told(failed=wanted in silent or (asked.tried and error is not None))
            self.advance(step)
        for kept in delivered:
            kept.result()
        return breaker, silent

    def _try(self, wanted: WantedPicture, work: Callable[[], object]) -> ArchiveError | UnreadableImage | None:
        """Do one picture's part of the work; what went wrong. Whether that is the host's fault the others will tell."""
        try:
            work()
        except (TooLarge, OversizedImage) as error:  # a limit that is raised lets it in
            self.catalogue.picture_failed(wanted, str(error), counted=False)
            self.failed[wanted] = error, False
        except (BadRecord, UnreadableImage) as error:
            self._failed(wanted, error)
            return error
        except (ArchiveUnavailable, ArchiveRefused) as error:
            self.catalogue.picture_failed(wanted, str(error), counted=False)
            return error
        return None

    def _fetch(self, wanted: WantedPicture, delivered: deque[_Kept]) -> None:
        """Have the picture, and let it be kept, if the one that we hold is no more the archive's."""
        picture = self.archive.picture(wanted.reference, Validators(wanted.etag, wanted.last_modified))
        if picture is None:
            self.catalogue.keep_picture(wanted)
        else:
            delivered.append(self.decoders.submit(self._try, wanted, partial(self._keep, wanted, picture)))

    def _keep(self, wanted: WantedPicture, picture: Picture) -> None:
        if is_colorization(picture.data):
            raise BadRecord(
                f"{picture.url} is a colorization that nishiki made, not a print; take it out of the archive"
            )
        decoded = decode_small(picture.data, self.settings.max_pixels)
        sha256 = self.catalogue.pictures.add(picture.data, SUFFIXES[decoded.format])
        if picture.sha256 not in (None, sha256):
            raise BadRecord(
                f"{picture.url} is not on disk what came over the wire; check this machine's disk and memory"
            )
        copy = keep_working_copy(self.catalogue, sha256, decoded.pixels)
        facts = image_facts(sha256, decoded, len(picture.data), copy)
        source = PictureSource(picture.url, picture.validators.etag, picture.validators.last_modified)
        self.catalogue.hold_picture(wanted, facts, source)
        with self.counting:
            notes = {(wanted.identifier, note): None for note in (*facts.notes, *_smaller(picture, facts))}
            self.tally.remarks.update(notes)
            self.tally.pictures += 1
            self.tally.tones[facts.tone] += 1

    def _failed(self, wanted: WantedPicture, error: Exception) -> None:
        """One more night on which this picture could not be had."""
        patience = Patience(self.settings.lasting_nights, self.settings.longest_pause_nights)
        self.failed[wanted] = error, self.catalogue.picture_failed(wanted, str(error), patience)


def _left_alone(host: str, last: ArchiveError, left: int) -> ArchiveError:
    """An error of the last one's class, for all that the host was not asked for."""
    return type(last)(f"{host or 'the folder'} is left alone for the night, {left} pictures unasked: {last}")


def _smaller(picture: Picture, facts: ImageFacts) -> Iterator[str]:
    """Whether another size came than the archive states; a side may be rounded."""
    stated = picture.stated_px
    if stated and max(abs(stated[0] - facts.width), abs(stated[1] - facts.height)) > 1:
        yield f"its picture has {facts.width} × {facts.height} px, and its archive states {stated[0]} × {stated[1]}"
