"""Which files the rows of a table mean. Called by `account.py`; knows names only, and opens no file.

A name that is written exactly as a file's finds it. Otherwise a match is made only where it is certain: one file fits
in spelling (Unicode form, capitals, width, spaces, suffix) and in its folder at least as well as every other, and no
other row has a better claim to it. What is not certain is held back, with the files that may be meant.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from flows.archives.folder.columns import plain

LONGEST_NAME = 12
"""Parts of a list that one name with separators in it may have."""
SHOWN = 5

_SEPARATORS = re.compile(r"([;；|｜\n\r\t,，、])")
_SUFFIXES = {"jpeg": "jpg", "jpe": "jpg", "tiff": "tif", "j2k": "jp2", "jpx": "jp2"}
_SUFFIX = re.compile(r"(.+)\.(jpe?g|jpe|png|tiff?|webp|avif|jp2|j2k|jpx|gif|bmp|psd|heic|dng|raw|nef|cr2)", re.DOTALL)
_HOW = ("", "Unicode form", "capitals, width, spaces or marks", "suffix", "suffix")
EXACT = (0, 0, 0)
Rank = tuple[int, int, int]
"""Spelling, folder, identifier instead of a file's name: 0 is exact."""


@dataclass(frozen=True)
class Pick:
    """A file that a row means."""

    path: str
    written: str
    rank: Rank = EXACT

    @property
    def how(self) -> str:
        """In what the written name differs, for a person; empty where it does not."""
        spelling, folder, identifier = self.rank
        marks = "separators" if "\\" in self.written else ""
        ways = (_HOW[spelling], "folder" if folder else "", marks, "found by its identifier" if identifier else "")
        return ", ".join(way for way in ways if way)


@dataclass(frozen=True)
class Reach:
    """The files that one row reaches."""

    picks: tuple[Pick, ...] = ()
    maybe: tuple[str, ...] = ()
    """Files that it may mean, where that is not certain."""
    problem: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        """Whatever it means or may mean."""
        return (*(pick.path for pick in self.picks), *self.maybe)


class Names:
    """The files of a folder and those below it, to be found by a name that somebody wrote."""

    def __init__(self, folder: str, paths: Iterable[str]) -> None:
        """Of all paths those in `folder` (with its `/`, or empty) count, relative to it."""
        self._folder = folder
        self._paths = {path.removeprefix(folder) for path in paths if path.startswith(folder)}
        self._folders = {plain(part) for path in self._paths for part in path.split("/")[:-1]}
        self._like: dict[str, list[Sequence[str]]] = defaultdict(list)
        for path in sorted(self._paths):
            forms = _forms(path)
            self._like[_last(forms[-1])].append(forms)
        self._found: dict[str, Pick | tuple[str, ...]] = {}

    def find(self, written: str) -> Pick | tuple[str, ...]:
        """The one file that a name means for certain, or all that it may mean; none where there is none."""
        if written not in self._found:
            self._found[written] = self._find(written)
        return self._found[written]

    def _find(self, written: str) -> Pick | tuple[str, ...]:
        name = re.sub(r"^(?:\./)+", "", written.strip().replace("\\", "/"))
        if name in self._paths:
            return Pick(self._folder + name, written)
        if not name or ".." in name.split("/"):
            return ()
        forms = _forms(name)
        keys = {_last(forms[2]), _last(forms[4])}
        like = [each for key in keys for each in self._like.get(key, ())]
        ranked = {each[0]: rank for each in like if (rank := self._rank(forms, each))}
        # In spelling and in folder at least as good as every other; two that are equally good are one too many.
        best = (
            min((rank[0] for rank in ranked.values()), default=0),
            min((r[1] for r in ranked.values()), default=0),
            0,
        )
        winners = [path for path, rank in ranked.items() if rank == best]
        if len(winners) == 1:
            return Pick(self._folder + winners[0], written, best)
        return tuple(sorted(self._folder + path for path in ranked))

    def _rank(self, name: Sequence[str], path: Sequence[str]) -> Rank | None:
        """How well a path fits a name, both in all their forms; None where it does not."""
        for spelling, there in enumerate(path):
            for wanted in {name[spelling], name[2]} if spelling == len(path) - 1 else {name[spelling]}:
                if wanted == there:
                    return spelling, 0, 0
                if there.endswith(f"/{wanted}") or (wanted.endswith(f"/{there}") and self._elsewhere(name, path)):
                    return spelling, 1, 0
        return None

    def _elsewhere(self, name: Sequence[str], path: Sequence[str]) -> bool:
        """Is the folder that a name has before the path none of ours? One of ours says that another file is meant."""
        before = name[2].split("/")[-path[2].count("/") - 2]
        return before not in self._folders


