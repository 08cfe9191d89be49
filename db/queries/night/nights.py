"""The history of nights, and that there is one at a time: a row is opened when one begins, and closed however it ends.

Only whoever holds the night alone (`flows.running_night`) opens a row: one left open is a night that was killed.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.orm import Session

from db.engine import database_file
from db.entries.nights import BEAT_S, NightEnd, NightEnding, NightEntry
from db.errors import NightRunning
from db.files.home import NIGHT_LOCK
from db.files.lock import held_alone
from db.queries.base.store import Store, changed, now, repeatable
from db.queries.night.batch_owner import BatchOwner, is_gone, this_process
from db.queries.night.night_lock import NightLock, is_free
from db.tables.night import Attempt, Batch, Night

_OPEN = select(Night).where(Night.ended_at.is_(None)).order_by(Night.id.desc())
KILLED = "it ended without a word, as after kill -9 or when its machine stops; its end is the last sign of life"
SILENT_S = 60.0
"""A night that lost its lock has ended itself after this and `database_wait_s` (`flows.running_night`), unless its
whole machine was asleep."""
QUIET = timedelta(minutes=5)
"""After so long without a sign of life a night is no longer called at work; two machines' clocks may differ by less."""
LOOK_S = 1.0


class NightQueries(Store):
    """Nights, one after the other."""

    @contextmanager
    def night_alone(self, home: Path, tell: Callable[[str], None], wait_s: float = 0.0) -> Iterator[NightLock | None]:
        """Inside it, no other night begins in this home, nor on this catalogue from any other.

        Args:
            home: ours.
            tell: is told what is waited for.
            wait_s: so long nights wait for a server that is away.

        Returns:
            What may be lost in the middle, on a server; None: files, which cannot be.

        Raises:
            NightRunning: another one is at work.
        """
        file, lock = database_file(self.engine), None
        with ExitStack() as stack:
            stack.enter_context(held_alone(home / NIGHT_LOCK))
            if file is None:
                lock = stack.enter_context(NightLock(self.engine))
                self._take_night(lock, tell, SILENT_S + wait_s)
            else:
                stack.enter_context(held_alone(Path(f"{file.resolve()}.{NIGHT_LOCK}")))
            yield lock

    def begin_night(self) -> int:
        """Open the row of a night of this process; those that were left open were killed."""
        us, moment = this_process(), now()
        values = {
            "host": us.host, "pid": us.pid, "process_start": us.started, "began_at": moment, "seen_at": moment,
            "reason": "", "seconds": {}, "counts": {},
        }  # fmt: skip
        with self._writing() as session:
            for row in session.scalars(_OPEN.with_for_update()).all():
                _close(session, row, NightEnd(NightEnding.KILLED, None, KILLED), row.seen_at)
            return session.execute(insert(Night).values(values).returning(Night.id)).scalar_one()

    @repeatable
    def note_night(self, night_id: int, seconds: Mapping[str, float], counts: Mapping[str, Any]) -> None:
        """Keep what an open night has come to so far."""
        self._change_open(night_id, {"seconds": dict(seconds), "counts": dict(counts), "seen_at": now()})

    @repeatable
    def keep_night_alive(self, night_id: int) -> bool:
        """A sign of life of an open night; False where another night has called it killed."""
        return self._change_open(night_id, {"seen_at": now()})

    def end_night(self, night_id: int, end: NightEnd, seconds: Mapping[str, float], counts: Mapping[str, Any]) -> bool:
        """Close a night's row; False where another night has called it killed."""
        with self._writing() as session:
            row = session.scalars(_OPEN.where(Night.id == night_id).with_for_update()).first()
            if row is not None:
                row.seconds, row.counts = dict(seconds), dict(counts)
                _close(session, row, end, now())
        return row is not None

    def nights(self, last: int | None = None, *, upto: int | None = None) -> list[NightEntry]:
        """The last so many nights, or all, the newest first; up to one of them where it is named."""
        wanted = select(Night).order_by(Night.id.desc()).limit(last)
        with self._reading() as session:
            rows = session.scalars(wanted if upto is None else wanted.where(Night.id <= upto)).all()
            return [_entry(row, dead=_is_dead(session, row)) for row in rows]

    def _take_night(self, lock: NightLock, tell: Callable[[str], None], silent_s: float) -> None:
        """Take the lock, and wait until a night that may have lost it must have seen that, and ended."""
        if not lock.take():
            with self._reading() as session:
                row = session.scalars(_OPEN).first()
            who = _entry(row).who if row else "another process"
            raise NightRunning(
                f"another night is at work on this catalogue ({who}); nothing was done: wait until it has ended"
            )
        lost, since = self._night_that_may_live(), time.monotonic()
        if lost:
            tell(f"the night before ({lost.who}) lost its hold on the catalogue in silence; waiting for its end")
        while lost and time.monotonic() - since < silent_s:
            time.sleep(LOOK_S)
            again = self._night_that_may_live()
            since = since if again and again.seen_at == lost.seen_at else time.monotonic()
            lost = again

    def _night_that_may_live(self) -> NightEntry | None:
        """One without an end whose process is not known to be gone."""
        with self._reading() as session:
            row = session.scalars(_OPEN).first()
            gone = row is None or _owner(row) == this_process() or is_gone(_owner(row))
            return _entry(row) if row is not None and not gone else None

    def _change_open(self, night_id: int, values: Mapping[str, Any]) -> bool:
        with self._writing() as session:
            return bool(
                changed(session, update(Night).where(Night.id == night_id, Night.ended_at.is_(None)).values(values))
            )


