"""What the learned colorizers come to, and what that takes: `learned [part …]`, each part by itself.

Parts are `bins` (classification against regression), `masks` (one mask against ten), `loader`, `speed` and `prints`
(real prints that the shipped networks were never shown, where they lie beside the project). Each writes
build/benchmarks/learned_PART.json; every figure is kept as soon as it is there.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from statistics import median
from typing import Any, Final, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import rgb2lab

from colorize.colorizer import colorizer_for
from colorize.device import use_one_thread
from colorize.images.decode import Pixels
from colorize.images.resize import resized
from colorize.jobs import Job
from colorize.methods import cieluv_net, mask_gan
from colorize.methods.cieluv_net import Kind
from colorize.methods.mask_gan import Model as Gan
from colorize.methods.trained import SHIPPED, CieluvNet, models_in
from colorize.recipes.recipe import Recipe
from colorize.recipes.trained import recipes_of
from colorize.results import Colorization
from colorize.training.cieluv import CieluvLearner, CieluvSettings, palette
from colorize.training.colour_crops import ahead, gray_codes
from colorize.training.judging import Judged, judged, mean_of
from colorize.training.mask_gan import GanLearner, GanSettings
from colorize.training.masks import mask_of
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from tests.benchmarks.colour_arms import ARMS, OURS, made, neural_style
from tests.benchmarks.colour_pairs import Pair, actors, encoder
from tests.benchmarks.figures import Figure, publish

Floats = NDArray[np.float32]
Learner = CieluvLearner | GanLearner

DESIGNS, HELD_OUT, SEEDS = 24, 8, 3
NET: Final = CieluvSettings(steps=160, rate=2e-3, batch=4, view_px=128, edge_px=96)
GAN: Final = GanSettings(steps=300, batch=6, view_px=128, edge_px=96, width=16)
PUBLISHED: Final[Mapping[Kind, tuple[float, float, float]]] = {
    "classification": (34.64, 24.14, 6.5),
    "regression": (12.92, 19.02, 85.8),
}
"""Acc_U, Acc_V and saturation difference of Hwang and Zhou's Table 2, in %, on landscape photographs."""
UNSEEN: Final[Mapping[Literal["one", "ten", "all"], tuple[str, ...]]] = {
    "one": ("right half", "four rows", "ellipse", "random", "segmentation"),
    "ten": ("ellipse", "random", "noise", "segmentation"),
    "all": ("ellipse",),
}
"""Masks that a GAN was not taught with, by the set that it was."""
INSIDE_OVER_OUTSIDE, LOADER_SHARE, LOOK_S, FINISHED_RATIO = 10.0, 0.15, 0.5, 0.72
LOADER_STEPS, LOADER_WARM = 30, 6
SPEED_PX, SPEED_TIMES = 512, 7
FEW: Final = 5
"""Prints that neural style, which takes half a minute each, is tried on."""


def main(named: Sequence[str]) -> None:
    """Measure the parts that are named, or all."""
    if unknown := set(named) - set(PARTS):
        raise SystemExit(f"there is no part {', '.join(sorted(unknown))}; there is {', '.join(PARTS)}")
    for part in named or PARTS:
        publish(f"learned_{part}", PARTS[part](), "sample archive's designs" if part in DRAWN else "")


def bins() -> Iterator[Figure]:
    """Classification against regression with as many steps on the same designs, held-out designs coloured."""
    found: dict[Kind, list[Judged]] = defaultdict(list)
    for seed in range(SEEDS):
        for kind in PUBLISHED:
            began = time.monotonic()
            learner = _taught(CieluvLearner(replace(NET, kind=kind, seed=seed), encoder(), palette(_drawn()[0])))
            look = learner.model().chroma
            each = mean_of(judged(one.truth, look(one.gray, one.light, _AS_PUBLISHED)) for one in _drawn()[1])
            found[kind].append(each)
            yield Figure(f"{kind}, seed {seed}: seconds", time.monotonic() - began, "s", note=_words(each))
    whole = {kind: mean_of(rows) for kind, rows in found.items()}
    for kind, said in PUBLISHED.items():
        ours = whole[kind].acc_u, whole[kind].acc_v, whole[kind].saturation
        for name, value, theirs in zip(("Acc_U", "Acc_V", "saturation difference"), ours, said, strict=True):
            yield Figure(f"{kind}: {name}", 100 * value, "%", note=f"Hwang and Zhou: {theirs} %")
        yield Figure(f"{kind}: ΔE00 over gray's", whole[kind].ratio, "", "< 1", whole[kind].ratio < 1)
    less = whole["classification"].saturation / whole["regression"].saturation
    yield Figure("saturation difference, classification over regression", less, "", "< 1", less < 1)


