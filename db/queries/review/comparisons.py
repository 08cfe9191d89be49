"""Blind comparisons of two recipes on the same prints: what is offered next, what was chosen, what it comes to.

The order of prints and the place of each result are drawn by the curator's name: at random, and always the same. A
choice counts once for each curator and pair of results; one that is taken back stays, marked.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import BigInteger, Select, and_, case, cast, exists, func, literal, not_, select, update
from sqlalchemy.orm import aliased

from db.entries.comparisons import ChoiceMade, Comparable, Offered, Preference, Preferences, Side
from db.queries.base.store import changed, now
from db.queries.base.tallies import PICTURES
from db.queries.review.bradley_terry import strengths
from db.queries.review.intervals import share_of
from db.queries.review.statistics import StatisticsQueries, beside, newest_results, recipe_labels
from db.tables.night import Attempt, Image
from db.tables.review import Comparison

_PRIME: Final = 2**31 - 1
"""Above every attempt's number, so that times a smaller one it stays within 64 bits."""
_STANDS = Comparison.undone_at.is_(None)


class ComparisonQueries(StatisticsQueries):
    """Two results of one print, side by side."""

    def comparable(self) -> list[Comparable]:
        """Every two recipes with results of the same prints; those with most prints first."""
        asked = beside(newest_results({"id": Attempt.id}), lambda *_: [func.count()])
        rows = self._answer(asked, (*PICTURES, Attempt), lambda: self._rows(asked, 2))["rows"]
        with self._reading() as session:
            labels = recipe_labels(session)
        placed = [(sorted(digests, key=labels.__getitem__), count) for digests, (count,) in rows]
        found = [Comparable((one, other), (labels[one], labels[other]), count) for (one, other), count in placed]
        return sorted(found, key=lambda each: (-each.contents, each.recipes))

    def next_comparison(self, curator: str, digests: tuple[str, str]) -> Offered | None:
        """What this curator has not compared yet of these two recipes; None: nothing."""
        pairs, drawn = _open_pairs(curator, digests)
        with self._reading() as session:
            row = session.execute(pairs.order_by(drawn, pairs.selected_columns[0]).limit(1)).one_or_none()
            if row is None:
                return None
            remaining = session.execute(select(func.count()).select_from(pairs.subquery())).scalar_one()
            outputs = select(Image.id, Image.sha256).where(Image.id.in_([row[3], row[4]]))
            names: dict[int, str] = dict(session.execute(outputs).all())
        sides = [(row[0], names[row[3]]), (row[1], names[row[4]])]
        (left, left_name), (_, right_name) = sides[::-1] if _turned(curator, row[0], row[1]) else sides
        return Offered((row[0], row[1]), left, row[2], (left_name, right_name), remaining)

    def choose(self, curator: str, offered: Offered, side: Side) -> bool:
        """Keep a choice; False where this curator has made one of this pair already."""
        chosen = {Side.LEFT: offered.left, Side.RIGHT: offered.right, Side.NEITHER: None}[side]
        row = {"curator": curator, "left_id": offered.left, "chosen_id": chosen, "given_at": now(), "undone_at": None}
        row |= {"attempt_id": offered.attempts[0], "other_id": offered.attempts[1]}
        with self._writing() as session:
            return bool(changed(session, self._insert(Comparison).values(row).on_conflict_do_nothing()))

    def undo_choice(self, curator: str, digests: tuple[str, str]) -> bool:
        """Take back their last choice between these recipes; False: there is none."""
        made = select(func.max(Comparison.id)).join(Attempt, Attempt.id == Comparison.attempt_id)
        last = made.where(Comparison.curator == curator, _STANDS, Attempt.recipe_digest.in_(digests))
        undone = update(Comparison).where(Comparison.id == last.scalar_subquery(), _STANDS).values(undone_at=now())
        with self._writing() as session:
            return bool(changed(session, undone.execution_options(synchronize_session=False)))

    def preferences(self) -> Preferences:
        """What all standing choices come to."""
        with self._reading() as session:
            labels = recipe_labels(session)
            rows = session.execute(_tallied()).all()
        pairs: dict[tuple[str, str], Counter[str]] = {}
        for one, other, won, lost, even in rows:
            names = labels[one], labels[other]
            said = {"won": won, "lost": lost, "even": even}
            if names[1] < names[0]:
                names, said = names[::-1], said | {"won": lost, "lost": won}
            pairs.setdefault(names, Counter()).update(said)
        beaten: Counter[tuple[str, str]] = Counter()
        for (one, other), said in pairs.items():
            beaten[one, other] += said["won"] + said["even"] / 2  # type: ignore[assignment]  # halves, too
            beaten[other, one] += said["lost"] + said["even"] / 2  # type: ignore[assignment]
        return Preferences([_preference(*pair) for pair in sorted(pairs.items())], strengths(beaten), self._left())

    def choices_made(self) -> Iterator[ChoiceMade]:
        """Every choice, oldest first, also those taken back."""
        left, right = aliased(Attempt), aliased(Attempt)
        right_id = Comparison.attempt_id + Comparison.other_id - Comparison.left_id
        asked = select(Comparison, left.content_sha256, left.recipe_digest, right.id, right.recipe_digest)
        asked = asked.join(left, left.id == Comparison.left_id).join(right, right.id == right_id)
        with self._reading() as session:
            labels = recipe_labels(session)
            rows = session.execute(asked.order_by(Comparison.id)).all()
        for made, content, left_digest, right_number, right_digest in rows:
            side = Side.LEFT if made.chosen_id == made.left_id else Side.RIGHT
            yield ChoiceMade(
                made.given_at, made.curator, content, made.left_id, labels[left_digest], right_number,
                labels[right_digest], Side.NEITHER if made.chosen_id is None else side, made.undone_at,
            )  # fmt: skip

    def _left(self) -> Any:
        chosen = select(func.count(), func.sum(case((Comparison.chosen_id == Comparison.left_id, 1), else_=0)))
        with self._reading() as session:
            of, number = session.execute(chosen.where(_STANDS, Comparison.chosen_id.is_not(None))).one()
        return share_of(number or 0, of)


