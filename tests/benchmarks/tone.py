"""What tone real prints and faces are given, and their gray, toned and faded copies: a confusion table.

On ../shared/ukiyoe, ../shared/prints and ../shared/faces (or NISHIKI_SHARED); copies are made of every COPIED-th print.
Writes build/benchmarks/tone.json and tone_pictures.json, the measures of every picture.
"""

import csv
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from zlib import crc32

import numpy as np
from rich.console import Console
from rich.table import Table

from colorize.images.decode import Pixels, decode
from colorize.images.frame import find_frame
from colorize.images.resize import resized
from colorize.images.tone import Tone, judge_tone
from colorize.images.working_copy import working_copy
from tests.benchmarks.figures import FOLDER, Figure, publish
from tests.benchmarks.tone_copies import COLOURLESS, FADED, as_jpeg
from tests.shared import SHARED

COPIED = {"ukiyoe": 8, "prints": 1, "faces": 20}
COPY_PX = 640


@dataclass(frozen=True)
class Print:
    """A picture of a collection, with the tone that a person gave it."""

    collection: str
    file: str
    tone: str
    design: str

    @property
    def half(self) -> int:
        """0 or 1; impressions of one design lie in the same."""
        return crc32(self.design.encode()) % 2


@dataclass(frozen=True)
class Judged:
    """What was said of a print, or of a copy of it."""

    of: Print
    copy: str
    """`own`, or the copy's name."""
    tone: Tone
    measures: dict[str, float]
    seconds: float


def main() -> None:
    """Table and figures."""
    prints = list(_prints())
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        every = [each for judged in pool.map(_judged, prints, chunksize=4) for each in judged]
    Console(width=120).print(confusion(every))
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "tone_pictures.json").write_text(json.dumps([asdict(each) for each in every], indent=1))
    publish("tone", _figures(every))


def _prints() -> Iterator[Print]:
    for row in _rows("ukiyoe/prints.csv"):
        yield Print("ukiyoe", row["file"], row["tone"], row["group"] or row["file"])
    for row in _rows("prints/prints.csv"):
        yield Print("prints", row["file"], "ink" if row["file"].startswith("mono") else "colour", row["group"])
    for row in _rows("faces/faces.csv"):
        yield Print("faces", Path(row["file"]).name, "colour", row["file"])


def _rows(table: str) -> list[dict[str, str]]:
    with (SHARED / table).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _judged(of: Print) -> list[Judged]:
    pixels = decode((SHARED / of.collection / of.file).read_bytes()).pixels
    found = [_judge(of, "own", working_copy(pixels).framed)]
    if of.tone == "colour" and crc32(of.file.encode()) % COPIED[of.collection]:
        return found
    small = resized(pixels, COPY_PX, multiple=1)
    copies = {**COLOURLESS, **FADED} if of.tone == "colour" else COLOURLESS
    made = ((name, as_jpeg(copy(small))) for name, copy in copies.items())
    return found + [_judge(of, name, find_frame(copy).crop(copy)) for name, copy in made]


def _judge(of: Print, copy: str, pixels: Pixels) -> Judged:
    began = time.process_time()
    report = judge_tone(pixels)
    return Judged(of, copy, report.tone, report.measures, time.process_time() - began)


def confusion(every: Iterable[Judged]) -> Table:
    """A row for each kind of picture: how many were given each tone."""
    counts: dict[str, Counter[Tone]] = defaultdict(Counter)
    for each in every:
        kind = f"{each.of.collection}, {each.of.tone}" if each.copy == "own" else f"copy: {each.copy}"
        counts[kind][each.tone] += 1
    table = Table("picture", "all", *Tone, title="Tone given", title_justify="left")
    for kind, given in counts.items():
        table.add_row(kind, *map(str, (given.total(), *(given[tone] for tone in Tone))))
    return table


def _figures(every: list[Judged]) -> Iterator[Figure]:
    own = [each for each in every if each.of.tone == "colour" and each.copy == "own"]
    for collection in COPIED:
        colour = [each for each in own if each.of.collection == collection]
        unsure, asked = _share(colour, Tone.UNSURE), collection == "ukiyoe"
        target, holds = ("≤ 0.05", unsure <= 0.05) if asked else ("", None)
        yield Figure(f"{collection}, colour prints: unsure", unsure, "share", target, holds)
        yield Figure(f"{collection}, colour prints: called toned", _share(colour, Tone.TONED), "share")
        for half in (0, 1):
            some = [each for each in colour if each.of.half == half]
            yield Figure(f"{collection}, colour prints, half {half}: unsure", _share(some, Tone.UNSURE), "share")
    colourless = [each for each in every if each.copy in COLOURLESS or each.of.tone in ("gray", "toned")]
    called = [f"{each.copy} of {each.of.file}" for each in colourless if each.tone is Tone.COLOUR]
    yield Figure("gray or toned pictures called colour", len(called), "pictures", "0", not called, "; ".join(called))
    ink = [each.of.file for each in every if each.of.tone == "ink" and each.copy == "own" and each.tone is Tone.COLOUR]
    yield Figure("ink prints called colour", len(ink), "pictures", "0", not ink, "; ".join(ink))
    lost = [each for each in every if each.of.tone == "colour" and each.copy not in COLOURLESS]
    gray = [f"{each.copy} of {each.of.file}" for each in lost if each.tone is Tone.GRAYSCALE]
    yield Figure("colour or faded pictures called grayscale", len(gray), "pictures", "0", not gray, "; ".join(gray))
    yield Figure("processor's time of a judgement", 1000 * median(each.seconds for each in every), "ms")


def _share(judged: list[Judged], tone: Tone) -> float:
    return float(np.mean([each.tone is tone for each in judged]))


if __name__ == "__main__":
    main()
