"""The table that may describe a folder's pictures: `records.csv` or `records.json`. Called by `folder.py`.

Columns, all optional but that a row needs an identifier or a file: identifier, file(s), title, artist(s),
actor(s), role(s) or cast ("role/actor; role/actor"), date, year_from, year_to, genre, holder, credit, url,
rights (a licence's address, or words), derivatives (yes, no, ask, unknown; the strictest of both holds).
Lists are `;`-separated. Other columns are kept
in `Record.raw`. A row that cannot be used still names its pictures, so that none of them is taken for a
picture that nobody restricts.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from flows.archives.errors import BadRecord, MalformedAnswer
from flows.archives.record import Derivatives, Record, Rights, Role
from flows.archives.values.dates import years
from flows.archives.values.formats import items, read_role
from flows.archives.values.rights import Statement, decide

TABLES = ("records.csv", "records.json")
YEARS = range(1, 2200)
OWN_FOLDER = Rights(Derivatives.YES, "operator's own folder")

_PLURALS = {"files": "file", "artists": "artist", "actors": "actor", "roles": "role"}


@dataclass(frozen=True)
class Row:
    """One row as read; `place` tells a person where to look."""

    place: str
    cells: Mapping[str, str] = field(default_factory=dict)
    """By column, lower case and singular."""
    kept: Mapping[str, Any] = field(default_factory=dict)
    """The row as written, for `Record.raw`."""
    problem: str = ""

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "").strip()

    @property
    def files(self) -> tuple[str, ...]:
        """Paths inside the folder, with `/` whatever the table's writer used."""
        return tuple(path.replace("\\", "/").removeprefix("./") for path in items(self["file"]))


def read_table(folder: Path) -> list[Row]:
    """Every row of the folder's table, unusable ones too; empty where there is no table.

    Raises:
        MalformedAnswer: the table as a whole cannot be read.
    """
    tables = [folder / name for name in TABLES if (folder / name).is_file()]
    if len(tables) > 1:
        raise MalformedAnswer(f"{folder} holds both {' and '.join(TABLES)}; keep one of them")
    return [row for table in tables for row in _rows(table)]


def _rows(table: Path) -> list[Row]:
    try:
        text = table.read_text("utf-8-sig")
        return list(_csv_rows(table.name, text) if table.suffix == ".csv" else _json_rows(table.name, text))
    except UnicodeDecodeError:
        raise MalformedAnswer(f"{table} is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise MalformedAnswer(f"{table} cannot be read ({error.strerror}); check its permissions") from None
    except (csv.Error, ValueError, RecursionError) as error:
        raise MalformedAnswer(f"{table} cannot be read ({error}); correct it or take it away") from None


def _csv_rows(name: str, text: str) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    columns = [_column(column) for column in reader.fieldnames or ()]
    if not {"identifier", "file"} & set(columns):
        raise ValueError("it has no column `identifier` or `file`; the comma separates columns")
    for kept in reader:
        # DictReader puts cells beyond the header under None, and None into cells that are missing.
        surplus = kept.pop(None, None)
        row = _row(f"{name} line {reader.line_num}", kept)
        yield Row(row.place, row.cells, row.kept, "it has more cells than the header") if surplus else row


def _json_rows(name: str, text: str) -> Iterator[Row]:
    rows = json.loads(text)
    if not isinstance(rows, list):
        raise ValueError("it is no list of objects")  # noqa: TRY004 - the caller names every unreadable table alike
    for number, kept in enumerate(rows, 1):
        place = f"{name} object {number}"
        yield _row(place, kept) if isinstance(kept, dict) else Row(place, problem="it is no object")


def _row(place: str, kept: Mapping[str, Any]) -> Row:
    cells: dict[str, str] = {}
    for name, value in kept.items():
        column = _column(name)
        cells[column] = "; ".join(part for part in (cells.get(column, ""), _text(value)) if part)
    whole = "".join(cells.values())
    # Neither half a surrogate pair nor a zero byte can be stored as text.
    storable = "\0" not in whole and not re.search("[\ud800-\udfff]", whole)
    return Row(place, cells, kept, "" if storable else "it holds characters that are no text")


def _column(name: str) -> str:
    plain = name.strip().casefold()
    return _PLURALS.get(plain, plain)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(_text(part) for part in value)
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
        _rights(row),
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
    )


def _cast(row: Row) -> tuple[Role, ...]:
    if row["cast"]:
        return tuple(read_role(part) for part in items(row["cast"]))
    # Blanks count here: the second role belongs to the second actor.
    pairs = zip_longest(row["role"].split(";"), row["actor"].split(";"), fillvalue="")
    return tuple(Role(role.strip(), actor.strip()) for role, actor in pairs if role.strip() or actor.strip())


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


def _rights(row: Row) -> Rights:
    """What the row says, before what holds for the folder as a whole."""
    table = row.place.partition(" ")[0]
    said = [
        Statement(row["rights"], f"column rights of {table}"),
        Statement(row["derivatives"], f"column derivatives of {table}", is_answer=True),
    ]
    return decide(said) if any(each.text for each in said) else OWN_FOLDER
