"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable


def until(reached: Callable[[], object], patience_s: float = 60.0) -> None:
    """Look every 20 ms whether it has come so far."""
    end = time.monotonic() + patience_s
    while not reached():
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.02)
