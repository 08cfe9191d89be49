"""The Prefect server of a run of tests: started by whichever worker needs it first, ended by the run."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from db.files.home import PRIVATE, HomeFolder
from tests.once import made_once
from tests.waiting import in_thread, until

START_S = 180.0
_PID = "prefect.pid"


@contextmanager
def served(common: Path) -> Iterator[str]:
    """URL of its API, by which flows of this process go meanwhile."""
    from prefect.context import refresh_global_settings_context  # noqa: PLC0415  # prefect, which most tests need not
    from prefect.events.worker import EventsWorker  # noqa: PLC0415
    from prefect.settings import (  # noqa: PLC0415
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        temporary_settings,
    )

    url = made_once(common / "prefect.url", lambda file: _start(file, common)).read_text()
    with pytest.MonkeyPatch.context() as patch:  # for flows in other threads
        patch.setenv("PREFECT_API_URL", url)
        refresh_global_settings_context()
    # without a heartbeat: each flow waits for its end for up to a second
    with temporary_settings({PREFECT_API_URL: url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield url
        in_thread(EventsWorker.drain_all)
    refresh_global_settings_context()


def ended(common: Path) -> None:
    """Where one was started, end it."""
    if (file := common / _PID).exists():
        os.kill(int(file.read_text()), signal.SIGTERM)


def _start(file: Path, common: Path) -> None:
    """In the shell's background: it outlives this worker, and leaves none of Python's handles open."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    home = {"PREFECT_HOME": str(common / "prefect"), "PREFECT_UI_ENABLED": "0"}
    app = ("uvicorn", "--factory", "prefect.server.api.server:create_app")
    words = [sys.executable, "-m", *app, "--port", str(port), "--log-level", "error"]
    started = subprocess.run(
        ["sh", "-c", '"$@" >/dev/null 2>&1 & echo $!', "sh", *words], env={**os.environ, **home},
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    (common / _PID).write_text(started.stdout)
    url = f"http://127.0.0.1:{port}/api"
    until(lambda: _well(url), patience_s=START_S)
    with closing(sqlite3.connect(common / "prefect" / "prefect.db")) as made, closing(_copy_in(common)) as copy:
        made.backup(copy)
    file.write_text(url)


def used_before(home: Path, common: Path) -> None:
    """Give a home Prefect's small database as after a first night: to make it takes longer than a night of tests."""
    folder = home / HomeFolder.PREFECT
    folder.mkdir(PRIVATE, parents=True)
    with closing(_copy_in(common)) as made, closing(sqlite3.connect(folder / "prefect.db")) as copy:
        made.backup(copy)


def _copy_in(common: Path) -> sqlite3.Connection:
    return sqlite3.connect(common / "prefect-empty.db")


def _well(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=5).ok
    except requests.ConnectionError:
        return False
