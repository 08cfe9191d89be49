"""Colour by classification in CIELUV: the network of Hwang and Zhou, its regression baseline, and what they give.

The encoder is the summarizing half; residual encoder units (Dahl 2016) lead from its deepest stage to its finest. The
classification network concatenates all of them and asks which of 50 bins U and V lie in; the baseline sums them and
names U and V. `colorize.training.cieluv` teaches either; `trained.py` finds their files.

Departures: features come as log(1 + activation), for the encoder's layers differ a thousandfold; chroma is found at
half the input's size and brought to the picture's; the encoder may be the small one that comes with nishiki, and learns
only where it is asked to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load
from skimage.color import xyz2lab
from skimage.color.colorconv import luv2xyz
from torch import Tensor, nn
from torch.nn import functional

from colorize.encoders.loading import load_encoder
from colorize.encoders.vgg19 import CONVOLUTIONS, Encoder, Preprocessing
from colorize.encoders.weights import shipped_weights
from colorize.errors import WeightsCorrupt
from colorize.images.decode import Pixels
from colorize.images.resize import resized
from colorize.methods.learned_areas import BINS, RANGE, Said, by_areas, classed
from colorize.methods.trained import COLORIZER, CieluvNet, ModelFile, model_with
from colorize.methods.work import Measured, Work, alone
from colorize.running.prepare import Prepared

Floats = NDArray[np.float32]
Kind = Literal["classification", "regression"]

BIN: Final = 2 * RANGE / BINS
STAGES: Final = ("conv2_2", "conv3_4", "conv4_4", "conv5_4")
"""The encoder's stages that the units read, finest first."""
ANNEALED: Final = CieluvNet(network="0" * 64, unbinning="annealed mean")
"""How a network is looked at while nothing else is said."""


@dataclass(frozen=True)
class Shape:
    """What decides a network's tensors."""

    kind: Kind
    channels: tuple[int, ...]
    """Of the encoder's STAGES."""
    width: int = 32
    """Of the residual encoder units."""
    head: int = 48
    """Of the three 3×3 convolutions."""
    dropout: float = 0.0


class Network(nn.Module):
    """From the encoder's stages to logits of bins, (B, 2, BINS, h, w), or to U, V over RANGE, (B, 2, h, w)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape, width, head = shape, shape.width, shape.head
        self.normed = nn.ModuleList(nn.BatchNorm2d(each) for each in shape.channels)
        self.led = nn.ModuleList(nn.Conv2d(each, width, 1) for each in shape.channels)
        self.units = nn.ModuleList(_convolution(width, width) for _ in shape.channels[1:])
        joined = width * len(shape.channels) if shape.kind == "classification" else width
        self.head = nn.Sequential(
            _convolution(joined, head), _convolution(head, head), nn.Conv2d(head, head, 3, padding=1), nn.ReLU()
        )
        self.u, self.v = (nn.Conv2d(head, BINS if shape.kind == "classification" else 1, 1) for _ in "uv")
        self.dropout = nn.Dropout2d(shape.dropout)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.xavier_uniform_(part.weight)
                nn.init.zeros_(part.bias)  # type: ignore[arg-type]  # every convolution here has one

    def forward(self, stages: Sequence[Tensor]) -> Tensor:
        """At the grid of the finest stage.

        Args:
            stages: (B, N, h, w) of STAGES, as `read` gives them.
        """
        led = [lead(self.dropout(norm(each))) for lead, norm, each in zip(self.led, self.normed, stages, strict=True)]
        found = [led[-1]]
        for unit, each in zip(reversed(self.units), reversed(led[:-1]), strict=True):
            found.append(each + unit(_at(found[-1], each)))
        finest = found[-1]
        joined = torch.cat([_at(each, finest) for each in found], 1) if self.shape.kind == "classification" else finest
        seen = self.head(joined)
        planes = torch.stack([self.u(seen), self.v(seen)], 1)
        return planes if self.shape.kind == "classification" else planes[:, :, 0]


def _convolution(taken: int, given: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(taken, given, 3, padding=1), nn.BatchNorm2d(given), nn.ReLU())


def _at(planes: Tensor, like: Tensor) -> Tensor:
    """Planes at the grid of others."""
    if planes.shape[2:] == like.shape[2:]:
        return planes
    return functional.interpolate(planes, like.shape[2:], mode="bilinear", align_corners=False)


def read(encoder: Encoder, gray: Tensor) -> list[Tensor]:
    """The stages of gray pictures, float32 (B, 3, H, W) in [0, 255]: log(1 + activation), (B, N, h, w) each."""
    found = encoder.features(gray, STAGES)
    return [found[name].log1p() for name in STAGES]


@dataclass(frozen=True)
class Model:
    """A trained network, ready to look."""

    network: Network
    encoder: Encoder
    file: ModelFile | None
    """None while it is learning."""
    means: Floats
    """(2, BINS), the mean of U and of V in each bin, of the prints that it learned from."""
    classes: Floats
    """(K, 2), CIELAB a, b of the colours that those prints have."""
    trust: Floats
    """(3,), of the logistic regression that tells how far areas may be trusted, fitted on prints held out."""
    view_px: int
    """Long edge that pictures are looked at."""

    def chroma(self, gray: Pixels, light: Floats, own: CieluvNet = ANNEALED) -> Floats:
        """A gray picture's a, b, (h, w, 2), as the source finds them; `light`: its L, (h, w)."""
        found = torch.from_numpy(unbinned(self.look(gray), own, self.means)).permute(2, 0, 1)[None]
        wide = functional.interpolate(found, light.shape, mode="bilinear", align_corners=False)[0]
        return chroma_of(light, wide.permute(1, 2, 0).numpy())

    def said(self, gray: Pixels, light: Floats) -> Said:
        """What it says of each class of colours, for areas to choose by."""
        return classed(self.look(gray), light, self.classes)

    @torch.no_grad()
    def look(self, gray: Pixels) -> Tensor:
        """What it says of a gray picture, uint8 (h, w, 3), at half the size of its look: as `Network`, without B."""
        small = resized(gray, self.view_px)
        pictures = torch.from_numpy(small).permute(2, 0, 1)[None].to(self.encoder.device, self.encoder.dtype)
        found: Tensor = self.network(read(self.encoder, pictures))[0].float().cpu()
        return found


