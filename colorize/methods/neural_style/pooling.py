"""2×2 max pooling of the engine's layers, channels last, and its gradient. Called by `engine`.

Torch's own pooling keeps indices of 8 bytes each; here the gradient finds the largest again by its value. On a GPU
two small kernels read every value once (`pooling_kernels`, by Triton, which comes with torch for a GPU); without
Triton or a C compiler for it, and on a CPU, torch's operations do the same more slowly.
"""

import logging
import subprocess
from functools import cache
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_aten: Any = torch.ops.aten
_log = logging.getLogger(__name__)


def largest_of_four(features: Tensor) -> Tensor:
    """The largest of each 2×2 window, (B, N, H, W) → (B, N, H // 2, W // 2), channels last."""
    if features.is_cuda and (kernels := _kernels()):
        pooled: Tensor = kernels.largest_of_four(features)
        return pooled
    return functional.max_pool2d(features, 2)


def to_the_largest(gradient: Tensor, lower: Tensor) -> Tensor:
    """The gradient by `lower` from that by its pooled values: of equal largest ones the first gets all, as autograd."""
    found: Tensor
    if gradient.is_cuda and (kernels := _kernels()):
        found = kernels.to_the_largest(gradient, lower)
        return found
    two, zero = [2, 2], [0, 0]
    _, indices = _aten.max_pool2d_with_indices(lower, two, two)
    found = _aten.max_pool2d_with_indices_backward(gradient, lower, two, two, zero, [1, 1], False, indices)
    return found


@cache
def _kernels() -> ModuleType | None:
    """The GPU's kernels, tried on one window; None, and a warning, where they cannot be compiled."""
    try:
        from colorize.methods.neural_style import pooling_kernels  # noqa: PLC0415  (needs Triton)

        pooling_kernels.check()
    except (ImportError, OSError, RuntimeError, subprocess.CalledProcessError) as error:
        _log.warning("pooling on the GPU goes by torch's own operations, which is slower: %s", error)
        return None
    return pooling_kernels
