"""What an administrator answers for: who signed in or failed to, what changed of accounts, what left the catalogue.

Each goes into the table and into the log at once. Neither ever holds a password, nor a name that no account has:
people type passwords into the wrong field.
"""

import logging
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.entries.review import AuditEntry, AuditWord
from db.errors import CatalogueReadOnly
from db.queries.base.store import Store, changed, now
from db.tables.review import AuditEvent

log = logging.getLogger(__name__)


class AuditQueries(Store):
    """What happened."""

    def add_audit_event(
        self, event: AuditWord, *, curator: str | None = None, address: str | None = None, detail: str = ""
    ) -> bool:
        """Keep it; False: this catalogue may only be read, so that it stands in the log alone."""
        try:
            with self._writing() as session:
                audited(session, event, curator=curator, address=address, detail=detail)
        except CatalogueReadOnly:
            return False
        return True

    def audit_events(
        self, *, curator: str | None = None, event: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[AuditEntry]:
        """The newest first; `before`: those older than the one of this number."""
        wanted = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(limit)
        wanted = wanted if curator is None else wanted.where(AuditEvent.curator == curator)
        wanted = wanted if event is None else wanted.where(AuditEvent.event == event)
        wanted = wanted if before is None else wanted.where(AuditEvent.id < before)
        with self._reading() as session:
            return [
                AuditEntry(each.id, each.at, each.event, each.curator, each.address, each.detail)
                for each in session.scalars(wanted)
            ]

    def forget_audit_events(self, days: float) -> int:
        """Those that are older; how many."""
        with self._writing() as session:
            return changed(session, delete(AuditEvent).where(AuditEvent.at < now() - timedelta(days=days)))


def audited(
    session: Session, event: AuditWord, *, curator: str | None = None, address: str | None = None, detail: str = ""
) -> None:
    """Keep it with what else this transaction does, and log it."""
    session.add(AuditEvent(at=now(), event=event, curator=curator, address=address, detail=detail))
    logged(event, curator, address, detail)


def logged(event: AuditWord, curator: str | None, address: str | None, detail: str) -> None:
    """One line, in which no letter can begin another."""
    level = logging.WARNING if event is AuditWord.SIGN_IN_FAILED else logging.INFO
    log.log(level, "%s: %r from %r, %r", event, curator, address or "the command line", detail)
