"""The fast evaluation of loss and gradient: VGG-19 forward and backward by hand, gradient to the picture only.

Called by `colorize.methods.neural_style.descent` through `Evaluator`; held to the reference in `losses` by tests.
Operands are float32 or bfloat16 (never float16: Gram matrices overflow it), channels last; Gram matrices, losses,
pictures and their gradient are float32. Nothing here waits for a GPU, and all shapes are fixed, so that a CUDA graph
can hold it.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from colorize.encoders.vgg19 import CONVOLUTIONS, LAYERS, Encoder, known_layers
from colorize.methods.neural_style.losses import (
    Decay,
    Evaluator,
    Layers,
    ReferenceEvaluator,
    Targets,
    Terms,
    content_factor,
    style_factor,
    style_scale,
    total_variation,
)
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.methods.neural_style.pooling import largest_of_four, to_the_largest
from colorize.methods.neural_style.winograd import WinogradWeight, pays
from colorize.recipes.recipe import Precision, Recipe

DTYPES: dict[Precision, torch.dtype] = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
}
_WIDE_BYTES = 1 << 24
"""What of a bfloat16 layer is widened to float32 at once."""
_ROWS = 1 << 16
"""Positions of a bfloat16 layer whose Gram matrix is summed at once."""

_aten: Any = torch.ops.aten


def multiplies_bfloat16(device: torch.device) -> bool:
    """Has the device matrix units for bfloat16? Others widen each operand to float32, which only saves memory."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    found = torch.cpu.get_capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


class Operands:
    """An encoder's weights as the engine multiplies them, each layer's made when it is first asked for."""

    def __init__(self, encoder: Encoder, precision: Precision) -> None:
        self.encoder, self.precision = encoder, precision
        self.stored = DTYPES[precision]
        """What activations are kept in."""
        wide = precision == "bfloat16" and not multiplies_bfloat16(encoder.device)
        self.multiplied = torch.float32 if wide else self.stored
        """What convolutions are computed in."""
        self.exact = DTYPES["float64" if precision == "float64" else "float32"]
        """What Gram matrices, losses and pictures are in."""
        # Made once: a CUDA graph takes nothing from the host.
        self.factor, self.shift = encoder.preprocessing.affine(torch.empty(0, dtype=self.exact, device=encoder.device))
        self._forward: dict[str, _Convolution] = {}
        self._backward: dict[str, _Convolution] = {}

    def forward(self, layer: str) -> "_Convolution":
        """The layer's convolution."""
        if layer not in self._forward:
            self._forward[layer] = _Convolution(*self._rounded(layer))
        return self._forward[layer]

    def backward(self, layer: str) -> "_Convolution":
        """The one that leads its gradient back: weights transposed and turned by 180°, no bias."""
        if layer not in self._backward:
            weight, _ = self._rounded(layer)
            self._backward[layer] = _Convolution(weight.transpose(0, 1).flip(2, 3), None)
        return self._backward[layer]

    def evaluator(self, recipe: Recipe) -> Evaluator:
        """Who says loss and gradient: the engine, or the reference in float64."""
        if self.precision == "float64":
            return ReferenceEvaluator(recipe, self.encoder.to(self.encoder.device, torch.float64))
        return Engine(recipe, self)

    def _rounded(self, layer: str) -> tuple[Tensor, Tensor]:
        weight, bias = (each.to(self.stored).to(self.multiplied) for each in self.encoder.convolutions[layer])
        return weight, bias


