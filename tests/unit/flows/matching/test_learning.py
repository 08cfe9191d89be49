"""What verdicts do to the rule: they move the ranking in the right direction, and a bad refit is refused."""

from dataclasses import replace

import numpy as np
import pytest

from db.entries.match import LEAST_VERDICTS, JudgedMatch, RefitWord
from db.entries.night import Verdict
from db.entries.review import Reason
from flows.matching.known import Known
from flows.matching.learning import is_due, refitted, telling
from flows.matching.names import people
from flows.matching.rule import score
from flows.matching.shared import PictureLikeness
from flows.matching.weights import MatchWeights

WEIGHTS = MatchWeights()
ACTOR, SERIES = {"actor": 1.0, "actor_in_period": 0.1}, {"series": 1.0}


def verdicts(*kinds: tuple[dict[str, float], float], rows: int = 40) -> list[JudgedMatch]:
    """So many matches of each kind, this share of them approved, the others returned as wrong."""
    rng = np.random.default_rng(4)
    return [
        JudgedMatch(
            content_id=place * rows + row,
            style_id=1,
            values={**values, "tones": float(rng.normal(0, 0.1))},
            verdict=Verdict.APPROVED if row < approved * rows else Verdict.RETURNED,
            reason="" if row < approved * rows else Reason.WRONG_MATCH,
        )
        for place, (values, approved) in enumerate(kinds)
        for row in range(rows)
    ]


def test_verdicts_move_the_ranking_in_the_right_direction() -> None:
    """Curators approve the same actor of other years, and return the same series."""
    content = Known(1, actors=people("市川団十郎〈7〉"), series=frozenset({"oshie"}), year=1830)
    actor = Known(2, actors=people("Ichikawa Danjuro VII"), year=1870)
    series = Known(3, series=frozenset({"oshie"}))

    def first(weights: MatchWeights) -> int:
        found = [score(content, each, PictureLikeness(), weights) for each in (actor, series)]
        return max(found, key=lambda scored: scored.score).style_id

    before = MatchWeights(actor=0.1, actor_in_period=0.1)
    found = refitted(verdicts((ACTOR, 0.9), (SERIES, 0.1)), before, before)
    assert found.accepted
    assert found.weights["actor"] > before.actor
    assert found.weights["series"] < before.series
    assert (first(before), first(MatchWeights(**found.weights))) == (3, 2)
    assert found.loss_after < found.loss_before


def test_a_refit_that_is_no_better_on_verdicts_kept_out_is_refused() -> None:
    found = refitted(verdicts((ACTOR, 0.5), (SERIES, 0.5)), WEIGHTS, WEIGHTS)
    assert (found.accepted, found.why) == (False, RefitWord.NO_BETTER)


def test_words_of_one_kind_alone_are_refused() -> None:
    found = refitted(verdicts((ACTOR, 1.0), (SERIES, 0.9)), WEIGHTS, WEIGHTS)
    assert (found.accepted, found.why) == (False, RefitWord.TOO_FEW)


@pytest.mark.parametrize(
    ("verdict", "reason", "tells"),
    [
        (Verdict.APPROVED, "", True),
        (Verdict.RETURNED, Reason.WRONG_MATCH, True),
        (Verdict.RETURNED, Reason.UNBELIEVABLE, True),
        (Verdict.RETURNED, Reason.COLOUR_BLEEDING, False),
        (Verdict.RETURNED, Reason.INK_COLOURED, False),
        (Verdict.RETURNED, Reason.OTHER, False),
        (Verdict.WITHHELD, "", False),
    ],
)
def test_only_some_words_tell_something_of_the_match(verdict: Verdict, reason: str, tells: bool) -> None:
    assert bool(telling([JudgedMatch(1, 2, ACTOR, verdict, reason)])) is tells


def test_a_refit_waits_for_enough_verdicts_and_then_for_enough_new_ones() -> None:
    assert not is_due(LEAST_VERDICTS - 1, None)
    assert is_due(LEAST_VERDICTS, None)
    last = replace(refitted(verdicts((ACTOR, 0.5), (SERIES, 0.5)), WEIGHTS, WEIGHTS), verdicts=80)
    assert not is_due(99, last)
    assert is_due(100, last)
