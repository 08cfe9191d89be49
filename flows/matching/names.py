"""One form of a person's, role's or play's name, so that two archives' spellings of it meet.

Called by `known.py`; knows no catalogue. Characters, kana, macrons and long vowels are `db.search_terms.normalised`'s
business; here come generations, either order of Roman names, names in both scripts, and aliases in brackets. Nothing
of it is ever shown: names stand as the archive wrote them.
"""

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from db.search_terms import known_names, normalised

UNSAID: Final = 0.75
"""How far two names agree of which one or both leave the generation open."""
_MOST: Final = 200
"""Letters of a name that are read."""
_STAGE = Path(__file__).with_name("stage_names.csv")
_PARTICLE = re.compile(r"(?<=[^\x00-\x7f])no(?=[^\x00-\x7f])")
"""の between characters, as `normalised` writes it."""
_BRACKETS = re.compile(r"[(\[〈《<〔「【{]([^()\[\]〈〉《》<>〔〕「」【】{}]{0,80})[)\]〉》>〕」】}]")
_BETWEEN = re.compile(r"[;；/|、&]|,(?= )| and | with ", re.IGNORECASE)
_YEARS = re.compile(r"\d{3,}(?:\s?[-–~]\s?\d*)?")
_SERIAL = re.compile(r"(?:第)?(初|[一二三四五六七八九十]{1,3}|\d{1,2})(?:代目|世|代)目?")
_ORDINAL = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b", re.IGNORECASE)
_DIGITS = re.compile(r"(?<![\d.])\d{1,2}(?!\d)")
_WORDS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh")
_NUMERALS = (
    "i",
    "ii",
    "iii",
    "iv",
    "v",
    "vi",
    "vii",
    "viii",
    "ix",
    "x",
    "xi",
    "xii",
    "xiii",
    "xiv",
    "xv",
    "xvi",
    "xvii",
)
_ROMAN = {numeral: number for number, numeral in enumerate(_NUMERALS, 1)}
_KANJI = {letter: number for number, letter in enumerate("一二三四五六七八九十", 1)} | {"初": 1}
_SILENT = {
    "the",
    "a",
    "an",
    "actor",
    "actors",
    "kabuki",
    "of",
    "as",
    "by",
    "attributed",
    "to",
    "in",
    "role",
    "formerly",
}
_SILENT |= {"later", "previously", "also", "called", "aka", "gen", "generation", "sample", "ga", "hitsu"}
_SIGNED = re.compile(r"[画畫筆]$")
_REALLY = re.compile(r"[;；/|、・&]|,(?= )|実は|實は| and |(?: in reality|actually) ", re.IGNORECASE)
_NASAL = re.compile("m(?=[bmp])")
_ONE_PERSON: Final[Mapping[tuple[str, int | None], tuple[str, int]]] = {
    ("toyokuni utagawa", 3): ("kunisada utagawa", 1),
    ("toyokuni utagawa", 4): ("kunisada utagawa", 2),
}
"""Who signed by two names that both stand in records."""


@dataclass(frozen=True)
class Name:
    """A person's name; `keys` are its forms, and one in common is enough."""

    keys: frozenset[str]
    generation: int | None = None

    def agreement(self, other: "Name") -> float:
        """1: one name and one generation; `UNSAID`: a generation is left open; 0: two people."""
        if not self.keys & other.keys:
            return 0.0
        if self.generation is None or other.generation is None:
            return UNSAID
        return float(self.generation == other.generation)


@lru_cache(100_000)
def people(text: str) -> tuple[Name, ...]:
    """Everybody whom a text of names names, aliases in brackets among them; () for none."""
    plain = unicodedata.normalize("NFKC", text[:_MOST])
    found = (name for part in _BETWEEN.split(plain) for name in _with_aliases(part))
    return tuple(dict.fromkeys(found))


def _with_aliases(text: str) -> Iterable[Name]:
    """The name, then those in brackets that are names of their own: `Utagawa Kunisada (Toyokuni III)`."""
    aside = _BRACKETS.findall(text)
    bare = _BRACKETS.sub(" ", text) + " ".join(f" {each}" for each in aside if not _parted(each)[0].strip())
    for each, main in ((bare, True), *((each, False) for each in aside)):
        rest, generation = _parted(each)
        keys = frozenset(_keys(rest))
        if keys and (main or keys & _people().roman):
            (key, number) = next((_ONE_PERSON[key, generation] for key in keys if (key, generation) in _ONE_PERSON),
                                 ("", generation))  # fmt: skip
            yield Name(frozenset({key}) if key else keys, number)


def _parted(text: str) -> tuple[str, int | None]:
    """Name and generation: 三代目, 三世, 初代, 3rd, (3), third, III."""
    text = _YEARS.sub(" ", text)
    for pattern in (_SERIAL, _ORDINAL, _DIGITS):
        if found := pattern.search(text):
            number = found[1] if pattern.groups else found[0]
            return pattern.sub(" ", text), _number(number)
    words = text.split()
    for place, word in enumerate(words):
        low = word.casefold().strip(".,")
        if place and low in _ROMAN:
            return " ".join([*words[:place], *words[place + 1 :]]), _ROMAN[low]
        if low in _WORDS:
            return " ".join([*words[:place], *words[place + 1 :]]), _WORDS.index(low) + 1
        if low in _ROMAN and len(words) == 1:
            return "", _ROMAN[low]
    return text, None


