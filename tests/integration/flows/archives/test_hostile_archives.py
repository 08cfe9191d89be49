"""An archive that means harm: it leads into private networks, sends bombs, and names files as it likes."""

import gzip
import io
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest
from PIL import Image

from colorize.errors import OversizedImage, UnreadableImage
from colorize.images.decode import decode
from flows.archives.errors import ArchiveError, ArchiveRefused, MalformedAnswer, TooLarge
from flows.archives.iiif.archive import IiifArchive
from flows.archives.iiif.changes import ChangeArchive
from flows.archives.oai.archive import OaiPmhArchive
from flows.archives.options import OPTIONS
from flows.archives.record import Access, Window
from flows.archives.registry import Protocol, open_archive
from flows.archives.web.client import PoliteClient
from flows.archives.web.politeness import Manners
from tests.integration.flows.archives.web_server import FaultPlan, Reply, WebServer, serve
from tests.integration.flows.museum import Museum, envelope, page, serve_museum
from tests.integration.flows.one_night import night

if TYPE_CHECKING:
    from tests.conftest import SettingsOf

SPELLINGS = (
    "127.0.0.1", "127.1", "127.0.1", "127.000.000.001", "127.255.255.254", "2130706433", "0x7f000001", "0x7F.1",
    "0x7f.0x0.0x0.0x1", "0177.0.0.1", "017700000001", "0177.1", "0", "0.0.0.0", "localhost", "LOCALHOST",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "１２７.0.0.1", "127。0。0。1",
    "museum.example@127.0.0.1", "[0:0::1]",
)  # fmt: skip
"""This machine, as an address may write it."""


@dataclass
class Canary:
    """A neighbour in the private network that must hear nothing; it listens on every address of this machine."""

    port: int
    heard: list[bytes] = field(default_factory=list)


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    both = socket.has_dualstack_ipv6()
    listener = socket.create_server(
        ("", 0), family=socket.AF_INET6 if both else socket.AF_INET, dualstack_ipv6=both, backlog=128
    )
    neighbour = Canary(listener.getsockname()[1])

    def listen() -> None:
        with suppress(OSError):
            while True:
                caller, _ = listener.accept()
                with closing(caller):
                    caller.settimeout(2)
                    with suppress(OSError):
                        if said := caller.recv(1000):
                            neighbour.heard.append(said)

    Thread(target=listen, daemon=True).start()
    yield neighbour
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.archives.web.client.BACKOFF_S", ())


def access(address: str, protocol: Protocol = Protocol.OAI_PMH) -> Access:
    return Access("museum", address, Manners("c", pace_s=0, timeout_s=2), options=OPTIONS[protocol]())


def ends(ask: Callable[[], object]) -> None:
    """Whatever comes of it, it is one of our own errors or an end in order."""
    with suppress(ArchiveError):
        ask()


def asked_with(server: WebServer, protocol: Protocol, path: str) -> None:
    with closing(open_archive(protocol, access(server.root + path, protocol))) as archive:
        ends(archive.check)
        ends(lambda: list(archive.records(Window())))


ENTRIES: dict[str, Callable[[WebServer, str], None]] = {
    "a picture of a record": lambda server, url: pictured(server, f"{url}/a.jpg"),
    "an image service of a record": lambda server, url: pictured(server, f"{url}/a/full/max/0/default.jpg"),
    "a picture that redirects": lambda server, _: pictured(server, f"{server.root}/away.jpg"),
    **{
        f"the base of {protocol} redirects": lambda server, _, protocol=protocol: asked_with(server, protocol, "/away")  # type: ignore[misc]
        for protocol in Protocol
        if protocol.web
    },
    "a member of a collection": lambda server, _: asked_with(server, Protocol.IIIF, "/collection"),
    "a page of a stream": lambda server, _: asked_with(server, Protocol.IIIF_CHANGE, "/stream"),
    "robots.txt redirects": lambda server, _: asked_with(server, Protocol.OAI_PMH, "/oai"),
}


def pictured(server: WebServer, url: str) -> None:
    for kind in (OaiPmhArchive, IiifArchive, ChangeArchive):
        with closing(kind.open(access(server.root))) as archive:
            ends(lambda archive=archive: archive.picture(url))  # type: ignore[misc]


