"""Japan Search, the portal of Japan's archives (https://jpsearch.go.jp/static/developer/webapi/).

A list goes by `item/scroll` (guide, 4.2.2), for a search ends at 2,000 hits; each answer names the next by its
`scrollId`, and the last names none. There is no question by date, so that every window lists everything. Which pictures
may be used, and how, a code of the guide (3.2.2.1) says.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import quote

from flows.archives.apis.museum import MuseumApi, Page, web_addresses
from flows.archives.apis.rights import japan_search_rights
from flows.archives.errors import ArchiveError, BadRecord
from flows.archives.options import JapanSearchOptions
from flows.archives.record import Access, Record, Role, Window
from flows.archives.values.dates import years
from flows.archives.values.formats import names_picture, read_role
from flows.archives.web.json_answers import Json, number_at, object_at, raw_text, text_at, texts_at

_ARTIST = ("絵師", "画家", "作者", "作画", "artist")
_ACTOR = ("役者", "俳優", "actor")


class JapanSearchArchive(MuseumApi):
    """Databases of Japan Search, such as `arc_nishikie`, the Art Research Center's colour prints."""

    kind: ClassVar[str] = "japan-search"
    asks_by_date = False

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        options = access.options
        self._options = options if isinstance(options, JapanSearchOptions) else JapanSearchOptions()
        self._holders: dict[str, str] = {}

    def look(self) -> None:
        """Asks for one hit."""
        self.listed(self.ask("item/search/jps-cross", [*self._questions()[0], ("size", "1")]), "list")

    def pages(self, window: Window) -> Iterator[Page]:  # noqa: ARG002 - it cannot be asked by date
        """One database after the other."""
        before = 0
        for question in self._questions():
            hits = 0
            for page in self._scroll(question):
                hits = page.promised or hits
                yield Page(page.items, before + hits)
            before += hits

    def _scroll(self, question: list[tuple[str, str]]) -> Iterator[Page]:
        """By `scrollId`, which a server may forget: the list is short then, and gone through again."""
        while question:
            try:
                answer = self.ask("item/scroll/jps-cross", question)
            except BadRecord:
                if question[0][0] == "scrollId":
                    return
                raise
            items = self.listed(answer, "list")
            yield Page(items, number_at(answer, "hit"))
            following = text_at(answer, "scrollId")
            question = [("scrollId", following)] if following and items else []

    def identifier(self, item: Json) -> str:
        """Database and number, as `arc_nishikie-2421_K001`."""
        return text_at(item, "id") or text_at(item, "common", "id")

    def record(self, item: Json, identifier: str) -> Record:
        """By the fields that all databases have in common (guide, 2.1.1)."""
        common = object_at(item, "common")
        if not common:
            raise BadRecord("it has no common fields; tell the archive")
        temporal = texts_at(common, "temporal")
        year_from, year_to = next((found for text in temporal if (found := years(text)) != (None, None)), (None, None))
        artists, cast = _people(texts_at(common, "contributor"))
        holder = self._holder(text_at(common, "ownerOrg") or text_at(common, "provider"))
        pictures, remarks = self._pictures(common)
        return Record(
            identifier,
            _changed(common),
            japan_search_rights(item),
            raw_text(item),
            title=text_at(common, "title"),
            artists=artists,
            cast=cast,
            date_text=next(iter(temporal), ""),
            year_from=year_from,
            year_to=year_to,
            genre=self.genre(_values(item, common), next(iter(texts_at(common, "category")), "")),
            holder=holder,
            credit_line=f"{holder}, {identifier}" if holder else "",
            landing_url=next(iter(web_addresses([text_at(common, "linkUrl")])), None),
            pictures=pictures,
            remarks=remarks,
        )

    def _pictures(self, common: Json) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Pictures, and what is odd of them; a thumbnail is none, but may tell where its picture lies."""
        found = web_addresses(texts_at(common, "contentsUrl"))
        is_picture = text_at(common, "contentsType") == "image"
        pictures = tuple(url for url in found if is_picture or names_picture(url))
        pictures = pictures or self._larger(web_addresses(texts_at(common, "thumbnailUrl")))
        if pictures:
            return pictures, ()
        if manifest := text_at(common, "iiifUrl"):
            return (), (f"only the IIIF manifest {manifest} names its pictures; harvest that with the protocol iiif",)
        return (), ("it names no picture",)

    def _larger(self, thumbnails: tuple[str, ...]) -> tuple[str, ...]:
        """The first occurrence counts: NDL's addresses at ARC have `th_image` twice."""
        parts = self._options.large_pictures.items()
        return tuple(url.replace(part, large, 1) for url in thumbnails for part, large in parts if part in url)

    def _questions(self) -> list[list[tuple[str, str]]]:
        words = [("keyword", keyword) for keyword in self._options.keywords]
        return [[("f-db", database), *words] for database in self._options.databases]

    def _holder(self, code: str) -> str:
        """An institution's name, asked for once; its code where that cannot be had."""
        if code and code not in self._holders:
            try:
                self._holders[code] = text_at(self.ask(f"organization/{quote(code, safe='')}"), "name", "ja") or code
            except ArchiveError:
                self._holders[code] = code
        return self._holders.get(code, "")


def _changed(common: Json) -> datetime:
    changed_ms = number_at(common, "lastUpdatedDate")
    if changed_ms is None:
        raise BadRecord("it has no lastUpdatedDate; tell the archive")
    try:
        return datetime.fromtimestamp(changed_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise BadRecord(f"its lastUpdatedDate {changed_ms} is no date; tell the archive") from None


def _people(contributors: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Role, ...]]:
    """Artists as written, and actors where a word before the colon says that they are."""
    artists, cast = [], []
    for contributor in contributors:
        label, colon, name = contributor.replace("：", ":", 1).partition(":")
        label = label.strip().casefold()
        if colon and label in _ACTOR:
            cast.append(read_role(name.strip()))
        else:
            artists.append(name.strip() if colon and label in _ARTIST else contributor)
    return tuple(artists), tuple(cast)


def _values(item: Json, common: Json) -> Iterator[str]:
    """Where a genre may stand: the category, and the database's own fields, which its name begins."""
    yield from texts_at(common, "category")
    own = f"{text_at(common, 'database')}-"
    for name, value in object_at(item).items():
        if name.startswith(own):
            parts = value if isinstance(value, list) else [value]
            yield from (part for part in parts if isinstance(part, str))
