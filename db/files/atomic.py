"""Writes files whole or not at all, and so that a power cut takes none of them back.

The one way in `db` and `flows`; `colorize`, which must not know `db`, has its own for checkpoints and weights. A crash
leaves at most a temporary file or folder, which `db.doctor` finds where it lies among the unfinished ones of a store.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from db.errors import CatalogueFull

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""How a system says that a disk, or what one may have of it, is full."""


def write_whole(path: Path, data: bytes, unfinished: Path | None = None) -> None:
    """Write a file whole or not at all, fsynced, over an earlier one.

    Args:
        path: where it comes to lie, in a folder that is there.
        data: all of it.
        unfinished: folder on the same disk for the file while it is being written; left out: hidden beside it.

    Raises:
        OSError: it cannot be written; an earlier file is untouched.
    """
    with writing_whole(path, unfinished) as file:
        file.write(data)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """The system names no path where writing or fsync fails, and a person must know which disk it is.

    Raises:
        OSError: as inside it, with a path.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def writing_whole(path: Path, unfinished: Path | None = None) -> Iterator[BinaryIO]:
    """As `write_whole`, of what is written into the file piece by piece; nothing is kept where that raises."""
    temporary = (unfinished or path.parent) / f"{'' if unfinished else '.'}{path.name}.{secrets.token_hex(8)}"
    try:
        with named(path), temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    fsync_folder(path.parent)


@contextmanager
def room_for(root: Path) -> Iterator[None]:
    """Say in one sentence that the disk is full.

    Raises:
        CatalogueFull: it is.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise CatalogueFull(f"no room left for pictures in {root}; free some space and run this again") from error


def make_folder(folder: Path) -> None:
    """Make a folder and its parents so that a power cut cannot lose the entry that names it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    fsync_folder(folder.parent)


def fsync_folder(folder: Path) -> None:
    """See to it that a power cut loses none of the names in it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with named(folder):
            os.fsync(handle)
    finally:
        os.close(handle)
