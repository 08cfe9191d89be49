"""What a GPU gives, in one call of at most six minutes: `python -m tests.benchmarks.gpu`; docs/gpu.md says how.

It needs torch, numpy, Pillow and safetensors and no network. Sections come in the order of their weight; each writes
its figures as they come, a section that fails says so and the rest go on, and those for which no time is left are
named. `--toy` runs the same lines on a CPU in small: its figures mean nothing.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from colorize.device import on_device
from colorize.encoders.loading import load_encoder, random_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.encoders.weights import shipped_weights
from colorize.images.decode import Pixels
from colorize.images.resize import resized, to_gray
from colorize.methods.neural_style.cuda_graph import captured
from colorize.methods.neural_style.descent import Optimisation, OptimisationState
from colorize.methods.neural_style.engine import Engine, Operands
from colorize.methods.neural_style.losses import Targets
from colorize.methods.neural_style.optimisers import Lbfgs, OnePassLbfgs
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.methods.neural_style.pooling import largest_of_four, to_the_largest
from colorize.recipes.library import recipe_named
from colorize.recipes.recipe import Precision, Recipe
from colorize.running.memory import in_halves
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from tests.benchmarks.figures import FOLDER, Figure, Publication

RECIPE = recipe_named("jadh2016/config3_2_3")
OWN = NeuralStyle.of(RECIPE)
FLOP_PER_PIXEL = 1_549_056
"""Of the full VGG-19: forward to conv5_1 and backward to the picture, multiplications and additions."""
NIGHT_PICTURES, NIGHT_ITERATIONS = 1600, 1000


@dataclass(frozen=True)
class Scale:
    """How large everything is."""

    device: str = "cuda"
    edge_px: int = 512
    small_edge_px: int = 256
    print_px: tuple[int, int] = (1200, 1800)
    minibatches: tuple[int, ...] = (32, 16, 8, 1)
    iterations: int = 1000
    few: int = 30
    settled: int = 200
    """Iterations after which a small picture's loss hardly falls any more."""
    rounds: int = 5
    launches: int = 8
    product: int = 8192
    widths: tuple[int, ...] | None = None
    """Of the full encoder; VGG-19's when None."""

    @property
    def most(self) -> int:
        """Pictures of the largest minibatch, which the targets speak of."""
        return max(self.minibatches)


TOY = Scale("cpu", 32, 32, (64, 96), (2, 1), 12, 6, 6, 1, 1, 64, (4, 6, 8, 8, 8))


@dataclass
class Bench:
    """What the sections measure with."""

    scale: Scale
    folder: Path
    until: float
    """By `time.monotonic()`: when the long section stops, and no other begins."""
    only: tuple[str, ...] = ()
    """Beginnings of the names of sections to run; all when there are none."""

    @cached_property
    def full(self) -> Encoder:
        """The shape of VGG-19, with seeded random weights, on the device."""
        style = torch.from_numpy(_coloured((224, 224))).permute(2, 0, 1)[None].float()
        return on_device(random_encoder(widths=self.scale.widths, pictures=style), self.scale.device)

    @cached_property
    def shipped(self) -> Encoder:
        """nishiki's own small one, on the device."""
        return on_device(load_encoder(shipped_weights()), self.scale.device)

    @property
    def judged(self) -> bool:
        """Do targets hold here? They were set for a GPU."""
        return self.scale.device != "cpu"

    def figure(self, name: str, value: float, unit: str, most: float | None = None, note: str = "") -> Figure:
        """A figure, judged against the most that it may be."""
        if most is None:
            return Figure(name, value, unit, note=note)
        return Figure(name, value, unit, f"≤ {most:g}", value <= most if self.judged else None, note)


def _coloured(size: tuple[int, int], seed: int = 0) -> Pixels:
    return draw_print(design(seed), 0, size).pixels


def _tensor(pixels: Pixels, encoder: Encoder) -> Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].to(encoder.device, encoder.dtype).contiguous()


@cache
def _square(edge_px: int, seed: int) -> Pixels:
    return _coloured((edge_px, edge_px), seed)


def descent_of(
    encoder: Encoder, precision: Precision, rows: Sequence[int], edge_px: int, recipe: Recipe = RECIPE
) -> Optimisation:
    """Square pictures of a minibatch, by their numbers, before their first iteration; four are drawn, in turn."""
    engine = Engine(recipe, Operands(encoder, precision))
    style = engine.style_grams(_tensor(_square(edge_px, 7), encoder))
    contents = [_tensor(to_gray(_square(edge_px, row % 4)), encoder) for row in rows]
    features = [engine.content_features(content) for content in contents]
    return Optimisation(engine, Targets.of(features, [style] * len(rows)), torch.cat(contents))


