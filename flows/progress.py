"""Progress of long work: bars on a terminal, plain lines elsewhere. Stages call `track`, and print none themselves."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from flows.logs import form, tell_person

QUIET_S = 2.0
"""Shorter work shows nothing where there is no terminal."""
LINE_EVERY_S = 15.0

Advance = Callable[[float], None]


@contextmanager
def track(description: str, total: float | None, unit: str = "") -> Iterator[Advance]:
    """Show work of `total` steps (None: nobody knows) on standard error.

    Yields:
        A function, safe in threads, that adds steps done.
    """
    if sys.stderr.isatty() and form() == "text":
        with _bar(unit) as progress:
            task = progress.add_task(description, total=total)
            yield lambda steps: progress.advance(task, steps)
        return
    lines = _Lines(description, total, unit)
    yield lines.advance
    lines.finish()


def _bar(unit: str) -> Progress:
    columns = (TextColumn("{task.description:<24}", markup=False), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    return Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True)


class _Lines:
    """A line now and then, and one at the end of work that was not quick."""

    def __init__(self, description: str, total: float | None, unit: str) -> None:
        self._what, self._total, self._unit, self._done = description, total, unit, 0.0
        self._began = self._printed = time.monotonic()

    def advance(self, steps: float) -> None:
        self._done += steps
        if time.monotonic() - self._printed > LINE_EVERY_S:
            self._print()

    def finish(self) -> None:
        if time.monotonic() - self._began > QUIET_S:
            self._print()

    def _print(self) -> None:
        self._printed = time.monotonic()
        passed = self._printed - self._began
        of_all = "" if self._total is None else f" of {self._total:.0f}"
        tell_person(f"{self._what}: {self._done:.0f}{of_all} {self._unit} ({passed:.0f} s)")
