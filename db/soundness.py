"""Whether the database itself is sound, as far as it can tell: its pages and indexes, its references, its text.

`db.doctor` asks. Nothing is changed, and every answer is a sentence for a person.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Connection, Engine, ForeignKeyConstraint, and_, func, select, text
from sqlalchemy.exc import DatabaseError

from db.engine import NO_RIGHT, database_file, said_by
from db.tables.base import Base

WHOLE_BYTES: Final = 4_000_000_000
"""Up to this size a SQLite file is compared with its indexes in about a minute."""
_MOST: Final = 20
"""Faults told of one kind."""
_NO_TEXT: Final = (int, float, bool, bytes)
_EMPTIED: Final = {"embeddings": ("substr(vector, -3500) = zeroblob(3500)",)}
"""The last page of a long value holds some 3,570 of its bytes, and no further page would tell of its loss."""

Tell = Callable[[str], object]
_Check = Callable[[Connection, Tell, bool], Iterator[str]]


def unsound(engine: Engine, tell: Tell, *, whole: bool) -> Iterator[str]:
    """What is wrong with the database; the first kind of fault ends it, since the next look could trust nothing.

    Args:
        tell: hears what was not looked at.
        whole: compare a large SQLite file with its indexes, too.
    """
    for check in _CHECKS[engine.dialect.name]:
        faults = _told(engine, check, tell, whole)
        yield from faults
        if faults:
            return


def _told(engine: Engine, check: _Check, tell: Tell, whole: bool) -> list[str]:
    try:
        with engine.connect() as connection:
            return list(check(connection, tell, whole))
    except DatabaseError as error:
        if getattr(error.orig, "sqlstate", None) != NO_RIGHT:
            return [said_by(error)]
        tell(f"Some of the database was not looked at: {said_by(error)}.")
        return []


def _pages(connection: Connection, tell: Tell, whole: bool) -> Iterator[str]:
    """SQLite's own check of every page and row, and of every index against its rows."""
    file, check = database_file(connection.engine), "integrity_check"
    if not whole and file is not None and file.stat().st_size > WHOLE_BYTES:
        check = "quick_check"
        tell("The database is large: its indexes were not compared with its rows (nishiki doctor --deep does).")
    for (said,) in connection.exec_driver_sql(f"PRAGMA {check}({_MOST})"):
        yield from (line for line in str(said).splitlines() if line != "ok")


def _text(connection: Connection, _tell: Tell, _whole: bool) -> Iterator[str]:
    """No text of ours holds a NUL, no vector ends in so many; an emptied page does, which SQLite does not mind."""
    for table in Base.metadata.sorted_tables:
        words = [column.name for column in table.columns if column.type.python_type not in _NO_TEXT]
        holds = " OR ".join([*(f"instr(CAST({name} AS BLOB), x'00')" for name in words), *_EMPTIED.get(table.name, ())])
        counted = f"SELECT count(*) FROM {table.name} WHERE {holds or '0'}"  # noqa: S608  # names of our own
        if number := connection.exec_driver_sql(counted).scalar_one():
            yield f"{number} rows of {table.name} have lost some of what they held"


def _relations(connection: Connection, tell: Tell, _whole: bool) -> Iterator[str]:
    """PostgreSQL's amcheck on our tables and their B-trees, where it is installed."""
    if connection.execute(_AMCHECK).scalar_one() < 2:
        tell(
            "Pages and indexes of the database were not looked at: PostgreSQL's amcheck is not installed in it, or not "
            "open to this role (as a superuser: CREATE EXTENSION amcheck; GRANT EXECUTE ON FUNCTION bt_index_check("
            "regclass, boolean), verify_heapam TO ROLE)."
        )
        return
    for table in Base.metadata.sorted_tables:
        for block, said in connection.execute(_HEAP, {"name": table.name}):
            yield f"table {table.name}, block {block}: {said}"
        for (index,) in connection.execute(_INDEXES, {"name": table.name}).all():
            connection.execute(_TREE, {"name": index})


_AMCHECK = text(
    "SELECT count(DISTINCT proname) FROM pg_proc WHERE proname IN ('verify_heapam', 'bt_index_check') "
    "AND has_function_privilege(oid, 'EXECUTE')"
)
_HEAP = text(f"SELECT blkno, msg FROM verify_heapam(CAST(:name AS regclass)) LIMIT {_MOST}")  # noqa: S608
_INDEXES = text(
    "SELECT CAST(x.oid AS regclass) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON "
    "a.oid = x.relam WHERE i.indisvalid AND a.amname = 'btree' AND i.indrelid = CAST(:name AS regclass)"
)
_TREE = text("SELECT bt_index_check(CAST(:name AS regclass), true)")
"""Raises what it finds."""


def _references(connection: Connection, _tell: Tell, _whole: bool) -> Iterator[str]:
    """Rows that name others which are not there."""
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            if number := connection.execute(_orphans(key)).scalar_one():
                yield f"{number} rows of {table.name} name rows of {key.referred_table.name} that are not there"


def _orphans(key: ForeignKeyConstraint) -> Any:
    other = key.referred_table.alias()
    pairs = [(element.parent, other.c[element.column.name]) for element in key.elements]
    joined = key.table.outerjoin(other, and_(*(mine == theirs for mine, theirs in pairs)))
    lost = [mine.is_not(None) for mine, _ in pairs] + [theirs.is_(None) for _, theirs in pairs[:1]]
    return select(func.count()).select_from(joined).where(*lost)


_CHECKS: Final[dict[str, tuple[_Check, ...]]] = {
    "sqlite": (_pages, _text, _references),
    "postgresql": (_relations, _references),
}
