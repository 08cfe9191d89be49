"""Views of the queue that a curator is asked to judge: assigned by a colleague, done or taken back."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update

from db.entries.desk import DONE_DAYS, MOST_ASSIGNED, Assignment, NotAssigned
from db.entries.review import Role
from db.queries.base.store import Store, changed, now
from db.queries.review.accounts import curator_entry, spelt
from db.tables.review import Curator, ViewAssigned

_OPEN = ViewAssigned.done_at.is_(None)


class AssignmentQueries(Store):
    """Who is asked for what."""

    def assign_view(self, curator: str, query: str, *, name: str, note: str, by: str) -> NotAssigned | None:
        """Ask somebody to judge what a view shows; it is theirs as it is now, whatever becomes of a saved view.

        Args:
            curator: who is to judge.
            query: the view, as the address holds it.
            name: what the two call it.
            note: what is asked for; may be empty.
            by: who asks.

        Returns:
            Why nothing was assigned; None: it was.
        """
        able = (Curator.name == spelt(curator), Curator.disabled_at.is_(None), Curator.role != Role.VIEWER)
        with self._writing() as session:
            # locked: two who assign to one person take turns
            person = session.scalars(select(Curator).where(*able).with_for_update()).one_or_none()
            if person is None:
                return NotAssigned.NOBODY
            theirs = select(ViewAssigned.query).where(ViewAssigned.curator == person.name, _OPEN)
            held = session.scalars(theirs).all()
            if query in held:
                return NotAssigned.TWICE
            if len(held) >= MOST_ASSIGNED:
                return NotAssigned.FULL
            row = {"curator": person.name, "name": name, "query": query, "note": note}
            session.add(ViewAssigned(**row, assigned_by=by, assigned_at=now()))
            return None

    def assigned_to(self, curator: str) -> list[Assignment]:
        """What they have not marked as done, the newest first."""
        return self._assignments(ViewAssigned.curator == curator, _OPEN)

    def assigned_by(self, curator: str | None) -> list[Assignment]:
        """What they (None: everybody) assigned that is open, or was done in the last DONE_DAYS; the newest first."""
        shown = or_(_OPEN, ViewAssigned.done_at > now() - timedelta(days=DONE_DAYS))
        return self._assignments(shown, *([] if curator is None else [ViewAssigned.assigned_by == curator]))

    def open_assignment(self, assignment_id: int) -> Assignment | None:
        """One of them; None: it was done or taken back."""
        return next(iter(self._assignments(ViewAssigned.id == assignment_id, _OPEN)), None)

    def finish_assignment(self, assignment_id: int) -> bool:
        """Mark it as done; False: it was done or taken back before."""
        done = update(ViewAssigned).where(ViewAssigned.id == assignment_id, _OPEN).values(done_at=now())
        with self._writing() as session:
            return changed(session, done) > 0

    def take_back_assignment(self, assignment_id: int) -> bool:
        """Remove it while it is open; False: it was done or taken back before."""
        with self._writing() as session:
            return changed(session, delete(ViewAssigned).where(ViewAssigned.id == assignment_id, _OPEN)) > 0

    def _assignments(self, *wanted: Any) -> list[Assignment]:
        found = select(ViewAssigned, Curator).join(Curator, Curator.name == ViewAssigned.curator).where(*wanted)
        with self._reading() as session:
            return [_entry(*row) for row in session.execute(found.order_by(ViewAssigned.id.desc()))]


def _entry(row: ViewAssigned, person: Curator) -> Assignment:
    account = curator_entry(person)
    return Assignment(row.id, account, row.name, row.query, row.note, row.assigned_by, row.assigned_at, row.done_at)
