"""How much a form may hold, route by route, and that nothing of it is read before it must be."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.formparsers import MultiPartException
from starlette.types import Message

from db.catalogue import Catalogue
from db.entries.review import Role
from db.review.access.bodies import BOUNDS, KIB, Bound, BoundedRoute, _parsed
from db.review.access.throttle import FREE_BY_PLACE
from db.settings import CatalogueSettings
from tests.integration.review.review_client import Browser, add_people, opened, routes, signed_in
from tests.waiting import in_thread, run_alone

DATABASES = ("sqlite",)
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=b"


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    """A page with accounts."""
    add_people(catalogue, Aoi=Role.CURATOR, Ren=Role.ADMIN)
    with opened(settings) as made:
        yield made


def _unsafe(app: FastAPI) -> list[APIRoute]:
    found = [each for page in app.routes for each in _within(page)]
    return [each for each in found if {"POST", "PUT", "PATCH", "DELETE"} & set(each.methods or ())]


def _within(route: Any) -> list[APIRoute]:
    if isinstance(route, APIRoute):
        return [route]
    return [inner for each in getattr(getattr(route, "original_router", None), "routes", ()) for inner in _within(each)]


def test_every_form_has_its_bound_and_every_bound_its_form(app: FastAPI) -> None:
    unsafe = _unsafe(app)
    assert {each.path for each in unsafe} == {path for path, ways in app.openapi()["paths"].items() if "post" in ways}
    assert [each.path for each in unsafe if not isinstance(each, BoundedRoute)] == []
    assert set(BOUNDS) <= {each.path for each in unsafe}


class Wire:
    """A request's body as it comes, which tells how much of it was read."""

    def __init__(self, size: int, *, ends: bool = True) -> None:
        self.read = 0
        self._size = size
        self._ends = ends

    async def __call__(self) -> Message:
        """The next kilobyte; one that stops comes no more."""
        if self.read >= self._size and not self._ends:
            await asyncio.Event().wait()
        self.read += KIB
        return {"type": "http.request", "body": b"&" * KIB, "more_body": self.read < self._size or not self._ends}


async def _answer(app: FastAPI, path: str, wire: Wire, **headers: str) -> tuple[int, str]:
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "scheme": "http", "http_version": "1.1", "server": ("localhost", 80),
        "client": ("192.0.2.1", 5), "headers": [(b"host", b"localhost"), (b"content-type", FORM.encode()), *named],
    }  # fmt: skip
    await app(scope, wire, send)
    return said[0]["status"], b"".join(each.get("body", b"") for each in said[1:]).decode()


@pytest.mark.parametrize("path", ["/login", "/preferences", "/logout"])
def test_a_form_that_says_it_is_too_long_is_not_read_at_all(app: FastAPI, path: str) -> None:
    for length in (str(16 * KIB + 1), str(8_400_000), "9" * 50, "-1", "１"):
        wire = Wire(8_400_000)
        status, text = run_alone(_answer(app, path, wire, content_length=length.encode().decode("latin-1")))
        assert (status, wire.read) == (413, 0), length
        assert "This is longer than any form of the page" in text


def test_a_form_that_does_not_say_how_long_it_is_is_counted_as_it_comes(app: FastAPI) -> None:
    wire = Wire(8_400_000)
    status, text = run_alone(_answer(app, "/login", wire))
    assert (status, wire.read) == (413, 17 * KIB)
    assert "This is longer than any form of the page" in text


def test_a_form_that_stops_coming_is_given_up(app: FastAPI) -> None:
    app.state.review = replace(app.state.review, body_s=0.05)
    wire = Wire(2 * KIB, ends=False)
    status, text = run_alone(_answer(app, "/login", wire))
    assert (status, wire.read) == (408, 2 * KIB)
    assert "did not arrive in time" in text


def test_nothing_is_read_of_a_stranger_s_form_but_those_for_strangers(app: FastAPI) -> None:
    for _, address in routes(app, "post"):
        if address not in ("/login", "/logout", "/preferences"):
            wire = Wire(2 * KIB)
            status, _ = run_alone(_answer(app, address, wire))
            assert (status, wire.read) == (303, 0), address


