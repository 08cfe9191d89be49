"""Who works at a batch: each process has a lease, kept alive by its heartbeat; its number is the fencing token.

The number stands in every attempt that the process takes, and is never used again. A lease that is silent is ended by
whoever looks for work: its attempts are free, and whoever held it writes nothing more, should it still live. Time is
the database's, for many machines may share one server; a clock that jumps costs a living process its lease at most.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from db.entries.night import BatchEntry
from db.errors import BatchLost
from db.queries.base.store import changed, now
from db.queries.night.batch_owner import BatchOwner, is_gone, this_process
from db.tables.night import Attempt, BatchLease

SILENCE_S: Final = 120
"""Who has not been heard of for so long is taken for dead."""


def begin(session: Session, batch_id: int) -> int:
    """A lease of this process on the batch; its number."""
    owner = this_process()
    held = {"host": owner.host, "pid": owner.pid, "process_start": owner.started, "heartbeat_at": _clock(session)}
    return session.execute(insert(BatchLease).values(batch_id=batch_id, **held).returning(BatchLease.id)).scalar_one()


def hold(session: Session, batch: BatchEntry) -> None:
    """Beat the heart, and lock the lease's row until the commit: nobody can end it in between.

    Raises:
        BatchLost: it was ended.
    """
    if not changed(session, _ours(batch).values(heartbeat_at=_clock(session))):
        raise BatchLost(
            f"batch {batch.id} was taken over by another process (our lease was {batch.lease}); "
            "this one stops, the other goes on"
        )


def end(session: Session, batch: BatchEntry) -> bool:
    """Put the lease down; False: it had been ended."""
    return bool(changed(session, _ours(batch).values(ended_at=now())))


def end_silent(session: Session, batch_id: int, but: int = 0) -> None:
    """End those leases on the batch that are silent; one whose heart beats meanwhile stays, and so does our own.

    Args:
        but: our lease.
    """
    moment, began = _clock(session), _began(session)
    for lease in session.scalars(_on(batch_id).order_by(BatchLease.id)).all():
        if lease.id != but and _is_silent(lease, moment, began):
            seen = and_(
                BatchLease.id == lease.id, BatchLease.ended_at.is_(None), BatchLease.heartbeat_at == lease.heartbeat_at
            )
            session.execute(update(BatchLease).where(seen).values(ended_at=now()))


def silent_and_alive(session: Session, batch_id: int) -> tuple[list[int], list[int]]:
    """The numbers of the leases on a batch that nobody has ended."""
    moment, began = _clock(session), _began(session)
    told: tuple[list[int], list[int]] = ([], [])
    for lease in session.scalars(_on(batch_id)):
        told[not _is_silent(lease, moment, began)].append(lease.id)
    return told


def free(batch_id: int, *mine: int) -> ColumnElement[bool]:
    """Attempts of a batch that are pending, and that nobody else has taken.

    Args:
        mine: leases that are ours, whose attempts we may take again.
    """
    over = select(BatchLease.id).where(
        BatchLease.batch_id == batch_id, or_(BatchLease.ended_at.is_not(None), BatchLease.id.in_(mine))
    )
    return and_(
        Attempt.batch_id == batch_id, Attempt.outcome.is_(None), or_(Attempt.lease.is_(None), Attempt.lease.in_(over))
    )


def _on(batch_id: int) -> Select[Any]:
    return select(BatchLease).where(BatchLease.batch_id == batch_id, BatchLease.ended_at.is_(None))


def _ours(batch: BatchEntry) -> Any:
    return update(BatchLease).where(
        BatchLease.id == batch.lease, BatchLease.batch_id == batch.id, BatchLease.ended_at.is_(None)
    )


def _is_silent(lease: BatchLease, moment: datetime, began: datetime | None) -> bool:
    """A heart that beat in the future tells of a clock that was set back, and must not beat for as long.

    Args:
        lease: whose it is.
        moment: now, by the database's clock.
        began: since when the database can have heard it.
    """
    silence = abs(moment - max(lease.heartbeat_at, began or lease.heartbeat_at))
    return silence > timedelta(seconds=SILENCE_S) or is_gone(BatchOwner(lease.host, lease.pid, lease.process_start))


def _began(session: Session) -> datetime | None:
    """When a server was started: it heard no heart before that. SQLite has no such moment."""
    if session.get_bind().dialect.name == "sqlite":
        return None
    moment: datetime = session.execute(select(func.pg_postmaster_start_time())).scalar_one()
    return moment


def _clock(session: Session) -> datetime:
    """The database's moment: a server's own; SQLite is in this process."""
    if session.get_bind().dialect.name == "sqlite":
        return now()
    moment: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return moment
