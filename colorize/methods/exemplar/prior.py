"""The learned prior: what colours prints have where a gray picture looks so, and by which keys cells find their like.

A small network that `nishiki train prior` makes: from what the small encoder sees of a gray picture, cell by cell, to a
distribution over classes of chroma (after Zhang et al. 2016, Colorful Image Colorization) and to keys, by which cells
of style images are asked for theirs (`vote`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional

from colorize.encoders.vgg19 import Encoder
from colorize.encoders.weights import check_unchanged, checksum_of, recorded_checksum
from colorize.errors import WeightsCorrupt
from colorize.finish.cielab import lightness, luminance, root
from colorize.images.decode import Pixels
from colorize.images.resize import resized

Floats = NDArray[np.float32]

NAME: Final = "nishiki-prior"
SHIPPED: Final = Path(str(files("colorize.methods.exemplar").joinpath(f"{NAME}.safetensors")))
"""The prior that comes with nishiki."""
LONG_EDGE_PX: Final = 256
"""Size that pictures are looked at."""
CELL_PX: Final = 4
LAYERS: Final = ("conv2_2", "conv3_4", "conv4_4", "conv5_4")
"""What the network sees of the encoder; the first is pooled to cells, the last two are coarser than cells."""
WIDTH: Final = 64
KEY: Final = 32
_PLANES: Final = 4
_DILATIONS: Final = (1, 2, 4)
_SPREAD: Final = 3.5
"""Standard deviation, in a and b, by which a colour belongs to the classes around it."""


@dataclass(frozen=True)
class View:
    """A gray picture as the network is given it."""

    features: tuple[Tensor, ...]
    """One for each of LAYERS, (N, h, w), log(1 + activation)."""
    planes: Tensor
    """(4, rows, columns): L, its deviation within the cell, height on the sheet, distance from its middle; about ±1."""


@dataclass(frozen=True)
class Seen:
    """What the prior says of a picture, cell by cell in reading order."""

    logits: Floats
    """(K, n), of the classes of chroma."""
    keys: Floats
    """(32, n), of unit length."""
    lightness: Floats
    """(n,), mean L in [0, 100]."""
    shape: tuple[int, int]
    """Rows and columns of cells."""


class Network(nn.Module):
    """A trunk of residual convolutions over the encoder's features, with a head for classes and one for keys."""

    mean: Tensor
    deviation: Tensor
    """Of the encoder's channels, all layers in one row; (N,)."""

    def __init__(self, channels: Sequence[int], classes: int, width: int = WIDTH, dropout: float = 0.0) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.register_buffer("mean", torch.zeros(sum(channels)))
        self.register_buffer("deviation", torch.ones(sum(channels)))
        self.layers = nn.ModuleList(nn.Conv2d(each, width, 1) for each in channels)
        self.whole = nn.Linear(channels[-1] + channels[-2], width)
        self.planes = nn.Conv2d(_PLANES, width, 1)
        self.trunk = nn.ModuleList(nn.Conv2d(width, width, 3, padding=each, dilation=each) for each in _DILATIONS)
        self.classes = nn.Conv2d(width, classes, 1)
        self.key = nn.Conv2d(width, KEY, 1)
        self.sharpness = nn.Parameter(torch.tensor(2.3))
        self.dropout = nn.Dropout2d(dropout)

    def normalised(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Features (..., N, h, w), each channel less its mean, over its deviation."""
        statistics = (torch.split(each, list(self.channels)) for each in (self.mean, self.deviation))
        parts = zip(features, *statistics, strict=True)
        return [(each - mean[:, None, None]) / deviation[:, None, None] for each, mean, deviation in parts]

    def forward(self, features: Sequence[Tensor], planes: Tensor, whole: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, K, h, w) and unit keys (B, 32, h, w).

        Args:
            features: normalised, (B, N, h', w') each, of any grids; they are brought to that of `planes`.
            planes: (B, 4, h, w).
            whole: (B, N), what `whole` says of the normalised features of the whole picture.
        """
        found = self.planes(planes) + self.whole(whole)[:, :, None, None]
        for layer, each in zip(self.layers, features, strict=True):
            part = layer(self.dropout(each))
            if part.shape[2:] != planes.shape[2:]:
                part = functional.interpolate(part, planes.shape[2:], mode="bilinear", align_corners=False)
            found = found + part
        found = functional.gelu(found)
        for layer in self.trunk:
            found = found + functional.gelu(layer(found))
        return self.classes(self.dropout(found)), functional.normalize(self.key(found), dim=1)


@dataclass(frozen=True)
class Prior:
    """A trained network with its classes."""

    network: Network
    classes: Floats
    """(K, 2), a and b of their centres."""
    encoder: str
    """SHA-256 (hex) of the encoder whose features it reads; it understands no other's."""
    checksum: str
    """SHA-256 (hex) of its file."""

    @property
    def sharpness(self) -> float:
        """What the likeness of keys is multiplied with before the softmax of `vote`."""
        return float(self.network.sharpness.exp())

    @torch.no_grad()
    def look(self, encoder: Encoder, gray: Pixels) -> Seen:
        """What it says of a gray picture, uint8 (h, w, 3), of any size.

        Raises:
            WeightsCorrupt: it was trained with another encoder.
        """
        if encoder.checksum != self.encoder:
            raise WeightsCorrupt(f"the prior reads the encoder {self.encoder[:12]}, not {encoder.name}; train it anew")
        seen = view(encoder, gray)
        features = self.network.normalised(seen.features)
        logits, keys = self.network([each[None] for each in features], seen.planes[None], whole(features)[None])
        rows, columns = seen.planes.shape[1:]
        light = 25 * seen.planes[0] + 55
        return Seen(logits[0].flatten(1).numpy(), keys[0].flatten(1).numpy(), light.flatten().numpy(), (rows, columns))

    def soft_classes(self, ab: Floats) -> Floats:
        """How far colours (n, 2) belong to each class; (n, K), each row together 1."""
        return soft_classes(torch.from_numpy(ab), torch.from_numpy(self.classes)).numpy()

    def vote(self, keys: Floats, others: Floats, values: Floats) -> Floats:
        """The mean (n, V) of others' values (m, V) by the likeness of their keys (32, m) to keys (32, n)."""
        ours, theirs, says = (torch.from_numpy(each) for each in (keys, others, values))
        return vote(ours, theirs, says, self.sharpness).numpy()


def vote(keys: Tensor, others: Tensor, values: Tensor, sharpness: Tensor | float) -> Tensor:
    """The mean (n, K) of values (m, K) by the likeness of keys (N, n) to others' (N, m)."""
    return torch.softmax(keys.T @ others * sharpness, dim=1) @ values


def soft_classes(ab: Tensor, classes: Tensor) -> Tensor:
    """How far colours (n, 2) belong to classes (K, 2), by a Gaussian; (n, K)."""
    apart = (ab[:, None] - classes).square().sum(2)
    return torch.softmax(-apart / (2 * _SPREAD**2), dim=1)


@torch.no_grad()
def view(encoder: Encoder, gray: Pixels) -> View:
    """A gray picture, uint8 (h, w, 3), as the network is given it: at LONG_EDGE_PX at most, on the CPU.

    A side never falls under 32 pixels, so that a scroll of 20:1 is seen squat and not refused.
    """
    small = resized(gray, LONG_EDGE_PX)
    pictures = torch.from_numpy(small).permute(2, 0, 1)[None].to(encoder.device, encoder.dtype)
    found = encoder.features(pictures, LAYERS)
    features = [found[name][0].float().cpu() for name in LAYERS]
    features[0] = in_cells(features[0], features[1].shape[1])
    return View(tuple(each.log1p() for each in features), _planes(small))


def in_cells(planes: Tensor, rows: int) -> Tensor:
    """Planes (N, H, W) by the mean of each cell, (N, rows, columns)."""
    return functional.avg_pool2d(planes, planes.shape[1] // rows)


def whole(features: Sequence[Tensor]) -> Tensor:
    """What the network is told of the whole picture: the deepest features' means, (N,)."""
    return torch.cat([each.mean((1, 2)) for each in (features[-1], features[-2])])


def _planes(gray: Pixels) -> Tensor:
    light = torch.from_numpy(lightness(root(luminance(gray[..., 0]))))[None]
    rows, columns = (side // CELL_PX for side in gray.shape[:2])
    mean = in_cells(light, rows)
    deviation = (in_cells(light.square(), rows) - mean.square()).clamp_min(0).sqrt()
    height = torch.linspace(-1, 1, rows)[:, None].expand(rows, columns)
    aside = torch.linspace(-1, 1, columns).abs().expand(rows, columns)
    return torch.cat([(mean - 55) / 25, (deviation - 8) / 8, height[None], aside[None]])


def load_prior(path: Path = SHIPPED) -> Prior:
    """The prior of a file, the shipped one by default; float32, on the CPU.

    Raises:
        WeightsCorrupt: the file is not there, is not the one whose checksum stands beside it, or holds no prior.
    """
    if not path.exists() or recorded_checksum(path) is None:
        raise WeightsCorrupt(f"{path} or its checksum is gone; install nishiki again, or run: nishiki train prior")
    checksum = checksum_of(path)
    check_unchanged(path, checksum, recorded_checksum(path))
    try:
        with safe_open(path, framework="pt") as file:
            encoder = file.metadata()["encoder"].split()[-1]
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        classes = state.pop("chroma").numpy()
        return Prior(network_of(state), classes, encoder, checksum)
    except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise WeightsCorrupt(f"{path} holds no prior ({error}); make it anew: nishiki train prior") from error


def network_of(state: Mapping[str, Tensor]) -> Network:
    """The network with these tensors, ready to look.

    Raises:
        KeyError, RuntimeError: they are not a network's.
    """
    channels = [state[f"layers.{place}.weight"].shape[1] for place in range(len(LAYERS))]
    classes, width = state["classes.weight"].shape[:2]
    network = Network(channels, classes, width)
    network.load_state_dict(dict(state))
    return network.eval().requires_grad_(False)
