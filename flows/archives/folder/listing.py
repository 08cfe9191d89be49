"""Walks a folder as a person would list it: natural order, no hidden files, no litter, nothing that is foreign to it.

Called by `archive.py`; looks into no file. Foreign is what nishiki wrote into a home that lies in the folder, or is the
folder itself: taken for prints, its pictures would be colorized again every night. Whoever opens the archive says so.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

LITTER = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}
"""What systems leave behind in folders, in lower case."""

Foreign = Callable[[Path], bool]
"""Is a path something that the archive does not hold, wherever it lies?"""


def walk(root: Path, foreign: Foreign) -> Iterator[Path]:
    """Every file, in natural order, and each folder that cannot be listed or is only a link to one.

    What is foreign is left out, and so is a folder that holds such a thing, with everything in it; of the root itself
    the rest is listed.
    """
    waiting = [root]
    while waiting:
        path = waiting.pop()
        try:
            children = list(path.iterdir()) if path.is_dir() and not (path.is_symlink() and path != root) else None
        except OSError:
            children = None
        if children is None:
            yield path
            continue
        own = [child for child in children if not foreign(child)]
        if path == root or len(own) == len(children):
            waiting += sorted((child for child in own if not _hidden(child)), key=_natural, reverse=True)


def _hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name.casefold() in LITTER


def _natural(path: Path) -> tuple[list[str | int], str]:
    """Sorts print2 before print10."""
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], path.name
