"""The door: `colorizer_for(recipe, encoder, device).colorize(jobs)` gives a Colorization or an error for each job.

`flows.workers.pool` calls it in one process for each device. A failure is a failure: no gray picture ever comes out in
place of a result. What is durable when: a job's checkpoint every so many seconds, until its result is there.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np
import torch
from skimage.color import rgb2lab

from colorize.device import on_device
from colorize.encoders.vgg19 import Encoder, known_layers
from colorize.errors import BadMarks, ColorizeError, Diverged, OutOfMemory, Unsolved
from colorize.finish.compose import METHODS, Recoloured, recoloured
from colorize.images.decode import Pixels
from colorize.jobs import Job
from colorize.measures.quality import picture_measures
from colorize.measures.targets import saved_errors, stack_targets
from colorize.methods.neural_style.descent import Optimisation, Optimised
from colorize.methods.neural_style.engine import Engine, Operands, multiplies_bfloat16
from colorize.methods.neural_style.losses import Evaluator, ReferenceEvaluator, TargetCache
from colorize.recipes.limits import refusal
from colorize.recipes.recipe import Precision, Recipe
from colorize.results import Colorization, RelativeErrors
from colorize.running.checkpoint import Identity, read_checkpoint
from colorize.running.memory import (
    fits,
    free_bytes,
    in_halves,
    is_out_of_memory,
    long_edge_that_fits,
    picture_bytes,
    together,
)
from colorize.running.prepare import Prepared, prepare, to_pixels, to_tensor
from colorize.running.progress import NO_CALLBACKS, MinibatchProgress, ProgressCallbacks

_End = Colorization | ColorizeError


@dataclass(frozen=True)
class Conditions:
    """What a colorizer works under, whatever the recipe."""

    precision: Precision | None = None
    """What the network's operands are in; None is bfloat16 where the device multiplies it, else float32."""
    checkpoint_s: float = 60.0
    """Seconds between two checkpoints of a picture; 0: after every iteration."""
    memory_share: float = 1.0
    """The part of the free memory that is this process's to take."""


