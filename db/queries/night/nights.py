"""The history of nights: a row is opened when one begins, and closed however it ends.

Only whoever holds the night alone (`flows.running_night`) opens a row: one left open is a night that was killed.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select, update

from db.entries.nights import NightEnd, NightEnding, NightEntry
from db.queries.base.store import Store, changed, now
from db.queries.night.batch_owner import this_process
from db.tables.night import Night

KILLED = "it ended without a word, as after kill -9 or when its machine stops; its end is the last sign of life"


class NightQueries(Store):
    """Nights, one after the other."""

    def begin_night(self) -> int:
        """Open the row of a night of this process; those that were left open were killed."""
        us, moment = this_process(), now()
        killed = {"ended_at": Night.seen_at, "ending": NightEnding.KILLED, "reason": KILLED}
        row = {
            "host": us.host, "pid": us.pid, "process_start": us.started, "began_at": moment, "seen_at": moment,
            "reason": "", "seconds": {}, "counts": {},
        }  # fmt: skip
        with self._writing() as session:
            session.execute(update(Night).where(Night.ended_at.is_(None)).values(killed))
            return session.execute(insert(Night).values(row).returning(Night.id)).scalar_one()

    def note_night(self, night_id: int, seconds: Mapping[str, float], counts: Mapping[str, Any]) -> None:
        """Keep what an open night has come to so far."""
        self._change_open(night_id, {"seconds": dict(seconds), "counts": dict(counts), "seen_at": now()})

    def end_night(self, night_id: int, end: NightEnd, seconds: Mapping[str, float], counts: Mapping[str, Any]) -> bool:
        """Close a night's row; False where another night has called it killed."""
        moment = now()
        row = {
            "ended_at": moment, "seen_at": moment, "ending": end.ending, "exit_code": end.exit_code,
            "reason": end.reason, "seconds": dict(seconds), "counts": dict(counts),
        }  # fmt: skip
        return self._change_open(night_id, row)

    def nights(self, last: int | None = None) -> list[NightEntry]:
        """The last so many nights, or all, the newest first."""
        with self._reading() as session:
            return [_entry(row) for row in session.scalars(select(Night).order_by(Night.id.desc()).limit(last))]

    def _change_open(self, night_id: int, values: Mapping[str, Any]) -> bool:
        with self._writing() as session:
            return bool(
                changed(session, update(Night).where(Night.id == night_id, Night.ended_at.is_(None)).values(values))
            )


def _entry(row: Night) -> NightEntry:
    end = None if row.ending is None else NightEnd(row.ending, row.exit_code, row.reason)
    return NightEntry(row.id, row.host, row.pid, row.began_at, row.seen_at, row.ended_at, end, row.seconds, row.counts)
