"""The door: `colorizer_for(recipe, encoder).colorize(jobs)` gives a Colorization or a ColorizeError for each job.

`flows.dispatch` calls it in one process for each device. A failure is a failure: no gray picture ever comes out in
place of a result.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colorize import measure
from colorize.errors import ColorizeError, DeviceMissing, Diverged, OutOfMemory
from colorize.images import resized, to_gray
from colorize.methods.neural_style import OnProgress, descend
from colorize.recipe import Colorization, Job, Recipe
from colorize.vgg.encoder import Encoder
from colorize.vgg.losses import Targets


def device_names(wish: str = "auto") -> list[str]:
    """The devices to use: every GPU, else the CPU; or what the operator wishes (`cpu`, `cuda`, `cuda:1`).

    Raises:
        DeviceMissing: the wish cannot be met here.
    """
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    choices = {"auto": gpus or ["cpu"], "cpu": ["cpu"], "cuda": gpus} | {name: [name] for name in gpus}
    if found := choices.get(wish):
        return found
    raise DeviceMissing(f"there is no device {wish!r} here; there is {', '.join(['cpu', *gpus])}")


def use_one_thread() -> None:
    """One thread for each of torch's calls: where several run at once, more collapse 7–14 times on a busy core."""
    torch.set_num_threads(1)


def library_versions() -> dict[str, str]:
    """What a result depends on, by distribution."""
    return {name: version(name) for name in ("nishiki", "torch", "numpy", "pillow", "scikit-image")}


def working_pictures(recipe: Recipe, job: Job) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The content in gray and the style in colour at the recipe's size, sides multiples of 16."""
    return to_gray(resized(job.content, recipe.long_edge_px)), resized(job.style, recipe.long_edge_px)


def to_tensor(pixels: NDArray[np.uint8], encoder: Encoder) -> Tensor:
    """uint8 (H, W, 3) → (1, 3, H, W) in [0, 255], on the encoder's device, in its precision."""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].to(encoder.device, encoder.dtype)


def to_pixels(pictures: Tensor) -> NDArray[np.uint8]:
    """(B, 3, H, W), any float → uint8 (B, H, W, 3), rounded and clipped."""
    rounded: NDArray[np.uint8] = pictures.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return rounded


_Prepared = tuple[Job, NDArray[np.uint8], NDArray[np.uint8]]
"""A job with its content and style at working size."""
_End = Colorization | ColorizeError


@dataclass(frozen=True)
class Colorizer:
    """A recipe with the encoder that carries it out."""

    recipe: Recipe
    encoder: Encoder

    def colorize(self, jobs: Sequence[Job], on_progress: OnProgress | None = None) -> list[_End]:
        """Colorize jobs; those whose working pictures are of equal size run as one stack.

        Args:
            on_progress: told the iterations done and in all, stack by stack.

        Returns:
            One result or error for each job, in the jobs' order.
        """
        prepared = [(job, *working_pictures(self.recipe, job)) for job in jobs]
        prepared.sort(key=lambda item: item[1].shape)
        done: dict[str, _End] = {}
        for _, stack in groupby(prepared, key=lambda item: item[1].shape):
            done |= self._stack(list(stack), on_progress)
        return [done[job.key] for job in jobs]

    def _stack(self, stack: list[_Prepared], on_progress: OnProgress | None) -> dict[str, _End]:
        """One stack at once, or in halves where the device has no room for it."""
        try:
            return self._at_once(stack, on_progress)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            problem = str(error).splitlines()[0]
        torch.cuda.empty_cache()
        if len(stack) > 1:
            half = len(stack) // 2
            return self._stack(stack[:half], on_progress) | self._stack(stack[half:], on_progress)
        height, width = stack[0][1].shape[:2]
        sentence = f"{self.encoder.device} has no room for a picture of {width}×{height} px; give a smaller --size"
        return {stack[0][0].key: OutOfMemory(f"{sentence} ({problem})")}

    def _at_once(self, stack: list[_Prepared], on_progress: OnProgress | None) -> dict[str, _End]:
        began = time.perf_counter()
        contents = torch.cat([to_tensor(content, self.encoder) for _, content, _ in stack])
        styles = [to_tensor(style, self.encoder) for _, _, style in stack]
        targets = Targets.of(self.recipe, self.encoder, contents, styles)
        descent = descend(self.recipe, self.encoder, targets, contents, on_progress)
        pictures = to_pixels(descent.best)
        saved = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(contents)
        errors = measure.relative_errors(self.recipe, self.encoder, targets, saved)
        seconds = (time.perf_counter() - began) / len(stack)
        done: dict[str, _End] = {}
        for row, (job, content, _) in enumerate(stack):
            if not descent.finite[row]:
                done[job.key] = Diverged(f"no iterate had a finite loss under {self.recipe.name}")
                continue
            restored = {"restored": float(descent.restored[row])}
            measures = {**measure.picture_measures(content, pictures[row]), **restored}
            done[job.key] = Colorization(
                key=job.key,
                picture=pictures[row],
                errors=errors[row],
                measures=measures,
                trace=descent.traces[row],
                iterations=self.recipe.iterations,
                seconds=seconds,
                seed=self.recipe.seed,
                device=str(self.encoder.device),
                refusal=measure.refusal(measures),
            )
        return done


def _is_out_of_memory(error: RuntimeError) -> bool:
    """CUDA's own class, or what the CPU's allocator says."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def colorizer_for(recipe: Recipe, encoder: Encoder, device: str) -> Colorizer:
    """The colorizer of a recipe on a device (`cpu`, `cuda:0`).

    Raises:
        DeviceMissing: the device is not there.
    """
    try:
        return Colorizer(recipe, encoder.to(device))
    except (RuntimeError, AssertionError) as error:
        raise DeviceMissing(f"{device} cannot be used: {error}") from error
