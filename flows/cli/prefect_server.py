"""Prefect's server as a command meets it: set up before Prefect is loaded, waited for, and done without if need be."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

from db.files.home import HomeFolder
from flows.logs import OURS, tell_person

if TYPE_CHECKING:
    from prefect.server.api.server import SubprocessASGIServer

    from flows.plan import Look
    from flows.settings import Settings

_WATCHES: "list[subprocess.Popen[bytes]]" = []
"""Kept open as long as this process lives."""
_GONE: list[object] = []
_SERVER_BYTES = 10_000_000
"""A new one takes 6 MB, with its log."""
_PATIENCE_S = 20
"""Of one request in the middle of a night; a server that comes back later is not waited for, since nothing is lost."""


@contextmanager
def prefect(settings: "Settings") -> Iterator[None]:
    """Inside it, flows run under Prefect's server; under none where it does not answer within `prefect_wait_s`.

    Without a server of the operator's a small one serves the command, lives through a Ctrl-C and ends with it.

    Raises:
        CatalogueFull: the home's disk has no room for the small one's database, nor for what the command would make.
    """
    own = set_up(settings.home)
    if own:
        _check_room(settings.home)
    from flows.under_prefect import of_one_command, server_name, waiting

    with waiting(f"waiting for {server_name()}, for {settings.prefect_wait_s:.0f} s at most"):
        why = _failure_of(_start_own if own else _healthy, settings.prefect_wait_s)
    if why is not None:
        tell_person(f"{server_name()} does not answer ({why}); the work goes on, unseen there", "WARNING")
    with of_one_command(gone=why is not None) as server:
        try:
            yield
        finally:
            _GONE[:] = [server] if server.gone else []


def _check_room(home: Path) -> None:
    """A server that finds none tells it in a thousand lines, after a minute."""
    from db.errors import CatalogueFull
    from flows.plan import free_room

    free, _ = free_room(home)
    if free < _SERVER_BYTES:
        raise CatalogueFull(f"no room left on the disk of the home {home} ({free / 1e6:,.0f} MB); free some space")


def looks_before_night() -> "tuple[Look, ...]":
    """What a command looks at besides the rest of a whole night's plan, before Prefect is loaded for it."""
    from flows.plan import check_room

    return check_room, _look_for_executor


def _look_for_executor(settings: "Settings") -> None:
    """As `flows.workers.executor`, Prefect being set up before that loads it; nothing is made in the home."""
    with TemporaryDirectory() as elsewhere:
        if settings.executor == "work-pool":
            set_up(Path(elsewhere))
        from flows.workers.executor import look_for_executor

        look_for_executor(settings)


def is_gone() -> bool:
    """Was the server given up in the latest command?"""
    return bool(_GONE)


def set_up(home: Path) -> bool:
    """Set Prefect up before its first import: no analytics, our log in its runs; an operator's own set-up wins.

    Returns:
        Whether a command has to start a server of its own, whose small database lies in the catalogue's home.
    """
    defaults = {
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_EXTRA_LOGGERS": ",".join(OURS),
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "3600",  # `prefect_wait_s` is the limit
        "PREFECT_API_REQUEST_TIMEOUT": str(_PATIENCE_S),
        "PREFECT_CLIENT_MAX_RETRIES": "1",
        "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",  # what matters of it is told by the command
    }
    profile = Path.home() / ".prefect" / "profiles.toml"
    if "PREFECT_API_URL" not in os.environ and not profile.exists():
        prefect_home = home.resolve() / HomeFolder.PREFECT
        prefect_home.mkdir(parents=True, exist_ok=True)
        defaults["PREFECT_HOME"] = str(prefect_home)
        defaults["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = database_in(prefect_home)
        # The small server shares our terminal, and ends with the command: nobody reads a run's log there.
        defaults |= dict.fromkeys(("PREFECT_SERVER_LOGGING_LEVEL", "PREFECT_LOGGING_ROOT_LEVEL"), "ERROR")
        defaults["PREFECT_LOGGING_TO_API_ENABLED"] = "false"
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" in os.environ:
        return False
    from prefect.settings import PREFECT_API_URL

    return PREFECT_API_URL.value() is None


def database_in(prefect_home: Path) -> str:
    """The URL of Prefect's small database; Prefect itself would end the path at the first question mark."""
    return f"sqlite+aiosqlite:///{quote(os.fsencode(prefect_home.joinpath('prefect.db')))}"


def _failure_of(work: Callable[[list[str]], object], limit_s: float) -> str | None:
    """Why it did not come to its end within so long; None: it did. A thread of its own leaves this one to Ctrl-C."""
    from flows.under_prefect import why as why_of

    ended, why = threading.Event(), ["it is not ready in time"]

    def try_it() -> None:
        try:
            work(why)
            why.clear()
        except Exception as error:  # noqa: BLE001  # whatever it is, the work goes on without a server
            why[:] = [why_of(error)]
        ended.set()

    threading.Thread(target=copy_context().run, args=(try_it,), name="prefect-server", daemon=True).start()
    ended.wait(limit_s)
    return why[0] if why else None


def _healthy(why: list[str]) -> None:
    """Wait until the operator's server says that it is well; until then `why` holds its last answer."""
    from prefect.client.orchestration import get_client

    from flows.under_prefect import why as why_of

    while True:
        with get_client(sync_client=True) as client:
            if (error := client.api_healthcheck()) is None:
                return
        why[:] = [why_of(error)]
        time.sleep(1)


def _start_own(_why: list[str]) -> None:
    """Start a server that lives through a Ctrl-C, and ends with this process whatever ends it.

    A terminal sends SIGINT to every process of the command. A flow that is stopped tells its server so, and
    without one waits more than a minute. uvicorn handles SIGINT by itself, but a signal that is blocked in a
    thread stays so in the process that it starts. A shell that hears the end of its input, even after kill -9, ends
    the server.
    """
    from prefect.server.api.server import SubprocessASGIServer

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # of this thread and what it starts
    server = SubprocessASGIServer()  # Prefect keeps one in a process, the first that was made
    threading.Thread(target=_watch, args=(server,), daemon=True).start()
    server.start()


def _watch(server: "SubprocessASGIServer") -> None:
    """Have it end after us, as soon as there is a process; a first start takes it half a minute."""
    while server.server_process is None:
        time.sleep(0.05)
    _WATCHES.append(_end_after_us(server.server_process.pid))


def _end_after_us(pid: int) -> "subprocess.Popen[bytes]":
    """A shell that ends a process as soon as this one is no more; it has the same 5 s for it as Prefect gives."""
    script = 'read -r _; kill "$0" && sleep 5 && kill -9 "$0"'
    return subprocess.Popen(  # noqa: S603  # nothing in it comes from outside
        ["/bin/sh", "-c", script, str(pid)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
