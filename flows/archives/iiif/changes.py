"""A stream of changes, IIIF Change Discovery 1.0: what was created, changed, moved and deleted, the newest last.

The pages are walked backwards, from the last to where the last harvest ended, and each thing is taken as its newest
activity says. Levels 0 (no times), 1 (times) and 2 (kinds of change). What changed is then read oldest first, in
windows of some hundred things, so that a harvest that breaks off goes on after the last whole one.
Specification: iiif.io/api/discovery/1.0.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import ClassVar, Final

from flows.archives.errors import BadRecord, MalformedAnswer, NotAnArchive
from flows.archives.iiif.archive import IiifArchive
from flows.archives.iiif.presentation import joined
from flows.archives.record import UNDATED, Access, Derivatives, Record, Remark, Rights, Unreadable, Window
from flows.archives.values.moments import read_moment
from flows.archives.web.json_answers import Json, ask_json, list_at, object_at, raw_text, text_at

MOST_PAGES: Final = 100_000
DELETES: Final = ("delete", "remove")
IN_ONE_WINDOW = 500
"""Changes, where a stream is read in several."""
UPDATE: Final = "update"
MOVE: Final = "move"
REFRESH: Final = "refresh"


@dataclass(frozen=True)
class Change:
    """What became of one thing."""

    url: str
    kind: str
    """In lower case; `update` where none is stated."""
    is_collection: bool
    at: datetime | None
    """Aware UTC; None: undated."""
    activity: Json

    @property
    def deleted(self) -> bool:
        """Is it there no more?"""
        return self.kind in DELETES


class ChangeArchive(IiifArchive):
    """Follows an archive's stream of changes."""

    kind: ClassVar[str] = "iiif-change"
    asks_each = False
    """A window is short, and what changed again while it was read is to be read again."""

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._deletes: bool | None = None
        self._planned = dict[Window, list[Change | Unreadable]]()

    def check(self) -> None:
        """Asks for the address itself.

        Raises:
            NotAnArchive, MalformedAnswer: it is no stream of changes.
        """
        kind = text_at(self.front(), "type") if isinstance(self.front(), dict) else ""
        if kind != "OrderedCollection":
            raise NotAnArchive(
                f"{self.address} is no stream of changes (its type is {kind or 'not stated'}, and should be "
                "OrderedCollection); give the address of one, or use the protocol iiif"
            )

    def names_deleted(self) -> bool:
        """Only a dated stream of more kinds than updates does, as its last and its first page show.

        Of one that tells updates alone (level 1) nobody knows what is gone, though each update has a kind.
        """
        if self._deletes is None:
            self._deletes = self._tells_deletions()
        return self._deletes

    def _tells_deletions(self) -> bool:
        self.check()
        ends = dict.fromkeys(filter(None, (self._last_page(), _link(self.front(), "first", self._url))))
        found = [each for url in ends for each in self._changes(self._page(url)) if isinstance(each, Change)]
        return all(each.at or each.kind == REFRESH for each in found) and any(each.kind != UPDATE for each in found)

    def windows(self, since: datetime | None) -> Iterator[Window]:
        """Of a stream that names what it deletes windows of some hundred changes, oldest first; else one."""
        self.check()
        self._planned = {}
        now, start = datetime.now(UTC), since
        parts = _parts(self._oldest(since)) if self.names_deleted() else [self._oldest(since)]
        for number, part in enumerate(parts, 1):
            ends = [each.at for each in part if isinstance(each, Change) and each.at]
            until = min(now, *ends[-1:]) if number < len(parts) else now
            window = Window(start, max(until, start) if start else until)
            self._planned[window] = [*self._planned.get(window, ()), *part]
            start = window.until
        yield from self._planned

    def records(self, window: Window) -> Iterator[Record | Unreadable | Remark]:
        """Every thing that changed in the window, as it is now.

        Raises:
            MalformedAnswer, ArchiveUnavailable: the stream cannot be read to where the window begins.
        """
        self.check()
        manifests = dict[str, datetime]()
        collections = list[str]()
        planned = self._planned.get(window)
        for change in self._oldest(window.start) if planned is None else planned:
            if isinstance(change, Unreadable):
                yield change
            elif change.deleted:
                yield _deleted(change)
            elif change.is_collection:
                collections.append(change.url)
            else:
                manifests[change.url] = change.at or UNDATED
        for url in collections:
            for found in self.members(ask_json(self._client, url, known=True), url):
                if isinstance(found, str):
                    manifests.setdefault(found, UNDATED)
                else:
                    yield found
        yield from self.fetched(manifests)

    def _oldest(self, start: datetime | None) -> list[Change | Unreadable]:
        """What changed since `start`, the newest last, after what cannot be read; undated first."""
        found = list(self._newest(start))
        found.reverse()
        return sorted(found, key=lambda each: (each.at if isinstance(each, Change) else None) or UNDATED)

    def _newest(self, start: datetime | None) -> Iterator[Change | Unreadable]:
        """The newest change of each thing since `start`, newest first; before a refresh deletions alone count."""
        done: set[str] = set()
        url, walked, refreshed = self._last_page(), set[str](), False
        while url:
            if url in walked or len(walked) > MOST_PAGES:
                raise MalformedAnswer(f"{self.name}: the pages of its stream go round in a circle; tell the archive")
            walked.add(url)
            page = self._page(url)
            for change in self._changes(page):
                if isinstance(change, Unreadable):
                    yield change
                elif start and change.at and change.at < start:
                    return
                elif change.kind == REFRESH:
                    refreshed = True
                elif change.url not in done and (change.deleted or not refreshed):
                    done.add(change.url)
                    yield change if change.deleted else replace(change, activity=None)
            url = _link(page, "prev", url)

    def _last_page(self) -> str:
        return _link(self.front(), "last", self._url) or _link(self.front(), "first", self._url)

    def _page(self, url: str) -> Json:
        """A page of the stream.

        Raises:
            MalformedAnswer: it is none.
        """
        try:
            page = ask_json(self._client, url, known=True)
            list_at(page, "orderedItems")
        except (BadRecord, NotAnArchive) as error:
            raise MalformedAnswer(f"{self.name}: a page of its stream cannot be read ({error})") from None
        return page

    def _changes(self, page: Json) -> Iterator[Change | Unreadable]:
        """The activities of a page, the newest first; what moved is two: gone from there, and new here."""
        for number, activity in enumerate(reversed(list_at(page, "orderedItems"))):
            try:
                yield from _read(activity)
            except BadRecord as error:
                raw = raw_text(activity).encode()[:1000]
                yield Unreadable(f"activity {number} of {_link(page, 'id') or self.name}", str(error), True, raw)


