"""Working copies, a file for each harvested picture (`2/ab/cd/abcd….png`), written whole or not at all.

`flows.upkeep.working_copies` makes them of pictures in the picture store, so that any may be deleted and made again;
`db.doctor` finds those that are lost or left over. Knows no picture format and no database.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from db.files.atomic import make_folder, room_for, write_whole
from db.files.home import UNFINISHED

VERSION: Final = "2"
"""Of what `colorize.images.working_copy` makes: raised together with it, so that copies of before count as lost."""


class WorkingCopies:
    """Files under one folder; several processes may write at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unfinished = root / UNFINISHED

    def has(self, sha256: str) -> bool:
        """Is there a copy of this picture?"""
        return self._path(sha256).is_file()

    def read(self, sha256: str) -> bytes:
        """The copy's bytes.

        Raises:
            FileNotFoundError: there is none.
        """
        return self._path(sha256).read_bytes()

    def add(self, sha256: str, data: bytes) -> None:
        """Keep the copy of the picture with this sha256, in the place of an earlier one.

        Raises:
            CatalogueFull: no room left; nothing was written.
        """
        path = self._path(sha256)
        with room_for(self.root):
            make_folder(self._unfinished)
            make_folder(path.parent)
            write_whole(path, data, self._unfinished)

    def files(self) -> Iterator[Path]:
        """Every finished file, those of earlier versions too."""
        yield from sorted(self.root.glob("*/[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"))

    def is_current(self, path: Path) -> bool:
        """Was it made as copies are made now?"""
        return path.is_relative_to(self.root / VERSION)

    def leftovers(self) -> Iterator[Path]:
        """Files that were being written; a crash leaves them, and a process at work renames them soon."""
        yield from sorted(self._unfinished.glob("*"))

    def _path(self, sha256: str) -> Path:
        return self.root / VERSION / sha256[:2] / sha256[2:4] / f"{sha256}.png"
