"""Whose program asks: by a token in the header `Authorization`, and by nothing that a browser sends of itself."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import Depends, HTTPException, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from db.entries.review import Role
from db.review.access.addresses import network
from db.review.access.auth import Visitor, visitor_before, with_role
from db.review.access.bodies import KIB, SAFE, Sent, read_body
from db.review.access.state import state_of

MOST_BYTES: Final = 32 * KIB
"""Of what is sent: a note of 2,000 kanji, each escaped, is 12 KiB."""
_SCHEME = HTTPBearer(auto_error=False, description="A token that `nishiki token add` made.")


class ApiRoute(APIRoute):
    """Asks whose program it is before anything else, and reads no more than MOST_BYTES."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's work behind both."""
        work = super().get_route_handler()

        async def admitted(request: Request) -> Response:
            await run_in_threadpool(_admit, request)
            if request.method in SAFE:
                return await work(request)
            return await work(Sent(request, await read_body(request, MOST_BYTES)))

        return admitted


def _admit(request: Request) -> None:
    """Find out who asks; the routes' code finds them known.

    Raises:
        HTTPException: 401 or 429, of nobody or too often; 422, for what neither database takes.
    """
    state = state_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    entry = state.catalogue.token(token.strip()) if scheme.lower() == "bearer" else None
    place = network(request.client.host) if request.client else ""
    wait_s = state.rates.take(f"token {entry.id}" if entry else f"place {place}")
    if wait_s:
        raise HTTPException(429, f"too many requests; wait {wait_s} s", {"Retry-After": str(wait_s)})
    if entry is None:
        words = "give a token that is open: Authorization: Bearer TOKEN; nishiki token add NAME makes one"
        raise HTTPException(401, words, {"WWW-Authenticate": "Bearer"})
    role = Role.VIEWER if state.settings.review_read_only else entry.allowed
    if any("\0" in text for text in request.query_params.values()):
        raise HTTPException(422, "no text of the catalogue holds the letter NUL")
    request.state.visitor = Visitor(entry.curator.name, role, signed_in=False)


async def _reader(
    request: Request,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(_SCHEME)],  # told to the schema; read by ApiRoute
) -> Visitor:
    who = visitor_before(request)
    assert who is not None
    return who


async def _judge(who: Annotated[Visitor, Depends(_reader)]) -> Visitor:
    return with_role(who, Role.CURATOR)


Reading = Annotated[Visitor, Depends(_reader)]
Judging = Annotated[Visitor, Depends(_judge)]
