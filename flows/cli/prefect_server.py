"""Keeps Prefect's temporary server quiet and out of a command's way."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from db.files.home import HomeFolder
from flows.logs import OURS

_WATCHES: "list[subprocess.Popen[bytes]]" = []
"""Kept open as long as this process lives."""


def quiet_prefect(home: Path) -> None:
    """Set Prefect up before its first import: no analytics, our log in its runs; an operator's own set-up wins.

    Without one, its small database lies in the catalogue's home and an ephemeral server serves each command, which
    lives through a Ctrl-C and ends with the command.
    """
    defaults = {
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_EXTRA_LOGGERS": ",".join(OURS),
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        # The first start makes a database, which takes 20 s and more on a busy machine.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
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
    if "PREFECT_API_URL" not in os.environ:
        _shield_server()


def database_in(prefect_home: Path) -> str:
    """The URL of Prefect's small database; Prefect itself would end the path at the first question mark."""
    return f"sqlite+aiosqlite:///{quote(os.fsencode(prefect_home.joinpath('prefect.db')))}"


def _shield_server() -> None:
    """Let Prefect's ephemeral server live through a Ctrl-C, and end with this process whatever ends it.

    A terminal sends SIGINT to every process of the command. A flow that is stopped tells its server so, and
    without one waits more than a minute. uvicorn handles SIGINT by itself, but a signal that is blocked in a
    thread stays so in the process that it starts. A shell that hears the end of its input, even after kill -9, ends
    the server.
    """
    from prefect.server.api.server import SubprocessASGIServer
    from prefect.settings import PREFECT_API_URL

    def start() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # of this thread and what it starts
        server = SubprocessASGIServer()  # Prefect keeps one in a process, the first that was made
        server.start()
        if server.server_process is not None:
            _WATCHES.append(_end_after_us(server.server_process.pid))

    if PREFECT_API_URL.value() is None:
        ThreadPoolExecutor(1, "prefect-server").submit(start).result()


def _end_after_us(pid: int) -> "subprocess.Popen[bytes]":
    """A shell that ends a process as soon as this one is no more; it has the same 5 s for it as Prefect gives."""
    script = 'read -r _; kill "$0" && sleep 5 && kill -9 "$0"'
    return subprocess.Popen(  # noqa: S603  # nothing in it comes from outside
        ["/bin/sh", "-c", script, str(pid)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
