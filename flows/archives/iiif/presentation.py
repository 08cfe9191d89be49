"""Manifests and collections of the IIIF Presentation API 2.0, 2.1 and 3.0, as records and lists of addresses.

Pure: JSON in, entries out; asks nobody. The client (`archive.py`) gives what it fetched, and the address whence.
Specifications: iiif.io/api/presentation/2.1 and /3.0.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit

from bs4 import BeautifulSoup

from flows.archives.errors import BadRecord, IsStream, MalformedAnswer, NotAnArchive
from flows.archives.iiif.images import picture_address
from flows.archives.iiif.labels import FIELDS, field_of
from flows.archives.limits import LONGEST_TEXT, check_identifier
from flows.archives.record import UNDATED, Record, Rights, Role
from flows.archives.values.authorities import authority
from flows.archives.values.dates import years
from flows.archives.values.formats import plain, read_role
from flows.archives.values.rights import Statement, decide
from flows.archives.web.json_answers import Json, clean, object_at, raw_text, text_at

MOST_RAW: Final = 2**20
"""Characters of a manifest that are kept whole; of a longer one its pages are left out."""
MOST_PICTURES: Final = 100
"""Of one record: a print has one or a few, a book hundreds that are no prints."""
_LANGUAGES: Final = ("ja", "none", "@none", "en")
_SPEAKS_OF_RIGHTS: Final = re.compile(
    r"©|copyright|rights|licen[cs]e|permission|permitted|reuse|re-use|creative ?commons|public domain"
    r"|derivati|commercial|modif|adapt|alter|colou?ri[sz]|\b(?:no|not|only)\b|\bcc[ -]?(?:by|0)"
    r"|権|許|禁|転載|利用|使用|複製|改変|加工|営利|不可|パブリック",
    re.IGNORECASE,
)
_SEVERAL: Final = re.compile(r"\s*[;；、\n]\s*")
_LICENCE: Final = re.compile(
    r"href\s*=\s*[\"']?\s*(https?://(?:www\.)?(?:creativecommons|rightsstatements)\.org/[^\s\"'>]+)", re.IGNORECASE
)
"""A licence behind a link. Other links in a credit lead to pages of the museum."""
_MEMBERS: Final = {"manifests": "manifest", "collections": "collection", "members": "", "items": ""}
"""Where a collection names what it holds, and the kind of what is named there without one."""
_PEOPLE: Final = {"artist", "cast", "actor"}
_PAGES: Final = ("items", "sequences", "structures", "annotations", "thumbnail")


@dataclass(frozen=True)
class Members:
    """What a collection names, and where it goes on."""

    manifests: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    """Its own collections, and its further pages."""
    nameless: int = 0
    """Entries without an address."""


def is_manifest(value: Json) -> bool:
    """Is it one? Otherwise it is a collection.

    Raises:
        NotAnArchive: it is neither. IsStream: it is a stream of changes.
    """
    kind = _kind(value)
    if kind in ("manifest", "collection", "collectionpage"):
        return kind == "manifest"
    if kind == "orderedcollection":
        raise IsStream("it is a stream of changes, which the protocol iiif-change reads")
    said = f"its type is {kind!r}" if kind else "it states no type"
    raise NotAnArchive(f"it is neither a IIIF manifest nor a collection ({said}); give the address of one")


def read_members(value: Json, address: str) -> Members:
    """The members of a collection.

    Raises:
        MalformedAnswer: it is not written as the specification has it.
    """
    try:
        pages = [each for name in ("first", "next") for each in _addresses_of(_at(value, name), address)]
        listed = [(each, _kind(each) or _MEMBERS[name]) for name in _MEMBERS for each in _listed(value, name)]
    except BadRecord as error:
        raise MalformedAnswer(f"the collection {address}: {error}") from None
    inside = [read_members(each, address) for each, _ in listed if _is_written_out(each)]
    found = [(kind, next(iter(_addresses_of(each, address)), "")) for each, kind in listed if not _is_written_out(each)]
    manifests = [url for kind, url in found if url and kind != "collection"]
    collections = [*pages, *(url for kind, url in found if url and kind == "collection")]
    return Members(
        tuple(dict.fromkeys([*manifests, *(url for each in inside for url in each.manifests)])),
        tuple(dict.fromkeys([*collections, *(url for each in inside for url in each.collections)])),
        sum(not url for _, url in found) + sum(each.nameless for each in inside),
    )


def manifests_within(value: Json) -> Iterator[Json]:
    """The manifests that stand whole in a collection, or in one that stands whole in it."""
    for name in _MEMBERS:
        for each in _listed(value, name):
            if _kind(each) == "manifest" and any(_at(each, pages) for pages in ("items", "sequences")):
                yield each
            elif _kind(each) == "collection":
                yield from manifests_within(each)


def _is_written_out(entry: Json) -> bool:
    """Is it a collection that stands whole where it is named, as version 2 allows? Its address need not answer."""
    return _kind(entry) == "collection" and any(_at(entry, name) for name in _MEMBERS)


def read_manifest(
    value: Json, address: str, genres: Collection[str] = (), changed: datetime = UNDATED, name: str = ""
) -> Record:
    """A manifest as a record.

    Args:
        value: the manifest.
        address: whence; what relative addresses are resolved against, and its name where it states none.
        genres: by which the archive names the genre that we look for.
        changed: when it changed, aware UTC, where that is known.
        name: what it is listed as, where that is known.

    Raises:
        BadRecord: it is no manifest, or unusable.
    """
    if _kind(value) != "manifest":
        raise BadRecord(f"it is no IIIF manifest; its type is {_kind(value) or 'not stated'}")
    identifier = name or next(iter(_addresses_of(value, address)), "") or address
    check_identifier(identifier)
    said = _metadata(value)
    canvases = list(_canvases(value))
    found = dict.fromkeys(each[0] for canvas in canvases for each in _pictures(canvas, address))
    pictures = tuple(found)[:MOST_PICTURES]
    date_text = next(iter(said["date"]), "") or text_at(value, "navDate")
    year_from, year_to = next((both for each in said["date"] if (both := years(each)) != (None, None)), (None, None))
    holder = next(iter([*said["holder"], *_providers(value)]), "")
    number = next(iter(said["number"]), "")
    artists = tuple(_parts(said["artist"]))
    cast = tuple(_cast(*(_parts(said[name]) for name in ("cast", "role", "actor"))))
    return Record(
        identifier,
        changed,
        _rights(value, canvases, said["rights"]),
        _raw(value),
        title=" ".join(words(_at(value, "label"))[:1]) or next(iter(said["title"]), ""),
        artists=artists,
        cast=cast,
        date_text=date_text,
        year_from=year_from if said["date"] else _year(date_text),
        year_to=year_to if said["date"] else _year(date_text),
        genre=_genre(said["genre"], genres),
        holder=holder,
        credit_line=_credit(value, said["credit"]) or ", ".join(filter(None, [holder, number])),
        landing_url=next(iter(_landings(value, address)), None),
        pictures=pictures,
        authorities=tuple(_authorities(value, {*artists, *(role.actor for role in cast)})),
        remarks=tuple(_remarks(value, len(found), pictures)),
    )


def picture_addresses(value: Json, base: str) -> list[tuple[str, ...]]:
    """Of each picture of a manifest the addresses by which it goes, the one to ask first."""
    found = {each[0]: each for canvas in _canvases(value) for each in _pictures(canvas, base)}
    return list(found.values())[:MOST_PICTURES]


def words(value: Json) -> tuple[str, ...]:
    """Texts without markup, of a string, a value with a language, a list or a language map: Japanese before others."""
    if isinstance(value, str):
        text = BeautifulSoup(value, "html.parser").get_text(" ") if "<" in value else unescape(value)
        return tuple(filter(None, [" ".join(clean(text).split())]))
    if isinstance(value, list):
        by_language = {
            language: words_in for each in value if (words_in := words(each)) for language in _language(each)
        }
        preferred = next((by_language[each] for each in _LANGUAGES if each in by_language), None)
        return preferred or tuple(text for each in value for text in words(each))
    if not isinstance(value, dict):
        return ()
    if "@value" in value:
        return words(value["@value"])
    languages = [*_LANGUAGES, *value]
    chosen = next((value[each] for each in languages if isinstance(value.get(each), list | str)), None)
    return tuple(text for each in (chosen if isinstance(chosen, list) else [chosen]) for text in words(each))


def _language(value: Json) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(language := value.get("@language"), str):
        yield language.partition("-")[0].lower()


def _kind(value: Json) -> str:
    """Its type in lower case without prefix; empty where it states none."""
    found = object_at({"it": value}, "it") if isinstance(value, dict) else {}
    kind = found.get("type", found.get("@type"))
    return str(kind).rpartition(":")[2].lower() if isinstance(kind, str) else ""


def _at(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, dict) else None


def _listed(value: Json, name: str) -> list[Json]:
    """A list there, or the one thing in its place."""
    found = _at(value, name)
    return found if isinstance(found, list) else [] if found is None else [found]


def _addresses_of(value: Json, base: str) -> list[str]:
    """The web addresses by which things there go: a text, an object's id, or several of them."""
    several = value if isinstance(value, list) else [value]
    said = [(each.get("id", each.get("@id")) if isinstance(each, dict) else each) for each in several]
    urls = (joined(base, each) for each in said if isinstance(each, str))
    return [url for url in urls if url]


