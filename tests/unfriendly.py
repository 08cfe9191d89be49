"""An archive on this machine that misbehaves as the script of each test says: OAI-PMH, and pictures over HTTP.

What it holds is drawn by program. `serve_unfriendly` serves it while a block lasts; nothing is written to disk.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

Question = dict[str, str]
SECOND = "YYYY-MM-DDThh:mm:ssZ"
OAI = "http://www.openarchives.org/OAI/2.0/"
OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
DC = "http://purl.org/dc/elements/1.1/"
FREE = "http://creativecommons.org/publicdomain/zero/1.0/"
BUSY = b"<!DOCTYPE html><title>Busy</title><p>Come back later."
STAMP = "%Y-%m-%dT%H:%M:%SZ"
LONG_AGO = "2024-01-01T00:00:00Z"


def drawn(seed: int, kind: str = "PNG", *, colour: bool = False) -> bytes:
    """A small picture with strokes in it, as bytes of a format; another one for each seed."""
    random = np.random.default_rng(seed)
    pixels = np.full((64, 48, 3), 235, np.uint8)
    for _ in range(12):
        top, left = random.integers(0, 50), random.integers(0, 36)
        shade = random.integers(0, 200, 3) if colour else np.repeat(random.integers(0, 200, 1), 3)
        pixels[top : top + 9, left : left + 9] = shade
    file = BytesIO()
    Image.fromarray(pixels if colour else pixels[..., 0]).save(file, kind)
    return file.getvalue()


@dataclass(frozen=True)
class Reply:
    """One answer over HTTP."""

    body: bytes = b""
    status: int = 200
    type: str = "application/octet-stream"
    headers: tuple[tuple[str, str], ...] = ()
    """No Content-Length among them, so that a body which is cut ends like a whole one."""


def record(
    identifier: str,
    *addresses: str,
    stamp: str = LONG_AGO,
    rights: str = FREE,
    title: str | None = None,
    prefix: str = f'xmlns:oai_dc="{OAI_DC}" xmlns:dc="{DC}"',
) -> str:
    """A record's XML, with these dc:identifiers; nothing of it is escaped but the addresses."""
    said = [("title", identifier if title is None else title), ("type", "役者絵"), ("rights", rights)]
    said += [("identifier", escape(address)) for address in addresses]
    elements = "".join(f"<dc:{name}>{text}</dc:{name}>" for name, text in said)
    header = f"<header><identifier>{identifier}</identifier><datestamp>{stamp}</datestamp></header>"
    return f"<record>{header}<metadata><oai_dc:dc {prefix}>{elements}</oai_dc:dc></metadata></record>"


def listed(*records: str, token: str | None = None, size: int | None = None) -> str:
    """The inside of an answer to ListRecords."""
    told = "" if size is None else f' completeListSize="{size}"'
    resume = "" if token is None else f"<resumptionToken{told}>{token}</resumptionToken>"
    return f"<ListRecords>{''.join(records)}{resume}</ListRecords>"


def error(code: str) -> str:
    """The inside of an answer that refuses."""
    return f'<error code="{code}">so it is</error>'


