"""What the rules make of statements about rights: the table of `tests/rights_said.py`, with the basis of each decision.

`python -m tests.benchmarks.rights` prints it.
"""

import time
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.archives.values.rights import read_rights
from tests.benchmarks.figures import Figure, publish
from tests.rights_said import SAID


def main() -> None:
    """Print every statement with its decision, and count those that differ from the table."""
    table = Table("statement", "decision", "basis")
    count, differ, began = 0, 0, time.perf_counter()
    for expected, rows in SAID.items():
        for row in rows:
            statements = [row] if isinstance(row, str) else list(row)
            rights = read_rights(statements, "dc:rights")
            count, differ = count + 1, differ + (rights.derivatives != expected)
            table.add_row(Text("\n".join(statements)), rights.derivatives, Text(rights.basis))
    took_ms = (time.perf_counter() - began) * 1000
    Console(width=200).print(table)
    publish("rights", _figures(count, differ, took_ms))


def _figures(count: int, differ: int, took_ms: float) -> Iterator[Figure]:
    yield Figure("statements", count, "", "≥ 60", count >= 60)
    yield Figure("decided otherwise than the table says", differ, "", "0", differ == 0)
    yield Figure("to decide one", took_ms / count, "ms")


if __name__ == "__main__":
    main()
