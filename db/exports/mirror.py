"""A package in object storage: the copy of one in a folder, brought up to date whenever that is whole.

What may not leave any more goes first, what is new comes then, and the bag's manifest last, as in the folder: until it
is there, the copy is no bag. A list in the folder says what was sent: the next export sends only what has changed.
"""

import mimetypes
import shutil
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import filterfalse
from pathlib import Path
from typing import IO, Final

from db.errors import ExportUnusable
from db.exports.package import BAG, BAG_INFO, BAG_MANIFEST, DATA, ENTRIES, OUR_MARK, TAGS
from db.files.bucket import Bucket
from db.queries.base.store import chunks

_SENT: Final = "sent.txt"
"""In the folder: what lies in object storage, as the bag's manifest has it; of a name's lines the last holds."""
_TOLD: Final = (OUR_MARK, BAG, BAG_INFO, BAG_MANIFEST, TAGS)
"""Of the package itself, in the order in which they are sent; the last has the sha256 of the others."""
_AT_ONCE: Final = 16
"""Files on their way; each waits for its answer most of the time."""
_UNKNOWN: Final = "-"
"""In the list, in the place of a sha256: the file is on its way."""
_KINDS: Final = {".json": "application/json", ".jsonld": "application/ld+json", ".xml": "application/xml"}


@dataclass(frozen=True)
class Sent:
    """What a copy took, in files."""

    sent: int
    removed: int


def check_place(package: Path, there: Bucket) -> None:
    """See whether a package may be copied there, before it is made.

    Raises:
        ExportUnusable: an export lies there that was made from another folder; this one would first take it all away.
        PicturesUnreachable: object storage does not answer.
    """
    if not (package / OUR_MARK).exists() and there.read(OUR_MARK) is not None:
        raise ExportUnusable(
            f"{there.url} holds an export that was made elsewhere; bring its folder to {package}, or empty the prefix"
        )


def send(package: Path, there: Bucket, whole: bool = True) -> Sent:
    """Make object storage hold what the package holds, or, where that is not whole yet, no more than it.

    Nothing is removed there but below `data`, where a package has all that may not leave any more.

    Raises:
        ExportUnusable: something else lies there, or another export.
        PicturesUnreachable: it does not answer; the next export goes on.
    """
    lies = {each.name: each.size for each in there.listed()}
    _check(package, there, bool(lies))
    data = [name for name in lies if name.startswith(f"{DATA}/")]
    if not whole:
        return Sent(0, _removed(there, [name for name in data if not (package / name).exists()]))
    sums, known = _sums(package / BAG_MANIFEST), _sums(package / _SENT)
    new = [name for name in sums if known.get(name) != sums[name] or lies.get(name) != (package / name).stat().st_size]
    gone = [name for name in data if name not in sums]
    told = all(lies.get(name) == (package / name).stat().st_size for name in _TOLD)
    if told and not new and not gone and there.read(TAGS) == (package / TAGS).read_bytes():
        return Sent(0, 0)
    _put(package, there, OUR_MARK)  # whose it is, before anything else lies there
    _unfinish(there)
    _removed(there, gone)
    with (package / _SENT).open("a", encoding="utf-8") as sent:
        for names in (list(filterfalse(_is_list, new)), list(filter(_is_list, new))):
            _put_all(package, there, names, sums, sent)
    for name in _TOLD:
        _put(package, there, name)
    shutil.copyfile(package / BAG_MANIFEST, package / _SENT)
    return Sent(len(new), len(gone))


def _put_all(package: Path, there: Bucket, names: Sequence[str], sums: Mapping[str, str], sent: IO[str]) -> None:
    """Send files, so many together; the list says of each that it is not known, and then that it is there."""
    with ThreadPoolExecutor(_AT_ONCE) as several:
        for some in chunks(names):
            sent.writelines(f"{_UNKNOWN}  {name}\n" for name in some)
            sent.flush()
            for name, _ in zip(some, several.map(partial(_put, package, there), some), strict=True):
                sent.write(f"{sums[name]}  {name}\n")


def _removed(there: Bucket, gone: Sequence[str]) -> int:
    """Remove these files, and before them what makes the whole a bag."""
    if gone:
        _unfinish(there)
    with ThreadPoolExecutor(_AT_ONCE) as several:
        for some in chunks(gone):
            deque(several.map(there.remove, some), maxlen=0)
    return len(gone)


def _unfinish(there: Bucket) -> None:
    for name in (TAGS, BAG_MANIFEST):
        there.remove(name)


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
