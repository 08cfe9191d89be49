"""What trained colorizers are tuned by, and the files of their weights; loads no torch, as recipes are listed without.

A model is a safetensors file that `nishiki train` makes. Its header is its card: what it learned from, by which
settings and code, and how good it is on prints that it has not seen. `cieluv_net.py` and `mask_gan.py` make networks
of it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from colorize.encoders.weights import check_unchanged, checksum_of, recorded_checksum
from colorize.errors import WeightsCorrupt, WeightsMissing
from colorize.methods.base import Parameters, not_among, out_of_range

SHIPPED: Final = Path(str(files("colorize.methods").joinpath("models")))
"""Folder of the models that come with nishiki."""
RETIRED: Final = "retired"
"""In a folder of models: those that no new work is begun with."""
COLORIZER: Final = "colorizer"
"""The role of a trained colorizer among an attempt's models."""
Finish = Literal["plain", "areas"]
Unbinning = Literal["bin means", "annealed mean"]


@dataclass(frozen=True, kw_only=True)
class Trained(Parameters):
    """What every trained colorizer has."""

    network: str
    """SHA-256 (hex) of the model's file: one that is trained anew colours anew."""

    def problems(self) -> Iterator[str]:
        """No model is named."""
        if len(self.network) != 64:
            yield f"network is {self.network!r}; give the sha256 of a model's file (nishiki models list)"


@dataclass(frozen=True, kw_only=True)
class CieluvNet(Trained):
    """Parameters of the method `cieluv_net`."""

    unbinning: Unbinning = "bin means"
    """How a distribution over bins becomes a colour: the mean of the likeliest bin, or the mean of a sharpened one."""
    temperature: float = 0.38
    """Of the annealed mean (Zhang et al. 2016): 1 leaves the mean, towards 0 the likeliest bin is left."""
    finish: Finish = "plain"
    """`areas`: areas of the drawing choose one colour each, as for nishiki/colour, and trust is told."""

    def problems(self) -> Iterator[str]:
        """Values out of range."""
        yield from super().problems()
        yield from not_among(self, {"unbinning": Unbinning, "finish": Finish})
        yield from out_of_range(self, {"temperature": (0.01, 1.0)})


@dataclass(frozen=True, kw_only=True)
class MaskGan(Trained):
    """Parameters of the method `mask_gan`."""

    finish: Finish = "plain"
    """`areas`: each area of the drawing takes the mean of its colours."""

    def problems(self) -> Iterator[str]:
        """Values out of range."""
        yield from super().problems()
        yield from not_among(self, {"finish": Finish})


@dataclass(frozen=True)
class ModelFile:
    """A model's file, as its header describes it."""

    path: Path
    checksum: str
    """SHA-256 (hex)."""
    card: Mapping[str, Any]
    """`name`, `method`, `settings`, `learned_from`, `held_out`, `measures`, `code`, `made`, `licence`."""

    @property
    def name(self) -> str:
        """By which its recipe is called, behind the method's."""
        return str(self.card["name"])

    @property
    def method(self) -> str:
        """`cieluv_net` or `mask_gan`."""
        return str(self.card["method"])

    @property
    def settings(self) -> Mapping[str, Any]:
        """What it was trained by."""
        found: Mapping[str, Any] = self.card["settings"]
        return found


def model_file(path: Path) -> ModelFile:
    """The model in this file.

    Raises:
        WeightsCorrupt: it cannot be read, is not the one whose checksum stands beside it, or holds no colorizer.
    """
    checksum = checksum_of(path)
    check_unchanged(path, checksum, recorded_checksum(path))
    try:
        card = {key: _value(value) for key, value in _metadata(path).items()}
    except (ValueError, OSError, AttributeError) as error:
        raise WeightsCorrupt(f"{path} cannot be read ({error}); train it anew: nishiki train") from error
    if not {"name", "method", "settings"} <= set(card):
        raise WeightsCorrupt(f"{path} holds no trained colorizer; one is made by: nishiki train cieluv-net")
    return ModelFile(path, checksum, card)


def _metadata(path: Path) -> Mapping[str, str]:
    """A safetensors file's own, without its library, which loads numpy: eight bytes of length, then JSON."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > path.stat().st_size:
            raise ValueError("it is cut off, or no safetensors file")
        found: Mapping[str, str] = json.loads(stream.read(length)).get("__metadata__", {})
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def models_in(folder: Path) -> list[ModelFile]:
    """The models of a folder, the newest first; other files are passed over.

    Raises:
        WeightsCorrupt: a file is not the one whose checksum stands beside it.
    """
    found = [model_file(path) for path in sorted(folder.glob("*.safetensors"))]
    return sorted(found, key=lambda each: str(each.card.get("made", "")), reverse=True)


def model_with(checksum: str, given: Sequence[Path]) -> ModelFile:
    """The model of this checksum, of the files given or of those that come with nishiki.

    Raises:
        WeightsMissing: none has it.
        WeightsCorrupt: a file cannot be read.
    """
    for path in (*given, *sorted(SHIPPED.glob("*.safetensors"))):
        if checksum_of(path) == checksum:
            return model_file(path)
    raise WeightsMissing(f"no model has the checksum {checksum[:12]} that the recipe names; see: nishiki models list")
