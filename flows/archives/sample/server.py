"""The sample archive: prints drawn by program, served over real HTTP as an OAI-PMH archive on loopback.

The demonstration, the tests and the benchmarks harvest it with the ordinary client; it knows of no client.
Pictures are drawn when they are first asked for. Nothing is written to disk.
"""

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flows.archives.sample import aic, arc, cleveland, iiif, japan_search, met
from flows.archives.sample.drawing.collection import Holding, added, colour_truth, holdings, picture
from flows.archives.sample.drawing.press import Pixels
from flows.archives.sample.museums import Answer, key_in, key_of
from flows.archives.sample.oai import MEDIA_TYPES, PREFIX, Shelf, answer, describe

SEED = 1846
APIS: dict[str, Answer] = {
    "japan-search": japan_search.answer,
    "met": met.answer,
    "aic": aic.answer,
    "cleveland": cleveland.answer,
    "iiif": iiif.answer,
    "iiif-change": iiif.changes,
    "arc": arc.answer,
}
"""Protocol, and first part of the path below which it is spoken → its answers."""
OAI_PMH = "oai-pmh"
SPOKEN = (OAI_PMH, *APIS)
"""Protocols that the sample archive speaks."""
LONGEST_FORM_BYTES = 65536


class SampleArchive:
    """The holdings and what may be done to them while they are being served; safe to use from any thread."""

    def __init__(self, stock: list[Holding], root: str, page: int, seed: int) -> None:
        self.root = root
        self.base_url = f"{root}/oai"
        """What a client is given as the archive's address."""
        self._page = page
        self._seed = seed
        self._holdings = {holding.key: holding for holding in stock}
        self._lock = threading.Lock()

    def address(self, protocol: str) -> str:
        """Where it speaks this protocol, one of `SPOKEN`."""
        return self.base_url if protocol == OAI_PMH else f"{self.root}/{protocol}"

    @property
    def identifiers(self) -> list[str]:
        """Of all records, deleted ones too, oldest datestamp first."""
        return [PREFIX + holding.key for holding in self.shelf().holdings]

    def holding(self, identifier: str) -> Holding:
        """What is known here of a record, its design included, by its name in any protocol; KeyError for none."""
        with self._lock:
            return self._holdings[key_in(identifier)]

    def truth(self, identifier: str) -> Pixels:
        """The colours of the very impression whose picture the record has: uint8, (H, W, 3), sRGB."""
        return colour_truth(self.holding(identifier))

    def touch(self, identifier: str, *, at: datetime | None = None) -> None:
        """Change a record to show another impression, or add it where it is new.

        Args:
            identifier: For a new record four digits and -c (colour) or -g (gray) after the prefix.
            at: The new datestamp, aware UTC; now where it is not given.
        """
        key, now = identifier.removeprefix(PREFIX), _second(at)
        with self._lock:
            old = self._holdings.get(key)
            self._holdings[key] = (
                replace(old, impression=old.impression + 100, datestamp=now, deleted=False)
                if old
                else added(key, self._seed, now)
            )

    def withdraw(self, identifier: str, *, at: datetime | None = None) -> None:
        """Delete a record; its header stays in the lists and its picture is gone."""
        key = identifier.removeprefix(PREFIX)
        with self._lock:
            self._holdings[key] = replace(self._holdings[key], deleted=True, datestamp=_second(at))

    def shelf(self) -> Shelf:
        """The holdings as they stand now, in the order of the lists."""
        with self._lock:
            stock = list(self._holdings.values())
        return Shelf(sorted(stock, key=lambda h: (h.datestamp, h.key)), self.root, self._page)


def _second(moment: datetime | None) -> datetime:
    """Datestamps have whole seconds."""
    return (moment or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)


