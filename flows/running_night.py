"""The night that this process runs, alone on its catalogue, and the row in which it tells how it went.

On a server another machine's night may begin once the connection that holds the lock is lost. Such a night takes it
again at once, and where it cannot it ends, before `NightQueries.night_alone` lets another one begin.

Durable when: the row as it begins and after each stage; its end however it ends, by an error, Ctrl-C or SIGTERM. What
is killed leaves it open, and the next night closes it. `flows.plan` opens it, `flows.nightly` fills it in.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from db.entries.nights import BEAT_S, NightEnd, NightEnding
from db.errors import CatalogueError, CatalogueUnreachable
from flows import stopping
from flows.endings import Ending, Tally
from flows.errors import ending_of
from flows.logs import masked, tell_person
from flows.settings import Settings

if TYPE_CHECKING:  # loaded where a catalogue is opened
    from db.catalogue import Catalogue
    from db.queries.night.night_lock import NightLock

REGAIN_S = 10.0
"""So long a lost lock is tried for, or as long as a server that is away is waited for, where that is longer. This, the
beat, the 10 s after which a cut line is noticed, and the grace of a stop are less than `SILENT_S` of
`db.queries.night.nights`, to which another night adds the same wait."""
REGAINED = "the connection that holds the night alone was lost and is there again; no other night began"
log = logging.getLogger(__name__)
_WORDS = {
    Ending.WAITING: NightEnding.WAITING, Ending.INTERRUPTED: NightEnding.STOPPED,
    Ending.TERMINATED: NightEnding.STOPPED, Ending.DONE: NightEnding.DONE,
}  # fmt: skip
_SIGNALS = {Ending.INTERRUPTED: "stopped by Ctrl-C (SIGINT)", Ending.TERMINATED: "stopped by SIGTERM"}


class RunningNight:
    """What a night has come to so far."""

    def __init__(self, catalogue: "Catalogue", wait_s: float) -> None:
        self._catalogue, self._regain_s = catalogue, max(REGAIN_S, wait_s)
        self.id = catalogue.begin_night()
        self._end = night_end(Ending.DONE)
        self._lost = ""
        self._seconds: dict[str, float] = {}
        self._counts: dict[str, Any] = {}
        self._when_over: list[Callable[[int], None]] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """Time a stage, and keep the counts that it adds."""
        began = time.monotonic()
        try:
            yield self._counts
        finally:
            self._seconds[name] = round(time.monotonic() - began, 3)
        self._catalogue.note_night(self.id, self._seconds, self._counts)

    def came_to(self, whole: Tally) -> None:
        """What all of it came to."""
        self._end = night_end(whole.ending, "\n".join(whole.told()))

    def watch(self, lock: "NightLock | None", over: threading.Event) -> None:
        """Give signs of life, and see that the lock is held, until it is over."""
        heard = time.monotonic()
        while not over.wait(BEAT_S):
            try:
                if (lock is None or lock.is_held() or self._regained(lock, over, heard)) and self._alive():
                    heard = time.monotonic()
                    continue
            except CatalogueError as error:
                log.warning("no sign of life of the night could be written: %s", masked(str(error)))
                continue
            if not over.is_set():
                self._give_up()
            return

    def _alive(self) -> bool:
        return self._catalogue.keep_night_alive(self.id)

    def _regained(self, lock: "NightLock", over: threading.Event, heard: float) -> bool:
        """Take the lock again, where no other night has it, until so long after the last sign of life."""
        ends = heard + BEAT_S + self._regain_s
        while time.monotonic() < ends and not over.is_set():
            with suppress(CatalogueUnreachable):
                if not lock.take():
                    return False
                if self._alive():
                    tell_person(REGAINED)
                    return True
            over.wait(1)
        return False

    def _give_up(self) -> None:
        self._lost = (
            "the connection that held the night alone was lost, and another night may have begun: this one ends, so "
            "that no two work at once; what was finished is kept"
        )
        tell_person(f"nishiki: {self._lost}")
        stopping.ask()

    def close(self, error: BaseException | None = None) -> None:
        """Write its end, which is the error's where there is one."""
        end = self._end if error is None else _end_by(error)
        if self._lost:
            end = NightEnd(NightEnding.FAILED, end.exit_code, self._lost)
        if not self._catalogue.end_night(self.id, end, self._seconds, self._counts):
            log.warning("night %d was taken for dead by another night while it ran", self.id)
        for follow in self._when_over:
            follow(self.id)

    def end_without_order(self, ending: Ending) -> None:
        """Write its end alone, where the process does not wait for more."""
        end = night_end(ending, self._lost or _SIGNALS.get(ending, ""))
        with suppress(CatalogueError):
            self._catalogue.end_night(self.id, end, self._seconds, self._counts)

    def when_over(self, follow: Callable[[int], None]) -> None:
        """What follows on its end, however it ended, is given its number."""
        self._when_over.append(follow)


@contextmanager
def running_night(catalogue: "Catalogue", settings: Settings) -> Iterator[RunningNight]:
    """Inside it, no other night begins on this catalogue.

    Raises:
        NightRunning: another one is at work.
    """
    wait_s = settings.database_wait_s
    with catalogue.night_alone(settings.home, tell_person, wait_s) as lock:
        night, over = RunningNight(catalogue, wait_s), threading.Event()
        watching = threading.Thread(target=night.watch, args=(lock, over), name="night", daemon=True)
        watching.start()
        try:
            try:
                with stopping.last_word(night.end_without_order):
                    yield night
            finally:
                over.set()
                watching.join(1)
        except BaseException as error:
            try:
                night.close(error)
            except CatalogueError as other:
                log.warning("how the night ended could not be written: %s", masked(str(other)))
            raise
        night.close()


def night_end(ending: Ending, reason: str = "") -> NightEnd:
    """An exit code as the catalogue keeps it."""
    return NightEnd(_WORDS.get(ending, NightEnding.FAILED), int(ending), masked(reason))


def _end_by(error: BaseException) -> NightEnd:
    if isinstance(error, KeyboardInterrupt):
        ending = stopping.asked() or Ending.INTERRUPTED
        return night_end(ending, _SIGNALS.get(ending, ""))
    return night_end(ending_of(error), str(error) or type(error).__name__)
