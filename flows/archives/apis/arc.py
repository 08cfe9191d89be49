"""The Ukiyo-e Portal of the Art Research Center, Ritsumeikan University: lists of captions with pictures, read as told.

No page of the portal was at hand when this was written: addresses, parameters and selectors are data (`ArcOptions`),
made from what others report of it, and a page in which they find nothing is an error, never an empty list. The portal
wants to be asked seldom: five seconds at least lie between two requests, and a 429 or 403 ends the harvest.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Self
from urllib.parse import urlencode, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from soupsieve import SelectorSyntaxError

from flows.addresses import shown
from flows.archives.apis.captions import Person, read_caption
from flows.archives.errors import ArchiveRefused, ArchiveUnavailable, BadRecord, MalformedAnswer, NotAnArchive
from flows.archives.iiif.labels import field_of
from flows.archives.limits import within_limits
from flows.archives.options import ArcOptions, Markup
from flows.archives.record import (
    UNDATED,
    Access,
    Derivatives,
    Picture,
    Record,
    Remark,
    Rights,
    Role,
    Unreadable,
    Validators,
    Window,
)
from flows.archives.values.dates import years
from flows.archives.values.rights import Statement, decide
from flows.archives.web.client import PoliteClient
from flows.archives.web.pictures import fetch_picture

LEAST_PACE_S: Final = 5.0
"""A fetch every 1.5 s had an address shut out for six days."""
MOST_PAGES: Final = 10_000
SHORT_PAGES: Final = 3
"""Times that a page is asked for that is not full, until it comes twice alike."""
OWN: Final = "Art Research Center, Ritsumeikan University"
TERMS: Final = (
    "Terms of use of the Art Research Center (www.arc.ritsumei.ac.jp/e/database/guide.html): cropping and trimming, "
    "and no other editing or processing, without written permission."
)
OTHERS_TERMS: Final = "The portal shows pictures of many holders, and each one's own terms hold; it does not say them."
_NOTHING = Validators()


@dataclass(frozen=True)
class Hit:
    """One result of a list, as it stands on the page."""

    caption: str
    picture: str = ""
    """Absolute URL; empty where there is none."""
    page: str = ""
    """Its page for people."""
    said: Mapping[str, str] = field(default_factory=dict)
    """What stands in labelled fields beside the caption, by field (`flows.archives.iiif.labels`)."""


class ArcArchive:
    """Reads the portal's lists, page by page; every harvest lists all that the query finds."""

    kind = "arc"
    lists_everything = False
    asks_each = False

    @classmethod
    def open(cls, access: Access) -> Self:
        """With a polite client of its own, slower than 5 s a request on no host but this machine."""
        options = access.options if isinstance(access.options, ArcOptions) else ArcOptions()
        manners = access.manners
        if urlsplit(access.address).hostname not in ("127.0.0.1", "localhost", "::1"):
            manners = replace(manners, pace_s=max(LEAST_PACE_S, manners.pace_s or 0.0))
        return cls(access.address, access.name, PoliteClient(manners, access.address), options)

    def __init__(self, base_url: str, name: str, client: PoliteClient, options: ArcOptions) -> None:
        self.name = name
        self.address = shown(base_url)
        self._list_url = urljoin(f"{base_url.rstrip('/')}/", options.list_path)
        self._client = client
        self._options = options

    def close(self) -> None:
        """Releases connections."""
        self._client.close()

    def check(self) -> None:
        """Asks for the first result.

        Raises:
            NotAnArchive: the page holds none.
        """
        try:
            hits = self._asked(0, 1)
        except MalformedAnswer as error:
            raise NotAnArchive(str(error)) from None
        if not hits:
            raise NotAnArchive(f"{self.address} finds nothing; check `query` in the archive's table")

    def names_deleted(self) -> bool:
        """Never: what a list names no more is gone."""
        return False

    def windows(self, since: datetime | None) -> Iterator[Window]:  # noqa: ARG002
        """One, of everything, since nothing is dated."""
        yield Window(None, datetime.now(UTC))

    def records(self, window: Window) -> Iterator[Record | Unreadable | Remark]:  # noqa: ARG002
        """Every result of the query, each once.

        Raises:
            MalformedAnswer: a first page in which the selectors find nothing.
            ArchiveRefused, ArchiveUnavailable: the portal does not want to be asked any more; the next night goes on.
        """
        known: set[str] = set()
        for number in range(MOST_PAGES):
            hits = self._page(number, self._options.page_size)
            found = (self._read(hit, f"{number + 1}.{place + 1}") for place, hit in enumerate(hits))
            new = {each.identifier: each for each in found if each.identifier not in known}
            known |= new.keys()
            for each in new.values():
                yield each
                if isinstance(each, Record):
                    yield from (Remark(each.identifier, remark) for remark in each.remarks)
            if len(hits) < self._options.page_size:
                return
            if not new:
                yield Remark(self.name, f"page {number + 1} of its list repeats what came before; the list ends there")
                return

    def picture(self, reference: str, known: Validators = _NOTHING) -> Picture | None:
        """Fetches a picture, and takes nothing else for one; a page in its place is a host that is busy."""
        return fetch_picture(self._client, reference, known)

    def _page(self, number: int, size: int) -> list[Hit]:
        """One page of the list; one that is not full is the last, or came broken, and is believed when it comes again.

        Raises:
            ArchiveUnavailable: nothing can be read of a further page. MalformedAnswer, NotAnArchive: of the first.
        """
        seen = list[list[Hit]]()
        for left in reversed(range(SHORT_PAGES)):
            try:
                hits = self._asked(number, size)
            except MalformedAnswer as error:
                if left:
                    continue
                raise (ArchiveUnavailable(f"{error}, or try again later") if number else error) from None
            if len(hits) >= size or hits in seen:
                return hits
            seen.append(hits)
        raise ArchiveUnavailable(f"{self.name} answers page {number + 1} of its list differently every time")

    def _asked(self, number: int, size: int) -> list[Hit]:
        """One answer.

        Raises:
            NotAnArchive: nothing lies there.
            MalformedAnswer: nothing is found in it, and it does not say that there is nothing.
        """
        options = self._options
        paging = {options.size_parameter: str(size), options.page_parameter: str(number)}
        url = f"{self._list_url}?{urlencode([*options.query.items(), *paging.items()])}"
        try:
            answer = self._client.get(url, limit=self._client.manners.max_bytes_text)
        except ArchiveRefused as error:
            raise ArchiveRefused(f"{error}. The portal shuts out whoever asks on: wait, and write to ARC") from None
        except BadRecord as error:
            raise NotAnArchive(f"{error}; check `list_path`") from None
        assert answer is not None  # nothing was said of a version that is known
        hits = read_hits(answer.data, answer.url, options.markup)
        if not hits and options.markup.nothing_found.encode() not in answer.data:
            raise MalformedAnswer(
                f"{shown(answer.url)} was read and nothing was found in it: the page is not as `markup` says "
                f"(items by {options.markup.item!r}); look at its source and correct the selectors in nishiki.toml"
            )
        return hits

    def _read(self, hit: Hit, place: str) -> Record | Unreadable:
        caption = read_caption(hit.caption)
        raw = json.dumps({name: value for name, value in vars(hit).items() if value}, ensure_ascii=False)
        if not caption.accession:
            reason = f"its caption begins with no accession number ({hit.caption[:80]!r})"
            return Unreadable(f"result {place} of {self.name}", reason, breaks_list=True, raw=raw.encode())
        host = urlsplit(hit.picture).hostname or ""
        own = host in self._options.own_hosts and any(part in hit.picture for part in self._options.own_paths)
        said = hit.said
        from_label = years(said.get("date", ""))
        holder = OWN if own else said.get("holder", "")
        record = Record(
            caption.accession,
            UNDATED,
            _rights(said.get("rights", ""), own=own),
            raw,
            title=" ".join(caption.titles),
            artists=tuple(map(_named, caption.artists)),
            cast=tuple(Role(actor.role or "", _named(actor)) for actor in caption.actors),
            date_text=said.get("date") or caption.date_text or "",
            year_from=caption.first_year or caption.last_year or from_label[0],
            year_to=caption.last_year or caption.first_year or from_label[1],
            genre=said.get("genre", self._options.genre_found) or None,
            holder=holder,
            credit_line=f"{holder}, {caption.accession}" if holder else "",
            landing_url=hit.page or None,
            pictures=(hit.picture,) if hit.picture else (),
            remarks=() if hit.picture else ("it shows no picture",),
        )
        try:
            return within_limits(record)
        except BadRecord as error:
            return Unreadable(f"result {place} of {self.name}", str(error), breaks_list=True, raw=raw.encode())


