"""A PostgreSQL that is away is waited for by every new connection, as long as `database_wait_s` says.

The time counts from when the first of them found it away, for all together; once it has passed nobody waits any more,
until the server has been there again. What no waiting can mend is told at once: a server that answers and lets nobody
in by this name, password or database. A host's name that is unknown is waited for: a network may come up later.
"""

import logging
import time
from threading import Lock
from typing import Any, Final

from sqlalchemy import Engine

from db.errors import CatalogueUnreachable

log = logging.getLogger(__name__)
FIRST_TRY_S: Final = 4.0
"""As long as it may take a server at work to answer; the next try takes as long as is left."""
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0
_SHORTEST_S: Final = 2
"""The least that libpq waits for an answer; Python stands still while it pings."""


class Patience:
    """How long the server of one engine is waited for; its threads share it."""

    def __init__(self, engine: Engine, shown: str, wait_s: float) -> None:
        self._shown, self._wait_s = shown, wait_s
        pinged = engine.url.set(drivername="postgresql").update_query_dict({"connect_timeout": str(_SHORTEST_S)})
        self._pinged = pinged.render_as_string(hide_password=False).encode()
        self._away_since: float | None = None
        self._looking = Lock()

    def connect(self, dialect: Any, _record: object, given: Any, options: Any) -> Any:
        """A connection, as soon as the server gives one; SQLAlchemy's `do_connect`.

        Raises:
            psycopg.Error: it was away for too long.
            CatalogueUnreachable: it is there, and does not let us in.
        """
        driver = dialect.loaded_dbapi  # psycopg, which SQLite's users need not have
        answered, pause = False, FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            try:
                connection = dialect.connect(*given, **self._in_time(options))
            except driver.ProgrammingError as error:  # an option that there is none
                raise CatalogueUnreachable(_refused(self._shown, error)) from error
            except driver.OperationalError as error:
                if answered:  # it was tried once more, for it may have come up in between
                    raise CatalogueUnreachable(_refused(self._shown, error)) from error
                answered = self._answers(driver, error)
                if not answered and not (left := self._left_s(began)):
                    raise
            else:
                self._is_there()
                return connection
            if not answered:
                time.sleep(min(pause, left))
                pause = min(2 * pause, LONGEST_PAUSE_S)

    def _in_time(self, options: dict[str, Any]) -> dict[str, Any]:
        """So that a server that is silent is told of soon, and given up in time."""
        since = self._away_since
        if not self._wait_s or "connect_timeout" not in options:
            return options
        left = FIRST_TRY_S if since is None else since + self._wait_s - time.monotonic()
        return options | {"connect_timeout": max(_SHORTEST_S, min(int(left), int(options["connect_timeout"])))}

    def _answers(self, driver: Any, error: Any) -> bool:
        """Whether it was the server that said no: there is no SQLSTATE, and the words are in the server's language."""
        if (
            isinstance(error, driver.errors.ConnectionTimeout) or error.pgconn is None
        ):  # silence, or a host without an address
            return False
        if "too many" in str(error):  # connections, as after a restart when all come back at once: some will go
            return False
        return bool(driver.pq.PGconn.ping(self._pinged) == driver.pq.Ping.OK)

    def _left_s(self, began: float) -> float:
        """How long to wait yet, of an attempt that failed; said once, at a level that is always shown."""
        with self._looking:
            if self._away_since is None:
                self._away_since = began
                if self._wait_s:
                    log.error("the catalogue at %s is away; waiting up to %g s for it", self._shown, self._wait_s)
            return max(0.0, self._away_since + self._wait_s - time.monotonic())

    def _is_there(self) -> None:
        with self._looking:
            if self._away_since is not None and self._wait_s:
                away_s = time.monotonic() - self._away_since
                log.warning("the catalogue at %s is there again, after %.0f s", self._shown, away_s)
            self._away_since = None


def _refused(shown: str, error: Exception) -> str:
    said = (str(error).strip() or "no reason given").splitlines()[0]
    return (
        f"the catalogue at {shown} does not let us in ({said}); check database_url, or the server, then run this again"
    )
