"""Who is asking: an account's session, a name that a trusted proxy gives, or the person at this machine.

Every route that is not for signing in takes one of `Looking`, `Judging`, `Keeping`. Without any account the page
serves this machine only (`db.review.app` sees to that) and its visitor is the person who started it.
"""

import getpass
import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request

from db.review.state import ReviewState, state_of
from db.reviewed import CuratorEntry, Role

SESSION_COOKIE = "nishiki_session"
VISIT_COOKIE = "nishiki_visit"
"""Random, so that forms can be told from forged ones before anybody has signed in."""
_SAFE = ("GET", "HEAD", "OPTIONS")
_RANK = {role: rank for rank, role in enumerate(Role)}


class SignInNeeded(Exception):
    """Nobody that we know is asking."""


@dataclass(frozen=True)
class Visitor:
    """The person who asks."""

    name: str
    role: Role
    signed_in: bool = True
    """By a session of ours, which she can end."""

    def may(self, role: Role) -> bool:
        """Has she this role, or one above it?"""
        return _RANK[self.role] >= _RANK[role]


def visitor(request: Request) -> Visitor:
    """The person who asks; with `review_read_only` she only looks.

    Raises:
        SignInNeeded: nobody that we know.
    """
    state = state_of(request)
    found = _found(request, state)
    return replace(found, role=Role.VIEWER) if state.settings.review_read_only else found


def curator(who: Annotated[Visitor, Depends(visitor)]) -> Visitor:
    """As `visitor`, of those who may judge."""
    return _with_role(who, Role.CURATOR)


def admin(who: Annotated[Visitor, Depends(visitor)]) -> Visitor:
    """As `visitor`, of those who keep the accounts."""
    return _with_role(who, Role.ADMIN)


Looking = Annotated[Visitor, Depends(visitor)]
Judging = Annotated[Visitor, Depends(curator)]
Keeping = Annotated[Visitor, Depends(admin)]


def csrf_token(request: Request) -> str:
    """What a form of ours carries: follows from the browser's secret cookie, and tells nothing about it."""
    secret = request.cookies.get(SESSION_COOKIE) or visit_secret(request)
    return hashlib.sha256(f"nishiki form {secret}".encode()).hexdigest()


def visit_secret(request: Request) -> str:
    """The visit cookie's value; a fresh one where the browser has none yet, for the answer to set."""
    known = request.cookies.get(VISIT_COOKIE)
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
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "forged")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "forged")
    given = request.headers.get("x-csrf-token") or str((await request.form()).get("csrf", ""))
    if not hmac.compare_digest(given.encode(), csrf_token(request).encode()):
        raise HTTPException(403, "forged")


def _found(request: Request, state: ReviewState) -> Visitor:
    if state.settings.review_user_header is not None:
        return _of_proxy(request, state, state.settings.review_user_header)
    token = request.cookies.get(SESSION_COOKIE)
    kept = state.catalogue.session(token) if token else None
    if kept is not None:
        return Visitor(kept.curator.name, kept.curator.role)
    if state.catalogue.curators():
        raise SignInNeeded
    return Visitor(getpass.getuser(), Role.ADMIN, signed_in=False)


def _of_proxy(request: Request, state: ReviewState, header: str) -> Visitor:
    """The account of the name in the header, believed of the proxies that the settings name and of nobody else."""
    peer = request.scope.get("nishiki.peer") or request.client
    given = request.headers.get(header, "")
    if peer is None or peer[0] not in state.settings.review_proxies or not given:
        raise HTTPException(403, "no proxy")
    name = given.encode("latin-1").decode("utf-8", "replace")
    known = _open_account(state, name)
    if known is None:
        raise HTTPException(403, "no account")
    return Visitor(known.name, known.role, signed_in=False)


def _open_account(state: ReviewState, name: str) -> CuratorEntry | None:
    return next((each for each in state.catalogue.curators() if each.name == name and not each.disabled_at), None)


def _with_role(who: Visitor, role: Role) -> Visitor:
    if not who.may(role):
        raise HTTPException(403, f"{role} needed")
    return who
