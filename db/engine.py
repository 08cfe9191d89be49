"""Connections to SQLite and PostgreSQL, and the schema's revision.

`db.catalogue` and `db.doctor` call this. On SQLite every writer begins with BEGIN IMMEDIATE, so that it waits
for its turn instead of failing half-way with "database is locked". Alembic is loaded only when the schema has
to be made or examined: the everyday check compares one row with HEAD.
"""

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    ExceptionContext,
    NullPool,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import DatabaseError, InvalidatePoolError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from db.errors import (
    CatalogueAhead,
    CatalogueBehind,
    CatalogueFull,
    CatalogueLost,
    CatalogueMisfit,
    CatalogueReadOnly,
    CatalogueUnreachable,
    NoCatalogue,
)
from db.tables.columns import to_json

HEAD = "0026"
"""The newest revision in `db/migrations`; a test holds it to Alembic's word."""

SQLITE = "sqlite:///"
"""What the URL of a SQLite file begins with; the rest is its path, as it is written."""
MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_S = 30
"""How long a SQLite writer waits for its turn; ours hold it for milliseconds."""
CONNECTIONS = 15
"""Of one process, at most; they stay open, since opening one costs more than most queries do."""
_TURN_S = 30.0
"""So long a thread waits until another gives a connection back."""
_CACHE_KIB = 16 << 10
"""Pages that each connection keeps."""
_MAPPED_BYTES = 1 << 30
"""So much of the file is read from the system's memory, which all connections share; a writer would fill its own
process's with what it passes, as large as the catalogue."""
_INDEX_BYTES = 32 << 10
"""The least that the index of a write-ahead log takes."""
_NO_SUCH = ("no such table", "no such column")
_UNDEFINED = ("42P01", "42703")
"""The same in PostgreSQL's numbers: undefined table, undefined column."""
NO_RIGHT = "42501"
"""PostgreSQL's number for what the role may not do."""
_CUT = ("08", "57P")
"""How its numbers begin where it ends a connection: by an administrator, as it stops, as it crashes."""
_FORBIDDEN = ("25006", NO_RIGHT)
"""The same for a transaction, or a role, that may only read."""
_OURS = frozenset({"archives", "attempts", "batches", "embeddings", "images", "matches", "record_images", "windows"})
"""Tables that every schema of ours has."""
_PRIVATE = 0o600
_FRESH_S = 1.0
"""How long a connection is taken for alive without asking: a page takes one two dozen times."""
_WRITES = {"nishiki_writes": True}
_ADVISORY_LOCK = 0x6E697368
"""PostgreSQL lock (any number, ours alone) under which one process at a time changes the schema."""


def connect(address: str, wait_s: float = 0.0) -> Engine:
    """Make an engine for a database URL; nothing is opened yet. PostgreSQL is always spoken by psycopg 3.

    Of its connections the one that was used last is taken first: it knows the statements that were prepared on it.

    Args:
        wait_s: so long a PostgreSQL that is away is waited for.
    """
    pool = {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_use_lifo": True, "pool_timeout": _TURN_S + wait_s}
    engine = _tuned(create_engine(_url(address), json_serializer=to_json, **pool))
    if engine.dialect.name == "postgresql":
        from db.patience import Patience  # noqa: PLC0415  # it speaks to the driver, which SQLite's users need not have

        event.listen(engine, "do_connect", Patience(engine, shown(engine), wait_s).connect)
    return engine


def make_private(file: Path) -> None:
    """Make an empty SQLite file that nobody else can read, where there is none; its journals take after it."""
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, _PRIVATE))


def writing(engine: Engine) -> Engine:
    """The same engine and pool; its transactions are writers from their first statement."""
    return engine.execution_options(**_WRITES)


def reading(engine: Engine) -> Engine:
    """The same engine and pool for what only reads.

    On PostgreSQL each statement is then a transaction of its own. It sees what it would see in a longer one (READ
    COMMITTED), and the server is not told of the beginning and the end: two of three answers for a small query.
    """
    return engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="AUTOCOMMIT")


