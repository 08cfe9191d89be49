"""Learning from verdicts: what curators said of matches, and the refits of the rule's weights."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Select, insert, not_, select

from db.entries.claim import PINNED
from db.entries.match import JudgedMatch, RefitEntry
from db.entries.night import Verdict
from db.queries.base.review_rows import hidden
from db.queries.base.store import now
from db.queries.base.tallies import TallyQueries
from db.tables.night import Attempt, Match, MatcherRefit
from db.tables.review import Review

_KEPT = [each.name for each in fields(RefitEntry)]
_SHOWN = 50


class RefitQueries(TallyQueries):
    """What is learned from verdicts."""

    def telling_verdicts(self) -> int:
        """How many of the judged matches have a verdict that says something of the match."""
        return self._answer(
            _said(), (Match, Attempt, Review), lambda: sum(each.word is not None for each in self.judged_matches())
        )

    def judged_matches(self) -> list[JudgedMatch]:
        """Matches of other designs with a standing verdict, one of each content and style: the newest.

        What a curator asked for or pinned was weighed by no rule and is left out, as is a first blind word.
        """
        with self._reading() as session:
            newest = {
                (content_id, style_id): JudgedMatch(content_id, style_id or 0, kept["values"], verdict, reason or "")
                for content_id, style_id, kept, verdict, reason in session.execute(_said())
                if kept.get("values") and verdict
            }
        return list(newest.values())

    def add_refit(self, refit: RefitEntry) -> None:
        """Keep a refit, accepted or refused."""
        row = {name: getattr(refit, name) for name in _KEPT if name not in ("id", "made_at")}
        row |= {name: dict(row[name]) for name in ("base", "before", "weights")}
        with self._writing() as session:
            session.execute(insert(MatcherRefit).values(made_at=now(), **row))

    def refits(self, base: Mapping[str, float] | None = None) -> list[RefitEntry]:
        """The last refits, the newest first; of these weights of the settings, where they are given, all."""
        with self._reading() as session:
            rows = session.scalars(
                select(MatcherRefit).order_by(MatcherRefit.id.desc()).limit(_SHOWN if base is None else None)
            ).all()
            kept = [RefitEntry(**{name: getattr(row, name) for name in _KEPT}) for row in rows]
        return [each for each in kept if base is None or each.base == dict(base)]


def _said() -> Select[Any]:
    return (
        select(Match.content_id, Match.style_id, Match.reasons, Review.verdict, Review.reason)
        .join(Attempt, Attempt.match_id == Match.id)
        .join(Review, Review.attempt_id == Attempt.id)
        .where(Review.verdict.in_((Verdict.APPROVED, Verdict.RETURNED)), not_(hidden()))
        .where(Match.registration.is_(None), Match.style_id.is_not(None), Match.matcher_name != PINNED.name)
        .order_by(Attempt.id)
    )
