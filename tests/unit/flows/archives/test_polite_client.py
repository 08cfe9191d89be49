"""The polite client against a small server of its own on this machine, with a clock that nobody waits for."""

import gzip
import hashlib
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from flows.archives.errors import ArchiveRefused, ArchiveUnavailable, BadRecord, TooLarge
from flows.archives.record import Validators
from flows.archives.web.client import REFUSALS_IN_A_ROW, PoliteClient
from flows.archives.web.day_counts import DayCounts
from flows.archives.web.politeness import DayLimit, Manners
from flows.archives.web.quiet_hours import QuietHours
from flows.archives.web.transfer import IN_MEMORY_BYTES

LIMIT = 1_000_000
MANNERS = Manners("curator@example.org")
Play = Callable[[BaseHTTPRequestHandler], None]


def say(status: int, body: bytes = b"", **headers: str) -> Play:
    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return play


@dataclass
class Server:
    """Plays a list of answers per path, the last one for ever, and remembers what it was asked."""

    url: str = ""
    plays: dict[str, list[Play]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def at(self, path: str, *plays: Play) -> str:
        self.plays[path] = list(plays)
        return self.url + path

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked if path != "/robots.txt"]


@pytest.fixture
def server() -> Iterator[Server]:
    yield from serve()


@pytest.fixture
def other_server() -> Iterator[Server]:
    yield from serve()


