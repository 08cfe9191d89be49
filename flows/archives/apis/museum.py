"""What the open-access APIs of museums have in common: lists in pages, records by codes of rights, pictures beside.

`japan_search`, `met`, `aic` and `cleveland` say how their own is asked and read. A list is believed when as many
records came as it promised; where it shifted while it was read, it is gone through again, and each record is told once.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import ClassVar, Self
from urllib.parse import urlencode, urlsplit

from flows.addresses import shown
from flows.archives.errors import BadRecord, MalformedAnswer, NotAnArchive
from flows.archives.limits import check_identifier, within_limits
from flows.archives.record import (
    Access,
    Picture,
    Record,
    Remark,
    Unreadable,
    Validators,
    Window,
)
from flows.archives.values.formats import plain
from flows.archives.web.client import PoliteClient
from flows.archives.web.json_answers import Json, ask_json, list_at, number_at, object_at, raw_text
from flows.archives.web.pictures import fetch_picture

PASSES = 4
"""Times that a list is gone through, where it ends before as many records came as it promised."""
IDLE_PAGES = 20
"""Answers in a row without a new record, after which a list is left."""
MOST_RAW_BYTES = 2**20
"""Kept of a record that cannot be read."""
LAST_YEAR = 10_000
_NOTHING = Validators()


@dataclass(frozen=True)
class Page:
    """One answer of a list."""

    items: list[Json]
    """Records as the API writes them; a Record or Unreadable is one already."""
    promised: int | None = None
    """How many records the whole list has, where it says."""


class MuseumApi(ABC):
    """An archive that is asked over its JSON API; the client is its own, and closed with it.

    Args:
        access: What it is opened with; its options are those of the protocol, or left out.
    """

    kind: ClassVar[str]
    lists_everything = False
    asks_each: ClassVar[bool] = False
    asks_by_date: ClassVar[bool]
    """Can it be asked for what changed since a date? Else every window is a list of everything."""

    @classmethod
    def open(cls, access: Access) -> Self:
        """With a polite client of its own; nothing is asked yet."""
        return cls(access)

    def __init__(self, access: Access) -> None:
        self.name = access.name
        self.address = shown(access.address)
        self._base_url = access.address.rstrip("/")
        self._genres = access.genres
        self._client = PoliteClient(access.manners, access.address)
        self._known = False

    def close(self) -> None:
        """Releases connections."""
        self._client.close()

    def check(self) -> None:
        """Asks for the beginning of its list.

        Raises:
            NotAnArchive, MalformedAnswer: something else answers.
        """
        try:
            self.look()
        except BadRecord as error:
            raise NotAnArchive(f"{error}; give the base URL of the {self.kind} API, or leave the address out") from None
        self._known = True

    def names_deleted(self) -> bool:
        """No: only a list of everything tells."""
        return False

    def windows(self, since: datetime | None) -> Iterator[Window]:
        """One window, up to now."""
        yield Window(since if self.asks_by_date else None, datetime.now(UTC))

    def records(self, window: Window) -> Iterator[Record | Unreadable | Remark]:
        """Every record of the window, once.

        Raises:
            MalformedAnswer, ArchiveUnavailable: the list cannot be read to its end; what came before is sound.
        """
        if not self._known:
            self.check()
        seen: set[str] = set()
        promised = 0
        for _ in range(PASSES):
            for page, found in self._one_pass(window):
                promised = page.promised or promised
                if found.identifier in seen:
                    continue
                seen.add(found.identifier)
                yield found
                if isinstance(found, Record):
                    yield from (Remark(found.identifier, remark) for remark in found.remarks)
            if len(seen) >= promised:
                return
        shortfall = f"its list ended after {len(seen)} of {promised} records"
        reason = f"{shortfall}; it is listed again, and believed when as many come"
        yield Unreadable(self.name, reason, breaks_list=True)

    def read(self, item: Json) -> Record | Unreadable:
        """What an item of a list comes to, whatever it is."""
        if isinstance(item, Record | Unreadable):
            return item
        raw = raw_text(item).encode()
        name = f"record {sha256(raw).hexdigest()[:12]} of {self.name}"
        identifier = ""
        try:
            identifier = self._named(item)
            return within_limits(self.record(item, identifier))
        except BadRecord as error:
            return Unreadable(identifier or name, str(error), breaks_list=not identifier, raw=raw[:MOST_RAW_BYTES])

    def picture(self, reference: str, known: Validators = _NOTHING) -> Picture | None:
        """Fetches a picture, and takes nothing else for one."""
        return fetch_picture(self._client, reference, known)

    @abstractmethod
    def look(self) -> None:
        """Ask for little, and raise where the answer is none of this API's."""

    @abstractmethod
    def pages(self, window: Window) -> Iterator[Page]:
        """The answers of the list, one pass."""

    @abstractmethod
    def identifier(self, item: Json) -> str:
        """What the API calls a record; empty where it says nothing."""

    @abstractmethod
    def record(self, item: Json, identifier: str) -> Record:
        """A record of the list.

        Raises:
            BadRecord: it cannot be read.
        """

    def ask(
        self, path: str, question: Mapping[str, str] | Iterable[tuple[str, str]] = (), *, needed: bool = True
    ) -> Json:
        """The answer to one request, JSON; `needed` is as in `PoliteClient.get`.

        Raises:
            ArchiveUnavailable: of an archive that is known, no JSON. NotAnArchive, MalformedAnswer: of another.
            BadRecord: nothing lies there.
        """
        query = urlencode(list(question.items() if isinstance(question, Mapping) else question))
        address = f"{self._base_url}/{path}{f'?{query}' if query else ''}"
        return ask_json(self._client, address, known=self._known, needed=needed)

    def listed(self, answer: Json, name: str) -> list[Json]:
        """The list of records in an answer.

        Raises:
            MalformedAnswer: it has none.
        """
        try:
            if name in object_at(answer):
                return list_at(answer, name)
        except BadRecord as error:
            raise MalformedAnswer(f"{self.name} answers otherwise than the {self.kind} API: {error}") from None
        raise MalformedAnswer(
            f"{self.name} answers without {name!r}, which the {self.kind} API always has; check its address"
        )

    def genre(self, values: Iterable[str], otherwise: str = "") -> str | None:
        """The first value by which the archive names the genre that we look for; else what it says of the genre."""
        wanted = {plain(genre) for genre in self._genres}
        return next((value for value in values if plain(value) in wanted), otherwise or None)

    def _named(self, item: Json) -> str:
        """A record's identifier.

        Raises:
            BadRecord: it has none, or one too long to be one.
        """
        identifier = self.identifier(item)
        check_identifier(identifier)
        if not identifier:
            raise BadRecord("it has no identifier; tell the archive")
        return identifier

    def _one_pass(self, window: Window) -> Iterator[tuple[Page, Record | Unreadable]]:
        """What the pages hold, until nothing new came for many.

        Raises:
            MalformedAnswer: the list has no end.
        """
        came: set[str] = set()
        idle = 0
        for page in self.pages(window):
            before = len(came)
            for found in map(self.read, page.items):
                came.add(found.identifier)
                yield page, found
            idle = 0 if len(came) > before else idle + 1
            if idle > IDLE_PAGES:
                raise MalformedAnswer(
                    f"{self.name} goes on listing records that it listed before, without end, after {before:,}; "
                    "what came was kept, and the list is begun again another night; tell the archive"
                )


def year_at(value: Json, name: str) -> int | None:
    """The year in a field; None where there is none that can be one."""
    year = number_at(value, name)
    return year if year is not None and abs(year) < LAST_YEAR else None


def web_addresses(values: Iterable[str]) -> tuple[str, ...]:
    """Those of the values that are addresses on the web, each once."""
    return tuple(dict.fromkeys(value for value in values if _is_web(value)))


def _is_web(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, value))
