"""What every archive client speaks: Access, Archive, Window, Record, Rights and the pictures of a record.

`flows.harvest` is the only caller; `registry.py` lists the clients. Nothing here knows the catalogue, a picture's
pixels or Prefect.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, Self

from flows.archives.options import AutoOptions, Options

if TYPE_CHECKING:  # it loads what speaks HTTP, and settings load this file
    from flows.archives.web.politeness import Manners


UNDATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Datestamp of what an archive does not date."""


class Derivatives(StrEnum):
    """May a derivative (such as a colorization) be made of a record's pictures?"""

    YES = "yes"
    NO = "no"
    ASK = "ask"
    UNKNOWN = "unknown"
    """Nothing is said, or the archive itself has not determined it."""
    CONTRADICTORY = "contradictory"
    """One statement says both."""


@dataclass(frozen=True)
class Rights:
    """What may be done with a record's pictures, and on what basis."""

    derivatives: Derivatives
    basis: str
    """Why we think so: "operator's own folder", "licence URI in dc:rights", a document and its date."""
    uri: str | None = None
    """Licence or RightsStatements URI in its canonical http form."""
    text: str = ""
    """The archive's own words."""


@dataclass(frozen=True)
class Role:
    """One actor in one role, in the order in which the archive names them; either may be empty."""

    role: str
    actor: str


@dataclass(frozen=True)
class Window:
    """A span of datestamps harvested as one unit: aware UTC, inclusive at both ends, None is open."""

    start: datetime | None = None
    until: datetime | None = None
    read: frozenset[str] = frozenset()
    """Identifiers of records that came before the harvest of this window broke off, of an archive that `asks_each`."""


@dataclass(frozen=True)
class Record:
    """One description as the archive gave it."""

    identifier: str
    datestamp: datetime
    """Aware UTC."""
    rights: Rights
    raw: str
    """The archive's own answer for this record (XML, CSV row as JSON ...), kept whole."""
    title: str = ""
    artists: tuple[str, ...] = ()
    cast: tuple[Role, ...] = ()
    date_text: str = ""
    """The date as written."""
    year_from: int | None = None
    year_to: int | None = None
    genre: str | None = None
    holder: str = ""
    credit_line: str = ""
    landing_url: str | None = None
    pictures: tuple[str, ...] = ()
    """References that `Archive.picture` understands: absolute URLs, or paths inside a folder."""
    deleted: bool = False
    authorities: tuple[tuple[str, str], ...] = ()
    """(name, address) of artists and actors in authority files, as `values.authorities` writes them."""
    remarks: tuple[str, ...] = ()
    """What of it was odd, for the report; no part of what it says."""


@dataclass(frozen=True)
class Unreadable:
    """Something in the archive's answer that is no usable record; reported, never fatal."""

    identifier: str
    reason: str
    breaks_list: bool = False
    """Something of the list is missing: what it does not name may be there all the same."""
    raw: bytes | None = field(default=None, repr=False)
    """As it came, where that was had."""

    @property
    def is_list(self) -> bool:
        """It is the list that lacks something, and no record of it."""
        return self.breaks_list and self.raw is None


@dataclass(frozen=True)
class Remark:
    """Something that a person should know, and that keeps no record from being used."""

    subject: str
    """A record, a file, or a place in a table."""
    text: str


@dataclass(frozen=True)
class Validators:
    """What the last answer for a picture said of its version, verbatim; sent back on the next request."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class Picture:
    """A picture's bytes as they came, and whence."""

    data: bytes = field(repr=False)
    url: str
    """The final URL after redirects, or the file's path."""
    validators: Validators = Validators()
    stated_px: tuple[int, int] | None = None
    """Width and height that were asked for, where the archive states them."""
    sha256: str | None = None
    """Of the bytes as they came over the wire."""


@dataclass(frozen=True)
class Access:
    """What a client is opened with."""

    name: str
    """The archive's name in the catalogue."""
    address: str = field(repr=False)
    """A folder's path or a base URL, as the operator gave it; it may hold a password."""
    manners: "Manners"
    foreign: Callable[[Path], bool] = lambda _: False
    """Whether a path in a folder is something else's, such as a home's: it is never listed or read."""
    genres: tuple[str, ...] = ()
    """The values by which the archive names the genre that we look for; none where all is taken."""
    free_undescribed: bool = False
    """Where a table describes a folder: are the pictures that no row of it names the operator's own all the same?"""
    options: Options = field(default_factory=AutoOptions)
    """The protocol's own."""


class Archive(Protocol):
    """An institution's collection that we read from.

    Every method may raise ArchiveError; only ArchiveUnavailable is worth another try.
    """

    name: str
    kind: str
    """The protocol's name in the registry."""
    address: str
    """Where it lies: a folder's path or a base URL, fit to be shown."""
    lists_everything: bool
    """Every window names every record, so that what it names no more is gone."""
    asks_each: bool
    """Every record takes a request of its own, and what a window has read is not asked for again."""

    @classmethod
    def open(cls, access: Access) -> Self:
        """A client of its own; nothing is asked yet.

        Raises:
            NotAnArchive: there is no such folder.
        """

    def check(self) -> None:
        """Ask once whether the address speaks this protocol; what was answered is kept for later.

        Raises:
            NotAnArchive, MalformedAnswer: it does not.
        """

    def names_deleted(self) -> bool:
        """Does it keep naming what it deleted? Where it does not, only a list of everything tells."""

    def windows(self, since: datetime | None) -> Iterator[Window]:
        """Spans to harvest, oldest first; `since` is the end of the last finished window (aware UTC)."""

    def records(self, window: Window) -> Iterator[Record | Unreadable | Remark]:
        """Every record of the window, deleted ones too."""

    def picture(self, reference: str, known: Validators = Validators()) -> Picture | None:
        """The bytes behind a reference of `Record.pictures`; None: unchanged since `known`.

        Raises:
            BadRecord: this picture cannot be had (gone, not a picture, too large).
        """

    def close(self) -> None:
        """Release connections."""
