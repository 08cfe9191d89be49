"""The Cleveland Museum of Art's Open Access API (https://openaccess-api.clevelandart.org/).

Lists go by `skip` and `limit`; a question by date of change is not documented, so that every window lists everything.
Each record says by `share_license_status` whether it and its pictures are CC0. Of the three sizes `print` is taken:
`web` is small, and `full` a TIFF of up to some hundred megabytes.
"""

from collections.abc import Iterator
from typing import ClassVar

from flows.archives.apis.museum import MuseumApi, Page, web_addresses, year_at
from flows.archives.apis.rights import cleveland_rights
from flows.archives.options import ClevelandOptions
from flows.archives.record import Access, Record, Window
from flows.archives.values.formats import read_role
from flows.archives.values.moments import read_moment
from flows.archives.web.json_answers import Json, list_at, number_at, raw_text, text_at, texts_at

HOLDER = "The Cleveland Museum of Art"
IN_ONE_ANSWER = 200
"""A record with its exhibitions has some 20 kB."""
_ACTOR = ("actor", "performer")


class ClevelandArchive(MuseumApi):
    """Prints of the department of Japanese Art, if nothing else is said."""

    kind: ClassVar[str] = "cleveland"
    asks_by_date = False

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._options = access.options if isinstance(access.options, ClevelandOptions) else ClevelandOptions()

    def look(self) -> None:
        """Asks for one record."""
        self.listed(self._artworks(0, 1), "data")

    def pages(self, window: Window) -> Iterator[Page]:  # noqa: ARG002 - it cannot be asked by date
        """One after the other, to an empty one or to as many as the first promised."""
        skip, total = 0, None
        while True:
            answer = self._artworks(skip, IN_ONE_ANSWER)
            items = self.listed(answer, "data")
            total = number_at(answer, "info", "total") if total is None else total
            yield Page(items, total)
            skip += len(items)
            if not items or (total is not None and skip >= total):
                return

    def identifier(self, item: Json) -> str:
        """The id."""
        number = number_at(item, "id")
        return "" if number is None else str(number)

    def record(self, item: Json, identifier: str) -> Record:
        """By the fields of `artworks`."""
        people = [(text_at(each, "role"), text_at(each, "description")) for each in list_at(item, "creators")]
        kinds = [text_at(item, "type"), text_at(item, "technique"), *texts_at(item, "culture")]
        pictures = self._pictures(item)
        return Record(
            identifier,
            read_moment(text_at(item, "updated_at"), "date of change"),
            cleveland_rights(item),
            raw_text(item),
            title=text_at(item, "title"),
            artists=tuple(name for role, name in people if name and role not in _ACTOR),
            cast=tuple(read_role(name) for role, name in people if name and role in _ACTOR),
            date_text=text_at(item, "creation_date"),
            year_from=year_at(item, "creation_date_earliest"),
            year_to=year_at(item, "creation_date_latest"),
            genre=self.genre(kinds, next(filter(None, kinds), "")),
            holder=HOLDER,
            credit_line=", ".join(
                filter(None, [HOLDER, text_at(item, "accession_number"), text_at(item, "creditline")])
            ),
            landing_url=next(iter(web_addresses([text_at(item, "url")])), None),
            pictures=pictures,
            remarks=() if pictures else ("it names no picture",),
        )

    def _artworks(self, skip: int, most: int) -> Json:
        chosen = {
            "department": self._options.department,
            "type": self._options.type,
            "q": self._options.keyword,
            "skip": str(skip),
            "limit": str(most),
        }
        return self.ask("artworks/", {name: value for name, value in chosen.items() if value})

    def _pictures(self, item: Json) -> tuple[str, ...]:
        sizes = dict.fromkeys([self._options.picture, "print", "web"])
        views = [item.get("images") if isinstance(item, dict) else None, *list_at(item, "alternate_images")]
        found = (next(filter(None, (text_at(view, size, "url") for size in sizes)), "") for view in views)
        return web_addresses(found)
