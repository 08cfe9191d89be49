"""From a `record` element of OAI-PMH to a Record; called by `archive.py`, asks no server.

Descriptions in oai_dc are read as they are, those of other formats by their tables in `formats.py`.

Which element means what is a choice, since Dublin Core leaves it open:

- dc:publisher names the holder (Dublin Core: who makes the resource available), else a dc:source in words;
- pictures are the dc:identifier URLs with a picture's suffix, where there is none the dc:relation URLs, and where there
  is none either every URL in both, to be tried; thumbnails are never pictures;
- dc:contributor is an actor, alone or in a role.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element, tostring

from flows.archives.errors import BadRecord
from flows.archives.oai.formats import Format, Places, description_in
from flows.archives.oai.namespaces import DC, DC_TERMS, OAI, OAI_DC
from flows.archives.record import Derivatives, Record, Rights
from flows.archives.values.dates import years
from flows.archives.values.formats import FOREIGN_SUFFIXES, PICTURE_SUFFIXES, names_picture, plain, read_role
from flows.archives.values.moments import read_moment
from flows.archives.values.rights import Statement, decide

# https://www.dublincore.org/specifications/dublin-core/dcmi-type-vocabulary/: kinds of thing, never a genre.
DCMI_TYPES = {
    *("collection", "dataset", "event", "image", "interactiveresource", "movingimage", "physicalobject"),
    *("service", "software", "sound", "stillimage", "text"),
}
_THUMBNAIL = re.compile(r"(?:^|[/_.\-=])(?:th_image|thumb|thumbs|thumbnail|thumbnails)(?:[/_.\-]|$)", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:\s|[;,|、]\s*)+(?=https?://)")
"""Between two addresses in one element."""
_OF_RIGHTS = re.compile(r"right(?!s?holder)|licen[cs]e|copyright(?!holder)|useAndReproduction", re.IGNORECASE)
_URI = re.compile(r"https?://", re.IGNORECASE)
_PAGES = re.compile(r"(?:^|\.)(?:doi\.org|hdl\.handle\.net|n2t\.net|creativecommons\.org|rightsstatements\.org)$")
MOST_TRIED = 8
"""Addresses of one record that are tried, where none says that it is a picture's."""
_NOT_IN_DC = ("picture", "landing", "credit", "first", "last")
"""What other formats tell, and Dublin Core does not."""
ALL_SUFFIXES = (*PICTURE_SUFFIXES, *FOREIGN_SUFFIXES)
_CREDIT = re.compile(
    r"(?:credit(?: line)?|クレジット(?:表記)?|出典)\s*[:：]\s*(.+)"
    r"|((?:credit|courtesy|©|画像提供|提供[:：]|所蔵[:：]).+)",
    re.IGNORECASE,
)


def header_of(record: Element) -> tuple[str, datetime, bool]:
    """Identifier, datestamp and whether the record is deleted.

    Raises:
        BadRecord: one of them is missing or unreadable.
    """
    header = record.find(f"{OAI}header")
    identifier = _text(header, f"{OAI}identifier")
    if header is None or not identifier:
        raise BadRecord("its header has no identifier; tell the archive")
    return identifier, read_moment(_text(header, f"{OAI}datestamp"), "datestamp"), header.get("status") == "deleted"


def read_record(record: Element, base_url: str, genres: Collection[str]) -> Record:
    """Reads one record.

    Args:
        record: The element, header and all.
        base_url: What relative picture addresses are resolved against.
        genres: The values by which this archive names the genre that we look for.

    Raises:
        BadRecord: the header or the description is unusable.
    """
    identifier, datestamp, deleted = header_of(record)
    raw = _raw(record)
    if deleted:
        withdrawn = Rights(Derivatives.UNKNOWN, "deleted by the archive")
        return Record(identifier, datestamp, withdrawn, raw, deleted=True)
    described = description_in(record.find(f"{OAI}metadata"))
    if described is None:
        raise BadRecord("it holds no description in oai_dc, ESE, EDM, MODS or LIDO; tell the archive")
    description, form = described
    said = _Elements(description, form)
    dates = said.all("date") or _span(said)
    year_from, year_to = next((found for date in dates if (found := years(date)) != (None, None)), (None, None))
    holder = _holder(said)
    addresses = _addresses(said, base_url)
    return Record(
        identifier,
        datestamp,
        _rights(description, form),
        raw,
        title=said.first("title"),
        artists=tuple(name for name in said.all("creator") if form is None or not _is_web(name)),
        cast=tuple(read_role(text) for text in said.all("contributor")),
        date_text=next(iter(dates), ""),
        year_from=year_from,
        year_to=year_to,
        genre=_genre(said, genres),
        holder=holder,
        credit_line=_credit_line(said, holder, identifier),
        landing_url=addresses.landing_url,
        pictures=addresses.pictures,
        authorities=_authorities(said, description, form),
        remarks=addresses.remarks,
    )


def _authorities(said: "_Elements", description: Element, form: Format | None) -> tuple[tuple[str, str], ...]:
    """Of artists and actors, by the names that the record has for them."""
    people = {text: read_role(text).actor for text in said.all("contributor")} | {n: n for n in said.all("creator")}
    found = form.authorities(description) if form else ()
    return tuple((people[name], address) for name, address in found if name in people)


def _span(said: "_Elements") -> tuple[str, ...]:
    """A date that is given as its beginning and its end."""
    ends = dict.fromkeys(filter(None, (said.first("first"), said.first("last"))))
    return ("/".join(ends),) if ends else ()


