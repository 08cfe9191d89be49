"""One address may ask for so many things at once and no more, behind a proxy too: plain ASGI, around the whole app.

`db.review.server` counts the connections; a proxy's are all of one address, so here it is the browser's that counts.
"""

from collections import Counter

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from db.review.access.addresses import network


class Shares:
    """Answers 503 to what is beyond an address's share."""

    def __init__(self, app: ASGIApp, most_each: int) -> None:
        self._app = app
        self._most_each = most_each
        self._of: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope.get("client"):
            await self._app(scope, receive, send)
            return
        place = network(scope["client"][0])
        if self._of[place] >= self._most_each:
            words = "There are too many requests from your address at once. Try again in a moment.\n"
            await PlainTextResponse(words, 503, {"Retry-After": "1"})(scope, receive, send)
            return
        self._of[place] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._of[place] -= 1
            if not self._of[place]:
                del self._of[place]
