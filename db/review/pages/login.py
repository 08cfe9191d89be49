"""Signing in and out with an account of the catalogue, and another password of one's own."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from db.entries.review import AuditWord
from db.queries.review.accounts import spelt
from db.review.access.addresses import local_path
from db.review.access.auth import Looking, Visitor
from db.review.access.bodies import BoundedRoute
from db.review.access.cookies import SESSION, VISIT, cookie, forget_cookie, keep_cookie
from db.review.access.events import keep_event
from db.review.access.known import keep_known, place_of
from db.review.access.passwords import LEAST_LETTERS, MOST_LETTERS, TooBusy, hashed
from db.review.access.state import ReviewState, State
from db.review.view.rendering import render

router = APIRouter(route_class=BoundedRoute)
_BUSY_S: Final = 5
"""Seconds after which to come again when too many sign in at once."""


class SignIn(BaseModel):
    """What the form holds."""

    name: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=MOST_LETTERS)]
    back: Annotated[str, Field(max_length=2000)] = "/"


class NewPassword(BaseModel):
    """What the form for another password holds."""

    present: Annotated[str, Field(max_length=MOST_LETTERS)]
    new: Annotated[str, Field(max_length=MOST_LETTERS)]
    again: Annotated[str, Field(max_length=MOST_LETTERS)]

    def problem(self) -> str:
        """Why the new one cannot be taken; empty: it can."""
        if len(self.new) < LEAST_LETTERS:
            return "short"
        return "" if self.new == self.again else "differs"


@router.get("/login")
def login_page(request: Request, state: State, back: str = "/") -> Response:
    """The form."""
    _refuse_beside_proxy(state)
    return _form(request, back)


@router.post("/login")
async def login(request: Request, state: State, form: Annotated[SignIn, Form()]) -> Response:
    """Open a session under a fresh token: one that a browser brought along ends and is never taken over."""
    _refuse_beside_proxy(state)
    right, wait_s = await _verified(request, state, form.name, form.password)
    if wait_s:
        return await run_in_threadpool(_form, request, form.back, name=form.name, wait_s=wait_s)
    return await run_in_threadpool(_signed_in if right else _refused, request, state, form)


def _owner(state: State, who: Looking) -> Visitor:
    """Who may change a password of their own.

    Raises:
        HTTPException: 403, the page only shows, or they have not signed in with one.
    """
    if not who.signed_in or state.settings.review_read_only:
        raise HTTPException(403, "no password")
    return who


@router.get("/password")
def password_page(request: Request, who: Annotated[Visitor, Depends(_owner)]) -> Response:
    """The form for another password of one's own."""
    return _password_form(request, who)


@router.post("/password")
async def change_password(
    request: Request, state: State, who: Annotated[Visitor, Depends(_owner)], form: Annotated[NewPassword, Form()]
) -> Response:
    """Keep another password for whoever knows the present one; all sessions end, and this browser gets a new one."""
    if problem := form.problem():
        return await run_in_threadpool(_password_form, request, who, problem)
    right, wait_s = await _verified(request, state, who.name, form.present)
    if wait_s or not right:
        return await run_in_threadpool(_password_form, request, who, "wrong", wait_s)
    return await run_in_threadpool(_changed, request, state, who, form.new)


async def _verified(request: Request, state: ReviewState, name: str, password: str) -> tuple[bool, int]:
    """Is it the password of this name? And the seconds to wait where nothing was verified."""
    place = await run_in_threadpool(place_of, request)
    if wait_s := state.throttle.begin(name, place):
        return False, wait_s
    await asyncio.sleep(state.throttle.pause_s(name))
    kept = await run_in_threadpool(state.catalogue.password_hash, name)
    try:
        right = await state.line.matches(password, kept, state.throttle.wrong_tries(place))
    except TooBusy:
        state.throttle.not_looked_at(name, place)
        return False, _BUSY_S
    if right:
        state.throttle.succeeded(name, place)
    return right, 0


def _changed(request: Request, state: ReviewState, who: Visitor, password: str) -> Response:
    state.catalogue.change_password(who.name, hashed(password), by=who.name)
    answer = RedirectResponse(f"{request.scope.get('root_path', '')}/?notice=password-changed", 303)
    keep_cookie(request, answer, SESSION, state.sessions.open(who.name))
    return answer


def _password_form(request: Request, who: Visitor, problem: str = "", wait_s: int = 0) -> Response:
    context = {"problem": problem, "wait_s": wait_s, "least": LEAST_LETTERS, "most": MOST_LETTERS}
    status = 429 if wait_s else 422 if problem else 200
    return render(request, "password.html.j2", who, context, status=status)


def _signed_in(request: Request, state: ReviewState, form: SignIn) -> Response:
    _end_session(request, state)
    answer = RedirectResponse(request.scope.get("root_path", "") + local_path(form.back), 303)
    keep_cookie(request, answer, SESSION, state.sessions.open(form.name))
    keep_known(request, answer, form.name)
    forget_cookie(request, answer, VISIT)  # whoever knew it before knows nothing of this session's forms
    keep_event(request, AuditWord.SIGNED_IN, spelt(form.name))
    return answer


def _refused(request: Request, state: ReviewState, form: SignIn) -> Response:
    account = state.catalogue.open_account(form.name)
    if account:
        keep_event(request, AuditWord.SIGN_IN_FAILED, account.name)
    else:
        keep_event(request, AuditWord.SIGN_IN_FAILED, None, "no open account of the name that was given")
    return _form(request, form.back, name=form.name, wrong=True)


@router.post("/logout")
def logout(request: Request, state: State) -> Response:
    """End the session here and where it is kept."""
    token = cookie(request, SESSION)
    account = state.sessions.account(token) if token else None
    _end_session(request, state)
    if account:
        keep_event(request, AuditWord.SIGNED_OUT, account.name)
    answer = RedirectResponse(request.scope.get("root_path", "") + "/login?notice=signed-out", 303)
    forget_cookie(request, answer, SESSION)
    return answer


def _form(request: Request, back: str, *, name: str = "", wait_s: int = 0, wrong: bool = False) -> Response:
    context = {"back": local_path(back), "name": name, "wrong": wrong, "wait_s": wait_s}
    status = 429 if wait_s else 403 if wrong else 200
    answer = render(request, "login.html.j2", None, context, status=status)
    if wait_s:
        answer.headers["Retry-After"] = str(wait_s)
    return answer


def _end_session(request: Request, state: ReviewState) -> None:
    if token := cookie(request, SESSION):
        state.sessions.close(token)


def _refuse_beside_proxy(state: ReviewState) -> None:
    if state.settings.review_user_header is not None:
        raise HTTPException(403, "no proxy")