def database_file(engine: Engine) -> Path | None:
    """SQLite's file; None for a server."""
    return Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None


def taken_for_still(file: Path) -> bool:
    """Is a SQLite file read as one that nobody writes? Should somebody begin to, SQLite would not notice."""
    return _only_read(file) and not _has_journal(file)


def revision(engine: Engine) -> str | None:
    """The schema's revision; None: the database is empty.

    Raises:
        NoCatalogue: the database holds tables, but not ours.
        CatalogueMisfit: it has no schema number, or several.
    """
    with understood(engine), engine.connect() as connection:
        return _revision(connection)


def prepare(engine: Engine, *, create: bool = True) -> None:
    """Bring an empty database to the newest schema; refuse any other than the newest.

    Raises:
        NoCatalogue: the database is empty and `create` is off.
        CatalogueBehind, CatalogueAhead: the schema is of another version.
    """
    if holds_catalogue(engine):
        return
    if not create:
        raise NoCatalogue(f"there is no catalogue at {shown(engine)} yet; harvest an archive first")
    _migrate(engine)


def holds_catalogue(engine: Engine) -> bool:
    """Is there a catalogue of the newest schema? False: the database is empty.

    Raises:
        NoCatalogue: the database holds tables, but not ours.
        CatalogueBehind, CatalogueAhead: the schema is of another version.
    """
    found = revision(engine)
    if found in (None, HEAD):
        return found is not None
    _refuse_newer(engine, found)
    raise CatalogueBehind(
        f"the catalogue at {shown(engine)} has schema {found}, this program needs {HEAD}; "
        "run `nishiki doctor --upgrade` (it copies a SQLite catalogue first)"
    )


def check_writable(engine: Engine) -> None:
    """Could a night be written here? Nothing is.

    Raises:
        CatalogueReadOnly: it could not.
    """
    with understood(engine), writing(engine).connect() as connection:
        connection.execute(text("UPDATE nights SET reason = reason WHERE 1 = 0"))


def upgrade(engine: Engine) -> Path | None:
    """Bring an older schema to the newest; all of it or nothing. No other process may write meanwhile.

    Returns:
        SQLite's copy of the old state, beside the catalogue; None where nothing was copied.

    Raises:
        NoCatalogue: there is none to upgrade.
        CatalogueAhead: the schema is newer than this program.
    """
    found = revision_upgradable(engine)
    if found == HEAD:
        return None
    copy = _copied(engine, found)
    _migrate(engine)
    return copy


def revision_upgradable(engine: Engine) -> str:
    """The schema's revision: the newest, or one that can be brought to it.

    Raises:
        NoCatalogue: there is none.
        CatalogueAhead: the schema is newer than this program.
    """
    found = revision(engine)
    if found is None:
        raise NoCatalogue(f"there is no catalogue at {shown(engine)} yet; harvest an archive first")
    if found != HEAD:
        _refuse_newer(engine, found)
    return found


def known_revisions() -> frozenset[str]:
    """Every revision that this program's migrations can start from."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415  # 0.1 s that an ordinary command saves

    return frozenset(step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def alembic_config(connection: Connection) -> Any:
    """Alembic's configuration on an open connection: no alembic.ini, no second engine."""
    from alembic.config import Config  # noqa: PLC0415  # as above

    # as it is now: the default is what sys.stdout was when alembic was first imported, and that may be closed
    config = Config(attributes={"connection": connection}, stdout=sys.stdout)
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """A connection fit for changing the schema: one process at a time, all or nothing.

    SQLite rebuilds tables, which must not cascade: foreign keys are off, and checked before the commit.
    """
    lone = create_engine(engine.url, poolclass=NullPool, json_serializer=to_json)
    with understood(engine), writing(_tuned(lone, foreign_keys=False)).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        yield connection
        if engine.dialect.name == "sqlite":
            broken = connection.execute(text("PRAGMA foreign_key_check")).first()
            if broken is not None:
                raise CatalogueBehind(f"upgrading {shown(engine)} would break {broken[0]}; nothing was changed")


