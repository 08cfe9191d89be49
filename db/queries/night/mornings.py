"""What a night came to and what needs a person, for the morning report and the page of a night.

A night's attempts are those that were closed while it ran. Figures are held against those of earlier nights with the
same recipe and encoder alone: others do not compare.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db.entries.morning import BEFORE, Compared, Failure, Made, Morning
from db.entries.night import AttemptEntry, Outcome, Tone
from db.entries.nights import NightEnding, NightEntry
from db.errors import UnknownEntry
from db.queries.base.tallies import PICTURES, counts_of
from db.queries.night.attempts import AttemptQueries
from db.queries.night.held_back import EVERYTHING, HeldBackQueries
from db.queries.night.nights import NightQueries, made_in
from db.queries.night.open_requests import allowed, pending
from db.queries.night.status import set_aside
from db.tables.base import PictureState
from db.tables.night import SET_ASIDE, Attempt, Image, Record
from db.tables.review import CuratorRequest, Review

SHOWN = 3
"""Best results, and as many of the worst."""
FAILURES = 10
NAMED = 5
_FIGURES = {
    "trust": "trust", "total error": "total_error_mean", "style error": "style_error_mean",
    "content error": "content_error_mean",
}  # fmt: skip
_With = tuple[str, str, str, str]
"""Recipe's name and digest, encoder's name and checksum."""


@dataclass(frozen=True)
class _Result:
    """One attempt that a night closed."""

    id: int
    made_with: _With
    outcome: Outcome
    seconds: float | None
    trust: float | None
    total_error_mean: float | None
    style_error_mean: float | None
    content_error_mean: float | None
    withheld: bool | None
    """None: it has no picture."""

    @property
    def rank(self) -> tuple[bool, float]:
        """The higher, the better."""
        return (True, self.trust) if self.trust is not None else (False, -(self.total_error_mean or 0))


class MorningQueries(NightQueries, AttemptQueries, HeldBackQueries):
    """A night, looked back at."""

    def morning(self, night_id: int) -> Morning:
        """All that there is to tell of it.

        Raises:
            UnknownEntry: there is none of this number.
        """
        nights = self.nights(BEFORE + 1, upto=night_id)
        if not nights or nights[0].id != night_id:
            raise UnknownEntry(f"there is no night {night_id}; nishiki nights lists them")
        night, *before = nights
        with self._reading() as session:
            tonight = _results(session, night)
            made = tuple(_made(tonight, [_results(session, each) for each in before] if tonight else []))
            failures, waiting, named = _failures(session, night), _waiting(session), set_aside(session, NAMED)
        best, worst = _extremes(tonight)
        disk = _disk(self.pictures.root)
        held = select(func.count()).select_from(Record)
        return Morning(
            night, len(before), made, self._entries(best), self._entries(worst), failures, waiting,
            self._answer(held, PICTURES, lambda: self.held_counts(None, EVERYTHING), "held back, for a night"),
            [each["record"] for each in named], disk.free / disk.total, disk.free,
            before[0] if before and before[0].end and before[0].end.ending is NightEnding.KILLED else None,
        )  # fmt: skip

    def _entries(self, results: Sequence[_Result]) -> tuple[AttemptEntry, ...]:
        return tuple(self.attempt(each.id) for each in results)


def _disk(folder: Path) -> Any:
    """Of the disk where the folder lies, or will."""
    return shutil.disk_usage(next(place for place in (folder, *folder.absolute().parents) if place.exists()))


def _results(session: Session, night: NightEntry) -> list[_Result]:
    columns = (
        Attempt.id, Attempt.recipe_name, Attempt.recipe_digest, Attempt.encoder_name, Attempt.weights_checksum,
        Attempt.outcome, Attempt.seconds, Review.trust, Attempt.total_error_mean, Attempt.style_error_mean,
        Attempt.content_error_mean, Review.withheld,
    )  # fmt: skip
    rows: Any = session.execute(
        select(*columns).outerjoin(Review, Review.attempt_id == Attempt.id).where(made_in(night)).order_by(Attempt.id)
    )
    return [_Result(row[0], row[1:5], *row[5:]) for row in rows]


def _made(tonight: Sequence[_Result], before: Sequence[Sequence[_Result]]) -> Iterator[Made]:
    earlier = [_by_making(each) for each in before]
    for made_with, results in sorted(_by_making(tonight).items()):
        recipe, _, encoder, checksum = made_with
        figures = [
            _compared(name, results, [each[made_with] for each in earlier if made_with in each]) for name in _FIGURES
        ]
        seconds = [each.seconds for each in results if each.seconds]
        yield Made(
            recipe, f"{encoder} ({checksum[:12]})", Counter(str(each.outcome) for each in results),
            median(seconds) if seconds else None, tuple(each for each in figures if each),
        )  # fmt: skip


def _by_making(results: Sequence[_Result]) -> Mapping[_With, list[_Result]]:
    found: defaultdict[_With, list[_Result]] = defaultdict(list)
    for each in results:
        found[each.made_with].append(each)
    return dict(found)


def _compared(name: str, tonight: Sequence[_Result], before: Sequence[Sequence[_Result]]) -> Compared | None:
    middles = [_median(name, results) for results in (tonight, *before)]
    if middles[0] is None:
        return None
    return Compared(name, middles[0], tuple(each for each in middles[1:] if each is not None))


def _median(name: str, results: Sequence[_Result]) -> float | None:
    values = [value for each in results if (value := getattr(each, _FIGURES[name])) is not None]
    return median(values) if values else None


def _extremes(results: Sequence[_Result]) -> tuple[list[_Result], list[_Result]]:
    """The best, the best first, and of the others the worst, the worst first."""
    ranked = sorted((each for each in results if each.withheld is False), key=lambda each: (each.rank, -each.id))
    good = [each for each in reversed(ranked) if each.outcome is Outcome.SUCCEEDED][:SHOWN]
    return good, [each for each in ranked if each not in good][:SHOWN]


def _failures(session: Session, night: NightEntry) -> tuple[Failure, ...]:
    error = func.coalesce(Attempt.error_message, "")
    rows = (
        select(error, func.count(), func.min(Record.identifier))
        .join(Image, Image.sha256 == Attempt.content_sha256)
        .join(Record, Record.id == Image.record_id)
        .where(made_in(night), Attempt.outcome == Outcome.FAILED)
        .group_by(error)
        .order_by(func.count().desc(), error)
        .limit(FAILURES)
    )
    return tuple(Failure(*row) for row in session.execute(rows))


def _waiting(session: Session) -> dict[str, int]:
    counts = counts_of(session)
    asked = select(func.count()).select_from(CuratorRequest).where(pending(), allowed())
    found = {
        "to judge": _count(session, Review.waiting_since.is_not(None)),
        "conflicts": _count(session, Review.conflict_since.is_not(None)),
        "requests": session.execute(asked).scalar_one(),
        "set aside": session.execute(select(func.count()).select_from(Attempt).where(SET_ASIDE)).scalar_one(),
        "unsure": counts["images"][Tone.UNSURE],
        "broken": counts["record_images"][PictureState.BROKEN],
    }
    return {what: number for what, number in found.items() if number}


def _count(session: Session, which: ColumnElement[bool]) -> int:
    return session.execute(select(func.count()).select_from(Review).where(which)).scalar_one()