_AS_PUBLISHED: Final = CieluvNet(network="0" * 64, unbinning="bin means")


def masks() -> Iterator[Figure]:
    """Chroma that a GAN lays inside masks that it was never shown over that outside, before any is cut off there."""
    for taught_with, unseen in UNSEEN.items():
        began = time.monotonic()
        settings = replace(GAN, masks=taught_with)
        learner = _taught(GanLearner(settings, torch.device("cpu"), palette(_drawn()[0])))
        yield Figure(f"{taught_with} of the masks: seconds", time.monotonic() - began, "s")
        found = {name: _inside_over_outside(learner.model(), name) for name in unseen}
        for name, value in found.items():
            yield Figure(f"{taught_with} of the masks: chroma inside over outside, {name}", value, "")
        least = min(found.values())
        wanted = taught_with != "one"
        target = f"≥ {INSIDE_OVER_OUTSIDE:g}" if wanted else "fails"
        holds = (least >= INSIDE_OVER_OUTSIDE) is wanted
        yield Figure(f"{taught_with} of the masks: the least of them", least, "", target, holds)


def _inside_over_outside(model: Gan, name: str) -> float:
    """Median over the held-out prints."""
    rng, found = np.random.default_rng(0), []
    for each in _drawn()[1]:
        square = _sized(each.light, (GAN.view_px, GAN.view_px))
        mask = _sized(mask_of(name, square, rng).astype(np.float32), each.light.shape[::-1])
        chroma = np.linalg.norm(model.chroma(each.gray, each.light, mask), axis=2)
        found.append(float(chroma[mask > 0.5].mean() / max(chroma[mask <= 0.5].mean(), 1e-6)))
    return median(found)


def _sized(plane: Floats, size: tuple[int, ...]) -> Floats:
    return np.asarray(cv2.resize(plane, size), np.float32)


def loader() -> Iterator[Figure]:
    """How long the networks wait for crops, in the sizes that they are trained with."""
    for word, settings in (("cieluv_net", CieluvSettings()), ("mask_gan", GanSettings())):
        prints = [settings.cutting.stored(draw_print(design(seed), 0).pixels) for seed in range(8)]
        learner: Learner = (
            CieluvLearner(settings, encoder(), palette(prints))
            if isinstance(settings, CieluvSettings)
            else GanLearner(settings, torch.device("cpu"), palette(prints))
        )
        waited = worked = 0.0
        crops = ahead(settings.cutting, prints, range(LOADER_STEPS))
        for number in range(LOADER_STEPS):
            began = time.perf_counter()
            step = next(crops)
            got = time.perf_counter()
            learner.learn(step)
            if number >= LOADER_WARM:
                waited, worked = waited + got - began, worked + time.perf_counter() - got
        share = waited / (waited + worked)
        yield Figure(f"{word}: seconds of a step", (waited + worked) / (LOADER_STEPS - LOADER_WARM), "s")
        yield Figure(f"{word}: share of the time in the loader", share, "", f"≤ {LOADER_SHARE}", share <= LOADER_SHARE)


def speed() -> Iterator[Figure]:
    """Seconds of one core for a print of 512 px; medians.

    Inference is the network's look and the colours that it names, at the picture's size; the door adds the finish,
    and the measures and errors that every result has, which read it through the encoder twice.
    """
    use_one_thread()
    cv2.setNumThreads(1)
    content, light = _gray(resized(draw_print(design(0), 0).pixels, SPEED_PX))
    for file in models_in(SHIPPED):
        model = _LOADED[file.method](file.checksum, None, encoder().device)
        for view_px in (model.view_px, SPEED_PX):
            look = replace(model, view_px=view_px).chroma
            took = _seconds(partial(look, content, light))
            name = f"{file.method}/{file.name}: inference, looked at at {view_px} px"
            yield Figure(name, took, "s", f"≤ {LOOK_S}", took <= LOOK_S)
    for recipe in _shipped():
        yield Figure(f"{recipe.name}: by the door", _seconds(partial(_by_the_door, recipe, content)), "s")


def _seconds(work: Callable[[], Any]) -> float:
    took = []
    for _ in range(SPEED_TIMES):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return median(took)


