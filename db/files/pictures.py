"""Picture files by sha256, in two-level folders (`ab/cd/abcd….png`), written whole or not at all.

The catalogue hands its store to `flows`, which puts the file here first and the row after it: a crash
between the two leaves a file that no row names, and a crash within a file leaves one in the folder of
unfinished ones. `db.doctor` finds both. Knows no picture format and no database.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from db.errors import PictureAltered, PictureMissing
from db.files.atomic import make_folder, room_for, write_whole
from db.files.home import UNFINISHED

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SUFFIX = re.compile(r"\.?([a-z0-9]{1,8})")


class PictureStore:
    """Picture files under one folder; several processes may write at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unfinished = root / UNFINISHED

    def add(self, data: bytes, suffix: str) -> str:
        """Keep the bytes for good, fsynced, and return their sha256.

        Bytes that are here already stay; a file of theirs that was altered is made good.

        Args:
            data: the whole file.
            suffix: what its name ends with, such as `.png`; for people and web servers only.

        Raises:
            CatalogueFull: no room left; nothing was written.
        """
        ending = _SUFFIX.fullmatch(suffix.lower())
        if ending is None:
            raise ValueError(f"suffix {suffix!r} is none of a picture file; give one such as '.png'")
        sha256 = hashlib.sha256(data).hexdigest()
        here = self._find(sha256)
        if here is not None and self.verify(sha256):
            here.touch()  # young again: the doctor takes no young file for a forgotten one
            return sha256
        with room_for(self.root):
            self._write(data, here or self._folder(sha256) / f"{sha256}.{ending[1]}")
        return sha256

    def path(self, sha256: str) -> Path:
        """Where the file lies.

        Raises:
            PictureMissing: it does not, or this is no sha256.
        """
        found = self._find(sha256)
        if found is None:
            raise PictureMissing(
                f"picture {sha256[:80]!r} is not among the kept pictures; `nishiki doctor` tells what else is"
            )
        return found

    def read(self, sha256: str) -> bytes:
        """The picture's bytes, and no others.

        Raises:
            PictureMissing: there is no file, or this is no sha256.
            PictureAltered: the file has other bytes than when it was stored.
        """
        path = self.path(sha256)
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise PictureAltered(f"{path} has other bytes than when it was stored; `nishiki doctor --mend` mends it")
        return data

    def verify(self, sha256: str) -> bool:
        """Do the bytes still have this sha256?"""
        with self.path(sha256).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256

    def files(self) -> Iterator[Path]:
        """Every finished picture file, by folder."""
        yield from sorted(self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"))

    def leftovers(self) -> Iterator[Path]:
        """Files that were being written; a crash leaves them, and a process at work renames them soon."""
        yield from sorted(self._unfinished.glob("*"))

    def _folder(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256[2:4]

    def _find(self, sha256: str) -> Path | None:
        if not _SHA256.fullmatch(sha256):  # it may come from an address in a browser
            return None
        try:
            with os.scandir(self._folder(sha256)) as names:
                return next((Path(each.path) for each in names if each.name.startswith(f"{sha256}.")), None)
        except FileNotFoundError:
            return None

    def _write(self, data: bytes, path: Path) -> None:
        make_folder(self._unfinished)
        make_folder(path.parent)
        write_whole(path, data, self._unfinished)