@contextmanager
def understood(engine: Engine) -> Iterator[None]:
    """Turn what the database says of itself into an error that tells what to do."""
    try:
        yield
    except DatabaseError as error:
        said, number = said_by(error), getattr(error.orig, "sqlstate", None)
        if "disk is full" in said or number == "53100" or ("disk I/O error" in said and _has_no_room(engine)):
            raise CatalogueFull(f"no room left for the catalogue at {shown(engine)}; free some space") from error
        if "not a database" in said or "malformed" in said:
            raise NoCatalogue(
                f"{shown(engine)} is not a sound SQLite database ({said}); put it aside or give another home"
            ) from error
        if "readonly database" in said or number in _FORBIDDEN:
            raise CatalogueReadOnly(
                f"the catalogue at {shown(engine)} can only be read here ({said}); what was asked for writes into it, "
                "so run it where, or as one who, may write there"
            ) from error
        if said.startswith(_NO_SUCH) or number in _UNDEFINED:
            raise CatalogueMisfit(
                f"the catalogue at {shown(engine)} does not fit this version ({said}); run: nishiki doctor"
            ) from error
        if not isinstance(error, OperationalError):
            raise
        if "unable to open database" in said:
            raise CatalogueUnreachable(_closed_to_us(engine)) from error
        unreachable = CatalogueLost if error.connection_invalidated else CatalogueUnreachable
        raise unreachable(
            f"the catalogue at {shown(engine)} does not answer ({said}); check it, then run this again"
        ) from error


def is_cut(error: object) -> bool:
    """Whether it says that the server has ended this connection."""
    return str(getattr(error, "sqlstate", None) or "").startswith(_CUT)


def said_by(error: DatabaseError) -> str:
    """The first line of what the database says."""
    return (str(error.orig).strip() or "no reason given").splitlines()[0]


def _has_no_room(engine: Engine) -> bool:
    """Is there none for the index of its log, which SQLite makes beside the file to read it, too?"""
    file = database_file(engine)
    return file is not None and shutil.disk_usage(file.parent).free < _INDEX_BYTES


def _closed_to_us(engine: Engine) -> str:
    """Why SQLite cannot open the file."""
    file = database_file(engine) or Path()
    if file.is_file() and os.access(file, os.R_OK) and _has_journal(file):
        return (
            f"the newest changes of the catalogue lie in {file.name}-wal, and without the right to write in "
            f"{file.parent} they cannot be read; run this once as one who may write there, or read a copy of the home"
        )
    return f"{file} cannot be opened; see whether you may read it and its folder {file.parent}"


def _refuse_newer(engine: Engine, found: str) -> None:
    if found not in known_revisions():
        raise CatalogueAhead(
            f"the catalogue at {shown(engine)} has schema {found}, newer than this program's {HEAD}; update nishiki, "
            "or use the version that made it"
        )


def _migrate(engine: Engine) -> None:
    from alembic import command  # noqa: PLC0415  # 0.1 s that an ordinary command saves

    with migrating(engine) as connection:
        command.upgrade(alembic_config(connection), "head")
    file = database_file(engine)
    if file is not None:
        _remember_wal(file)


def _remember_wal(file: Path) -> None:
    """Readers and a writer at once, from now on: the file itself remembers the journal mode.

    SQLite does not wait for its turn here as it does elsewhere, so this asks again while others use the file.
    """
    ends = time.monotonic() + BUSY_S
    while not _is_wal(file):
        if time.monotonic() > ends:
            raise CatalogueUnreachable(f"{file} is in use by another program; end that, or try again later")
        time.sleep(0.05)


def _is_wal(file: Path) -> bool:
    with closing(sqlite3.connect(file, timeout=BUSY_S)) as raw:
        try:
            mode: str = raw.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except sqlite3.OperationalError:
            return False
    return mode == "wal"


