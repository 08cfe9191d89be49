"""Signing in and out with an account of the catalogue."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from db.review.access.addresses import local_path
from db.review.access.bodies import BoundedRoute
from db.review.access.cookies import SESSION, VISIT, cookie, forget_cookie, keep_cookie
from db.review.access.passwords import MOST_LETTERS, TooBusy, matches
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
def login(request: Request, state: State, form: Annotated[SignIn, Form()]) -> Response:
    """Open a session under a fresh token: one that a browser brought along ends and is never taken over."""
    _refuse_beside_proxy(state)
    address = request.client.host if request.client else ""
    wait_s = state.throttle.begin(form.name, address)
    try:
        right = not wait_s and matches(form.password, state.catalogue.password_hash(form.name))
    except TooBusy:
        wait_s, right = _BUSY_S, False
    if not right:
        return _form(request, form.back, name=form.name, wait_s=wait_s, status=429 if wait_s else 403)
    state.throttle.succeeded(form.name, address)
    _end_session(request, state)
    answer = RedirectResponse(request.scope.get("root_path", "") + local_path(form.back), 303)
    keep_cookie(request, answer, SESSION, state.sessions.open(form.name))
    forget_cookie(request, answer, VISIT)  # whoever knew it before knows nothing of this session's forms
    return answer


@router.post("/logout")
def logout(request: Request, state: State) -> Response:
    """End the session here and where it is kept."""
    _end_session(request, state)
    answer = RedirectResponse(request.scope.get("root_path", "") + "/login?notice=signed-out", 303)
    forget_cookie(request, answer, SESSION)
    return answer


def _form(request: Request, back: str, *, name: str = "", wait_s: int = 0, status: int = 200) -> Response:
    context = {"back": local_path(back), "name": name, "wrong": status == 403, "wait_s": wait_s}
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
