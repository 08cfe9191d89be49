"""Exports beside the review page: each in a process of its own, so that nobody waits for it, and one at a time.

`db.review` begins them and asks how they go. Durable is what the package says of itself: a page that ends takes its
export with it, which leaves the folder as any interruption does, and the next one goes on.
"""

import hashlib
import json
import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from threading import Lock
from typing import Any, Final

from db.catalogue import Catalogue
from db.errors import CatalogueError, CatalogueFull, ExportUnusable, NightRunning, NothingApproved
from db.exports.entry_files import Sources
from db.exports.package import BAG_MANIFEST, OUR_MARK, Exported, Order, export
from db.files.home import HomeFolder
from db.files.tiles import TileStore
from db.settings import CatalogueSettings

EVERYTHING: Final = "all"
"""Folder of the package without a filter."""
_NO_TILES: Final = "-no-tiles"
"""Ends the folder's name of a package without them."""
_NEW: Final = multiprocessing.get_context("spawn")
"""The page has threads: a copy of it would hold their locks for good."""


class Refusal(StrEnum):
    """Why an export made no package."""

    NOTHING = "nothing approved"
    FULL = "no room"
    UNUSABLE = "folder unusable"
    BUSY = "another is at work"
    FAILED = "failed"


_REFUSALS: Final[tuple[tuple[type[CatalogueError], Refusal], ...]] = (
    (NothingApproved, Refusal.NOTHING),
    (CatalogueFull, Refusal.FULL),
    (ExportUnusable, Refusal.UNUSABLE),
    (NightRunning, Refusal.BUSY),
)


@dataclass(frozen=True)
class Going:
    """How the page's newest export goes, or how it went."""

    name: str
    """Of the package's folder."""
    looked_at: int
    """Entries, so far."""
    came_to: Exported | Refusal | None = None
    """None: it is at work."""


@dataclass(frozen=True)
class Kept:
    """A package that lies in the folder."""

    name: str
    address: str
    narrowing: str
    """Its filter, as the queue's address has it."""
    tiles: bool
    """Has it tiles?"""
    whole_since: datetime | None
    """None: it is being written, or was cut off."""


@dataclass
class _Begun:
    name: str
    process: Any
    looked_at: "Synchronized[int]"
    answer: Connection
    came_to: Exported | Refusal | None = None


@dataclass
class Exports:
    """The folder of packages, and the export that is at work in it. Safe for any thread."""

    settings: CatalogueSettings
    root: Path
    address: str
    """Where a web server serves that folder, ending with `/`."""
    _newest: _Begun | None = field(default=None, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def begin(self, order: Order) -> str | None:
        """Bring the package of this filter up to date, beside; its folder's name, None where another is at work.

        The order's own address is not asked: it follows from the folder.
        """
        name = name_of(order)
        with self._lock:
            if self._at_work():
                return None
            looked_at, (answer, said) = _NEW.Value("q", 0), _NEW.Pipe(duplex=False)
            order = replace(order, address=f"{self.address}{name}/data/")
            told = (self.settings, self.root / name, order, looked_at, said)
            process = _NEW.Process(target=_export, args=told, daemon=True, name=f"export of {name}")
            process.start()
            said.close()  # or its end would never be heard
            self._newest = _Begun(name, process, looked_at, answer)
        return name

    def newest(self) -> Going | None:
        """Of the exports that this page began."""
        with self._lock:
            self._at_work()
            begun = self._newest
            return Going(begun.name, begun.looked_at.value, begun.came_to) if begun else None

    def packages(self) -> Iterator[Kept]:
        """What lies in the folder, by name."""
        for mark in sorted(self.root.glob(f"*/{OUR_MARK}")):
            try:
                said = json.loads(mark.read_bytes())
                tiles = said.get("tiles", True)
                yield Kept(mark.parent.name, said["address"], said["filter"], tiles, _whole_since(mark.parent))
            except (OSError, ValueError, KeyError, TypeError):
                continue  # no mark of ours

    def close(self) -> None:
        """End what is at work."""
        with self._lock:
            if self._newest:
                self._newest.process.terminate()
                self._newest.process.join()

    def _at_work(self) -> bool:
        """Is the newest one? Once it is not, what it came to is kept."""
        begun = self._newest
        if begun is None:
            return False
        if begun.came_to is None and (begun.answer.poll() or not begun.process.is_alive()):
            try:
                begun.came_to = begun.answer.recv()
            except EOFError:  # killed, or a fault that its log tells
                begun.came_to = Refusal.FAILED
            begun.process.join()
        return begun.came_to is None


def name_of(order: Order) -> str:
    """Of the folder for a filter, with tiles or without; the same order has the same folder."""
    narrowing = order.narrowing
    name = f"view-{hashlib.sha256(narrowing.encode()).hexdigest()[:12]}" if narrowing else EVERYTHING
    return name if order.tiles else f"{name}{_NO_TILES}"


def _whole_since(package: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp((package / BAG_MANIFEST).stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def _export(
    settings: CatalogueSettings, target: Path, order: Order, looked_at: "Synchronized[int]", answer: Connection
) -> None:
    """What the process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the page, which ends this

    def advance(count: int) -> None:
        looked_at.value += count

    try:
        with Catalogue.open(settings, create=False) as catalogue:
            done = export(Sources(catalogue, TileStore(settings.home / HomeFolder.TILES)), target, order, advance)
    except CatalogueError as error:
        answer.send(next((word for kind, word in _REFUSALS if isinstance(error, kind)), Refusal.FAILED))
    else:
        answer.send(done)
