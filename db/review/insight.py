"""What stands behind an entry: why these two prints, figures and their like, the records, how it was made, wishes.

The entry's page includes `entry_insight.html.j2` with what `insight` returns; nothing here changes the catalogue.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from db.catalogue import Catalogue
from db.entries import AttemptEntry, Description, EncoderKey
from db.measured import MeasurementEntry
from db.nouns.distribution import ERRORS, Distribution
from db.review.auth import Visitor
from db.review.plots import Histogram, TracePlot, histogram, trace_plot
from db.review.reasons import Why, reasons
from db.review.state import ReviewState
from db.reviewed import Role, WishEntry

MEASURES: Final = (
    "luma_ssim",
    "luma_difference_mean",
    "luma_difference_p99",
    "ink_chroma",
    "chroma_texture",
    "swd_ab",
    "colourfulness_ratio",
    "colourfulness",
    "chroma_mean",
)
"""In the order of telling: first the drawing, then the colours."""
SEEDED: Final = "random-seeded"
"""Encoders by name: nothing learned, and distilled from VGG-19."""
DISTILLED: Final = "nishiki-small"
_KEPT_S: Final = 60


@dataclass(frozen=True)
class Figure:
    """An error or a measure; without a plot where too few compare with it."""

    name: str
    value: float
    plot: Histogram | None
    limits: Sequence[float] | None
    """Least and most that the recipe allows."""


@dataclass(frozen=True)
class ShownWish:
    """A wish, its style's words (None: no record speaks for it any more), and whether this visitor may take it back."""

    wish: WishEntry
    style: Description | None
    made: AttemptEntry | None
    """What came of it, pending and failed attempts too."""
    may_withdraw: bool


@dataclass(frozen=True)
class Insight:
    """All that the partial shows."""

    attempt: AttemptEntry
    why: Why
    errors: tuple[Figure, ...]
    measures: tuple[Figure, ...]
    compared: int
    """Attempts that the figures are compared with."""
    trace: TracePlot | None
    pages: Mapping[str, str | None]
    """Where the archive shows `content` and `style`, and their licences; None: no address to follow."""
    weights: str
    """`seeded`, `distilled` or `learned`."""
    measured: Sequence[MeasurementEntry]
    wishes: tuple[ShownWish, ...]


def insight(state: ReviewState, attempt: AttemptEntry, who: Visitor) -> dict[str, Any]:
    """The context of `entry_insight.html.j2`."""
    catalogue = state.catalogue
    like = _like(catalogue, attempt.recipe.digest, attempt.encoder, int(time.monotonic() // _KEPT_S))
    errors, measures = _figures(attempt, like)
    shown = Insight(
        attempt=attempt,
        why=reasons(attempt.reasons, attempt.score, *catalogue.rank_of_match(attempt.id)),
        errors=errors,
        measures=measures,
        compared=like.attempts,
        trace=trace_plot(attempt.result.trace if attempt.result else ()),
        pages=_pages(attempt),
        weights={SEEDED: "seeded", DISTILLED: "distilled"}.get(attempt.encoder.name, "learned"),
        measured=catalogue.measurements([attempt.id]).get(attempt.id, []),
        wishes=tuple(_wishes(catalogue, attempt.id, who)),
    )
    return {"insight": shown}


def web_address(text: str | None) -> str | None:
    """An address that a reader may follow; archives write anything there."""
    if text is None:
        return None
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return None
    return text.strip() if parts.scheme in ("http", "https") and parts.netloc else None


@lru_cache(maxsize=16)
def _like(catalogue: Catalogue, recipe_digest: str, encoder: EncoderKey, _minute: int) -> Distribution:
    """Kept for a minute: a curator goes through many entries of one recipe."""
    return catalogue.distribution(recipe_digest, encoder)


def _figures(attempt: AttemptEntry, like: Distribution) -> tuple[tuple[Figure, ...], tuple[Figure, ...]]:
    """Errors and measures that are known, in the order of telling; measures that are new here come last."""
    result = attempt.result
    measures = result.measures if result else {}
    limits = attempt.recipe.data.get("limits", {})

    def figure(name: str, value: float) -> Figure:
        return Figure(name, value, histogram(value, like.figures.get(name, ())), limits.get(name))

    errors = {name: getattr(result, name) for name in ERRORS} if result else {}
    known = {name: measures.get(name) for name in (*MEASURES, *measures)}
    told = [
        tuple(figure(name, value) for name, value in found.items() if value is not None) for found in (errors, known)
    ]
    return told[0], told[1]


def _pages(attempt: AttemptEntry) -> Mapping[str, str | None]:
    prints = {"content": attempt.content, "style": attempt.style}
    landing = {name: web_address(said.landing_url) for name, said in prints.items()}
    return landing | {f"{name}_rights": web_address(said.rights_uri) for name, said in prints.items()}


def _wishes(catalogue: Catalogue, attempt_id: int, who: Visitor) -> Iterator[ShownWish]:
    wishes = catalogue.wishes(attempt_id)
    said = catalogue.describe({each.style_id for each in wishes})
    for each in wishes:
        made = catalogue.attempt(each.made) if each.made else None
        yield ShownWish(each, said.get(each.style_id), made, made is None and may_withdraw(each, who))


def may_withdraw(wish: WishEntry, who: Visitor) -> bool:
    """She who asked may, and an admin."""
    return who.may(Role.ADMIN) or (who.may(Role.CURATOR) and wish.curator == who.name)
