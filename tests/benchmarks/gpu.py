"""The engine on a GPU: `python -m tests.benchmarks.gpu`, one call of a few minutes; without a GPU it says so.

ms for an evaluation with its step, for each picture of stacks of 1, 8, 16 and 32 at 512², an iteration in a CUDA graph;
peak memory; the optimiser's share; what a night of 1,600 pictures × 1,000 iterations comes to.
"""

import statistics
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
from skimage import data
from torch import Tensor

from colorize.encoders.loading import random_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.images.resize import resized, to_gray
from colorize.methods.neural_style.descent import Walk
from colorize.methods.neural_style.engine import Engine, Operands
from colorize.methods.neural_style.losses import Targets
from colorize.methods.neural_style.optimisers import Lbfgs, OnePassLbfgs
from colorize.recipes.library import recipe_named
from colorize.recipes.recipe import Precision
from colorize.running.prepare import to_tensor
from tests.benchmarks.figures import Figure, publish

RECIPE = recipe_named("jadh2016/config3_2_3")
EDGE_PX, PICTURES, ITERATIONS = 512, 1600, 1000
STACKS = (1, 8, 16, 32)
ROUNDS, LAUNCHES = 5, 10


def main() -> None:
    """Every figure of the engine that a GPU can give."""
    if not torch.cuda.is_available():
        sys.stdout.write("There is no GPU here; nothing is claimed for one.\n")
        return
    encoder = random_encoder().to("cuda")
    figures = [*_agreement(encoder)]
    for precision in ("bfloat16", "float32"):
        for stack in STACKS:
            figures += _stack(encoder, precision, stack)
            torch.cuda.empty_cache()
    publish("gpu", figures, torch.cuda.get_device_name())


def _walk(encoder: Encoder, precision: Precision, stack: int, edge_px: int = EDGE_PX) -> Walk:
    photographs: Any = data
    engine = Engine(RECIPE, Operands(encoder, precision))
    gray, colour = to_gray(photographs.astronaut()), photographs.coffee()
    content, style = (to_tensor(resized(each, edge_px), encoder) for each in (gray, colour))
    targets = Targets.of([engine.content_features(content)] * stack, [engine.style_grams(style)] * stack)
    start = content.expand(stack, -1, -1, -1)
    return Walk(engine, targets, start, OnePassLbfgs(start.flatten(1), RECIPE.history, RECIPE.step_limit))


def _stack(encoder: Encoder, precision: Precision, stack: int) -> Iterator[Figure]:
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    walk = _walk(encoder, precision, stack)
    walk.capture()
    whole = _milliseconds(walk.advance) / stack
    peak = (torch.cuda.max_memory_allocated() - before) / 1e9
    flat = walk.tensors["pictures"]
    optimiser = OnePassLbfgs(flat, RECIPE.history, RECIPE.step_limit)
    share = _milliseconds(_captured(lambda: _step(optimiser, flat))) / stack / whole
    name, judged = f"{precision}, {stack} at {EDGE_PX}²", precision == "bfloat16" and stack == max(STACKS)
    yield Figure(
        f"{name}: evaluation and step", whole, "ms a picture", "≤ 0.8" * judged, whole <= 0.8 if judged else None
    )
    yield Figure(f"{name}: peak memory", peak, "GB", "≤ 40" * judged, peak <= 40 if judged else None)
    yield Figure(f"{name}: optimiser", share * 100, "%", "≤ 8" * judged, share <= 0.08 if judged else None)
    night = whole * PICTURES * ITERATIONS / 60_000
    for most in (32, 22) if judged else (None,):
        holds = None if most is None else night <= most
        yield Figure(f"{name}: the night", night, "minutes", f"≤ {most}" if most else "", holds)


def _step(optimiser: OnePassLbfgs, flat: Tensor) -> None:
    optimiser.learn(flat, flat)
    optimiser.step(flat)


def _captured(step: Callable[[], None]) -> Callable[[], None]:
    for _ in range(3):
        step()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def _milliseconds(run: Callable[[], None]) -> float:
    """Median over rounds of some launches each, by the device's clock."""
    event: Any = torch.cuda.Event
    run()
    taken: list[float] = []
    for _ in range(ROUNDS):
        began, ended = (event(enable_timing=True) for _ in range(2))
        began.record()
        for _ in range(LAUNCHES):
            run()
        ended.record()
        torch.cuda.synchronize()
        taken.append(began.elapsed_time(ended) / LAUNCHES)
    return statistics.median(taken)


def _agreement(encoder: Encoder) -> Iterator[Figure]:
    """One evaluation alone and in a stack; 30 steps captured, and by two loops, whose losses may differ by 1 %.

    Pictures are not compared after 30 steps: L-BFGS makes percents of a rounding error.
    """
    stack, alone = _walk(encoder, "float32", 2, 128), _walk(encoder, "float32", 1, 128)
    both = [
        walk.evaluator.evaluate(walk.targets, walk.tensors["pictures"].view(-1, 3, 128, 128), 1.0)[1][0]
        for walk in (stack, alone)
    ]
    apart = float((both[0] - both[1]).norm() / both[1].norm())
    yield Figure("float32 gradient alone and in a stack", apart, "relative", "≤ 1e-4", apart <= 1e-4)
    captured, start = _walk(encoder, "float32", 2, 128), stack.tensors["pictures"].clone()
    captured.capture()
    loops = Walk(
        stack.evaluator, stack.targets, start.view(2, 3, 128, 128), Lbfgs(start, RECIPE.history, RECIPE.step_limit)
    )
    for walk in (stack, captured, loops):
        for _ in range(30):
            walk.advance()
    for name, walk in (("in a CUDA graph", captured), ("by two loops", loops)):
        apart = float((walk.tensors["best_loss"] / stack.tensors["best_loss"] - 1).abs().max())
        yield Figure(f"float32 loss after 30 steps, plain and {name}", apart, "relative", "≤ 0.01", apart <= 0.01)


if __name__ == "__main__":
    main()
