"""Keeps Prefect's temporary server quiet and out of a command's way."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from db.files.home import HomeFolder


def quiet_prefect(home: Path) -> None:
    """Set Prefect up before its first import: no analytics, no log noise; an operator's own set-up wins.

    Without one, its small database lies in the catalogue's home and an ephemeral server serves each command, which
    lives through a Ctrl-C and ends with the command.
    """
    defaults = {
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_ROOT_LEVEL": "CRITICAL",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        # The first start makes a database, which takes 20 s and more on a busy machine.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    }
    profile = Path.home() / ".prefect" / "profiles.toml"
    if "PREFECT_API_URL" not in os.environ and not profile.exists():
        prefect_home = home.resolve() / HomeFolder.PREFECT
        prefect_home.mkdir(parents=True, exist_ok=True)
        defaults["PREFECT_HOME"] = str(prefect_home)
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" not in os.environ:
        _shield_server()


def _shield_server() -> None:
    """Let Prefect's ephemeral server live through a Ctrl-C, and end with this process whatever ends it.

    A terminal sends SIGINT to every process of the command. A flow that is stopped tells its server so, and
    without one waits more than a minute. uvicorn handles SIGINT by itself, but a signal that is blocked stays so
    in the new process. A shell that hears the end of its input, even after kill -9, ends the server.
    """
    from prefect.server.api.server import SubprocessASGIServer
    from prefect.settings import PREFECT_API_URL

    class Shielded(SubprocessASGIServer):
        watch: "subprocess.Popen[bytes]"

        def _run_uvicorn_command(self) -> "subprocess.Popen[Any]":
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                server = super()._run_uvicorn_command()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            self.watch = _end_after_us(server.pid)
            return server

    if PREFECT_API_URL.value() is None:
        Shielded()  # Prefect keeps one server in a process, the first that was made; it is started when asked for


def _end_after_us(pid: int) -> "subprocess.Popen[bytes]":
    """A shell that ends a process as soon as this one is no more; it has the same 5 s for it as Prefect gives."""
    script = 'read -r _; kill "$0" && sleep 5 && kill -9 "$0"'
    return subprocess.Popen(  # noqa: S603  # nothing in it comes from outside
        ["/bin/sh", "-c", script, str(pid)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
