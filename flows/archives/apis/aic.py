"""The Art Institute of Chicago's API (https://api.artic.edu/docs/).

A search gives no more than its first 10,000 records, so that a list goes by number: each question asks for those above
the last one. The licence stands by field, `description` under CC BY 4.0 and all else CC0: only fields of the second
kind are asked for. A picture is made from `image_id` and the address that the answer names for its IIIF Image API.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import ClassVar

from flows.archives.apis.museum import MuseumApi, Page, web_addresses, year_at
from flows.archives.apis.rights import aic_rights
from flows.archives.errors import MalformedAnswer
from flows.archives.options import AicOptions
from flows.archives.record import Access, Record, Remark, Unreadable, Window
from flows.archives.values.moments import read_moment
from flows.archives.web.json_answers import Json, number_at, object_at, raw_text, text_at, texts_at

HOLDER = "The Art Institute of Chicago"
FIELDS = (
    *("id", "title", "main_reference_number", "artist_titles", "date_display", "date_start", "date_end"),
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
            yield Page(items, total)
            numbers = [number for item in items if (number := _number(item)) is not None]
            came += len(items)
            if not items or (len(items) < IN_ONE_ANSWER and (total is None or came >= total)):
                return
            if not numbers or max(numbers) <= last:
                raise MalformedAnswer(f"{self.name} does not list by number, as it was asked; tell the archive")
            last = max(numbers)

    def records(self, window: Window) -> Iterator[Record | Unreadable | Remark]:
        """As everywhere, and under which licence its texts are."""
        yield from super().records(window)
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
        otherwise = set(_OTHERWISE.findall(text_at(self._licence, "license_text"))) - _NO_TEXTS
        return Record(
            identifier,
            read_moment(text_at(item, "updated_at"), "date of change"),
            aic_rights(item),
            raw_text({name: value for name, value in object_at(item).items() if name not in otherwise}),
            title=text_at(item, "title"),
            artists=texts_at(item, "artist_titles"),
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
            remarks=() if pictures else ("it names no picture",),
        )

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
