"""The truth arm: how near to a print's own colours does each way come that colours its gray version from another?

ΔE00 to the truth over that of leaving it gray, at 512 px, mounts cut off, always with the content's own L*. Drawn
designs always, real prints where they lie beside the project (`../shared`, or NISHIKI_SHARED). Writes
build/benchmarks/colour.png, a row for each pair: truth, gray, style, each arm; and colour_pairs.json.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from PIL import Image, ImageDraw
from rich.console import Console
from rich.table import Table

from colorize.device import use_one_thread
from colorize.encoders.loading import load_encoder
from colorize.encoders.weights import shipped_weights
from colorize.images.decode import Pixels
from colorize.images.resize import resized
from colorize.measures.lightness import lab, lightness
from colorize.measures.quality import chroma_texture, picture_measures, truth_distances
from tests.benchmarks.figures import FOLDER, Figure, publish
from tests.benchmarks.truth_arm import OURS, Arm, NeuralStyle, Pair, arms, pairs
from tests.shared import SHARED

KINDS = ("real", "drawn", "unrelated")


@dataclass(frozen=True)
class Goal:
    """Of a measure: what is looked at of all pairs, and where it should lie."""

    of: Callable[[Sequence[float]], float]
    least: float
    most: float
    words: str


MEASURES = {
    "lightness_ssim": Goal(min, 0.999, 1, "≥ 0.999"),
    "lightness_difference_mean": Goal(max, 0, 0.1, "≤ 0.1"),
    "lightness_difference_p99": Goal(max, 0, 0.5, "≤ 0.5"),
    "chroma_texture_ratio": Goal(median, 0, 0.3, "≤ 0.3"),
    "swd_ab": Goal(median, 0, 0.3, "< 0.3"),
    "colourfulness_ratio": Goal(median, 0.7, 1.1, "0.7 to 1.1"),
    "ink_chroma": Goal(median, 0, 5, "< 5"),
}
CELL_PX = 192


@dataclass(frozen=True)
class Coloured:
    """What one arm made of one pair."""

    pair: Pair
    arm: str
    picture: Pixels | None
    seconds: float
    measures: dict[str, float]
    """Of the truth arm and of the picture beside its style; nothing where there is no picture."""

    @property
    def ratio(self) -> float | None:
        """ΔE00 over that of leaving it gray."""
        return self.measures.get("delta_e_ratio")


def main() -> None:
    """Table, figures and contact sheet."""
    use_one_thread()
    neural_style = NeuralStyle(load_encoder(shipped_weights()))
    ways = arms(neural_style)
    rows = [
        [_coloured(pair, name, arm, neural_style) for name, arm in ways.items()] for pair in pairs(SHARED / "prints")
    ]
    _show(list(ways), rows)
    _lay_out(list(ways), rows)
    publish("colour", list(_figures(list(ways), rows)))


def _coloured(pair: Pair, name: str, arm: Arm, neural_style: NeuralStyle) -> Coloured:
    raw = neural_style.raw(pair.content, pair.style)  # made before the clock starts
    began = time.perf_counter()
    picture = arm(pair.content, pair.style)
    seconds = time.perf_counter() - began
    if picture is None:
        return Coloured(pair, name, None, seconds, {})
    measures = truth_distances(pair.truth, picture) | picture_measures(pair.content, picture, pair.style)
    texture = _texture_ratio(pair.content, picture, raw)
    if texture is not None:
        measures["chroma_texture_ratio"] = texture
    return Coloured(pair, name, picture, seconds, measures)


def _texture_ratio(content: Pixels, result: Pixels, reference: Pixels) -> float | None:
    """`chroma_texture` of a result over that of a reference, such as neural style that paints its own lightness.

    All are brought to the reference's size, since no picture shows more texture than the neural style that made it
    had pixels. None where the content is flat nowhere, or the reference without any colour.
    """
    size = reference.shape[1::-1]
    kept, made = (np.array(Image.fromarray(each).resize(size, Image.Resampling.LANCZOS)) for each in (content, result))
    drawing = lightness(kept)
    found, raw = (chroma_texture(drawing, lab(each)[..., 1:]) for each in (made, reference))
    return found / raw if found is not None and raw else None


def _show(names: Sequence[str], rows: Sequence[Sequence[Coloured]]) -> None:
    """The ratio of each pair, on the screen and as JSON."""
    table = Table("pair", *names, title="ΔE00 over leaving it gray", title_justify="left")
    for row in rows:
        ratios = (each.ratio for each in row)
        table.add_row(row[0].pair.name, *("no picture" if ratio is None else f"{ratio:.2f}" for ratio in ratios))
    Console(width=160).print(table)
    FOLDER.mkdir(parents=True, exist_ok=True)
    every = [each for row in rows for each in row]
    kept = [{"pair": each.pair.name, "kind": each.pair.kind, "arm": each.arm, **each.measures} for each in every]
    (FOLDER / "colour_pairs.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def _figures(names: Sequence[str], rows: Sequence[Sequence[Coloured]]) -> Iterator[Figure]:
    """Medians: of the ratio for each kind of pairs, with how many have a picture; of each measure over all pairs."""
    for kind in KINDS:
        found = {name: _ratios(rows, place, kind) for place, name in enumerate(names)}
        medians = {name: median(ratios) for name, ratios in found.items() if ratios}
        for name, value in medians.items():
            target, holds = _judged(kind, value, medians) if name == OURS else ("", None)
            yield Figure(f"{kind}: {name} ({len(found[name])} pairs)", value, "× gray", target, holds)
    for place, name in enumerate(names):
        for measure, goal in MEASURES.items():
            values = [row[place].measures[measure] for row in rows if measure in row[place].measures]
            if values:
                value = goal.of(values)
                target, holds = (goal.words, goal.least <= value <= goal.most) if name == OURS else ("", None)
                yield Figure(f"{name}: {measure}, {goal.of.__name__}", value, "", target, holds)
        seconds = median(row[place].seconds for row in rows)
        judged = ("≤ 10", seconds <= 10) if name == OURS else ("", None)
        yield Figure(f"{name}: time, descent apart", seconds, "s", *judged)


def _ratios(rows: Sequence[Sequence[Coloured]], place: int, kind: str) -> list[float]:
    return [row[place].ratio or 0.0 for row in rows if row[place].pair.kind == kind and row[place].ratio is not None]


def _judged(kind: str, value: float, medians: Mapping[str, float]) -> tuple[str, bool]:
    """The target of our own arm among pairs of a kind."""
    if kind == "drawn":
        return "≤ 0.6", value <= 0.6
    if kind == "unrelated":
        return "below uniform tint", value < medians["uniform tint"]
    others = min(value for name, value in medians.items() if name not in (OURS, "registered"))
    most = 1.1 * medians["registered"]
    return f"≤ {most:.2f} (1.1 × registered) and < {others:.2f} (any other)", value <= most and value < others


def _lay_out(names: Sequence[str], rows: Sequence[Sequence[Coloured]]) -> None:
    lines = [_titles(["truth", "gray", "style", *names])]
    for row in rows:
        pair = row[0].pair
        pictures = [pair.truth, pair.content, pair.style, *(each.picture for each in row)]
        lines.append(np.hstack([_boxed(picture) for picture in pictures]))
    Image.fromarray(np.vstack(lines)).save(FOLDER / "colour.png")


def _titles(words: Sequence[str]) -> Pixels:
    strip = Image.new("RGB", ((CELL_PX + 8) * len(words), 20), "white")
    draw = ImageDraw.Draw(strip)
    for place, word in enumerate(words):
        draw.text((place * (CELL_PX + 8) + 4, 4), word, fill="black")
    return np.asarray(strip)


def _boxed(picture: Pixels | None) -> Pixels:
    """On a white square; an empty one where there is no picture."""
    box = np.full((CELL_PX + 8, CELL_PX + 8, 3), 255, np.uint8)
    if picture is not None:
        fitted = resized(picture, CELL_PX, multiple=1)
        box[4 : 4 + fitted.shape[0], 4 : 4 + fitted.shape[1]] = fitted
    return box


if __name__ == "__main__":
    main()
