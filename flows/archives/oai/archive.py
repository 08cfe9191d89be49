"""An archive that speaks OAI-PMH 2.0 with oai_dc: windows, lists by resumption tokens, pictures beside.

`flows.harvest` opens it with a `PoliteClient`; `protocol` reads the answers, `dublin_core` the records.
Nothing is kept here: a window that breaks off is harvested again from its beginning.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Self
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, tostring

from flows.addresses import shown
from flows.archives.errors import ArchiveUnavailable, BadRecord, MalformedAnswer, NotAnArchive, TooLarge
from flows.archives.limits import check_identifier, within_limits
from flows.archives.oai.dublin_core import read_record
from flows.archives.oai.namespaces import OAI
from flows.archives.oai.progress import ListProgress
from flows.archives.oai.protocol import BadDates, Identity, TokenExpired, read_identity, read_page
from flows.archives.oai.salvage import Torn
from flows.archives.record import Access, Picture, Record, Remark, Unreadable, Validators, Window
from flows.archives.values.formats import looks_like_html
from flows.archives.web.client import Answer, PoliteClient
from flows.archives.web.pictures import fetch_picture

_NOTHING = Validators()
MOST_RAW_BYTES = 2**20
"""Kept of a record that cannot be read."""
ODD_CLOCK = timedelta(minutes=10)
"""A clock that differs more from ours is told."""


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
        self._ahead = timedelta()

    def close(self) -> None:
        """Releases connections."""
        self._client.close()

    def identify(self) -> Identity:
        """What the archive says of itself; asked once.

        Raises:
            NotAnArchive: something else answers.
        """
        if self._identity is None:
            answer = self._ask({"verb": "Identify"})
            clock, ours = answer.date, datetime.now(UTC)
            identity = read_identity(answer.data, shown(self._base_url), clock or ours)
            self._ahead = identity.response_date - ours
            self._identity = replace(identity, remarks=(*identity.remarks, *_clock_remark(self._ahead)))
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
        """One window, up to the earlier of the archive's time and ours, whichever clock is wrong.

        What the archive dates by the other of the two lies in the next window then.
        """
        until = min(self.identify().response_date, datetime.now(UTC))
        yield Window(since and min(since, until), until)

    def records(self, window: Window) -> Iterator[Record | Unreadable | Remark]:
        """Every record of the window; a list whose token expires is begun again, once.

        Of an archive that does not accept the dates of a window everything is listed.

        Raises:
            MalformedAnswer, ArchiveUnavailable: the list cannot be read to its end; what came before is sound.
        """
        yield from (Remark(self.name, remark) for remark in self.identify().remarks)
        try:
            yield from self._list(window)
        except TokenExpired:
            yield from self._list(window)
        except BadDates as error:
            if window.start is None:
                raise
            yield Remark(self.name, f"everything is listed, since it does not accept dates ({error})")
            yield from self._list(Window())

    def picture(self, reference: str, known: Validators = _NOTHING) -> Picture | None:
        """Fetches a picture, and takes nothing else for one."""
        return fetch_picture(self._client, reference, known)

    def _list(self, window: Window) -> Iterator[Record | Unreadable | Remark]:
        question = self._first_question(window)
        progress = ListProgress(self.name)
        while question:
            page = read_page(self._ask(question).data, shown(self._base_url))
            yield from (Remark(self.name, remark) for remark in page.remarks)
            for element in page.records:
                progress.count += 1
                found = self._read(element, progress.count)
                progress.add(_identifier(element))
                yield found
                if isinstance(found, Record):
                    yield from (Remark(found.identifier, remark) for remark in found.remarks)
            if page.broken_off and not page.token:
                raise ArchiveUnavailable(f"{self.name} broke off in the middle of its list; try again later")
            question = {"verb": "ListRecords", "resumptionToken": page.token} if progress.goes_on(page) else {}
        yield from progress.remarks()

    def _read(self, element: Element | Torn, position: int) -> Record | Unreadable:
        identifier = _identifier(element)
        name, nameless = identifier or f"record {position} of {self.name}", not identifier
        if isinstance(element, Torn):
            return Unreadable(name, element.reason, breaks_list=nameless, raw=element.raw[:MOST_RAW_BYTES])
        try:
            return within_limits(read_record(element, self._base_url, self._genres))
        except BadRecord as error:
            return Unreadable(name, str(error), breaks_list=nameless, raw=_raw(element))

    def _first_question(self, window: Window) -> dict[str, str]:
        question = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
        granularity = self.identify().granularity
        # A list of everything has no end: a record that changes while it is read would be taken for one that is gone.
        # Nor has one by a wrong clock, for nobody knows by which the records are dated.
        until = window.until if window.start and abs(self._ahead) < ODD_CLOCK else None
        for name, moment in (("from", window.start), ("until", until)):
            if moment is not None:
                question[name] = moment.astimezone(UTC).strftime(granularity)
        return question

    def _ask(self, question: dict[str, str]) -> Answer:
        """The answer to one request.

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
        assert answer is not None  # nothing was said of a version that is known
        if self._identity and looks_like_html(answer.data):
            raise ArchiveUnavailable(f"{shown(url)} answers an HTML page in the middle of the list; try again later")
        return answer


def _clock_remark(ahead: timedelta) -> Iterator[str]:
    if abs(ahead) < ODD_CLOCK:
        return
    seconds = abs(ahead).total_seconds()
    size = f"{seconds / 86400:.0f} days" if seconds > 2 * 86400 else f"{seconds / 3600:.1f} hours"
    where = "ahead of" if ahead > timedelta() else "behind"
    yield f"its clock is {size} {where} ours; windows end at the earlier of the two, so that nothing is missed"


def _identifier(element: Element | Torn) -> str:
    """What the header says, where the rest of the record cannot be read; empty where that is unusable too."""
    said = element.identifier if isinstance(element, Torn) else element.findtext(f"{OAI}header/{OAI}identifier")
    identifier = (said or "").strip()
    try:
        check_identifier(identifier)
    except BadRecord:
        return ""
    return identifier


def _raw(element: Element) -> bytes:
    try:
        return tostring(element)[:MOST_RAW_BYTES]
    except RecursionError:
        return b""
