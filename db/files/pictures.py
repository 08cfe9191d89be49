"""Picture files by sha256, in two-level folders (`ab/cd/abcd….png`), written whole or not at all.

The catalogue hands its store to `flows`, which puts the file here first and the row after it: a crash
between the two leaves a file that no row names, and a crash within a file leaves one in the folder of
unfinished ones. `db.doctor` finds both. Knows no picture format and no database.

Where pictures are kept in object storage (`db.files.bucket`), a file is there before its row is, and the folder holds
copies of those that this machine has worked on.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from db.errors import PictureAltered, PictureMissing
from db.files.atomic import make_folder, room_for, write_whole
from db.files.bucket import Bucket, Kept
from db.files.home import UNFINISHED

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SUFFIX = re.compile(r"\.?([a-z0-9]{1,8})")


class PictureStore:
    """Picture files under one folder, or in object storage and, of those that were used here, copies in the folder.

    Several processes may write at once. A copy may be deleted at any time; it is fetched again.
    """

    def __init__(self, root: Path, bucket: Bucket | None = None) -> None:
        self.root = root
        self.bucket = bucket
        self._unfinished = root / UNFINISHED

    def add(self, data: bytes, suffix: str) -> str:
        """Keep the bytes for good, fsynced, and return their sha256.

        Bytes that are here already stay; a file of theirs that was altered is made good.

        Args:
            data: the whole file.
            suffix: what its name ends with, such as `.png`; for people and web servers only.

        Raises:
            CatalogueFull: no room left; nothing was written.
            PicturesUnreachable: object storage did not take them.
        """
        ending = _SUFFIX.fullmatch(suffix.lower())
        if ending is None:
            raise ValueError(f"suffix {suffix!r} is none of a picture file; give one such as '.png'")
        sha256 = hashlib.sha256(data).hexdigest()
        here = self._find(sha256)
        if here is not None and self._is_whole(here):
            here.touch()  # young again: the doctor takes no young file for a forgotten one
        else:
            here = here or self._folder(sha256) / f"{sha256}.{ending[1]}"
            self._write(data, here)
        if self.bucket is not None:
            self._upload(self.bucket, here.name, data)
        return sha256

    def path(self, sha256: str) -> Path:
        """Where the file lies; what object storage alone has is copied here for it.

        Raises:
            PictureMissing: it does not, or this is no sha256.
            PictureAltered: object storage has other bytes than were stored.
            PicturesUnreachable: object storage does not answer.
        """
        here = self._here(sha256)
        if here is not None:
            return here
        kept, data = self._downloaded(sha256)
        self._write(data, self.root / kept.name)
        return self.root / kept.name

    def read(self, sha256: str) -> bytes:
        """The picture's bytes, and no others; nothing is copied for it.

        Raises:
            PictureMissing: there is no file, or this is no sha256.
            PictureAltered: the file has other bytes than when it was stored.
            PicturesUnreachable: object storage does not answer.
        """
        here = self._here(sha256)
        if here is not None:
            with suppress(FileNotFoundError) if self.bucket else nullcontext():  # a copy may go at any time
                return _sound(here.read_bytes(), sha256, str(here))
        return self._downloaded(sha256)[1]

    def suffix(self, sha256: str) -> str:
        """What the file's name ends with, such as `.png`; nothing is copied for it.

        Raises:
            PictureMissing: there is no file, or this is no sha256.
            PicturesUnreachable: object storage does not answer.
        """
        found = self._find(sha256)
        return found.suffix if found else PurePosixPath(self._named(sha256).name).suffix

    def verify(self, sha256: str) -> bool:
        """Do the bytes still have this sha256? Those in object storage, where they are kept there.

        Raises:
            PictureMissing: there are none, or this is no sha256.
            PicturesUnreachable: object storage does not answer.
        """
        try:
            return _intact(self.path(sha256)) if self.bucket is None else bool(self._downloaded(sha256))
        except PictureAltered:
            return False

    def files(self) -> Iterator[Path]:
        """Every finished picture file in the folder, by folder."""
        yield from sorted(self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"))

    @property
    def shared(self) -> bool:
        """Are pictures kept in object storage, which others may use, too?"""
        return self.bucket is not None

    def look(self) -> None:
        """See whether object storage can be asked, before a night is begun that needs it.

        Raises:
            PicturesUnreachable: it cannot.
        """
        if self.bucket is not None:
            self.bucket.look()

    def kept(self) -> Iterator[Kept]:
        """Every picture that is kept: in object storage, where they are kept there.

        Raises:
            PicturesUnreachable: object storage does not answer.
        """
        if self.bucket is not None:
            yield from self.bucket.kept()
            return
        for path in self.files():
            with suppress(FileNotFoundError):  # removed since it was listed
                status = path.stat()
                changed_at = datetime.fromtimestamp(status.st_mtime, UTC)
                yield Kept(str(path.relative_to(self.root)), status.st_size, changed_at)

    def place(self, kept: Kept) -> str:
        """Where it is, for a person."""
        return f"{self.root if self.bucket is None else self.bucket.url}/{kept.name}"

    def bring_back(self, sha256: str) -> bool:
        """Put what object storage lost, or has altered, there again from the copy here; is there a good one?"""
        here = self._here(sha256)
        if self.bucket is None or here is None:
            return False
        there = self._stored(self.bucket, sha256)
        self.bucket.replace(there.name if there else str(here.relative_to(self.root)), here)
        return True

    def leftovers(self) -> Iterator[Path]:
        """Files that were being written; a crash leaves them, and a process at work renames them soon."""
        yield from sorted(self._unfinished.glob("*"))

    def above(self) -> Iterator[Path]:
        """Files in the folders above those of the pictures, where nishiki writes none."""
        for pattern in ("*", "[0-9a-f][0-9a-f]/*"):
            yield from sorted(filter(Path.is_file, self.root.glob(pattern)))

    def _upload(self, bucket: Bucket, name: str, data: bytes) -> None:
        """What lies there already is written again: it may have been altered, and is young then."""
        sha256 = name.partition(".")[0]
        there = self._stored(bucket, sha256)
        if there is None:
            bucket.add(str((self._folder(sha256) / name).relative_to(self.root)), data)
        else:
            bucket.replace(there.name, data)

    def _stored(self, bucket: Bucket, sha256: str) -> Kept | None:
        if not _SHA256.fullmatch(sha256):
            return None
        return next((each for each in bucket.kept(f"{sha256[:2]}/{sha256[2:4]}") if each.sha256 == sha256), None)

    def _downloaded(self, sha256: str) -> tuple[Kept, bytes]:
        kept = self._named(sha256)
        data = self.bucket.read(kept.name) if self.bucket else None
        if data is None:  # removed since it was listed
            raise _missing(sha256)
        return kept, _sound(data, sha256, self.place(kept))

    def _named(self, sha256: str) -> Kept:
        """As object storage has it."""
        found = self._stored(self.bucket, sha256) if self.bucket else None
        if found is None:
            raise _missing(sha256)
        return found

    def _here(self, sha256: str) -> Path | None:
        """The file in the folder; of copies those that are whole."""
        found = self._find(sha256)
        return found if found is None or self.bucket is None or self._is_whole(found) else None

    def _is_whole(self, path: Path) -> bool:
        """A copy that cannot be read is none."""
        with suppress(OSError) if self.bucket else nullcontext():
            return _intact(path)
        return False

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
        with room_for(self.root):
            make_folder(self._unfinished)
            make_folder(path.parent)
            write_whole(path, data, self._unfinished)


def _missing(sha256: str) -> PictureMissing:
    return PictureMissing(
        f"picture {sha256[:80]!r} is not among the kept pictures; `nishiki doctor` tells what else is"
    )


def _sound(data: bytes, sha256: str, place: str) -> bytes:
    """The bytes, if they are those.

    Raises:
        PictureAltered: they are not.
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        raise PictureAltered(f"{place} has other bytes than when it was stored; `nishiki doctor --mend` mends it")
    return data


def _intact(path: Path) -> bool:
    """Are these the bytes that the file is named after?"""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == path.stem
