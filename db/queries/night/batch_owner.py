"""Which process owns a batch, and whether it still runs. Only the dispatch's queries ask.

A process id is used again after a while, so the moment at which the process began goes with it.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class BatchOwner:
    """A process on a host; `started` names the boot and the clock tick at which it began."""

    host: str
    pid: int
    started: str


def this_process() -> BatchOwner:
    """Us."""
    pid = os.getpid()
    return BatchOwner(socket.gethostname(), pid, _started(pid) or "")


def is_gone(owner: BatchOwner) -> bool:
    """Surely ended? Only a process of this host can be known to be; of others the heartbeat tells."""
    if owner.host != socket.gethostname():
        return False
    if not Path("/proc/self/stat").exists():  # not Linux: the heartbeat tells there too
        return False
    return _started(owner.pid) != owner.started


def _started(pid: int) -> str | None:
    """None: no such process, or a dead one that its parent has not collected yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name in brackets may hold blanks
    return None if fields[0] in "ZX" else f"{_BOOT_ID.read_text().strip()}:{fields[19]}"
