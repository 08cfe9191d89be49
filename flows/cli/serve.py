"""`serve`: one process that stays in the foreground, for systemd or a container: the review page, and nights in time.

Each night is a process of its own (`nishiki nightly`), so that whatever ends it leaves the page as it is; the
catalogue's lock keeps it from running beside another.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from db.entries.nights import NightEnding, NightEntry
from flows import stopping
from flows.cli.console import Home, read_settings, say
from flows.cli.review import Host, Port, prepared
from flows.endings import Ending

if TYPE_CHECKING:
    from flows.schedule import Schedule
    from flows.settings import Settings

serve_app = typer.Typer()
Night = subprocess.Popen[bytes]
LOOK_S = 1.0
"""Between two looks at the clock; a clock that jumps is seen by it."""
AGAIN_S = 60.0
"""Until a night that the system could not start is tried again."""
COMMAND = ("-c", "from flows.cli.app import app; app()")
NIGHT, RESUME = "nightly", "resume"
_TOLD = {NIGHT: ("A night begins", "The night"), RESUME: ("What was left undone is carried on", "The work carried on")}
_BROKEN_OFF = (NightEnding.STOPPED, NightEnding.KILLED)


@serve_app.command()
def serve(home: Home = None, host: Host = None, port: Port = None) -> None:
    """Serve the review page, and run the night whenever it is due, until SIGTERM or Ctrl-C.

    When: night_cron and night_zone. A night that was due while the machine was off, or was broken off, begins at the
    start, up to 12 hours late.
    """
    settings = read_settings(home=home, review_host=host, review_port=port)
    from db.catalogue import Catalogue
    from db.review.server import server

    with Catalogue.open(settings) as catalogue:
        last_began = began_whole(catalogue.nights(1))
    now = datetime.now(UTC)
    nights = Nights(settings.schedule, lambda word: _begin(word, settings), last_began or now)
    app, listener, lines = prepared(settings, nights)
    page = server(app, settings)
    say([*lines, *nights.told_at_start(now)])

    def end(*_: object) -> None:
        page.should_exit = True

    with stopping.unheard(end), ThreadPoolExecutor(1) as beside:
        keeping = beside.submit(nights.keep, lambda: page.should_exit)
        keeping.add_done_callback(end)  # a page without nights would look as if all were well
        try:
            page.run(sockets=[listener])
        finally:
            end()
        keeping.result()
    say(["The page is closed."])


def began_whole(nights: list[NightEntry]) -> datetime | None:
    """When the last night began, or just before it where it was broken off and is to begin again; None: none has.

    Args:
        nights: the newest alone. One without an end counts as broken off: where it is at work, it keeps others out.
    """
    for night in nights:
        whole = night.end is not None and night.end.ending not in _BROKEN_OFF
        return night.began_at if whole else datetime.min.replace(tzinfo=UTC)
    return None


class Nights:
    """Begins each night at its time, one at a time, and tells how it ended; between them, carries on what is left."""

    def __init__(self, schedule: "Schedule", begin: Callable[[str], Night], last_began: datetime) -> None:
        self._schedule, self._begin, self._last_began = schedule, begin, last_began
        self._night: Night | None = None
        self._word, self._since, self._making_way = NIGHT, 0.0, False
        self._asked = threading.Event()

    def at_work(self) -> bool:
        """Is a night, or what carries on, or about to be? For other threads, as is `carry_on`."""
        return self._night is not None or self._asked.is_set()

    def carry_on(self) -> bool:
        """Have unfinished batches carried on at the next look; False: something is at work, and does."""
        if self.at_work():
            return False
        self._asked.set()
        return True

    def keep(self, over: Callable[[], bool]) -> None:
        """Look at the clock until it is over; then end the night that is at work, in order."""
        while not over():
            self.look(datetime.now(UTC))
            time.sleep(LOOK_S)
        self._stop()

    def look(self, now: datetime) -> None:
        """Tell of a night that has ended; begin one that is due."""
        if self._night is not None:
            if self._night.poll() is None:
                self._make_way(self._night, now)
                return
            self._tell_end(self._night.returncode, now)
            self._night = None
        self._last_began = min(self._last_began, now)  # a clock that was put back has not seen the last one begin
        if self._schedule.is_due(now, self._last_began) and time.monotonic() >= self._since:
            self._try_to_begin(NIGHT, now)
        elif self._asked.is_set() and time.monotonic() >= self._since:
            self._try_to_begin(RESUME, now)

    def told_at_start(self, now: datetime) -> list[str]:
        """Which night was missed, and when the next one begins, for a person."""
        missed = self._schedule.last_before(now)
        if missed <= self._last_began:
            return [self._next_told(now)]
        told = f"The night of {missed:%Y-%m-%d %H:%M} {self._schedule.zone.key} was missed or broken off"
        if self._schedule.is_due(now, self._last_began):
            return [f"{told}; it begins now."]
        return [f"{told}, more than 12 hours ago. {self._next_told(now)}"]

    def _make_way(self, at_work: Night, now: datetime) -> None:
        """What was carried on by day is put down for the night, which carries on with it."""
        if self._word == RESUME and not self._making_way and self._schedule.is_due(now, self._last_began):
            self._making_way = True
            at_work.terminate()

    def _try_to_begin(self, word: str, now: datetime) -> None:
        try:
            self._night = self._begin(word)
        except OSError as error:  # no memory, no process left
            self._since = time.monotonic() + AGAIN_S
            say([f"{_TOLD[word][1]} could not begin ({error.strerror or error}); it is tried again in a minute."])
            return
        self._asked.clear()  # a night carries on, too
        self._word, self._since, self._making_way = word, time.monotonic(), False
        self._last_began = now if word == NIGHT else self._last_began
        say([f"{_TOLD[word][0]}, process {self._night.pid}."])

    def _next_told(self, now: datetime) -> str:
        moment = self._schedule.next_after(now)
        return f"The next night begins at {moment:%Y-%m-%d %H:%M} {self._schedule.zone.key}."

    def _tell_end(self, code: int, now: datetime) -> None:
        word = Ending(code).name.lower() if code in set(Ending) else "killed" if code < 0 else "broken"
        took = (time.monotonic() - self._since) / 60
        told = f"{_TOLD[self._word][1]} has ended after {took:.0f} min with exit code {code} ({word})."
        say([f"{told} {self._next_told(now)}"])

    def _stop(self) -> None:
        if self._night is None:
            return
        self._night.terminate()
        try:
            code = self._night.wait(stopping.GRACE_S + 1)
        except subprocess.TimeoutExpired:
            self._night.kill()
            code = self._night.wait()
        self._tell_end(code, datetime.now(UTC))


def _begin(word: str, settings: "Settings") -> Night:
    """A command with these settings; in a session of its own, so that Ctrl-C reaches it once, through us."""
    words = [sys.executable, *COMMAND, word, "--home", str(settings.home)]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603  # ours