@contextmanager
def serve_sample(
    designs: int = 12, page: int = 5, seed: int = SEED, *, grays: int = 10, port: int = 0
) -> Iterator[SampleArchive]:
    """Serve a sample archive on loopback while the block runs.

    Args:
        designs: Colour records, one of each design.
        page: Records in one answer of a list.
        seed: Chooses the designs; neighbouring seeds share all but one.
        grays: Gray photographs that may be colorized, of other impressions of the designs in turn. Six more
            records are difficult: deleted, under a licence without derivatives, a landscape, an ink print,
            with a picture that breaks off, without a genre.
        port: 0 takes a free one.

    Raises:
        ValueError: a number that makes no archive.
    """
    if designs < 1 or page < 1 or grays < 0:
        raise ValueError(
            f"A sample archive of {designs} designs, {grays} gray records and pages of {page} cannot be "
            "served: give at least one design and one record a page."
        )
    with _Server(("127.0.0.1", port), _Handler) as server:
        root = f"http://127.0.0.1:{server.server_address[1]}"
        server.archive = SampleArchive(holdings(designs, grays, seed), root, page, seed)
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="sample-archive", daemon=True
        )
        thread.start()
        try:
            yield server.archive
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    """One thread a request; a client that hangs up is none of our concern."""

    archive: SampleArchive
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Routes a request; every answer closes its connection, so that nothing outlives the server."""

    server: _Server
    server_version = "nishiki-sample"
    timeout = 10

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        area, _, name = url.path.strip("/").partition("/")
        page = _PAGES.get(area)
        if area == "oai" and not name:
            self._send_oai(url.query)
        elif area in APIS:
            self._send_api(APIS[area](name, parse_qsl(url.query), self.server.archive.shelf()))
        elif page and not name:
            self._send(*page(self.server.archive))
        elif area == "records":
            self._send_record(name)
        elif area == "artworks":
            self._send_record(key_of(name))
        elif area == "pictures":
            self._send_picture(name)
        else:
            self._send_nothing()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if urlsplit(self.path).path != "/oai" or not length.isdecimal() or int(length) > LONGEST_FORM_BYTES:
            self._send_nothing()
        else:
            self._send_oai(self.rfile.read(int(length)).decode("utf-8", "replace"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Keep the terminal quiet: a night of requests is no news."""

    def _send_oai(self, query: str) -> None:
        pairs = parse_qsl(query, keep_blank_values=True)
        self._send("text/xml; charset=utf-8", answer(pairs, self.server.archive.shelf()))

    def _send_api(self, found: bytes | Holding | None) -> None:
        if isinstance(found, bytes):
            kind = "text/html" if found.startswith(b"<") else "application/json"
            self._send(f"{kind}; charset=utf-8", found)
        elif found is None:
            self._send_nothing()
        else:
            self._send_picture(f"{found.key}.{found.suffix}")

    def _send_record(self, key: str) -> None:
        holding = self._held(key)
        if holding is None:
            self._send_nothing()
        else:
            self._send("text/html; charset=utf-8", _landing_page(holding, self.server.archive.root))

    def _send_picture(self, name: str) -> None:
        key, _, suffix = name.rpartition(".")
        holding = self._held(key)
        if holding is None or holding.suffix != suffix:
            self._send_nothing()
            return
        data = picture(holding)
        validators = {
            "ETag": f'"{hashlib.sha256(data).hexdigest()[:32]}"',
            "Last-Modified": format_datetime(holding.datestamp, usegmt=True),
        }
        if self._unchanged(validators["ETag"], holding.datestamp):
            self._send_status(HTTPStatus.NOT_MODIFIED, validators)
        else:
            self._send(MEDIA_TYPES[suffix], data, validators)

    def _held(self, key: str) -> Holding | None:
        try:
            holding = self.server.archive.holding(key)
        except KeyError:
            return None
        return None if holding.deleted else holding

    def _unchanged(self, etag: str, datestamp: datetime) -> bool:
        """Whether the client holds this version; an ETag, where given, decides alone (RFC 9110, 13.2.2)."""
        known = self.headers.get("If-None-Match")
        if known is not None:
            return known.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in known.split(","))
        try:
            since = parsedate_to_datetime(self.headers.get("If-Modified-Since", ""))
        except ValueError:
            return False
        return datestamp <= (since if since.tzinfo else since.replace(tzinfo=UTC))

    def _send(self, media_type: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        described = {"Content-Type": media_type, "Content-Length": str(len(data)), **(headers or {})}
        self._send_status(HTTPStatus.OK, described)
        if self.command != "HEAD":
            self.wfile.write(data)

    def _send_status(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_nothing(self) -> None:
        self.send_error(HTTPStatus.NOT_FOUND, "The sample archive has nothing here")


def _robots(_archive: SampleArchive) -> tuple[str, bytes]:
    return "text/plain; charset=utf-8", b"User-agent: *\nAllow: /\n"


def _front_page(archive: SampleArchive) -> tuple[str, bytes]:
    """All records by name, for a person who looks in with a browser."""
    items = "".join(
        f'<li><a href="/records/{escape(holding.key)}">{escape(holding.key)}</a> {escape(holding.title)}</li>'
        for holding in archive.shelf().holdings
        if not holding.deleted
    )
    return "text/html; charset=utf-8", _html("Sample archive", f"<ul>{items}</ul>")


_PAGES: dict[str, Callable[[SampleArchive], tuple[str, bytes]]] = {"": _front_page, "robots.txt": _robots}


def _landing_page(holding: Holding, root: str) -> bytes:
    """A record's page for people."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in describe(holding, root))
    source = f"/pictures/{escape(holding.key)}.{holding.suffix}"
    return _html(holding.title, f'<img src="{source}" alt="{escape(holding.title)}"><dl>{rows}</dl>')


def _html(title: str, body: str) -> bytes:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<h1>{escape(title)}</h1>{body}</html>"
    ).encode()
