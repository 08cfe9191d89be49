"""The engine on a CPU, one thread: against the plain peer, the multiplication rate, and the reference's figures.

Ratios of CPU seconds in one run, interleaved, medians. The plain peer is eager float32 autograd with torch.optim.LBFGS.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from skimage import data
from torch import Tensor

from colorize.device import use_one_thread
from colorize.encoders.loading import random_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.images.resize import resized, to_gray
from colorize.methods.neural_style.descent import OptimisationState
from colorize.methods.neural_style.engine import Engine, Operands, multiplies_bfloat16
from colorize.methods.neural_style.losses import Evaluator, ReferenceEvaluator, Targets
from colorize.methods.neural_style.optimisers import Lbfgs
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.library import recipe_named
from colorize.recipes.recipe import Precision
from colorize.running.prepare import to_tensor
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.spikes import spiking_pairs

RECIPE = recipe_named("jadh2016/config3_2_3")
ROUNDS = 7
CPU = torch.device("cpu")
FLOP_PER_PIXEL = 1_549_056
"""Forward to conv5_1 and backward to the picture, multiplications and additions."""


def main() -> None:
    """Every figure of the engine that a CPU can give."""
    use_one_thread()
    encoder = random_encoder()
    figures = [*_speed(encoder, 128), *_speed(encoder, 256), *_exactness(), *spiking_pairs(), *_memory()]
    publish("engine", figures)


def _pictures(encoder: Encoder, edge: int) -> tuple[Tensor, Tensor]:
    """A gray content and a colour style, (1, 3, edge, edge)."""
    photographs: Any = data
    gray = to_gray(photographs.camera()[..., None].repeat(3, 2))
    content, style = (to_tensor(resized(each, edge), encoder) for each in (gray, photographs.astronaut()))
    return content, style


def _targets(evaluator: Evaluator, content: Tensor, style: Tensor) -> Targets:
    return Targets.of([evaluator.content_features(content)], [evaluator.style_grams(style)])


def _speed(encoder: Encoder, edge: int) -> Iterator[Figure]:
    content, style = _pictures(encoder, edge)
    engines = {precision: Engine(RECIPE, Operands(encoder, precision)) for precision in ("float32", "bfloat16")}
    runs: dict[str, Callable[[], object]] = {"plain": _plain_step(ReferenceEvaluator(RECIPE, encoder), content, style)}
    for precision, engine in engines.items():
        runs[precision] = _evaluation(engine, content, style)
    runs["optimiser"] = _optimiser_step(content)
    runs["product"] = _product()
    taken = _interleaved(runs)
    native = multiplies_bfloat16(CPU)
    rate = _PRODUCT_FLOP / taken["product"]
    yield Figure(f"plain peer, one step at {edge}²", taken["plain"] * 1e3, "ms")
    limits: dict[Precision, tuple[float, float]] = {"float32": (1.0, 0.95), "bfloat16": (0.55, 1.8)}
    for precision, (most, least) in limits.items():
        ratio = taken[precision] / taken["plain"]
        achieved = FLOP_PER_PIXEL * edge * edge / taken[precision] / rate
        judged = precision == "float32" or native
        name = f"{precision} evaluation at {edge}²" + ("" if judged else ", widened: this CPU has no bfloat16 units")
        yield Figure(f"{name}, time", ratio, "× plain", f"≤ {most}", ratio <= most if judged else None)
        yield Figure(f"{name}, rate", achieved, "× sgemm", f"≥ {least}", achieved >= least if judged else None)
    share = taken["optimiser"] / taken["bfloat16" if native else "float32"]
    yield Figure(f"optimiser at {edge}²", share * 100, "% of an evaluation", "≤ 2", share <= 0.02)


_PRODUCT_FLOP = 2 * 1024 * 4608 * 512


def _product() -> Callable[[], Tensor]:
    """A matrix product of the shape of a deep convolution: the rate that the machine has to give."""
    a, b = torch.randn(1024, 4608), torch.randn(4608, 512)
    return lambda: a @ b


def _plain_step(reference: ReferenceEvaluator, content: Tensor, style: Tensor) -> Callable[[], object]:
    targets, picture = _targets(reference, content, style), content.clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [picture], lr=1e-3, max_iter=1, history_size=10, tolerance_grad=-1, tolerance_change=-1
    )

    def closure() -> Tensor:
        terms, picture.grad = reference.evaluate(targets, picture, 1.0)
        return terms.total.sum()

    return lambda: optimiser.step(closure)  # type: ignore[no-untyped-call]


def _evaluation(engine: Engine, content: Tensor, style: Tensor) -> Callable[[], object]:
    targets = _targets(engine, content, style)
    return lambda: engine.evaluate(targets, content, 1.0)


def _optimiser_step(content: Tensor) -> Callable[[], object]:
    optimiser = Lbfgs(content.flatten(1), NeuralStyle.of(RECIPE).history, NeuralStyle.of(RECIPE).step_limit)
    generator = torch.Generator().manual_seed(0)
    moved, gradient = (torch.randn(1, content.numel(), generator=generator) for _ in range(2))
    for _ in range(NeuralStyle.of(RECIPE).history):
        optimiser.learn(moved, moved)

    def step() -> None:
        optimiser.learn(moved, moved)
        optimiser.step(gradient)

    return step


def _interleaved(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median CPU seconds of each, in rounds that take turns."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS + 1):
        for name, run in runs.items():
            began = time.process_time()
            run()
            taken[name].append(time.process_time() - began)
    return {name: statistics.median(each[1:]) for name, each in taken.items()}


def _exactness() -> Iterator[Figure]:
    """Float64: the hand-written path beside autograd, and a stack beside torch.optim.LBFGS picture by picture."""
    encoder = random_encoder().to(CPU, torch.float64)
    content, style = _pictures(encoder, 64)
    engine, reference = Engine(RECIPE, Operands(encoder, "float64")), ReferenceEvaluator(RECIPE, encoder)
    moved = content + torch.randn(content.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours, theirs = (each.evaluate(_targets(each, content, style), moved, 0.9)[1] for each in (engine, reference))
    apart = float((ours - theirs).norm() / theirs.norm())
    yield Figure("hand-written backward and autograd, float64", apart, "relative", "≤ 1e-12", apart <= 1e-12)
    apart = _apart_from_torch()
    yield Figure("stack and torch.optim.LBFGS singly, 60 steps", apart, "relative", "≤ 1e-6", apart <= 1e-6)


def _apart_from_torch() -> float:
    """Largest distance of two pictures' ways in a stack from torch's single ones, clamp off, float64."""
    encoder = random_encoder(widths=(8, 8, 16, 16, 16)).to(CPU, torch.float64)
    engine = Engine(RECIPE.changed(step_limit=255.0), Operands(encoder, "float64"))
    pictures = [_pictures(encoder, 32), tuple(each.flip(3) * 0.9 for each in _pictures(encoder, 32))]
    alone = [_targets(engine, *pair) for pair in pictures]
    targets = Targets.of([each.content for each in alone], [each.style for each in alone])
    start = torch.cat([content for content, _ in pictures])
    state = OptimisationState(engine, targets, start, Lbfgs(start.flatten(1), NeuralStyle.of(RECIPE).history, 1e30))
    for _ in range(60):
        state.advance()
    ends = [_torchs_end(engine, each, content) for each, (content, _) in zip(alone, pictures, strict=True)]
    ours = state.tensors["pictures"].view(start.shape)
    return max(float((end - mine).norm() / end.norm()) for end, mine in zip(ends, ours, strict=True))


def _torchs_end(engine: Engine, targets: Targets, content: Tensor) -> Tensor:
    picture = content.clone().requires_grad_()
    torchs = torch.optim.LBFGS(
        [picture], lr=1, max_iter=1, history_size=NeuralStyle.of(RECIPE).history, tolerance_grad=-1, tolerance_change=-1
    )

    def closure() -> Tensor:
        terms, picture.grad = engine.evaluate(targets, picture.detach(), 1.0)
        return terms.total.sum()

    for _ in range(60):
        torchs.step(closure)  # type: ignore[no-untyped-call]
    return picture.detach()[0]


def _memory() -> Iterator[Figure]:
    """Peak of a 512² picture above a loaded, idle process (its own, so that nothing else has grown before)."""
    for precision, target in (("bfloat16", 450), ("float32", None)):
        told = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.memory", precision], check=True, capture_output=True, text=True
        )
        peak, reckoned = map(float, told.stdout.split())
        holds = None if target is None else peak <= target
        yield Figure(f"peak memory at 512², {precision}", peak, "MB", f"≤ {target}" if target else "", holds)
        yield Figure(
            f"peak memory at 512², {precision}, reckoned", reckoned / peak, "× measured", "≥ 1", reckoned >= peak
        )


if __name__ == "__main__":
    main()
