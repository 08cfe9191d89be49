"""Ctrl-C and SIGTERM: one sentence at once, an orderly end within GRACE_S, and then an end without order.

A signal raises `Stopped` in the main thread, wherever that is; a library may swallow it there, or put a handler of its
own in the place of ours, as Prefect does. So a thread hears each signal too, tells the person, and counts the time.
Ending without order loses nothing: the catalogue stands a kill -9 at any moment.
"""

import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any, Final

from flows.endings import Ending
from flows.logs import form, tell_person

GRACE_S: Final = 8.0
"""Shorter than the 10 s that docker gives a container between SIGTERM and SIGKILL."""
LAST_WORD_S: Final = 0.8
"""Longer than a row takes to be written, and no wait for who ends a command for the second time."""
SENTENCE: Final = "stopped; what was finished is kept, and the next run carries on (or: nishiki resume)"
_PYTHONS: Final[Mapping[signal.Signals, Any]] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}
_ENDINGS: Final = {signal.SIGINT: Ending.INTERRUPTED, signal.SIGTERM: Ending.TERMINATED}


class Stopped(KeyboardInterrupt):
    """A person, or the system, ends the command."""


class _Stop:
    """What this process was asked; the first signal is told once, timed once, and raised once."""

    def __init__(self) -> None:
        self.ending: Ending | None = None
        self._told, self._timed, self._raised = False, False, False
        self._telling = threading.Lock()
        self.line: socket.socket | None = None
        """To the thread that listens."""
        self.last_word: Callable[[Ending], object] | None = None
        self._settled = threading.Event()

    def hear(self, number: int) -> None:
        """The thread's part: the sentence and the time."""
        if number not in _ENDINGS:
            self._settled.set()
            return
        self._ask(number)
        if not self._timed:
            self._timed = True
            self.tell()
            timer = threading.Timer(GRACE_S, end_at_once)
            timer.daemon = True
            timer.start()
        elif number == signal.SIGINT:
            end_at_once()

    def answer(self, number: int, _frame: FrameType | None) -> None:
        """The main thread's part; a second signal must not break the orderly end."""
        self._ask(number)
        if not self._raised:
            self._raised = True
            raise Stopped

    def tell(self) -> None:
        """The sentence, once, whichever thread comes first."""
        with self._telling, contextlib.suppress(OSError, ValueError):  # nobody may be there to read it
            if not self._told:
                self._told = True
                after_the_key = "\n" if sys.stderr.isatty() and form() == "text" else ""
                tell_person(f"{after_the_key}nishiki: {SENTENCE}", "WARNING")

    def settle(self) -> None:
        """Until the thread has heard what came before: a handler in the place of ours told us nothing."""
        if self.line is not None:
            self._settled.clear()
            self.line.send(b"\0")
            self._settled.wait(1)

    def _ask(self, number: int) -> None:
        if self.ending is None:
            self.ending = _ENDINGS[signal.Signals(number)]


_stop = _Stop()


def asked() -> Ending | None:
    """What the command ends with, once it was asked to end, which is told by then."""
    _stop.settle()
    if _stop.ending is not None:
        _stop.tell()
    return _stop.ending


def check() -> None:
    """Go on only where nobody asked to end.

    Raises:
        Stopped: somebody did, and a library swallowed it.
    """
    if _stop.ending is not None:
        raise Stopped


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Inside it, and after it where the command was asked to end, both signals are heard; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    handlers = {number: signal.signal(number, _stop.answer) for number in _ENDINGS}
    wakeup = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(ours,), name="stopping", daemon=True).start()
    _stop.line = theirs
    try:
        yield
    finally:
        if _stop.ending is None:
            signal.set_wakeup_fd(wakeup)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            _stop.line = None
            theirs.close()


@contextlib.contextmanager
def unheard(answer: Callable[..., None] | None = None) -> Iterator[None]:
    """Inside it, both signals are somebody else's to answer, such as a web server's; for the main thread.

    Args:
        answer: who answers where that somebody does not, and again where they raise the signal anew; none: Python.
    """
    wakeup = signal.set_wakeup_fd(-1)
    handlers = {number: signal.signal(number, answer or handler) for number, handler in _PYTHONS.items()}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)


@contextlib.contextmanager
def last_word(say: Callable[[Ending], object]) -> Iterator[None]:
    """Inside it, an end without order says this before, in a thread that is waited for LAST_WORD_S at most."""
    _stop.last_word = say
    try:
        yield
    finally:
        _stop.last_word = None


def _listen(signals: socket.socket) -> None:
    with signals:
        while heard := signals.recv(1):
            _stop.hear(heard[0])


def ask() -> None:
    """End as by SIGTERM, within GRACE_S, whoever answers that signal; nobody sent it, so this is a failure."""
    if _stop.ending is None:
        _stop.ending = Ending.FAILED
    timer = threading.Timer(GRACE_S, end_at_once)
    timer.daemon = True
    timer.start()
    os.kill(os.getpid(), signal.SIGTERM)


def end_at_once() -> None:
    """End this process and those that it started, whatever they do."""
    ending = _stop.ending or Ending.FAILED
    if _stop.last_word is not None:
        saying = threading.Thread(target=_stop.last_word, args=(ending,), daemon=True)
        saying.start()
        saying.join(LAST_WORD_S)
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(ending)
