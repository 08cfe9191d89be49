"""A folder of approved entries for other systems: a BagIt package whose data any web server serves as IIIF.

`nishiki export --to` calls it. What is durable when: each page of entries at once, an entry's folder whole or not at
all; then the collections and tables made of the folders; the bag's manifest last, which makes it a bag. Whatever
cuts it off leaves a folder without a manifest, and the next export goes on where it stopped. An entry that may not
leave any more is taken out, with a tombstone in its place, before the manifest is written: also one that was withheld
while this was at work. The same catalogue makes the same bytes.
"""

import gc
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from db.entries.review import Approved, QueueFilter
from db.errors import ExportUnusable, NothingApproved, PictureMissing
from db.exports import changes
from db.exports.changes import deletion
from db.exports.entry_files import ACTIVITY, LIST, ROW, SHARD, EntryFiles, Sources, folder_of, read_list
from db.exports.iiif import collection
from db.exports.leaving import MANIFEST, as_json
from db.files.atomic import make_folder, room_for, write_whole, writing_whole
from db.files.home import UNFINISHED, HomeFolder
from db.files.lock import held_alone

DATA, ENTRIES, WITHDRAWN = "data", "entries", "withdrawn"
COLLECTION, TABLE = "collection.json", "metadata.csv"
OUR_MARK: Final = "nishiki-export.json"
"""Says what the package is an export of."""
BAG: Final = "bagit.txt"
BAG_INFO: Final = "bag-info.txt"
BAG_MANIFEST: Final = "manifest-sha256.txt"
"""Written last: with it the folder is a package."""
TAGS: Final = "tagmanifest-sha256.txt"
_LOCK: Final = "export.lock"
_BEFORE: Final = ".before"
"""Ends the name of an entry's folder that was taken aside for a newer one."""
_LABEL: Final = {
    "en": "Machine-colorized prints, approved by curators",
    "ja": "自動彩色された役者絵（承認済み）",
}
_COLLECT: Final = 100_000
"""Objects that came and did not go, at which the interpreter looks for rings of them; it begins at 700."""
Advance = Callable[[int], object]
"""Hears of so many more entries that were looked at."""


@dataclass(frozen=True)
class Order:
    """What is asked for; a package keeps it, and takes no other."""

    address: str
    """Where the package's data will be served, ending with `/`; every id begins with it."""
    wanted: QueueFilter
    narrowing: str = ""
    """The filter as the queue's address has it."""
    tiles: bool = True
    """Do tiles leave too? They are most of its files."""


