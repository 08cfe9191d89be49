"""The curators' words: given one by one or in bulk, taken back, compared.

Durable when: a verdict, a bulk or an undo is one transaction. History only grows: an undo is a row of its own. Whether
a word still fits what its giver has seen is asked under the lock of the entries, so that no form counts twice.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from sqlalchemy import String, case, cast, distinct, exists, func, insert, literal, select, true
from sqlalchemy.orm import Session

from db.entries.night import Verdict, VerdictEntry
from db.entries.review import Agreement, GivenBulk, GivenVerdict, Judgement, Stamps, Undone
from db.errors import UnknownEntry
from db.queries.base.review_rows import lock_contents, not_undone, refresh, settle_blind
from db.queries.base.store import Store, chunks, now
from db.queries.night.attempts import verdict_entry
from db.queries.review.agreement import nominal_alpha
from db.queries.review.leases import give_back, running
from db.queries.review.verdict_history import Spoken, spoken_on
from db.tables.night import VerdictGiven
from db.tables.review import LeaseHeld, Review, UndoneVerdict

_BLIND = (VerdictGiven.attempt_id, VerdictGiven.curator, VerdictGiven.verdict, VerdictGiven.given_at)
_BlindWord = Any
"""These, and when it was taken back."""
UNDO_DEPTH = 50
"""Steps (a verdict, or a bulk) that a curator can take back, counted from their last."""


def in_blind_share(attempt_id: int, share: float) -> bool:
    """Does a second curator judge this attempt blind? Drawn from its number: the same on every machine and day."""
    return random.Random(f"nishiki blind {attempt_id}").random() < share  # noqa: S311  # a sample, no secret


@dataclass(frozen=True)
class _Step:
    """What one person says at once, of one entry or of many."""

    curator: str
    judgement: Judgement
    blind_share: float
    bulk: str | None = None


class VerdictQueries(Store):
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
        """Add a curator's word; earlier ones stay below it. Their lease ends.

        A form that comes a second time adds nothing: a word of theirs stands that the form had not seen.

        Args:
            attempt_id: what is judged.
            curator: who judges.
            judgement: what they say.
            seen: number of the verdict that was shown to them as standing; None, or one that never was: none.
            blind_share: of the attempts, in [0, 1], those that two curators judge without seeing the other's word.

        Raises:
            UnknownEntry: there is no such attempt, or it made no picture.
        """
        with self._writing() as session:
            touched = _locked(session, [attempt_id])
            spoken = spoken_on(session, [attempt_id])
            version = spoken[attempt_id].version(seen)
            if own := spoken[attempt_id].unseen_of(curator, version):
                return GivenVerdict(own.id, attempt_id, already=True)
            (given,) = self._give(session, spoken, {attempt_id: version}, _Step(curator, judgement, blind_share))
            refresh(session, self._insert(Review), touched)
            return _with_conflicts(session, [given])[0]

    def give_verdicts(
        self, seen: Mapping[int, int | None], curator: str, judgement: Judgement, *, blind_share: float = 0.0
    ) -> GivenBulk:
        """Say the same of many attempts in one step, but for those that changed since they were shown.

        Left out are entries that another curator has open, on which something else stands than what was shown, or on
        which they have spoken.

        Args:
            seen: the attempts, each with the number of the verdict that was shown as standing.
            curator: who judges.
            judgement: what they say of each.
            blind_share: as `give_verdict`.

        Raises:
            UnknownEntry: as `give_verdict`, of one of them.
        """
        bulk = uuid4().hex
        with self._writing() as session:
            touched = _locked(session, seen)
            spoken = spoken_on(session, seen)
            as_seen = {
                each: version
                for each, version in seen.items()
                if spoken[each].shown() == version and not spoken[each].unseen_of(curator, version)
            }
            for leased in _leased_to_others(session, as_seen, curator):
                del as_seen[leased]
            given = self._give(session, spoken, as_seen, _Step(curator, judgement, blind_share, bulk))
            refresh(session, self._insert(Review), touched)
            return GivenBulk(bulk, tuple(given), len(seen) - len(given), len(_in_conflict(session, as_seen)))

    def settle_blind(self) -> None:
        """Ask for no second word any more where a first blind one waits: it stands, and is shown."""
        with self._writing() as session:
            settle_blind(session, self._insert(Review))

    def undo_verdict(self, curator: str) -> Undone | None:
        """Take back their last step that stands, one of the last UNDO_DEPTH; None: there is none."""
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
        """What curators said of blind pairs, of each the first word that counts.

        A word counts if it stands, or was taken back only after the other curator had spoken: who could know the
        other's word does not mend their own. Words of a bulk are no single looks and are left out.
        """
        words: dict[int, list[_BlindWord]] = defaultdict(list)
        with self._reading() as session:
            for row in session.execute(blind_words()):
                words[row.attempt_id].append(row)
        counted = {attempt_id: _that_count(some) for attempt_id, some in words.items()}
        pairs = {attempt_id: some for attempt_id, some in counted.items() if len(some) > 1}
        return Agreement(nominal_alpha([list(some.values()) for some in pairs.values()]), len(pairs), pairs)

    def rubber_stamps(self, faster_than_s: float) -> dict[str, Stamps]:
        """By curator, verdicts faster than a look, of those whose look was measured; bulks are no single looks."""
        fast = func.count(case((VerdictGiven.looked_s < faster_than_s, 1)))
        counted = select(VerdictGiven.curator, fast, func.count(VerdictGiven.looked_s))
        counted = counted.where(VerdictGiven.bulk.is_(None), VerdictGiven.looked_s.is_not(None))
        with self._reading() as session:
            rows = session.execute(counted.group_by(VerdictGiven.curator).order_by(VerdictGiven.curator))
            return {curator: Stamps(few, all_of_them) for curator, few, all_of_them in rows}

    def _give(
        self, session: Session, spoken: Mapping[int, Spoken], seen: Mapping[int, int | None], step: _Step
    ) -> list[GivenVerdict]:
        drawn = {each: in_blind_share(each, step.blind_share) for each in seen}
        blind = {each: spoken[each].is_blind(step.curator, drawn=drawn[each]) for each in seen}
        common = {
            "curator": step.curator,
            "verdict": step.judgement.verdict,
            "reason": str(step.judgement.reason or ""),
            "note": step.judgement.note,
            "given_at": now(),
            "bulk": step.bulk,
            "looked_s": step.judgement.looked_s,
        }
        rows = [{"attempt_id": each, "answered": seen[each], "blind": blind[each], **common} for each in seen]
        added = insert(VerdictGiven).returning(VerdictGiven.id, sort_by_parameter_order=True)
        numbers = session.scalars(added, rows).all() if rows else ()
        between = {each: () if blind[each] else spoken[each].between(step.curator, seen[each]) for each in seen}
        give_back(session, step.curator, seen)
        return [GivenVerdict(number, each, between[each]) for number, each in zip(numbers, seen, strict=True)]


def _locked(session: Session, attempt_ids: Collection[int]) -> list[int]:
    """These and all others of their contents, ours until the commit."""
    found = lock_contents(session, attempt_ids)
    missing = set(attempt_ids) - set(found)
    if missing:
        raise UnknownEntry(
            f"there is no attempt {min(missing)} with a picture to judge; `nishiki export` lists all attempts"
        )
    return found


def _leased_to_others(session: Session, attempt_ids: Collection[int], curator: str) -> list[int]:
    held: list[int] = []
    for some in chunks(attempt_ids):
        others = select(LeaseHeld.attempt_id).where(running(), LeaseHeld.curator != curator)
        held += session.scalars(others.where(LeaseHeld.attempt_id.in_(some)))
    return held


def _with_conflicts(session: Session, given: list[GivenVerdict]) -> list[GivenVerdict]:
    conflicts = _in_conflict(session, [each.attempt_id for each in given if each.between])
    return [replace(each, conflict=each.attempt_id in conflicts) for each in given]


def _in_conflict(session: Session, attempt_ids: Collection[int]) -> set[int]:
    conflicts: set[int] = set()
    for some in chunks(attempt_ids):
        found = select(Review.attempt_id).where(Review.attempt_id.in_(some), Review.conflict_since.is_not(None))
        conflicts |= set(session.scalars(found))
    return conflicts


def blind_words() -> Any:
    """Of entries of which several curators spoke blind, what each said, in order; all of it stands in an index."""
    single = (VerdictGiven.blind == true(), VerdictGiven.bulk.is_(None))
    several = func.min(VerdictGiven.curator) != func.max(VerdictGiven.curator)
    pairs_of = select(VerdictGiven.attempt_id).where(*single).group_by(VerdictGiven.attempt_id).having(several)
    said = select(*_BLIND, UndoneVerdict.undone_at).outerjoin(UndoneVerdict)
    said = said.where(*single, VerdictGiven.attempt_id.in_(pairs_of))
    return said.order_by(VerdictGiven.attempt_id, VerdictGiven.id)


def _that_count(words: Sequence[_BlindWord]) -> dict[str, Verdict]:
    """Of one attempt: curator → verdict."""
    first = words[0].curator
    opened = min((row.given_at for row in words if row.curator != first), default=None)
    counted: dict[str, Verdict] = {}
    for row in words:
        if row.undone_at is None or (opened is not None and row.undone_at > opened):
            counted.setdefault(row.curator, row.verdict)
    return counted


def _steps_after(session: Session, last: VerdictGiven) -> int:
    """Their steps since, all taken back."""
    step: Any = func.coalesce(VerdictGiven.bulk, literal("#") + cast(VerdictGiven.id, String))
    counted = select(func.count(distinct(step)))
    return session.execute(counted.where(VerdictGiven.curator == last.curator, VerdictGiven.id > last.id)).scalar_one()
