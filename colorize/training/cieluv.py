"""Teaches the classification network in CIELUV, or its regression baseline (Hwang and Zhou): one step after the other.

Called by `flows.training.colorizer`. Adam, Xavier, batch normalisation and losses are the source's; the rate falls by a
cosine, and chroma's bins may weigh more the rarer they are (Zhang et al. 2016).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import rgb2lab
from torch import Tensor
from torch.nn import functional

from colorize.encoders.vgg19 import CONVOLUTIONS, Encoder
from colorize.encoders.weights import shipped_weights
from colorize.images.decode import Pixels
from colorize.methods.cieluv_net import STAGES, Kind, Model, Network, Shape, bins_of, middles, read
from colorize.methods.learned_areas import BINS, RANGE, luv_of
from colorize.training.colour_crops import Crops, Cutting
from colorize.training.learning import Kept, behind, chance, cosine_rate, kept, take_up

Floats = NDArray[np.float32]

WARM: Final = 50
_CLASS: Final = 6.0
"""Distance of classes of colours in a and in b."""
_RARE: Final = 2e-4
"""A class has at least this part of all pixels."""
_MIXED: Final = 0.5
"""Part of an even distribution in the one that rebalancing weighs by, as in Zhang et al. 2016."""
_HUBER: Final = 0.1
"""Of RANGE: where the loss of the regression turns from squares to lines."""


@dataclass(frozen=True)
class CieluvSettings:
    """How a network is taught."""

    kind: Kind = "classification"
    steps: int = 1200
    rate: float = 3e-4
    batch: int = 6
    view_px: int = 288
    edge_px: int = 224
    width: int = 32
    head: int = 48
    dropout: float = 0.2
    rebalanced: bool = False
    """Rare bins weigh more."""
    tune: bool = False
    """The summarizing half learns too."""
    seed: int = 0

    @property
    def cutting(self) -> Cutting:
        """How its crops are cut."""
        return Cutting(self.view_px, self.edge_px, self.batch, self.seed)


@dataclass(frozen=True)
class Palette:
    """What the colours of the prints to learn from decide before the first step."""

    means: Floats
    """(2, BINS), of U and V in each bin."""
    shares: Floats
    """(2, BINS), of all pixels."""
    classes: Floats
    """(K, 2), CIELAB a, b."""


def palette(prints: Sequence[Pixels]) -> Palette:
    """The bins' means and shares, and the classes of colours."""
    some = np.concatenate([each.reshape(-1, 3)[:: max(1, each.size // 3 // 4000)] for each in prints])
    lab = np.asarray(rgb2lab(some[None])[0], np.float32)
    uv = luv_of(lab[None])[0, :, 1:]
    place = ((uv + RANGE) / (2 * RANGE) * BINS).astype(np.intp).clip(0, BINS - 1).T
    counts = np.stack([np.bincount(each, minlength=BINS) for each in place])
    sums = np.stack([np.bincount(each, values, BINS) for each, values in zip(place, uv.T, strict=True)])
    means = np.where(counts > 0, sums / counts.clip(1), middles())
    centres, number = np.unique((lab[:, 1:] / _CLASS).round(), axis=0, return_counts=True)
    classes = centres[number >= _RARE * len(lab)] * _CLASS
    return Palette(*(np.asarray(each, np.float32) for each in (means, counts / len(lab), classes)))


class Student(torch.nn.Module):
    """The network with, where it learns too, its own summarizing half."""

    def __init__(self, settings: CieluvSettings, encoder: Encoder) -> None:
        super().__init__()
        channels = tuple(len(encoder.convolutions[name][1]) for name in STAGES)
        shape = Shape(settings.kind, channels, settings.width, settings.head, settings.dropout)
        self.network = Network(shape)
        self._encoder = encoder
        pairs = encoder.convolutions if settings.tune else {}
        self.own = torch.nn.ParameterDict(
            {
                f"{name}_{part}": each.clone()
                for name, pair in pairs.items()
                for part, each in zip(("weight", "bias"), pair, strict=True)
            }
        )

    @property
    def encoder(self) -> Encoder:
        """What reads pictures, as it is now; gradients flow through where it learns."""
        if not len(self.own):
            return self._encoder
        pairs: Any = {name: (self.own[f"{name}_weight"], self.own[f"{name}_bias"]) for name in CONVOLUTIONS}
        return Encoder(self._encoder.name, self._encoder.checksum, self._encoder.preprocessing, pairs)

    def forward(self, gray: Tensor) -> Tensor:
        """Of gray pictures, float32 (B, 3, H, W) in [0, 255]."""
        if len(self.own):
            return self.network(read(self.encoder, gray))  # type: ignore[no-any-return]
        with torch.no_grad():
            stages = read(self._encoder, gray)
        return self.network(stages)  # type: ignore[no-any-return]


class CieluvLearner:
    """The network while it learns. All of it can be put down."""

    def __init__(self, settings: CieluvSettings, encoder: Encoder, found: Palette) -> None:
        self.settings, self.palette, self.done = settings, found, 0
        with chance(settings.seed):
            self.student = Student(settings, encoder).to(encoder.device)
        self.optimiser = torch.optim.Adam(self.student.parameters(), settings.rate, betas=(0.9, 0.999))
        self._weights = _rebalanced(found.shares).to(encoder.device) if settings.rebalanced else None

    def learn(self, crops: Crops) -> dict[str, float]:
        """One step; the parts of the loss."""
        self.student.train()
        device = self.student.encoder.device
        gray = torch.from_numpy(crops.gray)[:, None].expand(-1, 3, -1, -1).to(device, torch.float32)
        for group in self.optimiser.param_groups:
            group["lr"] = cosine_rate(self.settings.rate, self.done, self.settings.steps, WARM)
        with chance(self.settings.seed * 1_000_003 + self.done), mixed(device):
            said = self.student(gray)
        parts = self._missed(said.float(), torch.from_numpy(np.stack([luv_of(each) for each in crops.lab])).to(device))
        self.optimiser.zero_grad()
        total: Any = torch.stack(list(parts.values())).sum()
        total.backward()
        self.optimiser.step()
        self.done += 1
        return {name: float(part.detach()) for name, part in parts.items()}

    def _missed(self, said: Tensor, luv: Tensor) -> dict[str, Tensor]:
        wanted = functional.adaptive_avg_pool2d(luv.permute(0, 3, 1, 2)[:, 1:], (said.shape[-2], said.shape[-1]))
        if self.settings.kind == "regression":
            return {"huber": functional.huber_loss(said, wanted / RANGE, delta=_HUBER) * 2}
        bins = bins_of(wanted)
        weights = [None, None] if self._weights is None else list(self._weights)
        return {
            f"cross-entropy of {word}": functional.cross_entropy(said[:, at], bins[:, at], weights[at])
            for at, word in enumerate("UV")
        }

    def model(self, trust: Floats | None = None) -> Model:
        """It as it is now, ready to look."""
        self.student.eval()
        fitted = np.zeros(3, np.float32) if trust is None else trust
        return Model(
            self.student.network,
            self.student.encoder,
            None,
            self.palette.means,
            self.palette.classes,
            fitted,
            self.settings.view_px,
        )

    def state(self) -> Kept:
        """All that it is, by name; steps done are in it."""
        return {**kept("student", self.student, self.optimiser), "done": torch.tensor(self.done)}

    def take_up(self, state: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        take_up("student", self.student, self.optimiser, state)
        self.done = int(state["done"])

    def best(self, state: Mapping[str, Tensor]) -> None:
        """Be the network of a state again, with nothing of its optimiser."""
        names = self.student.state_dict()
        self.student.load_state_dict({name: each for name, each in behind("student", state).items() if name in names})

    def tensors(self) -> dict[str, Tensor]:
        """What its file holds, but for the trust."""
        found = {
            name: each.detach().half() if each.is_floating_point() else each
            for name, each in self.student.network.state_dict().items()
        }
        half = self.student.encoder
        if len(self.student.own) or half.checksum != shipped_weights().checksum:  # else it is found by its checksum
            found |= {
                f"encoder.{name}.{part}": each.detach().half()
                for name, pair in half.convolutions.items()
                for part, each in zip(("weight", "bias"), pair, strict=True)
            }
        return {**found, **{name: torch.from_numpy(getattr(self.palette, name)) for name in ("means", "classes")}}


def mixed(device: torch.device) -> Any:
    """Inside it, a GPU multiplies in bfloat16."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def _rebalanced(shares: Floats) -> Tensor:
    """Weights of the bins, (2, BINS), whose mean over all pixels is 1."""
    weights = 1 / ((1 - _MIXED) * shares + _MIXED / BINS)
    return torch.from_numpy(np.asarray(weights / (weights * shares).sum(1, keepdims=True), np.float32))