def prints() -> Iterator[Figure]:
    """Ways to colour the actor prints whose whole designs were held out of both networks' training."""
    unseen = set.intersection(*(set(each.card["held_out"]) for each in models_in(SHIPPED)))
    ways: dict[str, Callable[[Pair], Pixels | None]] = {
        **{recipe.name: _by(recipe) for recipe in _shipped()},
        OURS: lambda pair: made(pair).picture,
        **{name: ARMS[name] for name in ("Reinhard", "Welsh", "mean a, b by L")},
    }
    chosen = [pair for pair in actors() if pair.name in unseen]
    for name, way in ways.items():
        yield from _told("all", name, _judged(chosen, way))
    few = chosen[:: max(1, len(chosen) // FEW)][:FEW]
    for name, way in {"neural style": neural_style, **ways}.items():
        yield from _told("few", name, _judged(few, way))


def _told(which: str, way: str, found: tuple[list[Judged], float]) -> Iterator[Figure]:
    rows, seconds = found
    if not rows:
        return
    whole, middle = mean_of(rows), median(each.ratio for each in rows)
    note = f"median {middle:.3f}; {_words(whole)}; {len(rows)} prints, {seconds:.1f} s each"
    name = f"{way}, {which}: ΔE00 over gray's"
    if which == "all" and way.startswith("cieluv_net") and way.endswith("-areas"):
        yield Figure(name, whole.ratio, "", f"≤ {FINISHED_RATIO}", whole.ratio <= FINISHED_RATIO, note)
    else:
        yield Figure(name, whole.ratio, "", note=note)


def _judged(pairs: Sequence[Pair], way: Callable[[Pair], Pixels | None]) -> tuple[list[Judged], float]:
    """What a way comes to on each print that it can colour, and its seconds for one."""
    began = time.monotonic()
    made_of = [(pair, way(pair)) for pair in pairs]
    seconds = (time.monotonic() - began) / max(1, len(pairs))
    return [
        judged(pair.truth, np.asarray(rgb2lab(found)[..., 1:], np.float32))
        for pair, found in made_of
        if found is not None
    ], seconds


def _words(found: Judged) -> str:
    return (
        f"Acc_U {found.acc_u:.1%}, Acc_V {found.acc_v:.1%}, saturation difference {found.saturation:.1%}, "
        f"ΔE00 {found.ratio:.3f}, patchiness {found.patchiness:.2f}, colours {found.distribution:.2f}"
    )


@cache
def _shipped() -> tuple[Recipe, ...]:
    return tuple(recipe for file in models_in(SHIPPED) for recipe in recipes_of(file))


def _by(recipe: Recipe) -> Callable[[Pair], Pixels]:
    return lambda pair: _by_the_door(recipe, pair.content)


def _by_the_door(recipe: Recipe, content: Pixels) -> Pixels:
    (found,) = colorizer_for(recipe, encoder(), "cpu").colorize([Job("print", content, content)])
    assert isinstance(found, Colorization), found
    return found.picture


_LOADED: Final[Mapping[str, Callable[..., Any]]] = {"cieluv_net": cieluv_net.loaded, "mask_gan": mask_gan.loaded}


@dataclass(frozen=True)
class Drawn:
    """A drawn print that is coloured from its gray version."""

    truth: Pixels
    gray: Pixels
    light: Floats


@cache
def _drawn() -> tuple[list[Pixels], list[Drawn]]:
    """The prints of the designs to learn from, two impressions each, and those of the designs held out."""
    size = NET.cutting
    taught = [size.stored(draw_print(design(seed), which).pixels) for seed in range(DESIGNS) for which in range(2)]
    held = [resized(draw_print(design(DESIGNS + seed), 0).pixels, NET.view_px) for seed in range(HELD_OUT)]
    return taught, [Drawn(each, *_gray(each)) for each in held]


def _gray(truth: Pixels) -> tuple[Pixels, Floats]:
    light = np.asarray(rgb2lab(truth)[..., 0], np.float32)
    return np.repeat(gray_codes(light)[..., None], 3, 2), light


def _taught(learner: Any) -> Any:
    """After all of its steps."""
    for crops in ahead(learner.settings.cutting, _drawn()[0], range(learner.settings.steps)):
        learner.learn(crops)
    return learner


PARTS: Final[Mapping[str, Callable[[], Iterator[Figure]]]] = {
    "bins": bins,
    "masks": masks,
    "loader": loader,
    "speed": speed,
    "prints": prints,
}
DRAWN: Final = ("bins", "masks", "loader", "speed")

if __name__ == "__main__":
    main(sys.argv[1:])
