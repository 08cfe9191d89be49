"""A web server on loopback for every protocol's tests: a function from path to answer, and faults by a seeded plan."""

import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Lock, Thread

BUSY_PAGE = b"<!DOCTYPE html><html><title>Busy</title><p>Too many visitors, come back later.</html>"
FAULTS = ("500", "503", "reset", "truncated", "cut", "slow", "html")
"""500, 503 with Retry-After, no answer, less than Content-Length says, half without a length, late, a page."""
SLOW_S = 0.02


@dataclass(frozen=True)
class Reply:
    """One answer over HTTP."""

    body: bytes | str = b""
    type: str = "application/json"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def data(self) -> bytes:
        """The body as it is sent."""
        return self.body.encode() if isinstance(self.body, str) else self.body


Site = Callable[[str], Reply | None]
"""The path, with its query, in; None is 404."""


@dataclass
class FaultPlan:
    """Which answers fail, and how: the same for the same questions in the same order."""

    share: float = 0.0
    kinds: tuple[str, ...] = FAULTS
    seed: int = 1846
    spares: Callable[[str], bool] = lambda path: path == "/robots.txt"
    """Paths that never fail."""
    told: list[str] = field(default_factory=list)
    """The faults so far."""

    def __post_init__(self) -> None:
        self._random, self._lock = Random(self.seed), Lock()

    def next(self, path: str) -> str:
        """The fault of this answer; empty for none."""
        with self._lock:
            if self.spares(path) or self._random.random() >= self.share:
                return ""
            self.told.append(self._random.choice(self.kinds))
            return self.told[-1]


@dataclass
class WebServer:
    """A running server."""

    root: str
    """http://host:port without a slash at the end."""
    faults: FaultPlan
    asked: list[str] = field(default_factory=list)
    """Paths with their queries, in order, robots.txt left out."""


class _Handler(BaseHTTPRequestHandler):
    server: "_Http"

    def do_GET(self) -> None:
        state = self.server.state
        if self.path != "/robots.txt":
            state.asked.append(self.path)
        fault = state.faults.next(self.path)
        if fault == "reset":
            self._reset()
            return
        time.sleep(SLOW_S if fault == "slow" else 0)
        self._send(_FAILED.get(fault) or self.server.site(self.path) or Reply(status=404), fault)

    def _send(self, reply: Reply, fault: str) -> None:
        data = reply.data
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.type)
        for name, value in reply.headers:
            self.send_header(name, value)
        if fault != "cut":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if fault in ("truncated", "cut") else data)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *args: object) -> None:
        pass


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    state: WebServer
    site: Site

    def handle_error(self, request: object, client_address: object) -> None:
        """After a reset the handler cannot close what is closed, which is no news."""


_FAILED = {
    "500": Reply("fault", "text/plain", 500),
    "503": Reply("busy", "text/plain", 503, (("Retry-After", "0"),)),
    "html": Reply(BUSY_PAGE, "text/html"),
}


@contextmanager
def serve(site: Site | Mapping[str, Reply], faults: FaultPlan | None = None) -> Iterator[WebServer]:
    """Serve a site on loopback while the block runs: a function of the path with its query, or answers by path."""
    with _Http(("127.0.0.1", 0), _Handler) as http:
        http.site = site.get if isinstance(site, Mapping) else site
        http.state = WebServer(f"http://127.0.0.1:{http.server_port}", faults or FaultPlan())
        thread = Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield http.state
        finally:
            http.shutdown()
            thread.join()
