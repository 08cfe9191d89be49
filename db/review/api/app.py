"""The API as an application of its own, mounted into the page's: its callers have tokens, and its mistakes are JSON.

So none of the page's checks of forms holds here, and no cookie opens anything.
"""

import logging
from typing import Final

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteException

from db.errors import CatalogueError
from db.review.access.state import ReviewState
from db.review.api.routes import router
from db.review.view.error_pages import status_of

PATH: Final = "/api"
log = logging.getLogger("nishiki.review")


def api(state: ReviewState) -> FastAPI:
    """The application; its schema lies at /api/openapi.json and asks for no token."""
    app = FastAPI(title="nishiki", version="1", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.review = state
    app.include_router(router)
    app.add_exception_handler(StarletteException, _http)
    app.add_exception_handler(RequestValidationError, _unusable)
    app.add_exception_handler(CatalogueError, _catalogue)
    app.add_exception_handler(Exception, _our_fault)
    return app


def _problem(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status)


def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteException | HTTPException)
    answer = _problem(error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer


def _unusable(_: Request, error: Exception) -> JSONResponse:
    """Which values, and why; the values themselves may be anything and are not repeated."""
    assert isinstance(error, RequestValidationError)
    places = [
        (".".join(map(str, each["loc"][1:])) or "body", each["msg"].removeprefix("Value error, "))
        for each in error.errors()
    ]
    unread = any(each["type"] == "json_invalid" for each in error.errors())
    return _problem(400 if unread else 422, "; ".join(f"{ascii(place)[1:-1]}: {words}" for place, words in places))


def _catalogue(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CatalogueError)
    status = status_of(error)
    if status < 500:
        return _problem(status, str(error))
    log.error("%s %r: %s", request.method, request.url.path, error)
    return _problem(503 if status != 500 else 500, "the catalogue does not answer now; the page's log says why")


def _our_fault(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %r: %s", request.method, request.url.path, type(error).__name__)
    return _problem(500, "this is a fault of nishiki's own; its log says more")
