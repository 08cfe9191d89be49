"""What a colorizing process is handed and what it answers."""

from dataclasses import dataclass
from pathlib import Path

from colorize.encoders.weights import WeightsFile
from colorize.errors import ColorizeError
from colorize.recipes.recipe import Precision, Recipe
from colorize.results import Colorization


@dataclass(frozen=True)
class PictureJob:
    """A stored picture, the style it takes its colours from, and the marks that a curator drew on it."""

    key: str
    content: Path
    style: Path | None
    marks: Path | None = None
    checkpoint: Path | None = None
    """Where its state is kept while it is worked on."""


@dataclass(frozen=True)
class Minibatch:
    """What a process is handed at once: pictures of equal working size under one recipe."""

    recipe: Recipe
    jobs: tuple[PictureJob, ...]


@dataclass(frozen=True)
class Progress:
    """Pictures done since the last message, in parts of pictures."""

    pictures: float


@dataclass(frozen=True)
class Note:
    """What a person should know of a job beside its result."""

    key: str
    sentence: str


@dataclass(frozen=True)
class Done:
    """A job's end."""

    key: str
    result: Colorization | ColorizeError


@dataclass(frozen=True)
class Workplace:
    """What a process needs to know once."""

    device: str
    weights: WeightsFile
    max_pixels: int
    precision: Precision | None
    checkpoint_s: float
    memory_share: float
