"""How the page answers, counted in its one process: plain ASGI, around the whole app."""

import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ELSEWHERE: Final = "other"
"""Addresses that are no route's."""
_METHODS: Final = ("GET", "HEAD", "POST")


class Counted:
    """Counts requests by method and status, and their seconds by route."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        about = "Requests that the page has answered."
        self._answers = Counter("nishiki_page_requests", about, ["method", "status"], registry=registry)
        about = "Seconds that an answer took."
        self._seconds = Histogram("nishiki_page_seconds", about, ["route"], registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = "500", time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else ELSEWHERE
            self._answers.labels(method, status).inc()
            route = getattr(scope.get("route"), "path", ELSEWHERE)
            self._seconds.labels(route).observe(time.perf_counter() - began)
