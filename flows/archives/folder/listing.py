"""Walks a folder as a person would list it, and tells by their names what its files are.

Called by `archive.py`; looks into no file. Natural order, no hidden files, no litter, nothing that is foreign. Foreign
is what nishiki wrote into a home that lies in the folder, or is the folder itself: taken for prints, its pictures would
be colorized again every night. Whoever opens the archive says so.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from enum import Enum, auto
from pathlib import Path, PurePosixPath

LITTER = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin"}
"""What systems leave behind in folders, in lower case."""

Foreign = Callable[[Path], bool]
"""Is a path something that the archive does not hold, wherever it lies?"""

_PICTURE = r"jpe?g|jpe|png|tiff?|webp|avif|jp2|j2k|jpx|gif|bmp|psd|heic|dng|raw"
_TEXT = r"(?:md|markdown|rst|txt|text|pdf|rtf|docx?|odt|pages|html?|log|ini|url|webloc|lnk|sha256|md5)"
_RIGHTS = "licen[cs]e|copying|copyright|rights|terms of use|権利|著作権|利用条件"
_KINDS = (
    ("TABLE", re.compile(r"records(?:\.(?:csv|tsv|tab|txt|xlsx|xlsm|json))+")),
    ("TABLE_LIKE", re.compile(rf"records?[\s\d()_-]*(?:\.(?!(?:pdf|{_PICTURE})$)[\w~]+)*")),
    ("TABLE_LIKE", re.compile(r".*\.(?:csv|tsv|tab|xlsx?|xlsm|xlsb|ods|fods|numbers|dbf|mdb|accdb)")),
    ("NOTICE", re.compile(rf"(?:.*[^a-z])?(?:{_RIGHTS})(?:[^a-z.].*)?(?:\.{_TEXT})?")),
    ("NOTE", re.compile(rf".*\.{_TEXT}|readme|notice|authors|changelog")),
)


class Kind(Enum):
    """What a file is for, by its name."""

    TABLE = auto()
    """`records.csv` and its like, whatever the capitals: it describes the pictures of its folder and below."""
    TABLE_LIKE = auto()
    """Another table, which may describe pictures, and which nishiki does not read."""
    NOTICE = auto()
    """A text on rights by its name, such as LICENSE."""
    NOTE = auto()
    """Another text for people, unless it holds a picture all the same."""
    OTHER = auto()
    """A picture, or what ought to be one."""


def kind_of(name: str) -> Kind:
    """The kind of a file, by its path or name."""
    plain = unicodedata.normalize("NFKC", PurePosixPath(name).name).casefold().strip()
    return next((Kind[kind] for kind, pattern in _KINDS if pattern.fullmatch(plain)), Kind.OTHER)


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
    return path.name.startswith((".", "~$")) or path.name.casefold() in LITTER


def _natural(path: Path) -> tuple[list[str | int], str]:
    """Sorts print2 before print10."""
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], path.name