@dataclass
class Unfriendly:
    """What it says, for each test to change; by default it is an honest archive of `pictures`."""

    root: str = ""
    granularity: str = SECOND
    deleted: str = "persistent"
    ahead: timedelta = timedelta()
    """How far its clock is ahead of ours."""
    declaration: str = '<?xml version="1.0" encoding="UTF-8"?>'
    encoding: str = "utf-8"
    records: Callable[[Question], str | bytes] | None = None
    """The inside of an answer to ListRecords, or all of it as bytes."""
    pictures: dict[str, list[Reply]] = field(default_factory=dict)
    """By path: one answer after the other, the last for good."""
    asked: list[str] = field(default_factory=list)
    """Paths, with what was asked of OAI-PMH."""

    @property
    def base_url(self) -> str:
        """What a client is given as the archive's address."""
        return f"{self.root}/oai"

    @property
    def now(self) -> datetime:
        """By its own clock."""
        return datetime.now(UTC) + self.ahead

    def holds(self, count: int, kind: str = "PNG") -> list[str]:
        """Fill it with so many gray pictures, /0.png and so on; their paths."""
        self.pictures |= {f"/{n}.{kind.lower()}": [Reply(drawn(n, kind))] for n in range(count)}
        return list(self.pictures)

    def all_records(self) -> list[str]:
        """A record for each picture, named by its path."""
        return [record(path.strip("/"), f"{self.root}{path}") for path in self.pictures]

    def asks(self, verb: str = "ListRecords") -> list[Question]:
        """What was asked of the archive, in order."""
        questions = (dict(parse_qsl(urlsplit(path).query)) for path in self.asked if path.startswith("/oai"))
        return [question for question in questions if question.get("verb") == verb]

    def reply(self, path: str) -> Reply:
        """The answer to a path."""
        self.asked.append(path)
        if urlsplit(path).path == "/oai":
            return Reply(self._oai(dict(parse_qsl(urlsplit(path).query))), type="text/xml")
        replies = self.pictures.get(path)
        if not replies:
            return Reply(status=404)
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def _oai(self, question: Question) -> bytes:
        if question.get("verb") == "Identify":
            said = f"<granularity>{self.granularity}</granularity><deletedRecord>{self.deleted}</deletedRecord>"
            return self.answer(f"<Identify>{said}</Identify>")
        inner = self.records(question) if self.records else listed(*self.all_records())
        return inner if isinstance(inner, bytes) else self.answer(inner)

    def answer(self, inner: str) -> bytes:
        """A whole answer, in its own encoding."""
        date = f"<responseDate>{self.now.strftime(STAMP)}</responseDate>"
        whole = f'{self.declaration}<OAI-PMH xmlns="{OAI}">{date}{inner}</OAI-PMH>'
        return whole.encode(self.encoding)


def endless(pages: list[list[str]]) -> Callable[[Question], str]:
    """The last page names itself."""

    def answer(question: Question) -> str:
        number = min(int(question.get("resumptionToken", 0)), len(pages) - 1)
        return listed(*pages[number], token=str(min(number + 1, len(pages) - 1)))

    return answer


def refusing(pages: list[list[str]]) -> Callable[[Question], str]:
    """It accepts none of its own tokens."""
    return lambda question: (
        error("badResumptionToken") if "resumptionToken" in question else listed(*pages[0], token="t")
    )


def circling(pages: list[list[str]]) -> Callable[[Question], str]:
    """Its tokens lead from the last page to the first."""
    return lambda question: listed(
        *pages[int(question.get("resumptionToken", 0))],
        token=str((int(question.get("resumptionToken", 0)) + 1) % len(pages)),
    )


def ever_new(pages: list[list[str]]) -> Callable[[Question], str]:
    """A new token each time, and always the last page."""
    return lambda question: listed(
        *pages[min(int(question.get("resumptionToken", 0)), len(pages) - 1)],
        token=str(int(question.get("resumptionToken", 0)) + 1),
    )


@contextmanager
def serve_unfriendly() -> Iterator[Unfriendly]:
    """The server, for as long as the block lasts."""
    site = Unfriendly()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply = site.reply(self.path)
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.type)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_HEAD = do_GET

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(site.now.timestamp() if timestamp is None else timestamp)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        thread = Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        site.root = f"http://127.0.0.1:{http.server_port}"
        try:
            yield site
        finally:
            http.shutdown()
            thread.join()


def paged(pages: Sequence[Sequence[str]], *, token: str | None = None, last: str = "") -> Callable[[Question], str]:
    """Lists in pages; the tokens are numbers, or all the same, when the server remembers where the client is."""
    place = [0]

    def answer(question: Question) -> str:
        said = question.get("resumptionToken")
        place[0] = 0 if said is None else place[0] + 1 if token else int(said)
        number = min(place[0], len(pages) - 1)
        at_end = number == len(pages) - 1
        return listed(*pages[number], token=last if at_end else token or str(number + 1))

    return answer
