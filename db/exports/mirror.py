"""A package in object storage: the copy of one in a folder, brought up to date whenever that is whole.

What may not leave any more goes first, what is new comes then, and the bag's manifest last, as in the folder: until it
is there, the copy is no bag. A list in the folder says what was sent: the next export sends only what has changed.
"""

import mimetypes
import shutil
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import filterfalse
from pathlib import Path
from typing import Final

from db.errors import ExportUnusable
from db.exports.package import BAG, BAG_INFO, BAG_MANIFEST, DATA, ENTRIES, OUR_MARK, TAGS
from db.files.bucket import Bucket

_SENT: Final = "sent.txt"
"""In the folder: what lies in object storage, as the bag's manifest has it; of a name's lines the last holds."""
_TOLD: Final = (OUR_MARK, BAG, BAG_INFO, BAG_MANIFEST, TAGS)
"""Of the package itself, in the order in which they are sent; the last has the sha256 of the others."""
_AT_ONCE: Final = 16
"""Files on their way; each waits for its answer most of the time."""
_KINDS: Final = {".json": "application/json", ".jsonld": "application/ld+json", ".xml": "application/xml"}


@dataclass(frozen=True)
class Sent:
    """What a copy took, in files."""

    sent: int
    removed: int


def send(package: Path, there: Bucket, whole: bool = True) -> Sent:
    """Make object storage hold what the package holds, or, where that is not whole yet, no more than it.

    Raises:
        ExportUnusable: something else lies there, or another export.
        PicturesUnreachable: it does not answer; the next export goes on.
    """
    lies = {each.name: each.size for each in there.listed()}
    _check(package, there, bool(lies))
    if not whole:
        over = [name for name in lies if not (package / name).exists() and name not in _TOLD]
        return Sent(0, _removed(there, over) if over else 0)
    sums, known = _sums(package / BAG_MANIFEST), _sums(package / _SENT)
    new = [name for name in sums if known.get(name) != sums[name] or lies.get(name) != (package / name).stat().st_size]
    gone = [name for name in lies if name not in sums and name not in _TOLD]
    if not new and not gone and there.read(TAGS) == (package / TAGS).read_bytes():
        return Sent(0, 0)
    _put(package, there, OUR_MARK)  # whose it is, before anything else lies there
    _removed(there, gone)
    put = partial(_put, package, there)
    with ThreadPoolExecutor(_AT_ONCE) as several, (package / _SENT).open("a", encoding="utf-8") as sent:
        for names in map(list, (filterfalse(_is_list, new), filter(_is_list, new))):
            for name, _ in zip(names, several.map(put, names), strict=True):
                sent.write(f"{sums[name]}  {name}\n")
    for name in _TOLD:
        put(name)
    shutil.copyfile(package / BAG_MANIFEST, package / _SENT)
    return Sent(len(new), len(gone))


def _removed(there: Bucket, gone: Sequence[str]) -> int:
    """Remove these files, and before them what makes the whole a bag."""
    with ThreadPoolExecutor(_AT_ONCE) as several:
        for names in ([TAGS, BAG_MANIFEST], gone):
            deque(several.map(there.remove, names), maxlen=0)
    return len(gone)


def _put(package: Path, there: Bucket, name: str) -> None:
    there.replace(name, package / name, _kind(name))


def _kind(name: str) -> str:
    suffix = Path(name).suffix
    return _KINDS.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")


def _is_list(name: str) -> bool:
    """Is it a list of entries, which must not name what is yet to come?"""
    return not name.startswith(f"{DATA}/{ENTRIES}/")


def _sums(manifest: Path) -> dict[str, str]:
    """The sha256 of each file that such a list names; a line that was cut off says nothing."""
    if not manifest.exists():
        return {}
    lines = (line.split("  ", 1) for line in manifest.read_text(encoding="utf-8").splitlines() if "  " in line)
    return {name: sha256 for sha256, name in lines}


def _check(package: Path, there: Bucket, anything: bool) -> None:
    mark = there.read(OUR_MARK) if anything else None
    if anything and mark is None:
        raise ExportUnusable(f"{there.url} holds other things; give an empty prefix, or one of an export")
    if mark is not None and mark != (package / OUR_MARK).read_bytes():
        raise ExportUnusable(
            f"{there.url} holds an export with another --address, --filter or --tiles; give another prefix"
        )
