"""Winograd's convolutions, held to the direct ones, and the engine where its layers are wide enough for them."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from colorize.encoders.loading import random_encoder
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.methods.neural_style.engine import Engine, Operands
from colorize.methods.neural_style.losses import ReferenceEvaluator
from colorize.methods.neural_style.winograd import WinogradWeight, pays
from colorize.recipes.library import recipe_named
from colorize.running.prepare import to_tensor
from tests.unit.colorize.methods.neural_style.evaluators import apart, singly, targets_of, told

WIDTHS = (4, 8, 128, 8, 8)


def numbers(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 18), (1, 70), (64, 3), (6, 1500)])
@pytest.mark.parametrize("biased", [True, False])
def test_it_is_the_direct_convolution_at_any_size_and_strip_by_strip(height: int, width: int, biased: bool) -> None:
    operand, weight, bias = numbers(2, 24, height, width), numbers(40, 24, 3, 3, seed=2), numbers(40, seed=3)
    wanted = functional.conv2d(operand, weight, bias if biased else None, padding=1)
    single = operand.float().contiguous(memory_format=torch.channels_last)
    found = WinogradWeight(weight.float()).convolve(single, bias.float() if biased else None)
    assert found.shape == wanted.shape
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert told(f"Winograd = direct convolution, {height}×{width}", apart(found, wanted)) < 1e-5
    assert single.equal(operand.float())


def test_a_picture_is_convolved_alone_as_in_a_minibatch_to_the_last_bit() -> None:
    operand = numbers(3, 16, 20, 24).float().contiguous(memory_format=torch.channels_last)
    weight = WinogradWeight(numbers(16, 16, 3, 3, seed=2).float())
    together = weight.convolve(operand, None)
    for row, alone in enumerate(singly(operand)):
        assert weight.convolve(alone, None)[0].equal(together[row])


def test_only_wide_layers_in_float32_with_tiles_enough_are_taken() -> None:
    wide = torch.zeros(128, 128, 3, 3)
    assert pays(wide)
    assert not any(pays(each) for each in (wide[:127], wide[:, :64], wide.double(), wide.bfloat16()))
    assert WinogradWeight(wide).takes(torch.zeros(1, 128, 16, 13))
    assert not WinogradWeight(wide).takes(torch.zeros(1, 128, 12, 16))


def test_an_engine_with_wide_layers_is_near_the_reference_and_alone_as_in_a_minibatch(
    photographs: dict[str, Pixels],
) -> None:
    encoder, recipe = random_encoder(widths=WIDTHS), recipe_named("jadh2016/config3_2_2")
    assert any(pays(weight) for weight, _ in encoder.convolutions.values())
    grays = [to_gray(photographs["astronaut"]), to_gray(photographs["astronaut"][::-1])]
    contents = torch.cat([to_tensor(gray, encoder) for gray in grays])
    styles = [to_tensor(photographs[name], encoder) for name in ("chelsea", "coffee")]
    results = contents + 30 * torch.rand(contents.shape, generator=torch.Generator().manual_seed(5))
    engine, wide = Engine(recipe, Operands(encoder, "float32")), encoder.to("cpu", torch.float64)
    reference = ReferenceEvaluator(recipe, wide)
    terms, gradient = engine.evaluate(targets_of(engine, contents, styles), results, 1.0)
    theirs = targets_of(reference, contents.double(), [style.double() for style in styles])
    wanted_terms, wanted = reference.evaluate(theirs, results.double(), 1.0)
    assert told("float32 with Winograd = float64, total loss", apart(terms.total, wanted_terms.total)) < 1e-4
    assert told("float32 with Winograd = float64, gradient", apart(gradient, wanted)) < 1e-2
    for row in range(2):
        one = slice(row, row + 1)
        alone = engine.evaluate(targets_of(engine, contents[one], styles[one]), results[one], 1.0)
        assert alone[1][0].equal(gradient[row])
        assert alone[0].total[0].equal(terms.total[row])
