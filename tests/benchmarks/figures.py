"""How every benchmark shows and keeps its figures: a table, and build/benchmarks/NAME.json."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

FOLDER = Path("build/benchmarks")


@dataclass(frozen=True)
class Figure:
    """One measured value beside what it should be; `holds` is None where there is no target."""

    name: str
    value: float
    unit: str
    target: str = ""
    holds: bool | None = None


def publish(name: str, figures: Sequence[Figure], machine: str = "") -> None:
    """Print the figures and write them down."""
    table = Table(f"{name}{machine and f', {machine}'}", "value", "unit", "target", "holds")
    for figure in figures:
        holds = {True: "yes", False: "NO", None: ""}[figure.holds]
        table.add_row(figure.name, f"{figure.value:.4g}", figure.unit, figure.target, holds)
    Console().print(table)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
