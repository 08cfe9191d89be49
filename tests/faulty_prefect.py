"""A Prefect server that fails: it hands on what it is asked to a sound one, until it is time to answer otherwise."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

Fault = Callable[[str, str], int | None]
"""From method and path to the status that is answered; None: hand it on; 0: it is never answered."""

ALWAYS_503: Fault = lambda _method, _path: 503  # noqa: E731
HEALTHY_ONLY: Fault = lambda _method, path: None if path.endswith("/health") else 500  # noqa: E731


def after(path: str, fault: int, times: int = 1) -> Fault:
    """Sound until so many requests for this path were answered, and this status for every one from then on."""
    seen: list[str] = []

    def answer(method: str, asked: str) -> int | None:
        if len(seen) >= times:
            return fault
        if f"{method} {asked}".startswith(path):
            seen.append(asked)
        return None

    return answer


@contextmanager
def faulty_prefect(sound: str, fault: Fault) -> Iterator[str]:
    """URL of the API of a server that hands on to the sound one, but for its faults."""
    over = threading.Event()

    class Faulty(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.removeprefix("/api")
            status, data = fault(self.command, path), b'{"detail": "it is out of order"}'
            if status == 0:
                over.wait()
                return
            if status is None:
                status, data = self.handed_on(path, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def handed_on(self, path: str, body: bytes) -> tuple[int, bytes]:
            headers = {"Content-Type": "application/json"}
            request = Request(f"{sound}{path}", body or None, headers, method=self.command)
            try:
                with urlopen(request, timeout=30) as answer:
                    return answer.status, answer.read()
            except HTTPError as error:
                return error.code, error.read()

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Faulty) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        over.set()
        server.shutdown()
        thread.join()
