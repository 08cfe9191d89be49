"""Colour where a mask asks for it: the conditional GAN with spatial masks of the IMPA course project of 2018.

The generator is a U-Net of eleven layers with skips. It is given a gray picture and a mask, and gives chroma inside
the mask and none outside. The discriminator, like its encoder half, is given gray, chroma and mask, and tells real from
made. `colorize.training.mask_gan` teaches both; only the generator is kept.

Departures: chroma in CIELAB instead of RGB, for the drawing is the scan's own; group normalisation, upscaling before
convolutions, and a discriminator under spectral normalisation (Miyato et al. 2018), against the faults that the source
names.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from colorize.errors import WeightsCorrupt
from colorize.images.decode import Pixels
from colorize.images.resize import working_size
from colorize.methods.learned_areas import Said, by_areas
from colorize.methods.trained import COLORIZER, MaskGan, ModelFile, model_with
from colorize.methods.work import Measured, Work, alone
from colorize.running.prepare import Prepared

Floats = NDArray[np.float32]

CHROMA: Final = 64.0
"""a and b that the generator's ±1 stands for."""
DEPTH: Final = 5
"""Halvings of the generator, and doublings: with the convolution between them eleven layers."""
_WIDENING: Final = (1, 2, 4, 6, 8)
_GROUPS: Final = 4
_SPREAD: Final = 8.0
"""Standard deviation, in a and b, of what the generator is taken to mean."""


class Generator(nn.Module):
    """From gray in ±1 and mask in {0, 1}, (B, 2, H, W), to a and b over CHROMA, (B, 2, H, W); sides multiples of 32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width * times for times in _WIDENING]
        taken = [2, *widths[:-1]]
        self.down = nn.ModuleList(_layer(one, other, stride=2) for one, other in zip(taken, widths, strict=True))
        self.middle = _layer(widths[-1], widths[-1])
        given = [*widths[-2::-1], width]
        above = [widths[-1], *given[:-1]]
        skipped = taken[::-1]
        layers = [_layer(one + other, out) for one, other, out in zip(above, skipped, given, strict=True)]
        # The last one sees the mask at full size; normed over the picture, it would let colour through outside of it.
        layers[-1] = nn.Sequential(layers[-1][0], layers[-1][2])
        self.up = nn.ModuleList(layers)
        self.last = nn.Conv2d(width, 2, 3, padding=1)

    def forward(self, seen: Tensor) -> Tensor:
        """As the class says."""
        passed = [seen]
        for layer in self.down:
            passed.append(layer(passed[-1]))
        planes = self.middle(passed.pop())
        for layer, skip in zip(self.up, reversed(passed), strict=True):
            wide = functional.interpolate(planes, scale_factor=2.0, mode="nearest")
            planes = layer(torch.cat([wide, skip], 1))
        return torch.tanh(self.last(planes))


class Discriminator(nn.Module):
    """How real each part of a coloured picture looks, (B, 1, H/16, W/16), from gray, a, b and mask, (B, 4, H, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [4, *(width * times for times in _WIDENING[: DEPTH - 1])]
        self.layers = nn.ModuleList(spectral_norm(nn.Conv2d(one, other, 4, 2, 1)) for one, other in pairwise(widths))
        self.last = spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, seen: Tensor) -> Tensor:
        """As the class says."""
        for layer in self.layers:
            seen = functional.leaky_relu(layer(seen), 0.2)
        found: Tensor = self.last(seen)
        return found


def _layer(taken: int, given: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(taken, given, 3, stride, 1)
    return nn.Sequential(convolution, nn.GroupNorm(_GROUPS, given), nn.LeakyReLU(0.2))


@dataclass(frozen=True)
class Model:
    """A trained generator, ready to look."""

    generator: Generator
    file: ModelFile | None
    classes: Floats
    """(K, 2), a, b of the colours that its prints have."""
    trust: Floats
    """(3,), as `cieluv_net.Model.trust`."""
    view_px: int

    def chroma(self, gray: Pixels, light: Floats, mask: Floats | None = None) -> Floats:
        """A gray picture's a, b, (h, w, 2), as the source finds them; `light`: its L, (h, w)."""
        size = light.shape[1], light.shape[0]
        return np.asarray(cv2.resize(self.look(gray, mask), size, interpolation=cv2.INTER_LINEAR), np.float32)

    def said(self, gray: Pixels, _light: Floats, mask: Floats | None = None) -> Said:
        """What it found as what is likely around it, for areas to choose by."""
        ab = self.look(gray, mask)
        cells = cv2.resize(ab, (ab.shape[1] // 4, ab.shape[0] // 4), interpolation=cv2.INTER_AREA)
        apart = ((cells.reshape(-1, 1, 2) - self.classes) ** 2).sum(2)
        return Said(np.asarray(-apart / (2 * _SPREAD**2), np.float32), cells.shape[:2], self.classes)

    @torch.no_grad()
    def look(self, gray: Pixels, mask: Floats | None = None) -> Floats:
        """Its a, b, (h, w, 2), of a gray picture, uint8 (H, W, 3), at the size it is looked at.

        Args:
            mask: (H', W') of any size, in [0, 1], where colour is asked for; None: everywhere.
        """
        width, height = working_size(gray.shape[1], gray.shape[0], self.view_px, multiple=2**DEPTH)
        small = cv2.resize(gray[..., 0], (width, height), interpolation=cv2.INTER_AREA)
        asked = (
            np.ones((height, width), np.float32)
            if mask is None
            else cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
        )
        seen = torch.from_numpy(np.stack([small / np.float32(127.5) - 1, asked > 0.5]).astype(np.float32))[None]
        device = next(self.generator.parameters()).device
        found = self.generator(seen.to(device))[0].float().cpu() * CHROMA
        return np.asarray(found.permute(1, 2, 0).numpy(), np.float32)


@alone
def colours(each: Prepared, work: Work) -> Measured:
    """Each picture's chroma, asked for inside the job's mask, or everywhere; style images are not looked at."""
    own = MaskGan.of(work.recipe)
    model = loaded(own.network, work.models.get(COLORIZER), work.encoder.device)
    if own.finish == "areas":
        return by_areas(model.said(each.content, each.lightness, each.masked()), each.lightness, model.trust)
    return Measured(model.chroma(each.content, each.lightness, each.masked()), {})


@lru_cache(maxsize=2)
def loaded(checksum: str, path: Path | None, device: torch.device) -> Model:
    """The model of this checksum.

    Raises:
        WeightsMissing: there is none.
        WeightsCorrupt: its file holds no such generator.
    """
    file = model_with(checksum, () if path is None else (path,))
    try:
        state = {name: each.float() for name, each in load(file.path.read_bytes()).items()}
        classes, trust = (state.pop(name).numpy() for name in ("classes", "trust"))
        generator = Generator(len(state["last.weight"][0]))
        generator.load_state_dict(state)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise WeightsCorrupt(f"{file.path} holds no generator of mask_gan ({error}); train it anew") from error
    generator.to(device).eval().requires_grad_(False)
    return Model(generator, file, classes, trust, int(file.settings["view_px"]))
