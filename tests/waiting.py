"""Waiting for what another thread or process does."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def until(reached: Callable[[], object], patience_s: float = 180.0) -> None:
    """Look every 20 ms whether it has come so far."""
    end = time.monotonic() + patience_s
    while not reached():
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.02)


def run_alone(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """What a coroutine gives, run in a thread of its own: a browser's tests leave a running loop in theirs."""
    return in_thread(lambda: asyncio.run(coroutine))


def in_thread(work: Callable[[], Result]) -> Result:
    """What a function gives in a thread that has no loop."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()
