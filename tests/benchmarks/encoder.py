"""The small encoder beside full VGG-19: what it keeps of its distances, how fast it is, what pictures it leads to.

Needs VGG-19 (`nishiki weights download`, or ../shared/weights) and, for real prints, ../shared. Everything is measured
on pictures that were held out by name before the training. Writes build/benchmarks/encoder.png: full, small, random.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from PIL import Image

from colorize.colorizer import Colorizer
from colorize.device import use_one_thread
from colorize.encoders.loading import load_encoder, random_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.encoders.weights import shipped_weights
from colorize.images.decode import Pixels
from colorize.images.resize import resized, to_gray
from colorize.jobs import Job
from colorize.measures.relative_errors import relative_errors
from colorize.methods.neural_style.engine import Engine, Operands
from colorize.methods.neural_style.losses import ReferenceEvaluator, Targets
from colorize.recipes.library import recipe_named
from colorize.results import Colorization
from colorize.running.prepare import prepare, to_tensor
from colorize.training.dataset import split
from colorize.training.quality import quality
from flows.settings import Settings
from flows.training.encoder import available_teacher, gather
from tests.benchmarks.figures import FOLDER, Figure, publish
from tests.benchmarks.matching import PAIRS, first_hits
from tests.shared import SHARED

RECIPE = recipe_named("jadh2016/config3_2_3").changed(iterations=60, long_edge_px=128)
PAIRS_OF_PICTURES = 10
ROUNDS = 5


def main() -> None:
    """Every target of the small encoder."""
    use_one_thread()
    settings = Settings(weights_dir=SHARED / "weights" if (SHARED / "weights").is_dir() else None)
    full = load_encoder(available_teacher(settings))
    small = load_encoder(shipped_weights())
    folders = tuple(folder for folder in (SHARED / "prints", SHARED / "faces") if folder.is_dir())
    pictures, _ = gather(folders)
    _, held = split(pictures)
    figures = [*_distances(full, small, list(held.values())), *_time(full, small)]
    if (SHARED / "prints").is_dir():
        share = first_hits(small, SHARED / "prints")
        figures.append(Figure(f"same design first ({', '.join(PAIRS)})", share, "share", "1", share == 1))
    publish("encoder", [*figures, *_pictures({"full": full, "small": small, "random": random_encoder()}, held)])


def _distances(full: Encoder, small: Encoder, held: Sequence[Pixels]) -> Iterator[Figure]:
    found = quality(full, small, held)
    for name, value in found.gram.items():
        yield Figure(f"Gram distances, {name}", value, "correlation", "≥ 0.95", value >= 0.95)
    for name, value in found.content.items():
        yield Figure(f"content distances, {name}", value, "correlation", "≥ 0.9", value >= 0.9)
    yield Figure("matching scores", found.matching, "rank correlation", "≥ 0.85", found.matching >= 0.85)


def _time(full: Encoder, small: Encoder) -> Iterator[Figure]:
    picture = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0)) * 255
    taken: list[list[float]] = [[], []]
    engines = [Engine(RECIPE, Operands(encoder, "float32")) for encoder in (full, small)]
    targets = [Targets.of([each.content_features(picture)], [each.style_grams(picture)]) for each in engines]
    for _ in range(ROUNDS + 1):
        for engine, target, seconds in zip(engines, targets, taken, strict=True):
            began = time.process_time()
            engine.evaluate(target, picture, 1.0)
            seconds.append(time.process_time() - began)
    ratio = statistics.median(taken[1][1:]) / statistics.median(taken[0][1:])
    yield Figure("evaluation at 256², float32", ratio, "× full", "≤ 0.15", ratio <= 0.15)


@dataclass(frozen=True)
class Optimised:
    """One pair's results by encoder, and their total errors as full VGG-19 sees them."""

    content: Pixels
    style: Pixels
    results: dict[str, Pixels]
    errors: dict[str, float]


def _pictures(encoders: dict[str, Encoder], held: dict[str, Pixels]) -> Iterator[Figure]:
    pairs = _pairs(held)
    walked = [_walk(encoders, content, style) for content, style in pairs]
    _lay_out(walked)
    for name in ("small", "random"):
        ratio = statistics.median(each.errors[name] / each.errors["full"] for each in walked)
        judged = name == "small"
        yield Figure(
            f"total error of neural style by {name}, seen by full, median of {len(walked)} pairs",
            ratio, "× by full", "≤ 1.15" if judged else "", ratio <= 1.15 if judged else None,
        )  # fmt: skip


def _pairs(held: dict[str, Pixels]) -> list[tuple[Pixels, Pixels]]:
    """Real pictures with one another, drawn ones where there are too few: each content with the style after it."""
    names = sorted(held, key=lambda name: (name.startswith("drawn"), name))[: PAIRS_OF_PICTURES + 1]
    return [(to_gray(held[one]), held[other]) for one, other in pairwise(names)]


def _walk(encoders: dict[str, Encoder], content: Pixels, style: Pixels) -> Optimised:
    job = Job("pair", content, style)
    prepared = prepare(RECIPE, job)
    full = encoders["full"]
    reference = ReferenceEvaluator(RECIPE, full)
    gray, colour = to_tensor(prepared.content, full), to_tensor(prepared.style, full)
    targets = Targets.of([reference.content_features(gray)], [reference.style_grams(colour)])
    results, errors = {}, {}
    for name, encoder in encoders.items():
        (found,) = Colorizer(RECIPE, Operands(encoder, "float32")).colorize([job])
        assert isinstance(found, Colorization), found
        results[name] = found.picture
        (seen,) = relative_errors(RECIPE, full, targets, to_tensor(found.picture, full))
        errors[name] = seen.total_mean
    return Optimised(prepared.content, prepared.style, results, errors)


def _lay_out(walked: Sequence[Optimised]) -> None:
    """A row for each pair: content, style, by full, by small, by random."""
    rows = []
    for each in walked:
        cells = [_boxed(picture) for picture in (each.content, each.style, *each.results.values())]
        rows.append(np.hstack([np.pad(cell, ((4, 4), (4, 4), (0, 0)), constant_values=255) for cell in cells]))
    FOLDER.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(rows)).save(FOLDER / "encoder.png")


def _boxed(picture: Pixels) -> Pixels:
    """On a white square of the recipe's size."""
    edge = RECIPE.long_edge_px
    fitted = resized(picture, edge)
    box = np.full((edge, edge, 3), 255, np.uint8)
    box[: fitted.shape[0], : fitted.shape[1]] = fitted[:edge, :edge]
    return box


if __name__ == "__main__":
    main()
