"""What a folder with its tables comes to: every row with its files, and every picture that no row reaches.

Called by `archive.py`, for the harvest and for `nishiki harvest --dry-run` alike; opens no file. Nothing is freed by
what is not understood: a picture that an unusable or uncertain row may mean is held back, and so is every picture that
no row reaches once there is a table, unless the operator's setting frees the rest.
"""

import json
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flows.archives.errors import BadRecord
from flows.archives.folder.manifests import Manifest, ManifestFile, missing, reach_pictures
from flows.archives.folder.matching import Names, Reach, reach, settle
from flows.archives.folder.table import OWN_FOLDER, Row, Table, addresses_left, describe, rights_of, strictest
from flows.archives.limits import LONGEST_IDENTIFIER, within_limits
from flows.archives.record import Derivatives, Record, Remark, Rights, Unreadable

SHOWN = 10
"""Names in one remark."""
_OTHER_LISTS = re.compile("[|｜,，、]")
"""Between names, where `;` is the rule."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class File:
    """A picture file that was found; `path` is inside the folder, with `/`."""

    path: str
    size: int
    modified: datetime


@dataclass(frozen=True)
class Contents:
    """What was found in a folder."""

    files: Mapping[str, File]
    """Pictures, by path."""
    broken: Mapping[str, str]
    """Why other files that ought to be pictures are none, by path."""
    tables: Sequence[Table] = ()
    manifests: Sequence[ManifestFile] = ()
    ignored: Sequence[str] = ()
    """Tables of other names, where one is read that speaks for them."""
    notices: Sequence[str] = ()
    """Texts on rights, which only a person can read."""

    @property
    def describing(self) -> tuple[Table | ManifestFile, ...]:
        """What says something of the pictures."""
        return (*self.tables, *self.manifests)


@dataclass(frozen=True)
class Understood:
    """What was made of one row, or of one manifest."""

    place: str
    reach: Reach
    found: Record | Unreadable
    rights: Rights
    """What it says of its pictures."""
    notes: tuple[str, ...] = ()
    """What is odd of it, beside how its files were found."""

    @property
    def remarks(self) -> Iterator[Remark]:
        """How its files were found, where that is not plain."""
        for pick in self.reach.picks:
            if pick.how:
                yield Remark(self.place, f"“{pick.written.strip()}” is taken for {pick.path} ({pick.how})")
        yield from (Remark(self.place, note) for note in self.notes)
        if isinstance(self.found, Record) and not self.reach.picks:
            yield Remark(self.place, f"the record {self.found.identifier} reaches no picture")


@dataclass(frozen=True)
class Account:
    """A folder, understood."""

    contents: Contents
    rows: tuple[Understood, ...]
    rest: tuple[Record | Unreadable, ...]
    """Pictures that no usable row reaches."""
    free: bool
    """Are those the operator's own that no row may mean?"""

    @property
    def broken(self) -> Mapping[str, str]:
        """Why files that ought to be pictures are none, but for those whose row tells it."""
        told = {
            pick.path: row.found.reason
            for row in self.rows
            if isinstance(row.found, Unreadable)
            for pick in row.reach.picks
        }
        return {path: why for path, why in self.contents.broken.items() if why not in told.get(path, "")}

    @property
    def remarks(self) -> Iterator[Remark]:
        """What a person should know of it."""
        for table in self.contents.tables:
            yield from (Remark(table.path, text) for text in _told(table))
        for path in self.contents.ignored:
            yield Remark(path, "is not read as a table")
        for path in self.contents.notices:
            yield Remark(path, "is a text on rights and is not read; what it forbids has to stand in records.csv")
        there = {each.found.identifier for each in self.rows}
        for file in self.contents.manifests:
            if away := [address for address in file.named if address not in there]:
                text = f"manifests that it names and that do not lie in the folder: {len(away):,}, the first {away[0]}"
                yield Remark(file.path, f"{text}; copy them, or harvest it with the protocol iiif")
        if self.contents.describing:
            yield from self._rest()
        yield from (remark for row in self.rows for remark in row.remarks)

    def _rest(self) -> Iterator[Remark]:
        held: defaultdict[bool, list[str]] = defaultdict(list)
        for found in self.rest:
            if isinstance(found, Record):
                held[found.rights.derivatives is not Derivatives.YES].append(found.pictures[0])
        first, *others = self.contents.describing
        what = "row or manifest" if self.contents.manifests else "row"
        tables = f"{len(others) + 1} tables{' and manifests' * bool(self.contents.manifests)}" if others else first.path
        if held[True]:
            ways = '. Add rows for them, or set the archive\'s undescribed_pictures = "free" in nishiki.toml'
            text = f"{_counted(held[True])} that no {what} reaches for certain, held back: {_named(held[True])}"
            yield Remark(tables, text + ("" if self.free else ways))
        if held[False]:
            yield Remark(tables, f"{_counted(held[False])} that no {what} reaches, freed by undescribed_pictures")


