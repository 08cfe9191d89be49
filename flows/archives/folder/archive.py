"""A folder of pictures as an archive, with or without a table that describes them.

`flows.harvest` opens it; `table.py` reads `records.csv` or `records.json`. A folder is listed whole every
time: that costs one look at each file, and the catalogue knows what is unchanged. A record's `raw` holds
the row and each file's name and size, its datestamp the newest of the files' times; contents are not
hashed here, so that a night does not read every file. A file that was only touched is read again, and its
sha256 in the catalogue says that the image is the same.
"""

import json
import os
import posixpath
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Self

from flows.archives.errors import BadRecord, NotAnArchive, TooLarge
from flows.archives.folder.listing import Foreign, walk
from flows.archives.folder.table import OWN_FOLDER, TABLES, Row, describe, read_table
from flows.archives.limits import LONGEST_IDENTIFIER, check_identifier, within_limits
from flows.archives.record import Access, Picture, Record, Unreadable, Validators, Window
from flows.archives.values.formats import MAGIC_BYTES, looks_like_picture

_UNKNOWN_FORMAT = "is of no picture format that we take; convert it to PNG or TIFF, or remove it"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = Validators()


@dataclass(frozen=True)
class _File:
    """A picture file that was found; `path` is inside the folder, with `/`."""

    path: str
    size: int
    modified: datetime


class FolderArchive:
    """Pictures in a folder and its sub-folders; nothing outside it is ever read.

    Args:
        path: The folder.
        foreign: Whether a path in it is something else's, such as a home's: it is never listed or read.
        name: The archive's name in the catalogue; the folder's own name when None.
        max_bytes: Largest picture file that is read.

    Raises:
        NotAnArchive: there is no such folder, or it is foreign itself.
    """

    kind = "folder"
    lists_everything = True

    @classmethod
    def open(cls, access: Access) -> Self:
        """The folder at this path.

        Raises:
            NotAnArchive: there is none.
        """
        return cls(Path(access.address), access.foreign, access.name, access.manners.max_bytes_picture)

    def __init__(self, path: Path, foreign: Foreign, name: str | None = None, max_bytes: int = 256 * 2**20) -> None:
        if not path.is_dir():
            what = "is not a folder" if path.exists() else "does not exist"
            raise NotAnArchive(f"{path} {what}; give a folder with pictures")
        self._root, self._foreign = Path(os.path.realpath(path)), foreign
        if found := [each for each in (self._root, *self._root.parents) if foreign(each)]:
            raise NotAnArchive(
                f"{path} lies in {found[0]}, which nishiki itself writes; give a folder of your pictures"
            )
        self._max_bytes = max_bytes
        self.name = name or self._root.name
        self.address = str(self._root)

    def close(self) -> None:
        """Nothing is held open."""

    def check(self) -> None:
        """A folder that could be opened is one."""

    def names_deleted(self) -> bool:
        """It never does, and need not: it lists everything."""
        return False

    def windows(self, since: datetime | None) -> Iterator[Window]:
        """One window up to now; the whole folder is listed in it."""
        yield Window(since, datetime.now(UTC))

    def records(self, window: Window) -> Iterator[Record | Unreadable]:  # noqa: ARG002
        """The table's rows in their order, then every picture that no row names.

        Raises:
            MalformedAnswer: the table as a whole is unreadable. Its pictures are not listed without it,
                since it may forbid what a folder otherwise allows.
        """
        rows = read_table(self._root)
        files: dict[str, _File] = {}
        for found in self._files():
            if isinstance(found, Unreadable):
                yield found
            else:
                files[_key(found.path)] = found
        taken: set[str] = set()
        for row in rows:
            yield _described(row, files, taken)
        named = {_key(path) for row in rows for path in row.files}
        yield from _undescribed([file for key, file in files.items() if key not in named], taken)

    def picture(self, reference: str, known: Validators = _NOTHING) -> Picture | None:
        """Reads a picture file; unchanged means the same size and time of change."""
        path, facts = self._look(reference)
        if facts.st_size > self._max_bytes:
            raise TooLarge(f"{reference} is larger than {self._max_bytes:,} bytes; raise the limit if it should be")
        etag = f'"{facts.st_size}-{facts.st_mtime_ns}"'
        if etag == known.etag:
            return None
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadRecord(f"{reference} cannot be read ({error.strerror}); check the file") from None
        if not looks_like_picture(data):
            raise BadRecord(f"{reference} {_UNKNOWN_FORMAT}")
        return Picture(data, str(path), Validators(etag))

    def _look(self, reference: str) -> tuple[Path, os.stat_result]:
        """A regular file inside the folder, links followed.

        Raises:
            BadRecord: it is none, or it lies outside.
        """
        try:
            path = Path(os.path.realpath(self._root / reference))
            if not path.is_relative_to(self._root):
                raise BadRecord(f"{reference} leads outside the folder; move the picture into it")
            if any(self._foreign(each) for each in (path, *path.parents)):
                raise BadRecord(f"{reference} leads into a home of nishiki; give a picture of your own")
            facts = path.stat()
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
            reason = getattr(error, "strerror", "no file name")
            raise BadRecord(f"{reference} cannot be read ({reason}); check the name and the file") from None
        if not stat.S_ISREG(facts.st_mode):
            raise BadRecord(f"{reference} is no plain file, or a folder that cannot be listed; check it")
        return path, facts

    def _files(self) -> Iterator[_File | Unreadable]:
        """Every file but hidden ones, litter and the table, in natural order."""
        for path in walk(self._root, self._foreign):
            name = path.relative_to(self._root).as_posix()
            if name in TABLES:
                continue
            try:
                yield self._file(name)
            except BadRecord as error:
                yield Unreadable(_printable(name)[:LONGEST_IDENTIFIER], str(error))

    def _file(self, name: str) -> _File:
        if _printable(name) != name:
            raise BadRecord(f"{_printable(name)} is not valid UTF-8; rename the file")
        check_identifier(name)
        path, facts = self._look(name)
        try:
            with path.open("rb") as file:
                start = file.read(MAGIC_BYTES)
        except OSError as error:
            raise BadRecord(f"{name} cannot be read ({error.strerror}); check its permissions") from None
        if not looks_like_picture(start):
            raise BadRecord(f"{name} {_UNKNOWN_FORMAT if start else 'is empty; copy it again'}")
        return _File(name, facts.st_size, _moment(facts.st_mtime))


