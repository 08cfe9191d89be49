"""Teaches the mask-conditioned GAN: generator and discriminator, one step of each in turn.

Called by `flows.training.colorizer`. The losses are the source's: adversarial, and the "mask loss" between what is made
and what is wanted all over the picture, which is mask · colour and no colour outside. The generator that is kept is the
running mean of the one that learns, which a step that goes astray hardly moves.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from colorize.methods.mask_gan import CHROMA, Discriminator, Generator, Model
from colorize.training.cieluv import Palette, mixed
from colorize.training.colour_crops import Crops, Cutting
from colorize.training.learning import Kept, behind, chance, cosine_rate, kept, take_up
from colorize.training.masks import SETS, mask_of

Floats = NDArray[np.float32]

WARM: Final = 50
_REAL: Final = 0.9
"""What the discriminator is to say of real pictures: less than sure."""
_HUBER: Final = 0.01
"""Where Huber's loss turns from square to straight, of CHROMA: a faint tint outside the mask is to cost."""


@dataclass(frozen=True)
class GanSettings:
    """How the two are taught."""

    masks: Literal["one", "ten", "all"] = "all"
    loss: Literal["l2", "huber"] = "huber"
    steps: int = 1500
    rate: float = 1e-3
    slower: float = 0.25
    """The discriminator's rate over the generator's."""
    adversarial: float = 0.03
    """Weight of the adversarial loss beside the mask loss."""
    batch: int = 6
    view_px: int = 256
    edge_px: int = 192
    width: int = 24
    smoothing: float = 0.99
    """Of the running mean that is kept."""
    seed: int = 0

    @property
    def cutting(self) -> Cutting:
        """How its crops are cut."""
        return Cutting(self.view_px, self.edge_px, self.batch, self.seed)


class GanLearner:
    """Both networks while they learn. All of it can be put down."""

    def __init__(self, settings: GanSettings, device: torch.device, found: Palette) -> None:
        self.settings, self.palette, self.done, self._device = settings, found, 0, device
        with chance(settings.seed):
            self.generator = Generator(settings.width).to(device)
            self.discriminator = Discriminator(settings.width).to(device)
        self.smooth = deepcopy(self.generator).requires_grad_(False)
        betas = (0.5, 0.999)
        self._makes = torch.optim.Adam(self.generator.parameters(), settings.rate, betas=betas)
        self._tells = torch.optim.Adam(self.discriminator.parameters(), settings.rate * settings.slower, betas=betas)

    def learn(self, crops: Crops) -> dict[str, float]:
        """One step of each; the parts of the loss."""
        gray, masks, wanted = self._batch(crops)
        for optimiser, share in ((self._makes, 1.0), (self._tells, self.settings.slower)):
            for group in optimiser.param_groups:
                group["lr"] = share * cosine_rate(self.settings.rate, self.done, self.settings.steps, WARM)
        with mixed(self._device):
            made = self.generator(torch.cat([gray, masks], 1)).float()
            told = self._told(gray, masks, wanted, made.detach())
        self._step(self._tells, told)
        with mixed(self._device):
            fooled = _is(self.discriminator(torch.cat([gray, made, masks], 1)), 1.0)
        missed = self._missed(made, wanted)
        self._step(self._makes, missed + self.settings.adversarial * fooled)
        self._smoothed()
        self.done += 1
        parts = {"mask loss": missed, "generator": fooled, "discriminator": told}
        return {name: float(part.detach()) for name, part in parts.items()}

    def _told(self, gray: Tensor, masks: Tensor, wanted: Tensor, made: Tensor) -> Tensor:
        real, other = (self.discriminator(torch.cat([gray, each, masks], 1)) for each in (wanted, made))
        return (_is(real, _REAL) + _is(other, 0.0)) / 2

    def _missed(self, made: Tensor, wanted: Tensor) -> Tensor:
        if self.settings.loss == "l2":
            return functional.mse_loss(made, wanted) * 10
        return functional.huber_loss(made, wanted, delta=_HUBER) * 3 / _HUBER

    @staticmethod
    def _step(optimiser: torch.optim.Optimizer, loss: Any) -> None:
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    @torch.no_grad()
    def _smoothed(self) -> None:
        part = min(self.settings.smoothing, (self.done + 1) / (self.done + 10))
        for kept_one, each in zip(self.smooth.parameters(), self.generator.parameters(), strict=True):
            kept_one.lerp_(each, 1 - part)

    def _batch(self, crops: Crops) -> tuple[Tensor, Tensor, Tensor]:
        """Gray in ±1, masks, and the chroma that is wanted, over CHROMA."""
        rng = np.random.default_rng((self.settings.seed, self.done, 7))
        names = SETS[self.settings.masks]
        masks = np.stack([mask_of(names[int(rng.integers(len(names)))], lab[..., 0], rng) for lab in crops.lab])
        gray = torch.from_numpy(crops.gray.astype(np.float32) / np.float32(127.5) - 1)[:, None]
        asked = torch.from_numpy(masks.astype(np.float32))[:, None]
        chroma = torch.from_numpy(crops.lab[..., 1:] / np.float32(CHROMA)).permute(0, 3, 1, 2).clamp(-1, 1)
        return gray.to(self._device), asked.to(self._device), (chroma * asked).to(self._device)

    def model(self, trust: Floats | None = None) -> Model:
        """The generator that is kept, as it is now, ready to look."""
        fitted = np.zeros(3, np.float32) if trust is None else trust
        return Model(self.smooth, None, self.palette.classes, fitted, self.settings.view_px)

    def state(self) -> Kept:
        """All that they are, by name; steps done are in it."""
        both = {
            **kept("generator", self.generator, self._makes),
            **kept("discriminator", self.discriminator, self._tells),
        }
        smooth = {f"smooth:{name}": each.detach() for name, each in self.smooth.state_dict().items()}
        return {**both, **smooth, "done": torch.tensor(self.done)}

    def take_up(self, state: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        take_up("generator", self.generator, self._makes, state)
        take_up("discriminator", self.discriminator, self._tells, state)
        self.best(state)
        self.done = int(state["done"])

    def best(self, state: Mapping[str, Tensor]) -> None:
        """Keep the generator of a state again."""
        self.smooth.load_state_dict(behind("smooth", state))

    def tensors(self) -> dict[str, Tensor]:
        """What its file holds, but for the trust."""
        found = {name: each.detach().half() for name, each in self.smooth.state_dict().items()}
        return {**found, "classes": torch.from_numpy(self.palette.classes)}


def _is(said: Tensor, wanted: float) -> Tensor:
    """How far a discriminator is from saying it."""
    return functional.binary_cross_entropy_with_logits(said.float(), torch.full_like(said, wanted, dtype=torch.float32))
