import math
from typing import get_args

import pytest
import torch
from torch import Tensor

from colorize.encoders.vgg19 import Encoder
from colorize.methods.neural_style.losses import (
    Layers,
    ReferenceEvaluator,
    TargetCache,
    content_loss,
    gram_matrix,
    loss_terms,
    style_loss,
    style_scale,
    total_variation,
)
from colorize.methods.neural_style.parameters import Formula
from colorize.recipes.library import recipe_named
from colorize.recipes.recipe import Recipe
from tests.unit.colorize.methods.neural_style.evaluators import targets_of

FORMULAE: tuple[Formula, ...] = get_args(Formula)
JADH = recipe_named("jadh2016/config3_2_2")
ASIAGRAPH = recipe_named("asiagraph2016")


def numbers(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pictures(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 255


def shuffled(features: Tensor) -> Tensor:
    """The same features at other positions."""
    order = torch.randperm(features[0, 0].numel(), generator=torch.Generator().manual_seed(2))
    return features.flatten(2)[..., order].view_as(features)


def test_the_gram_matrix_of_maps_of_ones_is_ones_at_any_size() -> None:
    for height, width in ((1, 1), (4, 6), (9, 2)):
        assert gram_matrix(torch.ones(2, 3, height, width)).equal(torch.ones(2, 3, 3))


def test_a_gram_matrix_by_hand() -> None:
    features = torch.tensor([[[[1.0, 2.0]], [[3.0, -1.0]]]])
    assert gram_matrix(features).tolist() == [[[2.5, 0.5], [0.5, 5.0]]]


def test_a_gram_matrix_does_not_change_when_positions_are_shuffled() -> None:
    features = numbers(2, 5, 6, 7)
    assert not shuffled(features).equal(features)
    assert torch.allclose(gram_matrix(shuffled(features)), gram_matrix(features), rtol=1e-12)


def test_a_gram_matrix_is_divided_by_its_own_positions_so_that_a_tiled_picture_has_the_same() -> None:
    features = numbers(1, 4, 3, 5)
    assert torch.allclose(gram_matrix(features.tile(1, 1, 3, 2)), gram_matrix(features), rtol=1e-12)


@pytest.mark.parametrize("formula", FORMULAE)
def test_identical_pictures_lose_nothing(formula: Formula) -> None:
    features = numbers(2, 4, 3, 5)
    assert content_loss(formula, features, features).tolist() == [0, 0]
    assert style_loss(formula, gram_matrix(features), gram_matrix(features)).tolist() == [0, 0]


@pytest.mark.parametrize("formula", FORMULAE)
def test_shuffled_positions_cost_content_but_no_style(formula: Formula) -> None:
    features = numbers(1, 4, 3, 5)
    other = shuffled(features)
    assert float(content_loss(formula, features, other)) > 0.1
    assert float(style_loss(formula, gram_matrix(features), gram_matrix(other))) < 1e-20


def test_both_content_losses_by_hand() -> None:
    # two pictures of N = 2 maps with M = 3 positions; squares of the differences: 1 + 4 + 9, and 16
    content = torch.zeros(2, 2, 1, 3)
    result = torch.tensor([[[[1.0, -2.0, 0.0]], [[0.0, 3.0, 0.0]]], [[[0.0, 0.0, 0.0]], [[0.0, 0.0, 4.0]]]])
    assert content_loss("asiagraph2016", content, result).tolist() == [7.0, 8.0]
    assert content_loss("jadh2016", content, result).tolist() == pytest.approx([14 / 6, 16 / 6])


def test_both_style_losses_by_hand() -> None:
    # N = 2; F Fᵀ of the style is [[1+4, 1+2], [1+2, 1+1]] over M = 2, of the result [[9, 0], [0, 0]] over M = 1
    style = gram_matrix(torch.tensor([[[[1.0, 2.0]], [[1.0, 1.0]]]]))
    result = gram_matrix(torch.tensor([[[[3.0]], [[0.0]]]]))
    squares = (9 - 2.5) ** 2 + 2 * 1.5**2 + 1.0**2
    assert float(style_loss("jadh2016", style, result)) == pytest.approx(squares / 2**2)
    assert float(style_loss("asiagraph2016", style, result)) == pytest.approx(squares / (4 * 2**2))


def test_asiagraphs_style_loss_is_the_printed_one_where_sizes_are_equal() -> None:
    a, f = numbers(1, 3, 4, 5), numbers(1, 3, 4, 5, seed=2)
    raw_a, raw_g = (x.flatten(2) @ x.flatten(2).transpose(1, 2) for x in (a, f))
    printed = float((raw_a - raw_g).square().sum()) / (4 * 3**2 * 20**2)
    assert float(style_loss("asiagraph2016", gram_matrix(a), gram_matrix(f))) == pytest.approx(printed, rel=1e-12)


def test_total_variation_by_hand() -> None:
    one = torch.tensor([[1.0, 4.0], [3.0, 8.0]])  # down: 2² + 4²; across: 3² + 5²
    stack = torch.stack([torch.stack([one, torch.full((2, 2), 7.0), one * 10]), torch.zeros(3, 2, 2)])
    assert total_variation(stack).tolist() == [54 + 0 + 5400, 0]


def test_total_variation_grows_with_the_area() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(8).expand(1, 3, 4, 16)
    assert float(total_variation(stripes)) == 3 * 4 * 15
    assert float(total_variation(stripes.repeat(1, 1, 2, 1))) == 2 * 3 * 4 * 15


def test_asiagraphs_style_weight_is_scaled_so_that_both_papers_balance_alike(narrow64: Encoder) -> None:
    contents, styles = pictures(1, 3, 32, 48), [pictures(1, 3, 32, 32, seed=2)]
    as_jadh = ASIAGRAPH.changed(formula="jadh2016")
    targets = targets_of(ReferenceEvaluator(ASIAGRAPH, narrow64), contents, styles)
    assert style_scale(as_jadh, targets) == 1
    assert style_scale(ASIAGRAPH, targets) == 2 * 8 * (4 * 6)  # N = 8 maps of conv4_2, M = 32/8 · 48/8
    result = pictures(1, 3, 32, 48, seed=3)
    theirs = loss_terms(ASIAGRAPH, narrow64, targets, result, 1.0)
    ours = loss_terms(as_jadh, narrow64, targets, result, 1.0)
    assert float(theirs.style / theirs.content) == pytest.approx(float(ours.style / ours.content), rel=1e-9)


def test_the_total_is_the_weighted_sum_of_means_over_layers(narrow64: Encoder) -> None:
    contents, styles = pictures(2, 3, 32, 32), [pictures(1, 3, 32, 48, seed=2), pictures(1, 3, 48, 32, seed=3)]
    result = pictures(2, 3, 32, 32, seed=4)
    targets = targets_of(ReferenceEvaluator(JADH, narrow64), contents, styles)
    terms = loss_terms(JADH, narrow64, targets, result, 0.25)
    for row in range(2):
        made, kept = (narrow64.features(x[row : row + 1], JADH.content_layers) for x in (result, contents))
        content = sum(float((kept[name] - made[name]).square().mean()) for name in JADH.content_layers) / 2
        wanted, found = (narrow64.features(x, JADH.style_layers) for x in (styles[row], result[row : row + 1]))
        style = 0.0
        for name in JADH.style_layers:
            style += float((gram_matrix(wanted[name]) - gram_matrix(found[name])).square().mean()) / 5
        assert float(terms.content[row]) == pytest.approx(content, rel=1e-9)
        assert float(terms.style[row]) == pytest.approx(1e-4 * 0.25 * style, rel=1e-9)
        assert float(terms.tv[row]) == pytest.approx(0.001 * float(total_variation(result)[row]), rel=1e-12)
    assert torch.equal(terms.total, terms.content + terms.style + terms.tv)


def test_a_result_that_is_its_content_and_its_style_has_only_variation_to_lose(narrow64: Encoder) -> None:
    contents = pictures(1, 3, 32, 32)
    targets = targets_of(ReferenceEvaluator(JADH, narrow64), contents, [contents])
    terms = loss_terms(JADH, narrow64, targets, contents, 1.0)
    assert (float(terms.content), float(terms.style)) == (0, 0)
    assert float(terms.tv) > 0


def test_targets_carry_no_gradient(narrow64: Encoder) -> None:
    contents = pictures(1, 3, 32, 32).requires_grad_()
    targets = targets_of(ReferenceEvaluator(JADH, narrow64), contents, [contents])
    assert not any(tensor.requires_grad for tensor in (*targets.content.values(), *targets.style.values()))


@pytest.mark.parametrize("formula", FORMULAE)
def test_gradients_of_the_parts_are_those_of_finite_differences(formula: Formula) -> None:
    target, features = numbers(2, 3, 3, 4), numbers(2, 3, 3, 4, seed=2).requires_grad_()
    gram = gram_matrix(numbers(2, 3, 5, 5, seed=3))
    assert torch.autograd.gradcheck(lambda x: content_loss(formula, target, x), features)
    assert torch.autograd.gradcheck(lambda x: style_loss(formula, gram, gram_matrix(x)), features)
    assert torch.autograd.gradcheck(total_variation, features)


@pytest.mark.parametrize("recipe", [JADH, JADH.changed(pooling="average"), ASIAGRAPH], ids=["max", "average", "A"])
def test_the_gradient_through_the_encoder_is_that_of_finite_differences(recipe: Recipe, narrow64: Encoder) -> None:
    contents, result = pictures(1, 3, 32, 32), pictures(1, 3, 32, 32, seed=2)
    targets = targets_of(ReferenceEvaluator(recipe, narrow64), contents, [pictures(1, 3, 32, 48, seed=3)])

    def loss(x: Tensor) -> float:
        return float(loss_terms(recipe, narrow64, targets, x, 0.5).total)

    leaf = result.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss_terms(recipe, narrow64, targets, leaf, 0.5).total.sum(), leaf)
    step = 1e-5
    for seed in range(8):
        direction = numbers(1, 3, 32, 32, seed=10 + seed)
        differences = (loss(result + step * direction) - loss(result - step * direction)) / (2 * step)
        assert math.isclose(float((gradient * direction).sum()), differences, rel_tol=1e-4)


def layers_of(kib: int) -> Layers:
    return {"conv1_1": torch.zeros(kib, 256)}


def test_targets_are_computed_once_and_the_ones_used_longest_ago_go_first() -> None:
    cache, computed = TargetCache(max_bytes=3 * 1024), list[str]()

    def look(key: str, kib: int = 1) -> Layers:
        def compute() -> Layers:
            computed.append(key)
            return layers_of(kib)

        return cache.get(key, compute)

    first = look("a")
    assert look("a") is first
    for key in ("b", "c", "a", "d"):
        look(key)
    assert computed == ["a", "b", "c", "d"]
    assert look("a") is first
    look("b")
    assert computed == ["a", "b", "c", "d", "b"], "b was used longest ago when there was no room"


def test_targets_larger_than_the_whole_cache_are_given_all_the_same() -> None:
    cache = TargetCache(max_bytes=10)
    cache.get("small", dict)
    assert cache.get("large", lambda: layers_of(2))["conv1_1"].shape == (2, 256)
    assert cache.get("large", dict)["conv1_1"].shape == (2, 256), "the newest one stays"
    assert cache.get("small", lambda: layers_of(1)) != {}