def read_hits(data: bytes, address: str, markup: Markup) -> list[Hit]:
    """The results on a page.

    Raises:
        MalformedAnswer: a selector cannot be used.
    """
    page = BeautifulSoup(data, "html.parser")
    try:
        hits = [_hit(item, address, markup) for item in page.select(markup.item)]
    except (SelectorSyntaxError, RecursionError) as error:
        raise MalformedAnswer(
            f"{shown(address)} cannot be read by `markup` ({type(error).__name__}: {error})"
        ) from None
    return [hit for hit in hits if hit.caption]


def _hit(item: Tag, address: str, markup: Markup) -> Hit:
    said = dict[str, str]()
    for name, text in _said(item, markup.label):
        before = said.get(name, "")
        said[name] = f"{before}\n{text}" if name == "rights" else before or text
    return Hit(
        " ".join(_value(item, markup.caption).split()),
        _joined(address, _value(item, markup.picture)).replace(*markup.large, 1),
        _joined(address, _value(item, markup.page)),
        said,
    )


def _said(item: Tag, selector: str) -> Iterator[tuple[str, str]]:
    """Labels that are understood, and what follows them; all that is labelled is taken out, being no caption."""
    for label in item.select(selector):
        value = label.find_next_sibling()
        name = field_of(label.get_text(" ").strip())
        if value is not None and name:
            yield name, " ".join(value.get_text(" ").split())
        for each in filter(None, (label, value)):
            each.extract()


def _rights(said: str, *, own: bool) -> Rights:
    """Of ARC's own pictures its terms hold, whatever stands beside them."""
    if own:
        return Rights(Derivatives.NO, TERMS, text=TERMS)
    if not said:
        return Rights(Derivatives.UNKNOWN, OTHERS_TERMS)
    return decide([Statement(said, "what stands beside its caption")])


def _value(item: Tag, selector: str) -> str:
    """The text of what `css` selects in an item, or an attribute of it (`css@attribute`); no css is the item itself."""
    css, _, attribute = selector.partition("@")
    found = item.select_one(css) if css else item
    if found is None:
        return ""
    if not attribute:
        return found.get_text(" ")
    said = found.get(attribute)
    return said if isinstance(said, str) else ""


def _joined(address: str, reference: str) -> str:
    """An absolute web address, or nothing: `/` and scripts lead to no picture."""
    try:
        url = urljoin(address, reference.strip().removeprefix("%20"))
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if reference.strip("/ ") and parts.scheme in ("http", "https") else ""


def _named(person: Person) -> str:
    return f"{person.name}〈{person.generation}〉" if person.generation else person.name
