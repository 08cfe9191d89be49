"""Sections of `tests.benchmarks.match` on the rule: painters among faces, and the colours that its choice leads to."""

import csv
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean, median

import numpy as np

from colorize.colorizer import Colorizer, colorizer_for
from colorize.encoders.loading import load_encoder
from colorize.encoders.weights import shipped_weights
from colorize.images.decode import Pixels, decode
from colorize.images.frame import find_frame
from colorize.images.resize import resized, to_gray
from colorize.images.tone import Tone, judge_tone
from colorize.jobs import Job, Style
from colorize.matching.embedding import embed
from colorize.matching.ranking import Vectors
from colorize.matching.tones import cast, distance, spread, tones
from colorize.measures.quality import truth_distances
from colorize.recipes.library import recipe_named
from colorize.results import Colorization
from db.entries.night import Description
from flows.matching.known import Known, known
from flows.matching.rule import score
from flows.matching.shared import PictureLikeness
from flows.matching.weights import MatchWeights
from tests.benchmarks.figures import Figure
from tests.shared import SHARED

CONTENTS, STYLES, DRAWN, SIZE_PX = 30, 165, 20, 192
PLAYERS = re.compile(r"\s*;\s*")
YEAR = re.compile(r"1[6-9]\d\d")
Row = Mapping[str, str]


