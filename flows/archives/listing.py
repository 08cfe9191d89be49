"""Walks a folder as a person would list it: natural order, no hidden files, no litter.

Called by `folder.py`; looks into no file.
"""

import re
from collections.abc import Iterator
from pathlib import Path

LITTER = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}
"""What systems leave behind in folders, in lower case."""


def walk(root: Path) -> Iterator[Path]:
    """Every file, in natural order, and each folder that cannot be listed or is only a link to one."""
    waiting = [root]
    while waiting:
        path = waiting.pop()
        try:
            children = list(path.iterdir()) if path.is_dir() and not (path.is_symlink() and path != root) else None
        except OSError:
            children = None
        if children is None:
            yield path
        else:
            waiting += sorted((child for child in children if not _hidden(child)), key=_natural, reverse=True)


def _hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name.casefold() in LITTER


def _natural(path: Path) -> tuple[list[str | int], str]:
    """Sorts print2 before print10."""
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], path.name
