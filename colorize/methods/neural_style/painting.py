"""Neural style at the door: pictures of one size descend together, checkpointed, within the memory there is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import rgb2lab

from colorize.errors import ColorizeError, Diverged, OutOfMemory
from colorize.images.decode import Pixels
from colorize.measures.targets import minibatch_targets
from colorize.methods.neural_style.descent import Optimisation, Optimised
from colorize.methods.neural_style.engine import Engine
from colorize.methods.work import Found, Work, no_room
from colorize.running.checkpoint import Identity, read_checkpoint
from colorize.running.memory import fits, in_halves, is_out_of_memory, long_edge_that_fits, picture_bytes, together
from colorize.running.prepare import Prepared, to_pixels, to_tensor
from colorize.running.progress import MinibatchProgress

Ends = Iterator[tuple[Prepared, Found | ColorizeError]]


def colours(pictures: Sequence[Prepared], work: Work) -> Ends:
    """Each picture as neural style paints it, or only its colours where the recipe keeps the scan's lightness."""
    ready: list[Prepared] = []
    for each in pictures:
        try:
            _check_room(each, work)
        except OutOfMemory as error:
            yield each, error
        else:
            ready.append(_taken_up(each, work))
    ready.sort(key=lambda each: each.common)
    for _, equal in groupby(ready, key=lambda each: each.common):
        equals = list(equal)
        most = _most_together(equals, work)
        for at in range(0, len(equals), most):
            yield from _painted(equals[at : at + most], work)


def identity(each: Prepared, work: Work) -> Identity:
    """What the picture's checkpoint is known by."""
    return Identity(
        recipe=work.recipe.digest(),
        weights=work.encoder.checksum,
        content=each.content_sha256,
        style=each.style_sha256,
        precision=work.operands.precision,
        device=work.encoder.device.type,
        torch=torch.__version__,
    )


def _taken_up(each: Prepared, work: Work) -> Prepared:
    """The picture where it was put down, if its checkpoint is there and fits."""
    if each.job.checkpoint is None:
        return each
    found = read_checkpoint(each.job.checkpoint, identity(each, work))
    if isinstance(found, str):
        work.callbacks.tell(each.job.key, found)
        return each
    return replace(each, state=found)


def _check_room(each: Prepared, work: Work) -> None:
    """On a CPU: before the kernel ends the process for it."""
    if work.encoder.device.type != "cpu":
        return
    height, width = each.content.shape[:2]
    engine = Engine(work.recipe, work.operands)
    if not fits(engine, height, width, work.free):
        raise _no_room(each, work, f"{picture_bytes(engine, height, width) / 1e6:.0f} MB are needed")


def _no_room(each: Prepared, work: Work, why: object) -> OutOfMemory:
    height, width = each.content.shape[:2]
    edge = long_edge_that_fits(Engine(work.recipe, work.operands), height, width, work.free)
    return no_room(work, each, why, f"--size {edge} would fit" if edge else "free some memory")


def _most_together(minibatch: Sequence[Prepared], work: Work) -> int:
    """On a GPU: how many such pictures find room at once, by what an evaluation of one was seen to take."""
    device = work.encoder.device
    if device.type != "cuda" or len(minibatch) == 1 or not work.recipe.parameters.iterations:
        return len(minibatch)
    torch.cuda.synchronize(device)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    free = work.free
    try:
        state = _descent(minibatch[:1], work).states[0]
        state.capture()
        state.advance()
    except RuntimeError as error:
        if is_out_of_memory(error):
            return 1
        raise
    torch.cuda.synchronize(device)
    return together(torch.cuda.max_memory_allocated(device) - before, free)


def _painted(minibatch: Sequence[Prepared], work: Work) -> Ends:
    """One minibatch at once, or in halves where the device has no room for it."""

    def at_once(part: Sequence[Prepared], halvings: int) -> dict[str, Found | ColorizeError]:
        progress = MinibatchProgress(part, [identity(each, work) for each in part], work.callbacks, work.checkpoint_s)
        try:
            optimised = _optimised(part, work, progress)
        except RuntimeError:
            progress.take_back()
            raise
        run = {"stack": float(len(part)), "halvings": float(halvings)}
        return {each.job.key: end for each, end in _ends(part, work, optimised, run, progress.seconds)}

    def refused(each: Prepared, why: str) -> dict[str, Found | ColorizeError]:
        return {each.job.key: _no_room(each, work, why)}

    ends = in_halves(minibatch, at_once, refused)
    return ((each, ends[each.job.key]) for each in minibatch)


def _optimised(minibatch: Sequence[Prepared], work: Work, progress: MinibatchProgress) -> Optimised:
    """What a descent came to; its history is gone when the pictures are finished, which needs memory too."""
    descent = _descent(minibatch, work)
    descent.run(progress)
    return descent.optimised()


def _descent(minibatch: Sequence[Prepared], work: Work) -> Optimisation:
    evaluator = work.operands.evaluator(work.recipe)
    dtype = torch.float64 if work.operands.precision == "float64" else torch.float32
    contents = torch.cat([to_tensor(each.content, work.encoder) for each in minibatch]).to(dtype)
    descent = Optimisation(
        evaluator, minibatch_targets(evaluator, work.encoder, work.cache, minibatch, dtype), contents
    )
    if states := [each.state for each in minibatch if each.state is not None]:
        descent.take_up(states)
    return descent


def _ends(
    minibatch: Sequence[Prepared], work: Work, optimised: Optimised, run: dict[str, float], seconds: float
) -> Ends:
    for row, (each, picture) in enumerate(zip(minibatch, to_pixels(optimised.best), strict=True)):
        if not optimised.finite[row]:
            yield each, Diverged(f"no iterate had a finite loss under {work.recipe.name}")
            continue
        measures = {"restored": float(optimised.restored[row])} | run
        yield each, Found(_kept(picture, work), seconds, measures, tuple(optimised.traces[row]))


def _kept(picture: Pixels, work: Work) -> Pixels | NDArray[np.float32]:
    if work.recipe.lightness == "free":
        return picture
    return np.asarray(rgb2lab(picture)[..., 1:], np.float32)
