"""An archive that speaks OAI-PMH 2.0 with oai_dc: windows, lists by resumption tokens, pictures beside.

`flows.harvest` opens it with a `PoliteClient`; `protocol` reads the answers, `dublin_core` the records.
Nothing is kept here: a window that breaks off is harvested again from its beginning.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Self
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from flows.addresses import shown
from flows.archives.errors import ArchiveUnavailable, BadRecord, MalformedAnswer, NotAnArchive, TooLarge
from flows.archives.limits import check_identifier, within_limits
from flows.archives.oai.dublin_core import OAI, read_record
from flows.archives.oai.protocol import Identity, TokenExpired, read_identity, read_page
from flows.archives.record import Access, Picture, Record, Unreadable, Validators, Window
from flows.archives.values.formats import looks_like_html, looks_like_picture
from flows.archives.web.client import PoliteClient

_NOTHING = Validators()
MAX_PAGES = 100_000
"""Answers in one list; at the usual 100 records each, ten million."""


class OaiPmhArchive:
    """Reads an archive's records over OAI-PMH; the client is its own, and closed with it.

    Args:
        base_url: As the operator gave it.
        name: The archive's name in the catalogue.
        client: Made with the same base URL as its home.
        genres: The dc:type or dc:subject values by which the archive names the genre that we look for.
    """

    kind = "oai-pmh"
    lists_everything = False

    @classmethod
    def open(cls, access: Access) -> Self:
        """With a polite client of its own; nothing is asked yet."""
        return cls(access.address, access.name, PoliteClient(access.manners, access.address), access.genres)

    def __init__(self, base_url: str, name: str, client: PoliteClient, genres: Collection[str] = ()) -> None:
        self.name = name
        self.address = shown(base_url)
        self._base_url = base_url
        self._client = client
        self._genres = tuple(genres)
        self._identity: Identity | None = None

    def close(self) -> None:
        """Releases connections."""
        self._client.close()

    def identify(self) -> Identity:
        """What the archive says of itself; asked once.

        Raises:
            NotAnArchive: something else answers.
        """
        if self._identity is None:
            self._identity = read_identity(self._ask({"verb": "Identify"}), shown(self._base_url))
        return self._identity

    def check(self) -> None:
        """Asks for its identity.

        Raises:
            NotAnArchive, MalformedAnswer: as `identify`.
        """
        self.identify()

    def names_deleted(self) -> bool:
        """Only where it keeps them for good: `transient` promises nothing, and an unknown word no more."""
        return self.identify().deleted_record == "persistent"

    def windows(self, since: datetime | None) -> Iterator[Window]:
        """One window, up to the archive's own time: our clock may be ahead of its.

        A time far in the future would leave nothing for every later harvest; no clock is wrong by more than a day.
        """
        latest = datetime.now(UTC) + timedelta(days=1)
        until = min(self.identify().response_date, latest)
        since = min(since, latest) if since else None
        yield Window(since, max(until, since) if since else until)

    def records(self, window: Window) -> Iterator[Record | Unreadable]:
        """Every record of the window; a list whose token expires is begun again, once."""
        try:
            yield from self._list(window)
        except TokenExpired:
            yield from self._list(window)

    def picture(self, reference: str, known: Validators = _NOTHING) -> Picture | None:
        """Fetches a picture, and takes nothing else for one."""
        answer = self._client.get(reference, limit=self._client.manners.max_bytes_picture, known=known)
        if answer is None:
            return None
        if not looks_like_picture(answer.data):
            what = "an HTML page" if looks_like_html(answer.data) else "of no picture format that we take"
            raise BadRecord(f"{shown(answer.url)} is {what} ({answer.content_type or 'no type'}); look at it yourself")
        return Picture(answer.data, answer.url, answer.validators)

    def _list(self, window: Window) -> Iterator[Record | Unreadable]:
        question = self._first_question(window)
        tokens: set[str] = set()
        promised, count = None, 0
        while question:
            page = read_page(self._ask(question), shown(self._base_url))
            for element in page.records:
                count += 1
                yield self._read(element, count)
            if page.token in tokens:
                raise MalformedAnswer(f"{self.name} repeats a resumption token without end; tell the archive")
            tokens.add(page.token)
            if len(tokens) > MAX_PAGES:
                raise MalformedAnswer(f"{self.name} ends its list not even after {MAX_PAGES:,} pages; tell the archive")
            promised = page.complete_size or promised
            question = {"verb": "ListRecords", "resumptionToken": page.token} if page.token else {}
        # completeListSize may be an estimate (OAI-PMH 2.0, 3.5), so a short list is told, and not fatal.
        if promised and count < promised:
            reason = f"its list ended after {count} of {promised} records; ask the archive"
            yield Unreadable(self.name, reason, breaks_list=True)

    def _read(self, element: Element, position: int) -> Record | Unreadable:
        try:
            return within_limits(read_record(element, self._base_url, self._genres))
        except BadRecord as error:
            return Unreadable(_identifier(element) or f"record {position} of {self.name}", str(error))

    def _first_question(self, window: Window) -> dict[str, str]:
        question = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
        granularity = self.identify().granularity
        # A list of everything has no end: a record that changes while it is read would be taken for one that is gone.
        until = window.until if window.start else None
        for name, moment in (("from", window.start), ("until", until)):
            if moment is not None:
                question[name] = moment.astimezone(UTC).strftime(granularity)
        return question

    def _ask(self, question: dict[str, str]) -> bytes:
        """The body of an answer to one request.

        Raises:
            NotAnArchive: nothing lies at the base URL.
            MalformedAnswer: the answer passes the size limit.
        """
        url = f"{self._base_url}{'&' if '?' in self._base_url else '?'}{urlencode(question)}"
        try:
            answer = self._client.get(url, limit=self._client.manners.max_bytes_text)
        except TooLarge as error:
            raise MalformedAnswer(str(error)) from None
        except BadRecord as error:
            raise NotAnArchive(f"{error}; give the base URL of an OAI-PMH interface") from None
        data = answer.data if answer else b""
        if self._identity and looks_like_html(data):
            raise ArchiveUnavailable(f"{shown(url)} answers an HTML page in the middle of the list; try again later")
        return data


def _identifier(element: Element) -> str:
    """What the header says, where the rest of the record cannot be read; empty where that is unusable too."""
    identifier = (element.findtext(f"{OAI}header/{OAI}identifier") or "").strip()
    try:
        check_identifier(identifier)
    except BadRecord:
        return ""
    return identifier
