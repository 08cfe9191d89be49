"""What every answer carries: plain ASGI, around the whole app."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CONTENT_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
STRICT: Final = {"Strict-Transport-Security": "max-age=31536000"}
"""Only this host: what its neighbours speak is not ours to say."""


class Safeguards:
    """Adds `headers_of` the request, and remembers who is at the other end of the line.

    A fault of ours is answered outside of it: `db.review.view.error_pages` adds the headers there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["nishiki.peer"] = scope.get("client")  # before a proxy's word replaces it
        await self._app(scope, receive, _with_headers(scope, send))


def headers_of(scope: Scope) -> dict[str, str]:
    """`HEADERS`; over TLS, by a trusted proxy's word too, browsers are told to stay there."""
    return HEADERS | STRICT if scope["scheme"] == "https" else HEADERS


def _with_headers(scope: Scope, send: Send) -> Callable[[Message], Awaitable[None]]:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: Any = MutableHeaders(scope=message)
            for name, value in headers_of(scope).items():
                headers.setdefault(name, value)
        await send(message)

    return with_headers