def understand(contents: Contents, *, free: bool) -> Account:
    """Every row, every manifest and every picture of a folder.

    Args:
        contents: what lies in it.
        free: whether pictures that no row reaches are the operator's own although there is a table.
    """
    names = _names(contents)
    rows = {row.place: (table, row) for table in contents.tables for row in table.rows}
    manifests = {each.place: (file, each) for file in contents.manifests for each in file.manifests}
    reaches = settle(
        {place: reach(row.files, row["identifier"], names[table.folder]) for place, (table, row) in rows.items()}
        | {place: reach_pictures(each, names[file.folder]) for place, (file, each) in manifests.items()}
    )
    twice = _in_several_tables(contents.tables)
    named = {
        place: _identifier(row, reaches[place], table.folder if row["identifier"] in twice else "")
        for place, (table, row) in rows.items()
    }
    repeated = _repeated(named | {place: each.found.identifier for place, (_, each) in manifests.items()})
    understood = []
    for place, (_, row) in rows.items():
        found = _described(row, named[place], reaches[place], contents, repeated)
        notes = tuple(_notes(row, reaches[place]))
        understood.append(Understood(place, reaches[place], found, rights_of(row), notes))
    understood += [_of_manifest(each, reaches[place], contents, repeated) for place, (_, each) in manifests.items()]
    taken = {each.found.identifier for each in understood if isinstance(each.found, Record)}
    shared = _with_shared_rights(understood)
    return Account(contents, tuple(shared), tuple(_undescribed(contents, shared, taken, free=free)), free)


def _names(contents: Contents) -> dict[str, Names]:
    """The files of each folder that something describes, and of those below it."""
    below: dict[str, list[str]] = {each.folder: [] for each in contents.describing}
    for path in (*contents.files, *contents.broken):
        parts = path.split("/")
        for depth in range(len(parts)):
            folder = "".join(f"{part}/" for part in parts[:depth])
            if folder in below:
                below[folder].append(path)
    return {folder: Names(folder, paths) for folder, paths in below.items()}


def _told(table: Table) -> Iterator[str]:
    if table.unknown:
        yield f"columns that are kept and not used: {', '.join(table.unknown)}"
    yield from table.notes
    if left := [row.place for row in table.rows for _ in range(addresses_left(row))]:
        text = f"addresses of people that are not used: {len(left):,}, the first in {left[0]}"
        yield f"{text}; give those of ULAN, VIAF or Wikidata, one for each name"


def _notes(row: Row, reached: Reach) -> Iterator[str]:
    if len(reached.picks) > 1 and any(_OTHER_LISTS.search(cell) for cell in row.files):
        yield f"“{' '.join(row.files)}” is read as {len(reached.picks)} names"
    if row.contradiction:
        yield f"held back: {row.contradiction}"


def _in_several_tables(tables: Sequence[Table]) -> set[str]:
    """Identifiers that say which picture is meant only together with their table's folder."""
    seen = Counter(name for table in tables for name in {row["identifier"] for row in table.rows})
    return {name for name, count in seen.items() if name and count > 1}


def _identifier(row: Row, reached: Reach, folder: str) -> str:
    if row["identifier"]:
        return folder + row["identifier"]
    first = reached.picks[0].path if reached.picks else next(iter(row.files), "").strip()
    return stem(first)


