"""The two GPU kernels of `pooling`, in Triton: each value of a layer is read once. Nothing here runs without a GPU.

Kernels have no annotations but `constexpr`: Triton takes any other name for a global variable.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor
from triton.errors import TritonError

_ELEMENTS = 2048
"""Windows × channels that one program works on."""


@triton.jit
def _windows(height, width, MAPS: tl.constexpr, COLUMNS: tl.constexpr, CHANNELS: tl.constexpr):  # noqa: N803
    """Offsets of this program's windows in the layer (the first place of each) and in the pooled one, and which are."""
    pooled_height, pooled_width = height // 2, width // 2
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)[:, None]
    channel = tl.arange(0, CHANNELS)[None, :]
    top = (row // pooled_height * height + row % pooled_height * 2) * width
    inside = (column < pooled_width) & (channel < MAPS)
    return (top + 2 * column) * MAPS + channel, (row * pooled_width + column) * MAPS + channel, inside


@triton.jit
def _pool(
    lower, pooled, height, width, MAPS: tl.constexpr, COLUMNS: tl.constexpr, CHANNELS: tl.constexpr  # noqa: N803
):  # fmt: skip
    at, to, inside = _windows(height, width, MAPS, COLUMNS, CHANNELS)
    below = width * MAPS
    upper = tl.maximum(tl.load(lower + at, mask=inside), tl.load(lower + at + MAPS, mask=inside))
    under = tl.maximum(tl.load(lower + at + below, mask=inside), tl.load(lower + at + below + MAPS, mask=inside))
    tl.store(pooled + to, tl.maximum(upper, under), mask=inside)


@triton.jit
def _unpool(
    gradient, lower, found, height, width,
    MAPS: tl.constexpr, COLUMNS: tl.constexpr, CHANNELS: tl.constexpr,  # noqa: N803
):  # fmt: skip
    at, to, inside = _windows(height, width, MAPS, COLUMNS, CHANNELS)
    below = width * MAPS
    a, b = tl.load(lower + at, mask=inside), tl.load(lower + at + MAPS, mask=inside)
    c, d = tl.load(lower + at + below, mask=inside), tl.load(lower + at + below + MAPS, mask=inside)
    largest, all_of_it = tl.maximum(tl.maximum(a, b), tl.maximum(c, d)), tl.load(gradient + to, mask=inside)
    at_a, at_b, at_c = a == largest, b == largest, c == largest
    at_b, at_c, at_d = at_b & ~at_a, at_c & ~(at_a | at_b), (d == largest) & ~(at_a | at_b | at_c)
    tl.store(found + at, tl.where(at_a, all_of_it, 0.0), mask=inside)
    tl.store(found + at + MAPS, tl.where(at_b, all_of_it, 0.0), mask=inside)
    tl.store(found + at + below, tl.where(at_c, all_of_it, 0.0), mask=inside)
    tl.store(found + at + below + MAPS, tl.where(at_d, all_of_it, 0.0), mask=inside)


def largest_of_four(features: Tensor) -> Tensor:
    """As `pooling.largest_of_four`."""
    rows, maps, height, width = features.shape
    shape = (rows, maps, height // 2, width // 2)
    pooled = torch.empty(shape, dtype=features.dtype, device=features.device, memory_format=torch.channels_last)
    grid, sizes = _grid(features)
    _pool[grid](_channels_last(features), pooled, height, width, **sizes)
    return pooled


def to_the_largest(gradient: Tensor, lower: Tensor) -> Tensor:
    """As `pooling.to_the_largest`."""
    lower = _channels_last(lower)
    height, width = lower.shape[2:]
    odd = (height | width) & 1  # a last row or column that fills no window has no gradient
    found = torch.zeros_like(lower) if odd else torch.empty_like(lower)
    grid, sizes = _grid(lower)
    _unpool[grid](_channels_last(gradient), lower, found, height, width, **sizes)
    return found


def check() -> None:
    """Try both on one window.

    Raises:
        RuntimeError: Triton cannot compile them here.
    """
    window = torch.zeros(1, 1, 2, 2, device="cuda")
    try:
        to_the_largest(largest_of_four(window), window)
    except TritonError as error:
        raise RuntimeError(str(error)) from error


def _channels_last(features: Tensor) -> Tensor:
    return features.contiguous(memory_format=torch.channels_last)


def _grid(features: Tensor) -> tuple[tuple[int, int], dict[str, int]]:
    """Programs by (row of windows, group of columns), and how much each takes on."""
    rows, maps, height, width = features.shape
    channels = triton.next_power_of_2(maps)
    columns = max(1, min(_ELEMENTS // channels, triton.next_power_of_2(width // 2)))
    return (rows * (height // 2), -(-(width // 2) // columns)), {"MAPS": maps, "COLUMNS": columns, "CHANNELS": channels}
