"""A chat program's server, which keeps what it is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Chat:
    """Answers with `status`."""

    address: str
    status: int = 200
    told: list[bytes] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Chat]:
    """Inside it, the server listens."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            chat.told.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(chat.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        chat = Chat(f"http://127.0.0.1:{server.server_address[1]}/hooks/k3y?token=k3y")
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield chat
        server.shutdown()
