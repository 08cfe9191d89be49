"""What stands behind an entry: why these two prints, figures and their like, the records, how it was made, requests.

The entry's page includes `entry_insight.html.j2` with what `insight` returns; nothing here changes the catalogue.
"""

import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from db.catalogue import Catalogue
from db.entries.corrections import PutRight
from db.entries.measured import MeasurementEntry
from db.entries.night import AttemptEntry, Description, EncoderKey
from db.entries.review import RECIPE_OF_NIGHT, RequestEntry, RequestState, Role
from db.queries.review.distribution import ERRORS, Distribution
from db.review.access.auth import Visitor
from db.review.access.state import ReviewState
from db.review.view.plots import Histogram, TracePlot, histogram, trace_plot
from db.review.view.reasons import Why

MEASURES: Final = (
    "lightness_ssim",
    "lightness_difference_mean",
    "lightness_difference_p99",
    "trust",
    "ink_chroma",
    "chroma_texture",
    "swd_ab",
    "colourfulness_ratio",
    "colourfulness",
    "chroma_mean",
)
"""In the order of telling: first the drawing, then the colours."""
FOREMOST: Final = ("trust", "ink_chroma", "lightness_ssim")
"""What a curator asks first."""
SEEDED: Final = "random-seeded"
"""Encoders by name: nothing learned, and distilled from VGG-19."""
DISTILLED: Final = "nishiki-small"
_KEPT_S: Final = 60
_ROUNDING: Final = 1e-5
"""As the limits themselves have it."""


@dataclass(frozen=True)
class Figure:
    """An error or a measure; without a plot where too few compare with it."""

    name: str
    value: float
    plot: Histogram | None
    rank: int
    """Its place among what it is compared with, 1: the lowest."""
    limits: Sequence[float] | None
    """Least and most that the recipe allows."""

    @property
    def is_outside(self) -> bool:
        """Does the recipe not allow it, by more than rounding?"""
        return self.limits is not None and not (self.limits[0] - _ROUNDING <= self.value <= self.limits[1] + _ROUNDING)


@dataclass(frozen=True)
class ShownRequest:
    """A request, its style's words (None: no record speaks for it now), and whether this visitor may withdraw it."""

    entry: RequestEntry
    style: Description | None
    made: AttemptEntry | None
    """What came of it, pending and failed attempts too."""
    recipe_known: bool
    may_withdraw: bool


@dataclass(frozen=True)
class Insight:
    """All that the partial shows."""

    attempt: AttemptEntry
    why: Why
    foremost: tuple[Figure, ...]
    """Those of FOREMOST that are known, and what lies outside its limits; the others are told for those who ask."""
    others: tuple[Figure, ...]
    compared: int
    """Attempts that the figures are compared with."""
    trace: TracePlot | None
    pages: Mapping[str, str | None]
    """Where the archive shows `content`, `style1` ..., and their licences; None: no address to follow."""
    weights: str
    """`seeded`, `distilled` or `learned`."""
    measured: Sequence[MeasurementEntry]
    requests: tuple[ShownRequest, ...]
    right: Mapping[int, PutRight]
    """What people put right of a picture of the pair, by the picture's number."""


def insight(state: ReviewState, attempt: AttemptEntry, who: Visitor) -> dict[str, Any]:
    """The context of `entry_insight.html.j2`."""
    catalogue = state.catalogue
    like = _like(catalogue, attempt.recipe.digest, attempt.encoder, int(time.monotonic() // _KEPT_S))
    figures = _figures(attempt, like)
    first: list[str] = [name for name in FOREMOST if name in figures]
    first += [name for name, each in figures.items() if each.is_outside and name not in first]
    shown = Insight(
        attempt=attempt,
        why=Why(attempt.reasons, attempt.score, *catalogue.rank_of_match(attempt.id)),
        foremost=tuple(figures[name] for name in first),
        others=tuple(each for name, each in figures.items() if name not in first),
        compared=like.attempts,
        trace=trace_plot(attempt.result.trace if attempt.result else ()),
        pages=_pages(attempt),
        weights={SEEDED: "seeded", DISTILLED: "distilled"}.get(attempt.encoder.name, "learned"),
        measured=catalogue.measurements([attempt.id]).get(attempt.id, []),
        requests=tuple(_requests(state, attempt.id, who)),
        right=catalogue.put_right([each.image_id for each in (attempt.content, *attempt.styles)]),
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


def _figures(attempt: AttemptEntry, like: Distribution) -> dict[str, Figure]:
    """Errors and measures that are known, in the order of telling; measures that are new here come last."""
    result = attempt.result
    measures = result.measures if result else {}
    limits = attempt.recipe.data.get("limits", {})

    def figure(name: str, value: float) -> Figure:
        others = like.figures.get(name, ())
        rank = min(bisect_left(others, value) + 1, max(len(others), 1))
        return Figure(name, value, histogram(value, others), rank, limits.get(name))

    errors = {name: getattr(result, name) for name in ERRORS} if result else {}
    known = errors | {name: measures.get(name) for name in (*MEASURES, *measures)}
    return {name: figure(name, value) for name, value in known.items() if value is not None}


def _pages(attempt: AttemptEntry) -> Mapping[str, str | None]:
    styles = {f"style{place}": said for place, said in enumerate(attempt.styles, start=1)}
    prints = {"content": attempt.content, **styles}
    landing = {name: web_address(said.landing_url) for name, said in prints.items()}
    return landing | {f"{name}_rights": web_address(said.rights_uri) for name, said in prints.items()}


def _requests(state: ReviewState, attempt_id: int, who: Visitor) -> Iterator[ShownRequest]:
    catalogue = state.catalogue
    requests = catalogue.requests(attempt_id, reader=who.name)
    if not requests:  # which recipes there are is read from files
        return
    known = {RECIPE_OF_NIGHT, *state.marking_recipes, *state.masking_recipes()}
    said = catalogue.describe({each.style_id for each in requests if each.style_id})
    for each in requests:
        made = catalogue.attempt(each.made) if each.made else None
        may = each.state is not RequestState.MADE and may_withdraw(each, who)
        yield ShownRequest(each, said.get(each.style_id or 0), made, each.recipe in known, may)


def may_withdraw(entry: RequestEntry, who: Visitor) -> bool:
    """Whoever asked may, and an admin."""
    return who.may(Role.ADMIN) or (who.may(Role.CURATOR) and entry.curator == who.name)
