"""What crosses the catalogue's door of learning from verdicts: judged matches, and refits of the rule's weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from db.entries.night import Verdict
from db.entries.review import Reason

_WORDS: Final[Mapping[tuple[Verdict, str], tuple[float, float]]] = {
    (Verdict.APPROVED, ""): (1, 1),
    (Verdict.RETURNED, Reason.WRONG_MATCH): (0, 1),
    (Verdict.RETURNED, Reason.UNBELIEVABLE): (0, 0.5),
}
"""Whether a match was good, and how much that counts; colour that bleeds or lies on ink says nothing of the match."""


LEAST_VERDICTS: Final = 50
"""Verdicts that say something of a match, from which on the weights are refitted."""


class RefitWord(StrEnum):
    """Why a refit was accepted or refused."""

    BETTER = "better on verdicts kept out"
    NO_BETTER = "no better on verdicts kept out"
    TOO_FEW = "too few approved or too few returned"


@dataclass(frozen=True)
class JudgedMatch:
    """A match of another design with the word that stands on its newest judged result."""

    content_id: int
    style_id: int
    values: Mapping[str, float]
    """What the rule weighed."""
    verdict: Verdict
    reason: str

    @property
    def word(self) -> tuple[float, float] | None:
        """(1 good or 0 bad, how much that counts); None: the verdict says nothing of the match."""
        return _WORDS.get((self.verdict, self.reason if self.verdict is Verdict.RETURNED else ""))


@dataclass(frozen=True)
class RefitEntry:
    """Weights that verdicts led to, and whether they took the place of those before."""

    base: Mapping[str, float]
    """The settings' weights, on which it rests: it holds for these alone."""
    before: Mapping[str, float]
    """Those in force until then."""
    weights: Mapping[str, float]
    verdicts: int
    """That told something of a match."""
    approved: int
    """Of these."""
    loss_before: float
    """Mean log loss on held-out verdicts, in nats, by the weights before and by those refitted without them."""
    loss_after: float
    why: str
    """A RefitWord."""
    id: int = 0
    """Its version; 0: not kept yet."""
    made_at: datetime | None = None

    @property
    def accepted(self) -> bool:
        """It took the place of the weights before."""
        return self.why == RefitWord.BETTER
