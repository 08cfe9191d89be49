"""People and their sessions: accounts, roles, password hashes, tokens.

The page hashes and verifies passwords (argon2); the catalogue keeps the hash and never sees a password. Of a
session's token it keeps the sha256.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from unicodedata import normalize

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from db.entries.review import AuditWord, CuratorEntry, Role, SessionEntry
from db.errors import LastAdmin, NameTaken, UnknownEntry
from db.queries.base.review_rows import settle_blind
from db.queries.base.store import Store, changed, now
from db.queries.review.audit import audited
from db.tables.review import Curator, CuratorSession, Review

SESSION_HOURS = 12.0
SESSION_DAYS = 7
"""After so long a session ends, however busy it was."""


class CuratorQueries(Store):
    """Who may look, who may judge."""

    def add_curator(self, name: str, role: Role, password_hash: str, *, by: str = "") -> CuratorEntry:
        """A new account; names are for ever, since verdicts carry them. `by`: who makes it, for the audit.

        Raises:
            NameTaken: somebody has or had this name.
        """
        row = {"name": spelt(name), "role": role, "password_hash": password_hash, "created_at": now()}
        added = self._insert(Curator).values(row).on_conflict_do_nothing().returning(Curator.id)
        with self._writing() as session:
            number = session.execute(added).scalar()
            if number is None:
                raise NameTaken(f"there is a curator {spelt(name)!r} already; choose another name")
            audited(session, AuditWord.ACCOUNT_MADE, curator=spelt(name), detail=_by(by, role))
            return curator_entry(session.get_one(Curator, number))

    def curators(self) -> list[CuratorEntry]:
        """Every account, by name, those disabled too."""
        with self._reading() as session:
            return [curator_entry(each) for each in session.scalars(select(Curator).order_by(Curator.name))]

    def several_judge(self) -> bool:
        """Are there two accounts or more whose word counts?"""
        judging = select(Curator.id).where(Curator.disabled_at.is_(None), Curator.role != Role.VIEWER).limit(2)
        with self._reading() as session:
            return len(session.scalars(judging).all()) > 1

    def open_account(self, name: str) -> CuratorEntry | None:
        """The account of this name; None: there is none, or it is closed."""
        found = select(Curator).where(Curator.name == spelt(name), Curator.disabled_at.is_(None))
        with self._reading() as session:
            curator = session.scalars(found).one_or_none()
            return curator_entry(curator) if curator else None

    def change_role(self, name: str, role: Role, *, by: str = "") -> None:
        """Give another role; open sessions have it at once.

        Raises:
            UnknownEntry: there is no such curator.
            LastAdmin: nobody would keep the accounts any more.
        """
        self._change(AuditWord.ROLE_CHANGED, name, by, keeps=role is Role.ADMIN, role=role)

    def change_password(self, name: str, password_hash: str, *, by: str = "") -> None:
        """Keep another hash; the person's sessions end.

        Raises:
            UnknownEntry: there is no such curator.
        """
        self._change(AuditWord.PASSWORD_CHANGED, name, by, end_sessions=True, password_hash=password_hash)

    def disable_curator(self, name: str, *, by: str = "") -> None:
        """Close the account; its sessions end, its verdicts stay.

        Raises:
            UnknownEntry: there is no such curator.
            LastAdmin: nobody would keep the accounts any more.
        """
        self._change(AuditWord.ACCOUNT_CLOSED, name, by, keeps=False, end_sessions=True, disabled_at=now())

    def enable_curator(self, name: str, *, by: str = "") -> None:
        """Open a closed account again, with its role and password.

        Raises:
            UnknownEntry: there is no such curator.
        """
        self._change(AuditWord.ACCOUNT_OPENED, name, by, disabled_at=None)

    def password_hash(self, name: str) -> str | None:
        """The hash to verify a password against; None for a name without an open account."""
        found = select(Curator.password_hash).where(Curator.name == spelt(name), Curator.disabled_at.is_(None))
        with self._reading() as session:
            return session.execute(found).scalar()

    def open_session(self, name: str, *, hours: float = SESSION_HOURS) -> str:
        """A fresh token for a curator whose password was verified: it goes into their cookie and nowhere else.

        Raises:
            UnknownEntry: there is no such curator, or the account is closed.
        """
        token, moment = secrets.token_urlsafe(32), now()
        times = {"opened_at": moment, "seen_at": moment, "expires_at": _end(moment, moment, hours)}
        with self._writing() as session:
            curator = known_curator(session, name)
            if curator.disabled_at is not None:
                raise UnknownEntry(f"the account of {curator.name!r} is closed")
            session.add(CuratorSession(token_sha256=_sha256(token), curator_id=curator.id, **times))
        return token

    def session(self, token: str) -> SessionEntry | None:
        """Whose open session this is; None: nobody's (any more). Writes nothing."""
        found = (
            select(CuratorSession, Curator)
            .join(Curator, Curator.id == CuratorSession.curator_id)
            .where(CuratorSession.token_sha256 == _sha256(token), CuratorSession.expires_at > now())
            .where(Curator.disabled_at.is_(None))
        )
        with self._reading() as session:
            row = session.execute(found).one_or_none()
            if row is None:
                return None
            kept, curator = row
            return SessionEntry(curator_entry(curator), kept.opened_at, kept.seen_at, kept.expires_at)

    def session_seen(self, token: str, *, hours: float = SESSION_HOURS) -> bool:
        """The person is still there: the session lasts so long from now, SESSION_DAYS in all; False: it is over."""
        moment = now()
        open_one = (CuratorSession.token_sha256 == _sha256(token), CuratorSession.expires_at > moment)
        with self._writing() as session:
            kept = session.scalars(select(CuratorSession).where(*open_one).with_for_update()).one_or_none()
            if kept is None:
                return False
            kept.seen_at, kept.expires_at = moment, _end(kept.opened_at, moment, hours)
            return True

    def close_session(self, token: str) -> None:
        """End it; harmless when it is over."""
        with self._writing() as session:
            session.execute(delete(CuratorSession).where(CuratorSession.token_sha256 == _sha256(token)))

    def expire_sessions(self) -> int:
        """Forget sessions that are over; how many."""
        with self._writing() as session:
            return changed(session, delete(CuratorSession).where(CuratorSession.expires_at <= now()))

    def _change(
        self, event: AuditWord, name: str, by: str, *, keeps: bool = True, end_sessions: bool = False, **values: Any
    ) -> None:
        """`keeps`: an admin of this name is one afterwards, too."""
        with self._writing() as session:
            admins = [] if keeps else _locked_admins(session)
            curator = known_curator(session, name)
            if admins == [curator.id]:
                raise LastAdmin(
                    f"{curator.name!r} is the last admin; make somebody else one first: nishiki curator role NAME admin"
                )
            audited(session, event, curator=curator.name, detail=_by(by, curator.role, values.get("role")))
            session.execute(update(Curator).where(Curator.id == curator.id).values(values))
            if not keeps and _judging(session) < 2:
                settle_blind(session, self._insert(Review))  # nobody is left to say the second word
            if end_sessions:
                session.execute(delete(CuratorSession).where(CuratorSession.curator_id == curator.id))