def serve() -> Iterator[Server]:
    site = Server(plays={"/robots.txt": [say(404)]})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers)))
            plays = site.plays.get(self.path.partition("?")[0], [say(404)])
            try:
                (plays.pop(0) if len(plays) > 1 else plays[0])(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        thread = Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        site.url = f"http://127.0.0.1:{http.server_port}"
        yield site
        http.shutdown()
        thread.join()


class Clock:
    """Stands still but for sleeps, which it writes down."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_client(server: Server, clock: Clock) -> Iterator[Callable[..., PoliteClient]]:
    clients: list[PoliteClient] = []

    def open_(manners: Manners = MANNERS, home: str | None = None) -> PoliteClient:
        clients.append(PoliteClient(manners, home or server.url, clock=clock, sleep=clock.sleep))
        return clients[-1]

    yield open_
    for client in clients:
        client.close()


@pytest.fixture
def client(open_client: Callable[..., PoliteClient]) -> PoliteClient:
    return open_client()


def test_it_says_who_it_is_and_gives_back_what_it_got(client: PoliteClient, server: Server) -> None:
    url = server.at("/a.xml", say(200, b"<a/>", ETag='"v1"', Last_Modified="yesterday", Content_Type="text/xml"))
    answer = client.get(url, limit=LIMIT)
    assert answer is not None
    assert (answer.data, answer.url, answer.content_type) == (b"<a/>", url, "text/xml")
    assert answer.validators == Validators('"v1"', "yesterday")
    agent = server.asked[-1][1]["User-Agent"]
    assert re.fullmatch(r"nishiki/[0-9.]+ \(\+curator@example\.org\)", agent)


def test_validators_are_sent_verbatim_and_304_means_unchanged(client: PoliteClient, server: Server) -> None:
    url = server.at("/a.png", say(304))
    assert client.get(url, limit=LIMIT, known=Validators('W/"x"', "Mon, 01 Jan 2024 00:00:00 GMT")) is None
    headers = server.asked[-1][1]
    assert headers["If-None-Match"] == 'W/"x"'
    assert headers["If-Modified-Since"] == "Mon, 01 Jan 2024 00:00:00 GMT"
    with pytest.raises(BadRecord):
        client.get(url, limit=LIMIT)


def test_robots_txt_is_read_once_a_day_and_obeyed(client: PoliteClient, server: Server, clock: Clock) -> None:
    server.at("/robots.txt", say(200, b"\xef\xbb\xbfUser-agent: nishiki\nDisallow: /private/\n"))
    server.at("/private/a", say(200, b"secret"))
    url = server.at("/open", say(200, b"x"))
    with pytest.raises(ArchiveRefused, match=r"robots\.txt forbids"):
        client.get(f"{server.url}/private/a", limit=LIMIT)
    client.get(url, limit=LIMIT)
    assert server.paths() == ["/open"]
    clock.now += 24 * 3600 + 1
    client.get(url, limit=LIMIT)
    assert [path for path, _ in server.asked].count("/robots.txt") == 2


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_robots_txt_that_is_not_there_restricts_nothing(client: PoliteClient, server: Server, status: int) -> None:
    server.at("/robots.txt", say(status))
    assert client.get(server.at("/a", say(200, b"x")), limit=LIMIT)


def test_an_unreachable_robots_txt_forbids_everything(client: PoliteClient, server: Server) -> None:
    server.at("/robots.txt", say(503))
    with pytest.raises(ArchiveUnavailable, match=r"without robots\.txt a host must not be asked"):
        client.get(server.at("/a", say(200, b"x")), limit=LIMIT)
    assert server.paths() == []


@pytest.mark.parametrize(
    ("robots", "pace_s", "pause_s"),
    [
        (b"", 3.0, 3.0),
        (b"User-agent: *\nCrawl-delay: 20", 3.0, 20.0),
        (b"User-agent: *\nRequest-rate: 1/7", 3.0, 7.0),
        (b"User-agent: *\nCrawl-delay: 1", 3.0, 3.0),
    ],
)
def test_the_pause_is_ours_or_the_one_that_robots_txt_asks_for(
    open_client: Callable[..., PoliteClient],
    server: Server,
    clock: Clock,
    robots: bytes,
    pace_s: float,
    pause_s: float,
) -> None:
    server.at("/robots.txt", say(200, robots))
    url = server.at("/a", say(200, b"x"))
    client = open_client(Manners("c", pace_s=pace_s))
    client.get(url, limit=LIMIT)
    client.get(url, limit=LIMIT)
    assert clock.sleeps == [pause_s, pause_s]


def test_loopback_is_not_slowed_down_unless_it_is_asked_for(client: PoliteClient, server: Server, clock: Clock) -> None:
    url = server.at("/a", say(200, b"x"))
    client.get(url, limit=LIMIT)
    client.get(url, limit=LIMIT)
    assert clock.sleeps == []


def test_a_host_that_wants_an_hour_between_requests_is_left_to_a_person(client: PoliteClient, server: Server) -> None:
    server.at("/robots.txt", say(200, b"User-agent: *\nCrawl-delay: 3600"))
    with pytest.raises(ArchiveRefused, match="agree on a pace"):
        client.get(server.at("/a", say(200, b"x")), limit=LIMIT)


def test_a_busy_host_is_asked_again_after_the_wait_it_names(client: PoliteClient, server: Server, clock: Clock) -> None:
    url = server.at("/a", say(503, Retry_After="40"), say(500), say(200, b"x"))
    answer = client.get(url, limit=LIMIT)
    assert answer is not None
    assert answer.data == b"x"
    first, second = clock.sleeps
    assert first == 40
    assert 8 <= second <= 12  # not all at once, where many failed together


def test_an_archive_is_not_asked_in_its_quiet_hours(server: Server, clock: Clock) -> None:
    hours, now = QuietHours.read("09:00-18:00 Asia/Tokyo"), datetime(2026, 11, 27, 3, tzinfo=UTC)  # noon in Tokyo
    client = PoliteClient(replace(MANNERS, quiet=hours), server.url, clock=clock, sleep=clock.sleep, now=lambda: now)
    with pytest.raises(ArchiveUnavailable, match="between 09:00 and 18:00 Asia/Tokyo"):
        client.get(server.at("/a", say(200, b"x")), limit=LIMIT)
    assert (server.asked, clock.sleeps) == ([], [])
    now = now.replace(hour=10)
    assert client.get(server.at("/a", say(200, b"x")), limit=LIMIT)
    client.close()


@pytest.mark.parametrize(
    ("hours", "hour", "held"),
    [("22:00-06:00 UTC", 23, True), ("22:00-06:00 UTC", 5, True), ("22:00-06:00 UTC", 6, False),
     ("09:30-18:00 UTC", 9, False), ("09:00-18:00 Asia/Tokyo", 0, True), ("09:00-18:00 Asia/Tokyo", 9, False)],
)  # fmt: skip
def test_quiet_hours_go_by_the_archives_clock_and_may_pass_midnight(hours: str, hour: int, held: bool) -> None:
    assert QuietHours.read(hours).hold(datetime(2026, 11, 27, hour, tzinfo=UTC)) is held


@pytest.mark.parametrize(
    "text", ["9-18 UTC", "09:00-18:00", "09:00-18:00 Nowhere/City", "09:00-09:00 UTC", "x", "25:00-26:00 UTC"]
)
def test_hours_that_are_none_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="09:00-18:00 Asia/Tokyo"):
        QuietHours.read(text)


def test_a_host_is_asked_no_more_often_than_allowed_on_one_day_by_all_clients(
    server: Server, clock: Clock, tmp_path: Path
) -> None:
    today = datetime(2026, 11, 27, 23, 59, tzinfo=UTC)
    limit = DayLimit(3, DayCounts(tmp_path / "hosts"))

    def ask() -> object:
        manners = replace(MANNERS, day_limit=limit)
        with closing(PoliteClient(manners, server.url, clock=clock, sleep=clock.sleep, now=lambda: today)) as client:
            return client.get(server.at("/a", say(200, b"x")), limit=LIMIT)

    assert ask()  # robots.txt, and the answer
    for _ in range(2):
        with pytest.raises(ArchiveUnavailable, match=r"asked 3 times today.*midnight UTC"):
            ask()  # robots.txt again
    assert len(server.asked) == 3
    today += timedelta(minutes=1)
    assert ask()


@pytest.mark.parametrize("spoilt", ["", "2026-11-27 ", "2026-11-27 x", "2026-11-27 -9", "\0", "2026-11-26 99"])
def test_a_count_that_is_of_another_day_or_none_begins_anew(spoilt: str, tmp_path: Path) -> None:
    counts, day = DayCounts(tmp_path), date(2026, 11, 27)
    assert counts.allows("http://a", day, 2)
    (file,) = tmp_path.iterdir()
    file.write_text(spoilt)
    assert [counts.allows("http://a", day, 2) for _ in range(3)] == [True, True, False]
    assert counts.allows("http://b", day, 2)


def test_a_host_whose_requests_cannot_be_counted_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("no folder")
    with pytest.raises(ArchiveUnavailable, match="cannot be counted"):
        DayCounts(tmp_path / "hosts").allows("http://a", date(2026, 11, 27), 2)


def test_after_429_to_the_last_try_the_host_is_left_alone(client: PoliteClient, server: Server) -> None:
    url = server.at("/a", say(429))
    with pytest.raises(ArchiveUnavailable, match="HTTP 429"):
        client.get(url, limit=LIMIT)
    asked = len(server.asked)
    with pytest.raises(ArchiveUnavailable, match="left alone") as stopped:
        client.get(server.at("/b", say(200, b"x")), limit=LIMIT)
    assert stopped.value.retry_after_s == 3600
    assert len(server.asked) == asked


def test_a_wait_beyond_the_deadline_is_not_waited_for(client: PoliteClient, server: Server, clock: Clock) -> None:
    with pytest.raises(ArchiveUnavailable) as busy:
        client.get(server.at("/a", say(429, Retry_After="3600")), limit=LIMIT)
    assert busy.value.retry_after_s == 3600
    assert clock.sleeps == []
    assert server.paths() == ["/a"]


def test_refusals_are_not_tried_again_and_many_in_a_row_stop_the_host(client: PoliteClient, server: Server) -> None:
    url = server.at("/a", say(403))
    for _ in range(REFUSALS_IN_A_ROW):
        with pytest.raises(ArchiveRefused, match="a person should look"):
            client.get(url, limit=LIMIT)
    with pytest.raises(ArchiveRefused, match="left alone"):
        client.get(url, limit=LIMIT)
    assert server.paths() == ["/a"] * REFUSALS_IN_A_ROW


@pytest.mark.parametrize("status", [400, 404, 410, 204])
def test_what_is_gone_is_a_bad_record_at_once(client: PoliteClient, server: Server, status: int) -> None:
    with pytest.raises(BadRecord, match=f"HTTP {status}"):
        client.get(server.at("/a", say(status)), limit=LIMIT)
    assert server.paths() == ["/a"]


def test_an_answer_beyond_the_limit_is_given_up(client: PoliteClient, server: Server) -> None:
    with pytest.raises(TooLarge, match="1,000,000 bytes"):
        client.get(server.at("/a", say(200, bytes(LIMIT + 1))), limit=LIMIT)
    assert client.get(server.at("/b", say(200, bytes(LIMIT))), limit=LIMIT)


def test_a_small_answer_that_unpacks_to_a_large_one_is_given_up(client: PoliteClient, server: Server) -> None:
    bomb = gzip.compress(bytes(50 * LIMIT))
    assert len(bomb) < LIMIT / 10
    with pytest.raises(TooLarge):
        client.get(server.at("/a", say(200, bomb, Content_Encoding="gzip")), limit=LIMIT)


def test_an_answer_that_says_it_is_too_large_is_not_read_at_all(client: PoliteClient, server: Server) -> None:
    def announce(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10 * 2**30))
        handler.end_headers()  # whoever reads on finds nothing

    with pytest.raises(TooLarge):
        client.get(server.at("/a", announce), limit=LIMIT)


def wait_for(what: Callable[[], bool]) -> bool:
    """Did it come true within 5 s?"""
    end = time.monotonic() + 5
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.005)
    return found


def test_a_large_answer_lies_on_disk_while_it_comes_and_is_hashed_on_the_way(
    open_client: Callable[..., PoliteClient], server: Server, tmp_path: Path
) -> None:
    data = bytes(range(256)) * (3 * IN_MEMORY_BYTES // 256)
    looked = Event()

    def half(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[: 2 * IN_MEMORY_BYTES])
        looked.wait(5)
        handler.wfile.write(data[2 * IN_MEMORY_BYTES :])

    def in_folder(handle: Path) -> bool:
        with suppress(OSError):
            return handle.readlink().is_relative_to(tmp_path)
        return False

    client = open_client(Manners("c", downloads=tmp_path))
    url = server.at("/a", half)
    with ThreadPoolExecutor(1) as other:
        coming = other.submit(client.get, url, limit=10 * IN_MEMORY_BYTES)
        lies_there = wait_for(lambda: any(map(in_folder, Path("/proc/self/fd").iterdir())))
        looked.set()
        answer = coming.result()
    assert lies_there
    assert answer is not None
    assert (answer.data, answer.sha256) == (data, hashlib.sha256(data).hexdigest())
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_breaks_off_is_no_answer(client: PoliteClient, server: Server) -> None:
    def break_off(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"half")

    with pytest.raises(ArchiveUnavailable, match="broke off"):
        client.get(server.at("/a", break_off), limit=LIMIT)
    assert server.paths() == ["/a"] * 3


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
    for number in range(100):
        handler.wfile.write(b"X-%d: drip\r\n" % number)
        time.sleep(0.05)


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("drip", [drip_headers, drip_body])
def test_a_server_that_drips_is_cut_off_at_the_deadline(
    open_client: Callable[..., PoliteClient], server: Server, drip: Play
) -> None:
    client = open_client(Manners("c", deadline_s=0.5, timeout_s=0.4))
    started = time.monotonic()
    with pytest.raises(ArchiveUnavailable, match=r"longer than 0\.5 s"):
        client.get(server.at("/a", drip), limit=LIMIT)
    assert time.monotonic() - started < 2


def test_a_host_that_is_not_there_is_unavailable(open_client: Callable[..., PoliteClient]) -> None:
    client = open_client(home="http://127.0.0.1:9")
    with pytest.raises(ArchiveUnavailable, match="connection failed"):
        client.get("http://127.0.0.1:9/oai", limit=LIMIT)


def test_redirects_are_followed_and_counted(client: PoliteClient, server: Server) -> None:
    for step in range(6):
        server.at(f"/{step}", say(302, Location=f"/{step + 1}"))
    server.at("/6", say(200, b"x"))
    answer = client.get(f"{server.url}/1", limit=LIMIT)
    assert answer is not None
    assert answer.url == f"{server.url}/6"
    with pytest.raises(BadRecord, match="more than 5 redirects"):
        client.get(f"{server.url}/0", limit=LIMIT)


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://example.org/a", "gopher://x", "http://", "//", "//[", "http://h:x/"]
)
def test_a_redirect_to_anything_but_http_is_not_followed(client: PoliteClient, server: Server, target: str) -> None:
    with pytest.raises(BadRecord):
        client.get(server.at("/a", say(302, Location=target)), limit=LIMIT)


def test_a_redirect_never_leads_to_another_private_address(
    client: PoliteClient, server: Server, other_server: Server
) -> None:
    target = other_server.at("/secret", say(200, b"secret"))
    with pytest.raises(ArchiveRefused, match=r"127\.0\.0\.1"):
        client.get(server.at("/a", say(302, Location=target)), limit=LIMIT)
    assert other_server.asked == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_public_archive_gives_no_way_to_this_machine(
    open_client: Callable[..., PoliteClient], server: Server, scheme: str
) -> None:
    client = open_client(home="https://museum.example/oai")
    url = server.at("/a", say(200, b"secret")).replace("http", scheme, 1)
    with pytest.raises(ArchiveRefused, match="outside the open internet"):
        client.get(url, limit=LIMIT)
    assert server.asked == []


def test_a_name_that_leads_to_a_private_address_needs_permission(
    open_client: Callable[..., PoliteClient], server: Server
) -> None:
    url = server.at("/a", say(200, b"x"))
    by_name = url.replace("127.0.0.1", "localhost")
    with pytest.raises(ArchiveRefused):
        open_client(home=server.url).get(by_name, limit=LIMIT)
    assert open_client(home=by_name).get(by_name, limit=LIMIT)


def test_no_message_quotes_a_password_or_a_key(client: PoliteClient, server: Server) -> None:
    host = server.url.removeprefix("http://")
    url = f"http://user:hunter2@{host}/a?verb=Identify&key=hunter3#hunter4"
    for status in (404, 403, 503):
        server.at("/a", say(status))
        with pytest.raises((BadRecord, ArchiveRefused, ArchiveUnavailable)) as told:
            client.get(url, limit=LIMIT)
        assert "hunter" not in str(told.value)
        assert "verb=Identify" in str(told.value)
        assert told.value.__suppress_context__ or told.value.__context__ is None