def joined(base: str, address: str) -> str:
    """An address on the web as seen from another, without a fragment; empty where it is none."""
    try:
        url = urldefrag(urljoin(base, clean(address))).url if clean(address) else ""
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", url)
    except ValueError:
        return ""
    return url if fits else ""


def _metadata(value: Json) -> dict[str, list[str]]:
    """What the pairs say, by field."""
    said: dict[str, list[str]] = {field: [] for field in FIELDS}
    for field, inside in _pairs(value):
        said[field] += _in_full(inside) if field == "rights" else words(inside)
    return said


def _pairs(value: Json) -> Iterator[tuple[str, Json]]:
    """(field, value) of what is known by its label."""
    for pair in _listed(value, "metadata"):
        for field in dict.fromkeys(filter(None, map(field_of, _every_word(_at(pair, "label"))))):
            yield field, _at(pair, "value")


def _authorities(value: Json, people: set[str]) -> Iterator[tuple[str, str]]:
    """(name, address) of each link around the name of one of these people."""
    texts = (text for field, inside in _pairs(value) if field in _PEOPLE for text in _every_word(inside))
    for said, address in dict.fromkeys(link for text in texts for link in _links(text)):
        name = said if said in people else read_role(said).actor
        if name and name in people:
            yield name, address


def _links(text: str) -> Iterator[tuple[str, str]]:
    """(text, address) of the links to authority files; one with others in it surrounds nobody's name alone."""
    if "<" not in text or len(text) > LONGEST_TEXT:  # links in links without end would be looked into over and over
        return
    for link in BeautifulSoup(text, "html.parser").find_all("a", href=True):
        address = authority(str(link["href"]))
        if address and not link.find("a"):
            yield " ".join(clean(link.get_text(" ")).split()), address


