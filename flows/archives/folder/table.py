"""The table that may describe a folder's pictures, row by row. Called by `archive.py` and `account.py`.

`records.csv`, `.tsv`, `.txt`, `.xlsx` or `.json`, in any capitals, one in a folder; it speaks for the folder and those
below. Columns, all optional but that a row needs an identifier or a file: identifier, file(s), title, artist(s),
actor(s), role(s) or cast ("role/actor; role/actor"), artist and actor authorities, date, year_from, year_to, genre,
holder, credit, url, rights, derivatives, and their names in `columns.py`. Other columns are kept in `Record.raw`.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Any

from flows.archives.errors import BadRecord, MalformedAnswer
from flows.archives.folder.columns import AUTHORITIES, RIGHTS, bare, plain, understand
from flows.archives.folder.sheets import Line, read_sheet
from flows.archives.record import Derivatives, Record, Rights, Role
from flows.archives.values.authorities import authority
from flows.archives.values.dates import years
from flows.archives.values.formats import items, places, read_role
from flows.archives.values.rights import STRICTEST_FIRST, Statement, decide

YEARS = range(1, 2200)
OWN_FOLDER = Rights(Derivatives.YES, "operator's own folder")

_SPEAKS_OF_RIGHTS = re.compile(
    r"creativecommons\.org|rightsstatements\.org|rights reserved|in copyright|copyrighted|no derivative"
    r"|not be (?:altered|modified|reproduced)|転載|改変|無断|著作権|複製禁止",
    re.IGNORECASE,
)
"""In whatever column: a statement all the same."""


@dataclass(frozen=True)
class Row:
    """One row as read; `place` tells a person where to look."""

    place: str
    cells: Mapping[str, str] = field(default_factory=dict)
    """By column."""
    files: tuple[str, ...] = ()
    """The cells of columns that name files, as written."""
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The cells of columns that name people's addresses, by column."""
    said: tuple[Statement, ...] = ()
    kept: Mapping[str, Any] = field(default_factory=dict)
    """The row as written, for `Record.raw`."""
    contradiction: str = ""
    """A column that stands twice, and says different things."""
    problem: str = ""

    @property
    def tells(self) -> bool:
        """Does it name a file or a record, and say something of it?"""
        return bool(self.files or self["identifier"]) and len(self.cells) + len(self.files) + len(self.said) > 1

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "").strip()


