"""How long commands take that need neither Prefect nor torch, on a catalogue of a few hundred records."""

import os
import statistics
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
    """Medians of interleaved rounds, wall clock."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        _fill(home)
        taken: dict[str, list[float]] = {command: [] for command in COMMANDS}
        for _ in range(ROUNDS):
            for command in COMMANDS:
                taken[command].append(_seconds(command, home))
    medians = {command: statistics.median(each) for command, each in taken.items()}
    publish(
        "commands",
        [Figure(f"nishiki {name}", value, "s", f"≤ {LIMIT_S}", value <= LIMIT_S) for name, value in medians.items()],
    )


def _fill(home: Path) -> None:
    rights = RightsEntry(Derivatives.YES, "benchmark")
    with Catalogue.open(CatalogueSettings(home=home)) as catalogue:
        archive = catalogue.add_archive("benchmark", "folder", "/nowhere")
        for number in range(300):
            record = RecordEntry(f"record-{number}", datetime(2024, 1, 1, tzinfo=UTC), rights, raw="{}")
            catalogue.add_record(archive, record)


def _seconds(command: str, home: Path) -> float:
    nishiki = Path(sys.executable).with_name("nishiki")
    began = time.perf_counter()
    environment = os.environ | {"NISHIKI_HOME": str(home)}
    subprocess.run([nishiki, *command.split()], env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