class _Convolution:
    """3×3, zero-padded by one, in the way that is fastest for its width, its operand and its device."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight, self._bias = weight.contiguous(memory_format=torch.channels_last), bias
        self._winograd = WinogradWeight(weight) if pays(weight) else None

    def __call__(self, operand: Tensor) -> Tensor:
        """(B, in, H, W), channels last → (B, out, H, W) in the same precision."""
        if self._winograd is not None and self._winograd.takes(operand):
            return self._winograd.convolve(operand, self._bias)
        if operand.dtype == self._weight.dtype:
            return functional.conv2d(operand, self._weight, self._bias, padding=1)
        return _convolved_wide(operand, self._weight, self._bias)

    def rectified(self, operand: Tensor) -> Tensor:
        """As a call, then ReLU; in one kernel where cuDNN has one, since two more walks over a layer cost a third."""
        if operand.is_cuda and operand.dtype == self._weight.dtype:
            one, found = (1, 1), torch.ops.aten.cudnn_convolution_relu
            fused: Tensor = found(operand, self._weight, self._bias, one, one, one, 1)
            return fused
        return self(operand).relu_()


@dataclass(frozen=True)
class Engine:
    """A recipe's losses over an encoder's operands."""

    recipe: Recipe
    operands: Operands
    _plan: tuple[str, ...] = field(init=False)
    """Layers in order, to the last that a loss needs."""

    def __post_init__(self) -> None:
        layers = known_layers({*self.recipe.content_layers, *self.recipe.style_layers})
        object.__setattr__(self, "_plan", LAYERS[: max(map(LAYERS.index, layers)) + 1])
        for name in set(self._plan) & set(CONVOLUTIONS):  # now, so that the free memory is what is left
            self.operands.forward(name)
            self.operands.backward(name)

    @property
    def own(self) -> NeuralStyle:
        """The method's parameters."""
        return NeuralStyle.of(self.recipe)

    def shapes(self, height: int, width: int) -> dict[str, tuple[int, int, int]]:
        """(N, H', W') of every layer that is kept for a picture of this size."""
        found, maps = {}, 3
        for name in self._plan:
            if name in CONVOLUTIONS:
                maps = len(self.operands.encoder.convolutions[name][0])
            else:
                height, width = height // 2, width // 2
            found[name] = (maps, height, width)
        return found

    def content_features(self, content: Tensor) -> Layers:
        """As Evaluator says; in the stored precision, so that the start has no content loss."""
        found = self.forward(content)
        return {name: found[name] for name in self.recipe.content_layers}

    def style_grams(self, style: Tensor) -> Layers:
        """As Evaluator says."""
        found = self.forward(style)
        return {name: self._gram(_positions(found[name])) for name in self.recipe.style_layers}

    @torch.no_grad()
    def evaluate(self, targets: Targets, pictures: Tensor, decay: Decay) -> tuple[Terms, Tensor]:
        """The weighted terms, each (B,), and the gradient of their sum, (B, 3, H, W), float32 (float64).

        On a CPU a minibatch is evaluated picture by picture: nothing is lost, one picture's activations are held at a
        time, and a picture's figures are the same to the last bit alone and in any minibatch.
        """
        if pictures.device.type != "cpu" or len(pictures) == 1:
            return self._evaluate(targets, pictures, decay)
        rows = [self._evaluate(targets.row(row), pictures[row : row + 1], decay) for row in range(len(pictures))]
        terms = (torch.cat([getattr(each, name) for each, _ in rows]) for name in ("content", "style", "tv"))
        return Terms(*terms), torch.cat([gradient for _, gradient in rows])

    @torch.no_grad()
    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Outputs of every planned layer, (B, N, H', W') in the stored precision, channels last."""
        kept: dict[str, Tensor] = {}
        prepared = pictures * self.operands.factor + self.operands.shift
        activation = prepared.to(self.operands.stored, memory_format=torch.channels_last)
        for name in self._plan:
            if name in CONVOLUTIONS:
                activation = self.operands.forward(name).rectified(activation)
            else:
                activation = self._pool(activation)
            kept[name] = activation
        return kept

    def _evaluate(self, targets: Targets, pictures: Tensor, decay: Decay) -> tuple[Terms, Tensor]:
        kept = self.forward(pictures)
        zero = torch.zeros(len(pictures), dtype=self.operands.exact, device=pictures.device)
        content, style = zero, zero.clone()
        gradient = torch.zeros_like(kept[self._plan[-1]])
        below = (*self._plan[:-1][::-1], None)
        for name, lower in zip(reversed(self._plan), below, strict=True):
            activation = kept.pop(name)
            if name in self.recipe.content_layers:
                content = content + self._content(targets, name, activation, gradient)
            if name in self.recipe.style_layers:
                style = style + self._style(targets, name, activation, gradient, decay)
            gradient = self._down(name, gradient, activation, None if lower is None else kept[lower])
        picture_gradient = self._to_picture(gradient)
        tv = self.own.tv_weight * total_variation(pictures)
        add_variation_gradient(self.own.tv_weight, pictures, picture_gradient)
        return Terms(content, style, tv), picture_gradient

    def _down(self, name: str, gradient: Tensor, activation: Tensor, lower: Tensor | None) -> Tensor:
        """The gradient by a layer's input, from the one by its output."""
        if name not in CONVOLUTIONS:
            assert lower is not None, "a pooling has a convolution below it"
            return self._unpool(gradient, lower)
        _aten.threshold_backward.grad_input(gradient, activation, 0, grad_input=gradient)
        return self.operands.backward(name)(gradient)

    def _content(self, targets: Targets, name: str, activation: Tensor, gradient: Tensor) -> Tensor:
        """α L_content of a layer, (B,); its gradient 2 c (F−P) is added in place."""
        target = targets.content[name]
        factor = content_factor(self.own.formula, target[0].numel()) / len(self.recipe.content_layers)
        difference = activation.to(self.operands.exact) - target
        gradient.add_(difference, alpha=2 * factor)
        return factor * difference.square_().flatten(1).sum(1)

    def _style(self, targets: Targets, name: str, activation: Tensor, gradient: Tensor, decay: Decay) -> Tensor:
        """β w_l E_l of a layer, (B,); its gradient 4 c (G−A) F / M is added in place (G−A is symmetric)."""
        positions = _positions(activation)
        difference = self._gram(positions) - targets.style[name]
        scale = self.own.style_over_content * style_scale(self.recipe, targets) / len(self.recipe.style_layers)
        factor = style_factor(self.own.formula, difference.shape[1]) * scale * decay
        self._add_product(_positions(gradient), positions, difference * (4 * factor / positions.shape[1]))
        return factor * difference.square_().flatten(1).sum(1)

    def _gram(self, positions: Tensor) -> Tensor:
        """Fᵀ F / M of (B, M, N), (B, N, N) in float32 (float64) whatever the operands."""
        transposed = positions.transpose(1, 2)
        if positions.dtype == self.operands.exact:
            return torch.bmm(transposed, positions) / positions.shape[1]
        if positions.is_cuda:
            found: Tensor = torch.bmm(transposed, positions, out_dtype=torch.float32)
            return found / positions.shape[1]
        gram = torch.zeros(len(positions), *2 * positions.shape[2:], device=positions.device)
        for part in _parts(positions):
            wide = part.float()
            gram.baddbmm_(wide.transpose(1, 2), wide)
        return gram / positions.shape[1]

    def _add_product(self, gradient: Tensor, positions: Tensor, matrix: Tensor) -> None:
        """`gradient` (B, M, N) += positions (B, M, N) · matrix (B, N, N)."""
        if positions.dtype == self.operands.multiplied:
            gradient.baddbmm_(positions, matrix.to(positions.dtype))
            return
        for total, part in zip(_parts(gradient), _parts(positions), strict=True):
            total.add_(torch.bmm(part.float(), matrix))

    def _pool(self, activation: Tensor) -> Tensor:
        return functional.avg_pool2d(activation, 2) if self._averages else largest_of_four(activation)

    def _unpool(self, gradient: Tensor, lower: Tensor) -> Tensor:
        if not self._averages:
            return to_the_largest(gradient, lower)
        found: Tensor = _aten.avg_pool2d_backward(gradient, lower, [2, 2], [2, 2], [0, 0], False, True, None)
        return found

    @property
    def _averages(self) -> bool:
        return self.recipe.pooling == "average"

    def _to_picture(self, gradient: Tensor) -> Tensor:
        """From the gradient by the preprocessed picture to that by the picture, contiguous."""
        wide = gradient.to(self.operands.exact, memory_format=torch.contiguous_format)
        return wide * self.operands.factor


