"""Tiles for the review page: a folder for each picture's sha256 (`ab/cd/abcd…/`), written whole or not at all.

`flows.workers.tiles` fills the folders, the review page hands out what lies in them. Everything is made of pictures in
the picture store, so that any folder may be deleted and made again. A crash within one leaves it among the unfinished
ones, where `db.doctor` finds it. Knows no picture format and no database.
"""

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from db.errors import PictureMissing
from db.files.atomic import fsync_folder, make_folder, named, room_for
from db.files.home import UNFINISHED

LIGHTNESS: Final = "luma"
"""In the folder of an attempt's output: the same files of its lightness difference to the content.

Their folder keeps the name that it has in every home; a new one would leave the view out of all older results.
"""
AMPLIFICATION: Final = 8
"""Gray levels of the lightness difference for each unit of L*: 128 is unchanged, lighter has become lighter."""
LONG_EDGES_PX: Final = {"thumb.jpg": 320, "preview.jpg": 1280}
"""The whole picture in a smaller version, beside the tiles."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NUMBER = r"[0-9]{1,6}"
_SIZE = f"{_NUMBER},{_NUMBER}"
_NAME = re.compile(
    rf"({LIGHTNESS}/)?(info\.json|thumb\.jpg|preview\.jpg|({_SIZE},{_SIZE}/{_SIZE}|full/({_SIZE}|max))/0/default\.jpg)"
)


class TileStore:
    """Folders of tiles under one folder; several processes may write at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unfinished = root / UNFINISHED
        self._given_up = root / "given up"

    def has(self, sha256: str) -> bool:
        """Are there tiles of this picture? For an attempt's output: and of its lightness difference."""
        return _SHA256.fullmatch(sha256) is not None and self._folder(sha256).is_dir()

    def path(self, sha256: str, name: str) -> Path:
        """Where a file of a picture lies; nothing else can be asked for, whatever comes from a browser.

        Args:
            sha256: the picture's.
            name: `info.json`, `thumb.jpg`, `preview.jpg` or a tile as IIIF Image API 3 addresses it; each also below
                `luma/`.

        Raises:
            PictureMissing: it is not there, or cannot be.
        """
        if _SHA256.fullmatch(sha256) and _NAME.fullmatch(name):
            path = self._folder(sha256) / name
            if path.is_file():
                return path
        what = f"{name[:80]!r} of picture {sha256[:64]!r}"
        raise PictureMissing(f"there is no {what}; `nishiki tiles` makes what is missing")

    def add(self, sha256: str, fill: Callable[[Path], None]) -> None:
        """Keep what `fill` writes into the empty folder that it is handed; a folder that is here already stays.

        Raises:
            CatalogueFull: no room left. Whatever is raised, nothing was kept.
        """
        if _SHA256.fullmatch(sha256) is None:
            raise ValueError(f"{sha256[:80]!r} is no sha256")
        if self.has(sha256):
            return
        folder, temporary = self._folder(sha256), self._unfinished / f"{sha256}.{secrets.token_hex(8)}"
        with room_for(self.root):
            make_folder(temporary)
            try:
                fill(temporary)
                _fsync_all(temporary)
                make_folder(folder.parent)
                _rename(temporary, folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
            fsync_folder(folder.parent)

    def give_up(self, output: str) -> None:
        """Remember that none can be made for this result, so that the doctor does not ask for them for good.

        Raises:
            CatalogueFull: no room left.
        """
        with room_for(self.root):
            make_folder(self._given_up)
            (self._given_up / output).touch()

    def given_up(self) -> set[str]:
        """The results for which none could be made."""
        return {path.name for path in self._given_up.glob("*")}

    def folders(self) -> Iterator[Path]:
        """Every finished folder, named by its picture's sha256."""
        yield from sorted(self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"))

    def leftovers(self) -> Iterator[Path]:
        """Folders that were being filled; a crash leaves them, and a process at work renames them soon."""
        yield from sorted(self._unfinished.glob("*"))

    def _folder(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256[2:4] / sha256


def _rename(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():  # another process was faster: its folder stays
            raise


def _fsync_all(folder: Path) -> None:
    """A power cut must not leave a finished folder with empty tiles in it: nobody would make them again."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent) / name
            with named(path), path.open("rb") as file:
                os.fsync(file.fileno())
        fsync_folder(Path(parent))
