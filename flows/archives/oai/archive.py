"""An archive that speaks OAI-PMH 2.0: windows, lists by resumption tokens, one for each set, pictures beside.

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
from flows.archives.oai.protocol import (
    BadDates,
    BrokenXml,
    Identity,
    Page,
    TokenExpired,
    read_identity,
    read_page,
    read_prefixes,
)
from flows.archives.oai.salvage import Torn
from flows.archives.options import OaiOptions
from flows.archives.record import Access, Picture, Record, Remark, Unreadable, Validators, Window
from flows.archives.values.formats import looks_like_html
from flows.archives.web.client import Answer, PoliteClient
from flows.archives.web.pictures import fetch_picture

_NOTHING = Validators()
MOST_RAW_BYTES = 2**20
"""Kept of a record that cannot be read."""
BROKEN_ANSWERS = 3
"""Answers in a row to one question that break off, after which it is left for later."""
_EVERYTHING = OaiOptions()
ODD_CLOCK = timedelta(minutes=10)
"""A clock that differs more from ours is told."""


class PageForPeople(ArchiveUnavailable):
    """What came in the middle of a list is no answer to it."""


class OaiPmhArchive:
    """Reads an archive's records over OAI-PMH; the client is its own, and closed with it.

    Args:
        base_url: As the operator gave it.
        name: The archive's name in the catalogue.
        client: Made with the same base URL as its home.
        genres: The dc:type or dc:subject values by which the archive names the genre that we look for.
        options: The sets that are read, and the forms of description.
    """

    kind = "oai-pmh"
    lists_everything = False
    asks_each = False

    @classmethod
    def open(cls, access: Access) -> Self:
        """With a polite client of its own; nothing is asked yet."""
        options = access.options if isinstance(access.options, OaiOptions) else OaiOptions()
        return cls(access.address, access.name, PoliteClient(access.manners, access.address), access.genres, options)

    def __init__(
        self,
        base_url: str,
        name: str,
        client: PoliteClient,
        genres: Collection[str] = (),
        options: OaiOptions = _EVERYTHING,
    ) -> None:
        self.name = name
        self.address = shown(base_url)
        self._base_url = base_url
        self._client = client
        self._genres = tuple(genres)
        self._sets = options.sets
        self._prefixes = options.metadata_prefixes
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
        """Only where it keeps them for good: `transient` promises nothing, and an unknown word no more.

        Of a record that left a set nothing is told either way.
        """
        return self.identify().deleted_record == "persistent" and not self._sets

    def windows(self, since: datetime | None) -> Iterator[Window]:
        """One window, up to the earlier of the archive's time and ours, whichever clock is wrong.

        What the archive dates by the other of the two lies in the next window then.
        """
        until = min(self.identify().response_date, datetime.now(UTC))
        yield Window(since and min(since, until), until)

    def records(self, window: Window) -> Iterator[Record | Unreadable | Remark]:
        """Every record of the window, set by set; a list whose token expires is begun again, once.

        Of an archive that does not accept the dates of a window everything is listed.

        Raises:
            MalformedAnswer, ArchiveUnavailable: the list cannot be read to its end; what came before is sound.
        """
        yield from (Remark(self.name, remark) for remark in self.identify().remarks)
        prefix = self._prefix()
        if not self._sets:
            yield from self._listed(window, {"metadataPrefix": prefix})
        told: set[str] = set()
        for each in self._sets:
            empty = True
            for found in self._listed(window, {"metadataPrefix": prefix, "set": each}):
                empty = empty and isinstance(found, Remark)
                if isinstance(found, Record):
                    if found.identifier in told:  # it lies in another set, too
                        continue
                    told.add(found.identifier)
                yield found
            if window.start is None and empty:
                reason = f"its set {each} holds no record; check the archive's `sets` in nishiki.toml"
                yield Unreadable(self.name, reason, breaks_list=True)

    def picture(self, reference: str, known: Validators = _NOTHING) -> Picture | None:
        """Fetches a picture, and takes nothing else for one."""
        return fetch_picture(self._client, reference, known)

    def _prefix(self) -> str:
        """The first of the forms of description that the archive offers; where there is one it is not asked.

        Raises:
            NotAnArchive: it offers none of them.
        """
        if len(self._prefixes) == 1:
            return self._prefixes[0]
        offered = read_prefixes(self._ask({"verb": "ListMetadataFormats"}).data, shown(self._base_url))
        for prefix in self._prefixes:
            if prefix in offered:
                return prefix
        raise NotAnArchive(
            f"{self.name} offers none of its metadata_prefixes, but {', '.join(offered) or 'nothing'}; name one of them"
        )

    def _listed(self, window: Window, question: dict[str, str]) -> Iterator[Record | Unreadable | Remark]:
        """A list, from its beginning once more where its token expires or the dates are refused."""
        try:
            yield from self._list(window, question)
        except TokenExpired:
            yield from self._list(window, question)
        except BadDates as error:
            if window.start is None:
                raise
            yield Remark(self.name, f"everything is listed, since it does not accept dates ({error})")
            yield from self._list(Window(), question)

    def _list(self, window: Window, asked: dict[str, str]) -> Iterator[Record | Unreadable | Remark]:
        question = {"verb": "ListRecords", **asked, **self._dates(window)}
        progress = ListProgress(self.name)
        while question:
            page = self._page(question)
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

    def _page(self, question: dict[str, str]) -> Page:
        """One answer of a list, asked for again where it breaks off or is a page for people.

        A token may be asked for again (OAI-PMH 2.0, 3.5.1).
        """
        for left in reversed(range(BROKEN_ANSWERS)):
            try:
                page = read_page(self._ask(question).data, shown(self._base_url))
            except (PageForPeople, BrokenXml):
                if not left:
                    raise
            else:
                if not left or not (page.broken_off and not page.token):
                    return page
        raise AssertionError("the last try returns or raises")

    def _dates(self, window: Window) -> dict[str, str]:
        question: dict[str, str] = {}
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
            raise PageForPeople(f"{shown(url)} answers an HTML page in the middle of the list; try again later")
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