def _number(text: str) -> int:
    """Of digits, or of Chinese numerals below a hundred."""
    if text.isdecimal():
        return int(text)
    tens, ten, ones = text.partition("十")
    return (_KANJI.get(tens, 1) * 10 if ten else _KANJI[tens]) + (_KANJI.get(ones, 0) if ten else 0)


def _keys(text: str) -> Iterable[str]:
    """The forms of a name without generation: its Roman words in one order; characters that are in no table as such."""
    plain = normalised(_SIGNED.sub("", text.strip()).replace("-", ""))
    table = _people()
    if whole := table.whole.get(plain.replace(" ", "")):
        yield whole
        return
    characters, words = _scripts(plain)
    yield from map(table.in_roman, characters)
    if words := [word for word in words if word not in _SILENT]:
        yield table.in_order(words)


def _scripts(plain: str) -> tuple[list[str], list[str]]:
    """What stands in characters, blank by blank, and the Roman words; what is neither letter nor digit is left out."""
    parts = ["".join(filter(str.isalnum, part)) for part in plain.split()]
    return [part for part in parts if not part.isascii()], [
        _NASAL.sub("n", part) for part in parts if part and part.isascii()
    ]


@dataclass(frozen=True)
class _Table:
    """The names of `db.search_terms` by their forms; every value is the Roman words in alphabetical order."""

    whole: dict[str, str]
    """By either script without blanks."""
    families: dict[str, str]
    own: dict[str, frozenset[str]]
    """A family's own names as written → Roman."""
    alone: dict[str, str]
    """Own names that one person of the table has, in either script."""
    roman: frozenset[str]
    artists: tuple[str, ...]
    """Artists' own names as written, longest first."""

    def in_roman(self, written: str) -> str:
        """The Roman key of a name in characters, or the characters."""
        if found := self.whole.get(written) or self.alone.get(written):
            return found
        for end in range(min(4, len(written) - 1), 0, -1):
            family, own = self.families.get(written[:end]), self.own.get(written[end:])
            if family and own:
                return " ".join(sorted((family, min(own))))
        return next((self.alone[own] for own in self.artists if written.endswith(own) and own in self.alone), written)

    def in_order(self, words: list[str]) -> str:
        """The Roman key of a name in Roman words, whichever comes first."""
        pairs = (" ".join(sorted(pair)) for pair in pairwise(words))
        if found := next((pair for pair in pairs if pair in self.roman), None):
            return found
        if len(words) == 1:
            return self.alone.get(words[0], words[0])
        return " ".join(sorted(words))


@cache
def _people() -> _Table:
    whole, families, roman = {}, {}, set()
    own, alone = defaultdict(set), defaultdict(set)
    artists = set()
    for written, latin, kind in known_names():
        (family, name), (roman_family, roman_name) = (
            [normalised(part).replace(" ", "") for part in each.split()] for each in (written, latin)
        )
        roman_family, roman_name = (_NASAL.sub("n", part) for part in (roman_family, roman_name))
        key = " ".join(sorted((roman_family, roman_name)))
        roman.add(key)
        for form in (normalised(written).replace(" ", ""), normalised(latin).replace(" ", "")):
            whole[form] = key
        families[family] = roman_family
        own[name].add(roman_name)
        for form in (name, roman_name):
            alone[form].add(key)
        if kind == "artist":
            artists.add(name)
    return _Table(
        whole,
        families,
        {name: frozenset(found) for name, found in own.items()},
        {name: next(iter(found)) for name, found in alone.items() if len(found) == 1},
        frozenset(roman),
        tuple(sorted(artists, key=lambda name: (-len(name), name))),
    )


@lru_cache(100_000)
def stage_names(text: str) -> frozenset[str]:
    """The forms of roles or plays that a text names: no blanks or particles, Roman letters where the table knows."""
    plain = _BRACKETS.sub(" ", unicodedata.normalize("NFKC", text[:_MOST]))
    return frozenset(key for part in _REALLY.split(plain) for key in _stage_keys(part))


def _stage_keys(text: str) -> Iterable[str]:
    plain = normalised(text.replace("-", "").replace("_", " "))
    known = _stage()
    characters, words = _scripts(_PARTICLE.sub("", plain))
    yield from (known.get(run, run) for run in characters)
    if words := [word for word in words if word not in _SILENT and word != "no"]:
        yield "".join(words)


@cache
def _stage() -> dict[str, str]:
    """Characters → Roman form."""
    return {normalised(written).replace(" ", ""): min(_stage_roman(roman)) for _, written, roman in stage_rows()}


def _stage_roman(roman: str) -> Iterable[str]:
    words = [_NASAL.sub("n", word) for word in normalised(roman.replace("-", "")).split()]
    yield "".join(word for word in words if word != "no")


@cache
def stage_rows() -> tuple[tuple[str, str, str], ...]:
    """The commonest plays and roles: `play` or `role`, as written, in Roman letters."""
    with _STAGE.open(encoding="utf-8", newline="") as file:
        return tuple((row["kind"], row["written"], row["roman"]) for row in csv.DictReader(file))
