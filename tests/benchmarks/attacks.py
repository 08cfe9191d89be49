"""What attacks on the review page cost it, and how long others wait meanwhile: floods, slow connections, guessing.

`python -m tests.benchmarks.attacks [--seconds N]`. The page is a process of its own, the attackers another; others
come from another address, sign in, and look. Everything shares this machine's cores, so the load is told beside.
"""

import argparse
import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from itertools import count
from multiprocessing import get_context
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlencode, urlsplit

from db.catalogue import Catalogue
from db.entries.review import QueueFilter, Role
from db.queries.review.queue import PageOf
from db.review.access.passwords import hashed
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.review_catalogue import kept_catalogue
from tests.benchmarks.review_curators import review_page, signed_in

OTHERS_MS, LOOP_S, SIGN_IN_S = 200, 0.1, 5.0
RECORDS, LOOKERS, PAUSE_S = 2_000, 3, 0.1
FORM_BYTES, HALF_OPEN, GUESSERS, GUESSING = 8_400_000, 505, 200, 16
NAME, PASSWORD = "Aoi", "a long enough password"
VISIT = "of the benchmark"
CSRF = hashlib.sha256(f"nishiki form {VISIT}".encode()).hexdigest()
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"nishiki_visit={VISIT}"}
Place = tuple[str, int]
Attack = Callable[[Place, Signal], None]
"""Goes on without end, and signals as soon as it is under way."""


