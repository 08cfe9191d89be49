"""What all queries of the catalogue stand on: the database, the picture store, transactions.

A method is one transaction: all of it is durable when it returns, nothing of it when it raises. So one that loses its
connection before any COMMIT is carried out anew, once the server is back (`db.patience`); where the answer to a COMMIT
was lost, nobody knows whether it holds, and only what is `repeatable` is carried out anew.
"""

import functools
import inspect
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from db.engine import is_cut, reading, understood, writing
from db.entries.night import ImageEntry, ImageFacts
from db.errors import CatalogueLost
from db.files.pictures import PictureStore
from db.files.working_copies import WorkingCopies
from db.tables.base import Base
from db.tables.night import Image, RecordImage

_Key = TypeVar("_Key", int, str)
_P = ParamSpec("_P")
_R = TypeVar("_R")
CHUNK = 5000
"""Keys in one IN list; SQLite takes 32,766 and PostgreSQL 65,535 parameters."""
TRIES = 3
"""Of a method that loses its connection each time, as by a query over which the server itself dies."""


class _Commits(threading.local):
    begun = 0
    """By this thread, ever."""


_COMMITS = _Commits()


def repeatable(method: Callable[_P, _R]) -> Callable[_P, _R]:
    """A method that may be carried out twice: nothing is made twice by it or lost, though what it counts may differ."""
    return _anew(method, in_any_case=True)


def _anew(method: Callable[_P, _R], *, in_any_case: bool = False) -> Callable[_P, _R]:
    @functools.wraps(method)
    def carried_out(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        for _ in range(TRIES - 1):
            before = _COMMITS.begun
            try:
                return method(*args, **kwargs)
            except CatalogueLost:
                if _COMMITS.begun != before and not in_any_case:
                    raise
        return method(*args, **kwargs)

    return carried_out


class Store:
    """The database and the pictures of one catalogue."""

    def __init_subclass__(cls, **given: Any) -> None:
        """Its queries survive a server that is started anew; what yields has told a part already, and does not."""
        super().__init_subclass__(**given)
        for name, member in list(vars(cls).items()):
            yields = inspect.isgeneratorfunction(member)
            if inspect.isfunction(member) and not (name.startswith("_") or yields or hasattr(member, "__wrapped__")):
                setattr(cls, name, _anew(member))

    def __init__(self, engine: Engine, pictures: PictureStore, working_copies: WorkingCopies) -> None:
        self.engine = engine
        self._readers, self._writers = reading(engine), writing(engine)
        self.pictures = pictures
        self.working_copies = working_copies

    @contextmanager
    def _reading(self, *, stream: bool = False) -> Iterator[Session]:
        """Inside it, statements that read; PostgreSQL streams rows (`yield_per`) in one transaction alone."""
        with understood(self.engine), Session(self.engine if stream else self._readers) as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with understood(self.engine), Session(self._writers) as session, session.begin():
            yield session
            session.flush()
            _COMMITS.begun += 1

    def _insert(self, table: type[Base]) -> Any:
        """An INSERT that knows ON CONFLICT: each dialect has its own, spelt alike."""
        return import_module(f"sqlalchemy.dialects.{self.engine.dialect.name}").insert(table)

    def _add_image(self, session: Session, facts: ImageFacts, record_id: int | None) -> int:
        """The row of these bytes, new or known; what first brought them stays what it was."""
        row = {
            "sha256": facts.sha256,
            "record_id": record_id,
            "width": facts.width,
            "height": facts.height,
            "mode": facts.mode,
            "bytes": facts.bytes,
            "tone": facts.tone,
            "tone_measures": dict(facts.tone_measures),
            "notes": list(facts.notes),
            "fetched_at": now(),
        }
        session.execute(self._insert(Image).values(row).on_conflict_do_nothing())
        return session.execute(select(Image.id).where(Image.sha256 == facts.sha256)).scalar_one()


def changed(session: Session, statement: Any) -> int:
    """Execute an INSERT, UPDATE or DELETE; how many rows it changed."""
    result: Any = session.execute(statement, execution_options={"preserve_rowcount": True})
    return int(result.rowcount)


def insert_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows of the same columns as they are: objects would cost twice the time.

    PostgreSQL takes them by COPY, in a tenth of the time, and its triggers that count run once, not for each row.

    Raises:
        sqlalchemy.exc.DBAPIError: as of any other statement.
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.execute(insert(table), rows)
        return
    columns = [table.__table__.columns[name] for name in rows[0]]
    statement = f"COPY {table.__tablename__} ({', '.join(column.name for column in columns)}) FROM STDIN"
    written = [column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for column in columns]
    driver: Any = connection.connection.dbapi_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                pairs = zip(written, row.values(), strict=True)
                copy.write_row([write(each) if write else each for write, each in pairs])
    except connection.dialect.loaded_dbapi.Error as error:
        dialect = connection.dialect
        lost = is_cut(error) or dialect.is_disconnect(error, driver, None)
        raised = DBAPIError.instance(statement, None, error, dialect.loaded_dbapi.Error, connection_invalidated=lost)
        raise raised from error


def named_by(session: Session, record_ids: Collection[int]) -> set[int]:
    """The images that these records name and that are held."""
    found: set[int] = set()
    for some in chunks(record_ids):
        links = select(RecordImage.image_id).where(RecordImage.record_id.in_(some), RecordImage.image_id.is_not(None))
        found |= {image_id for image_id in session.scalars(links) if image_id is not None}
    return found


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def chunks(keys: Collection[_Key]) -> Iterator[list[_Key]]:
    """Numbers or digests in lists that either database takes."""
    several = list(keys)
    return (several[start : start + CHUNK] for start in range(0, len(several), CHUNK))


def image_entry(image: Image) -> ImageEntry:
    """The row as callers see it."""
    return ImageEntry(image.id, image.sha256, image.width, image.height, image.tone)
