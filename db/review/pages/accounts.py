"""Who has an account, how far curators agree, and whose verdicts come faster than a look. For admins."""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from db.entries.night import Verdict
from db.entries.review import Agreement, Stamps
from db.review.access.auth import Keeping
from db.review.access.state import State
from db.review.view.rendering import render

router = APIRouter()
PAIRS_SHOWN: Final = 100
"""Of the blind pairs, the newest."""
_RELIABLE, _TENTATIVE, _CHANCE = 0.8, 2 / 3, 0.0
"""Krippendorff's own bounds for alpha (Content Analysis, chapter on reliability)."""


@dataclass(frozen=True)
class Pair:
    """What two or more curators said of one entry, none seeing another's word."""

    attempt_id: int
    words: tuple[tuple[str, Verdict], ...]

    @property
    def agree(self) -> bool:
        """Did all say the same?"""
        return len({verdict for _, verdict in self.words}) == 1


@router.get("/people")
def people(request: Request, state: State, who: Keeping) -> Response:
    """The page."""
    agreement, look_s = state.catalogue.agreement(), state.settings.look_s
    context = {
        "accounts": state.catalogue.curators(),
        "agreement": agreement,
        "meaning": meaning(agreement.alpha),
        "pairs": _newest_pairs(agreement),
        "stamps": _by_share(state.catalogue.rubber_stamps(look_s)),
        "look_s": int(look_s) if look_s.is_integer() else look_s,
        "blind_share": state.settings.blind_share,
    }
    return render(request, "people.html.j2", who, context)


def meaning(alpha: float | None) -> str:
    """Which sentence of the page explains this alpha."""
    if alpha is None:
        return "too little"
    bounds = ((_RELIABLE, "reliable"), (_TENTATIVE, "tentative"), (_CHANCE, "weak"))
    return next((word for bound, word in bounds if alpha >= bound), "chance")


def _newest_pairs(agreement: Agreement) -> list[Pair]:
    newest = sorted(agreement.words.items(), reverse=True)[:PAIRS_SHOWN]
    return [Pair(attempt_id, tuple(sorted(words.items()))) for attempt_id, words in newest]


def _by_share(stamps: dict[str, Stamps]) -> list[tuple[str, Stamps]]:
    return sorted(stamps.items(), key=lambda each: (-each[1].fast / each[1].measured, each[0]))
