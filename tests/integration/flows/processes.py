"""Sees the processes that colorize for this one."""

from pathlib import Path


def colorizing_children() -> list[int]:
    """Processes that multiprocessing spawned for us."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if b"spawn_main" in command:
                found.append(int(pid))
    return found
