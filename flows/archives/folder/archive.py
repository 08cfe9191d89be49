"""A folder of pictures as an archive, with or without tables that describe them.

`flows.harvest` opens it; `table.py` reads the tables, `account.py` says what they and the pictures come to. A folder is
listed whole every time: that costs one look at each file, and the catalogue knows what is unchanged. A record's `raw`
holds the row and each file's name and size, its datestamp the newest of the files' times; contents are not hashed here,
so that a night does not read every file. A file that was only touched is read again, and its sha256 in the catalogue
says that the image is the same.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from flows.archives.errors import BadRecord, MalformedAnswer, NotAnArchive, TooLarge
from flows.archives.folder.account import Account, Contents, File, held_for, printable, understand
from flows.archives.folder.listing import Foreign, Kind, kind_of, walk
from flows.archives.folder.manifests import ManifestFile, read_file
from flows.archives.folder.sheets import MAX_BYTES
from flows.archives.folder.table import read_table
from flows.archives.limits import LONGEST_IDENTIFIER, check_identifier
from flows.archives.record import Access, Picture, Record, Remark, Unreadable, Validators, Window
from flows.archives.values.formats import MAGIC_BYTES, looks_like_picture

_UNKNOWN_FORMAT = "is of no picture format that we take; convert it to PNG or TIFF, or remove it"
_NOTHING = Validators()


class FolderArchive:
    """Pictures in a folder and its sub-folders; nothing outside it is ever read.

    Args:
        path: The folder.
        foreign: Whether a path in it is something else's, such as a home's: it is never listed or read.
        name: The archive's name in the catalogue; the folder's own name when None.
        max_bytes: Largest picture file that is read.
        free_undescribed: Whether pictures that no row of a table reaches are the operator's own all the same.
        genres: By which manifests name the genre that we look for.

    Raises:
        NotAnArchive: there is no such folder, or it is foreign itself.
    """

    kind = "folder"
    lists_everything = True
    asks_each = False

    @classmethod
    def open(cls, access: Access) -> Self:
        """The folder at this path.

        Raises:
            NotAnArchive: there is none.
        """
        return cls(
            Path(access.address),
            access.foreign,
            access.name,
            access.manners.max_bytes_picture,
            free_undescribed=access.free_undescribed,
            genres=access.genres,
        )

    def __init__(
        self,
        path: Path,
        foreign: Foreign,
        name: str | None = None,
        max_bytes: int = 256 * 2**20,
        *,
        free_undescribed: bool = False,
        genres: tuple[str, ...] = (),
    ) -> None:
        if not path.is_dir():
            what = "is not a folder" if path.exists() else "does not exist"
            raise NotAnArchive(f"{path} {what}; give a folder with pictures")
        self._root, self._foreign = Path(os.path.realpath(path)), foreign
        if found := [each for each in (self._root, *self._root.parents) if foreign(each)]:
            raise NotAnArchive(
                f"{path} lies in {found[0]}, which nishiki itself writes; give a folder of your pictures"
            )
        self._max_bytes, self._free, self._genres = max_bytes, free_undescribed, genres
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

    def records(self, window: Window) -> Iterator[Record | Unreadable | Remark]:  # noqa: ARG002
        """The tables' rows in their order, manifests, every picture that none of these reaches, and what was remarked.

        Raises:
            MalformedAnswer: a table cannot be read. Its pictures come held back before, since it may forbid what a
                folder otherwise allows.
        """
        seen = self._seen()
        try:
            contents = self._contents(seen)
        except MalformedAnswer as error:
            yield from held_for(str(error), seen.files)
            raise
        account = understand(contents, free=self._free)
        yield from (Unreadable(printable(name)[:LONGEST_IDENTIFIER], why) for name, why in account.broken.items())
        yield from (row.found for row in account.rows)
        yield from account.rest
        yield from account.remarks

    def account(self) -> Account:
        """The folder as the harvest would understand it.

        Raises:
            MalformedAnswer: a table cannot be read.
        """
        return understand(self._contents(self._seen()), free=self._free)

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

    def _seen(self) -> "_Seen":
        """Every file, sorted by its name and its first bytes."""
        seen = _Seen()
        for path in walk(self._root, self._foreign):
            name = path.relative_to(self._root).as_posix()
            kind, found = kind_of(name), self._picture_at(name)
            if kind is Kind.TABLE:
                seen.tables.append(name)
            elif isinstance(found, File):
                seen.files[name] = found
            elif manifests := self._manifests_at(name):
                seen.manifests.append(manifests)
            elif kind is Kind.TABLE_LIKE or self._is_table(name):
                seen.table_like.append(name)
            elif kind is Kind.NOTICE:
                seen.notices.append(name)
            elif kind is not Kind.NOTE:
                seen.broken[name] = found
        return seen

    def _picture_at(self, name: str) -> File | str:
        """A picture's facts, or why it is none that can be taken."""
        try:
            _check_name(name)
            path, facts = self._look(name)
            with path.open("rb") as file:
                start = file.read(MAGIC_BYTES)
        except BadRecord as error:
            return str(error)
        except OSError as error:
            return f"{name} cannot be read ({error.strerror}); check its permissions"
        if looks_like_picture(start):
            return File(name, facts.st_size, _moment(facts.st_mtime))
        return f"{name} {_UNKNOWN_FORMAT if start else 'is empty; copy it again'}"

    def _contents(self, seen: "_Seen") -> Contents:
        """With the tables read.

        Raises:
            MalformedAnswer: one cannot be read, there are two in a folder, or one is of a name that is not read.
        """
        folders = [name.rpartition("/")[0] for name in seen.tables]
        for folder in folders:
            if folders.count(folder) > 1:
                both = " and ".join(name for name in seen.tables if name.rpartition("/")[0] == folder)
                raise MalformedAnswer(f"there is more than one table in one folder ({both}); keep one of them")
        unread = [name for name in seen.table_like if not any(name.startswith(_slash(each)) for each in folders)]
        if unread and seen.files and not self._free:
            raise MalformedAnswer(
                f"{unread[0]} looks like a table that describes these pictures, and only a table of the name "
                "records (.csv, .tsv, .xlsx, .json) is read. Save it so, take it out of the folder, or, where it "
                'restricts nothing, set the archive\'s undescribed_pictures = "free" in nishiki.toml'
            )
        tables = [read_table(name, self._table_bytes(name)) for name in seen.tables]
        return Contents(seen.files, seen.broken, tables, seen.manifests, seen.table_like, seen.notices)

    def _manifests_at(self, name: str) -> ManifestFile | None:
        """The IIIF in a file; None where there is none."""
        if not name.casefold().endswith(".json"):
            return None
        try:
            return read_file(name, self._table_bytes(name), self._genres)
        except MalformedAnswer:
            return None

    def _is_table(self, name: str) -> bool:
        """Does a file of text or JSON list files or records, and say something of them?"""
        if not name.casefold().endswith((".json", ".txt")):
            return False
        try:
            return any(row.tells for row in read_table(name, self._table_bytes(name)).rows)
        except MalformedAnswer:
            return False

    def _table_bytes(self, name: str) -> bytes:
        try:
            path, facts = self._look(name)
            data = path.read_bytes() if facts.st_size <= MAX_BYTES else b""
        except BadRecord as error:
            raise MalformedAnswer(str(error)) from None
        except OSError as error:
            raise MalformedAnswer(f"{name} cannot be read ({error.strerror}); check its permissions") from None
        if facts.st_size > MAX_BYTES:
            raise MalformedAnswer(f"{name} is larger than {MAX_BYTES:,} bytes; divide it by folders")
        return data


@dataclass
class _Seen:
    """The files of a folder by what they are, in natural order."""

    files: dict[str, File] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    manifests: list[ManifestFile] = field(default_factory=list)
    table_like: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def _check_name(name: str) -> None:
    if printable(name) != name:
        raise BadRecord(f"{printable(name)} is not valid UTF-8; rename the file")
    check_identifier(name)


def _slash(folder: str) -> str:
    return f"{folder}/" if folder else ""


def _moment(seconds: float) -> datetime:
    """A file's time, kept within what a datetime holds; damaged disks give absurd ones."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), 2.0**36), UTC)
