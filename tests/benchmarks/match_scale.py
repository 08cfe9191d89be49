"""Section `scale` of `tests.benchmarks.match`: seconds and memory of ranking 1,000 queries among 100,000 drawn vectors.

Each way is measured in a process of its own, `python -m tests.benchmarks.match_scale WAY HOME`. It prints the seconds,
those of all cores, and how much its memory grew at most, without the pages of files that SQLite maps.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import numpy as np
import psycopg
from numpy.typing import NDArray
from pydantic import SecretStr
from sqlalchemy import insert

from colorize.device import use_one_thread
from colorize.matching.ranking import Blocks, Portions, Vectors, centre_of, rank
from db.catalogue import Catalogue
from db.entries.night import Derivatives, EncoderKey, Tone
from db.settings import CatalogueSettings
from db.tables.base import Base, PictureState
from db.tables.night import Archive, Embedding, Image, Record, RecordImage, Rights
from tests.benchmarks.figures import Figure
from tests.benchmarks.memory import resident
from tests.benchmarks.review_catalogue import database_in
from tests.benchmarks.review_tables import NIGHT

STYLES, QUERIES, DIM, BEST = 100_000, 1_000, 512, 50
MEMORY_MB = 512
ENCODER = EncoderKey("drawn", "0")
_SOME = 10_000


def scale() -> Iterator[Figure]:
    """A ranking from memory and from a catalogue on either database; what pgvector takes for one query."""
    with tempfile.TemporaryDirectory(prefix="nishiki-scale-") as folder:
        yield from _measured("from memory", "memory", folder)
        for name in ("SQLite", "PostgreSQL"):
            home = Path(folder) / name
            home.mkdir()
            with database_in(name.lower(), home) as url:
                fill(home, url)
                yield from _measured(f"from {name}", "catalogue", str(home), *([url.get_secret_value()] if url else []))
                if url:
                    yield Figure(f"{STYLES:,} × {DIM}, one query of pgvector", pgvector(url), "s")


def _measured(name: str, *command: str) -> Iterator[Figure]:
    run = [sys.executable, "-m", "tests.benchmarks.match_scale", *command]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    seconds, of_cores, megabytes = map(float, said.split())
    what = f"{QUERIES:,} × {STYLES:,} × {DIM}, {name}"
    limits = (2, 4) if command[0] == "memory" else (None, None)
    for value, unit, limit in zip((seconds, of_cores), ("s", "CPU s, 2 cores"), limits, strict=True):
        yield Figure(f"{what}: ranked", value, unit, *((f"≤ {limit}", value <= limit) if limit else ()))
    yield Figure(f"{what}: memory beside it", megabytes, "MB", f"≤ {MEMORY_MB}", megabytes <= MEMORY_MB)


def fill(home: Path, url: SecretStr | None) -> None:
    """A catalogue of STYLES usable colour images, each with its vector."""
    settings = CatalogueSettings(home=home, database_url=url)
    with Catalogue.open(settings) as catalogue, catalogue.engine.begin() as connection:
        connection.execute(insert(Archive), [{"id": 1, "name": "drawn", "kind": "oai-pmh", "address": ""}])
        for first in range(1, STYLES + 1, _SOME):
            numbers = range(first, first + _SOME)
            vectors = _drawn(first)
            tables: list[tuple[type[Base], list[dict[str, object]]]] = [
                (Record, [_record(number) for number in numbers]),
                (Rights, [_rights(number) for number in numbers]),
                (Image, [_image(number) for number in numbers]),
                (RecordImage, [_held(number) for number in numbers]),
                (Embedding, [_seen(*each) for each in zip(numbers, vectors, strict=True)]),
            ]
            for table, rows in tables:
                connection.execute(insert(table), rows)


def pgvector(url: SecretStr, queries: int = 3) -> float:
    """Seconds that PostgreSQL takes for the exact nearest of one vector, of its own copies."""
    with psycopg.connect(url.get_secret_value(), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        connection.execute("CREATE TABLE copies (id integer PRIMARY KEY, seen vector)")
        for first in range(1, STYLES + 1, _SOME):
            with connection.cursor().copy("COPY copies FROM STDIN") as copy:
                for number, vector in enumerate(_drawn(first), first):
                    copy.write_row((number, _spelt(vector)))
        connection.execute("ANALYZE copies")
        nearest = "SELECT id FROM copies ORDER BY seen <=> %s::vector, id LIMIT %s"
        began = time.perf_counter()
        for vector in _drawn(0, queries):
            connection.execute(nearest, (_spelt(vector), BEST)).fetchall()
        return (time.perf_counter() - began) / queries


def _spelt(vector: Vectors) -> str:
    return str(vector.tolist())


def _drawn(seed: int, count: int = _SOME) -> Vectors:
    return np.random.default_rng(seed).standard_normal((count, DIM), dtype=np.float32)


def _record(number: int) -> dict[str, object]:
    words = dict.fromkeys(("digest", "raw", "title", "date_text", "holder", "credit_line"), "")
    return {"id": number, "archive_id": 1, "identifier": str(number), "datestamp": NIGHT, **words}


def _rights(number: int) -> dict[str, object]:
    return {"record_id": number, "derivatives": Derivatives.YES, "basis": "", "text": ""}


def _image(number: int) -> dict[str, object]:
    size = {"width": 900, "height": 600, "mode": "RGB", "bytes": 1, "tone_measures": {}}
    said = {"record_id": number, "tone": Tone.COLOUR, "fetched_at": NIGHT}
    return {"id": number, "sha256": f"{number:064x}", **said, **size}


def _held(number: int) -> dict[str, object]:
    held = {"image_id": number, "state": PictureState.HELD}
    return {"record_id": number, "position": 0, "reference": "", "tries": 0, **held}


def _seen(number: int, vector: Vectors) -> dict[str, object]:
    key = {"encoder_name": ENCODER.name, "encoder_checksum": ENCODER.checksum}
    return {"image_id": number, **key, "dim": DIM, "vector": vector.tobytes()}


def main(way: str, folder: str, url: str | None = None) -> None:
    """Rank once, in a process that has nothing else to do."""
    use_one_thread()
    rank(_drawn(0, 10), lambda: [(np.arange(10), _drawn(1, 10))], 5, None)
    queries = _drawn(0, QUERIES)
    settings = CatalogueSettings(home=Path(folder), database_url=SecretStr(url) if url else None)
    with Catalogue.open(settings) as catalogue:
        portions = Portions.of(MEMORY_MB * 1e6, DIM)
        assert portions.queries >= QUERIES  # all at once
        blocks = from_memory() if way == "memory" else from_catalogue(catalogue, portions.styles)
        with peak() as held:
            began, busy = time.perf_counter(), time.process_time()
            found = rank(queries, blocks, BEST, centre_of(blocks))
            took, busy = time.perf_counter() - began, time.process_time() - busy
    assert [len(row) for row in found] == [BEST] * QUERIES
    sys.stdout.write(f"{took} {busy} {max(held) - held[0]}\n")


@contextmanager
def peak() -> Iterator[list[float]]:
    """The process's own memory, MB: before, and every 20 ms meanwhile."""
    held, ended = [resident("RssAnon")], Event()

    def watch() -> None:
        while not ended.wait(0.02):
            held.append(resident("RssAnon"))

    with ThreadPoolExecutor(1) as threads:
        threads.submit(watch)
        yield held
        ended.set()


def from_catalogue(catalogue: Catalogue, block: int) -> Blocks:
    """As the night's matching reads them: what may be used is asked once, at the first reading."""
    ids: list[int] = []

    def blocks() -> Iterable[tuple[NDArray[np.int64], Vectors]]:
        ids[:] = ids or catalogue.style_ids(ENCODER)
        return catalogue.vectors_in_blocks(ENCODER, ids, block=block)

    return blocks


def from_memory() -> Blocks:
    """The same vectors, drawn before."""
    vectors = np.concatenate([_drawn(first) for first in range(1, STYLES + 1, _SOME)])
    ids = np.arange(1, STYLES + 1)

    def blocks() -> Iterable[tuple[NDArray[np.int64], Vectors]]:
        return ((ids[at : at + 4096], vectors[at : at + 4096]) for at in range(0, STYLES, 4096))

    return blocks


if __name__ == "__main__":
    main(*sys.argv[1:])
