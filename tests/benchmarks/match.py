"""How good matching is, part by part: `python -m tests.benchmarks.match [section …]`; without names, all of them.

Measured on real prints beside the project (`../shared`, or NISHIKI_SHARED); a section without its prints says nothing.
"""

import csv
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from math import inf
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from colorize.colorizer import Colorizer, colorizer_for
from colorize.device import use_one_thread
from colorize.encoders.loading import load_encoder
from colorize.encoders.weights import shipped_weights
from colorize.images.decode import decode
from colorize.images.frame import find_frame
from colorize.images.resize import resized, to_gray
from colorize.jobs import Job
from colorize.matching.geometry import Features, SameDesign, features, register, same_design
from colorize.measures.quality import truth_distances
from colorize.recipes.library import recipe_named
from colorize.results import Colorization
from tests.benchmarks import match_recall
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.match_composition import compositions
from tests.benchmarks.match_rule import choice, painters, styles
from tests.benchmarks.match_scale import scale
from tests.shared import SHARED

OTHERS = 3000
"""Pairs of other designs that are drawn from all, and as many from those of one artist."""
OTHER_VERSIONS = frozenset({"tokaidoorai_03-kanagawa.jpg"})
"""Scans of a set whose design was cut anew with another drawing: no match of the others, looked at by eye."""
UNMARKED = frozenset({("ucsf_p116-sq.jpg", "ucsf_p116.jpg"), ("ucsf_p390-sq.jpg", "ucsf_p390.jpg")})
"""Pairs of one design that prints.csv does not name, looked at by eye."""
POINTS = Path(__file__).with_name("registration_points.csv")
"""Points that a person found in both pictures, as shares of their sides."""
Pair = tuple[str, str]


@dataclass(frozen=True)
class Prints:
    """The real prints, by file: what the table says of them."""

    groups: Mapping[str, str]
    artists: Mapping[str, str]
    tones: Mapping[str, str]

    @cached_property
    def features(self) -> Mapping[str, Features]:
        """What they are compared by."""
        return {name: features(decode((SHARED / "ukiyoe" / name).read_bytes()).pixels) for name in self.groups}

    def pairs(self) -> Iterator[Pair]:
        """Every two."""
        return combinations(sorted(self.groups), 2)

    def same(self, pair: Pair) -> bool:
        """Both are of one design, or of reused blocks, as far as is known."""
        group, other = (self.groups[name] for name in pair)
        return pair in UNMARKED or (group == other != "" and not OTHER_VERSIONS & set(pair))


@cache
def prints() -> Prints | None:
    """Those of ../shared/ukiyoe; None where they are not there."""
    folder = SHARED / "ukiyoe"
    if not folder.is_dir():
        return None
    with (folder / "prints.csv").open(encoding="utf-8") as stream:
        rows = {row["file"]: row for row in csv.DictReader(stream) if (folder / row["file"]).exists()}
    groups, artists, tones = (
        {name: row[column] for name, row in rows.items()} for column in ("group", "artist", "tone")
    )
    return Prints(groups, artists, tones)


def designs() -> Iterator[Figure]:
    """Pairs of one design found, and pairs of others taken for one."""
    known = prints()
    if known is None:
        return
    same = [pair for pair in known.pairs() if known.same(pair)]
    others = [pair for pair in known.pairs() if not known.same(pair)]
    near = [pair for pair in others if known.artists[pair[0]] == known.artists[pair[1]] != ""]
    drawn = random.Random(0)
    asked = same + drawn.sample(others, OTHERS) + drawn.sample(near, OTHERS)
    began, found = time.process_time(), {pair: _compared(known, pair) for pair in asked}
    took = (time.process_time() - began) / len(asked)
    missed = [pair for pair in same if found[pair] is None]
    wrong = [pair for pair in asked if found[pair] and not known.same(pair)]
    share = 1 - len(missed) / len(same)
    yield Figure(f"one design, {len(same)} pairs: found", share, "share", "1", share == 1, str(missed or ""))
    yield Figure(
        f"other designs, {len(asked) - len(same)} pairs: taken for one",
        len(wrong),
        "",
        "0",
        not wrong,
        str(wrong or ""),
    )
    yield Figure("to compare a pair", took, "CPU s", "≤ 0.3", took <= 0.3)
    yield Figure("correlation of the drawings, median", median(each.correlation for each in found.values() if each), "")


def _compared(known: Prints, pair: Pair) -> SameDesign | None:
    one, other = (known.features[name] for name in pair)
    return same_design(one, other)


