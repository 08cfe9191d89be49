"""How long commands take that need neither Prefect nor torch, on a catalogue of a few hundred records.

The best of interleaved rounds counts, which what else runs on the machine disturbs least; beside it stands the
processor's time. `tests/unit/flows/cli/test_command_loads.py` holds what each may load.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from db.catalogue import Catalogue
from db.entries.night import Derivatives, RecordEntry, RightsEntry
from db.settings import CatalogueSettings
from tests.benchmarks.figures import Figure, publish

LIMIT_S = 0.7
ROUNDS = 7
COMMANDS = ("status", "status --json", "export", "recipes", "weights list", "doctor", "--help")


def main() -> None:
    """The best of interleaved rounds: seconds on the clock and of the processor."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        _fill(home)
        rounds = [[_seconds(command, home) for command in COMMANDS] for _ in range(ROUNDS)]
    figures = []
    for command, taken in zip(COMMANDS, zip(*rounds, strict=True), strict=True):
        clock, processor = (min(each) for each in zip(*taken, strict=True))
        figures.append(Figure(f"nishiki {command}", clock, "s", f"≤ {LIMIT_S}", clock <= LIMIT_S))
        figures.append(Figure(f"nishiki {command}, processor", processor, "s"))
    publish("commands", figures)


def _fill(home: Path) -> None:
    rights = RightsEntry(Derivatives.YES, "benchmark")
    with Catalogue.open(CatalogueSettings(home=home)) as catalogue:
        archive = catalogue.add_archive("benchmark", "folder", "/nowhere")
        for number in range(300):
            record = RecordEntry(f"record-{number}", datetime(2024, 1, 1, tzinfo=UTC), rights, raw="{}")
            catalogue.add_record(archive, record)


def _seconds(command: str, home: Path) -> tuple[float, float]:
    """Seconds of one run on the clock, and of the processor (its own and the system's work)."""
    nishiki = Path(sys.executable).with_name("nishiki")
    environment = os.environ | {"NISHIKI_HOME": str(home)}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([nishiki, *command.split()], env=environment, check=True, stdout=subprocess.DEVNULL)
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
