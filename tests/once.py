"""What takes seconds to make and serves all tests: made by the worker that comes first, for every other of the run."""

import fcntl
from collections.abc import Callable
from pathlib import Path


def made_once(place: Path, make: Callable[[Path], object]) -> Path:
    """The file or folder, whole: whoever comes while it is made waits for it."""
    with place.with_name(f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            growing = place.with_name(f"{place.name}.growing")
            make(growing)
            growing.rename(place)
    return place
