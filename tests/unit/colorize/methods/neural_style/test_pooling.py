"""Pooling by hand and its gradient are autograd's; the GPU's kernels are tried by tests.benchmarks.gpu."""

import pytest
import torch
from torch.nn import functional

from colorize.methods.neural_style.pooling import largest_of_four, to_the_largest

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", [(8, 8), (9, 6), (7, 7)])
def test_the_gradient_goes_where_autograd_leads_it_also_where_all_four_tie(size: tuple[int, int], device: str) -> None:
    generator = torch.Generator().manual_seed(1)
    lower = torch.randint(0, 3, (2, 5, *size), generator=generator).float()  # of so few values many tie
    lower = lower.to(device).contiguous(memory_format=torch.channels_last).requires_grad_()
    pooled = functional.max_pool2d(lower, 2)
    gradient = torch.rand(pooled.shape, generator=generator).to(device)
    (wanted,) = torch.autograd.grad(pooled, lower, gradient)
    with torch.no_grad():
        assert torch.equal(largest_of_four(lower), pooled)
        assert torch.equal(to_the_largest(gradient, lower), wanted)