def _forms(path: str) -> tuple[str, str, str, str, str]:
    """A path as it is, and made more and more like others: Unicode form, plain, usual suffix, no suffix."""
    composed = unicodedata.normalize("NFC", path)
    simple = "/".join(plain(part) for part in path.split("/"))
    found = _SUFFIX.fullmatch(simple)
    stem = found[1].rstrip() if found else simple
    return path, composed, simple, f"{stem}.{_SUFFIXES.get(found[2], found[2])}" if found else simple, stem


def reach(files: Sequence[str], identifier: str, names: Names) -> Reach:
    """What a row means by its file cells, or by its identifier where it has none."""
    if not files:
        found = names.find(identifier) if identifier else ()
        if isinstance(found, Pick):
            return Reach((replace(found, rank=(*found.rank[:2], 1)),))
        return Reach((), found, _unsure(identifier, found) if found else "")
    reaches = [_listed(cell, names) for cell in files]
    sets = {frozenset(pick.path for pick in each.picks) for each in reaches}
    maybe = tuple(dict.fromkeys(path for each in reaches for path in each.all))
    if problem := next((each.problem for each in reaches if each.problem), ""):
        return Reach((), maybe, problem)
    if len(sets) > 1:
        return Reach((), maybe, f"its columns name different files ({' and '.join(files)}); keep one")
    return reaches[0]


def _listed(cell: str, names: Names) -> Reach:
    """The files of one cell: the longest names that there are, so that a separator in a file's own name counts."""
    parts = _SEPARATORS.split(cell)
    picks: dict[str, Pick] = {}
    maybe: list[str] = []
    problem, start = "", 0
    while start < len(parts):
        end, found = _longest(parts, start, names)
        if isinstance(found, Pick):
            picks.setdefault(found.path, found)
        elif parts[start].strip() and not _SEPARATORS.fullmatch(parts[start]):
            maybe += found
            missing = _name_at(parts, start)
            gone = f"there is no picture {missing}; check the name"
            problem = problem or (_unsure(missing, found) if found else gone)
        start = max(end, start + 1)
    reached = Reach(tuple(picks.values()), tuple(dict.fromkeys(maybe)), problem)
    return Reach((), reached.all, problem) if problem else reached


def _longest(parts: Sequence[str], start: int, names: Names) -> tuple[int, Pick | tuple[str, ...]]:
    """Where the longest name from here ends, and its file; the files that may be meant where none is certain."""
    for end in range(min(len(parts), start + 2 * LONGEST_NAME), start, -1):
        if _SEPARATORS.fullmatch(parts[end - 1]):
            continue
        if found := names.find("".join(parts[start:end])):
            return (end if isinstance(found, Pick) else start), found
    return start, ()


def _name_at(parts: Sequence[str], start: int) -> str:
    """The name as a person would read it: up to the next separator that no name has."""
    name = "".join(parts[start:])
    return re.split(r"[;；|｜\n\r\t]", name)[0].strip()


def _unsure(written: str, found: Sequence[str]) -> str:
    return f"{written} may be {_some(found)}; write the name as the file has it"


def _some(found: Sequence[str]) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def settle(reaches: Mapping[str, Reach]) -> dict[str, Reach]:
    """The reaches of all rows, by place, without claims that another row has more right to.

    An exact name has. Where several rows find one file loosely, and not by the same words, none does.
    """
    claims: dict[str, list[tuple[str, Pick]]] = defaultdict(list)
    for place, each in reaches.items():
        for pick in each.picks:
            claims[pick.path].append((place, pick))
    lost = {place: reason for rivals in claims.values() for place, reason in _lost(rivals)}
    return {place: Reach((), each.all, lost[place]) if place in lost else each for place, each in reaches.items()}


def _lost(rivals: Collection[tuple[str, Pick]]) -> Iterator[tuple[str, str]]:
    exact = [place for place, pick in rivals if pick.rank == EXACT]
    alike = len({plain(pick.written) for _, pick in rivals}) == 1
    for place, pick in rivals:
        others = exact or [other for other, _ in rivals if other != place]
        if pick.rank != EXACT and others and (exact or not alike):
            yield (
                place,
                f"{pick.written} may be {pick.path}, which {others[0]} names; write the name as the file has it",
            )


def _last(path: str) -> str:
    return path.rpartition("/")[2]
