"""The queue: a grid of what waits, best first, with its filters in the address; and what the filters can be set to."""

import time
from functools import lru_cache, partial
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from db.catalogue import Catalogue
from db.entries.faults import FaultKind
from db.entries.night import Outcome, Verdict
from db.entries.review import Count, Facets, Role
from db.queries.review.filter import JUDGED
from db.review.access.auth import Looking
from db.review.access.state import State
from db.review.view.assigned import AssignedView, assigned_views
from db.review.view.filter_form import FilterForm
from db.review.view.filters import Part, View
from db.review.view.links import chips, orders, pager, ready_views, tabs, without
from db.review.view.rendering import render

router = APIRouter()
FACETS_KEPT_S: Final = 20
"""Seconds for which counted facets serve a reader's view again: of a million entries a count takes .1 s."""


@router.get("/")
def queue_page(request: Request, state: State, who: Looking, view: View, part: Part) -> Response:
    """A page of entries."""
    catalogue, judges = state.catalogue, who.may(Role.CURATOR)
    page, counts = catalogue.queue_with_counts(view.wanted(), part.page(), reader=who.name)
    context = {
        "view": view,
        "page": page,
        "judged": view.queue in JUDGED,
        "tabs": tabs(view, counts),
        "chips": chips(view),
        "orders": orders(view),
        "pager": pager(view, part, page),
        "ready": ready_views(catalogue, who.name),
        "own_views": catalogue.saved_views(who.name),
        "assigned": _assigned(catalogue, who.name) if judges else [],
        "people": [each.name for each in catalogue.curators() if each.may_judge] if judges else [],
        "outcomes": (Outcome.SUCCEEDED, Outcome.REJECTED),
        "verdicts": tuple(Verdict),
        "faults": tuple(FaultKind),
    }
    return render(request, "queue.html.j2", who, context)


@router.get("/facets")
def facets_page(request: Request, state: State, who: Looking, view: View) -> Response:
    """Values to choose from: a part of the queue's page where htmx asks, else a page of its own."""
    facets = _facets(state.catalogue, view, who.name, int(time.monotonic() / FACETS_KEPT_S))
    template = "facets_list.html.j2" if request.headers.get("hx-request") else "facets.html.j2"
    return render(request, template, who, {"view": view, "facets": facets, "without": without})


def _assigned(catalogue: Catalogue, reader: str) -> list[AssignedView]:
    """What the reader is asked to judge, counted as seldom as facets."""
    counting = partial(_left, catalogue, int(time.monotonic() / FACETS_KEPT_S))
    return assigned_views(catalogue.assigned_to(reader), counting)


@lru_cache(maxsize=256)
def _left(catalogue: Catalogue, _: int, view: FilterForm, reader: str) -> Count:
    return catalogue.queue_count(view.wanted(), reader=reader)


@lru_cache(maxsize=256)
def _facets(catalogue: Catalogue, view: FilterForm, reader: str, _: int) -> Facets:
    return catalogue.facets(view.wanted(), reader=reader)
