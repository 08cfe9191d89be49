"""Signing in and out with an account of the catalogue."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from db.entries.review import AuditWord
from db.queries.review.accounts import spelt
from db.review.access.addresses import local_path
from db.review.access.bodies import BoundedRoute
from db.review.access.cookies import SESSION, VISIT, cookie, forget_cookie, keep_cookie
from db.review.access.events import keep_event
from db.review.access.known import keep_known, place_of
from db.review.access.passwords import MOST_LETTERS, TooBusy
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


@router.get("/login")
def login_page(request: Request, state: State, back: str = "/") -> Response:
    """The form."""
    _refuse_beside_proxy(state)
    return _form(request, back)


@router.post("/login")
async def login(request: Request, state: State, form: Annotated[SignIn, Form()]) -> Response:
    """Open a session under a fresh token: one that a browser brought along ends and is never taken over."""
    _refuse_beside_proxy(state)
    place = await run_in_threadpool(place_of, request)
    wait_s = state.throttle.begin(form.name, place)
    if wait_s:
        return await run_in_threadpool(_form, request, form.back, name=form.name, wait_s=wait_s)
    await asyncio.sleep(state.throttle.pause_s(form.name))
    kept = await run_in_threadpool(state.catalogue.password_hash, form.name)
    try:
        right = await state.line.matches(form.password, kept, state.throttle.wrong_tries(place))
    except TooBusy:
        state.throttle.not_looked_at(form.name, place)
        return await run_in_threadpool(_form, request, form.back, name=form.name, wait_s=_BUSY_S)
    if right:
        state.throttle.succeeded(form.name, place)
    return await run_in_threadpool(_signed_in if right else _refused, request, state, form)


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
