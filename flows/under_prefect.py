"""The door to Prefect: flows and tasks of ours, each carried out once, whether or not Prefect's server hears of it.

The catalogue holds the truth, and Prefect's server a report of it. So a server that fails or goes away, before a stage
or in the middle of it, is told in one sentence, and the work goes on without it. What a stage comes to decides the
state that Prefect shows: the state says what the command's exit code says, with the problems as its message.
"""

import copy
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast

from httpx import HTTPStatusError
from prefect import Flow, Task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import Abort
from prefect.settings import PREFECT_API_URL
from prefect.states import Failed

from flows import stopping
from flows.addresses import shown
from flows.endings import Ending, Tally, gravest
from flows.logs import first_line, tell_person

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)

SAY_EVERY_S: Final = 20.0
TOLD: Final = 10
"""Problems in a state's message, before the rest is counted."""
_NOTHING: Final = object()


class _Server:
    """Prefect's server as one command finds it; threads share it."""

    def __init__(self, *, gone: bool = False) -> None:
        self.gone = gone

    def give_up(self, error: BaseException) -> None:
        """Ask it for nothing more; said once."""
        log.info("Prefect failed", exc_info=error)
        if not self.gone:
            self.gone = True
            tell_person(f"{server_name()} fails ({why(error)}); the work goes on, unseen there")


_SERVER: ContextVar[_Server | None] = ContextVar("prefect_server", default=None)


class Stage(Flow[P, R]):
    """A flow whose call gives what its function gives."""

    def __init__(self, work: Callable[P, R], name: str) -> None:
        super().__init__(work, name=name, validate_parameters=False)
        self._work = work
        self.fn = _judged(work)  # for a worker, which calls it by itself

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]
        """Carry it out; `return_state=True` is Prefect's own."""
        if "return_state" in kwargs:
            return super().__call__(*args, **kwargs)
        return _carried_out(self, Flow.__call__, self._work, args, kwargs)


class Step(Task[P, R]):
    """A task whose call gives what its function gives."""

    def __init__(self, work: Callable[P, R], name: str, tags: tuple[str, ...] = ()) -> None:
        super().__init__(work, name=name, tags=tags, cache_policy=NO_CACHE, persist_result=False)
        self._work = work

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]
        """Carry it out."""
        return _carried_out(self, Task.__call__, self._work, args, kwargs)


def stage(name: str) -> Callable[[Callable[P, R]], Stage[P, R]]:
    """Make a function a flow by this name."""
    return lambda work: Stage(work, name)


def step(name: str, *tags: str) -> Callable[[Callable[P, R]], Step[P, R]]:
    """Make a function a task by this name."""
    return lambda work: Step(work, name, tags)


def tell(report: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
    """Have something reported to Prefect's server, such as an artifact; None where it is not there."""
    with _at_the_server() as server:
        if not server.gone:
            try:
                with waiting():
                    return report(*args, **kwargs)
            except (Exception, Abort) as error:  # noqa: BLE001  # whatever it is, the work goes on
                server.give_up(error)
    return None


class NotAnswered(Exception):
    """Prefect's server did not do what was asked of it, and why."""


@contextmanager
def asked() -> Iterator[None]:
    """Inside it, Prefect's server is asked for what cannot be done without it, as often as it takes.

    Raises:
        NotAnswered: it is away, or refuses.
    """
    try:
        yield
    except (Exception, Abort) as error:
        raise NotAnswered(f"{server_name()}: {why(error)}") from error


@contextmanager
def of_one_command(*, gone: bool = False) -> Iterator[_Server]:
    """What Prefect's server is for all stages inside it; where it is gone, Prefect is not asked for anything."""
    token = _SERVER.set(server := _Server(gone=gone))
    try:
        yield server
    finally:
        _SERVER.reset(token)


class Waiting:
    """Says on standard error every SAY_EVERY_S that something takes long, from `begin` to `end`."""

    def __init__(self, sentence: str) -> None:
        self._sentence, self._over = sentence, threading.Event()

    def begin(self) -> None:
        """It takes long from here on."""
        self._over = threading.Event()
        threading.Thread(target=self._say, args=(self._over, time.monotonic()), daemon=True).start()

    def end(self) -> None:
        """It is over."""
        self._over.set()

    def _say(self, over: threading.Event, began: float) -> None:
        while not over.wait(SAY_EVERY_S):
            tell_person(f"{self._sentence} ({time.monotonic() - began:.0f} s)")


@contextmanager
def waiting(sentence: str = "") -> Iterator[None]:
    """Inside it, something may take long; without a sentence it is Prefect's server."""
    long = Waiting(sentence or f"waiting for {server_name()}")
    long.begin()
    try:
        yield
    finally:
        long.end()


def server_name() -> str:
    """Prefect's server, as a person knows it."""
    url = PREFECT_API_URL.value()
    return f"Prefect's server at {shown(url)}" if url else "Prefect's own small server"


def why(error: BaseException) -> str:
    """What an error of Prefect's says of its server, in a few words."""
    return f"it answers {error.response.status_code}" if isinstance(error, HTTPStatusError) else first_line(error)


class _Once(Generic[R]):
    """A function that is carried out once at most, and what came of it; Prefect is given the state instead."""

    def __init__(self, work: Callable[..., R], prefect: Waiting) -> None:
        functools.update_wrapper(self, work)
        self._work, self._prefect = work, prefect
        self._value: Any = _NOTHING
        self._error: BaseException | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._prefect.end()
        try:
            self._value = self._work(*args, **kwargs)
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._prefect.begin()
        return _state_of(self._value)

    def result(self, *args: Any, **kwargs: Any) -> R:
        """What it came to; what Prefect did not begin begins now."""
        if self._error is not None:
            raise self._error
        return cast("R", self._work(*args, **kwargs) if self._value is _NOTHING else self._value)


@contextmanager
def _at_the_server() -> Iterator[_Server]:
    """The command's server; whoever calls a stage outside a command begins with a new one."""
    if (server := _SERVER.get()) is not None:
        yield server
        return
    with of_one_command() as server:
        yield server


def _carried_out(unit: Any, call: Callable[..., Any], work: Callable[..., R], args: Any, kwargs: Any) -> R:
    """Once, under Prefect where its server is there; what the work did not raise itself is the server's."""
    stopping.check()
    prefect = Waiting(f"waiting for {server_name()}")
    once = _Once(work, prefect)
    with _at_the_server() as server:
        if not server.gone:
            known = copy.copy(unit)
            known.fn = once
            try:
                prefect.begin()
                call(known, *args, return_state=True, **kwargs)
            except (Exception, Abort) as error:  # noqa: BLE001  # whatever it is, the work goes on
                server.give_up(error)
            finally:
                prefect.end()
            stopping.check()
        return once.result(*args, **kwargs)


def _judged(work: Callable[P, R]) -> Callable[P, Any]:
    @functools.wraps(work)
    def judged(*args: P.args, **kwargs: P.kwargs) -> Any:
        return _state_of(work(*args, **kwargs))

    return judged


def _state_of(value: Any) -> Any:
    """The state that says how a tally, or a list of them, ended; any other value is Completed."""
    tallies = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, Tally)]
    ending = gravest(each.ending for each in tallies)
    if ending is Ending.DONE:
        return value
    said = [sentence for each in tallies for sentence in each.told()]
    more = [f"and {len(said) - TOLD} more"] if len(said) > TOLD else []
    name = {Ending.FAILED: "Failed"}.get(ending, ending.name.capitalize())
    return Failed(name=name, message="\n".join([*said[:TOLD], *more]))
