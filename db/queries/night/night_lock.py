"""The lock that one night at a time holds on a PostgreSQL, from whichever machine: one of a connection's session.

The server gives it free when that connection is gone, whatever ended it; so its holder asks after it now and then.
"""

from contextlib import suppress
from typing import Self

from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from db.engine import understood

NIGHT = 0x6E696768
"""The lock's number, of this database alone, and another than that of `db.engine` for a change of the schema."""
_ALERT = {"connect_timeout": 5, "tcp_user_timeout": 10_000, "keepalives_idle": 10, "keepalives_interval": 5}
"""A line that is cut is noticed within 10 s, and not within hours."""
_SERVER_ALERT = (("tcp_keepalives_idle", 10), ("tcp_keepalives_interval", 5), ("tcp_keepalives_count", 3))
"""The same for the server's end, so that the lock of a machine that is gone comes free within half a minute."""

_HOLDERS = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE datname = current_database() AND locktype = 'advisory' AND granted AND classid = 0 AND objid = :key
"""


def is_free(session: Session) -> bool:
    """Does no night hold it? A look alone, which every role may take, and which keeps nobody from taking it."""
    return not session.execute(text(_HOLDERS), {"key": NIGHT}).scalar_one()


class NightLock:
    """Held from `take` to `release`, or until the connection is lost."""

    def __init__(self, engine: Engine) -> None:
        self._engine = create_engine(
            engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=dict(_ALERT)
        )
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Take it, by a new connection; False: another night has it.

        Raises:
            CatalogueUnreachable: the server does not answer.
        """
        self.release()
        with understood(self._engine):
            self._connection = self._engine.connect()
            for name, value in _SERVER_ALERT:
                self._connection.execute(text(f"SET {name} = {value}"))
            taken = self._connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": NIGHT}).scalar_one()
        return bool(taken)

    def is_held(self) -> bool:
        """Whether the connection that took it is still there."""
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
        except DatabaseError:
            return False
        return True

    def release(self) -> None:
        """Give it free."""
        if self._connection is not None:
            with suppress(DatabaseError):
                self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
