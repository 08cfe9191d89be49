"""How fast approved entries leave as a package, and what it costs to do so again.

`python -m tests.benchmarks.export [ENTRIES]` fills a catalogue on SQLite with so many, whose pictures are bytes of the
size of small ones, and exports it twice, with tiles and without. Nothing is encoded, and every file is as durable as in
earnest. Beside each stands how fast the same folders and files are copied, which is what the disk and its file system
allow at that moment.
"""

import fcntl
import json
import os
import resource
import shutil
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from unittest.mock import patch

from db.catalogue import Catalogue
from db.entries.night import Verdict
from db.entries.review import Judgement, QueueFilter
from db.exports.entry_files import Sources
from db.exports.package import Order, export
from db.files.home import HomeFolder
from db.files.tiles import TileStore
from db.settings import CatalogueSettings
from tests.benchmarks.figures import Figure, publish
from tests.samples import Sample

ENTRIES: Final = 1_000
LEAST_EACH_S: Final = 200
MOST_MB: Final = 64
_TILES: Final = ("0,0,512,512/512,512", "512,0,512,512/512,512", "0,512,512,512/512,512", "full/512,512")
_TILE: Final = 30_000
_FULL_SIZE: Final = 300_000
_GET_FLAGS, _SET_FLAGS, _TOP = 0x80086601, 0x40086602, 0x20000
"""Of ext4, by which `chattr +T` works."""


def main(entries: int = ENTRIES) -> None:
    """Fill, export, export again."""
    with tempfile.TemporaryDirectory() as place:
        settings = CatalogueSettings(home=Path(place) / "home")
        with Catalogue.open(settings) as catalogue:
            store = TileStore(settings.home / HomeFolder.TILES)
            with patch.object(os, "fsync"):  # filling is not what is measured
                _fill(catalogue, store, entries)
            os.sync()
            publish("export", _measured(Sources(catalogue, store), _apart(Path(place)), entries))


def _apart(place: Path) -> Path:
    """A folder in it whose own folders ext4 puts where nothing else lies.

    Before it makes a file it passes over those that were deleted beside it in the last five minutes, one by one: where
    tests have run it is several times as slow.
    """
    folder = place / "packages"
    folder.mkdir()
    handle = os.open(folder, os.O_RDONLY)
    with suppress(OSError):  # another file system
        (flags,) = struct.unpack("L", fcntl.ioctl(handle, _GET_FLAGS, struct.pack("L", 0)))
        fcntl.ioctl(handle, _SET_FLAGS, struct.pack("L", flags | _TOP))
    os.close(handle)
    return folder


def _fill(catalogue: Catalogue, store: TileStore, entries: int) -> None:
    sample = Sample()
    for number in range(entries):
        sample.matched(catalogue, sample.record(f"r{number}"), 0.9)
    batch = sample.take(catalogue)
    for pending in catalogue.pending_attempts(batch):
        data = os.urandom(_FULL_SIZE)
        catalogue.close_attempt(batch, pending.id, sample.succeeded(catalogue, data=data))
        catalogue.give_verdict(pending.id, "curator", Judgement(Verdict.APPROVED))
        for sha256 in (pending.content.sha256, catalogue.attempt(pending.id).output_sha256):
            store.add(str(sha256), _tiles)
    catalogue.close_batch(batch)


def _tiles(folder: Path) -> None:
    for name in _TILES:
        (folder / name / "0").mkdir(parents=True)
        (folder / name / "0/default.jpg").write_bytes(os.urandom(_TILE))
    (folder / "preview.jpg").write_bytes(os.urandom(2 * _TILE))
    (folder / "info.json").write_text(json.dumps({"width": 1024, "height": 1024, "profile": "level0"}))


def _measured(sources: Sources, folder: Path, entries: int) -> Iterator[Figure]:
    yield Figure("entries exported", entries, "")
    for name, tiles in (("without tiles", False), ("with tiles", True)):
        order, target = Order("https://prints.example/", QueueFilter(), tiles=tiles), folder / name
        yield from _first(sources, target, order, entries)
        began = time.perf_counter()
        again = export(sources, target, order)
        assert again.unchanged == entries, again
        yield Figure(f"{name}: the same again, with nothing new", entries / (time.perf_counter() - began), "entries/s")
        began = time.perf_counter()
        shutil.copytree(target / "data", folder / f"copy {name}", copy_function=shutil.copyfile)
        os.sync()
        yield Figure(f"{name}: its files copied, no more", entries / (time.perf_counter() - began), "entries/s")


def _first(sources: Sources, target: Path, order: Order, entries: int) -> Iterator[Figure]:
    before, began, worked = _peak_mb(), time.perf_counter(), time.process_time()
    done = export(sources, target, order)
    took, worked = time.perf_counter() - began, time.process_time() - worked
    grown, name = _peak_mb() - before, target.name
    assert done.new == entries, done
    yield Figure(
        f"{name}: the first export", entries / took, "entries/s", f"≥ {LEAST_EACH_S}", entries / took >= LEAST_EACH_S
    )
    yield Figure(f"{name}: a core's time for an entry", 1000 * worked / entries, "ms")
    yield Figure(f"{name}: memory that it took", grown, "MB", f"≤ {MOST_MB}", grown <= MOST_MB)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)
