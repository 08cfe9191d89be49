"""/oai: approved entries for harvesters, who sign in nowhere; there only where `oai_address` says so.

No page of ours and no route of FastAPI's: harvesters may send forms (OAI-PMH asks for both), which carry no token, and
nothing that they send changes anything.
"""

import time
from threading import Lock
from typing import Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.exports.oai import Provider, answer
from db.review.access.bodies import KIB, read_body
from db.review.access.state import ReviewState, state_of

PATH: Final = "/oai"
MOST_BYTES: Final = 16 * KIB
"""Of a request's arguments."""
MOST_ARGUMENTS: Final = 16
RENEWED_S: Final = 30.0
"""Seconds for which what is told stays as it is; rights are asked with every answer."""


def route(state: ReviewState) -> Route:
    """The route, where the settings say where records are found; only of this app."""
    renewal = _Renewal(state)

    async def oai(request: Request) -> Response:
        text = request.url.query
        if request.method == "POST":
            text = (await read_body(request, MOST_BYTES)).decode("utf-8", "replace")
        return await run_in_threadpool(_answered, request, text, renewal)

    return Route(PATH, oai, methods=["GET", "POST"])


class _Renewal:
    """Brings what harvesters are told up to date, once in a while and by one at a time."""

    def __init__(self, state: ReviewState) -> None:
        self._state, self._lock, self._next = state, Lock(), 0.0

    def when_due(self) -> None:
        """Whoever comes meanwhile waits, so that they are told the same."""
        if self._state.settings.review_read_only:
            return
        with self._lock:
            if time.monotonic() >= self._next:
                self._state.catalogue.renew_provided()
                self._next = time.monotonic() + RENEWED_S


def _answered(request: Request, text: str, renewal: _Renewal) -> Response:
    state = state_of(request)
    settings = state.settings
    base_url = str(request.url.replace(query="", fragment=""))
    provider = Provider(state.catalogue, settings.oai_address or "", settings.oai_email or "", base_url)
    renewal.when_due()
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_ARGUMENTS)
    except ValueError:
        pairs = [("", "")]  # a flood of arguments is no request of OAI-PMH: it has no verb
    return Response(answer(pairs, provider), media_type="text/xml; charset=utf-8")