@dataclass(frozen=True)
class Colorizer:
    """A recipe with the operands that carry it out."""

    recipe: Recipe
    operands: Operands
    conditions: Conditions = Conditions()
    cache: TargetCache = field(default_factory=TargetCache)

    def __post_init__(self) -> None:
        """A recipe that names unknown layers is nobody's picture's fault.

        Raises:
            BadRecipe: it does.
        """
        known_layers({*self.recipe.content_layers, *self.recipe.style_layers, *self.recipe.colour_layers})

    @property
    def encoder(self) -> Encoder:
        """Whose figures come out."""
        return self.operands.encoder

    @property
    def evaluator(self) -> Evaluator:
        """Who says loss and gradient: the engine, or the reference in float64."""
        if self.operands.precision == "float64":
            return ReferenceEvaluator(self.recipe, self.encoder.to(self.encoder.device, torch.float64))
        return Engine(self.recipe, self.operands)

    def colorize(self, jobs: Sequence[Job], callbacks: ProgressCallbacks = NO_CALLBACKS) -> list[_End]:
        """Colorize jobs; those of equal working size run as one minibatch.

        Args:
            callbacks: told of parts of pictures as they are done, and of what a person should know beside the results,
                such as a checkpoint that does not fit.

        Returns:
            One result or error for each job, in the jobs' order.
        """
        done: dict[str, _End] = {}
        prepared: list[Prepared] = []
        for job in jobs:
            try:
                prepared.append(self._prepared(job, callbacks))
            except ColorizeError as error:
                done[job.key] = error
        if self.recipe.method == "neural_style":
            done |= self._descended(prepared, callbacks)
        else:
            done |= {each.job.key: self._carried(each, callbacks) for each in prepared}
        return [done[job.key] for job in jobs]

    def _descended(self, prepared: list[Prepared], callbacks: ProgressCallbacks) -> dict[str, _End]:
        done: dict[str, _End] = {}
        prepared.sort(key=lambda item: item.common)
        for _, equal in groupby(prepared, key=lambda item: item.common):
            minibatch = list(equal)
            most = self._most_together(minibatch)
            for at in range(0, len(minibatch), most):
                done |= self._colorized(minibatch[at : at + most], callbacks)
        return done

    def _prepared(self, job: Job, callbacks: ProgressCallbacks) -> Prepared:
        prepared = prepare(self.recipe, job)
        if self.recipe.method != "neural_style":
            return prepared
        self._check_room(prepared)
        if job.checkpoint is None:
            return prepared
        found = read_checkpoint(job.checkpoint, self.identity(prepared))
        if isinstance(found, str):
            callbacks.tell(job.key, found)
            return prepared
        return replace(prepared, state=found)

    def identity(self, prepared: Prepared) -> Identity:
        """What the picture's checkpoint is known by."""
        return Identity(
            recipe=self.recipe.digest(),
            weights=self.encoder.checksum,
            content=prepared.content_sha256,
            style=prepared.style_sha256,
            precision=self.operands.precision,
            device=self.encoder.device.type,
            torch=torch.__version__,
        )

    def _check_room(self, prepared: Prepared) -> None:
        """On a CPU: before the kernel ends the process for it."""
        if self.encoder.device.type != "cpu":
            return
        height, width = prepared.content.shape[:2]
        engine, free = Engine(self.recipe, self.operands), self._free()
        if not fits(engine, height, width, free):
            raise self._no_room(height, width, f"{picture_bytes(engine, height, width) / 1e6:.0f} MB are needed")

    def _no_room(self, height: int, width: int, why: str) -> OutOfMemory:
        edge = long_edge_that_fits(Engine(self.recipe, self.operands), height, width, self._free())
        remedy = f"--size {edge} would fit" if edge else "free some memory"
        return OutOfMemory(f"{self.encoder.device} has no room for a picture of {width}×{height} px ({why}); {remedy}")

    def _free(self) -> int:
        return int(free_bytes(self.encoder.device) * self.conditions.memory_share)

    def _most_together(self, minibatch: Sequence[Prepared]) -> int:
        """On a GPU: how many such pictures find room at once, by what an evaluation of one was seen to take."""
        device = self.encoder.device
        if device.type != "cuda" or len(minibatch) == 1 or not self.recipe.iterations:
            return len(minibatch)
        torch.cuda.synchronize(device)
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        free = self._free()
        try:
            state = self._descent(minibatch[:1]).states[0]
            state.capture()
            state.advance()
        except RuntimeError as error:
            if is_out_of_memory(error):
                return 1
            raise
        torch.cuda.synchronize(device)
        return together(torch.cuda.max_memory_allocated(device) - before, free)

    def _colorized(self, minibatch: Sequence[Prepared], callbacks: ProgressCallbacks) -> dict[str, _End]:
        """One minibatch at once, or in halves where the device has no room for it."""

        def at_once(part: Sequence[Prepared], halvings: int) -> dict[str, _End]:
            progress = MinibatchProgress(
                part, [self.identity(each) for each in part], callbacks, self.conditions.checkpoint_s
            )
            try:
                return self._at_once(part, progress, halvings)
            except RuntimeError:
                progress.take_back()
                raise

        def refused(each: Prepared, why: str) -> dict[str, _End]:
            height, width = each.content.shape[:2]
            return {each.job.key: self._no_room(height, width, why)}

        return in_halves(minibatch, at_once, refused)

    def _descent(self, minibatch: Sequence[Prepared]) -> Optimisation:
        evaluator = self.evaluator
        dtype = torch.float64 if self.operands.precision == "float64" else torch.float32
        contents = torch.cat([to_tensor(each.content, self.encoder) for each in minibatch]).to(dtype)
        descent = Optimisation(
            evaluator, stack_targets(evaluator, self.encoder, self.cache, minibatch, dtype), contents
        )
        if states := [each.state for each in minibatch if each.state is not None]:
            descent.take_up(states)
        return descent

    def _at_once(self, minibatch: Sequence[Prepared], progress: MinibatchProgress, halvings: int) -> dict[str, _End]:
        optimised = self._optimised(minibatch, progress)
        done: dict[str, _End] = {}
        painted: list[tuple[int, Recoloured]] = []
        for row, (each, picture) in enumerate(zip(minibatch, to_pixels(optimised.best), strict=True)):
            if not optimised.finite[row]:
                done[each.job.key] = Diverged(f"no iterate had a finite loss under {self.recipe.name}")
                continue
            try:
                painted.append((row, self._painted(each, picture)))
            except Unsolved as error:
                done[each.job.key] = error
        if not painted:
            return done
        seen = np.stack([result.seen for _, result in painted])
        found = saved_errors(self.recipe, self.encoder, self.cache, [minibatch[row] for row, _ in painted], seen)
        seconds = progress.seconds
        for (row, result), errors in zip(painted, found, strict=True):
            run = {
                "restored": float(optimised.restored[row]), "stack": float(len(minibatch)), "halvings": float(halvings),
            }  # fmt: skip
            ended = self._ended(minibatch[row], result, errors, seconds)
            measures = {**ended.measures, **run}
            done[ended.key] = replace(ended, measures=measures, trace=tuple(optimised.traces[row]))
        return done

    def _painted(self, each: Prepared, picture: Pixels) -> Recoloured:
        """What neural style made of a picture: kept as it is, or for its colours only."""
        if self.recipe.lightness == "content":
            return recoloured(self.recipe, each, np.asarray(rgb2lab(picture)[..., 1:], np.float32))
        measures = picture_measures(each.content, picture, each.style)
        return Recoloured(picture, None, picture, measures, refusal(measures, self.recipe.limits))

    def _carried(self, each: Prepared, callbacks: ProgressCallbacks) -> _End:
        """By a method that finds chroma at once."""
        began = time.monotonic()
        try:
            painted = recoloured(self.recipe, each, METHODS[self.recipe.method](each, self.encoder, self.recipe))
            (errors,) = saved_errors(self.recipe, self.encoder, self.cache, [each], painted.seen[None])
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            height, width = each.content.shape[:2]
            what = f"{self.encoder.device} has no room for a picture of {width}×{height} px"
            return OutOfMemory(f"{what} ({str(error).splitlines()[0]}); free some memory or give a smaller --size")
        except (BadMarks, Unsolved) as error:
            return error
        callbacks.on_progress(1.0)
        return self._ended(each, painted, errors, time.monotonic() - began)

    def _ended(self, each: Prepared, painted: Recoloured, errors: RelativeErrors, seconds: float) -> Colorization:
        return Colorization(
            key=each.job.key,
            picture=painted.picture,
            errors=errors,
            measures=painted.measures,
            trace=(),
            iterations=self.recipe.iterations,
            seconds=seconds,
            seed=self.recipe.seed,
            device=str(self.encoder.device),
            precision=self.operands.precision,
            deep=painted.deep,
            refusal=painted.refusal,
        )

    def _optimised(self, minibatch: Sequence[Prepared], progress: MinibatchProgress) -> Optimised:
        """What a descent came to; its history is gone when the figures are taken, which need memory too."""
        descent = self._descent(minibatch)
        descent.run(progress)
        return descent.optimised()


def colorizer_for(recipe: Recipe, encoder: Encoder, device: str, conditions: Conditions = Conditions()) -> Colorizer:
    """The colorizer of a recipe on a device (`cpu`, `cuda:0`).

    Raises:
        DeviceMissing: the device is not there.
    """
    there = on_device(encoder, device)
    precision = conditions.precision or ("bfloat16" if multiplies_bfloat16(there.device) else "float32")
    return Colorizer(recipe, Operands(there, precision), conditions)