def _convolved_wide(operand: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A convolution of bfloat16 in float32, by strips of rows, so that little is wide at any time."""
    height, width = operand.shape[2:]
    shape = (len(operand), len(weight), height, width)
    found = torch.empty(shape, dtype=operand.dtype, device=operand.device, memory_format=torch.channels_last)
    rows = max(16, _WIDE_BYTES // (4 * width * max(weight.shape[:2])))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        halo_top, halo_bottom = max(0, top - 1), min(height, bottom + 1)
        strip = functional.conv2d(operand[:, :, halo_top:halo_bottom].to(weight.dtype), weight, bias, padding=1)
        found[:, :, top:bottom] = strip[:, :, top - halo_top : bottom - halo_top]
    return found


def _parts(positions: Tensor) -> tuple[Tensor, ...]:
    parts: tuple[Tensor, ...] = torch.split(positions, _ROWS, dim=1)
    return parts


def _positions(features: Tensor) -> Tensor:
    """(B, N, H, W), channels last → (B, M, N), a view."""
    return features.permute(0, 2, 3, 1).flatten(1, 2)


def add_variation_gradient(weight: float, pictures: Tensor, gradient: Tensor) -> None:
    """Add that of weight · total variation to the gradient (B, 3, H, W), in place."""
    for axis in (2, 3):
        size = pictures.shape[axis] - 1
        steps = pictures.diff(dim=axis).mul_(2 * weight)
        gradient.narrow(axis, 1, size).add_(steps)
        gradient.narrow(axis, 0, size).sub_(steps)
