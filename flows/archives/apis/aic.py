"""The Art Institute of Chicago's API (https://api.artic.edu/docs/).

A search gives no more than its first 10,000 records, so that a list goes by number: each question asks for those above
the last one. The licence stands by field, `description` under CC BY 4.0 and all else CC0: only fields of the second
kind are asked for. A picture is made from `image_id` and the address that the answer names for its IIIF Image API.
Artists stand there by number and name; who they are in ULAN is asked of `agents`, of each once in a harvest.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import ClassVar

from flows.archives.apis.museum import MuseumApi, Page, web_addresses, year_at
from flows.archives.apis.rights import aic_rights
from flows.archives.errors import ArchiveError, MalformedAnswer
from flows.archives.options import AicOptions
from flows.archives.record import Access, Record, Remark, Unreadable, Window
from flows.archives.values.authorities import authority
from flows.archives.values.moments import read_moment
from flows.archives.web.json_answers import Json, clean, number_at, object_at, raw_text, text_at, texts_at

HOLDER = "The Art Institute of Chicago"
FIELDS = (
    *("id", "title", "main_reference_number", "artist_titles", "artist_ids"),
    *("date_display", "date_start", "date_end"),
    *("artwork_type_title", "classification_titles", "subject_titles", "term_titles", "credit_line"),
    *("copyright_notice", "is_public_domain", "image_id", "alt_image_ids", "updated_at"),
)
"""All CC0; those that the answer names as licensed otherwise are left out of what is kept."""
IN_ONE_ANSWER = 100
"""The most that the API gives."""
_OTHERWISE = re.compile(r"`(\w+)`")
_NO_TEXTS = {"is_public_domain", "copyright_notice"}
"""They say what holds, under whatever licence."""
_IMAGE_ID = re.compile(r"[0-9a-fA-F-]{8,64}")
_ULAN = "http://vocab.getty.edu/ulan/"
_BEYOND = 2**31
"""Numbers of artists are smaller."""
_NOBODY = ("", "")


class AicArchive(MuseumApi):
    """Prints from Japan, if nothing else is said."""

    kind: ClassVar[str] = "aic"
    asks_by_date = True

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._options = access.options if isinstance(access.options, AicOptions) else AicOptions()
        self._images = ""
        self._website = ""
        self._licence: Mapping[str, Json] = {}
        self._artists: dict[int, tuple[str, str]] = {}
        """Those who were asked for: name and address in ULAN, empty where the museum gives none."""
        self._unasked_because = ""
        """Why no more of them are asked for."""

    def look(self) -> None:
        """Asks for one record."""
        self._search({}, 1)

    def pages(self, window: Window) -> Iterator[Page]:
        """By number, upwards."""
        last, came, total = 0, 0, None
        filters = self._filters()
        if window.start:
            filters.append({"range": {"updated_at": {"gte": window.start.astimezone(UTC).isoformat()}}})
        while True:
            above = {"range": {"id": {"gt": last}}}
            answer = self._search({"bool": {"filter": [*filters, above]}}, IN_ONE_ANSWER)
            items = self.listed(answer, "data")
            total = number_at(answer, "pagination", "total") if total is None else total
            self._ask_artists(items)
            yield Page(items, total)
            numbers = [number for item in items if (number := _number(item)) is not None]
            came += len(items)
            if not items or (len(items) < IN_ONE_ANSWER and (total is None or came >= total)):
                return
            if not numbers or max(numbers) <= last:
                raise MalformedAnswer(f"{self.name} does not list by number, as it was asked; tell the archive")
            last = max(numbers)

    def records(self, window: Window) -> Iterator[Record | Unreadable | Remark]:
        """As everywhere, under which licence its texts are, and whether its artists could be had."""
        yield from super().records(window)
        if self._unasked_because:
            text = "who further artists are in ULAN could not be asked; until listed anew their records have no links"
            yield Remark(self.name, f"{text}: {self._unasked_because}")
        if said := text_at(self._licence, "license_text"):
            yield Remark(self.name, f"it says of its texts: {said}")

    def identifier(self, item: Json) -> str:
        """The id."""
        number = number_at(item, "id")
        return "" if number is None else str(number)

    def record(self, item: Json, identifier: str) -> Record:
        """By the fields that were asked for."""
        kinds = [text_at(item, "artwork_type_title"), *texts_at(item, "classification_titles")]
        subjects = [*texts_at(item, "subject_titles"), *texts_at(item, "term_titles")]
        pictures = self._pictures(item)
        artists = texts_at(item, "artist_titles")
        known = dict.fromkeys(self._artists.get(number, _NOBODY) for number in _artists_of(item))
        otherwise = set(_OTHERWISE.findall(text_at(self._licence, "license_text"))) - _NO_TEXTS
        return Record(
            identifier,
            read_moment(text_at(item, "updated_at"), "date of change"),
            aic_rights(item),
            raw_text({name: value for name, value in object_at(item).items() if name not in otherwise}),
            title=text_at(item, "title"),
            artists=artists,
            date_text=text_at(item, "date_display"),
            year_from=year_at(item, "date_start"),
            year_to=year_at(item, "date_end"),
            genre=self.genre([*subjects, *kinds], next(filter(None, kinds), "")),
            holder=HOLDER,
            credit_line=", ".join(
                filter(None, [HOLDER, text_at(item, "main_reference_number"), text_at(item, "credit_line")])
            ),
            landing_url=f"{self._website}/artworks/{identifier}" if self._website else None,
            pictures=pictures,
            authorities=tuple((name, address) for name, address in known if name in artists and address),
            remarks=() if pictures else ("it names no picture",),
        )

    def _ask_artists(self, items: list[Json]) -> None:
        """Ask who those are that nobody named before; after a failure no more, since records must not wait for it."""
        named = dict.fromkeys(number for item in items for number in _artists_of(item))
        asked = [number for number in named if number not in self._artists][:IN_ONE_ANSWER]
        if self._unasked_because or not asked:
            return
        question = {"ids": ",".join(map(str, asked)), "fields": "id,title,ulan_id", "limit": str(len(asked))}
        try:
            agents = self.listed(self.ask("agents", question, needed=False), "data")
        except ArchiveError as error:
            self._unasked_because = str(error)
            return
        told = {number: _in_ulan(agent) for agent in agents if (number := _number(agent)) is not None}
        self._artists |= {number: told.get(number, _NOBODY) for number in asked}

    def _filters(self) -> list[Json]:
        """Each value as written and in small letters, since the index compares letter for letter, and has some so."""
        chosen = {"artwork_type_title": self._options.types, "place_of_origin": self._options.places}
        spelt = {
            name: sorted({s for value in values for s in (value, value.lower())}) for name, values in chosen.items()
        }
        return [{"terms": {f"{name}.keyword": spellings}} for name, spellings in spelt.items() if spellings]

    def _search(self, query: Mapping[str, Json], most: int) -> Json:
        asked: dict[str, Json] = {"fields": list(FIELDS), "limit": most, "sort": [{"id": {"order": "asc"}}]}
        if query:
            asked["query"] = query
        if self._options.keyword:
            asked["q"] = self._options.keyword
        answer = self.ask("artworks/search", {"params": json.dumps(asked, separators=(",", ":"))})
        self.listed(answer, "data")
        config = object_at(answer, "config")
        self._images = next(iter(web_addresses([text_at(config, "iiif_url")])), "").rstrip("/")
        self._website = next(iter(web_addresses([text_at(config, "website_url")])), "").rstrip("/")
        self._licence = object_at(answer, "info")
        return answer

    def _pictures(self, item: Json) -> tuple[str, ...]:
        """By the IIIF Image API, in the width that the museum keeps ready, or the one that was chosen."""
        if not self._images:
            return ()
        found = dict.fromkeys(
            filter(_IMAGE_ID.fullmatch, [text_at(item, "image_id"), *texts_at(item, "alt_image_ids")])
        )
        return tuple(f"{self._images}/{each}/full/{self._options.picture_width},/0/default.jpg" for each in found)


def _number(item: Json) -> int | None:
    number = item.get("id") if isinstance(item, dict) else None
    return number if type(number) is int else None


def _artists_of(item: Json) -> list[int]:
    """The numbers of its artists; what is none is left out, for a record does not depend on them."""
    numbers = item.get("artist_ids") if isinstance(item, dict) else None
    return [each for each in numbers if type(each) is int and 0 < each < _BEYOND] if isinstance(numbers, list) else []


def _in_ulan(agent: Json) -> tuple[str, str]:
    """Name and address; `ulan_id` is documented as a number, and comes as text."""
    said = agent if isinstance(agent, dict) else {}
    name, number = said.get("title"), said.get("ulan_id")
    address = authority(f"{_ULAN}{number}") if type(number) in (int, str) else ""
    return (clean(name), address) if isinstance(name, str) else _NOBODY
