"""An OAI-PMH server on this machine whose every answer a test writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

SECOND = "YYYY-MM-DDThh:mm:ssZ"

Question = dict[str, str]
Reply = Callable[[Question], str | bytes]


def envelope(inner: str, time: str = "2024-03-02T01:00:00Z") -> str:
    head = '<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
    return f"{head}<responseDate>{time}</responseDate>{inner}</OAI-PMH>"


def error(code: str) -> str:
    return envelope(f'<error code="{code}">told by the test</error>')


def page(*identifiers: str, token: str | None = None, size: str = "") -> str:
    records = "".join(
        f"<record><header><identifier>{identifier}</identifier><datestamp>2024-01-01</datestamp></header><metadata>"
        '<d:dc xmlns:d="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{identifier}</dc:title><dc:identifier>pictures/{identifier}.png</dc:identifier></d:dc></metadata>"
        "</record>"
        for identifier in identifiers
    )
    resume = "" if token is None else f'<resumptionToken completeListSize="{size}">{token}</resumptionToken>'
    return envelope(f"<ListRecords>{records}{resume}</ListRecords>")


@dataclass
class Museum:
    """An OAI-PMH server whose answers to ListRecords each test writes."""

    url: str = ""
    granularity: str = SECOND
    time: str = "2024-03-02T01:00:00Z"
    deleted: str = ""
    """What it says of deleted records: no, transient, persistent."""
    lists: Reply = lambda question: error("noRecordsMatch")
    pictures: dict[str, bytes] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def answer(self, path: str) -> bytes | None:
        parts = urlsplit(path)
        if parts.path != "/oai":
            return self.pictures.get(parts.path)
        question = dict(parse_qsl(parts.query))
        if question["verb"] == "Identify":
            said = f"<granularity>{self.granularity}</granularity><deletedRecord>{self.deleted}</deletedRecord>"
            reply: str | bytes = envelope(f"<Identify>{said}</Identify>", self.time)
        else:
            self.asked.append(question)
            reply = self.lists(question)
        return reply.encode() if isinstance(reply, str) else reply


@contextmanager
def serve_museum() -> Iterator[Museum]:
    """The server, for as long as the block lasts."""
    site = Museum()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = site.answer(self.path)
            etag = f'"{len(body or b"")}"'
            unchanged = body is not None and self.headers["If-None-Match"] == etag
            self.send_response(404 if body is None else 304 if unchanged else 200)
            self.send_header("ETag", etag)
            self.end_headers()
            self.wfile.write(b"" if unchanged else body or b"")

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        thread = Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        site.url = f"http://127.0.0.1:{http.server_port}/oai"
        yield site
        http.shutdown()
        thread.join()
