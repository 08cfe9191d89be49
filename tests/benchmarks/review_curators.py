"""The review page as a process of its own, and curators who work with it over HTTP: alone, or twenty at once.

They sign in by a session that the catalogue opens for them, and see pictures through links to one small file.
"""

import hashlib
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import urllib3
from PIL import Image

from db.catalogue import Catalogue
from db.entries.review import Role
from db.files.home import HomeFolder
from db.files.tiles import LIGHTNESS, LONG_EDGES_PX
from db.settings import CatalogueSettings

THINKING_S = 3.0
"""Mean seconds of a look; the page counts those under 2 as none (setting `look_s`)."""
_NEAR = 90
"""Pictures of a page that a browser loads before anybody scrolls: they are lazy, three on each of some 30 cards."""
_SHARED = "shared tiles"
_ENTRY = re.compile(r'href="(/entries/\d+[^"]*)"')
_PICTURE = re.compile(r'src="[^"]*(/pictures/([0-9a-f]{64})/[^"]+)"')
_SEEN = re.compile(r'name="seen" value="(\d*)"')


@dataclass(frozen=True)
class Walked:
    """What curators asked for: kind of page → seconds of each request; and what went wrong."""

    taken: dict[str, list[float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Walked") -> None:
        """Both together."""
        self.problems.extend(other.problems)
        for kind, seconds in other.taken.items():
            self.taken.setdefault(kind, []).extend(seconds)


class Person:
    """A browser with an open session."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address
        self.walked = Walked()
        # twenty of them share a processor with the page, so that each asks as cheaply as it can
        self._http = urllib3.connection_from_url(address, maxsize=1, timeout=60, retries=False)
        self.cookie = f"nishiki_session={token}"
        self._csrf = hashlib.sha256(f"nishiki form {token}".encode()).hexdigest()
        self._painted: set[str] = set()

    def get(self, kind: str, path: str) -> str:
        """A page's text."""
        return self._timed(kind, "GET", path).data.decode()

    def post(self, kind: str, path: str, **form: str) -> urllib3.BaseHTTPResponse:
        """The answer to a form; where it leads is not followed."""
        return self._timed(kind, "POST", path, form | {"csrf": self._csrf})

    def paint(self, page: str, home: Path) -> None:
        """Load the pictures that the page shows and this browser has not kept; of many those near its window."""
        for path, sha256 in [*dict.fromkeys(_PICTURE.findall(page))][:_NEAR]:
            if path not in self._painted:
                self._painted.add(path)
                _hang(home, sha256)
                self._timed("thumbnail", "GET", path)

    def walk(self, home: Path, until: float, think_s: float, draw: random.Random) -> None:
        """Queue, an entry, its pictures, a verdict, the next one ... in the pace of a person."""
        entry: str | None = None
        time.sleep(draw.uniform(0, think_s))  # people do not come in the same instant
        while time.monotonic() < until:
            if entry is None:
                page = self.get("queue", "/")
                self.paint(page, home)
                entry = draw.choice(_ENTRY.findall(page)).replace("&amp;", "&")
                time.sleep(draw.expovariate(1 / think_s) if think_s else 0)
            page = self.get("entry", entry)
            self.paint(page, home)
            time.sleep(draw.expovariate(1 / think_s) if think_s else 0)
            entry = self._judge(entry, page)

    def _judge(self, entry: str, page: str) -> str | None:
        """Where they are led; None: back to the queue."""
        seen = _SEEN.search(page)
        if seen is None:
            return None  # another curator has it open
        path, _, query = entry.partition("?")
        form = {"verdict": "approved", "seen": seen[1], "looked_s": "3.5"}
        led = self.post("verdict", f"{path}/verdict?{query}", **form).headers.get("location", "")
        return led if led.startswith("/entries/") else None

    def _timed(
        self, kind: str, method: str, path: str, form: Mapping[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:  # fmt: skip
        began = time.perf_counter()
        body = None if form is None else urlencode(form)
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        answer = self._http.urlopen(method, path, body, headers, redirect=False)
        self.walked.taken.setdefault(kind, []).append(time.perf_counter() - began)
        if answer.status >= 400:
            self.walked.problems.append(f"{method} {path}: {answer.status}")
        return answer


@contextmanager
def review_page(settings: CatalogueSettings, **further: str) -> Iterator[str]:
    """The address of `nishiki review` on this catalogue, as soon as it listens; `further`: more of its environment."""
    _one_small_picture(settings.home)
    given = {"NISHIKI_HOME": str(settings.home), "NISHIKI_DATABASE_URL": settings.url, **further}
    program = "from flows.cli.app import app; app()"  # of the folder that this runs in, wherever nishiki is installed
    command = [sys.executable, "-c", program, "review", "--port", "0"]
    with subprocess.Popen(command, env=given, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1].rstrip("/")
        finally:
            process.terminate()


def signed_in(catalogue: Catalogue, address: str, names: list[str], role: Role = Role.CURATOR) -> list[Person]:
    """Browsers of people with accounts, which are made where there are none."""
    known = {each.name for each in catalogue.curators()}
    for name in names:
        if name not in known:
            catalogue.add_curator(name, role, "no password opens this")
    return [Person(address, catalogue.open_session(name)) for name in names]


def at_once(people: list[Person], home: Path, seconds: float, think_s: float) -> tuple[Walked, float]:
    """All of them at work for so long; and for how long in fact, since each ends the round that they are in."""
    began = time.monotonic()
    until = began + seconds
    draws = [random.Random(number) for number in range(len(people))]
    threads = [
        Thread(target=person.walk, args=(home, until, think_s, draw))
        for person, draw in zip(people, draws, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = Walked()
    for person in people:
        together.add(person.walked)
    return together, time.monotonic() - began


def _hang(home: Path, sha256: str) -> None:
    """Let this picture's folder of tiles be a link to the one that all share."""
    shared = home / _SHARED
    link = home / HomeFolder.TILES / sha256[:2] / sha256[2:4] / sha256
    link.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        link.symlink_to(shared)


def _one_small_picture(home: Path) -> None:
    for folder in (home / _SHARED, home / _SHARED / LIGHTNESS):
        folder.mkdir(exist_ok=True)
        for name, edge in LONG_EDGES_PX.items():
            Image.new("RGB", (edge * 2 // 3, edge), "ivory").save(folder / name)
