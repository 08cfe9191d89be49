"""The curators' words: given one by one or in bulk, taken back, compared.

Durable when: a verdict, a bulk or an undo is one transaction. History only grows: an undo is a row of its own.
"""

import random
from collections.abc import Collection, Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import String, case, cast, distinct, exists, func, insert, literal, select
from sqlalchemy.orm import Session

from db.entries import Verdict, VerdictEntry
from db.errors import UnknownEntry
from db.models import VerdictGiven
from db.nouns.agreement import nominal_alpha
from db.nouns.leases import give_back
from db.nouns.report import verdict_entry
from db.nouns.review_rows import lock_contents, not_undone, refresh, voices_on
from db.nouns.store import Store, chunks, now
from db.review_models import Review, UndoneVerdict
from db.reviewed import Agreement, GivenBulk, GivenVerdict, Judgement, Stamps, Undone

UNDO_DEPTH = 50
"""Steps (a verdict, or a bulk) that a curator can take back, counted from her last."""


def in_blind_share(attempt_id: int, share: float) -> bool:
    """Does a second curator judge this attempt blind? Drawn from its number: the same on every machine and day."""
    return random.Random(f"nishiki blind {attempt_id}").random() < share  # noqa: S311  # a sample, no secret


class ReviewVerdictsPart(Store):
    """What the curators say to the catalogue."""

    def give_verdict(
        self,
        attempt_id: int,
        curator: str,
        judgement: Judgement,
        *,
        seen: int | None = None,
        blind_share: float = 0.0,
    ) -> GivenVerdict:
        """Add a curator's word; earlier ones stay below it. Her lease ends.

        Args:
            attempt_id: what she judges.
            curator: her name.
            judgement: her word.
            seen: number of the verdict that was shown to her as standing; None: none was.
            blind_share: of the attempts, in [0, 1], those that two curators judge without seeing the other's word.

        Raises:
            UnknownEntry: there is no such attempt, or it made no picture.
        """
        with self._writing() as session:
            return self._give(session, {attempt_id: seen}, curator, judgement, share=blind_share)[0]

    def give_verdicts(
        self, seen: Mapping[int, int | None], curator: str, judgement: Judgement, *, blind_share: float = 0.0
    ) -> GivenBulk:
        """Say the same of many attempts: of all, or of none.

        Args:
            seen: the attempts, each with the number of the verdict that was shown as standing.
            curator: her name.
            judgement: her word on each.
            blind_share: as `give_verdict`.

        Raises:
            UnknownEntry: as `give_verdict`, of one of them.
        """
        bulk = uuid4().hex
        with self._writing() as session:
            given = self._give(session, seen, curator, judgement, share=blind_share, bulk=bulk)
            return GivenBulk(bulk, tuple(given))

    def undo_verdict(self, curator: str) -> Undone | None:
        """Take back her last step that stands, one of the last UNDO_DEPTH; None: there is none."""
        mine = VerdictGiven.curator == curator
        with self._writing() as session:
            latest = select(VerdictGiven).where(mine, not_undone()).order_by(VerdictGiven.id.desc()).limit(1)
            last = session.scalars(latest).one_or_none()
            if last is None or _steps_after(session, last) >= UNDO_DEPTH:
                return None
            step = VerdictGiven.id == last.id if last.bulk is None else VerdictGiven.bulk == last.bulk
            touched = lock_contents(session, session.scalars(select(VerdictGiven.attempt_id).where(step)).all())
            rows = session.execute(select(VerdictGiven.id, VerdictGiven.attempt_id).where(step, not_undone())).all()
            if not rows:
                return None
            taken_back = self._insert(UndoneVerdict).on_conflict_do_nothing()
            word = {"curator": curator, "undone_at": now()}
            session.execute(taken_back, [{"verdict_id": row.id, **word} for row in rows])
            attempts = tuple(row.attempt_id for row in rows)
            refresh(session, self._insert(Review), touched)
            return Undone(last.verdict, attempts, last.bulk)

    def verdict_history(self, attempt_id: int) -> list[tuple[VerdictEntry, bool]]:
        """Every word on an attempt, oldest first, and whether it stands; nothing is hidden, blind words neither."""
        stands = exists().where(UndoneVerdict.verdict_id == VerdictGiven.id)
        given = select(VerdictGiven, ~stands).where(VerdictGiven.attempt_id == attempt_id)
        with self._reading() as session:
            return [(verdict_entry(row), bool(kept)) for row, kept in session.execute(given.order_by(VerdictGiven.id))]

    def agreement(self) -> Agreement:
        """What curators said of blind pairs, where both have spoken and nobody took it back."""
        blind = select(VerdictGiven).where(VerdictGiven.blind.is_(True), not_undone()).order_by(VerdictGiven.id)
        words: dict[int, dict[str, Verdict]] = {}
        with self._reading() as session:
            for row in session.scalars(blind):
                words.setdefault(row.attempt_id, {})[row.curator] = row.verdict
        pairs = {attempt: said for attempt, said in words.items() if len(said) > 1}
        return Agreement(nominal_alpha([list(said.values()) for said in pairs.values()]), len(pairs), pairs)

    def rubber_stamps(self, faster_than_s: float) -> dict[str, Stamps]:
        """By curator, verdicts faster than a look, of those whose look was measured; bulks are no single looks."""
        fast = func.count(case((VerdictGiven.looked_s < faster_than_s, 1)))
        counted = select(VerdictGiven.curator, fast, func.count(VerdictGiven.looked_s))
        counted = counted.where(VerdictGiven.bulk.is_(None), VerdictGiven.looked_s.is_not(None))
        with self._reading() as session:
            rows = session.execute(counted.group_by(VerdictGiven.curator).order_by(VerdictGiven.curator))
            return {curator: Stamps(few, all_of_them) for curator, few, all_of_them in rows}

    def _give(
        self,
        session: Session,
        seen: Mapping[int, int | None],
        curator: str,
        judgement: Judgement,
        *,
        share: float,
        bulk: str | None = None,
    ) -> list[GivenVerdict]:  # fmt: skip
        touched = _locked(session, seen)
        voices = voices_on(session, seen)
        common = {
            "curator": curator,
            "verdict": judgement.verdict,
            "reason": str(judgement.reason or ""),
            "note": judgement.note,
            "given_at": now(),
            "bulk": bulk,
            "looked_s": judgement.looked_s,
        }
        blind = {attempt_id: _is_blind(voices[attempt_id], attempt_id, share) for attempt_id in seen}
        rows = [{"attempt_id": each, "answered": seen[each], "blind": blind[each], **common} for each in seen]
        added = insert(VerdictGiven).returning(VerdictGiven.id, sort_by_parameter_order=True)
        numbers = session.scalars(added, rows).all() if rows else ()
        between = {each: () if blind[each] else _between(voices[each], curator, seen[each]) for each in seen}
        given = [GivenVerdict(number, each, between[each]) for number, each in zip(numbers, seen, strict=True)]
        give_back(session, curator, seen)
        refresh(session, self._insert(Review), touched)
        return _with_conflicts(session, given)


