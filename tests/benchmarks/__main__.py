"""The benchmarks by subject: lists them with their times and runs the short ones, or those that are named.

`make bench` and `make bench BENCH="colour review"` run it; each is also a command of its own, `python -m
tests.benchmarks.NAME`. Minutes are rough, on two idle cores with real prints and weights beside the project.
"""

import subprocess
import sys
import time
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Subject:
    """What one benchmark measures, and how long that takes."""

    name: str
    measures: str
    minutes: float
    note: str = ""


SUBJECTS = (
    Subject("commands", "seconds of the commands that only look", 1),
    Subject("rights", "what words and addresses about rights come to, as a table", 0.1),
    Subject("claims", "a night's claim of 20,000: whom it keeps waiting, and that none is worked at twice", 15),
    Subject("export", "how fast approved entries leave as a package, and its memory", 1),
    Subject("matching", "whether matching finds the other impression of a design", 4),
    Subject("match", "same designs found, and what each part of matching comes to", 25),
    Subject("engine", "the engine against a plain one, its rate and its memory", 4),
    Subject("fullsize", "colour brought to scans of 12 and 100 megapixels", 3),
    Subject("colour", "how near each way of colouring comes to true colours", 45),
    Subject("learned", "the learned colorizers: bins, masks, loader, speed, and real prints held out", 30),
    Subject("tone", "the tones given to real prints and their gray, toned and faded copies", 6),
    Subject("encoder", "the small encoder beside VGG-19", 15, "needs VGG-19"),
    Subject(
        "review",
        "the review page with a million records, on both databases, and in a browser",
        23,
        "fills catalogues first",
    ),
    Subject("api", "the API and /oai with a million records, on both databases", 15, "fills catalogues first"),
    Subject(
        "operations",
        "workers, deaths, faults and rivals' claims, then a large catalogue: status, claims, idle nights",
        135,
        "fills it first",
    ),
    Subject("operations_workers", "two workers beside one, and what a night adds to their work", 8),
    Subject("operations_deaths", "what is left of 40 pictures when workers, flow or PostgreSQL are killed", 40),
    Subject("operations_faults", "a death or a failing disk at every durable call; flipped bytes", 25, "needs strace"),
    Subject("operations_pools", "a night over work pools, its machine killed: a transcript", 8, "needs a PostgreSQL"),
    Subject("operations_ray", "a night over Ray, a node killed, beside the same by processes", 6, "needs '.[ray]'"),
    Subject("operations_storage", "a night with its pictures in object storage that stops answering", 3, "needs moto"),
    Subject("attacks", "what attacks on the review page cost it and others", 3),
    Subject("harvest", "records and pictures a second over every protocol, with faults and without, memory", 25),
    Subject("unfriendly", "two nights over odd folders and an archive that misbehaves: what is held", 1),
    Subject("mutants", "whether the tests catch faults", 60, "needs options: --help"),
    Subject("simulate", "nights on 1 to 512 GPUs by simulation, from what a catalogue and a GPU take", 2),
    Subject("gpu", "what a GPU makes of the work", 6, "needs a GPU, or --toy"),
)
SHORT_MIN = 5.0
"""Minutes up to which a benchmark is run without being named."""


def main(named: list[str]) -> None:
    """List them, then run those that are named, or the short ones."""
    if unknown := set(named) - {subject.name for subject in SUBJECTS}:
        raise SystemExit(f"there is no benchmark {', '.join(sorted(unknown))}")
    chosen = [each for each in SUBJECTS if each.name in named or (not named and each.minutes <= SHORT_MIN)]
    Console().print(listed())
    Console().print(
        f"Now: {', '.join(each.name for each in chosen)}; {sum(each.minutes for each in chosen):g} minutes."
    )
    for subject in chosen:
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", f"tests.benchmarks.{subject.name}"], check=True)
        Console().print(f"{subject.name}: {(time.monotonic() - began) / 60:.1f} minutes")


def listed() -> Table:
    """Every subject with its command."""
    table = Table("python -m tests.benchmarks.", "measures", "minutes", "")
    for subject in SUBJECTS:
        table.add_row(subject.name, subject.measures, f"{subject.minutes:g}", subject.note)
    return table


if __name__ == "__main__":
    main(sys.argv[1:])