def _synchronised(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _captured(step: Callable[[], None], kept: dict[str, Tensor]) -> Callable[[], None]:
    return captured(step, kept) if next(iter(kept.values())).is_cuda else step


def seconds_of(run: Callable[[], object], scale: Scale) -> float:
    """Median over rounds of some launches each, after one that does not count."""
    device = torch.device(scale.device)
    run()
    taken = []
    for _ in range(scale.rounds):
        _synchronised(device)
        began = time.perf_counter()
        for _ in range(scale.launches):
            run()
        _synchronised(device)
        taken.append((time.perf_counter() - began) / scale.launches)
    return statistics.median(taken)


def _forget_peak(device: torch.device) -> int:
    if device.type != "cuda":
        return 0
    torch.cuda.synchronize(device)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def _peak(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0


def machine(bench: Bench) -> Iterator[Figure]:
    """The card, what it can hold, and what its own matrix product and copy come to."""
    scale = bench.scale
    if scale.device != "cpu":
        free, total = torch.cuda.mem_get_info()
        about = f"{torch.cuda.get_device_name()}, compute capability {torch.cuda.get_device_capability()}"
        yield Figure("memory of the card", total / 1e9, "GB", note=f"{about}; {free / 1e9:.1f} GB free")
    versions: Any = torch.version
    cudnn: Any = torch.backends.cudnn
    yield Figure("torch", None, "", note=f"{torch.__version__}, CUDA {versions.cuda}, cuDNN {cudnn.version()}")
    a, b = (torch.randn(scale.product, scale.product, device=scale.device).bfloat16() for _ in range(2))
    yield Figure("bfloat16 matrix product", _product_flops(bench, a, b) / 1e12, "TFLOP/s")
    taken = seconds_of(lambda: a.copy_(b), scale)
    yield Figure("copy, read and written", 2 * a.nbytes / taken / 1e12, "TB/s")
    for encoder in (bench.shipped, bench.full):
        widths = tuple(len(encoder.convolutions[f"conv{block}_1"][1]) for block in range(1, 6))
        yield Figure(f"encoder {encoder.name}", None, "", note=f"{encoder.checksum or 'no file'}, channels {widths}")


def _product_flops(bench: Bench, a: Tensor, b: Tensor) -> float:
    return 2 * bench.scale.product**3 / seconds_of(lambda: a @ b, bench.scale)


def speed(encoder: Encoder, precision: Precision, count: int) -> Callable[[Bench], Iterator[Figure]]:
    """An evaluation with its step, the optimiser alone, memory, and the night that it comes to."""

    def section(bench: Bench) -> Iterator[Figure]:
        scale, device = bench.scale, encoder.device
        name = f"{_called(encoder, bench)}, {precision}, {count} at {scale.edge_px}²"
        target = encoder is bench.full and precision == "bfloat16" and count == scale.most
        before = _forget_peak(device)
        state = descent_of(encoder, precision, range(count), scale.edge_px).states[0]
        if device.type == "cuda":
            state.capture()
        whole = seconds_of(state.advance, scale) / count
        peak = (_peak(device) - before) / 1e9
        for most in (1.2, 0.8) if target else (None,):
            yield bench.figure(f"{name}: evaluation and step", whole * 1e3, "ms a picture", most)
        yield bench.figure(f"{name}: peak memory", peak, "GB", 40 if target else None)
        share = _optimiser_seconds(state, scale) / count / whole * 100
        yield bench.figure(f"{name}: optimiser", share, "% of a step", 8 if target else None)
        night = whole * NIGHT_PICTURES * NIGHT_ITERATIONS / 60
        for most in (32, 22) if target else (None,):
            yield bench.figure(f"{name}: the night", night, "minutes", most)
        if encoder is bench.full:
            achieved = FLOP_PER_PIXEL * scale.edge_px**2 / whole / 1e12
            yield Figure(f"{name}: arithmetic", achieved, "TFLOP/s")

    return section


def _called(encoder: Encoder, bench: Bench) -> str:
    return "VGG-19" if encoder is bench.full else encoder.name


def _optimiser_seconds(state: OptimisationState, scale: Scale) -> float:
    flat = state.tensors["pictures"]
    optimiser = OnePassLbfgs(flat, OWN.history, OWN.step_limit)

    def step() -> None:
        optimiser.learn(flat, flat)
        optimiser.step(flat)

    return seconds_of(_captured(step, dict(optimiser.tensors)), scale)


def share_of_peak(bench: Bench) -> Iterator[Figure]:
    """The largest minibatch in bfloat16, beside a matrix product in the same seconds."""
    scale, encoder = bench.scale, bench.full
    state = descent_of(encoder, "bfloat16", range(scale.most), scale.edge_px).states[0]
    a, b = (torch.randn(scale.product, scale.product, device=scale.device).bfloat16() for _ in range(2))
    if encoder.device.type == "cuda":
        state.capture()
    rates = []
    for _ in range(3):
        rate = _product_flops(bench, a, b)
        pixels = scale.most * scale.edge_px**2
        rates.append(FLOP_PER_PIXEL * pixels / seconds_of(state.advance, scale) / rate)
    yield Figure("VGG-19, bfloat16: share of the card's own product", statistics.median(rates) * 100, "%")


def agreement(bench: Bench) -> Iterator[Figure]:
    """One evaluation alone and in a minibatch; a whole descent as a graph, plain, by two loops.

    Pictures are not compared: L-BFGS makes percents of a rounding error.
    """
    scale, edge = bench.scale, min(64, bench.scale.small_edge_px)
    both, alone = (descent_of(bench.full, "float32", range(count), edge).states[0] for count in (2, 1))
    gradients = [
        state.evaluator.evaluate(state.targets, state.tensors["pictures"].view(-1, 3, edge, edge), 1.0)[1][0]
        for state in (both, alone)
    ]
    apart = float((gradients[0] - gradients[1]).norm() / gradients[1].norm())
    yield bench.figure("float32 gradient, alone and in a minibatch", apart, "relative", 1e-4)
    yield bench.figure("pooling's gradient, ours and autograd's", _pooling_apart(bench), "largest difference", 0)
    graph = descent_of(bench.full, "float32", range(2), edge).states[0]
    if bench.full.device.type == "cuda":
        graph.capture()
    start = both.tensors["pictures"].clone()
    optimiser = Lbfgs(start, OWN.history, OWN.step_limit)
    loops = OptimisationState(both.evaluator, both.targets, start.view(2, 3, edge, edge), optimiser)
    for state in (both, graph, loops):
        for _ in range(scale.settled):
            state.advance()
    for name, state in (("in a CUDA graph", graph), ("by two loops", loops)):
        apart = float((state.tensors["best_loss"] / both.tensors["best_loss"] - 1).abs().max())
        yield bench.figure(f"float32 loss after {scale.settled} steps, plain and {name}", apart, "relative", 0.01)


def _pooling_apart(bench: Bench) -> float:
    """Of values so few that many tie, in each width of layer."""
    apart = 0.0
    for maps in (5, 24, 64, 512):
        lower = torch.randint(0, 3, (2, maps, 34, 31), device=bench.scale.device).bfloat16()
        lower = lower.contiguous(memory_format=torch.channels_last).requires_grad_()
        pooled = functional.max_pool2d(lower, 2)
        gradient = torch.rand_like(pooled)
        (wanted,) = torch.autograd.grad(pooled, lower, gradient)
        with torch.no_grad():
            found = (largest_of_four(lower) - pooled, to_the_largest(gradient, lower) - wanted)
            apart = max(apart, *(float(each.abs().max()) for each in found))
    return apart


def parity(bench: Bench) -> Iterator[Figure]:
    """The same descents here and on the CPU, float32, by the path that a night takes on each.

    On the steep part of a descent L-BFGS makes percents of the last digits: the losses are compared when it is over.
    """
    edge = min(64, bench.scale.small_edge_px)
    recipe = RECIPE.changed(iterations=bench.scale.settled)
    for encoder in (bench.full, bench.shipped):
        losses = []
        for where in (encoder, encoder.to("cpu")):
            descent = descent_of(where, "float32", range(2), edge, recipe)
            descent.run()
            losses.append(descent.states[0].tensors["best_loss"].cpu())
        apart = float((losses[0] / losses[1] - 1).abs().max())
        name = f"{_called(encoder, bench)}, float32 loss after {bench.scale.settled} iterations, here and on the CPU"
        yield bench.figure(name, apart, "relative", 0.01)


def thousand(bench: Bench) -> Iterator[Figure]:
    """A minibatch's whole descent as a night makes it, and its loss on the way."""
    scale = bench.scale
    recipe = RECIPE.changed(iterations=scale.iterations)
    descent = descent_of(bench.full, "bfloat16", range(scale.most), scale.edge_px, recipe)

    def in_time(_: Optimisation) -> None:
        if time.monotonic() > bench.until:
            raise TimeoutError(f"no time was left after {descent.done} of {descent.iterations} iterations")

    began = time.perf_counter()
    try:
        descent.run(in_time)
        _synchronised(bench.full.device)
    finally:
        wall, done = time.perf_counter() - began, descent.done
        curve = _curve(descent)
        (bench.folder / "gpu_losses.json").write_text(json.dumps(curve) + "\n", encoding="utf-8")
    name = f"VGG-19, bfloat16, {done} iterations of {scale.most} at {scale.edge_px}²"
    yield Figure(f"{name}: wall time", wall, "s", note="the graph's capture is in it")
    yield bench.figure(f"{name}: each", wall / done / scale.most * 1e3, "ms a picture", 1.2)
    night = wall / done * NIGHT_ITERATIONS * NIGHT_PICTURES / scale.most / 60
    yield bench.figure(f"{name}: the night", night, "minutes", 32)
    optimised = descent.optimised()
    shown = ", ".join(f"{at}: {total:.4g}" for at, total in curve[:: max(1, len(curve) // 10)])
    yield Figure(f"{name}: loss, last over first", curve[-1][1] / curve[0][1], "×", note=shown)
    yield Figure(
        f"{name}: pictures without a finite loss",
        float((~optimised.finite).sum()),
        "",
        "0",
        bool(optimised.finite.all()),
    )
    yield Figure(f"{name}: put back on a good iterate", float(optimised.restored.sum()), "times")


def _curve(descent: Optimisation) -> list[tuple[int, float]]:
    traces = descent.states[0].traces
    return [
        (int(each[0]["iteration"]), statistics.fmean(one["total"] for one in each))
        for each in zip(*traces, strict=True)
    ]


def out_of_memory(bench: Bench) -> Iterator[Figure]:
    """A minibatch for which there is no room: halved, and its losses as those of one that had room."""
    scale, encoder = bench.scale, bench.full
    count, edge = max(4, scale.most // 2), scale.small_edge_px
    recipe = RECIPE.changed(iterations=scale.few)

    def at_once(rows: Sequence[int], halvings: int) -> dict[str, tuple[float, int]]:
        if encoder.device.type == "cpu" and len(rows) > limit:
            raise torch.OutOfMemoryError("out of memory: a toy's limit")
        descent = descent_of(encoder, "bfloat16", rows, edge, recipe)
        descent.run()
        losses = descent.states[0].tensors["best_loss"][:, 0].tolist()
        return {str(row): (loss, halvings) for row, loss in zip(rows, losses, strict=True)}

    def refused(row: int, why: str) -> dict[str, tuple[float, int]]:
        raise AssertionError(f"picture {row} found no room alone: {why}")

    limit = count

    def with_room(rows: int) -> tuple[dict[str, tuple[float, int]], int]:
        _forget_peak(encoder.device)
        return in_halves(range(rows), at_once, refused), _reserved(encoder.device)

    (_, half_need), (free, need) = (with_room(rows) for rows in (count // 2, count))
    limit = count // 2
    _forget_peak(encoder.device)
    with _room_for(encoder.device, 1.15 * half_need):
        cramped = in_halves(range(count), at_once, refused)
    halvings = {each for _, each in cramped.values()}
    note = f"{half_need / 1e9:.2f} GB for {count // 2}, {need / 1e9:.2f} GB for {count} of {edge}²"
    halved, done = halvings == {1}, set(cramped) == set(free)
    yield Figure("out of memory: halvings", float(max(halvings)), "", "1", halved, note)
    yield Figure("out of memory: pictures that came out", float(len(cramped)), "", f"{count}", done)
    apart = max(abs(cramped[key][0] / free[key][0] - 1) for key in free)
    yield bench.figure("out of memory: losses, halved and not", apart, "relative", 0.01)


def _reserved(device: torch.device) -> int:
    return torch.cuda.max_memory_reserved(device) if device.type == "cuda" else 0


@contextmanager
def _room_for(device: torch.device, size: float) -> Iterator[None]:
    """As if the card held no more than so many bytes."""
    if device.type != "cuda":
        yield
        return
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(size / total, device)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)


def door(bench: Bench) -> Iterator[Figure]:
    """The colorizer itself, where what it imports is there: neural style on the device, checkpoints and all."""
    from colorize.colorizer import Conditions, colorizer_for  # noqa: PLC0415  (scikit-image, SciPy)
    from colorize.jobs import Job  # noqa: PLC0415
    from colorize.results import Colorization  # noqa: PLC0415

    scale = bench.scale
    recipe = RECIPE.changed(iterations=scale.few, long_edge_px=scale.small_edge_px)
    colorizer = colorizer_for(recipe, bench.shipped, scale.device, Conditions(checkpoint_s=0.01))
    content, style = [to_gray(_coloured(scale.print_px, row)) for row in range(3)], _coloured(scale.print_px, 7)
    with TemporaryDirectory() as folder:
        jobs = [Job(f"{row}", content[row], style, Path(folder) / f"{row}.safetensors") for row in range(3)]
        began = time.perf_counter()
        found = colorizer.colorize(jobs)
        wall = time.perf_counter() - began
        kept = all(job.checkpoint.exists() for job in jobs if job.checkpoint)
        again = colorizer.colorize(jobs)
    why = "; ".join(str(each) for each in (*found, *again) if isinstance(each, Exception))
    made = [(one, other) for one, other in zip(found, again, strict=True)
            if isinstance(one, Colorization) and isinstance(other, Colorization)]  # fmt: skip
    yield Figure("the door: pictures of 3 that came out", float(len(made)), "", "3", len(made) == 3, why)
    yield Figure(f"the door: {scale.few} iterations at {scale.small_edge_px} px", wall / 3, "s a picture")
    apart = max((abs(one.errors.total_mean / other.errors.total_mean - 1) for one, other in made), default=np.nan)
    name = "the door: errors, whole and taken up from a checkpoint"
    yield Figure(name, apart, "relative", "≤ 0.01", kept and apart <= 0.01)


def colour(bench: Bench) -> Iterator[Figure]:
    """nishiki/colour, the default: a whole picture where its imports are there, else what of it a GPU does."""
    scale, encoder = bench.scale, bench.shipped
    recipe = recipe_named("nishiki/colour")
    content, style = to_gray(_coloured(scale.print_px, 1)), _coloured(scale.print_px, 7)
    size = "×".join(map(str, scale.print_px))
    try:
        from colorize.colorizer import colorizer_for  # noqa: PLC0415  (scikit-image, SciPy)
        from colorize.jobs import Job  # noqa: PLC0415
    except ImportError as error:
        small = [resized(each, recipe.long_edge_px) for each in (content, to_gray(style))]
        taken = seconds_of(lambda: _partners(encoder, small), scale)
        yield Figure("nishiki/colour, features and partners only", taken, "s a picture", note=f"without {error.name}")
        return
    colorizer = colorizer_for(recipe, encoder, scale.device)
    colorizer.colorize([Job("warm", content, style)])
    times, said = [], set[str]()
    for row in range(3):
        job = Job(str(row), to_gray(_coloured(scale.print_px, row)), style)
        began = time.perf_counter()
        (found,) = colorizer.colorize([job])
        times.append(time.perf_counter() - began)
        said.add(str(found) if isinstance(found, Exception) else found.refusal or "")
    note = "; ".join(sorted(said - {""}))
    yield Figure(f"nishiki/colour, a whole print of {size}", statistics.median(times), "s a picture", note=note)


@torch.no_grad()
def _partners(encoder: Encoder, pictures: Sequence[Pixels]) -> Tensor:
    """Deep features of both, and the softmax over their likeness, as places find their like."""
    sides = []
    for picture in pictures:
        found = encoder.features(_tensor(picture, encoder), ("conv2_2", "conv3_4", "conv4_4"))
        shape = found["conv3_4"].shape[2:]
        cells = [functional.interpolate(each, size=shape)[0].flatten(1) for each in found.values()]
        sides.append(torch.cat([functional.normalize(each, dim=0) for each in cells]))
    weights = torch.softmax(sides[0].T @ sides[1] / 0.02, 1)
    return (weights @ sides[1].T).cpu()


def cudnn_search(bench: Bench) -> Iterator[Figure]:
    """The largest minibatch once more, each convolution by the kernel that cuDNN finds fastest by trying."""
    scale = bench.scale
    cudnn: Any = torch.backends.cudnn
    cudnn.benchmark = True
    try:
        state = descent_of(bench.full, "bfloat16", range(scale.most), scale.edge_px).states[0]
        if bench.full.device.type == "cuda":
            state.capture()
        taken = seconds_of(state.advance, scale) / scale.most
    finally:
        cudnn.benchmark = False
    name = f"VGG-19, bfloat16, {scale.most} at {scale.edge_px}², kernels tried by cuDNN: evaluation and step"
    yield Figure(name, taken * 1e3, "ms a picture")


def kernels(bench: Bench) -> Iterator[Figure]:
    """Where an iteration's time goes, kernel by kernel, in gpu_kernels.txt."""
    profiler: Any = torch.profiler
    state = descent_of(bench.full, "bfloat16", range(bench.scale.most), bench.scale.edge_px).states[0]
    state.advance()
    on_gpu = bench.full.device.type == "cuda"
    activities = [profiler.ProfilerActivity.CUDA if on_gpu else profiler.ProfilerActivity.CPU]
    with profiler.profile(activities=activities) as profile:
        state.advance()
        _synchronised(bench.full.device)
    key = "self_device_time_total" if on_gpu else "self_cpu_time_total"
    table = profile.key_averages().table(sort_by=key, row_limit=25, max_name_column_width=90)
    (bench.folder / "gpu_kernels.txt").write_text(table, encoding="utf-8")
    yield Figure("kernels of an iteration, kinds", len(profile.key_averages()), "", note="gpu_kernels.txt")


def sections(bench: Bench) -> Iterator[tuple[str, Callable[[Bench], Iterator[Figure]]]]:
    """Every section by name, the weightiest first."""
    most = bench.scale.most
    yield "machine", machine
    yield f"VGG-19, bfloat16, {most}", speed(bench.full, "bfloat16", most)
    yield "agreement", agreement
    yield "parity", parity
    yield "1,000 iterations", thousand
    yield "out of memory", out_of_memory
    yield "share of peak", share_of_peak
    yield "nishiki/colour", colour
    yield "the door", door
    for count in bench.scale.minibatches[1:]:
        yield f"VGG-19, bfloat16, {count}", speed(bench.full, "bfloat16", count)
    yield "kernels", kernels
    yield "kernels tried by cuDNN", cudnn_search
    for count in bench.scale.minibatches:
        yield f"{bench.shipped.name}, bfloat16, {count}", speed(bench.shipped, "bfloat16", count)
    for count in bench.scale.minibatches[::-1]:
        yield f"VGG-19, float32, {count}", speed(bench.full, "float32", count)
    for count in bench.scale.minibatches[::-1]:
        yield f"{bench.shipped.name}, float32, {count}", speed(bench.shipped, "float32", count)


def measured(bench: Bench, publication: Publication) -> None:
    """Every section for which there is time, each kept as it comes."""
    began = time.monotonic()
    for name, section in sections(bench):
        if bench.only and not any(name.startswith(each) for each in bench.only):
            continue
        if time.monotonic() > bench.until:
            publication.add(Figure(f"{name}: left out", None, "", note="no time was left"))
            continue
        try:
            for figure in section(bench):
                publication.add(figure)
        except Exception as error:  # noqa: BLE001  (one section's fault must not cost the others)
            publication.add(Figure(f"{name}: failed", None, "", "", False, f"{type(error).__name__}: {error}"[:600]))
        if bench.scale.device != "cpu":
            torch.cuda.empty_cache()
    publication.add(Figure("all of it", time.monotonic() - began, "s", "≤ 360"))


def main() -> None:
    """Every figure that this machine can give in its time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--toy", action="store_true", help="small sizes on a CPU: shows that every line runs")
    parser.add_argument("--into", type=Path, default=FOLDER, help="folder of gpu.json and what goes with it")
    parser.add_argument("--budget-s", type=float, default=300, help="seconds after which no section begins")
    parser.add_argument("--only", nargs="*", default=(), help="beginnings of sections' names; left out: all")
    options = parser.parse_args()
    if not options.toy and not torch.cuda.is_available():
        parser.exit(message="There is no GPU here; nothing is claimed for one (--toy runs it in small on a CPU).\n")
    if options.toy:
        torch.set_num_threads(1)
    options.into.mkdir(parents=True, exist_ok=True)
    name = "a toy on a CPU" if options.toy else torch.cuda.get_device_name()
    bench = Bench(
        TOY if options.toy else Scale(), options.into, time.monotonic() + options.budget_s, tuple(options.only)
    )
    measured(bench, Publication("gpu", name, options.into))


if __name__ == "__main__":
    main()
