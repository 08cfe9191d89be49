"""Connections that dawdle, or are many: the page as uvicorn serves it, on a thread of its own, with little patience."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread
from typing import Any

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from db.review.access.shares import Shares
from db.review.server import MOST_CHUNKS, Patience, server
from db.review.settings import ReviewSettings
from tests.waiting import run_alone, until

EACH = 6
MOST = 10
HASTY = Patience(header_s=0.2, idle_s=5, leaving_s=0.5)
ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
FORM = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how much it was sent; `/long` gets 20 MB, `/413` an answer at once, `/work` none."""
    assert scope["type"] == "http"
    more, size = scope["path"] != "/413", 0
    while scope["path"] == "/work" and (await receive())["type"] != "http.disconnect":
        pass
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    status = 413 if scope["path"] == "/413" else 200
    await send({"type": "http.response.start", "status": status, "headers": [(b"transfer-encoding", b"chunked")]})
    for _ in range(200 if scope["path"] == "/long" else 0):
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
    await send({"type": "http.response.body", "body": f"{size} bytes".encode()})


@contextmanager
def served(patience: Patience, **settings: Any) -> Iterator[uvicorn.Server]:
    """The app served with this patience."""
    listener = socket.create_server(("127.0.0.1", 0))
    made = server(app, ReviewSettings(review_connections_each=EACH, **settings), most=MOST, patience=patience)
    thread = Thread(target=made.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: made.started)
        yield made
    finally:
        made.should_exit = made.force_exit = True
        thread.join()


@pytest.fixture(scope="module")
def hasty_server() -> Iterator[uvicorn.Server]:
    """Waits a fifth of a second."""
    with served(HASTY) as made:
        yield made


@pytest.fixture(scope="module")
def hasty(hasty_server: uvicorn.Server) -> tuple[str, int]:
    """Where it is."""
    return _place(hasty_server)


@pytest.fixture(scope="module")
def patient_server() -> Iterator[uvicorn.Server]:
    """Waits longer than any test."""
    with served(Patience(60, 60, 60), review_proxies=["127.0.0.9"]) as made:
        yield made


@pytest.fixture(scope="module")
def patient(patient_server: uvicorn.Server) -> tuple[str, int]:
    """Where it is."""
    return _place(patient_server)


def _place(made: uvicorn.Server) -> tuple[str, int]:
    host, port = made.servers[0].sockets[0].getsockname()
    return host, port


