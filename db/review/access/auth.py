"""Who is asking: an account's session, a name that a trusted proxy gives, or the person at this machine.

Every route that is not for signing in takes one of `Looking`, `Judging`, `Keeping`. Without any account the page
serves this machine only (`db.review.app` sees to that) and its visitor is the person who started it.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from db.entries.review import Role
from db.person import person_here
from db.review.access.addresses import is_among
from db.review.access.cookies import SESSION, VISIT, cookie
from db.review.access.state import ReviewState, state_of

_SAFE = ("GET", "HEAD", "OPTIONS")
_RANK = {role: rank for rank, role in enumerate(Role)}
FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class SignInNeeded(Exception):
    """Nobody that we know is asking."""


@dataclass(frozen=True)
class Visitor:
    """The person who asks."""

    name: str
    role: Role
    signed_in: bool = True
    """By a session of ours, which they can end."""

    def may(self, role: Role) -> bool:
        """Have they this role, or one above it?"""
        return _RANK[self.role] >= _RANK[role]


def visitor(request: Request) -> Visitor:
    """The person who asks; with `review_read_only` they only look.

    Raises:
        SignInNeeded: nobody that we know.
        HTTPException: 403, they came another way than people are to come.
    """
    if known := visitor_before(request):
        return known
    state = state_of(request)
    found = _found(request, state)
    who = replace(found, role=Role.VIEWER) if state.settings.review_read_only else found
    request.state.visitor = who
    return who


def visitor_before(request: Request) -> Visitor | None:
    """The person whom the route of this request has found; for pages about what went wrong then."""
    found: Visitor | None = getattr(request.state, "visitor", None)
    return found


async def curator(who: Annotated[Visitor, Depends(visitor)]) -> Visitor:  # async: no turn of another thread
    """As `visitor`, of those who may judge."""
    return with_role(who, Role.CURATOR)


async def admin(who: Annotated[Visitor, Depends(visitor)]) -> Visitor:
    """As `visitor`, of those who keep the accounts."""
    return with_role(who, Role.ADMIN)


Looking = Annotated[Visitor, Depends(visitor)]
Judging = Annotated[Visitor, Depends(curator)]
Keeping = Annotated[Visitor, Depends(admin)]


def csrf_token(request: Request) -> str:
    """What a form of ours carries: follows from the browser's secret cookie, and tells nothing about it."""
    secret = cookie(request, SESSION) or visit_secret(request)
    return hashlib.sha256(f"nishiki form {secret}".encode()).hexdigest()


def visit_secret(request: Request) -> str:
    """The visit cookie's value; a fresh one where the browser has none yet, for the answer to set."""
    known = cookie(request, VISIT)
    if not known:
        known = getattr(request.state, "fresh_visit", None) or secrets.token_urlsafe(32)
        request.state.fresh_visit = known
    return str(known)


async def refuse_forged(request: Request) -> None:
    """Let a form through only when it came from a page of ours.

    Raises:
        HTTPException: 403.
    """
    if request.method in _SAFE:
        return
    if not _of_this_page(request):
        raise HTTPException(403, "forged")
    given = request.headers.get("x-csrf-token") or str((await request.form()).get("csrf", ""))
    if not hmac.compare_digest(given.encode("utf-8", "replace"), csrf_token(request).encode()):
        raise HTTPException(403, "forged")


async def refuse_nul(request: Request) -> None:
    """No text of ours holds the letter NUL, and PostgreSQL takes none; said here once for every route.

    Raises:
        HTTPException: 422.
    """
    given = [request.url.path, *request.query_params.values()]
    if request.method not in _SAFE:
        given += [value for value in (await request.form()).values() if isinstance(value, str)]
    if any("\0" in text for text in given):
        raise HTTPException(422, "nul")


def _of_this_page(request: Request) -> bool:
    """By what the browser says of where the form stood; browsers that say nothing are left to the token."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    scheme, _, host = origin.partition("://")
    return host == request.headers.get("host") and scheme in ("https", request.url.scheme)


def _found(request: Request, state: ReviewState) -> Visitor:
    if state.settings.review_user_header is not None:
        return _of_proxy(request, state, state.settings.review_user_header)
    token = cookie(request, SESSION)
    account = state.sessions.account(token) if token else None
    if account is not None:
        return Visitor(account.name, account.role)
    if state.catalogue.curators():
        raise SignInNeeded
    if any(name in request.headers for name in FORWARDING):
        raise HTTPException(403, "no accounts")  # a proxy brings the world to this machine's own door
    return Visitor(person_here(), Role.ADMIN, signed_in=False)


def _of_proxy(request: Request, state: ReviewState, header: str) -> Visitor:
    """The account of the name in the header, believed of the proxies that the settings name and of nobody else.

    Given twice, one of them may be the browser's own.
    """
    peer = request.scope["nishiki.peer"]
    given = request.headers.getlist(header)
    if peer is None or len(given) != 1 or not is_among(peer[0], state.settings.review_proxies):
        raise HTTPException(403, "no proxy")
    account = state.catalogue.open_account(given[0].encode("latin-1").decode("utf-8", "replace"))
    if account is None:
        raise HTTPException(403, "no account")
    return Visitor(account.name, account.role, signed_in=False)


def with_role(who: Visitor, role: Role) -> Visitor:
    """The same person.

    Raises:
        HTTPException: 403, they have not this role.
    """
    if not who.may(role):
        raise HTTPException(403, f"{role} needed")
    return who
