"""Sessions: by which cookie a person who signed in is known.

They lie in the catalogue. Where nothing may be written they pass with the process; then, too, a closed account or
another password ends them at once.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final, Protocol

from db.catalogue import Catalogue
from db.entries.review import CuratorEntry
from db.errors import UnknownEntry
from db.queries.review.accounts import SESSION_DAYS

SEEN_EVERY: Final = timedelta(minutes=1)
"""A session is written no more often than this, however busy."""
MOST_PASSING: Final = 1000
"""Sessions that pass with the process; the oldest make room."""


class Sessions(Protocol):
    """What signing in needs."""

    def open(self, name: str) -> str:
        """A fresh token for a person whose password was verified.

        Raises:
            UnknownEntry: there is no open account of this name.
        """

    def account(self, token: str) -> CuratorEntry | None:
        """Whose session this is, as the account is now; None: nobody's. They were seen by this."""

    def close(self, token: str) -> None:
        """End it."""

    def tidy(self) -> None:
        """Forget what has run out."""


class KeptSessions:
    """In the catalogue, whose processes share them."""

    def __init__(self, catalogue: Catalogue, hours: float, audit_days: float) -> None:
        self._catalogue = catalogue
        self._hours = hours
        self._audit_days = audit_days

    def open(self, name: str) -> str:
        """As `Sessions`."""
        self.tidy()
        return self._catalogue.open_session(name, hours=self._hours)

    def account(self, token: str) -> CuratorEntry | None:
        """As `Sessions`."""
        kept = self._catalogue.session(token)
        if kept is None:
            return None
        if datetime.now(UTC) - kept.seen_at >= SEEN_EVERY:
            self._catalogue.session_seen(token, hours=self._hours)
        return kept.curator

    def close(self, token: str) -> None:
        """As `Sessions`."""
        self._catalogue.close_session(token)

    def tidy(self) -> None:
        """As `Sessions`; leases that ran out and events of long ago go with them."""
        self._catalogue.expire_sessions()
        self._catalogue.expire_leases()
        self._catalogue.forget_audit_events(self._audit_days)


@dataclass(frozen=True)
class _Passing:
    name: str
    password_hash: str
    opened: float
    seen: float


class PassingSessions:
    """In memory, for a page that writes nothing. `clock`: seconds."""

    def __init__(self, catalogue: Catalogue, hours: float, clock: Callable[[], float] = time.time) -> None:
        self._catalogue = catalogue
        self._idle_s = hours * 3600
        self._clock = clock
        self._lock = Lock()
        self._open: dict[str, _Passing] = {}

    def open(self, name: str) -> str:
        """As `Sessions`."""
        password_hash = self._catalogue.password_hash(name)
        if password_hash is None:
            raise UnknownEntry(f"there is no open account of {name!r}")
        token, moment = secrets.token_urlsafe(32), self._clock()
        self.tidy()
        with self._lock:
            while len(self._open) >= MOST_PASSING:
                del self._open[next(iter(self._open))]
            self._open[_digest(token)] = _Passing(name, password_hash, moment, moment)
        return token

    def account(self, token: str) -> CuratorEntry | None:
        """As `Sessions`."""
        key, moment = _digest(token), self._clock()
        with self._lock:
            kept = self._open.get(key)
            if kept is None or self._is_over(kept, moment):
                return None
            self._open[key] = replace(kept, seen=moment)
        if self._catalogue.password_hash(kept.name) != kept.password_hash:
            self.close(token)
            return None
        return self._catalogue.open_account(kept.name)

    def close(self, token: str) -> None:
        """As `Sessions`."""
        with self._lock:
            self._open.pop(_digest(token), None)

    def tidy(self) -> None:
        """As `Sessions`."""
        moment = self._clock()
        with self._lock:
            self._open = {key: kept for key, kept in self._open.items() if not self._is_over(kept, moment)}

    def _is_over(self, kept: _Passing, moment: float) -> bool:
        return moment >= min(kept.seen + self._idle_s, kept.opened + SESSION_DAYS * 86_400)


def _digest(token: str) -> str:
    # looked up by its hash: how long that takes tells nothing about other people's tokens
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