def bins_of(uv: Tensor) -> Tensor:
    """The bin, int64 in [0, BINS), that each U or V lies in."""
    return ((uv + RANGE) / BIN).long().clamp(0, BINS - 1)


def middles() -> Floats:
    """U or V in the middle of each bin, (BINS,)."""
    return np.asarray((np.arange(BINS) + 0.5) * BIN - RANGE, np.float32)


def unbinned(said: Tensor, own: CieluvNet, means: Floats) -> Floats:
    """U, V of what a network says, (h, w, 2).

    Args:
        said: logits, (2, BINS, h, w), or U, V over RANGE, (2, h, w), which are in no bins.
        own: `unbinning` and `temperature` are read. The annealed mean sharpens by 1/T before it takes the mean.
        means: of the bins, (2, BINS).
    """
    if said.ndim == 3:
        return np.asarray((said * RANGE).permute(1, 2, 0).numpy(), np.float32)
    if own.unbinning == "bin means":
        likeliest = said.argmax(1).numpy()
        return np.stack([values[each] for values, each in zip(means, likeliest, strict=True)], axis=-1)
    shares = torch.softmax(said / own.temperature, dim=1)
    mean = torch.einsum("cbhw,cb->hwc", shares, torch.from_numpy(means))
    return np.asarray(mean.numpy(), np.float32)


def chroma_of(light: Floats, uv: Floats) -> Floats:
    """CIELAB a, b, (h, w, 2), of CIELUV colours: both spaces have the same L, by which u and v scale.

    Args:
        light: (h, w), L in [0, 100]; black has no chroma.
        uv: (h, w, 2), u* and v*.
    """
    luv = np.dstack([np.maximum(light, 1.0), uv]).astype(np.float64)
    return np.asarray(xyz2lab(luv2xyz(luv).clip(0))[..., 1:], np.float32)


@alone
def colours(each: Prepared, work: Work) -> Measured:
    """Each picture's chroma by what the network learned; style images are not looked at."""
    own = CieluvNet.of(work.recipe)
    model = loaded(own.network, work.models.get(COLORIZER), work.encoder.device)
    if own.finish == "areas":
        return by_areas(model.said(each.content, each.lightness), each.lightness, model.trust)
    return Measured(model.chroma(each.content, each.lightness, own), {})


@lru_cache(maxsize=2)
def loaded(checksum: str, path: Path | None, device: torch.device) -> Model:
    """The model of this checksum.

    Raises:
        WeightsMissing: there is none.
        WeightsCorrupt: its file holds no such network, or its encoder is not here.
    """
    file = model_with(checksum, () if path is None else (path,))
    state = {name: each.float() for name, each in load(file.path.read_bytes()).items()}
    try:
        means, classes, trust = (state.pop(name).numpy() for name in ("means", "classes", "trust"))
        convolutions = {
            name: (state.pop(f"encoder.{name}.weight"), state.pop(f"encoder.{name}.bias"))
            for name in CONVOLUTIONS
            if f"encoder.{name}.weight" in state
        }
        settings = file.settings
        network = Network(shape_of(state, settings["kind"]))
        network.load_state_dict(state)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise WeightsCorrupt(f"{file.path} holds no network of cieluv_net ({error}); train it anew") from error
    encoder = _encoder(file, convolutions).to(device)
    network.to(device).eval().requires_grad_(False)
    return Model(network, encoder, file, means, classes, trust, int(settings["view_px"]))


def _encoder(file: ModelFile, convolutions: Mapping[str, tuple[Tensor, Tensor]]) -> Encoder:
    """The file's own summarizing half, else the shipped encoder where the card names it."""
    if convolutions:
        return Encoder(
            file.name, file.checksum, Preprocessing(*map(_triple, file.settings["preprocessing"])), convolutions
        )
    encoder = load_encoder(shipped_weights())
    if encoder.checksum != file.settings["encoder"]:
        raise WeightsCorrupt(
            f"{file.path} reads the encoder {file.settings['encoder'][:12]}, which is not here; train it anew"
        )
    return encoder


def _triple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def shape_of(state: Mapping[str, Any], kind: Kind) -> Shape:
    """The shape of the network with these tensors.

    Raises:
        KeyError: they are not a network's.
    """
    channels = tuple(len(state[f"normed.{place}.weight"]) for place in range(len(STAGES)))
    return Shape(kind, channels, len(state["led.0.bias"]), len(state["head.2.bias"]))
