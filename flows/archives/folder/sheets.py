"""A table's bytes as lines of (heading, value): comma or tab separated text in any encoding, JSON, or a workbook.

Called by `table.py`. Whatever comes is untrusted: text and unpacked workbooks are bounded, XML entities are refused
(openpyxl reads by defusedxml). Every function raises ValueError or csv.Error where the table cannot be read for sure.
"""

import csv
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from typing import Any

from flows.archives.folder.columns import names_something, understand

MAX_BYTES = 32 * 2**20
"""Of a table, unpacked."""
MAX_ROWS = 200_000
"""A workbook may say that its last row is far away, and would be counted up to it for days."""
MAX_CELLS = 2_000_000
"""Of a workbook, whose rows may say that they are wide and hold nothing."""

_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_NO_NAMES = "it has no column `identifier` or `file` (it has {}); name one so, in the first line"


class Unfit(ValueError):
    """A sound workbook that is not read all the same."""


@dataclass(frozen=True)
class Line:
    """One row as written; `place` tells a person where to look."""

    place: str
    cells: tuple[tuple[str, Any], ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table as written, and how it was read where that is not plain."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


def read_sheet(suffix: str, data: bytes) -> Sheet:
    """The lines of a table.

    Raises:
        ValueError: it cannot be read, is too large, or names neither files nor records.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES:,} bytes; divide it by folders")
    if suffix in (".xlsx", ".xlsm"):
        return _workbook(data)
    text, notes = _decoded(data)
    if suffix == ".json":
        return Sheet(tuple(_objects(text)), notes)
    return _separated(text, "\t" if suffix in (".tsv", ".tab") else ",", notes)


def _decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding), ()
    for encoding, fits in (
        ("iso2022_jp", b"\x1b$" in data),
        ("utf-16-le", b"\0" in data[1:200:2]),
        ("utf-16-be", b"\0" in data[0:200:2]),
        ("utf-8", True),
        # Lead bytes of Shift_JIS that Western encodings do not use for letters, then the kana of EUC.
        ("cp932", re.search(rb"[\x81-\x9f]", data) is not None and not _western(data)),
        ("euc_jp", re.search(rb"[\xa4\xa5][\xa1-\xf6]", data) is not None),
    ):
        try:
            if fits:
                return data.decode(encoding), () if encoding == "utf-8" else (f"it was read as {encoding}",)
        except UnicodeDecodeError:
            continue
    raise ValueError("its encoding is not to be told; save it as UTF-8")


def _western(data: bytes) -> bool:
    """Is every mark that is no ASCII one that ends a Latin word, as the apostrophe of Windows does?"""
    words = re.findall(r"[A-Za-z]?[^\0-\x7f]+", data.decode("cp932", "ignore"))
    return all(len(word) == 2 and word[0].isascii() for word in words)


def _separated(text: str, usual: str, notes: tuple[str, ...]) -> Sheet:
    if declared := re.match(r"sep=(.)\r?\n", text, re.IGNORECASE):
        text, usual = text[declared.end() :], declared[1]
    by_columns = {delimiter: _known_columns(_headings(text, delimiter)) for delimiter in _DELIMITERS}
    delimiter = max((usual, *_DELIMITERS), key=lambda each: by_columns.get(each, 0))
    headings = _headings(text, delimiter)
    if not names_something(headings):
        raise ValueError(_NO_NAMES.format(", ".join(headings)[:200] or "nothing"))
    if delimiter != usual:
        notes = (*notes, f"its columns are separated by {_DELIMITERS[delimiter]}")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = ((f"line {reader.line_num}", row) for row in reader)
    return Sheet(tuple(_lines(rows)), notes)


def _known_columns(headings: Sequence[str]) -> int:
    return sum(bool(column) for column in understand(tuple(headings)).meant) if names_something(headings) else 0


def _headings(text: str, delimiter: str) -> list[str]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return next((row for row in rows if any(cell.strip() for cell in row)), [])
    except csv.Error:
        return []


def _lines(rows: Iterable[tuple[str, Sequence[Any]]]) -> Iterator[Line]:
    """The rows under the first that says anything, which holds the headings; blank rows are no lines."""
    headings: Sequence[str] | None = None
    for count, (place, row) in enumerate(rows):
        if count > MAX_ROWS:
            raise ValueError(f"it has more than {MAX_ROWS:,} rows; divide it by folders")
        if not any(_says(cell) for cell in row):
            continue
        if headings is None:
            headings = [str(cell or "") for cell in row]
            continue
        beyond = [cell for cell in row[len(headings) :] if _says(cell)]
        cells = tuple(zip_longest(headings, row[: len(headings)]))
        yield Line(place, cells, "it has more cells than the header" if beyond else "")


def _says(cell: Any) -> bool:
    return cell is not None and bool(str(cell).strip())


def _objects(text: str) -> Iterator[Line]:
    def pairs(found: list[tuple[str, Any]]) -> "_Pairs":
        return _Pairs(found)

    try:
        rows = json.loads(text, object_pairs_hook=pairs)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if isinstance(rows, _Pairs):  # {"records": […]}, as programs export it
        lists = [value for _, value in rows.plain_pairs() if isinstance(value, list)]
        rows = lists[0] if len(lists) == 1 else None
    if not isinstance(rows, list):
        raise ValueError("it is no list of objects, nor an object that holds just one list")  # noqa: TRY004 - the caller names every unreadable table alike
    for number, row in enumerate(rows, 1):
        place = f"object {number}"
        is_object = isinstance(row, _Pairs)
        yield Line(place, tuple(row.plain_pairs())) if is_object else Line(place, problem="it is no object")


class _Pairs(dict[str, Any]):
    """An object of JSON that remembers a name that stands twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def plain_pairs(self) -> list[tuple[str, Any]]:
        return self._pairs


def _workbook(data: bytes) -> Sheet:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"it is no workbook: {error}") from None
    if size > MAX_BYTES:
        raise ValueError(f"unpacked it is larger than {MAX_BYTES:,} bytes; divide it by folders")
    try:
        sheets = [sheet for sheet in _sheets(data) if any(_says(cell) for row in sheet[1] for cell in row)]
    except Unfit:
        raise
    except Exception as error:  # noqa: BLE001 - openpyxl has no root of its own for what a broken workbook raises
        raise ValueError(f"the workbook is damaged: {' '.join(str(error).split())[:200]}") from None
    tables = [(title, rows) for title, rows in sheets if names_something(_first(rows))]
    if len(tables) != 1:
        names = ", ".join(title for title, _ in tables or sheets) or "none"
        wanted = _NO_NAMES.format(", ".join(_first(sheets[0][1]))[:200]) if len(sheets) == 1 else "keep one sheet"
        raise ValueError(f"{len(tables)} of its sheets name files or records ({names}); {wanted}")
    title, rows = tables[0]
    others = ", ".join(other for other, _ in sheets if other != title)
    lines = _lines((f"row {number}", row) for number, row in enumerate(rows, 1))
    return Sheet(tuple(lines), (f"only its sheet {title} was read, and not {others}",) if others else ())


