"""What a record says that two prints can share, in one form each; made once for each image.

Called by `flows.match`. Where a record names no cast, its title is read: "NAME as ROLE in PLAY", and names that
`db.search_terms` and stage_names.csv know. Dates outside the print's centuries say nothing.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from db.entries.night import Description
from db.search_terms import known_names, normalised
from flows.matching.names import Name, people, stage_names, stage_rows

YEARS: Final = (1600, 1960)
"""Dates of prints; others are slips."""
GENRES: Final[Mapping[str, tuple[str, ...]]] = {
    "actor": ("役者", "やくしゃ", "yakusha", "actor", "kabuki"),
    "beauty": ("美人", "bijin", "beaut"),
    "warrior": ("武者", "musha", "warrior"),
    "landscape": ("風景", "名所", "山水", "fukei", "fūkei", "meisho", "sansui", "landscape", "view"),
    "nature": ("花鳥", "草花", "kacho", "kachō", "bird", "flower", "animal"),
    "sumo": ("相撲", "角力", "sumo", "wrestl"),
    "erotic": ("春画", "艶本", "shunga", "erotic"),
}
"""Genres of prints that never lend an actor his colours, by what archives' words for them hold; others are unknown."""
_LONGEST: Final = 40
"""Years that a span may have to say anything of its middle."""
_MOST: Final = 1000
"""Letters of a title that are read."""
_DOTTED = re.compile(r"([^.．]{1,80})[.．]\s?([^.．]{1,12})[.．]\s?([^.．]{1,80})")
_AS = re.compile(
    r"([A-Z][\w'’-]{1,30}(?: [A-Z][\w'’-]{0,30}){0,4}) as (?:the )?([^,;.(\[]{2,60}?)"
    r"(?: in (?:the play )?([^,;.(\[]{3,80}?))?(?= c\.| \d|[,;.(\[]|$)"
)
_SERIES = re.compile(r"(?:series:? |シリーズ[:：]?\s?)[“\"'‘]?([^\]\[,;(\"”]{3,80})", re.IGNORECASE)
_AMONG = re.compile(r"([^\s、。「」（()]{2,25})(?:之|の|ノ)内")


@dataclass(frozen=True)
class Known:
    """A record as matching sees it."""

    image_id: int
    artists: tuple[Name, ...] = ()
    actors: tuple[Name, ...] = ()
    roles: frozenset[str] = frozenset()
    plays: frozenset[str] = frozenset()
    series: frozenset[str] = frozenset()
    year: float | None = None
    genre: str = ""
    """One of GENRES; empty where the record says nothing that is understood."""

    def looked_up(self) -> Iterator[tuple[str, str]]:
        """What it is looked up by, the rarest kinds first."""
        for kind, names in (("series", self.series), ("play", self.plays), ("role", self.roles)):
            yield from ((kind, name) for name in sorted(names))
        for kind, people_of_it in (("actor", self.actors), ("artist", self.artists)):
            yield from ((kind, key) for name in people_of_it for key in sorted(name.keys))


def known(said: Description, actor_prints: Collection[str] = ()) -> Known:
    """What a description says, whatever of it is missing.

    Args:
        actor_prints: further names that archives give the genre of actor prints.
    """
    title = said.title[:_MOST].replace("_", " ")
    cast = [_undotted(role, actor) for role, actor in said.cast]
    cast = cast or [(role, actor) for actor, role, _ in _AS.findall(title)]
    actors = tuple(dict.fromkeys(name for _, actor in cast for name in people(actor)))
    roles = frozenset().union(*(stage_names(role) for role, _ in cast))
    plays = frozenset().union(*(stage_names(play) for _, _, play in _AS.findall(title) if play))
    artists = tuple(dict.fromkeys(name for artist in said.artists for name in people(artist)))
    plain = normalised(title)
    series = (*_SERIES.findall(title), *_AMONG.findall(title))
    return Known(
        said.image_id,
        artists,
        actors or tuple(_actors_in(title, plain)),
        roles or _stage_in(plain, "role"),
        plays | _stage_in(plain, "play"),
        frozenset().union(*(stage_names(name) for name in series)),
        _year(said.year_from, said.year_to),
        _genre(said.genre or "", actor_prints) or ("actor" if actors else ""),
    )


def _genre(text: str, actor_prints: Collection[str]) -> str:
    """Of several words the first genre that any of them names."""
    plain = unicodedata.normalize("NFKC", text).casefold().strip()
    if plain in {unicodedata.normalize("NFKC", each).casefold().strip() for each in actor_prints}:
        return "actor"
    return next((genre for genre, words in GENRES.items() if any(word in plain for word in words)), "")


def _undotted(role: str, actor: str) -> tuple[str, str]:
    """Role and actor, also where one of them holds `role.generation.actor`."""
    if (not role or not actor) and (found := _DOTTED.fullmatch((role or actor)[:200])):
        return found[1], f"{found[3]} ({found[2]})"
    return role, actor


def _actors_in(title: str, plain: str) -> Iterator[Name]:
    """Actors whom the table knows, with the generation that stands beside them."""
    for written, roman in _actors():
        for form in (written, roman):
            if form in plain:
                found = _around(written if form == written else roman).search(title)
                yield from people(found[0] if found else form)
                break


@cache
def _around(name: str) -> re.Pattern[str]:
    """The name as `normalised` leaves it, with a generation before or behind; a spelling of another form is not met."""
    behind = r"(?:\s?(?:[〈(（]?[\d０-９一二三四五六七八九十初]{1,3}(?:代目|世|代)?[〉)）]?|[IVX]{1,4})\b)?"
    return re.compile(
        rf"(?:[\d一二三四五六七八九十初]{{1,3}}(?:代目|世|代)\s?)?{re.escape(name)}{behind}", re.IGNORECASE
    )


@cache
def _actors() -> tuple[tuple[str, str], ...]:
    return tuple((normalised(written), normalised(roman)) for written, roman, kind in known_names() if kind == "actor")


def _stage_in(plain: str, kind: str) -> frozenset[str]:
    """Plays or roles that the table knows and a normalised title names; the longest of those within one another."""
    found = [
        roman for written, roman, of in _stage() if of == kind and (written in plain or f" {roman} " in f" {plain} ")
    ]
    longest = [name for name in found if not any(name != other and name in other for other in found)]
    return frozenset().union(*(stage_names(name) for name in longest))


@cache
def _stage() -> tuple[tuple[str, str, str], ...]:
    return tuple((normalised(written), normalised(roman), kind) for kind, written, roman in stage_rows())


def _year(start: int | None, end: int | None) -> float | None:
    years = [year for year in (start, end) if year is not None]
    if not years or max(years) - min(years) > _LONGEST or not YEARS[0] <= min(years) <= max(years) <= YEARS[1]:
        return None
    return sum(years) / len(years)