@pytest.mark.allow_hosts(["127.0.0.1", "127.255.255.254", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_way_leads_to_a_neighbour_however_its_address_is_written(canary: Canary, spelling: str) -> None:
    url = f"http://{spelling}:{canary.port}"
    away = Reply(status=302, headers=(("Location", url.encode("utf-8").decode("latin-1")),))
    pages = {
        "/away": away, "/away.jpg": away, "/robots.txt": away,
        "/collection": Reply(f'{{"type": "Collection", "items": [{{"type": "Manifest", "id": "{url}"}}]}}'),
        "/stream": Reply(f'{{"type": "OrderedCollection", "last": {{"id": "{url}/1"}}}}'),
    }  # fmt: skip

    def site(path: str) -> Reply | None:
        return away if path.startswith("/away/") else pages.get(path.partition("?")[0])

    with serve(site) as server:
        for ask in ENTRIES.values():
            ask(server, url)
    assert canary.heard == []


def test_the_neighbour_would_hear_us(canary: Canary) -> None:
    with socket.create_connection(("127.0.0.1", canary.port), 5) as caller:
        caller.sendall(b"hello")
        caller.shutdown(socket.SHUT_WR)
        caller.recv(1)
    assert canary.heard.pop() == b"hello"


def test_the_archives_own_host_gives_no_leave_for_another_port(canary: Canary) -> None:
    with (
        closing(PoliteClient(Manners("c"), f"http://127.0.0.1:{canary.port + 1}/")) as client,
        pytest.raises(ArchiveRefused, match="outside the open internet"),
    ):
        client.get(f"http://127.0.0.1:{canary.port}/", limit=1000)
    assert canary.heard == []


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
XML_BOMBS = {
    "a billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><OAI-PMH>&l9;</OAI-PMH>',
    "one entity many times": f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]><x>{"&a;" * 50_000}</x>',
    "an entity from a file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    "a document type from elsewhere": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/a.dtd"><x/>',
    "a document type in a list that breaks off": (
        f'<!DOCTYPE x [<!ENTITY l0 "ha">]>{page("a")[:-20].partition("?>")[2].replace("<dc:title>a", "<dc:title>&l0;")}'
    ),
}


@pytest.mark.parametrize("bomb", XML_BOMBS.values(), ids=XML_BOMBS)
def test_xml_that_grows_or_reaches_out_is_refused_at_once(bomb: str) -> None:
    began = time.monotonic()
    with serve_museum() as museum, closing(OaiPmhArchive.open(access(museum.url))) as archive:
        museum.lists = lambda question: bomb
        with pytest.raises(MalformedAnswer):
            list(archive.records(Window()))
    assert time.monotonic() - began < 5


ZEROS = bytes(50_000_000)
BODIES = {
    "gzip": gzip.compress(ZEROS),
    "gzip, gzip": gzip.compress(gzip.compress(ZEROS)),
    "deflate": zlib.compress(ZEROS),
}


@pytest.mark.parametrize("coding", BODIES)
@pytest.mark.parametrize("protocol", [each for each in Protocol if each.web])
def test_what_unpacks_beyond_the_limit_is_given_up(coding: str, protocol: Protocol) -> None:
    bomb = Reply(BODIES[coding], headers=(("Content-Encoding", coding),))
    with serve(lambda path: None if path == "/robots.txt" else bomb) as server:
        small = Access("museum", server.root, Manners("c", max_bytes_text=100_000), options=OPTIONS[protocol]())
        with closing(open_archive(protocol, small)) as archive, pytest.raises(ArchiveError, match="100,000 bytes"):
            archive.check()


def test_a_length_beyond_the_limit_is_believed_and_nothing_read() -> None:
    endless = Reply(b"\xff\xd8\xff", headers=(("Content-Length", "10000000000"),))
    began = time.monotonic()
    with (
        serve({"/a.jpg": endless}, FaultPlan(1.0, ("cut",))) as server,
        closing(OaiPmhArchive.open(access(server.root))) as archive,
        pytest.raises(TooLarge),
    ):
        archive.picture(f"{server.root}/a.jpg")
    assert time.monotonic() - began < 2


def png_of(width: int, height: int) -> bytes:
    """A PNG that says so of itself, and holds nothing."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ]
    chunks = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "bomb",
    [
        png_of(100_000, 100_000),
        png_of(2**31 - 1, 2**31 - 1),
        saved(Image.new("1", (6000, 6000)), "PNG"),
        saved(Image.new("1", (6000, 6000)), "TIFF", compression="group4"),
        saved(Image.new("L", (6000, 6000)), "JPEG", quality=1),
        saved(Image.new("L", (6000, 6000)), "WEBP", lossless=True),
    ],
)
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(bomb: bytes) -> None:
    began = time.monotonic()
    with pytest.raises((OversizedImage, UnreadableImage)):
        decode(bomb, max_pixels=30_000_000)
    assert time.monotonic() - began < 1


NAMES = (
    "../../../escaped", "/tmp/escaped", "..\\..\\escaped", "a/../../../escaped", "~/escaped", "con", "%2e%2e%2fescaped",
    "a\u202egpj.exe", "C:\\escaped", "....//....//escaped", "$(touch escaped)", "`touch escaped`", "-rf", "a\nb",
)  # fmt: skip


def test_no_file_is_ever_named_by_an_archive(settings_of: "SettingsOf", tmp_path: Path) -> None:
    picture = saved(Image.linear_gradient("L"), "PNG")
    home = tmp_path / "inner" / "home"
    home.mkdir(parents=True)
    with serve_museum() as museum:
        museum.lists = lambda question: named_pictures(museum)
        museum.pictures = {f"/p/{n}/..%2F..%2Fescaped.png": picture + bytes([n]) for n in range(len(NAMES))}
        tally = night(settings_of(home), museum.url)
    assert (tally.failure, tally.pictures, tally.problems) == (None, len(NAMES), [])
    files = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert not [path for path in files if "escaped" in str(path) or not path.is_relative_to(home)]
    kept = [path.stem for path in files if path.suffix == ".png"]
    assert len(kept) >= len(NAMES)
    assert all(len(stem) == 64 and int(stem, 16) for stem in kept)


def named_pictures(museum: Museum) -> str:
    """A list whose identifiers and pictures have such names."""
    one = page("SAMPLE").partition("<ListRecords>")[2].partition("</ListRecords>")[0]
    root = museum.url.removesuffix("/oai")
    records = (
        one.replace("pictures/SAMPLE.png", f"{root}/p/{number}/..%2F..%2Fescaped.png").replace("SAMPLE", escape(name))
        for number, name in enumerate(NAMES)
    )
    return envelope(f"<ListRecords>{''.join(records)}</ListRecords>")
