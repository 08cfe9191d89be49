"""Leases: an entry that one curator has open is theirs for a while, so that two never do the same one by accident.

Taking one is a single INSERT ... ON CONFLICT, so that of two who open the same entry at once one gets it.
"""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from db.entries.review import Lease
from db.errors import UnknownEntry
from db.queries.base.store import Store, changed, chunks, now
from db.tables.night import Attempt
from db.tables.review import LeaseHeld

LEASE_MINUTES = 30


class LeaseQueries(Store):
    """Who has what open."""

    def take_lease(self, attempt_id: int, curator: str, *, minutes: float = LEASE_MINUTES) -> Lease:
        """Hold the entry, or hold it anew; the lease that stands now, which may be another curator's.

        Leases that ran out are forgotten by the way, so that the table stays small while the page runs.

        Raises:
            UnknownEntry: there is no such attempt.
        """
        moment = now()
        theirs = {"curator": curator, "until": moment + timedelta(minutes=minutes)}
        free = or_(LeaseHeld.until <= moment, LeaseHeld.curator == curator)
        row = self._insert(LeaseHeld).values(attempt_id=attempt_id, **theirs)
        with self._writing() as session:
            if session.execute(select(Attempt.id).where(Attempt.id == attempt_id)).first() is None:
                raise UnknownEntry(f"there is no attempt {attempt_id} to open")
            session.execute(row.on_conflict_do_update(index_elements=["attempt_id"], set_=theirs, where=free))
            _expire(session)
            held = session.execute(select(LeaseHeld).where(LeaseHeld.attempt_id == attempt_id)).scalar_one()
            return Lease(held.attempt_id, held.curator, held.until)

    def release_lease(self, attempt_id: int, curator: str) -> None:
        """Leave the entry to others. Harmless when it is not theirs."""
        with self._writing() as session:
            give_back(session, curator, [attempt_id])

    def expire_leases(self) -> int:
        """Forget leases that have run out; how many. They bind nobody in any case."""
        with self._writing() as session:
            return _expire(session)


def _expire(session: Session) -> int:
    # what somebody takes at this moment is passed over: two who tidy never wait for each other
    over = select(LeaseHeld.attempt_id).where(LeaseHeld.until <= now()).with_for_update(skip_locked=True)
    return changed(session, delete(LeaseHeld).where(LeaseHeld.attempt_id.in_(over)))


def running() -> ColumnElement[bool]:
    """The lease has not run out."""
    return LeaseHeld.until > now()


def give_back(session: Session, curator: str, attempt_ids: Collection[int]) -> None:
    """End the curator's leases of these entries."""
    for some in chunks(attempt_ids):
        session.execute(delete(LeaseHeld).where(LeaseHeld.attempt_id.in_(some), LeaseHeld.curator == curator))
