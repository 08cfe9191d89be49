"""What a method's function is handed beside its pictures, and what it gives for each of them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from colorize.encoders.vgg19 import Encoder
from colorize.errors import ColorizeError, OutOfMemory, Unsolved
from colorize.methods.base import Colours
from colorize.methods.neural_style.engine import Operands
from colorize.methods.neural_style.losses import TargetCache
from colorize.recipes.recipe import Recipe
from colorize.results import Origins
from colorize.running.memory import free_bytes, is_out_of_memory
from colorize.running.prepare import Prepared
from colorize.running.progress import NO_CALLBACKS, ProgressCallbacks

SMALLER: Final = "free some memory or give a smaller --size"
Chroma = NDArray[np.float32]
"""float32, (h, w, 2), CIELAB a, b of the content at working size."""


@dataclass(frozen=True)
class Work:
    """What is to be done with the pictures, and with what."""

    recipe: Recipe
    operands: Operands
    """The encoder, and the precision that its operands are in."""
    cache: TargetCache
    checkpoint_s: float
    """Seconds between two checkpoints of a picture; 0: after every iteration."""
    memory_share: float
    """The part of the free memory that is this process's to take."""
    callbacks: ProgressCallbacks = NO_CALLBACKS
    models: Mapping[str, Path] = field(default_factory=dict)
    """Role → file of the trained models that did not come with nishiki."""

    @property
    def encoder(self) -> Encoder:
        """Whose features are looked at."""
        return self.operands.encoder

    @property
    def free(self) -> int:
        """Bytes that may be taken on the device now."""
        return int(free_bytes(self.encoder.device) * self.memory_share)


@dataclass(frozen=True)
class Measured:
    """A picture's chroma, and what the method measured on its way."""

    chroma: Chroma
    measures: Mapping[str, float]
    origins: Origins | None = None
    trust: NDArray[np.uint8] | None = None
    """Of the framed picture's cells, (rows, columns), 0 to 255; its mean, 0 to 1, is the measure `trust`."""


@dataclass(frozen=True)
class Found:
    """What a method found for one picture."""

    colours: NDArray[Any]
    """`Chroma` where the recipe keeps the scan's lightness, else a whole picture: uint8, (h, w, 3), sRGB."""
    seconds: float
    measures: Mapping[str, float] = field(default_factory=dict)
    """Of the run; those of the picture are taken when it is finished."""
    trace: tuple[Mapping[str, float], ...] = ()
    origins: Origins | None = None
    trust: NDArray[np.uint8] | None = None


def no_room(work: Work, each: Prepared, why: object, remedy: str) -> OutOfMemory:
    """The error of a picture that the device has no room for."""
    height, width = each.content.shape[:2]
    what = str(why).splitlines()[0]
    return OutOfMemory(f"{work.encoder.device} has no room for a picture of {width}×{height} px ({what}); {remedy}")


def alone(chroma: Callable[[Prepared, Work], Chroma | Measured]) -> Colours:
    """The door of a method that takes its pictures one by one, from a function that finds a picture's chroma."""

    @wraps(chroma)
    def colours(pictures: Sequence[Prepared], work: Work) -> Iterator[tuple[Prepared, Found | ColorizeError]]:
        for each in pictures:
            yield each, found(each, work)
            work.callbacks.on_progress(1.0)

    def found(each: Prepared, work: Work) -> Found | ColorizeError:
        began = time.monotonic()
        try:
            made = chroma(each, work)
            made = made if isinstance(made, Measured) else Measured(made, {})
            took = time.monotonic() - began
            return Found(made.chroma, took, made.measures, origins=made.origins, trust=made.trust)
        except Unsolved as error:
            return error
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return no_room(work, each, error, SMALLER)

    return colours
