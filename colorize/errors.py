"""What can go wrong while pictures are read and colorized.

    ColorizeError                root; the message says which thing, what happened, what to do
    ├── UnreadableImage          the bytes are no picture that we read, or a damaged one
    │   └── OversizedImage       transient: over the limit, or more than memory holds; either may grow
    ├── PictureTooSmall          a side has fewer pixels than the encoder's deepest layers need
    ├── StyleWithoutColour       a style image that is itself gray or toned
    ├── UnwritableFormat         a file name whose suffix names no format that is written
    ├── PictureGone              transient: a stored picture's file is missing or cannot be read
    │   └── PictureAltered       transient: it has other bytes than those that were stored
    ├── UnknownRecipe            no recipe of that name
    ├── BadRecipe                a recipe's values contradict each other or leave their bounds
    ├── BadMarks                 a curator's marks are no marks, lie outside the picture, or are too many
    ├── BadMask                  a mask is no picture, of another size, or neither black nor white
    ├── UnknownEncoder           no encoder of that name is installed
    ├── WeightsMissing           the encoder's weights are not where they should be
    ├── WeightsCorrupt           the weights are there, but their checksum or shapes are wrong
    ├── OutOfMemory              transient: the batch was too large for the device at that moment
    ├── TrainingStopped          there is too little to learn from, or the losses are no numbers any more
    ├── Diverged                 the optimisation gave no finite iterate
    ├── Unsolved                 a sparse system did not come to its solution in the rounds it has
    ├── NotFit                   the one picture asked for came out too poor, and nobody asked to keep it all the same
    ├── DeviceMissing            the device asked for is not in this machine
    ├── SetAside                 workers died over the picture, as often as it was tried
    └── WorkerDied               transient: the process that colorized ended without a word

`transient` belongs to the class: the same call may succeed later, so dispatch may give it another number.
In a batch a picture that merely came out poor is an outcome with its figures, not an error.
"""

from typing import ClassVar


class ColorizeError(Exception):
    """Root of everything that `colorize` raises on purpose."""

    transient: ClassVar[bool] = False


class UnreadableImage(ColorizeError):
    """The bytes cannot be made into a picture, today or tomorrow."""


class OversizedImage(UnreadableImage):
    """The picture is larger than the limit or the memory; with more of either it can be read."""

    transient = True


class PictureTooSmall(ColorizeError):
    """There is too little of the picture to compare it in the encoder's deep layers."""


class StyleWithoutColour(ColorizeError):
    """There are no colours to be taken from the style image."""


class UnwritableFormat(ColorizeError):
    """A result cannot be written in the format that its name asks for."""


class PictureGone(ColorizeError):
    """A stored picture's file is not there; it can be fetched or restored."""

    transient = True


class PictureAltered(PictureGone):
    """A stored picture's file has other bytes than its name says; it can be fetched or restored."""


class UnknownRecipe(ColorizeError):
    """No recipe has the name asked for."""


class BadRecipe(ColorizeError):
    """A recipe's values cannot be worked with."""


class BadMarks(ColorizeError):
    """Marks that cannot be laid on the picture; the message names every fault."""


class BadMask(ColorizeError):
    """A mask that cannot be laid on the picture."""


class UnknownEncoder(ColorizeError):
    """No installed encoder has the name asked for."""


class WeightsMissing(ColorizeError):
    """The encoder's weights were not found."""


class WeightsCorrupt(ColorizeError):
    """The encoder's weights are not the ones they claim to be."""


class OutOfMemory(ColorizeError):
    """The device could not hold the batch; a smaller one, or the same one later, may fit."""

    transient = True


class TrainingStopped(ColorizeError):
    """A model cannot be taught, or not any further; what it was at its best is kept."""


class Diverged(ColorizeError):
    """Every iterate of the optimisation held infinities or NaN."""


class Unsolved(ColorizeError):
    """A sparse system's solution was not reached."""


class NotFit(ColorizeError):
    """The one picture asked for is not fit to be shown as a colorization."""


class DeviceMissing(ColorizeError):
    """The device asked for is not there."""


class SetAside(ColorizeError):
    """The workers that colorized it died, as often as it was tried."""


class WorkerDied(ColorizeError):
    """The colorizing process was killed or crashed; another one may finish the work."""

    transient = True


def error_named(name: str, message: str) -> ColorizeError:
    """An error that was told by the name of its class, as workers tell theirs."""
    kind = globals().get(name)
    if isinstance(kind, type) and issubclass(kind, ColorizeError):
        return kind(message)
    return ColorizeError(f"{name}: {message}")
