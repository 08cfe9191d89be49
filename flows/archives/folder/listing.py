"""Walks a folder as a person would list it: natural order, no hidden files, no litter, no home of nishiki.

Called by `folder.py`; looks into no file. A home inside the folder holds pictures that were harvested from it and
colorizations of them; taken for prints, they would be colorized again every night.
"""

import re
from collections.abc import Iterator
from pathlib import Path

LITTER = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}
"""What systems leave behind in folders, in lower case."""
CATALOGUE, UNFINISHED = "catalogue.db", Path("pictures", "unfinished")
"""A folder with either is a home of nishiki, the second also when its database is a server's."""
OWN = {"pictures", "reports", "prefect"}
"""What nishiki makes in its home beside the catalogue."""


def walk(root: Path) -> Iterator[Path]:
    """Every file, in natural order, and each folder that cannot be listed or is only a link to one."""
    waiting = [root]
    while waiting:
        path = waiting.pop()
        try:
            children = list(path.iterdir()) if path.is_dir() and not (path.is_symlink() and path != root) else None
            is_home = children is not None and _is_home(path)
        except OSError:
            children, is_home = None, False
        if children is None:
            yield path
        elif path == root or not is_home:
            seen = (child for child in children if not (_hidden(child) or (is_home and _own(child))))
            waiting += sorted(seen, key=_natural, reverse=True)


def _is_home(folder: Path) -> bool:
    return (folder / CATALOGUE).is_file() or (folder / UNFINISHED).is_dir()


def _own(path: Path) -> bool:
    return path.name in OWN or path.name.startswith(CATALOGUE)


def _hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name.casefold() in LITTER


def _natural(path: Path) -> tuple[list[str | int], str]:
    """Sorts print2 before print10."""
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], path.name