def painters() -> Iterator[Figure]:
    """Precision@5 by painter among faces, each asked of the others; by the embedding, gray."""
    folder = SHARED / "faces"
    if not folder.is_dir():
        return
    with (folder / "faces.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    encoder = load_encoder(shipped_weights())
    found = np.stack([embed(encoder, decode((folder / Path(row["file"]).name).read_bytes()).pixels) for row in rows])
    by = np.array([row["painter"] for row in rows])
    precision = _precision(found, by)
    yield Figure("faces, painter precision@5, by the embedding", precision, "share", "≥ .45", precision >= 0.45)


def _precision(vectors: Vectors, painter: np.ndarray) -> float:
    centred = vectors - vectors.mean(0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -np.inf)
    nearest = np.argsort(-alike, axis=1)[:, :5]
    return float((painter[nearest] == painter[:, None]).mean())


@dataclass(frozen=True)
class Print:
    """A real print, framed and small, with what its row says."""

    row: Row
    pixels: Pixels
    record: Known
    tones: Vectors


def choice() -> Iterator[Figure]:
    """ΔE00 over gray's of the style that the rule chooses, beside the mean and the best of twenty drawn styles."""
    if not (SHARED / "ukiyoe").is_dir():
        return
    styles, colorizer = _prints(), colorizer_for(recipe_named("nishiki/colour"), load_encoder(shipped_weights()), "cpu")
    usual = np.median(np.stack([each.tones for each in styles]), axis=0)
    draw = random.Random(15)
    contents = [each for each in styles if each.row["kind"] == "actor" and not each.row["group"].startswith("same:")]
    rows = []
    for content in draw.sample(contents, CONTENTS):
        group = content.row["group"]
        others = [each for each in styles if each is not content and (not group or each.row["group"] != group)]
        scores = _scores(content, others, usual)
        drawn = draw.sample(range(len(others)), DRAWN)
        ratios = {place: _ratio(colorizer, content, others[place]) for place in drawn}
        taken = {place: ratio for place, ratio in ratios.items() if ratio is not None}
        ranked = sorted(range(len(others)), key=lambda place: -scores[place])
        chosen = next(ratio for place in ranked if (ratio := _ratio(colorizer, content, others[place])) is not None)
        of_drawn = taken[max(taken, key=lambda place: scores[place])]
        rows.append((float(np.mean(list(taken.values()))), min(taken.values()), chosen, of_drawn))
    mean, best_of, of_all, of_them = np.mean(rows, axis=0)
    yield Figure(f"mean of {DRAWN} styles, ΔE00 over gray's", float(mean), "ratio")
    yield Figure(f"best of {DRAWN}, at hindsight", float(best_of), "ratio")
    for name, value in ((f"chosen among all {len(styles)}", of_all), (f"chosen among the same {DRAWN}", of_them)):
        way = float((mean - value) / (mean - best_of))
        yield Figure(name, float(value), "ratio")
        yield Figure(f"{name}: way from mean to best", way, "share", "≥ .5", way >= 0.5)


def styles() -> Iterator[Figure]:
    """ΔE00 over gray's with one to five styles, the rule's first choices, and what further ones cost."""
    if not (SHARED / "ukiyoe").is_dir():
        return
    prints, encoder = _prints(), load_encoder(shipped_weights())
    usual = np.median(np.stack([each.tones for each in prints]), axis=0)
    contents = [each for each in prints if each.row["kind"] == "actor" and not each.row["group"].startswith("same:")]
    jobs = [_job(content, _chosen(content, prints, usual)) for content in random.Random(15).sample(contents, CONTENTS)]
    took = {}
    for number in (1, 2, 3, 5):
        recipe = recipe_named("nishiki/colour").changed(styles=number)
        began = time.process_time()
        made = colorizer_for(recipe, encoder, "cpu").colorize([job for _, job in jobs])
        took[number] = (time.process_time() - began) / len(jobs)
        ratios = [
            truth_distances(content.pixels, each.picture)["delta_e_ratio"]
            for (content, _), each in zip(jobs, made, strict=True)
            if isinstance(each, Colorization)
        ]
        words = f"{number} style{'s' if number > 1 else ''}, {len(ratios)} contents"
        yield Figure(f"{words}: ΔE00 over gray's, median", median(ratios), "ratio")
        yield Figure(f"{words}: mean", fmean(ratios), "ratio")
        yield Figure(f"{words}: worst", max(ratios), "ratio")
        yield Figure(f"{words}: time to that with one", took[number] / took[1], "×")


def _chosen(content: Print, prints: Sequence[Print], usual: Vectors) -> list[Print]:
    """The rule's five best of other designs that are colour prints, the best first."""
    group = content.row["group"]
    others = [each for each in prints if each is not content and (not group or each.row["group"] != group)]
    scores = _scores(content, others, usual)
    ranked = (others[place] for place in sorted(range(len(others)), key=lambda place: -scores[place]))
    return list(islice((each for each in ranked if judge_tone(each.pixels).tone is Tone.COLOUR), 5))


def _job(content: Print, chosen: Sequence[Print]) -> tuple[Print, Job]:
    first, *further = (Style(each.pixels) for each in chosen)
    return content, Job(content.row["file"], to_gray(content.pixels), first.pixels, further=tuple(further))


def _prints() -> list[Print]:
    """Colour prints, one of each design: actor prints first, then figures, then others, until there are STYLES."""
    with (SHARED / "ukiyoe" / "prints.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["tone"] == "colour" and not row["file"].startswith("wiki")]
    first = {row["group"] or row["file"]: row for row in reversed(rows)}
    order = ("actor", "beauty", "other", "landscape")
    taken = sorted(first.values(), key=lambda row: (order.index(row["kind"]), row["file"]))[:STYLES]
    return [_print(number, row) for number, row in enumerate(taken)]


def _print(number: int, row: Row) -> Print:
    scan = decode((SHARED / "ukiyoe" / row["file"]).read_bytes()).pixels
    framed = resized(find_frame(scan).crop(scan), SIZE_PX)
    return Print(row, framed, record(number, row), tones(framed))


def record(number: int, row: Row) -> Known:
    """A row of prints.csv as matching sees a record."""
    found = YEAR.search(row["date"])
    year = int(found[0]) if found else None
    names = PLAYERS.split(row["actor"])
    roles = PLAYERS.split(row["role"]) if row["role"] else [""] * len(names)
    title = f"{row['depicts']}, {row['play']}"
    said = Description(number, "", "", row["file"], title, (row["artist"],), tuple(zip(roles, names, strict=False)),
                       year, year, "", "", None, None)  # fmt: skip
    return known(said)


def _scores(content: Print, styles: Sequence[Print], usual: Vectors) -> list[float]:
    theirs = np.stack([each.tones for each in styles])
    measured = zip(distance(content.tones, theirs), spread(theirs), cast(theirs, usual), strict=True)
    return [
        score(content.record, each.record, PictureLikeness(tones=near, spread=wide, cast=off), MatchWeights()).score
        for each, (near, wide, off) in zip(styles, (map(float, row) for row in measured), strict=True)
    ]


def _ratio(colorizer: Colorizer, content: Print, style: Print) -> float | None:
    """None where the recipe refuses the style, as no colour print."""
    (made,) = colorizer.colorize([Job("pair", to_gray(content.pixels), style.pixels)])
    return truth_distances(content.pixels, made.picture)["delta_e_ratio"] if isinstance(made, Colorization) else None
