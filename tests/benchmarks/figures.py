"""How every benchmark shows and keeps its figures: a table, and build/benchmarks/NAME.json, both as they come."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

FOLDER = Path("build/benchmarks")


@dataclass(frozen=True)
class Figure:
    """One measured value beside what it should be; `holds` is None where there is no target."""

    name: str
    value: float | None
    """None where it could not be measured."""
    unit: str
    target: str = ""
    holds: bool | None = None
    note: str = ""
    """What should stand beside it: the card's name, a checksum, why it failed."""


@dataclass
class Publication:
    """A benchmark's figures, each shown and kept at once, so that a stop loses none."""

    name: str
    machine: str = ""
    folder: Path = FOLDER
    figures: list[Figure] = field(default_factory=list)

    def __post_init__(self) -> None:
        title = f"{self.name}{self.machine and f', {self.machine}'}"
        _print(f"{title:<72}{'value':>10}  {'unit':<18}{'target':<12}holds")

    def add(self, figure: Figure) -> None:
        """Print the figure and write down all so far."""
        value = "none" if figure.value is None else f"{figure.value:.4g}"
        holds = {True: "yes", False: "NO", None: ""}[figure.holds]
        _print(f"{figure.name:<72}{value:>10}  {figure.unit:<18}{figure.target:<12}{holds}  {figure.note}".rstrip())
        self.figures.append(figure)
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = json.dumps([asdict(each) for each in self.figures], indent=1)
        (self.folder / f"{self.name}.json").write_text(f"{kept}\n", encoding="utf-8")


def publish(name: str, figures: Iterable[Figure], machine: str = "") -> None:
    """Print the figures and write them down, each as it comes."""
    publication = Publication(name, machine)
    for figure in figures:
        publication.add(figure)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
