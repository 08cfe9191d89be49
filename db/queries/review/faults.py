"""Faults of results, as curators mark them: kept beside the verdicts, one curator's apart from another's.

History only grows: a fault that is taken off is marked so, and stays.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import func, insert, not_, select, update

from db.entries.faults import Box, Fault, FaultEntry, FaultKind
from db.errors import UnknownEntry
from db.queries.base.review_rows import hidden
from db.queries.base.store import Store, chunks, now
from db.tables.review import FaultMarked, Review

_STANDS = FaultMarked.taken_off_at.is_(None)


class FaultQueries(Store):
    """What is wrong with results, and where."""

    def mark_faults(self, attempt_id: int, curator: str, faults: Collection[Fault]) -> None:
        """Let these be the faults that a curator sees in a result, and no others; the same again changes nothing.

        Raises:
            UnknownEntry: there is no such attempt, or it made no picture.
        """
        with self._writing() as session:
            locked = select(Review.attempt_id).where(Review.attempt_id == attempt_id).with_for_update()
            if session.scalar(locked) is None:
                raise UnknownEntry(f"there is no attempt {attempt_id} with a picture; `nishiki export` lists them all")
            mine = select(FaultMarked).where(FaultMarked.attempt_id == attempt_id, FaultMarked.curator == curator)
            kept = {_fault(row): row.id for row in session.scalars(mine.where(_STANDS))}
            gone = [number for fault, number in kept.items() if fault not in faults]
            session.execute(update(FaultMarked).where(FaultMarked.id.in_(gone)).values(taken_off_at=now()))
            said = {"attempt_id": attempt_id, "curator": curator, "marked_at": now()}
            new = [
                {**said, "kind": each.kind, **_sides(each.box)} for each in dict.fromkeys(faults) if each not in kept
            ]
            if new:
                session.execute(insert(FaultMarked), new)

    def faults(self, attempt_ids: Collection[int], *, secret: bool = False) -> Mapping[int, list[FaultEntry]]:
        """The faults that stand, by attempt, oldest first.

        Args:
            attempt_ids: of these.
            secret: those too on whose result a second curator has yet to judge without the first one's word.
        """
        found: dict[int, list[FaultEntry]] = defaultdict(list)
        rows = select(FaultMarked).join(Review, Review.attempt_id == FaultMarked.attempt_id).order_by(FaultMarked.id)
        rows = rows.where(_STANDS) if secret else rows.where(_STANDS, not_(hidden()))
        with self._reading() as session:
            for some in chunks(attempt_ids):
                for row in session.scalars(rows.where(FaultMarked.attempt_id.in_(some))):
                    entry = FaultEntry(row.id, row.attempt_id, row.curator, _fault(row), row.marked_at)
                    found[row.attempt_id].append(entry)
        return found

    def fault_counts(self) -> Mapping[str, Mapping[FaultKind, int]]:
        """By recipe, how many results have a fault of each kind; nothing withheld, no secrets of blind pairs."""
        results = func.count(FaultMarked.attempt_id.distinct())
        rows = select(Review.recipe_name, FaultMarked.kind, results)
        rows = rows.join(Review, Review.attempt_id == FaultMarked.attempt_id).order_by(Review.recipe_name)
        rows = rows.where(_STANDS, Review.withheld.is_(False), not_(hidden()))
        found: dict[str, dict[FaultKind, int]] = defaultdict(dict)
        with self._reading() as session:
            for recipe, kind, count in session.execute(rows.group_by(Review.recipe_name, FaultMarked.kind)):
                found[recipe][kind] = count
        return found


def _fault(row: FaultMarked) -> Fault:
    sides = (row.box_left, row.box_top, row.box_width, row.box_height)
    return Fault(row.kind, None if None in sides else Box(*sides))  # type: ignore[arg-type]  # none of them is None


def _sides(box: Box | None) -> dict[str, float | None]:
    names = ("left", "top", "width", "height")
    return {f"box_{name}": None if box is None else getattr(box, name) for name in names}
