"""What a mistake looks like: one page for all of them, with what happened and what to do, in the reader's language.

What the catalogue says of the reader's mistakes is shown; what it says of its own state names paths and hosts and
goes into the log alone.
"""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from db.errors import CatalogueError, CatalogueFull, CatalogueUnreachable, PictureMissing, UnknownEntry
from db.review.addresses import address_of
from db.review.auth import SignInNeeded, visitor_before
from db.review.headers import HEADERS
from db.review.rendering import render

log = logging.getLogger("nishiki.review")
_STATUS = {UnknownEntry: 404, PictureMissing: 404, CatalogueUnreachable: 503, CatalogueFull: 507}


def install(app: FastAPI) -> None:
    """Answer every mistake with a page."""
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _wrong_form)
    app.add_exception_handler(CatalogueError, _catalogue)
    app.add_exception_handler(Exception, _our_fault)


def fault_page(request: Request, status: int, *, word: str = "", detail: str = "") -> Response:
    """The page; `word` names what the template explains, `detail` is shown as it is, escaped."""
    context = {"status": status, "word": word, "detail": detail}
    return render(request, "fault.html.j2", visitor_before(request), context, status=status)


def _sign_in(request: Request, _: Exception) -> Response:
    here = address_of(request)
    target = request.url_for("login_page").include_query_params(**({"back": here} if request.method == "GET" else {}))
    address = f"{target.path}?{target.query}" if target.query else target.path
    if request.headers.get("hx-request"):  # a part of a page: the whole page goes
        return Response(status_code=401, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = fault_page(request, error.status_code, word=error.detail)
    answer.headers.update(error.headers or {})
    return answer


def _wrong_form(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = [f"{each['loc'][-1]}: {each['msg']}" for each in error.errors()]
    return fault_page(request, 422, detail="; ".join(wrong))


def _catalogue(request: Request, error: Exception) -> Response:
    status = next((number for kind, number in _STATUS.items() if isinstance(error, kind)), 500)
    if status < 500:
        return fault_page(request, status, detail=str(error))
    log.error("%s %r: %s", request.method, request.url.path, error)
    return fault_page(request, status)


def _our_fault(request: Request, error: Exception) -> Response:
    # the server logs the traceback; a path is logged as Python writes it, lest it begin a line of its own
    log.error("%s %r: %s", request.method, request.url.path, type(error).__name__)
    answer = fault_page(request, 500)
    answer.headers.update(HEADERS)
    return answer