def _open_pairs(curator: str, digests: tuple[str, str]) -> tuple[Select[Any], Any]:
    """(attempt, other, content, their outputs) that the curator has not compared, and what puts them in order.

    The order is by a hash of Carter and Wegman's family, (a·x + b) mod p, which both databases compute alike.
    """
    first, second = sorted(digests)
    columns = {"id": Attempt.id, "output_id": Attempt.output_image_id}
    made = newest_results(columns, Attempt.recipe_digest.in_(digests))
    one, other = aliased(made, name="one"), aliased(made, name="other")
    same = and_(one.c.content_sha256 == other.c.content_sha256, other.c.recipe == second)
    known = exists().where(
        Comparison.curator == curator, _STANDS, Comparison.attempt_id == one.c.id, Comparison.other_id == other.c.id
    )
    pairs = select(one.c.id, other.c.id.label("other_id"), one.c.content_sha256, one.c.output_id)
    pairs = pairs.add_columns(other.c.output_id.label("other_output_id")).select_from(one).join(other, same)
    times, plus = (1 + _drawn(f"{curator} {word}") % (_PRIME - 1) for word in ("times", "plus"))
    number = cast(one.c.id, BigInteger) * literal(times, BigInteger) + literal(plus, BigInteger)
    return pairs.where(one.c.recipe == first, not_(known)), number % literal(_PRIME, BigInteger)


def _drawn(word: str) -> int:
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])


def _turned(curator: str, attempt_id: int, other_id: int) -> bool:
    """Does the second of them stand left?"""
    return bool(_drawn(f"{curator} {attempt_id} {other_id}") % 2)


def _tallied() -> Any:
    one, other = aliased(Attempt), aliased(Attempt)
    conditions = (
        Comparison.chosen_id == Comparison.attempt_id,
        Comparison.chosen_id == Comparison.other_id,
        Comparison.chosen_id.is_(None),
    )
    numbers = (func.sum(case((each, 1), else_=0)) for each in conditions)
    keys = one.recipe_digest, other.recipe_digest
    asked = select(*keys, *numbers).select_from(Comparison).join(one, one.id == Comparison.attempt_id)
    return asked.join(other, other.id == Comparison.other_id).where(_STANDS).group_by(*keys)


def _preference(recipes: tuple[str, str], said: Counter[str]) -> Preference:
    won, lost = said["won"], said["lost"]
    return Preference(recipes, won, lost, said["even"], share_of(won, won + lost))
