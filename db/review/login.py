"""Signing in and out with an account of the catalogue."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from db.review.addresses import local_path
from db.review.auth import SESSION_COOKIE
from db.review.passwords import matches
from db.review.rendering import render
from db.review.state import State

router = APIRouter()


@router.get("/login")
def login_page(request: Request, back: str = "/") -> Response:
    """The form."""
    return render(request, "login.html.j2", None, {"back": local_path(back), "wrong": False, "name": ""})


@router.post("/login")
def login(
    request: Request,
    state: State,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1000)],
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Open a session under a fresh token: one that a browser brought along is never taken over."""
    if not matches(password, state.catalogue.password_hash(name)):
        context = {"back": local_path(back), "wrong": True, "name": name}
        return render(request, "login.html.j2", None, context, status=403)
    token = state.catalogue.open_session(name, hours=state.settings.session_hours)
    answer = RedirectResponse(request.scope.get("root_path", "") + local_path(back), 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="lax", secure=secure)
    return answer


@router.post("/logout")
def logout(request: Request, state: State) -> Response:
    """End the session here and in the catalogue."""
    if token := request.cookies.get(SESSION_COOKIE):
        state.catalogue.close_session(token)
    answer = RedirectResponse(request.scope.get("root_path", "") + "/login?notice=signed-out", 303)
    answer.delete_cookie(SESSION_COOKIE)
    return answer
