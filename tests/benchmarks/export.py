"""How fast approved entries leave as a package, and what it costs to do so again.

`python -m tests.benchmarks.export [ENTRIES]` fills a catalogue on SQLite with so many, whose pictures are bytes of the
size of small ones, and exports it twice. Nothing is encoded, and every file is as durable as in earnest.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
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


def main(entries: int = ENTRIES) -> None:
    """Fill, export, export again."""
    with tempfile.TemporaryDirectory() as place:
        settings = CatalogueSettings(home=Path(place) / "home")
        with Catalogue.open(settings) as catalogue:
            store = TileStore(settings.home / HomeFolder.TILES)
            with patch.object(os, "fsync"):  # filling is not what is measured
                _fill(catalogue, store, entries)
            os.sync()
            publish("export", _measured(Sources(catalogue, store), Path(place) / "bag", entries))


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


def _measured(sources: Sources, target: Path, entries: int) -> Iterator[Figure]:
    order = Order("https://prints.example/", QueueFilter())
    before, began = _peak_mb(), time.perf_counter()
    done = export(sources, target, order)
    took = time.perf_counter() - began
    grown = _peak_mb() - before
    assert done.new == entries, done
    yield Figure("entries exported", entries, "")
    yield Figure("the first export", entries / took, "entries/s", f"≥ {LEAST_EACH_S}", entries / took >= LEAST_EACH_S)
    yield Figure("memory that it took", grown, "MB", f"≤ {MOST_MB}", grown <= MOST_MB)
    began = time.perf_counter()
    again = export(sources, target, order)
    assert again.unchanged == entries, again
    yield Figure("the same again, with nothing new", entries / (time.perf_counter() - began), "entries/s")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)
