"""Convolutions of 3×3 with four times fewer multiplications: Winograd's F(4×4, 3×3) (Lavin and Gray 2015).

Called by `colorize.methods.neural_style.engine` for the wide layers on a CPU, where eager torch is at the rate of its
matrix product already and fewer multiplications are all that is left. Float32; its error is about 2e-6 of a layer's
norm, 3–4 times the direct convolution's.
"""

from math import ceil

import torch
from torch import Tensor

_TILE, _STEP = 6, 4
"""Inputs of a tile along a side, and outputs."""
_STRIP_BYTES = 1 << 22
"""What transformed tiles may take at once: they are made and multiplied in a cache's reach."""
_LEAST_CHANNELS = 128
_LEAST_TILES = 16
"""Under these a direct convolution is faster: the transforms, or reading the transformed weights, cost more."""

# Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A with the points 0, ±1, ±2 and infinity.
_B = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_G = ((6, 0, 0), (-4, -4, -4), (-4, 4, -4), (1, 2, 4), (1, -2, 4), (0, 0, 24))
"""Times 24."""
_A = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))


def _twice(rows: tuple[tuple[int, ...], ...]) -> Tensor:
    """A transform along both sides of a tile as one matrix over its flattened elements."""
    once = torch.tensor(rows, dtype=torch.float32)
    return torch.kron(once, once)


def pays(weight: Tensor) -> bool:
    """Is a layer with this weight (out, in, 3, 3) wide enough?"""
    return min(weight.shape[:2]) >= _LEAST_CHANNELS and weight.dtype == torch.float32 and weight.device.type == "cpu"


class WinogradWeight:
    """A layer's weight, transformed: (36, in, out), four times its size."""

    def __init__(self, weight: Tensor) -> None:
        kernel = torch.tensor(_G, dtype=torch.float64) / 24
        transformed = torch.einsum("ij,ocjk,lk->ilco", kernel, weight.double(), kernel)
        self._weight = transformed.flatten(0, 1).to(weight.dtype).contiguous()
        self._into, self._back = _twice(_B), _twice(_A)

    def takes(self, operand: Tensor) -> bool:
        """Has the operand (B, N, H, W) tiles enough?"""
        return ceil(operand.shape[2] / _STEP) * ceil(operand.shape[3] / _STEP) >= _LEAST_TILES

    def convolve(self, operand: Tensor, bias: Tensor | None) -> Tensor:
        """The convolution of (B, in, H, W), channels last, zero-padded by one: (B, out, H, W), same dtype."""
        batch, _, height, width = operand.shape
        maps_in, maps = self._weight.shape[1:]
        found = operand.new_empty(batch, height, width, maps)
        rows, columns = ceil(height / _STEP), ceil(width / _STEP)
        strip = max(1, _STRIP_BYTES // (_TILE * _TILE * 4 * columns * max(maps_in, maps)))
        for picture, target in zip(operand.permute(0, 2, 3, 1), found, strict=True):
            for row in range(0, rows, strip):
                until = min(rows, row + strip)
                convolved = self._convolved(_padded(picture, row, until, columns))
                if bias is not None:
                    convolved += bias
                top, bottom = row * _STEP, min(height, until * _STEP)
                target[top:bottom].copy_(convolved[: bottom - top, :width])
        return found.permute(0, 3, 1, 2)

    def _convolved(self, strip: Tensor) -> Tensor:
        """A padded strip (4 r + 2, 4 c + 2, in) → (4 r, 4 c, out)."""
        tiles = strip.unfold(0, _TILE, _STEP).unfold(1, _TILE, _STEP)
        rows, columns, maps = tiles.shape[:3]
        flat = tiles.permute(3, 4, 0, 1, 2).reshape(_TILE * _TILE, -1)
        transformed = (self._into @ flat).view(_TILE * _TILE, rows * columns, maps)
        products = torch.bmm(transformed, self._weight)
        back = (self._back @ products.flatten(1)).view(_STEP, _STEP, rows, columns, -1)
        return back.permute(2, 0, 3, 1, 4).reshape(rows * _STEP, columns * _STEP, -1)


def _padded(picture: Tensor, row: int, until: int, columns: int) -> Tensor:
    """Rows of tiles [row, until) of a picture (H, W, N), with what lies around them, in float32; zeros outside."""
    height, width, maps = picture.shape
    strip = torch.zeros((until - row) * _STEP + 2, columns * _STEP + 2, maps)
    first, last = row * _STEP - 1, min(height, until * _STEP + 1)
    top = max(0, first)
    strip[top - first : last - first, 1 : 1 + width].copy_(picture[top:last])
    return strip
