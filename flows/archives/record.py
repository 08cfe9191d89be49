"""What every archive client speaks: Archive, Window, Record, Rights and the pictures of a record.

`flows.harvest` is the only caller. Nothing here knows the catalogue, a picture's pixels or Prefect.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Derivatives(StrEnum):
    """May a derivative (such as a colorization) be made of a record's pictures?"""

    YES = "yes"
    NO = "no"
    ASK = "ask"
    UNKNOWN = "unknown"


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


@dataclass(frozen=True)
class Unreadable:
    """Something in the archive's answer that is no usable record; reported, never fatal."""

    identifier: str
    reason: str


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


class Archive(Protocol):
    """An institution's collection that we read from.

    Every method may raise ArchiveError; only ArchiveUnavailable is worth another try.
    """

    name: str
    kind: str
    """`folder` or `oai-pmh`."""
    address: str
    """Where it lies: a folder's path or a base URL."""

    def windows(self, since: datetime | None) -> Iterator[Window]:
        """Spans to harvest, oldest first; `since` is the end of the last finished window (aware UTC)."""

    def records(self, window: Window) -> Iterator[Record | Unreadable]:
        """Every record of the window, deleted ones too."""

    def picture(self, reference: str, known: Validators = Validators()) -> Picture | None:
        """The bytes behind a reference of `Record.pictures`; None: unchanged since `known`.

        Raises:
            BadRecord: this picture cannot be had (gone, not a picture, too large).
        """

    def close(self) -> None:
        """Release connections."""