def _locked(session: Session, attempt_ids: Collection[int]) -> list[int]:
    """These and all others of their contents, ours until the commit."""
    found = lock_contents(session, attempt_ids)
    missing = set(attempt_ids) - set(found)
    if missing:
        raise UnknownEntry(
            f"there is no attempt {min(missing)} with a picture to judge; `nishiki export` lists all attempts"
        )
    return found


def _is_blind(voices: list[VerdictGiven], attempt_id: int, share: float) -> bool:
    """The first two curators of the share judge blind; the first one's word says whether it was of the share."""
    if not voices:
        return in_blind_share(attempt_id, share)
    return voices[-1].blind and len({each.curator for each in voices}) < 2


def _between(voices: list[VerdictGiven], curator: str, seen: int | None) -> tuple[VerdictEntry, ...]:
    return tuple(verdict_entry(each) for each in voices if each.id > (seen or 0) and each.curator != curator)


def _with_conflicts(session: Session, given: list[GivenVerdict]) -> list[GivenVerdict]:
    conflicts: set[int] = set()
    for some in chunks([each.attempt_id for each in given]):
        found = select(Review.attempt_id).where(Review.attempt_id.in_(some), Review.conflict_since.is_not(None))
        conflicts |= set(session.scalars(found))
    return [
        GivenVerdict(each.id, each.attempt_id, each.between, each.attempt_id in conflicts and bool(each.between))
        for each in given
    ]


def _steps_after(session: Session, last: VerdictGiven) -> int:
    """Her steps since, all taken back."""
    step: Any = func.coalesce(VerdictGiven.bulk, literal("#") + cast(VerdictGiven.id, String))
    counted = select(func.count(distinct(step)))
    return session.execute(counted.where(VerdictGiven.curator == last.curator, VerdictGiven.id > last.id)).scalar_one()
