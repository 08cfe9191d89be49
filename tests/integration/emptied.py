"""PostgreSQL databases of tests, each used again when it was emptied: ten times as fast as making one anew."""

from typing import LiteralString
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import URL

Connection = psycopg.Connection[tuple[object, ...]]
TEMPLATE = "nishiki_template"
MOST_GROWTH = 2_000_000
"""Bytes; what deleted rows leave behind would otherwise change how a query is carried out."""
_EMPTY: LiteralString = """DO $$ DECLARE each regclass; BEGIN
    FOR each IN SELECT oid FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
        LOOP EXECUTE format('DELETE FROM %s', each); END LOOP;
    PERFORM setval(seqrelid, seqstart, false) FROM pg_sequence; END $$"""
_SCHEMA: LiteralString = """SELECT
    (SELECT (count(*), sum(oid::bigint), sum(relnatts), sum(relchecks), sum(reltuples))::text
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'S'),
    (SELECT sum(oid::bigint) FROM pg_trigger), (SELECT count(*) FROM pg_db_role_setting),
    (SELECT string_agg(version_num, ' ') FROM alembic_version)"""
"""Changes with whatever a test makes, drops, makes anew or has counted (ANALYZE)."""
_NUMBERS: LiteralString = (
    "SELECT sequencename::regclass::oid, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
)
_SIZE: LiteralString = "SELECT pg_database_size(current_database())"


class Databases:
    """Copies of the empty catalogue that this server's template is; `close` drops all."""

    def __init__(self, server: URL, template: str) -> None:
        self._server = server
        self._template = template
        self._idle: list[str] = []
        with self._inside(template) as database:
            self._rows = _rows(database)
            self._numbers = database.execute(_NUMBERS).fetchall()
            self._schema = database.execute(_SCHEMA).fetchone()
            self._most = _size(database) + MOST_GROWTH

    def url(self, name: str) -> str:
        """Of one of them."""
        return self._server.set(database=name).render_as_string(hide_password=False)

    def take(self) -> str:
        """The name of one that nobody uses."""
        if self._idle:
            return self._idle.pop()
        name, template = f"nishiki_{uuid4().hex[:12]}", sql.Identifier(self._template)
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(name), template)
        with self._inside("postgres") as server:
            server.execute(copy)
        return name

    def give_back(self, name: str) -> None:
        """Empty it for the next; drop it where its schema is another one now, or where it has grown."""
        with self._inside(name) as database:
            database.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            same = self._is_the_same(database)
            if same:
                self._empty(database)
                self._idle.append(name)
        if not same:
            self._drop(name)

    def close(self) -> None:
        """Drop those that are idle, which are all when no test runs."""
        for name in self._idle:
            self._drop(name)

    def _is_the_same(self, database: Connection) -> bool:
        try:
            return database.execute(_SCHEMA).fetchone() == self._schema and _size(database) <= self._most
        except psycopg.errors.UndefinedTable:  # without its version
            return False

    def _empty(self, database: Connection) -> None:
        """Without triggers and foreign keys, which would count and refuse."""
        database.execute("SET session_replication_role = replica")
        database.execute(_EMPTY)
        for table, rows in self._rows.items():
            with database.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
                copy.write(rows)
        for sequence, last in self._numbers:
            database.execute("SELECT setval(%s::oid::regclass, %s)", (sequence, last))

    def _drop(self, name: str) -> None:
        with self._inside("postgres") as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _inside(self, name: str) -> Connection:
        plain = self._server.set(drivername="postgresql", database=name)
        return psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)


def _size(database: Connection) -> int:
    (size,) = database.execute(_SIZE).fetchone() or (0,)
    return int(str(size))


def _rows(database: Connection) -> dict[str, bytes]:
    """What the migrations themselves write, by table."""
    names = database.execute(
        "SELECT relname FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
    )
    found = {}
    for (name,) in names.fetchall():
        with database.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(str(name)))) as copy:
            found[str(name)] = b"".join(bytes(each) for each in copy)
    return {name: rows for name, rows in found.items() if rows}