def _repeated(named: Mapping[str, str]) -> dict[str, str]:
    """Identifiers that stand at several places, each with why it is held back: which place is meant cannot be known."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for place, identifier in named.items():
        places[identifier].append(place)
    ways = "it is held back until one of them is left or has an identifier of its own"
    return {
        identifier: f"{_together(several)} have the same identifier; {ways}"
        for identifier, several in places.items()
        if identifier and len(several) > 1
    }


def _together(places: Sequence[str]) -> str:
    """Several places for a person: `records.csv lines 4 and 6`."""
    before, _, number = places[0].rpartition(" ")
    alike = number.isdecimal() and all(place.rpartition(" ")[0] == before for place in places)
    shown = [place.rpartition(" ")[2] if alike else place for place in places[:SHOWN]]
    last = f"{len(places) - SHOWN:,} more" if len(places) > SHOWN else shown.pop()
    return f"{f'{before}s ' if alike else ''}{', '.join(shown)} and {last}"


def _described(
    row: Row, identifier: str, reached: Reach, contents: Contents, repeated: Mapping[str, str]
) -> Record | Unreadable:
    def record(files: list[File]) -> Record:
        if row.problem:
            raise BadRecord(row.problem)
        newest = max((file.modified for file in files), default=_EPOCH)
        return describe(row, identifier, newest, _raw(files, row.kept), tuple(file.path for file in files))

    return _built(row.place, identifier, reached, contents, repeated, record)


def _of_manifest(manifest: Manifest, reached: Reach, contents: Contents, repeated: Mapping[str, str]) -> Understood:
    said = manifest.found
    if isinstance(said, Unreadable):
        nothing = Rights(Derivatives.UNKNOWN, f"{manifest.place} cannot be read")
        return Understood(manifest.place, reached, said, nothing)

    def record(files: list[File]) -> Record:
        newest = max((file.modified for file in files), default=_EPOCH)
        paths = tuple(file.path for file in files)
        return replace(said, datestamp=newest, pictures=paths, raw=_raw(files, {}, said.raw))

    found = _built(manifest.place, said.identifier, reached, contents, repeated, record)
    notes = (*(said.remarks if not manifest.names else ()), *missing(manifest, reached))
    return Understood(manifest.place, reached, found, said.rights, notes)


def _built(
    place: str,
    identifier: str,
    reached: Reach,
    contents: Contents,
    repeated: Mapping[str, str],
    record: Callable[[list[File]], Record],
) -> Record | Unreadable:
    """A record with the files that are reached, or why there is none."""
    name = printable(identifier)[:LONGEST_IDENTIFIER] or place
    if identifier in repeated:
        return Unreadable(name, repeated[identifier])
    try:
        return within_limits(record(_files(identifier, reached, contents)))
    except BadRecord as error:
        return Unreadable(name, f"{place}: {error}")


def _files(identifier: str, reached: Reach, contents: Contents) -> list[File]:
    if reached.problem:
        raise BadRecord(reached.problem)
    if not identifier:
        raise BadRecord("it has neither an identifier nor a file")
    if broken := [contents.broken[pick.path] for pick in reached.picks if pick.path in contents.broken]:
        raise BadRecord("; ".join(broken))
    return [contents.files[pick.path] for pick in reached.picks]


def _with_shared_rights(rows: Sequence[Understood]) -> list[Understood]:
    """Each record with the strictest of what is said of its pictures, by other rows too."""
    said: defaultdict[str, list[Rights]] = defaultdict(list)
    for each in rows:
        rights = _say_on_pictures(each)
        for path in each.reach.all:
            said[path].append(rights)

    def shared(found: Record) -> Record:
        strict = strictest([found.rights, *(rights for path in found.pictures for rights in said[path])])
        if strict.derivatives is found.rights.derivatives:
            return found
        also = {"also": [strict.derivatives.value, strict.basis]}
        return replace(found, rights=strict, raw=_json(json.loads(found.raw) | also))

    return [replace(each, found=shared(each.found)) if isinstance(each.found, Record) else each for each in rows]


def _say_on_pictures(row: Understood) -> Rights:
    """What a row or manifest says on every picture that it means, or may mean."""
    rights = row.rights
    if isinstance(row.found, Record) or rights.derivatives is Derivatives.YES:
        return rights
    return Rights(Derivatives.UNKNOWN, f"{row.place} may mean this picture, and is held back itself", text=rights.text)


def _undescribed(
    contents: Contents, rows: Sequence[Understood], taken: set[str], *, free: bool
) -> Iterator[Record | Unreadable]:
    """Each other picture as a record of its own, named by its path, with the suffix only where that is needed."""
    described = {path for each in rows if isinstance(each.found, Record) for path in each.found.pictures}
    meant = {path: each.place for each in rows if isinstance(each.found, Unreadable) for path in each.reach.all}
    files = [file for file in contents.files.values() if file.path not in described]
    stems = Counter(stem(file.path) for file in files)
    for file in files:
        short = stem(file.path)
        identifier = short if stems[short] == 1 and short not in taken else file.path
        if identifier in taken:
            yield Unreadable(identifier, "a row of the table uses this file's name as its identifier; change it")
            continue
        taken.add(identifier)
        rights = _rights_of_rest(contents, file.path, meant.get(file.path), free=free)
        yield Record(identifier, file.modified, rights, _raw([file], {}), pictures=(file.path,))


def _rights_of_rest(contents: Contents, path: str, doubt: str | None, *, free: bool) -> Rights:
    if doubt:
        return Rights(Derivatives.UNKNOWN, f"{doubt} may mean this picture, and cannot be used")
    if not contents.describing or free:
        return OWN_FOLDER
    names = " or ".join(table.path for table in contents.tables if path.startswith(table.folder))
    said = [f"no row of {names or 'any table'}"] if contents.tables else []
    said += ["no manifest"] if contents.manifests else []
    return Rights(Derivatives.UNKNOWN, f"{' and '.join(said)} names this picture")


def held_for(reason: str, files: Mapping[str, File]) -> Iterator[Record]:
    """Every picture, held back for one reason: a table that cannot be read may forbid what was free before."""
    rights = Rights(Derivatives.UNKNOWN, reason)
    stems = Counter(stem(path) for path in files)
    for file in files.values():
        short = stem(file.path)
        identifier = short if stems[short] == 1 else file.path
        yield Record(identifier, file.modified, rights, _raw([file], {}), pictures=(file.path,))


def stem(path: str) -> str:
    """A path without its suffix."""
    return posixpath.splitext(path)[0]


def printable(name: str) -> str:
    """A name that can be written as UTF-8, whatever the disk has."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _raw(files: Sequence[File], row: Mapping[str, Any], manifest: str = "") -> str:
    """The row or the manifest, and the files."""
    said = {"manifest": manifest} if manifest else {"row": row}
    return _json({**said, "files": [{"name": file.path, "size": file.size} for file in files]})


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True)


def _counted(paths: Sequence[str]) -> str:
    return f"{len(paths):,} picture{'s' if len(paths) > 1 else ''}"


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more