def _copied(engine: Engine, found: str) -> Path | None:
    file = database_file(engine)
    if file is None:
        return None
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    copy = file.with_name(f"{file.name}.schema-{found}.{stamp}")
    make_private(copy)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def _revision(connection: Connection) -> str | None:
    tables = set(inspect(connection).get_table_names())
    others = sorted(tables - {"alembic_version"})
    if others and ("alembic_version" not in tables or len(_OURS & tables) < len(_OURS) / 2):
        raise NoCatalogue(
            f"the database at {shown(connection.engine)} is not nishiki's: it holds other tables "
            f"({', '.join(others[:3])}{' ...' if others[3:] else ''}); give an empty one"
        )
    if "alembic_version" not in tables:
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    if not found and not others:
        return None
    if len(found) != 1:
        raise CatalogueMisfit(
            f"the catalogue at {shown(connection.engine)} has {'several' if found else 'no'} schema numbers "
            "(in its table alembic_version), as after damage; bring it back from a copy: nishiki restore"
        )
    return str(found[0])


def _tuned(engine: Engine, *, foreign_keys: bool = True) -> Engine:
    return _tuned_file(engine, foreign_keys) if engine.dialect.name == "sqlite" else _tuned_server(engine)


def _tuned_server(engine: Engine) -> Engine:
    @event.listens_for(engine, "connect")
    def settle(connection: Any, _record: object) -> None:
        connection.execute("SET jit = off")  # a plan is compiled for longer than a page's query runs
        connection.commit()

    @event.listens_for(engine, "checkin")
    def note(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def look(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get("used_at", time.monotonic()) < _FRESH_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error  # those that were opened before are of no more use either

    @event.listens_for(engine, "handle_error")
    def see(context: ExceptionContext) -> None:
        # the driver has not read the end of the line yet; all other connections are of no more use either
        context.is_disconnect = context.is_disconnect or is_cut(context.original_exception)

    return engine


def _tuned_file(engine: Engine, foreign_keys: bool) -> Engine:
    @event.listens_for(engine, "do_connect")
    def open_file(_dialect: object, _record: object, _given: object, options: dict[str, Any]) -> sqlite3.Connection:
        opened: sqlite3.Connection = sqlite3.connect(_address_of(Path(engine.url.database or "")), uri=True, **options)
        return opened

    @event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver would begin by itself, and too late
        connection.execute(f"PRAGMA busy_timeout={BUSY_S * 1000}")
        connection.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("nishiki_writes")
        mapped = 0 if writes else _MAPPED_BYTES
        if connection.info.get("mapped") != mapped:
            connection.exec_driver_sql(f"PRAGMA mmap_size={mapped}")
            connection.info["mapped"] = mapped
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _url(address: str) -> URL:
    if _on_server(address):
        return make_url(address).set(drivername="postgresql+psycopg")
    # as it is written: SQLAlchemy would end the path at the first question mark
    return URL.create("sqlite", database=str(Path(address.removeprefix(SQLITE)).absolute()))


def _address_of(file: Path) -> str:
    """SQLite's URI of a file, whatever its name; read only where nothing can be written.

    SQLite reads a file with a write-ahead log only where it can write beside it, unless it is told that nobody writes:
    where there is no log, this is so.
    """
    way = "mode=rwc"
    if taken_for_still(file):
        way = "mode=ro&immutable=1"
    elif _only_read(file):
        way = "mode=ro"
    return f"file:{quote(os.fsencode(file))}?{way}"


def _only_read(file: Path) -> bool:
    return file.exists() and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))


def _has_journal(file: Path) -> bool:
    journal, index = (file.with_name(f"{file.name}-{kind}") for kind in ("wal", "shm"))
    return index.exists() or (journal.exists() and journal.stat().st_size > 0)


def _on_server(address: str) -> bool:
    return address.startswith("postgres")


def shown(engine: Engine) -> str:
    """Where a database is, for a person."""
    url = engine.url.difference_update_query(["connect_timeout", "password", "sslpassword"])
    return str(database_file(engine) or url.render_as_string(hide_password=True))
