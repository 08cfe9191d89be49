"""How much a form may hold, and what must be so before any of it is read: a table by route.

A route with a form is a `BoundedRoute`. What is known without the body is asked first: who sends it, or whether this
place may try a password at all. Then it is read as it comes, counted whether or not it said how long it is, and taken
apart in another thread, so that nobody else waits for it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from db.review.access.auth import visitor
from db.review.access.known import place_of
from db.review.access.state import state_of

KIB: Final = 1024
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def anybody(_: Request) -> None:
    """For forms that strangers send too."""


def unhurried(request: Request) -> None:
    """Leave unread what comes from a place that has to wait.

    Raises:
        HTTPException: 429, with the seconds to wait.
    """
    wait_s = state_of(request).throttle.wait_s(place_of(request))
    if wait_s:
        raise HTTPException(429, "too many tries", {"Retry-After": str(wait_s)})


@dataclass(frozen=True)
class Bound:
    """What one route takes."""

    most_bytes: int = 16 * KIB
    most_fields: int = 16
    first: Callable[[Request], object] = visitor
    """Asked before the body is read; it raises for whoever has to do something else first."""


BOUNDS: Final = {
    "/login": Bound(first=unhurried),
    "/logout": Bound(first=anybody),
    "/preferences": Bound(first=anybody),
    "/bulk": Bound(64 * KIB, 1100),  # a thousand boxes ticked
    "/bulk/give": Bound(64 * KIB, 64),  # a thousand pairs in one field, and a note
    "/held-back": Bound(32 * KIB, 64),  # fifty boxes ticked, and a note
    "/entries/{attempt_id}/verdict": Bound(32 * KIB),  # a note of 2,000 kanji is 18 KiB on its way
    "/entries/{attempt_id}/comments": Bound(32 * KIB),
    "/entries/{attempt_id}/pictures/{image_id}": Bound(32 * KIB),  # artists and actors, a line each
    "/entries/{attempt_id}/faults": Bound(64 * KIB),  # a hundred boxes
    "/entries/{attempt_id}/marks": Bound(2 * KIB * KIB),  # 20,000 dots
    "/entries/{attempt_id}/mask": Bound(8 * KIB * KIB),  # in black and white, of a large scan
}
"""By the route's path; a route that is not here takes what `Bound` says by itself."""


class BoundedRoute(APIRoute):
    """Reads a form within the route's bound; the routes' own code finds it read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's work behind the bound."""
        work = super().get_route_handler()
        bound = BOUNDS.get(self.path, Bound())

        async def bounded(request: Request) -> Response:
            return await work(request if request.method in SAFE else await _admitted(request, bound))

        return bounded


class Sent(Request):
    """A request whose body is read."""

    def __init__(self, request: Request, body: bytes) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body


class _Admitted(Sent):
    def __init__(self, request: Request, body: bytes, form: FormData) -> None:
        super().__init__(request, body)
        self._form = form
        self.state.body = body


async def _admitted(request: Request, bound: Bound) -> Request:
    """The request with its body read.

    Raises:
        HTTPException: 413, 408 or 400: too long, too slow, too many fields, or no form.
    """
    await run_in_threadpool(bound.first, request)
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 9 or int(declared) > bound.most_bytes:
        raise _too_long()
    body = await read_body(request, bound.most_bytes)
    try:
        form = await run_in_threadpool(_parsed, body, request.headers.get("content-type", ""), bound)
    except (ValueError, MultiPartException):
        raise HTTPException(400, "unreadable form") from None
    return _Admitted(request, body, form)


async def read_body(request: Request, most_bytes: int) -> bytes:
    """What was sent, counted as it comes.

    Raises:
        HTTPException: 413, 408 or 400: too long, too slow, broken off.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(state_of(request).body_s):
            async for part in request.stream():
                body += part
                if len(body) > most_bytes:
                    raise _too_long()
    except TimeoutError:
        raise HTTPException(408, "too slow") from None
    except ClientDisconnect:
        raise HTTPException(400, "unreadable form") from None
    return bytes(body)


def _too_long() -> HTTPException:
    return HTTPException(413, "too long")


def _parsed(body: bytes, content_type: str, bound: Bound) -> FormData:
    """The fields of a form; none of what is no form.

    Raises:
        ValueError, MultiPartException: it cannot be taken apart, or has too many fields, or files.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        text = body.decode("utf-8", "replace")
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=bound.most_fields)
        return FormData([*fields])
    if kind == "multipart/form-data":
        return asyncio.run(_parts(body, content_type, bound))  # a loop of its own: this is another thread
    return FormData()


async def _parts(body: bytes, content_type: str, bound: Bound) -> FormData:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    headers = Headers({"content-type": content_type})
    limits = {"max_files": 0, "max_fields": bound.most_fields, "max_part_size": bound.most_bytes}
    return await MultiPartParser(headers, whole(), **limits).parse()
