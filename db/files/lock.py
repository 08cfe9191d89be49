"""A file that one process at a time holds. The system gives it free whatever ends the process, kill -9 included."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname

from db.errors import NightRunning


@contextmanager
def held_alone(path: Path, busy: str = "another night is at work in") -> Iterator[None]:
    """Hold the file; others find in it who does.

    Args:
        path: the file.
        busy: what they are told before its folder's name.

    Raises:
        NightRunning: another process holds it.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.pread(file, 200, 0).decode(errors="replace").strip() or "another process"
            raise NightRunning(f"{busy} {path.parent} ({who}); nothing was done: wait until it has ended") from None
        os.ftruncate(file, 0)
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        os.pwrite(file, f"process {os.getpid()} on {gethostname()}, since {since}\n".encode(), 0)
        yield
    finally:
        os.close(file)