def _parts(changes: list[Change | Unreadable]) -> list[list[Change | Unreadable]]:
    """Some hundred changes each; those of one moment stay together, since a harvest goes on after a moment."""
    moments = [each.at if isinstance(each, Change) else None for each in changes]
    ends = [0]
    for place in range(1, len(changes)):
        if place - ends[-1] >= IN_ONE_WINDOW and moments[place] != moments[place - 1]:
            ends.append(place)
    return [changes[start:end] for start, end in pairwise([*ends, len(changes)])]


def _read(activity: Json) -> Iterator[Change]:
    kind = text_at(activity, "type").lower() or UPDATE
    stated = text_at(activity, "endTime") or text_at(activity, "startTime")
    at = read_moment(stated, "time") if stated else None
    if kind == REFRESH:
        yield Change("", kind, False, at, activity)
        return
    place = "target" if kind == MOVE else "object"
    thing = object_at(activity, place)
    is_collection = text_at(thing, "type").endswith("Collection")
    url = text_at(thing, "id")
    if not url.startswith(("http://", "https://")):
        raise BadRecord(f"its {place} has no web address; tell the archive")
    yield Change(url, UPDATE if kind == MOVE else kind, is_collection, at, activity)
    if kind == MOVE and (old := text_at(activity, "object", "id")):
        yield Change(old, "delete", is_collection, at, activity)


def _deleted(change: Change) -> Record:
    gone = Rights(Derivatives.UNKNOWN, "deleted by the archive")
    return Record(change.url, change.at or UNDATED, gone, raw_text(change.activity), deleted=True)


def _link(value: Json, name: str, base: str = "") -> str:
    """The address there, as seen from the one that names it; empty where there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    if isinstance(found, dict):
        found = found.get("id")
    return joined(base, found) if isinstance(found, str) else ""
