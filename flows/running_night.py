"""The night that this process runs, alone on its catalogue, and the row in which it tells how it went.

Durable when: the row as it begins and after each stage; its end however it ends, by an error, Ctrl-C or SIGTERM. What
is killed leaves it open, and the next night closes it. `flows.plan` opens it, `flows.nightly` fills it in.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from db.entries.nights import NightEnd, NightEnding
from db.errors import CatalogueError
from db.files.home import NIGHT_LOCK
from db.files.lock import held_alone
from flows import stopping
from flows.endings import Ending, Tally
from flows.errors import ending_of
from flows.logs import masked
from flows.settings import Settings

if TYPE_CHECKING:  # loaded where a catalogue is opened
    from db.catalogue import Catalogue

log = logging.getLogger(__name__)
_WORDS = {
    Ending.WAITING: NightEnding.WAITING, Ending.INTERRUPTED: NightEnding.STOPPED,
    Ending.TERMINATED: NightEnding.STOPPED, Ending.DONE: NightEnding.DONE,
}  # fmt: skip
_SIGNALS = {Ending.INTERRUPTED: "stopped by Ctrl-C (SIGINT)", Ending.TERMINATED: "stopped by SIGTERM"}


class RunningNight:
    """What a night has come to so far."""

    def __init__(self, catalogue: "Catalogue") -> None:
        self._catalogue = catalogue
        self._id = catalogue.begin_night()
        self._end = night_end(Ending.DONE)
        self._seconds: dict[str, float] = {}
        self._counts: dict[str, Any] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """Time a stage, and keep the counts that it adds."""
        began = time.monotonic()
        try:
            yield self._counts
        finally:
            self._seconds[name] = round(time.monotonic() - began, 3)
        self._catalogue.note_night(self._id, self._seconds, self._counts)

    def came_to(self, whole: Tally) -> None:
        """What all of it came to."""
        self._end = night_end(whole.ending, "\n".join(whole.told()))

    def close(self, error: BaseException | None = None) -> None:
        """Write its end, which is the error's where there is one."""
        end = self._end if error is None else _end_by(error)
        if not self._catalogue.end_night(self._id, end, self._seconds, self._counts):
            log.warning("night %d was taken for dead by another night while it ran", self._id)


@contextmanager
def running_night(catalogue: "Catalogue", settings: Settings) -> Iterator[RunningNight]:
    """Inside it, no other night begins on this catalogue.

    Raises:
        NightRunning: another one is at work.
    """
    with held_alone(settings.home / NIGHT_LOCK):
        night = RunningNight(catalogue)
        try:
            yield night
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
        return night_end(ending, _SIGNALS[ending])
    return night_end(ending_of(error), str(error) or type(error).__name__)
