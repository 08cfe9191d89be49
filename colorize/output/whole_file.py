"""Writes a file whole or not at all: checkpoints and weights.

`db.files.atomic` does it for `db` and `flows`, which `colorize` does not know; here a library may do the writing.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; at the end of the block it is fsynced and takes the place of `path`.

    Its name is its own, since processes may write the same file at once. A crash leaves it for `leftovers` to find.

    Raises:
        OSError: it cannot be written; an earlier file is untouched.
    """
    temporary = path.with_name(f"{path.stem}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def leftovers(path: Path) -> Iterator[Path]:
    """What crashes left beside `path`."""
    yield from path.parent.glob(f"{path.stem}.*tmp")


def remove_whole(path: Path) -> None:
    """Remove a file, if it is there, and what a crash left of it."""
    for each in (path, *leftovers(path)):
        each.unlink(missing_ok=True)
