"""The Metropolitan Museum of Art's Collection API (https://metmuseum.github.io/).

A list gives numbers only, `objects` those that changed since a day (`metadataDate`), `search` those that a word ranks,
which is no filter. Each record is asked for by itself; one that the list names and that is not there is withdrawn. What
is in the public domain is CC0 with its pictures; of all else there are no pictures.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar

from flows.archives.apis.museum import MuseumApi, Page, web_addresses, year_at
from flows.archives.apis.rights import met_rights
from flows.archives.errors import ArchiveUnavailable, Gone
from flows.archives.options import MetOptions
from flows.archives.record import Access, Derivatives, Record, Rights, Window
from flows.archives.values.authorities import authority
from flows.archives.values.formats import read_role
from flows.archives.values.moments import read_moment
from flows.archives.web.json_answers import Json, list_at, number_at, raw_text, text_at, texts_at

HOLDER = "The Metropolitan Museum of Art"
ROUNDS = 4
"""Times that records are asked for which did not come."""
FAILED_IN_A_ROW = 5
"""Records in a row that did not come, after which the museum is left for later."""
_ACTOR = ("Actor", "Performer")
_FILES = ("ULAN_URL", "Wikidata_URL")


class MetArchive(MuseumApi):
    """Departments of the museum, Asian Art (6) if nothing else is said."""

    kind: ClassVar[str] = "met"
    asks_by_date = True
    asks_each = True

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._options = access.options if isinstance(access.options, MetOptions) else MetOptions()

    def look(self) -> None:
        """Asks for the departments."""
        self.listed(self.ask("departments"), "departments")

    def pages(self, window: Window) -> Iterator[Page]:
        """A record a page; those that did not come are asked for again at the end.

        Raises:
            ArchiveUnavailable: some did not come in any round, or many in a row.
        """
        waiting = sorted(number for number in self._numbers(window.start) if str(number) not in window.read)
        for _ in range(ROUNDS):
            later: list[int] = []
            in_a_row = 0
            for number in waiting:
                try:
                    item = self._object(number)
                except ArchiveUnavailable:
                    later.append(number)
                    in_a_row += 1
                    if in_a_row == FAILED_IN_A_ROW:
                        raise
                    continue
                in_a_row = 0
                yield Page([item])
            waiting = later
        if waiting:
            raise ArchiveUnavailable(f"{self.name} did not deliver {len(waiting)} records it lists; try again later")

    def identifier(self, item: Json) -> str:
        """The objectID."""
        number = number_at(item, "objectID")
        return "" if number is None else str(number)

    def record(self, item: Json, identifier: str) -> Record:
        """By the fields of `objects/{objectID}`."""
        people = [(text_at(each, "role"), text_at(each, "name")) for each in list_at(item, "constituents")]
        artists = tuple(name for role, name in people if name and role not in _ACTOR)
        pictures = web_addresses([text_at(item, "primaryImage"), *texts_at(item, "additionalImages")])
        tags = [text_at(each, "term") for each in list_at(item, "tags")]
        kinds = [text_at(item, name) for name in ("classification", "objectName")]
        credit = text_at(item, "creditLine")
        return Record(
            identifier,
            read_moment(text_at(item, "metadataDate"), "date of change"),
            met_rights(item),
            raw_text(item),
            title=text_at(item, "title"),
            artists=artists or tuple(filter(None, [text_at(item, "artistDisplayName")])),
            cast=tuple(read_role(name) for role, name in people if role in _ACTOR),
            date_text=text_at(item, "objectDate"),
            year_from=year_at(item, "objectBeginDate"),
            year_to=year_at(item, "objectEndDate"),
            genre=self.genre([*tags, *kinds], next(filter(None, kinds), "")),
            holder=text_at(item, "repository") or HOLDER,
            credit_line=", ".join(filter(None, [HOLDER, text_at(item, "accessionNumber"), credit])),
            landing_url=next(iter(web_addresses([text_at(item, "objectURL")])), None),
            pictures=pictures,
            authorities=tuple(_authorities(item)),
            remarks=() if pictures else ("it names no picture",),
        )

    def _numbers(self, since: datetime | None) -> set[int]:
        """Of what changed since a day, and of what a word ranks, where one is given: what both name."""
        departments = [str(number) for number in self._options.departments]
        question = [("departmentIds", "|".join(departments))] if departments else []
        dated = [("metadataDate", since.astimezone(UTC).strftime("%Y-%m-%d"))] if since else []
        changed = self._listed_numbers("objects", [*question, *dated]) if since or not self._options.keyword else None
        if not self._options.keyword:
            return changed or set()
        ranked: set[int] = set()
        for department in departments or [""]:
            within = [("departmentId", department)] if department else []
            ranked |= self._listed_numbers("search", [*within, ("q", self._options.keyword)])
        return ranked if changed is None else ranked & changed

    def _listed_numbers(self, path: str, question: list[tuple[str, str]]) -> set[int]:
        listed = self.listed(self.ask(path, question), "objectIDs")
        return {number for number in listed if type(number) is int and number > 0}

    def _object(self, number: int) -> Json:
        try:
            return self.ask(f"objects/{number}")
        except Gone:
            withdrawn = Rights(Derivatives.UNKNOWN, "withdrawn by the archive")
            return Record(str(number), datetime.now(UTC).replace(microsecond=0), withdrawn, "", deleted=True)


def _authorities(item: Json) -> Iterator[tuple[str, str]]:
    """Of each constituent, and of the artist whom a record without constituents names."""
    people = [(each, "constituent", text_at(each, "name")) for each in list_at(item, "constituents")]
    for said, begins, name in people or [(item, "artist", text_at(item, "artistDisplayName"))]:
        person = read_role(name).actor if text_at(said, "role") in _ACTOR else name
        addresses = (authority(text_at(said, begins + file)) for file in _FILES)
        yield from ((person, address) for address in addresses if person and address)
