"""Whether a list goes on, judged by its records. Called by `archive.py`; asks no server."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from flows.archives.errors import MalformedAnswer
from flows.archives.identifiers import Identifiers
from flows.archives.oai.protocol import Page
from flows.archives.record import Remark, Unreadable

MAX_PAGES = 100_000
"""Answers in one list; at the usual 100 records each, ten million."""
IDLE_PAGES = 20
"""Answers in a row without a new record, each with a token of its own, after which a list is left; some are empty."""
IDLE_TOKENS = 2
"""The same, with a token that was there before."""


@dataclass
class ListProgress:
    """How far a list has come, judged by its records: tokens may repeat, or never end."""

    name: str
    count: int = 0
    """Records, those that came twice too."""
    _seen: Identifiers = field(default_factory=Identifiers)
    _nameless: int = 0
    _new: int = 0
    _idle: int = 0
    _tokens: set[str] = field(default_factory=set)
    _pages: int = 0
    _promised: int | None = None
    _circles: bool = False

    def add(self, identifier: str) -> None:
        """A record; without an identifier it is no news."""
        if identifier:
            self._new += self._seen.add(identifier)
        else:
            self._nameless += 1

    def goes_on(self, page: Page) -> bool:
        """After all records of a page: is there another to ask for?

        Raises:
            MalformedAnswer: its tokens lead on for ever, and not all records came that it promised.
        """
        self._pages += 1
        self._idle = 0 if self._new else self._idle + 1
        self._new = 0
        self._promised = page.complete_size or self._promised
        known = page.token in self._tokens
        self._tokens.add(page.token)
        if not page.token:
            return False
        if self._pages > MAX_PAGES:
            raise MalformedAnswer(f"{self.name} ends its list not even after {MAX_PAGES:,} pages; tell the archive")
        if self._idle < (IDLE_TOKENS if known else IDLE_PAGES):
            return True
        if not self._promised or self._total < self._promised:
            raise MalformedAnswer(
                f"{self.name} goes on listing records that it listed before, without end, after {self._total:,}; "
                "what came was kept, and the list is begun again another night; tell the archive"
            )
        self._circles = True
        return False

    def remarks(self) -> Iterator[Remark | Unreadable]:
        """What is odd of a list that has ended."""
        if self._circles:
            yield Remark(
                self.name, f"its list of {self._total:,} records does not end where it should; tell the archive"
            )
        # completeListSize may be an estimate (OAI-PMH 2.0, 3.5), so a short list is told, and not fatal.
        if self._promised and self.count < self._promised:
            shortfall = f"its list ended after {self.count} of {self._promised} records"
            reason = f"{shortfall}; it is listed again, and believed when as many come"
            yield Unreadable(self.name, reason, breaks_list=True)

    @property
    def _total(self) -> int:
        return len(self._seen) + self._nameless
