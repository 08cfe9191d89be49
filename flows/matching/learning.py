"""What curators' verdicts make of the rule's weights: when they are refitted, and what is kept of it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from colorize.matching.reweighting import Judged, refit
from db.entries.match import LEAST_VERDICTS, JudgedMatch, RefitEntry, RefitWord
from flows.matching.rule import MOST_OF_PICTURE, OF_PICTURE, STEEPNESS
from flows.matching.weights import MatchWeights

_NEW: Final = 0.25
"""Share of the verdicts that has to be new since the last refit."""
_LEAST_OF_EACH: Final = 10


def telling(matches: Sequence[JudgedMatch]) -> list[JudgedMatch]:
    """Those whose verdict says something of the match."""
    return [each for each in matches if each.word is not None]


def is_due(verdicts: int, last: RefitEntry | None) -> bool:
    """Are there enough verdicts that tell something, and enough new ones?"""
    return verdicts >= LEAST_VERDICTS and (last is None or verdicts - last.verdicts >= _NEW * last.verdicts)


def refitted(matches: Sequence[JudgedMatch], weights: MatchWeights, base: MatchWeights) -> RefitEntry:
    """The weights by these verdicts, accepted where they do better on verdicts that were kept out.

    Args:
        matches: telling ones.
        weights: in force until now.
        base: those of the settings, on which all learning rests.
    """
    names = list(MatchWeights.model_fields)
    words = [each.word for each in matches if each.word]
    good, counts = (np.array(column, float) for column in zip(*words, strict=True))
    judged = Judged(
        np.array([[each.values.get(name, 0.0) for name in names] for each in matches]),
        good,
        counts,
        np.array([each.content_id for each in matches], np.int64),
        np.array([name in OF_PICTURE for name in names]),
        MOST_OF_PICTURE,
        STEEPNESS,
    )
    few = min(good.sum(), len(good) - good.sum()) < _LEAST_OF_EACH
    found = refit(judged, np.array([getattr(weights, name) for name in names]), most=5)
    return RefitEntry(
        base=base.model_dump(),
        before=weights.model_dump(),
        weights={name: round(float(value), 6) for name, value in zip(names, found.weights, strict=True)},
        verdicts=len(matches),
        approved=int(good.sum()),
        loss_before=found.loss_before,
        loss_after=found.loss_after,
        why=RefitWord.TOO_FEW if few else RefitWord.BETTER if found.is_better else RefitWord.NO_BETTER,
    )