def main() -> None:
    """Measures and publishes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each attack")
    options = parser.parse_args()
    before = os.getloadavg()[0]
    with kept_catalogue(RECORDS, "sqlite") as settings, Catalogue.open(settings) as catalogue:
        if NAME not in {each.name for each in catalogue.curators()}:
            catalogue.add_curator(NAME, Role.CURATOR, hashed(PASSWORD))
        with review_page(settings) as address:
            page = _Page(catalogue, address)
            figures = [
                figure for name, attack in ATTACKS.items() for figure in page.under(name, attack, options.seconds)
            ]
            figures.append(page.one_form())
    publish("attacks", figures, f"load {before:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores")


class _Page:
    """The page and those who look at it."""

    def __init__(self, catalogue: Catalogue, address: str) -> None:
        split = urlsplit(address)
        self.place = (split.hostname or "", split.port or 0)
        (person,) = signed_in(catalogue, address, ["a curator of the benchmark"])
        self._cookie = person.cookie
        entry = catalogue.queue(QueueFilter(), PageOf(limit=1)).entries[0].attempt_id
        self._paths = ("/", f"/entries/{entry}", "/keys", "/login")
        self._loop = _loop_of(self.place[1])
        for path in self._paths * 2:  # what is loaded late is no attack's cost
            _status(self.place, "GET", path, "127.8.0.1", {"Cookie": self._cookie})

    def under(self, name: str, attack: Attack, seconds: float) -> Iterator[Figure]:
        """How long others wait while it goes on, and what it takes of the loop."""
        taken: list[float] = []
        problems: list[str] = []
        with _attacking(attack, self.place):
            began, loop_s = time.monotonic(), _cpu_s(self._loop)
            over = Event()
            lookers = [Thread(target=self._look, args=(number, over, taken, problems)) for number in range(LOOKERS)]
            for looker in lookers:
                looker.start()
            signing = self._sign_in("127.9.9.9") if attack is guessing else None
            over.wait(seconds)
            over.set()
            for looker in lookers:
                looker.join()
            share = (_cpu_s(self._loop) - loop_s) / (time.monotonic() - began)
        p95 = _p95(taken) * 1000
        yield Figure(f"{name}: others wait, p95", p95, "ms", f"≤ {OTHERS_MS}", p95 <= OTHERS_MS, f"{len(taken)} pages")
        note = "; ".join(sorted(set(problems))[:3])
        yield Figure(f"{name}: others refused", len(problems), "", "0", not problems, note)
        yield Figure(f"{name}: of the event loop's time", 100 * share, "%")
        if signing is not None:
            yield Figure(
                f"{name}: the right password is taken in", signing, "s", f"≤ {SIGN_IN_S:g}", signing <= SIGN_IN_S
            )

    def one_form(self) -> Figure:
        """What a single sign-in form of 8.4 MB costs the loop."""
        before = _cpu_s(self._loop)
        for _ in range(10):
            _long_form(self.place, "127.0.0.1", declared=True)
        each = (_cpu_s(self._loop) - before) / 10
        return Figure("one sign-in form of 8.4 MB: of the event loop", each, "s", f"≤ {LOOP_S:g}", each <= LOOP_S)

    def _look(self, number: int, over: Event, taken: list[float], problems: list[str]) -> None:
        for turn in count():
            if over.is_set():
                return
            began = time.perf_counter()
            said = _status(self.place, "GET", self._paths[turn % 4], f"127.8.0.{number + 1}", {"Cookie": self._cookie})
            taken.append(time.perf_counter() - began)
            if said != 200:
                problems.append(f"{self._paths[turn % 4]}: {said}")
            over.wait(PAUSE_S)

    def _sign_in(self, source: str) -> float:
        began = time.perf_counter()
        said = _status(self.place, "POST", "/login", source, FORM, _sign_in_form(PASSWORD))
        return time.perf_counter() - began if said == 303 else float("inf")


def nothing(_: Place, begun: Signal) -> None:
    """Nobody attacks."""
    _together([], begun)


def big_forms(place: Place, begun: Signal) -> None:
    """Sign-in forms of 8.4 MB of `&`, three at once, with and without their length; and forms within the bound."""

    def flood(number: int) -> None:
        for turn in count():
            if turn % 3 == 2:
                _status(place, "POST", "/login", f"127.1.0.{number}", FORM, b"&" * 16_384)
            else:
                _long_form(place, f"127.1.0.{number}", declared=turn % 3 == 0)

    _together([lambda number=number: flood(number) for number in range(1, 4)], begun)  # type: ignore[misc]


def half_open(place: Place, begun: Signal) -> None:
    """505 connections of one address that send half a header; closed ones come again."""
    _hold(place, begun, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", lambda _: "127.2.0.1")


def half_open_from_many(place: Place, begun: Signal) -> None:
    """The same of 505 addresses."""
    _hold(
        place,
        begun,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        lambda number: f"127.3.{number // 250}.{number % 250 + 1}",
    )


def slow_bodies(place: Place, begun: Signal) -> None:
    """505 sign-in forms, a byte a second each."""
    head = "".join(f"{name}: {value}\r\n" for name, value in FORM.items())
    said = f"POST /login HTTP/1.1\r\nHost: localhost\r\n{head}Content-Length: 9000\r\n\r\na"
    _hold(place, begun, said.encode(), lambda number: f"127.4.0.{number % 5 + 1}")


def guessing(place: Place, begun: Signal) -> None:
    """Passwords for one name, from 200 addresses as fast as they are answered."""

    def guess(first: int) -> None:
        for turn in count(first, GUESSING):
            source = f"127.5.0.{turn % GUESSERS + 1}"
            _status(place, "POST", "/login", source, FORM, _sign_in_form(f"guess number {turn}"))

    _together([lambda first=first: guess(first) for first in range(GUESSING)], begun)  # type: ignore[misc]


ATTACKS: dict[str, Attack] = {
    "quiet": nothing,
    "sign-in forms of 8.4 MB, three at once": big_forms,
    "505 half-open connections of one address": half_open,
    "505 half-open connections of 505 addresses": half_open_from_many,
    "505 slow sign-in forms of five addresses": slow_bodies,
    "guessing one name's password from 200 addresses": guessing,
}


def _hold(place: Place, begun: Signal, said: bytes, source: Callable[[int], str]) -> None:
    """Keep so many connections, each with a further byte a second."""
    lines: dict[int, socket.socket] = {}
    while True:
        for number in range(HALF_OPEN):
            with suppress(OSError):
                if number not in lines:
                    lines[number] = socket.create_connection(place, 2, source_address=(source(number), 0))
                    lines[number].sendall(said)
                else:
                    lines[number].send(b"a")
                continue
            lines.pop(number, None)
        begun.set()
        time.sleep(1)


def _long_form(place: Place, source: str, *, declared: bool) -> None:
    part = b"&" * 100_000
    head = "".join(f"{name}: {value}\r\n" for name, value in FORM.items())
    length = f"Content-Length: {FORM_BYTES}" if declared else "Transfer-Encoding: chunked"
    with suppress(OSError), socket.create_connection(place, 10, source_address=(source, 0)) as line:
        line.sendall(f"POST /login HTTP/1.1\r\nHost: localhost\r\n{head}{length}\r\n\r\n".encode())
        for _ in range(FORM_BYTES // len(part)):
            line.sendall(part if declared else b"%x\r\n%s\r\n" % (len(part), part))
        line.recv(1000)


def _sign_in_form(password: str) -> bytes:
    return urlencode({"name": NAME, "password": password, "csrf": CSRF}).encode()


def _status(
    place: Place, method: str, path: str, source: str, headers: dict[str, str], body: bytes | None = None
) -> int | str:
    line = HTTPConnection(*place, timeout=30, source_address=(source, 0))
    try:
        line.request(method, path, body, headers)
        answer = line.getresponse()
        answer.read()
    except (OSError, HTTPException) as error:
        return type(error).__name__
    else:
        return answer.status
    finally:
        line.close()


def _together(works: list[Callable[[], None]], begun: Signal) -> None:
    for work in works:
        Thread(target=work, daemon=True).start()
    begun.set()
    Event().wait()


@contextmanager
def _attacking(attack: Attack, place: Place) -> Iterator[None]:
    spawned = get_context("spawn")
    begun = spawned.Event()
    process = spawned.Process(target=attack, args=(place, begun), daemon=True)
    with ExitStack() as over:
        process.start()
        over.callback(process.join)
        over.callback(process.kill)
        while not begun.wait(1):
            if not process.is_alive():
                raise SystemExit("the attackers' process ended; see above")
        yield


def _loop_of(port: int) -> Path:
    """The thread of the event loop: the first of the process that listens on this port."""
    wanted = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    }
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted & {str(each.readlink())[8:-1] for each in (process / "fd").iterdir()}:
                return process / "task" / process.name / "stat"
    raise SystemExit("the page's process was not found")


def _cpu_s(thread: Path) -> float:
    fields = thread.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]


if __name__ == "__main__":
    main()
