"""`nishiki query`: what the queue's filters leave, or what it comes to, as a table or a file. Thin, and never Prefect.

`flows.cli.app` takes it in.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints
from unicodedata import east_asian_width

import typer

from flows.cli.console import Home, read_settings, refuse, say
from flows.cli.filters import filter_of

if TYPE_CHECKING:
    from db.catalogue import Catalogue
    from db.entries.review import QueueFilter

query_app = typer.Typer()
SHOWN = 50
"""Rows of a table on the terminal, unless it is told otherwise."""
AT_ONCE = 500
"""Entries read in one go."""
BRIEF = ("entry", "archive", "identifier", "title", "recipe", "trust", "verdict", "curator")
"""Columns of an entry on the terminal; a file has all."""
MOST_LETTERS = 40
"""Of a value in a table."""
Form = Literal["table", "csv", "json", "parquet"]
Subjects = Literal["recipe", "night", "archive", "artist"]
Row = dict[str, Any]


@query_app.command()
def query(
    which: Annotated[
        str, typer.Argument(metavar="[FILTER]", help="What follows the ? in the queue's address [what waits].")
    ] = "",
    home: Home = None,
    by: Annotated[
        Subjects | None, typer.Option(help="Not entries, but what all results come to, by each of these.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="table, csv, json or parquet.")] = "table",
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there; Parquet goes nowhere else.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help=f"Rows at most [a table: {SHOWN}, a file: all].")] = None,
) -> None:
    """Tell the entries that a filter of the queue leaves, or statistics, as a table, CSV, JSON or Parquet.

    The same as the page's API answers: 'queue=all&verdict=approved&artist=豊国〈3〉' and whatever else the address of a
    view says.
    """
    if by and which:
        refuse("--by counts all results; leave out the filter")
    if form == "parquet" and to is None:
        refuse("a Parquet file is no text; say where it is to lie: --to FILE")
    from db.catalogue import CatalogueDatabase

    wanted = filter_of(which).wanted()
    with CatalogueDatabase.open(read_settings(home=home), create=False) as catalogue:
        rows = _groups(catalogue, by) if by else _entries(catalogue, wanted)
        if form == "table":
            _write_table(rows, () if by else BRIEF, limit or SHOWN, to)
        else:
            _write(islice(rows, limit), form, to, {} if by else _types())


def _entries(catalogue: "Catalogue", wanted: "QueueFilter") -> Iterator[Row]:
    """Every entry, in the queue's order."""
    from db.exports.lines import line
    from db.queries.review.queue import PageOf

    page = catalogue.queue(wanted, PageOf(limit=AT_ONCE))
    while page.entries:
        yield from (asdict(line(each)) for each in page.entries)
        if not page.later:
            return
        page = catalogue.queue(wanted, PageOf(page.entries[-1].place, limit=AT_ONCE))


def _groups(catalogue: "Catalogue", by: Subjects) -> Iterator[Row]:
    from db.entries.statistics import Subject
    from db.exports.statistics import group_row

    found = catalogue.statistics(Subject(by))
    return (group_row(found, group) for group in found.groups)


def _types() -> Mapping[str, Any]:
    from db.exports.lines import Line

    return get_type_hints(Line)


def _write(rows: Iterable[Row], form: Form, to: Path | None, types: Mapping[str, Any]) -> None:
    from io import TextIOWrapper

    from db.exports.tables import write_csv, write_json, write_parquet
    from db.files.atomic import room_for, writing_whole

    if to is None:
        write_csv(rows, sys.stdout, tuple(types)) if form == "csv" else write_json(rows, sys.stdout)
        return
    if to.is_dir() or not to.parent.is_dir():
        refuse(f"{to} cannot be a file; give one in a folder that is there")
    with room_for(to.parent), writing_whole(to) as file:
        if form == "parquet":
            count = write_parquet(rows, file, types)
        else:
            text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            count = write_csv(rows, text, tuple(types)) if form == "csv" else write_json(rows, text)
            text.detach()
    say([f"{count:,} rows are in {to}."])


def _write_table(rows: Iterator[Row], columns: Sequence[str], limit: int, to: Path | None) -> None:
    if to is not None:
        refuse("a table is for the terminal; give --format csv, json or parquet with --to")
    shown = list(islice(rows, limit))
    if not shown:
        say(["There is nothing that this leaves."])
        return
    say(_lined_up([{name: row[name] for name in columns or row} for row in shown]))
    if next(rows, None) is not None:
        say([f"… and more; --limit shows further than {limit:,}, --format csv all."])


def _lined_up(rows: Sequence[Row]) -> Iterator[str]:
    """The rows below their names, column by column; wide letters take two places."""
    lines = [list(rows[0]), *([_brief(value) for value in row.values()] for row in rows)]
    widths = [max(map(_places, column)) for column in zip(*lines, strict=True)]
    for each in lines:
        padded = (text + " " * (width - _places(text)) for text, width in zip(each, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _brief(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    text = "" if value is None else str(value)
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def _places(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
