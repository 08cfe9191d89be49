"""A stream of changes, IIIF Change Discovery 1.0: what was created, changed, moved and deleted, the newest last.

The pages are walked backwards, from the last to where the last harvest ended, and each thing is taken as its newest
activity says. Levels 0 (no times), 1 (times) and 2 (kinds of change). Specification: iiif.io/api/discovery/1.0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final

from flows.archives.errors import BadRecord, MalformedAnswer, NotAnArchive
from flows.archives.iiif.archive import IiifArchive
from flows.archives.record import UNDATED, Derivatives, Record, Remark, Rights, Unreadable, Window
from flows.archives.web.json_answers import Json, ask_json, list_at, object_at, raw_text, text_at

MOST_PAGES: Final = 100_000
DELETES: Final = ("delete", "remove")
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
        """Only a stream of dated kinds does, as the newest page shows."""
        self.check()
        last = self._last_page()
        found = self._changes(self._page(last)) if last else ()
        return any(isinstance(each, Change) and each.at and "type" in object_at(each.activity) for each in found)

    def windows(self, since: datetime | None) -> Iterator[Window]:
        """One window, up to now."""
        yield Window(since, datetime.now(UTC))

    def records(self, window: Window) -> Iterator[Record | Unreadable | Remark]:
        """Every thing that changed in the window, as it is now.

        Raises:
            MalformedAnswer, ArchiveUnavailable: the stream cannot be read to where the window begins.
        """
        self.check()
        manifests = dict[str, datetime]()
        collections = list[str]()
        for change in self._newest(window.start):
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
                    yield change
            url = _link(page, "prev")

    def _last_page(self) -> str:
        return _link(self.front(), "last") or _link(self.front(), "first")

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


def _read(activity: Json) -> Iterator[Change]:
    kind = text_at(activity, "type").lower() or "update"
    stated = text_at(activity, "endTime") or text_at(activity, "startTime")
    at = _moment(stated) if stated else None
    if kind == REFRESH:
        yield Change("", kind, False, at, activity)
        return
    place = "target" if kind == MOVE else "object"
    thing = object_at(activity, place)
    is_collection = text_at(thing, "type").endswith("Collection")
    url = text_at(thing, "id")
    if not url.startswith(("http://", "https://")):
        raise BadRecord(f"its {place} has no web address; tell the archive")
    yield Change(url, "update" if kind == MOVE else kind, is_collection, at, activity)
    if kind == MOVE and (old := text_at(activity, "object", "id")):
        yield Change(old, "delete", is_collection, at, activity)


def _deleted(change: Change) -> Record:
    gone = Rights(Derivatives.UNKNOWN, "deleted by the archive")
    return Record(change.url, change.at or UNDATED, gone, raw_text(change.activity), deleted=True)


def _moment(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRecord(f"its time {text[:40]!r} is none; tell the archive") from None


def _link(value: Json, name: str) -> str:
    found = value.get(name) if isinstance(value, dict) else None
    if isinstance(found, dict):
        found = found.get("id")
    return found if isinstance(found, str) else ""
