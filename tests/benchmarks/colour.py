"""How near to a print's own colours does each way come that colours its gray version? `colour [section …] [options]`.

512 px, mounts off, always with the content's own L*, styles as a night chooses them: sections in `colour_pairs`, the
measures in `colour_measures`, the ways in `colour_arms`. Real prints where they lie beside the project (`../shared`, or
NISHIKI_SHARED). Writes build/benchmarks/colour.json and colour_pairs.csv, a line for each pair and way; what other ways
than our own come to is kept, so that another run costs ours only.

The way "before" is the recipe as it stood at commit 42f6fa1: colour_before.csv is what a run of it came to, written
there by `--record`.
"""

import argparse
import csv
import inspect
import json
import multiprocessing
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

import cv2
from rich.console import Console
from rich.table import Table
from safetensors import safe_open

from colorize.device import use_one_thread
from colorize.methods.exemplar.prior import SHIPPED
from tests.benchmarks import colour_arms, colour_measures
from tests.benchmarks.colour_arms import ARMS, OURS, made, neural_style
from tests.benchmarks.colour_measures import Areas, measured, one_colour, summed_up
from tests.benchmarks.colour_pairs import KEPT, SECTIONS, Pair
from tests.benchmarks.figures import FOLDER, Figure, publish
from tests.benchmarks.match import prints

BEFORE, NEURAL = "before", "neural style"
RECORDED = Path(__file__).with_name("colour_before.csv")
PROCESSES = 2
FEW = 5
"""Pairs of each section that slow ways are tried on, evenly taken; and actor prints coloured from one style besides."""
COLUMNS = ("ratio", "patchiness", "chroma", "distance", "ink_chroma", "trust", "trust_within", "seconds", "memory_mb")
GOALS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "actors": {
        "ratio": (0, 0.66), "worse": (0, 0.05), "worst": (0, 1.2), "patchiness": (0, 1), "chroma_right": (0.9, 1),
        "to_before": (0, 0.8), "trust": (0.6, 1), "caught": (0.8, 1), "seconds": (0, 7), "memory_mb": (0, 1000),
    },
    "same": {"ratio": (0, 0.64), "worst": (0, 1)},
    "pairs": {"ratio": (0, 0.64), "worst": (0, 1)},
    "drawn": {"ratio": (0, 0.19)},
}  # fmt: skip
"""Section → measure → least and most of our own way."""
Row = Mapping[str, float]


@dataclass(frozen=True)
class Line:
    """What one way comes to on one pair."""

    section: str
    name: str
    styles: int
    way: str
    measures: Row


def main(given: Sequence[str] | None = None) -> None:
    """Measure the sections that are named, or all."""
    asked = _asked(given)
    pairs = list(chain.from_iterable(SECTIONS[name](asked.contents) for name in asked.sections or SECTIONS))
    few = {pair.title for name in SECTIONS for pair in _few([each for each in pairs if each.section == name])}
    lines: list[Line] = []
    with _workers() as workers:
        for found in workers.map(_measured, pairs, [pair.title in few for pair in pairs]):
            _tell(found)
            lines += found
            _write(FOLDER / "colour_pairs.csv", lines)  # a stop loses none
    if asked.record:
        others = [line for line in _before() if line.section not in {pair.section for pair in pairs}]
        _write(RECORDED, [*others, *(replace(line, way=BEFORE) for line in lines if line.way == OURS)])
    names = {(pair.section, pair.title) for pair in pairs}
    lines += [line for line in _before() if (line.section, line.name) in names]
    _write(FOLDER / "colour_pairs.csv", lines)
    tables = {section: _summaries(lines, section) for section in dict.fromkeys(pair.section for pair in pairs)}
    for section, ways in tables.items():
        _show(section, ways)
    publish("colour", _figures(tables))


def _asked(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.colour")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--contents", type=int, help="that many of each section, the same ones each time")
    parser.add_argument("--record", action="store_true", help="keep what our way comes to as that of before")
    asked = parser.parse_args(given)
    if unknown := set(asked.sections) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(sorted(unknown))}; there is {', '.join(SECTIONS)}")
    return asked


def _workers() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn"), initializer=_one_thread)


def _one_thread() -> None:
    use_one_thread()
    cv2.setNumThreads(1)