def _parts(values: list[str]) -> list[str]:
    return [part for each in values for part in _SEVERAL.split(each) if part]


def _cast(both: list[str], roles: list[str], actors: list[str]) -> Iterator[Role]:
    """Who plays what: written in one, or, as many roles as actors, side by side; else each alone."""
    yield from map(read_role, both)
    if len(roles) == len(actors):
        yield from map(Role, roles, actors)
        return
    yield from map(read_role, actors)
    yield from (read_role(role) if re.search(r"[/／:：〈]", role) else Role(role, "") for role in roles)


def _in_full(value: Json) -> Iterator[str]:
    """Texts in all languages, without markup, and the licences to which they link."""
    for text in _every_word(value):
        yield from words(text)
        yield from _LICENCE.findall(text)


def _every_word(value: Json) -> Iterator[str]:
    """Texts in whatever language."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _every_word(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name != "@language":
                yield from _every_word(each)


def _canvases(value: Json) -> Iterator[Json]:
    """Of version 3 `items`, of version 2 those of all sequences."""
    yield from _listed(value, "items")
    for sequence in _listed(value, "sequences"):
        yield from _listed(sequence, "canvases")


def _bodies(canvas: Json) -> Iterator[Json]:
    """What is painted on a canvas; of a choice the first, which is the one to show."""
    for annotation in _listed(canvas, "images"):
        yield from _listed(annotation, "resource")
    for page in _listed(canvas, "items"):
        for annotation in _listed(page, "items"):
            if _at(annotation, "motivation") in (None, "painting", ["painting"]):
                yield from _listed(annotation, "body")


def _pictures(canvas: Json, base: str) -> Iterator[tuple[str, ...]]:
    """The address of its service, where it has one, and its own."""
    for body in _bodies(canvas):
        chosen = _chosen(body)
        own = next(iter(_addresses_of(chosen, base)), "")
        service = next((found for each in _services(chosen) if (found := picture_address(each, base))), "")
        addresses = tuple(filter(None, (service, own)))
        if _kind(chosen) in ("", "image") and addresses:
            yield addresses


def _chosen(body: Json) -> Json:
    for _ in range(5):
        if _kind(body) == "choice":
            body = _at(body, "default") or next(iter(_listed(body, "items") or _listed(body, "item")), None)
        elif _kind(body) == "specificresource":
            body = _at(body, "source") or _at(body, "full")
        else:
            return body
    return None


def _services(body: Json) -> list[Json]:
    return _listed(body, "service")


def _rights(value: Json, canvases: Iterable[Json], pairs: Iterable[str]) -> Rights:
    """The strictest of what the manifest, its pairs and its pictures say; a credit that speaks of rights counts too."""
    statements = [*_stated(value, "the manifest"), *(Statement(text, "its metadata") for text in pairs)]
    for label, texts in _demanded(value):
        if _SPEAKS_OF_RIGHTS.search(" ".join([*label, *texts])):
            statements += [Statement(text, "its required statement") for text in texts]
    for canvas in canvases:
        for each in (canvas, *map(_chosen, _bodies(canvas))):
            statements += _stated(each, "a picture of it")
    return decide(dict.fromkeys(statements), "rights")


def info_rights(info: Json) -> Rights:
    """What the info.json of a picture says of its rights (Image 3.0 `rights`, before it `license`)."""
    return decide(_stated(info, "its info.json"), "info.json")


def _stated(value: Json, place: str) -> list[Statement]:
    said = [text for name in ("rights", "license") for each in _listed(value, name) for text in _every_word(each)]
    return [Statement(clean(text), f"rights of {place}") for text in said]


def _required(value: Json) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """(label, texts) of `requiredStatement`, and of `attribution` before version 3."""
    stated = [(words(_at(each, "label")), words(_at(each, "value"))) for each in _listed(value, "requiredStatement")]
    return [*stated, ((), words(_at(value, "attribution")))]


def _demanded(value: Json) -> Iterator[tuple[list[str], list[str]]]:
    """(label, texts) of what must be shown with it, in all languages."""
    for name in ("requiredStatement", "attribution"):
        for each in _listed(value, name):
            inside = _at(each, "value") if name == "requiredStatement" else each
            yield list(_every_word(_at(each, "label"))), list(_in_full(inside))


def _credit(value: Json, pairs: list[str]) -> str:
    texts = [" ".join(texts) for _, texts in _required(value) if texts]
    return next(iter([*texts, *pairs]), "")


def _providers(value: Json) -> list[str]:
    return [text for each in _listed(value, "provider") for text in words(_at(each, "label"))[:1]]


def _landings(value: Json, base: str) -> list[str]:
    """Pages for people: `homepage`, before version 3 `related`."""
    return [url for name in ("homepage", "related") for url in _addresses_of(_at(value, name), base)]


def _genre(values: list[str], genres: Collection[str]) -> str | None:
    wanted = {plain(genre) for genre in genres}
    parts = [part for each in values for part in (each, *_SEVERAL.split(each))]
    return next((part for part in parts if plain(part) in wanted), next(iter(values), None))


def _year(moment: str) -> int | None:
    """Of a navDate."""
    found = re.match(r"(\d{4})-\d\d-\d\dT", moment)
    return int(found[1]) if found else None


def _remarks(value: Json, found: int, pictures: tuple[str, ...]) -> Iterator[str]:
    if not pictures:
        yield "it names no picture"
    if found > len(pictures):
        yield f"it names {found} pictures, of which the first {len(pictures)} are taken"
    if "@context" not in (value if isinstance(value, dict) else {}):
        yield "it states no @context; it is read by its fields"


def _raw(value: Json) -> str:
    whole = raw_text(value)
    if len(whole) <= MOST_RAW:
        return whole
    return raw_text({name: each for name, each in object_at(value).items() if name not in _PAGES})[:MOST_RAW]