def test_nothing_is_read_from_a_place_that_has_to_wait(app: FastAPI) -> None:
    for number in range(FREE_BY_PLACE):
        assert app.state.review.throttle.begin(f"guess {number}", "192.0.2.1") == 0
    wire = Wire(2 * KIB)
    status, text = run_alone(_answer(app, "/login", wire))
    assert (status, wire.read) == (429, 0)
    assert "Wait a little" in text


def _parts(number: int, more: str = "") -> bytes:
    part = f'--b\r\nContent-Disposition: form-data; name="a"{more}\r\n\r\n1\r\n'
    return (part * number + "--b--\r\n").encode()


@pytest.mark.parametrize(
    ("kind", "body", "fields"),
    [
        (FORM, b"a=1&b=%E8%91%B5&c=&d&a=+2", [("a", "1"), ("b", "葵"), ("c", ""), ("d", ""), ("a", " 2")]),
        (FORM, b"", []),
        (FORM, b"&".join([b"a=1"] * 16), [("a", "1")] * 16),
        (FORM + "; charset=utf-8", b"a=%ff%fe", [("a", "\ufffd\ufffd")]),
        (PARTS, _parts(16), [("a", "1")] * 16),
        ("application/json", b'{"a": 1}', []),
        ("", b"a=1", []),
    ],
)
def test_a_form_is_taken_apart_as_browsers_put_it_together(
    kind: str, body: bytes, fields: list[tuple[str, str]]
) -> None:
    assert in_thread(lambda: _parsed(body, kind, Bound())).multi_items() == fields


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"&" * 16),
        (FORM, b"&" * (16 * KIB)),
        (FORM, b"a=1&" * 17),
        (PARTS, _parts(17)),
        (PARTS, _parts(1, '; filename="a.txt"')),
        (PARTS, b"--b\r\n\r\nno name\r\n--b--\r\n"),
        (PARTS, b"--c\r\nanother boundary"),
        ("multipart/form-data", _parts(1)),
    ],
)
def test_what_has_too_many_fields_or_breaks_off_is_no_form(app: FastAPI, kind: str, body: bytes) -> None:
    with pytest.raises((ValueError, MultiPartException)):
        in_thread(lambda: _parsed(body, kind, Bound()))
    answer = Browser(app).http.post("/login", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert "not a form that the page knows" in answer.text


def test_a_form_of_parts_is_taken_too(app: FastAPI) -> None:
    browser = Browser(app)
    fields = {"name": "theme", "value": "dark", "csrf": browser.csrf()}
    parts: dict[str, Any] = {name: (None, value) for name, value in fields.items()}
    assert browser.http.post("/preferences", files=parts).status_code == 303


def test_marks_that_are_no_json_are_told_like_any_other_slip(app: FastAPI) -> None:
    browser = signed_in(app, "Aoi")
    token = {"X-CSRF-Token": browser.csrf()}
    for body in (b"", b"{", b"[" * 100_000, b"\xff", b'{"recipe": 1, "marks": []}'):
        answer = browser.http.post("/entries/1/marks", content=body, headers=token)
        assert answer.status_code == 422, body[:20]
        assert "This could not be accepted" in answer.text


def test_strangers_get_a_sentence_in_their_language_and_people_who_are_signed_in_a_page(app: FastAPI) -> None:
    long, japanese = b"a=" + b"1" * 16 * KIB, {"Content-Type": FORM, "Accept-Language": "ja"}
    said = Browser(app).http.post("/login", content=long, headers=japanese)
    assert (said.status_code, said.headers["content-type"]) == (413, "text/plain; charset=utf-8")
    assert said.text.startswith("送信された内容が長すぎる")
    browser = signed_in(app, "Aoi")
    page = browser.http.post("/undo", content=long, headers=japanese)
    assert (page.status_code, page.headers["content-type"]) == (413, "text/html; charset=utf-8")