def _few(pairs: Sequence[Pair]) -> Sequence[Pair]:
    return pairs[:: max(1, len(pairs) // FEW)][:FEW]


def _measured(pair: Pair, slow: bool) -> list[Line]:
    areas = one_colour(pair.truth)
    ways = {name: _kept(pair, name, areas) for name in (*ARMS, *([NEURAL] if slow else []))}
    ways[OURS] = _ours(pair, areas)
    if slow and pair.section == "actors":
        ways[f"{OURS}, one style"] = _ours(pair, areas, styles=1)
    return [Line(pair.section, pair.title, len(pair.styles), way, row) for way, row in ways.items() if row]


def _ours(pair: Pair, areas: Areas, styles: int | None = None) -> Row:
    found = made(pair, styles)
    told = {name: value for name, value in found.result.measures.items() if name == "trust"}
    took = {"seconds": found.seconds, "memory_mb": found.memory_mb}
    return measured(pair.truth, found.picture, found.trust, areas) | told | took


def _kept(pair: Pair, way: str, areas: Areas) -> Row:
    """What a way that does not change comes to, from the last run where there was one; nothing without a picture."""
    text = f"{way} {pair.section} {pair.name} {pair.styles[0]}" + "".join(
        map(inspect.getsource, (colour_arms, colour_measures))
    )
    table = b"" if pair.usual is None else pair.usual.tobytes()
    path = KEPT / "ways" / f"{sha256(text.encode() + pair.content.tobytes() + table).hexdigest()[:24]}.json"
    if path.exists():
        kept: Row = json.loads(path.read_text())
        return kept
    picture = neural_style(pair) if way == NEURAL else ARMS[way](pair)
    row = {} if picture is None else measured(pair.truth, picture, areas=areas)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(row))
    return row


def _write(path: Path, lines: Sequence[Line]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["section", "name", "styles", "way", *COLUMNS])
        for line in lines:
            values = (f"{line.measures[name]:.4g}" if name in line.measures else "" for name in COLUMNS)
            writer.writerow([line.section, line.name, line.styles, line.way, *values])


def _before() -> list[Line]:
    with RECORDED.open(encoding="utf-8") as stream:
        return [
            Line(
                row["section"], row["name"], int(row["styles"]), row["way"],
                {name: float(row[name]) for name in COLUMNS if row[name]},
            )
            for row in csv.DictReader(stream)
        ]  # fmt: skip


def _tell(lines: Sequence[Line]) -> None:
    """Of a pair, as it is done."""
    (ours,) = (line for line in lines if line.way == OURS)
    sys.stderr.write(f"{ours.section} {ours.name}: {ours.measures['ratio']:.2f}\n")


def _summaries(lines: Sequence[Line], section: str) -> dict[str, Row]:
    """Way → what its pairs come to; then ours and before on those that are no thumbnails, and that the prior has not
    been taught."""
    here = [line for line in lines if line.section == section]
    taught = _taught()
    parts = {
        "": here,
        ", no thumbnails": [line for line in here if "/wikiart" not in line.name],
        ", not taught": [line for line in here if line.name not in taught],
    }
    ways = dict.fromkeys(line.way for line in here)
    return {
        f"{way}{words}": _summary(part, way)
        for words, part in parts.items()
        for way in ways
        if not words or (0 < len(part) < len(here) and way in (BEFORE, OURS))
    }


def _taught() -> set[str]:
    """The prints of ../shared that the shipped prior has learned from, with all of their designs."""
    shipped: Any = safe_open(SHIPPED, "pt")
    files = {each["file"] for each in json.loads(shipped.metadata()["learned_from"])}
    known = prints()
    groups = known.groups if known else {}
    designs = {groups.get(file.removeprefix("ukiyoe/")) for file in files} - {None, ""}
    return files | {f"ukiyoe/{name}" for name, group in groups.items() if group in designs}


def _summary(lines: Sequence[Line], way: str) -> Row:
    before = {line.name: line.measures for line in lines if line.way == BEFORE}
    mine = [line for line in lines if line.way == way]
    rows = [line.measures for line in mine]
    found = summed_up(rows, [before[line.name] for line in mine] if {line.name for line in mine} <= set(before) else ())
    costs = {name: median(row[name] for row in rows) for name in ("seconds", "memory_mb") if name in rows[0]}
    return {"pairs": len(rows), **found, **costs}


def _show(section: str, ways: Mapping[str, Row]) -> None:
    columns = list(dict.fromkeys(name for row in ways.values() for name in row))
    table = Table(section, *columns, title_justify="left")
    for way, row in ways.items():
        table.add_row(way, *(f"{row[name]:.3g}" if name in row else "" for name in columns))
    Console(width=200).print(table)


def _figures(tables: Mapping[str, Mapping[str, Row]]) -> Iterator[Figure]:
    """Of our own way."""
    for section, ways in tables.items():
        for name, value in ways[OURS].items():
            least, most = GOALS.get(section, {}).get(name, (None, None))
            if least is None or most is None:
                yield Figure(f"{section}: {name}", value, "")
            else:
                yield Figure(f"{section}: {name}", value, "", f"{least:g} to {most:g}", least <= value <= most)


if __name__ == "__main__":
    main()