def made_in(night: NightEntry) -> ColumnElement[bool]:
    """Attempts that were closed while it ran; by way of the batches, which are few.

    Attempts do not name their night. One that ended without a word may have lived for a beat after its last sign.
    """
    ended = night.end is not None and night.end.ending is not NightEnding.KILLED
    until = night.seen_at if ended else night.seen_at + timedelta(seconds=BEAT_S)
    batches = select(Batch.id).where(
        Batch.started_at <= until, or_(Batch.closed_at.is_(None), Batch.closed_at >= night.began_at)
    )
    return Attempt.batch_id.in_(batches) & Attempt.closed_at.between(night.began_at, until)


def _close(session: Session, row: Night, end: NightEnd, moment: datetime) -> None:
    """Give it its end; where it did not come to count its attempts, they are counted now, and once."""
    row.ending, row.exit_code, row.reason = end.ending, end.exit_code, end.reason
    row.ended_at = row.seen_at = moment
    if "attempts" not in row.counts:
        made = select(Attempt.outcome, func.count()).where(made_in(_entry(row))).group_by(Attempt.outcome)
        if found := {str(outcome): count for outcome, count in session.execute(made)}:
            row.counts = {**row.counts, "attempts": found}


def _owner(row: Night) -> BatchOwner:
    return BatchOwner(row.host, row.pid, row.process_start)


def _is_dead(session: Session, row: Night) -> bool:
    """Is it open, and does surely nobody work at it? The process tells on its own machine alone, where two may bear one
    name; a server's lock tells everywhere, though a night that lives may take it again for some seconds.
    """
    if row.ended_at is not None:
        return False
    gone = is_gone(_owner(row))
    if session.get_bind().dialect.name == "sqlite":
        return gone
    return (gone or row.host != this_process().host) and is_free(session)


def _entry(row: Night, *, dead: bool = False) -> NightEntry:
    end = None if row.ending is None else NightEnd(row.ending, row.exit_code, row.reason)
    silent = end is None and (dead or now() - row.seen_at > QUIET)
    told = (row.began_at, row.seen_at, row.ended_at, end, row.seconds, row.counts)
    return NightEntry(row.id, row.host, row.pid, *told, silent)