def _rights(description: Element, form: Format | None) -> Rights:
    if form is None:
        return decide(_statements(description), "dc:rights")
    if not _in_places(form.of_pictures, description):
        return Rights(
            Derivatives.UNKNOWN, f"nothing in {form.of_pictures[0].path.strip('/')}, where rights of pictures stand"
        )
    return decide(
        Statement(text, f"element {place.path.strip('/')}")
        for place in form.rights
        for text in dict.fromkeys(place.texts(description))
    )


def _in_places(places: Places, description: Element) -> tuple[str, ...]:
    return tuple(text for place in places for text in place.texts(description))


def _statements(description: Element) -> Iterator[Statement]:
    """All that is said of rights, whatever the element is called, in its text or as an address in its attributes."""
    for element in description.iter():
        name = element.tag.rpartition("}")[2]
        if not _OF_RIGHTS.search(name):
            continue
        said_in = "dc:rights" if name == "rights" else f"element {name}"
        addresses = (value for value in element.attrib.values() if _URI.match(value))
        for text in (" ".join("".join(element.itertext()).split()), *addresses):
            if text:
                yield Statement(text, said_in)


class _Elements:
    """The texts of a description by element name, blanks left out, in order.

    Elements without a prefix, or with that of another vocabulary of Dublin Core, say the same.
    """

    def __init__(self, description: Element, form: Format | None = None) -> None:
        self._description, self._form = description, form

    def all(self, name: str) -> tuple[str, ...]:
        if self._form:
            return tuple(dict.fromkeys(_in_places(self._form.says.get(name, ()), self._description)))
        if name in _NOT_IN_DC:
            return ()
        tags = {f"{namespace}{name}" for namespace in (DC, DC_TERMS, OAI, OAI_DC, "")}
        found = (element for element in self._description if element.tag in tags)
        texts = (" ".join("".join(element.itertext()).split()) for element in found)
        return tuple(text for text in texts if text)

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")


def _text(parent: Element | None, name: str) -> str:
    return (parent.findtext(name) or "").strip() if parent is not None else ""


def _raw(record: Element) -> str:
    try:
        return tostring(record, encoding="unicode").strip()
    except RecursionError:
        raise BadRecord("its elements are nested too deeply to be a description; tell the archive") from None


def _genre(said: _Elements, genres: Collection[str]) -> str | None:
    wanted = {plain(genre) for genre in genres}
    types = said.all("type")
    for value in (*types, *said.all("subject")):
        if plain(value) in wanted:
            return value
    return next((value for value in types if not _is_dcmi_type(value)), None)


def _is_dcmi_type(value: str) -> bool:
    return plain(value).rpartition("/")[2].replace(" ", "") in DCMI_TYPES


def _holder(said: _Elements) -> str:
    names = (*said.all("publisher"), *said.all("source"))
    return next((name for name in names if not _is_web(name)), "")


def _credit_line(said: _Elements, holder: str, identifier: str) -> str:
    if said.first("credit"):
        return said.first("credit")
    for words in said.all("rights"):
        if found := _CREDIT.match(words):
            return found[1] or found[2]
    return f"{holder}, {identifier}" if holder else ""


@dataclass(frozen=True)
class _Addresses:
    """What the URLs of a record lead to."""

    pictures: tuple[str, ...]
    landing_url: str | None
    remarks: tuple[str, ...]


def _addresses(said: _Elements, base_url: str) -> _Addresses:
    values, more = said.all("identifier"), said.all("relation")
    named, related = _resolved(values, base_url), _resolved(more, base_url)
    shown = tuple(url for url in _resolved(said.all("picture"), base_url) if not _THUMBNAIL.search(url))
    certain = shown or _pictures(named) or _pictures(related)
    pictures = certain or tuple(url for url in dict.fromkeys((*named, *related)) if _may_be_picture(url))[:MOST_TRIED]
    pages = [*_resolved(said.all("landing"), base_url), *named]
    landing = (url for url in pages if not names_picture(url, ALL_SUFFIXES) and not _THUMBNAIL.search(url))
    foreign = [url for url in named if names_picture(url, FOREIGN_SUFFIXES) and url not in pictures]
    remarks = {
        "it names no picture": not pictures,
        "an element with several addresses is read as several": any(
            len(_ADDRESS.split(v)) > 1 for v in (*values, *more)
        ),
        "it names pictures of a format that is not taken": bool(foreign),
    }
    return _Addresses(pictures, next(landing, None), tuple(text for text, holds in remarks.items() if holds))


def _resolved(values: Iterable[str], base_url: str) -> list[str]:
    """The web addresses among the values; a path with a picture's suffix counts from the base URL."""
    parts = (part for value in values for part in _ADDRESS.split(value))
    urls = (urljoin(base_url, part) if "/" in part and names_picture(part) else part for part in parts)
    return list(dict.fromkeys(url for url in urls if _is_web(url)))


def _pictures(urls: Iterable[str]) -> tuple[str, ...]:
    return tuple(url for url in urls if names_picture(url) and not _THUMBNAIL.search(url))


def _may_be_picture(url: str) -> bool:
    """Its address does not say what it leads to; what only leads on to pages for people is not tried."""
    return not _THUMBNAIL.search(url) and not _PAGES.search(urlsplit(url).hostname or "")


def _is_web(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", text)