@dataclass
class Exported:
    """What an export came to, in entries."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    """Of entries that could not be written."""

    @property
    def entries(self) -> int:
        """In the package now."""
        return self.new + self.changed + self.unchanged


def export(
    sources: Sources,
    target: Path,
    order: Order,
    advance: Advance = lambda _: 0,
    follow: Callable[[bool], object] = lambda _: None,
) -> Exported:
    """Bring a package up to date with the catalogue, or make it.

    Args:
        advance: hears of entries that were looked at.
        follow: brings a copy up to date: before what is new takes its time (False), and when the package is whole.

    Raises:
        ExportUnusable: the folder holds something else, or another export.
        NothingApproved: there is nothing to make a package of.
        NightRunning: another export is being written into the folder.
        CatalogueFull: no room left; the next export goes on.
    """
    is_new = _check(target, order, sources.tiles.root.parent)
    pages = sources.catalogue.approved(order.wanted)
    first = next(pages, None)
    if first is None and is_new:
        raise NothingApproved(_nothing(order))
    with room_for(target), _alone(target), _collecting_seldom():
        package = _Package(sources, target, order)
        package.begin()
        package.withdraw()  # what lies there already, before new entries take their time
        follow(False)
        for page in [] if first is None else _chained(first, pages):
            package.add(page)
            advance(len(page))
        package.withdraw()
        package.end()
        follow(True)
        while package.withdraw():  # withheld meanwhile
            package.end()
            follow(True)
    return package.done


class _Package:
    """A package at work."""

    def __init__(self, sources: Sources, target: Path, order: Order) -> None:
        self._sources, self._catalogue, self._order = sources, sources.catalogue, order
        self._target, self._data, self._unfinished = target, target / DATA, target / UNFINISHED
        self.done = Exported()

    def begin(self) -> None:
        """Say whose the folder is, put back what a crash had taken aside, and forget what it left."""
        (self._target / OUR_MARK).touch()  # first of all: cut off here, it is still known to be ours
        for before in self._unfinished.glob(f"*{_BEFORE}"):
            place = self._data / folder_of(int(before.stem))
            if not place.exists():  # else nobody would know that it was here, were it withheld now
                before.rename(place)
        shutil.rmtree(self._unfinished, ignore_errors=True)
        make_folder(self._data / ENTRIES)
        make_folder(self._unfinished)
        self._renew(self._target / OUR_MARK, _mark(self._order))
        self._renew(self._target / BAG, b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")

    def add(self, page: Collection[Approved]) -> None:
        """Write those of these entries that are new or have changed, all of them durable before any is seen."""
        made = {entry.attempt.id: made for entry in page if (made := self._made(entry))}
        if made:
            os.sync()  # of a page at once: a file at a time takes ten times as long
        allowed = self._catalogue.still_approved(list(made), self._order.wanted)
        for number, folder in made.items():
            if number in allowed:
                self._put(number, folder)
            else:
                shutil.rmtree(folder)

    def withdraw(self) -> bool:
        """Take out what may not leave any more; was there something?"""
        before, numbers = self.done.withdrawn, sorted(self._numbers())
        for start in range(0, len(numbers), SHARD):
            some = numbers[start : start + SHARD]
            for number in sorted(set(some) - self._catalogue.still_approved(some, self._order.wanted)):
                self._take_out(number)
        return self.done.withdrawn > before

    def end(self) -> None:
        """Write what is made of all entries, the bag's manifest last."""
        make_folder(self._unfinished)
        numbers = sorted(self._numbers())
        self._forget_tombstones(numbers)
        shards = [list(some) for _, some in groupby(numbers, lambda number: number // SHARD)]
        items = [self._shard(some) for some in shards]
        whole = collection(f"{self._order.address}{COLLECTION}", _LABEL, items)
        self._renew(self._data / COLLECTION, as_json(whole))
        self._write_changes(numbers)
        self._write_table(numbers)
        _forget_empty(self._data / ENTRIES, {f"{some[0] // SHARD:06d}" for some in shards})
        self._write_bag()
        shutil.rmtree(self._unfinished, ignore_errors=True)

    def _made(self, entry: Approved) -> Path | None:
        """The entry's folder among the unfinished; None where nothing is to be written, or nothing can be."""
        number = entry.attempt.id
        try:
            files = EntryFiles.of(entry, self._sources, self._order.address, self._order.tiles)
            if files.is_whole_in(self._data / folder_of(number)):
                self.done.unchanged += 1
                return None
            folder = self._unfinished / str(number)
            folder.mkdir()
            files.write(folder)
        except PictureMissing as error:
            shutil.rmtree(self._unfinished / str(number), ignore_errors=True)
            self.done.problems.append((f"entry {number}", str(error)))
            return None
        return folder

    def _put(self, number: int, folder: Path) -> None:
        self._unfinish()
        place = self._data / folder_of(number)
        before = self._unfinished / f"{number}{_BEFORE}"
        if place.is_dir():
            place.rename(before)
            self.done.changed += 1
        else:
            self.done.new += 1
        place.parent.mkdir(exist_ok=True)
        folder.rename(place)
        shutil.rmtree(before, ignore_errors=True)

    def _take_out(self, number: int) -> None:
        """The tombstone first: whoever was told of the entry learns that it is gone."""
        self._unfinish()
        stone = self._tombstone(number)
        make_folder(stone.parent)
        make_folder(self._unfinished)
        moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        told = {"id": f"{self._order.address}{folder_of(number)}/{MANIFEST}", "withdrawn_at": moment}
        write_whole(stone, as_json(told), self._unfinished)
        gone = self._unfinished / f"{number}.gone"
        (self._data / folder_of(number)).rename(gone)  # at once: half of it would be served, and not be found again
        shutil.rmtree(gone)
        self.done.withdrawn += 1

    def _unfinish(self) -> None:
        """Without a manifest the folder is no bag, until this export has ended."""
        for name in (TAGS, BAG_MANIFEST):
            (self._target / name).unlink(missing_ok=True)

    def _tombstone(self, number: int) -> Path:
        return self._data / WITHDRAWN / f"{number}.json"

    def _forget_tombstones(self, numbers: Iterable[int]) -> None:
        """Of entries that have come back."""
        for stone in filter(Path.is_file, map(self._tombstone, numbers)):
            self._unfinish()
            stone.unlink()

    def _renew(self, path: Path, data: bytes) -> None:
        """Write a file, unless it lies there the same; half of it never lies where it would be served."""
        if not (path.is_file() and path.read_bytes() == data):
            write_whole(path, data, self._unfinished)

    def _numbers(self) -> Iterator[int]:
        return (int(path.name) for path in (self._data / ENTRIES).glob("*/*") if (path / LIST).is_file())

    def _shard(self, numbers: list[int]) -> dict[str, Any]:
        """Write the collection of a folder of entries; how the whole names it."""
        folder = (self._data / folder_of(numbers[0])).parent
        address = f"{self._order.address}{ENTRIES}/{folder.name}/{COLLECTION}"
        label = {language: f"{words}: {numbers[0]}\N{EN DASH}{numbers[-1]}" for language, words in _LABEL.items()}
        items = (json.loads((folder / str(number) / MANIFEST).read_bytes()) for number in numbers)
        told = [{name: each[name] for name in ("id", "type", "label")} for each in items]
        self._renew(folder / COLLECTION, as_json(collection(address, label, told)))
        return {"id": address, "type": "Collection", "label": {key: [words] for key, words in label.items()}}

    def _write_changes(self, numbers: Iterable[int]) -> None:
        """What changed, oldest first; pages that are no more go with an earlier, longer stream."""
        live = (json.loads((self._data / folder_of(number) / ACTIVITY).read_bytes()) for number in numbers)
        stones = (json.loads(stone.read_bytes()) for stone in sorted((self._data / WITHDRAWN).glob("*.json")))
        told = [*live, *(deletion(each["id"], each["withdrawn_at"]) for each in stones)]
        told.sort(key=lambda each: (each["endTime"], each["object"]["id"]))
        folder = self._data / changes.FOLDER
        make_folder(folder)
        written = set()
        for name, page in changes.pages(told, f"{self._order.address}{changes.FOLDER}/"):
            self._renew(folder / name, as_json(page))
            written.add(name)
        for path in folder.iterdir():
            if path.name not in written:
                path.unlink()

    def _write_table(self, numbers: Iterable[int]) -> None:
        with writing_whole(self._data / TABLE, self._unfinished) as table:
            for place, number in enumerate(numbers):
                rows = (self._data / folder_of(number) / ROW).read_bytes()
                table.write(rows.partition(b"\r\n")[2] if place else rows)

    def _write_bag(self) -> None:
        if not (self._target / BAG_MANIFEST).exists():
            os.sync()  # where entries came to lie and went: the manifest must not outlast it
        count, size, above = 0, 0, len(str(self._target)) + 1
        with writing_whole(self._target / BAG_MANIFEST, self._unfinished) as manifest:
            for sha256, path in self._payload():
                manifest.write(f"{sha256}  {path[above:]}\n".encode())
                count, size = count + 1, size + os.stat(path).st_size  # noqa: PTH116  # of millions of names
            info = f"Bag-Software-Agent: nishiki {version('nishiki')}\nPayload-Oxum: {size}.{count}\n"
            self._renew(self._target / BAG_INFO, info.encode())  # before the manifest: it makes the folder a bag
        tags = sorted((BAG_INFO, BAG, BAG_MANIFEST, OUR_MARK))
        lines = (f"{_sum(self._target / name)}  {name}\n" for name in tags)
        self._renew(self._target / TAGS, "".join(lines).encode())

    def _payload(self) -> Iterator[tuple[str, str]]:
        """Every file of the data with its sha256, entry by entry; those of entries are known by their lists."""
        for path in _walk(self._data):
            if path.name == LIST:
                yield from ((sha256, f"{path.parent}/{name}") for name, sha256 in read_list(path.parent).items())
            yield _sum(path), str(path)


def _walk(data: Path) -> Iterator[Path]:
    """The files beside the entries, and of each entry its list."""
    yield from (data / name for name in (COLLECTION, TABLE) if (data / name).is_file())
    for shard in sorted((data / ENTRIES).iterdir()):
        yield shard / COLLECTION
        for entry in sorted((path for path in shard.iterdir() if path.is_dir()), key=lambda path: int(path.name)):
            yield entry / LIST
    for folder in (WITHDRAWN, changes.FOLDER):
        yield from sorted((data / folder).glob("*.json"))


def _check(target: Path, order: Order, home: Path) -> bool:
    """Can the export go there? And is it the first?

    Raises:
        ExportUnusable: it cannot.
    """
    if target.exists() and not target.is_dir():
        raise ExportUnusable(f"{target} is a file, and an export is a folder; give another")
    if target.resolve().is_relative_to(home.resolve()) and target.parent != home / HomeFolder.EXPORTS:
        raise ExportUnusable(f"{target} lies in the home of the catalogue; give a folder elsewhere")
    mark = target / OUR_MARK
    said = mark.read_bytes() if mark.is_file() else None
    if said:
        if said != _mark(order):
            raise ExportUnusable(
                f"{target} holds an export with another --address or --filter, or with tiles where this has none: "
                f"{_told(mark)}; give the same, or another folder"
            )
        return False
    if said is None and target.is_dir() and (others := sorted({path.name for path in target.iterdir()} - {_LOCK})):
        raise ExportUnusable(f"{target} holds other things ({others[0]}); give an empty folder, or one of an export")
    return True


def _mark(order: Order) -> bytes:
    told = {"export": "nishiki", "version": 1, "address": order.address, "filter": order.narrowing}
    return as_json(told if order.tiles else told | {"tiles": False})


def _told(mark: Path) -> str:
    try:
        kept = json.loads(mark.read_bytes())
        tiles = "--tiles" if kept.get("tiles", True) else "--no-tiles"
        return f"--address {kept['address']} --filter '{kept['filter']}' {tiles}"
    except (ValueError, KeyError, TypeError):
        return f"{mark.name} cannot be read"


def _nothing(order: Order) -> str:
    which = f" among those that the filter '{order.narrowing}' finds" if order.narrowing else ""
    return (
        f"no approved entry{which} may leave by its rights, so nothing was written; the queue of the review page "
        "shows what waits, and under All what was approved"
    )


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    make_folder(target)
    with held_alone(target / _LOCK, "another export is being written into"):
        yield


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """An entry's descriptions are thousands of objects in no ring: to look for rings took a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(_COLLECT, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _forget_empty(entries: Path, full: Collection[str]) -> None:
    for shard in entries.iterdir():
        if shard.name not in full:
            shutil.rmtree(shard)


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _chained(first: list[Approved], rest: Iterator[list[Approved]]) -> Iterator[list[Approved]]:
    yield first
    yield from rest
