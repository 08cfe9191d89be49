"""What a mistake looks like: one page for all of them, with what happened and what to do, in the reader's language.

What the catalogue says of the reader's mistakes is shown; what it says of its own state names paths and hosts and
goes into the log alone.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from db.errors import (
    CatalogueError,
    CatalogueFull,
    CatalogueMisfit,
    CatalogueUnreachable,
    PictureMissing,
    TriedAlready,
    UnknownEntry,
)
from db.review.access.addresses import address_of
from db.review.access.auth import SignInNeeded, visitor_before
from db.review.access.headers import headers_of
from db.review.view.notices import notice_value
from db.review.view.preferences import preferences_of
from db.review.view.rendering import render
from db.review.view.translations import words

log = logging.getLogger("nishiki.review")
_MOST_SHOWN: Final = 80
"""Letters of a value that is shown again."""
_BRIEFLY: Final = {
    "too long": "This is longer than any form of the page. "
    "Nothing of it was kept: go back, shorten it and send it again.",
    "too slow": "What you sent did not arrive in time, and nothing of it was kept. "
    "Check the connection, go back and send it again.",
    "unreadable form": "This is not a form that the page knows: it has too many fields, holds a file, or breaks off. "
    "Nothing of it was kept.",
    "too many tries": "Wait a little, then try again.",
}
"""As the page says it."""
_SLIPS: Final = {
    "no number": {"int_parsing", "float_parsing", "int_from_float"},
    "out of range": {
        "greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number", "int_parsing_size",
    },
    "too long": {"string_too_long", "too_long"},
    "missing": {"missing"},
}  # fmt: skip
_STATUS: Final[tuple[tuple[type[CatalogueError], int], ...]] = (
    (UnknownEntry, 404),
    (PictureMissing, 404),
    (TriedAlready, 409),
    (CatalogueUnreachable, 503),
    (CatalogueFull, 507),
)


def status_of(error: CatalogueError) -> int:
    """The status of HTTP that says it; 500 for what is no mistake of the asker's."""
    return next((number for kind, number in _STATUS if isinstance(error, kind)), 500)


def install(app: FastAPI) -> None:
    """Answer every mistake with a page."""
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _wrong_form)
    app.add_exception_handler(CatalogueError, _catalogue)
    app.add_exception_handler(Exception, _our_fault)


@dataclass(frozen=True)
class Slip:
    """A value of an address or a form that cannot be used."""

    field: str
    value: str
    what: str
    """What is wrong with it, as the template puts it into words."""


def fault_page(
    request: Request, status: int, *, word: str = "", detail: str = "", slips: Sequence[Slip] = ()
) -> Response:
    """The page; `word` names what the template explains, `detail` is shown as it is, escaped."""
    context = {"status": status, "word": word, "detail": detail, "slips": slips}
    return render(request, "fault.html.j2", visitor_before(request), context, status=status)


def _sign_in(request: Request, _: Exception) -> Response:
    lost = {} if request.method == "GET" else {"notice": notice_value("not-kept")}
    target = request.url_for("login_page").include_query_params(back=address_of(request), **lost)
    address = f"{target.path}?{target.query}" if target.query else target.path
    if request.headers.get("hx-request"):  # a part of a page: the whole page goes
        return Response(status_code=401, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = visitor_before(request)
    brief = None if known else _BRIEFLY.get(error.detail)
    answer = (
        _line(request, error.status_code, brief) if brief else fault_page(request, error.status_code, word=error.detail)
    )
    answer.headers.update(error.headers or {})
    return answer


def _line(request: Request, status: int, sentence: str) -> Response:
    """A sentence instead of a page, for what strangers may send in any number: a page costs a hundred times as much."""
    return PlainTextResponse(words(preferences_of(request).language).gettext(sentence) + "\n", status)


def _wrong_form(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return fault_page(request, 422, slips=[_slip(each) for each in error.errors()])


def _slip(each: Mapping[str, Any]) -> Slip:
    field = each["loc"][-1] if each["loc"] else "form"  # of what is no JSON, no part is wrong by itself
    return Slip(str(field), _shown(each["input"]), _kind(each["type"]))


def _shown(given: object) -> str:
    text = str(given) if isinstance(given, str | int | float) else ""
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]} …"


def _kind(said: str) -> str:
    """Of pydantic's word for what is wrong, which of ours."""
    return next((word for word, kinds in _SLIPS.items() if said in kinds), "unfit")


def _catalogue(request: Request, error: Exception) -> Response:
    assert isinstance(error, CatalogueError)
    status = status_of(error)
    if status < 500:
        if isinstance(error, UnknownEntry) and request.method == "GET":  # a page of an entry asks for nothing else
            return fault_page(request, status, word="no entry", detail=str(request.path_params.get("attempt_id", "")))
        return fault_page(request, status, detail=str(error))
    log.error("%s %r: %s", request.method, request.url.path, error)
    return fault_page(request, status, word="misfit" if isinstance(error, CatalogueMisfit) else "")


def _our_fault(request: Request, error: Exception) -> Response:
    # the server logs the traceback; a path is logged as Python writes it, lest it begin a line of its own
    log.error("%s %r: %s", request.method, request.url.path, type(error).__name__)
    answer = fault_page(request, 500)
    answer.headers.update(headers_of(request.scope))
    return answer
