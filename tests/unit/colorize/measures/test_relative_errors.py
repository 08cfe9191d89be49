from collections.abc import Collection, Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from colorize.encoders.vgg19 import LAYERS, OXFORD, Encoder
from colorize.measures.relative_errors import relative_difference, relative_errors
from colorize.methods.neural_style.losses import ReferenceEvaluator, gram_matrix
from colorize.recipes.library import recipe_named
from colorize.recipes.recipe import Pooling
from colorize.results import RelativeErrors
from tests.unit.colorize.methods.neural_style.evaluators import singly, targets_of

RECIPE = recipe_named("jadh2016/config3_2_2")
NUMBERS = st.floats(-1e6, 1e6, width=32)


def pictures(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 255


def test_the_relative_difference_of_nothing_and_nothing_is_nothing() -> None:
    zeros = torch.zeros(3)
    assert relative_difference(zeros, zeros).tolist() == [0, 0, 0]


def test_relative_differences_by_hand() -> None:
    a = torch.tensor([1.0, 0.0, 2.0, -1.0, 1.0, 5.0])
    b = torch.tensor([3.0, 7.0, 2.0, -3.0, -1.0, 0.0])
    assert relative_difference(a, b).tolist() == [1.0, 2.0, 0.0, 1.0, 2.0, 2.0]


@settings(deadline=None, max_examples=100)
@given(pairs=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20))
def test_a_relative_difference_lies_in_0_to_2_and_knows_no_sides(pairs: list[tuple[float, float]]) -> None:
    a, b = torch.tensor(pairs, dtype=torch.float64).unbind(1)
    found = relative_difference(a, b)
    assert (found >= 0).all()
    assert (found <= 2 * (1 + 1e-12)).all()
    assert found.equal(relative_difference(b, a))


class OfOneChannel(Encoder):
    """Every layer of it is the mean over the colours, so that errors can be taken by hand."""

    def outputs(
        self, pictures: Tensor, layers: Collection[str], pooling: Pooling = "max"
    ) -> Iterator[tuple[str, Tensor]]:
        return ((name, pictures.mean(1, keepdim=True)) for name in LAYERS if name in layers)


def test_both_errors_by_hand() -> None:
    encoder = OfOneChannel("mean", "", OXFORD, {})
    recipe = RECIPE.changed(content_layers=("conv4_2",), style_layers=("conv1_1", "conv2_1"))
    content = torch.tensor([[1.0, 0.0], [2.0, 4.0]]).expand(1, 3, 2, 2)
    style = torch.tensor([[3.0, 1.0]]).expand(1, 3, 1, 2)
    result = torch.tensor([[3.0, 0.0], [2.0, 0.0]]).expand(1, 3, 2, 2)
    targets = targets_of(ReferenceEvaluator(recipe, encoder), content, [style])
    (found,) = relative_errors(recipe, encoder, targets, result)
    # content: 2/2 + 0/0 + 0 + 4/2; Gram matrices: (9 + 1)/2 = 5 against (9 + 0 + 4 + 0)/4 = 3.25
    style_error = (5 - 3.25) / ((5 + 3.25) / 2)
    assert (found.content_sum, found.content_mean) == pytest.approx((3.0, 3 / 4))
    assert (found.style_sum, found.style_mean) == pytest.approx((style_error, style_error))


def test_identical_pictures_have_no_error(narrow64: Encoder) -> None:
    stack = pictures(2, 3, 32, 32)
    targets = targets_of(ReferenceEvaluator(RECIPE, narrow64), stack, singly(stack))
    assert relative_errors(RECIPE, narrow64, targets, stack) == [RelativeErrors(0, 0, 0, 0)] * 2


def test_sums_are_means_times_elements_averaged_over_the_layers(narrow64: Encoder) -> None:
    contents, result = pictures(2, 3, 32, 48), pictures(2, 3, 32, 48, seed=2)
    styles = [pictures(1, 3, 48, 32, seed=3), pictures(1, 3, 32, 32, seed=4)]
    targets = targets_of(ReferenceEvaluator(RECIPE, narrow64), contents, styles)
    found = relative_errors(RECIPE, narrow64, targets, result)
    for row in range(2):
        kept, made = (narrow64.features(x[row : row + 1], LAYERS) for x in (contents, result))
        wanted = narrow64.features(styles[row], LAYERS)
        content = [relative_difference(kept[name], made[name]) for name in RECIPE.content_layers]
        style = [relative_difference(gram_matrix(wanted[n]), gram_matrix(made[n])) for n in RECIPE.style_layers]
        assert found[row].content_sum == pytest.approx(float(sum(x.sum() for x in content)) / 2)
        assert found[row].content_mean == pytest.approx(float(sum(x.mean() for x in content)) / 2)
        assert found[row].style_sum == pytest.approx(float(sum(x.sum() for x in style)) / 5)
        assert found[row].style_mean == pytest.approx(float(sum(x.mean() for x in style)) / 5)
        assert 0 < found[row].content_mean < 2
        assert 0 < found[row].style_mean < 2


def test_the_means_compare_across_sizes_and_the_sums_do_not(narrow64: Encoder) -> None:
    recipe = RECIPE.changed(content_layers=("conv1_1",), style_layers=("conv1_1",))
    contents, result = pictures(1, 3, 32, 32), pictures(1, 3, 32, 32, seed=2)
    small, large = (
        relative_errors(recipe, narrow64, targets_of(ReferenceEvaluator(recipe, narrow64), c, [contents]), r)[0]
        for c, r in ((contents, result), (contents.tile(1, 1, 4, 4), result.tile(1, 1, 4, 4)))
    )
    assert large.content_mean == pytest.approx(small.content_mean, rel=0.02)
    assert large.content_sum == pytest.approx(16 * small.content_sum, rel=0.02)