@dataclass(frozen=True)
class Table:
    """A table, and the folder that it speaks for: with its `/`, or empty for the whole archive."""

    path: str
    rows: tuple[Row, ...]
    unknown: tuple[str, ...] = ()
    """Headings of columns that are not used."""
    notes: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Of its files."""
        return self.path[: self.path.rfind("/") + 1]


def read_table(path: str, data: bytes) -> Table:
    """Every row of a table, unusable ones too.

    Raises:
        MalformedAnswer: the table as a whole cannot be read.
    """
    try:
        sheet = read_sheet(PurePosixPath(path.casefold()).suffix, data)
    except (csv.Error, ValueError) as error:
        raise MalformedAnswer(f"{path} cannot be read: {error}. Correct it, or take it out of the folder") from None
    headings = dict.fromkeys(tuple(heading for heading, _ in line.cells) for line in sheet.lines)
    unknown = dict.fromkeys(name for each in headings for name in understand(each).unknown)
    return Table(path, tuple(_row(path, line) for line in sheet.lines), tuple(unknown), sheet.notes)


def _row(path: str, line: Line) -> Row:
    place = f"{path} {line.place}".strip()
    cells: dict[str, list[str]] = {}
    said_by: dict[tuple[str, str], dict[str, str]] = {}
    written: dict[str, str] = {}
    said: list[Statement] = []
    kept: dict[str, Any] = {}
    contradiction = ""
    meant = understand(tuple(heading for heading, _ in line.cells)).meant
    for (heading, value), column in zip(line.cells, meant, strict=True):
        kept[heading if heading not in kept else f"{heading} ({len(kept)})"] = value
        text = _text(value, "\n" if column == "file" else "; ").strip()
        if not text:
            continue
        cells.setdefault(column, []).append(text)
        said_by.setdefault((bare(heading), column), {})[plain(text)] = text
        written[bare(heading)] = heading.strip()
        if column in RIGHTS or (column not in ("file", "identifier") and _SPEAKS_OF_RIGHTS.search(text)):
            said.append(Statement(text, f"column {heading.strip()} of {path}", is_answer=column == "derivatives"))
    for (heading, column), texts in said_by.items():
        if column and column not in ("file", *AUTHORITIES) and len(texts) > 1:
            contradiction = f"column {written[heading]} stands twice and says {' and '.join(texts.values())}"
    files = tuple(cells.pop("file", ()))
    first = {column: texts[0] for column, texts in cells.items() if column}
    addresses = {column: tuple(cells[column]) for column in AUTHORITIES if column in cells}
    return Row(place, first, files, addresses, tuple(said), kept, contradiction, line.problem or _unstorable(line))


def _unstorable(line: Line) -> str:
    """Neither half a surrogate pair nor a zero byte can be stored as text."""
    whole = "".join(_text(value, "") for _, value in line.cells)
    return "it holds characters that are no text" if re.search("[\0\ud800-\udfff]", whole) else ""


def _text(value: Any, between: str) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return between.join(_text(part, between) for part in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def describe(row: Row, identifier: str, datestamp: datetime, raw: str, pictures: tuple[str, ...]) -> Record:
    """The record that a row describes.

    Raises:
        BadRecord: a cell cannot be used.
    """
    year_from, year_to = _years(row)
    holder = row["holder"]
    url = row["url"]
    if url and not re.match(r"https?://\S+$", url):
        raise BadRecord(f"url {url!r} is no http or https address")
    return Record(
        identifier,
        datestamp,
        rights_of(row),
        raw,
        title=row["title"],
        artists=items(row["artist"]),
        cast=_cast(row),
        date_text=row["date"],
        year_from=year_from,
        year_to=year_to,
        genre=row["genre"] or None,
        holder=holder,
        credit_line=row["credit"] or (f"{holder}, {identifier}" if holder else ""),
        landing_url=url or None,
        pictures=pictures,
        authorities=tuple(dict.fromkeys(_authorities(row))),
    )


def _authorities(row: Row) -> Iterator[tuple[str, str]]:
    """(name, address) by position; a cell with more places than there are names says of nobody for certain."""
    actors = places(row["actor"]) if row["actor"] else [read_role(part).actor for part in places(row["cast"])]
    named = {"artist_authority": places(row["artist"]), "actor_authority": actors}
    people = {*items(row["artist"]), *(role.actor for role in _cast(row))} - {""}
    for column, names in named.items():
        for cell in row.addresses.get(column, ()):
            said = places(cell.rstrip(";； "))
            pairs = zip(names, map(authority, said), strict=False) if len(said) <= len(names) else ()
            yield from ((name, address) for name, address in pairs if name in people and address)


def addresses_left(row: Row) -> int:
    """How many of a row's addresses of people are not used."""
    return sum(len(items(cell)) for cells in row.addresses.values() for cell in cells) - len([*_authorities(row)])


def _cast(row: Row) -> tuple[Role, ...]:
    if row["cast"]:
        return tuple(read_role(part) for part in items(row["cast"]))
    # Blanks count here: the second role belongs to the second actor.
    pairs = zip_longest(places(row["role"]), places(row["actor"]), fillvalue="")
    return tuple(Role(role, actor) for role, actor in pairs if role or actor)


def _years(row: Row) -> tuple[int | None, int | None]:
    read_from, read_to = years(row["date"])
    year_from = _year(row, "year_from") or read_from
    year_to = _year(row, "year_to") or (read_to if not row["year_from"] else year_from)
    if year_from and year_to and year_from > year_to:
        raise BadRecord(f"year_from {year_from} is after year_to {year_to}")
    return year_from, year_to


def _year(row: Row, column: str) -> int | None:
    text = row[column]
    if not text:
        return None
    if not re.fullmatch(r"\d{1,4}", text) or int(text) not in YEARS:
        raise BadRecord(f"{column} {text!r} is no year")
    return int(text)


def rights_of(row: Row) -> Rights:
    """What the row says, before what holds for the folder as a whole: of several statements the strictest."""
    if row.contradiction:
        text = "\n".join(said.text for said in row.said)
        return Rights(Derivatives.CONTRADICTORY, f"{row.place}: {row.contradiction}", text=text)
    return decide(row.said) if row.said else OWN_FOLDER


def rights_in(kept: Mapping[str, Any], place: str) -> Rights:
    """What a record's `raw` says: its row as written, and what other rows say of the same pictures."""
    rights = rights_of(_row(place, Line("", tuple(kept["row"].items()))))
    word, basis = kept.get("also", ("yes", ""))
    return strictest([rights, Rights(Derivatives(word), basis)])


def strictest(judged: Sequence[Rights]) -> Rights:
    """The first of the strictest."""
    return min(judged, key=lambda rights: STRICTEST_FIRST.index(rights.derivatives))