def _described(row: Row, files: Mapping[str, _File], taken: set[str]) -> Record | Unreadable:
    identifier = row["identifier"] or next((_stem(path) for path in row.files), "")
    try:
        record = _record(row, identifier, files, taken)
    except BadRecord as error:
        return Unreadable(_printable(identifier)[:LONGEST_IDENTIFIER] or row.place, f"{row.place}: {error}")
    taken.add(identifier)
    return record


def _record(row: Row, identifier: str, files: Mapping[str, _File], taken: set[str]) -> Record:
    if row.problem:
        raise BadRecord(row.problem)
    if not identifier:
        raise BadRecord("it has neither an identifier nor a file")
    if identifier in taken:
        raise BadRecord(f"it repeats the identifier {identifier}; give each record its own")
    if missing := [path for path in row.files if _key(path) not in files]:
        raise BadRecord(f"there is no picture {', '.join(missing)}; check the name")
    found = [files[_key(path)] for path in row.files]
    newest = max((file.modified for file in found), default=_EPOCH)
    record = describe(row, identifier, newest, _raw(found, row.kept), tuple(file.path for file in found))
    return within_limits(record)


def _undescribed(files: Sequence[_File], taken: set[str]) -> Iterator[Record | Unreadable]:
    """Each picture as a record of its own, named by its path, with the suffix only where that is needed."""
    stems = Counter(_stem(file.path) for file in files)
    for file in files:
        stem = _stem(file.path)
        identifier = stem if stems[stem] == 1 and stem not in taken else file.path
        if identifier in taken:
            yield Unreadable(identifier, "a row of the table uses this file's name as its identifier; change it")
            continue
        taken.add(identifier)
        yield Record(identifier, file.modified, OWN_FOLDER, _raw([file], {}), pictures=(file.path,))


def _key(path: str) -> str:
    """Under which a table's spelling of a name finds the file: disks differ in how they compose letters."""
    return unicodedata.normalize("NFC", PurePosixPath(path).as_posix())


def _stem(path: str) -> str:
    return posixpath.splitext(path)[0]


def _raw(files: Sequence[_File], row: Mapping[str, Any]) -> str:
    facts = [{"name": file.path, "size": file.size} for file in files]
    return json.dumps({"row": row, "files": facts}, ensure_ascii=False, sort_keys=True)


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _moment(seconds: float) -> datetime:
    """A file's time, kept within what a datetime holds; damaged disks give absurd ones."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), 2.0**36), UTC)
