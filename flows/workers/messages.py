"""What a worker is handed and what it answers: plain data, which any executor can send to wherever its workers are.

`flows.workers.batch_run` writes the questions and hears the answers; `worker.py` reads and gives them. Paths are those
of a folder that both see. Nothing here is alive: no catalogue, no tensor, no open file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter

from colorize.errors import ColorizeError, error_named
from colorize.recipes.recipe import Precision
from colorize.results import RelativeErrors


@dataclass(frozen=True)
class ModelFile:
    """A model's weights: what they are for, and what their file has to be."""

    role: str
    name: str
    checksum: str
    """SHA-256 (hex) of the file."""
    path: str


@dataclass(frozen=True)
class Limits:
    """What a worker keeps to, whatever its device."""

    max_pixels: int
    precision: Precision | None
    """None: the device's to say."""
    checkpoint_s: float


@dataclass(frozen=True)
class StylePath:
    """A stored style image, with how it lies on the content where both are of one design."""

    path: str
    registration: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class PictureJob:
    """A stored picture, the styles it takes its colours from, and the marks that a curator drew on it."""

    key: str
    content: str
    styles: tuple[StylePath, ...]
    """In the order in which the method takes them; none where the colours come of no print."""
    marks: str | None
    checkpoint: str | None
    """Where its state is kept while it is worked on."""
    provenance: str
    """What the result says of itself, as `Provenance.to_json`."""
    mask: str | None = None
    """Where colour is asked for; None: everywhere."""


@dataclass(frozen=True)
class Minibatch:
    """What a worker is handed at once: pictures of equal working size under one recipe."""

    batch: int
    recipe: Mapping[str, Any]
    models: tuple[ModelFile, ...]
    limits: Limits
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
class Finished:
    """A job's picture as the bytes of a file, and its figures."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants"
    )

    key: str
    device: str
    picture: bytes = field(repr=False)
    """With its provenance inside."""
    suffix: str
    mode: str
    """Of its pixels, by the name that decoding gives them."""
    trust: bytes | None = field(repr=False)
    """The map of trust, a PNG; None where the method tells none."""
    width: int
    height: int
    tone: str
    tone_measures: Mapping[str, float]
    versions: Mapping[str, str]
    seed: int
    iterations: int
    seconds: float
    errors: RelativeErrors
    measures: Mapping[str, float]
    trace: tuple[Mapping[str, float], ...]
    refusal: str | None
    """Why it is too poor to be shown as a colorization."""


@dataclass(frozen=True)
class Failed:
    """Why a job has no picture."""

    key: str
    device: str
    error: str
    """The name of a class in `colorize.errors`."""
    message: str

    @classmethod
    def of(cls, key: str, device: str, error: ColorizeError) -> "Failed":
        """What became of a job that ended in this error."""
        return cls(key, device, type(error).__name__, str(error))

    @property
    def cause(self) -> ColorizeError:
        """The error itself."""
        return error_named(self.error, self.message)


@dataclass(frozen=True)
class Unable:
    """The worker cannot work at all: its weights or its device are not usable."""

    error: str
    message: str

    @classmethod
    def of(cls, error: ColorizeError) -> "Unable":
        """What this error leaves undone is everything."""
        return cls(type(error).__name__, str(error))

    @property
    def cause(self) -> ColorizeError:
        """The error itself."""
        return error_named(self.error, self.message)


Event = Progress | Note | Finished | Failed
"""What is told of a minibatch while it is worked on."""
Message = Minibatch | Event | Unable
_KINDS: Mapping[str, Any] = {
    kind.__name__: TypeAdapter(kind) for kind in (Minibatch, Progress, Note, Finished, Failed, Unable)
}


def to_json(message: Message) -> str:
    """A message as one line of JSON; bytes in base64."""
    kind = type(message).__name__
    return json.dumps({"kind": kind, "message": _KINDS[kind].dump_python(message, mode="json")})


def from_json(text: str) -> Message:
    """The inverse of `to_json`.

    Raises:
        ValueError: it is none of our messages.
    """
    said = json.loads(text)
    if not isinstance(said, dict) or said.get("kind") not in _KINDS:
        raise ValueError("this is no message of a worker")
    message: Message = _KINDS[said["kind"]].validate_json(json.dumps(said.get("message")))
    return message