def _call(place: tuple[str, int], said: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
    line = socket.create_connection(place, timeout=10, source_address=(source, 0))
    line.sendall(said)
    return line


def _heard(line: socket.socket) -> bytes:
    """All that comes until the other side ends it."""
    heard = b""
    try:
        while part := line.recv(100_000):
            heard += part
    except ConnectionResetError:
        pass
    return heard


def _answer(line: socket.socket) -> bytes:
    """One answer, whole."""
    heard = b""
    while not heard.endswith(b"0\r\n\r\n") and (part := line.recv(100_000)):
        heard += part
    return heard


def _is_answered(place: tuple[str, int], source: str = "127.0.0.1") -> bool:
    with _call(place, ASK, source) as line:
        return _answer(line).startswith(b"HTTP/1.1 200")


def test_who_says_nothing_is_forgotten_and_who_says_half_is_told(hasty: tuple[str, int]) -> None:
    with _call(hasty) as silent, _call(hasty, ASK[:-2]) as half:
        assert _heard(silent) == b""
        told = _heard(half)
        assert told.startswith(b"HTTP/1.1 408")
        assert b"did not arrive in time" in told


def test_a_further_request_has_its_time_too(hasty: tuple[str, int]) -> None:
    with _call(hasty, ASK) as line:
        assert _answer(line).startswith(b"HTTP/1.1 200")
        line.sendall(ASK + ASK)
        assert _answer(line).startswith(b"HTTP/1.1 200")
        line.sendall(ASK[:9])
        assert b"HTTP/1.1 408" in _heard(line)


def test_an_answer_that_nobody_takes_is_not_kept(hasty_server: uvicorn.Server, hasty: tuple[str, int]) -> None:
    until(lambda: not hasty_server.server_state.connections)
    with _call(hasty, ASK.replace(b"GET /", b"GET /long")) as line:
        assert line.recv(1)
        until(lambda: not hasty_server.server_state.connections, 10)


def test_what_is_left_of_an_answered_form_is_taken_for_a_while_and_the_answer_heard(hasty: tuple[str, int]) -> None:
    head = FORM.replace(b"/", b"/413", 1)
    with _call(hasty, head + b"Content-Length: 200000\r\n\r\n" + b"&" * 200_000) as line:
        assert _answer(line).startswith(b"HTTP/1.1 413")
        line.sendall(ASK)
        assert _answer(line).startswith(b"HTTP/1.1 200")
    with _call(hasty, head + b"Content-Length: 1000000\r\n\r\n&") as line:
        assert b"413" in _heard(line)


def test_a_form_in_crumbs_is_refused(hasty: tuple[str, int]) -> None:
    crumbs = FORM + b"Transfer-Encoding: chunked\r\n\r\n"
    with _call(hasty, crumbs + b"1\r\n&\r\n" * MOST_CHUNKS + b"0\r\n\r\n") as line:
        assert f"{MOST_CHUNKS} bytes".encode() in _answer(line)
    with _call(hasty, crumbs + b"1\r\n&\r\n" * (MOST_CHUNKS + 1)) as line:
        assert _answer(line).startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("said", [b"", ASK[:-2], FORM + b"Content-Length: 9\r\n\r\n&"], ids=["nothing", "half", "body"])
def test_many_that_dawdle_keep_nobody_out(patient: tuple[str, int], said: bytes) -> None:
    with ExitStack() as lines:
        many = [lines.enter_context(_call(patient, said)) for _ in range(3 * EACH)]
        assert _is_answered(patient)
        assert _is_answered(patient, "127.0.0.2")
        assert all(_heard(line) == b"" for line in many[: 2 * EACH])
        for number in range(3, 3 + MOST):
            lines.enter_context(_call(patient, said, f"127.0.1.{number}"))
            assert _is_answered(patient, "127.0.0.2")


def test_a_proxy_is_many_people(patient: tuple[str, int]) -> None:
    with ExitStack() as lines:
        own = [lines.enter_context(_call(patient, ASK, "127.0.0.9")) for _ in range(EACH + 1)]
        assert all(_answer(line).startswith(b"HTTP/1.1 200") for line in own)
        for line in own:
            line.sendall(ASK)
            assert _answer(line).startswith(b"HTTP/1.1 200")


def test_those_who_do_not_take_their_answer_keep_nobody_out(patient: tuple[str, int]) -> None:
    with ExitStack() as lines:
        for _ in range(EACH):
            assert lines.enter_context(_call(patient, ASK.replace(b"GET /", b"GET /long"))).recv(1)
        assert _is_answered(patient)


def test_where_all_are_being_answered_one_more_is_told_to_wait(
    patient_server: uvicorn.Server, patient: tuple[str, int]
) -> None:
    with ExitStack() as lines:
        for _ in range(EACH):
            lines.enter_context(_call(patient, ASK.replace(b"GET /", b"GET /work")))
        until(lambda: len(patient_server.server_state.tasks) == EACH)
        with _call(patient) as line:
            told = _heard(line)
        assert told.startswith(b"HTTP/1.1 503")
        assert b"too many connections from your address" in told
        assert _is_answered(patient, "127.0.0.2")


def test_behind_a_proxy_it_is_the_browser_s_address_that_has_a_share() -> None:
    said: list[int] = []

    async def send(message: Message) -> None:
        said.extend([message["status"]] if "status" in message else [])

    async def asks_again(scope: Scope, receive: Receive, send: Send) -> None:
        for source in scope["then"][:1]:
            await shares({**scope, "client": (source, 1), "then": scope["then"][1:]}, receive, send)
        await app(scope, receive, send)

    shares = Shares(asks_again, 2)
    for then, statuses in (
        (["2001:db8::2", "2001:db8::3"], [503, 413, 413]),
        (["2001:db8::2", "2001:db8:0:1::3"], [413, 413, 413]),
        ([], [413]),
    ):
        scope = {"type": "http", "client": ("2001:db8::1", 1), "path": "/413", "headers": [], "then": then}
        run_alone(shares(scope, app, send))  # type: ignore[arg-type]
        assert said == statuses
        said.clear()


def test_an_answer_is_sent_at_once(patient: tuple[str, int]) -> None:
    """Its parts are not kept back until a browser has acknowledged the first, which some do 40 ms later."""
    with socket.create_connection(patient) as connection:
        took_s = []
        for _ in range(20):
            began = time.perf_counter()
            connection.sendall(ASK)
            answer = b""
            while b"\r\n0\r\n" not in answer:
                answer += connection.recv(65536)
            took_s.append(time.perf_counter() - began)
    assert min(took_s) < 0.03
