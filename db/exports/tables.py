"""Rows as CSV for spreadsheets, as JSON, and as Parquet; streamed, so that any number fits.

Values are what JSON knows, and times. A spreadsheet computes nothing of what strangers wrote.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO, Final, TextIO
from unicodedata import category, normalize

from db.entries.measured import FIGURES

Row = Mapping[str, Any]
_BATCH: Final = 5000
"""Rows that a Parquet file takes at once."""
_SPLITTING = ("\t", "\r", "\n")
_FORMULA = ("=", "+", "-", "@")
"""A spreadsheet computes a cell that begins so, in wide letters too, and the cell's text comes from strangers."""


def write_json(rows: Iterable[Row], stream: TextIO) -> int:
    """Write a JSON array, a row on each line; how many."""
    count = 0
    stream.write("[")
    for count, row in enumerate(rows, start=1):
        stream.write("\n" if count == 1 else ",\n")
        stream.write(json.dumps(row, ensure_ascii=False, default=datetime.isoformat))
    stream.write("\n]\n")
    return count


def write_csv(rows: Iterable[Row], stream: TextIO, columns: Sequence[str] = ()) -> int:
    """Write CSV with a header; how many rows. Open the stream with `newline=""`.

    Args:
        rows: all with the same names.
        stream: where they go.
        columns: their names, where there may be no row.
    """
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC)  # no semicolon of a text divides it anywhere
    if columns:
        writer.writerow(columns)
    count = 0
    for count, row in enumerate(rows, start=1):
        if count == 1 and not columns:
            writer.writerow(row)
        writer.writerow([cell(value) for value in row.values()])
    return count


def write_parquet(rows: Iterable[Row], file: BinaryIO, types: Mapping[str, Any] | None = None) -> int:
    """Write a Parquet file; how many rows.

    Args:
        rows: all with the same names.
        file: where they go.
        types: name → a type of Python's, as annotations write it; left out, what the first rows show.

    Raises:
        ModuleNotFoundError: pyarrow is not installed.
    """
    from pyarrow import Table, schema  # noqa: PLC0415  # an extra, which loads numpy
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415

    given, count = iter(rows), 0
    known = schema(_arrow_types(types)) if types else None
    first = Table.from_pylist(list(islice(given, _BATCH)), schema=known)
    with ParquetWriter(file, first.schema) as writer:
        while first.num_rows:
            writer.write_table(first)
            count += first.num_rows
            first = Table.from_pylist(list(islice(given, _BATCH)), schema=first.schema)
    return count


def _arrow_types(types: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa  # noqa: PLC0415  # as above

    people = pa.list_(pa.struct([("role", pa.string()), ("actor", pa.string())]))
    known = {
        int: pa.int64(), float: pa.float64(), bool: pa.bool_(), datetime: pa.timestamp("us", "UTC"),
        tuple[str, ...]: pa.list_(pa.string()), tuple[dict[str, str], ...]: people,
    }  # fmt: skip
    for name, kind in types.items():
        alone = [each for each in (getattr(kind, "__args__", None) or (kind,)) if each is not type(None)]
        whole = kind if kind in known else alone[0]
        yield name, known.get(whole, pa.string())


def cell(value: Any) -> Any:
    """A value as a spreadsheet takes it: nothing is computed, nothing is split."""
    match value:
        case str():
            return f"'{value}" if _is_computed(value) else value
        case datetime():
            return value.isoformat()
        case Mapping():
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return cell("; ".join(_listed(value)))
    return value


def _is_computed(text: str) -> bool:
    """Would a spreadsheet take it for a formula? It may leave out what it does not show before the first letter."""
    first = next((letter for letter in text if category(letter)[0] not in "ZC"), "")
    return normalize("NFKC", first).startswith(_FORMULA) or text.startswith(_SPLITTING)


def _listed(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        match value:
            case {"role": role, "actor": actor}:
                yield " as ".join(filter(None, (actor, role)))
            case {"encoder": encoder, "encoder_checksum": checksum, **figures}:
                errors = ", ".join(f"{name} {figures[name]}" for name in FIGURES)
                yield f"{encoder} ({checksum}): {errors}"
            case {"archive": archive, "identifier": identifier, "sha256": sha256}:
                yield f"{identifier} ({archive}, {sha256})"
            case {"role": role, "name": name, "checksum": checksum}:
                yield f"{role} {name} ({checksum})"
            case _:
                yield str(value)
