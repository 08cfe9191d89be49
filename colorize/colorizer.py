"""The door: `colorizer_for(recipe, encoder, device).colorize(jobs)` gives a Colorization or an error for each job.

`flows.workers.worker` calls it, one for each device. A failure is a failure: no gray picture ever comes out in
place of a result. What is durable when: a job's checkpoint every so many seconds, until its result is there.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from colorize.device import on_device
from colorize.encoders.vgg19 import Encoder, known_layers
from colorize.errors import ColorizeError, Unsolved
from colorize.finish.compose import finished
from colorize.jobs import Job
from colorize.measures.targets import saved_errors
from colorize.methods.neural_style.engine import Operands, multiplies_bfloat16
from colorize.methods.neural_style.losses import TargetCache
from colorize.methods.work import SMALLER, Found, Work, no_room
from colorize.recipes.recipe import Precision, Recipe
from colorize.results import Colorization
from colorize.running.memory import is_out_of_memory
from colorize.running.prepare import Prepared, prepare
from colorize.running.progress import NO_CALLBACKS, ProgressCallbacks

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
    models: Mapping[str, Path] = field(default_factory=dict)
    """Role → file of the trained models besides the encoder."""
    cache: TargetCache = field(default_factory=TargetCache)

    def __post_init__(self) -> None:
        """A recipe that names unknown layers is nobody's picture's fault.

        Raises:
            BadRecipe: it does.
        """
        recipe = self.recipe
        known_layers({*recipe.content_layers, *recipe.style_layers, *recipe.parameters.layers})

    @property
    def encoder(self) -> Encoder:
        """Whose figures come out."""
        return self.operands.encoder

    def colorize(self, jobs: Sequence[Job], callbacks: ProgressCallbacks = NO_CALLBACKS) -> list[_End]:
        """Colorize jobs, together where the recipe's method can.

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
                prepared.append(prepare(self.recipe, job))
            except ColorizeError as error:
                done[job.key] = error
            else:
                for note in prepared[-1].notes:
                    callbacks.tell(job.key, note)
        work = self.work(callbacks)
        for each, found in self.recipe.way.colours(prepared, work):
            done[each.job.key] = found if isinstance(found, ColorizeError) else self._finished(each, found, work)
        return [done[job.key] for job in jobs]

    def work(self, callbacks: ProgressCallbacks = NO_CALLBACKS) -> Work:
        """What the method is handed."""
        conditions = self.conditions
        limits = conditions.checkpoint_s, conditions.memory_share
        return Work(self.recipe, self.operands, self.cache, *limits, callbacks, self.models)

    def _finished(self, each: Prepared, found: Found, work: Work) -> _End:
        """The same for every method: from its colours to the picture that is kept, with its figures."""
        began = time.monotonic()
        try:
            found = _numbered(found, each.places)
            made = finished(self.recipe, each, found.colours, found.measures)
            (errors,) = saved_errors(self.recipe, self.encoder, self.cache, [each], made.seen[None])
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return no_room(work, each, error, SMALLER)
        except Unsolved as error:
            return error
        return Colorization(
            key=each.job.key,
            picture=made.picture,
            errors=errors,
            measures=made.measures,
            trace=found.trace,
            iterations=self.recipe.parameters.iterations,
            seconds=found.seconds + time.monotonic() - began,
            seed=self.recipe.seed,
            device=str(self.encoder.device),
            precision=self.operands.precision,
            deep=made.deep,
            origins=found.origins,
            trust=found.trust,
            frame=each.frame,
            left_out=each.left_out,
            refusal=made.refusal,
        )


def _numbered(found: Found, places: Sequence[int]) -> Found:
    """With the styles' numbers as they were given: some may have been left out."""
    names = {f"style_{at}": f"style_{place}" for at, place in enumerate(places, start=1)}
    measures = {names.get(name, name): value for name, value in found.measures.items()}
    origins = found.origins
    if origins is not None:
        origins = replace(origins, style=np.array([0, *places], np.uint8)[origins.style])
    return replace(found, measures=measures, origins=origins)


def colorizer_for(
    recipe: Recipe,
    encoder: Encoder,
    device: str,
    conditions: Conditions = Conditions(),
    models: Mapping[str, Path] = MappingProxyType({}),
) -> Colorizer:
    """The colorizer of a recipe on a device (`cpu`, `cuda:0`).

    Raises:
        DeviceMissing: the device is not there.
    """
    there = on_device(encoder, device)
    precision = conditions.precision or ("bfloat16" if multiplies_bfloat16(there.device) else "float32")
    return Colorizer(recipe, Operands(there, precision), conditions, models)