def registration() -> Iterator[Figure]:
    """How far what was laid on a point set by hand lies from where the hand set it, of the style's diagonal."""
    if prints() is None:
        return
    with POINTS.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    pairs = sorted({(row["content"], row["style"]) for row in rows})
    off = [found for pair in pairs for found in _off(pair, [r for r in rows if (r["content"], r["style"]) == pair])]
    for place, name in enumerate(("homography", "refined by flow")):
        value = median(each[place] for each in off)
        judged = ("≤ 0.005", value <= 0.005) if place else ("", None)
        yield Figure(f"{len(off)} points of {len(pairs)} pairs, {name}: median error", value, "of diagonal", *judged)
        yield Figure(f"{len(off)} points of {len(pairs)} pairs, {name}: largest", max(each[place] for each in off), "")


def _off(pair: Pair, rows: list[dict[str, str]]) -> Iterator[tuple[float, float]]:
    """For each point of a pair its errors, by the homography alone and refined; infinite where none was found."""
    content, style = (resized(decode((SHARED / "ukiyoe" / name).read_bytes()).pixels, 640, multiple=1) for name in pair)
    found = same_design(features(content), features(style))
    if found is None:
        yield from [(inf, inf)] * len(rows)
        return
    laid, size = register(content, style, found), np.array(style.shape[1::-1])
    for row in rows:
        x, y = float(row["x"]), float(row["y"])
        wanted = np.array([float(row["style_x"]), float(row["style_y"])]) * size
        rigid = np.array(found.homography) @ (x, y, 1)
        refined = laid.places[int(y * content.shape[0]), int(x * content.shape[1])] + 0.5  # from a pixel's middle
        first, second = (
            float(np.linalg.norm(each - wanted) / np.hypot(*size)) for each in (rigid[:2] / rigid[2] * size, refined)
        )
        yield first, second


def colour() -> Iterator[Figure]:
    """Colours from another impression, in place, to the print's own over leaving it gray."""
    known = prints()
    if known is None:
        return
    own = colorizer_for(recipe_named("nishiki/colour"), load_encoder(shipped_weights()), "cpu")
    ratios = [ratio for pair in sets(known) if (ratio := _coloured(own, pair)) is not None]
    value, above = median(ratios), sum(ratio > 1 for ratio in ratios)
    yield Figure(f"in place: ΔE00, median of {len(ratios)} sets", value, "× gray", "≤ 0.56", value <= 0.56)
    yield Figure("in place: worse than gray", above, "sets", "0", above == 0)


def sets(known: Prints) -> list[Pair]:
    """Two colour impressions of each design; squashed thumbnails tell nothing of colours."""
    groups: dict[str, list[str]] = {}
    for name, group in known.groups.items():
        if group.startswith("same:") and not name.startswith("wikiart") and known.tones[name] == "colour":
            groups.setdefault(group, []).append(name)
    return [(files[0], files[1]) for _, files in sorted(groups.items()) if len(files) > 1]


def _coloured(own: Colorizer, pair: Pair) -> float | None:
    """ΔE00 over gray's in place; None where the pair is not found."""
    both = (decode((SHARED / "ukiyoe" / name).read_bytes()).pixels for name in pair)
    truth, style = (resized(find_frame(each).crop(each), 512) for each in both)
    gray = to_gray(truth)
    found = same_design(features(gray), features(style))
    if found is None:
        return None
    (made,) = own.colorize([Job("place", gray, style, registration=found.data())])
    assert isinstance(made, Colorization), made
    ratio = truth_distances(truth, made.picture)["delta_e_ratio"]
    sys.stderr.write(f"{pair[0]}: {ratio:.2f}\n")
    return ratio


def recall() -> Iterator[Figure]:
    """Another impression as the match, by pictures alone, through the night's own short list."""
    yield from match_recall.drawn()
    if known := prints():
        yield from match_recall.recall(known.groups, OTHER_VERSIONS, UNMARKED)


SECTIONS: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "designs": designs,
    "recall": recall,
    "registration": registration,
    "colour": colour,
    "painters": painters,
    "choice": choice,
    "styles": styles,
    "scale": scale,
    "composition": compositions,
}


def main(named: list[str]) -> None:
    """Measure the sections that are named, or all."""
    if unknown := set(named) - set(SECTIONS):
        raise SystemExit(f"there is no section {', '.join(sorted(unknown))}; there is {', '.join(SECTIONS)}")
    use_one_thread()
    cv2.setNumThreads(1)
    for name in named or SECTIONS:
        publish(f"match-{name}", SECTIONS[name]())


if __name__ == "__main__":
    main(sys.argv[1:])
