"""What the routes share: the catalogue, the tiles, the settings, the templates. One for each app."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from db.catalogue import Catalogue
from db.exports.background import Exports
from db.files.tiles import TileStore
from db.review.access.passwords import Line
from db.review.access.rates import Rates
from db.review.access.sessions import Sessions
from db.review.access.throttle import Throttle
from db.review.settings import ReviewSettings


class NightsBeside(Protocol):
    """What runs the nights in the process that serves the page."""

    def at_work(self) -> bool:
        """Is anything, or about to be?"""

    def carry_on(self) -> bool:
        """Have unfinished batches carried on; False: something is at work, and does."""


@dataclass(frozen=True)
class ReviewState:
    """Safe for any thread."""

    settings: ReviewSettings
    catalogue: Catalogue
    tiles: TileStore
    sessions: Sessions
    throttle: Throttle
    rates: Rates
    """How often programs may ask."""
    metrics: CollectorRegistry = field(default_factory=CollectorRegistry)
    """What a monitor is told."""
    line: Line = field(default_factory=Line)
    """Where those who sign in wait for their turn."""
    body_s: float = 20.0
    """Seconds within which a form must have come, once it has begun."""
    marking_recipes: tuple[str, ...] = ()
    """Recipes that take marks drawn by hand, the first by default; the catalogue knows no recipes, so it is told."""
    masking_recipes: Callable[[], Sequence[str]] = tuple
    """Names of those that can colour a part and leave the rest, as there are now."""
    exports: Exports | None = None
    """Packages that are made from the page; None where it has no place for them."""
    nights: NightsBeside | None = None
    """None where no nights run beside the page."""

    def blind_share(self) -> float:
        """The setting's, where there are two curators to compare."""
        return self.settings.blind_share if self.catalogue.several_judge() else 0.0


def state_of(request: Request) -> ReviewState:
    """The state of the app that answers this request."""
    state: ReviewState = request.app.state.review
    return state


async def _state(request: Request) -> ReviewState:  # async: it waits for nothing, so it needs no thread
    return state_of(request)


State = Annotated[ReviewState, Depends(_state)]
"""A route's parameter."""