def _by(person: str, *roles: Role | None) -> str:
    """The roles that the account had and has, and who changed it."""
    return ", ".join(filter(None, (" → ".join(filter(None, roles)), person and f"by {person}")))


def spelt(name: str) -> str:
    """A name as it is kept: one spelling of each letter (NFC), nothing around it."""
    return normalize("NFC", name).strip()


def _locked_admins(session: Session) -> list[int]:
    # all of them, in one order, before anything else: two admins who close each other's account take turns
    open_ones = select(Curator.id).where(Curator.role == Role.ADMIN, Curator.disabled_at.is_(None))
    return list(session.scalars(open_ones.order_by(Curator.id).with_for_update()))


def _judging(session: Session) -> int:
    """How many people may give verdicts."""
    open_ones = (Curator.role != Role.VIEWER, Curator.disabled_at.is_(None))
    return session.execute(select(func.count()).select_from(Curator).where(*open_ones)).scalar_one()


def known_curator(session: Session, name: str) -> Curator:
    """The account of this name, locked: a session that is being opened and an account that is being closed take turns.

    Raises:
        UnknownEntry: there is none.
    """
    curator = session.scalars(select(Curator).where(Curator.name == spelt(name)).with_for_update()).one_or_none()
    if curator is None:
        raise UnknownEntry(f"there is no curator {spelt(name)!r}; `nishiki curator add` makes one")
    return curator


def _end(opened: datetime, seen: datetime, hours: float) -> datetime:
    return min(seen + timedelta(hours=hours), opened + timedelta(days=SESSION_DAYS))


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def curator_entry(row: Curator) -> CuratorEntry:
    """As it crosses the door."""
    return CuratorEntry(row.id, row.name, row.role, row.created_at, row.disabled_at)