def _first(rows: Sequence[Sequence[str | None]]) -> list[str]:
    return next(([cell or "" for cell in row] for row in rows if any(_says(cell) for cell in row)), [])


def _sheets(data: bytes) -> list[tuple[str, list[list[str | None]]]]:
    """Each sheet's title and rows as text.

    Raises:
        Unfit: a formula's value is not stored in the file, or there are too many cells.
    """
    from openpyxl import load_workbook  # noqa: PLC0415  (loaded where there is a workbook)

    found, cells = [], 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that are not kept
        values = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        formulas = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        for shown, written in zip(values.worksheets, formulas.worksheets, strict=True):
            shown.reset_dimensions()
            written.reset_dimensions()
            pairs = zip(
                shown.iter_rows(max_row=MAX_ROWS + 2, values_only=True),
                written.iter_rows(max_row=MAX_ROWS + 2, values_only=True),
                strict=True,
            )
            rows = []
            for number, (row, formulas_of_row) in enumerate(pairs, 1):
                cells += len(row)
                if cells > MAX_CELLS:
                    raise Unfit(f"it has more than {MAX_CELLS:,} cells; take away those that are empty")
                rows.append(_texts(shown.title, number, row, formulas_of_row))
            found.append((shown.title, rows))
        values.close()
        formulas.close()
    return found


def _texts(title: str, number: int, values: Sequence[Any], formulas: Sequence[Any]) -> list[str | None]:
    for value, formula in zip(values, formulas, strict=True):
        if value is None and isinstance(formula, str) and formula.startswith("="):
            raise Unfit(f"sheet {title} row {number} has a formula without its value; open the file and save it again")
    texts = [_text(value) for value in values]
    while texts and texts[-1] is None:
        texts.pop()
    return texts


def _text(value: Any) -> str | None:
    """A cell as a person sees it."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return None if value is None else str(value)
