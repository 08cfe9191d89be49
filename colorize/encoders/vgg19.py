"""VGG-19 as an encoder: a picture in, the outputs of named layers out.

Layers are named as in the papers (`conv4_2`, `pool1`) and a conv layer's output is taken after its ReLU, as the
Torch implementation did that ASIAGRAPH 2016 used ("conv4_2" there is relu4_2). Weights come from
`colorize.encoders.weights`; their widths decide the network's, so a narrow encoder serves the tests.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

from colorize.errors import BadRecipe
from colorize.recipes.recipe import Pooling

BLOCKS = (2, 2, 4, 4, 4)
"""Convolutions per block; each block but the last named layer's is followed by a pooling."""


def _layer_names() -> Iterator[str]:
    for block, convolutions in enumerate(BLOCKS, start=1):
        yield from (f"conv{block}_{index}" for index in range(1, convolutions + 1))
        yield f"pool{block}"


LAYERS = tuple(_layer_names())
CONVOLUTIONS = tuple(name for name in LAYERS if name.startswith("conv"))


@dataclass(frozen=True)
class Preprocessing:
    """What the first convolution expects: (RGB in [0, 255] · scale − mean) / deviation, per channel."""

    scale: float
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def affine(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """The same as pictures · factor + shift, each (1, 3, 1, 1) with the device and precision of `like`."""
        deviation = like.new_tensor(self.deviation).view(1, 3, 1, 1)
        return self.scale / deviation, -like.new_tensor(self.mean).view(1, 3, 1, 1) / deviation


OXFORD = Preprocessing(1.0, (123.68, 116.779, 103.939))
TORCHVISION = Preprocessing(1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True)
class Encoder:
    """VGG-19's convolutions with their weights' name and checksum, which stand beside every figure."""

    name: str
    checksum: str
    """SHA-256 (hex) of the weights' file."""
    preprocessing: Preprocessing
    convolutions: Mapping[str, tuple[Tensor, Tensor]] = field(repr=False)
    """Layer name → weight (out, in, 3, 3) and bias (out,), on one device, calibrated."""
    embedding: Mapping[str, Tensor] | None = field(default=None, repr=False)
    """Layer name → matrix (N, M) for its pooled features, whose sum is matching's embedding; a distilled encoder's."""

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.convolutions["conv1_1"][0].device

    @property
    def dtype(self) -> torch.dtype:
        """The precision that pictures must come in."""
        return self.convolutions["conv1_1"][0].dtype

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> "Encoder":
        """The same encoder on another device, or in another precision."""
        moved = {name: (w.to(device, dtype), b.to(device, dtype)) for name, (w, b) in self.convolutions.items()}
        embedding = self.embedding and {name: each.to(device, dtype) for name, each in self.embedding.items()}
        return replace(self, convolutions=moved, embedding=embedding)

    def features(self, pictures: Tensor, layers: Collection[str], pooling: Pooling = "max") -> dict[str, Tensor]:
        """Outputs of the named layers, computed no further than the last of them.

        Args:
            pictures: float, (B, 3, H, W), sRGB in [0, 255], H and W at least 16.
            layers: names from LAYERS.
            pooling: how each block halves the sides; `average` as Gatys et al. suggest.

        Returns:
            name → (B, N, H', W'), after the ReLU for conv layers.

        Raises:
            BadRecipe: a layer is unknown.
        """
        return dict(self.outputs(pictures, layers, pooling))

    def outputs(
        self, pictures: Tensor, layers: Collection[str], pooling: Pooling = "max"
    ) -> Iterator[tuple[str, Tensor]]:
        """The same one by one, for callers that need not hold them all at once."""
        wanted = known_layers(layers)
        activation = self.preprocessed(pictures)
        pool = functional.max_pool2d if pooling == "max" else functional.avg_pool2d
        for name in LAYERS[: max(map(LAYERS.index, wanted)) + 1]:
            if name in self.convolutions:
                weight, bias = self.convolutions[name]
                # In place of the convolution's own output, which nobody else has seen.
                activation = functional.relu_(functional.conv2d(activation, weight, bias, padding=1))
            else:
                activation = pool(activation, 2)
            if name in wanted:
                yield name, activation

    def preprocessed(self, pictures: Tensor) -> Tensor:
        """What the first convolution is given; (B, 3, H, W)."""
        factor, shift = self._affine
        return pictures * factor + shift

    @cached_property
    def _affine(self) -> tuple[Tensor, Tensor]:
        """Made once: a CUDA graph takes nothing from the host."""
        return self.preprocessing.affine(self.convolutions["conv1_1"][0])


def known_layers(layers: Collection[str]) -> set[str]:
    """The layers, each once.

    Raises:
        BadRecipe: VGG-19 has no layer of that name.
    """
    if unknown := sorted(set(layers) - set(LAYERS)):
        raise BadRecipe(f"VGG-19 has no layer {', '.join(unknown)}; it has {LAYERS[0]} to {LAYERS[-1]}")
    return set(layers)
