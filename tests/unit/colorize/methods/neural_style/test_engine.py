"""The engine written by hand, held to the plain reference: terms, gradients, whole descents; alone and in stacks."""

import itertools

import pytest
import torch
from torch import Tensor

from colorize.encoders.vgg19 import CONVOLUTIONS, Encoder, Preprocessing
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.methods.neural_style.engine import (
    DTYPES,
    Engine,
    Operands,
    multiplies_bfloat16,
)
from colorize.methods.neural_style.losses import Evaluator, Layers, ReferenceEvaluator, Terms, gram_matrix
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.library import recipe_named, recipes
from colorize.recipes.recipe import Pooling, Recipe
from colorize.running.prepare import to_tensor
from tests.unit.colorize.methods.neural_style.evaluators import apart, descended, singly, targets_of, told

TERMS = ("content", "style", "tv")
JADH = recipe_named("jadh2016/config3_2_2")


def unlike(every: list[Recipe]) -> dict[str, Recipe]:
    """One recipe for each distinct formula with its layers, by name."""
    own = [each for each in reversed(every) if isinstance(each.parameters, NeuralStyle)]
    found = {(NeuralStyle.of(each).formula, each.content_layers, each.style_layers): each for each in own}
    return {each.name: each for each in found.values()}


UNLIKE = unlike(list(recipes().values()))
every_engine = pytest.mark.parametrize(
    "recipe",
    [each.changed(pooling=pooling) for each, pooling in itertools.product(UNLIKE.values(), ("max", "average"))],
    ids=[f"{name}-{pooling}" for name, pooling in itertools.product(UNLIKE, ("max", "average"))],
)


@pytest.fixture(scope="module")
def contents(photographs: dict[str, Pixels], narrow64: Encoder) -> Tensor:
    """Two gray pictures of 48×32 px."""
    return torch.cat([to_tensor(to_gray(photographs[name][:32, :48]), narrow64) for name in ("chelsea", "coffee")])


@pytest.fixture(scope="module")
def styles(photographs: dict[str, Pixels], narrow64: Encoder) -> list[Tensor]:
    """A colour picture for each, of other sizes."""
    return [to_tensor(photographs["astronaut"], narrow64), to_tensor(photographs["chelsea"][:, :32], narrow64)]


@pytest.fixture(scope="module")
def results(contents: Tensor) -> Tensor:
    """The contents somewhat changed, in colour."""
    return contents + torch.rand(contents.shape, generator=torch.Generator().manual_seed(8), dtype=torch.float64) * 30


@pytest.fixture(scope="module")
def whole_numbers(narrow64: Encoder) -> Encoder:
    """An encoder of ones and minus ones: whole numbers come out of every sum, in whatever order it is taken.

    Elsewhere the positions of a flat region differ by rounding, each path has another largest one among them, and the
    gradient of either is right.
    """
    generator = torch.Generator().manual_seed(2)
    made = {}
    for name, (weight, bias) in narrow64.convolutions.items():
        flat = torch.zeros_like(weight).flatten(1)
        for row in flat:
            row[torch.randperm(flat.shape[1], generator=generator)[:4]] = row.new_tensor([1, 1, 1, -1])
        made[name] = (flat.view_as(weight), torch.ones_like(bias))
    return Encoder("whole numbers", "", Preprocessing(1.0, (124.0, 117.0, 104.0)), made)


def evaluated(
    evaluator: Evaluator, contents: Tensor, styles: list[Tensor], results: Tensor, dtype: torch.dtype = torch.float64
) -> tuple[Terms, Tensor]:
    targets = targets_of(evaluator, contents.to(dtype), [style.to(dtype) for style in styles])
    return evaluator.evaluate(targets, results.to(dtype), 0.75)


def cosine(a: Tensor, b: Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(a.double().flatten(), b.double().flatten(), dim=0))


def test_the_distinct_engines_of_all_recipes_are_five() -> None:
    """A new layer set of recipes.toml is tested here by itself; this says that those known are."""
    assert len(UNLIKE) == 5
    assert {NeuralStyle.of(each).formula for each in UNLIKE.values()} == {"jadh2016", "asiagraph2016"}
    assert {len(each.content_layers) for each in UNLIKE.values()} == {1, 2}
    assert any(layer.startswith("pool") for each in UNLIKE.values() for layer in each.style_layers)


@every_engine
def test_loss_and_gradient_written_by_hand_are_those_of_autograd(
    recipe: Recipe, narrow64: Encoder, contents: Tensor, styles: list[Tensor], results: Tensor
) -> None:
    pictures = (contents, styles, results)
    ours, gradient = evaluated(Engine(recipe, Operands(narrow64, "float64")), *pictures)
    theirs, wanted = evaluated(ReferenceEvaluator(recipe, narrow64), *pictures)
    what = f"{recipe.name}, {recipe.pooling} pooling"
    terms = max(apart(getattr(ours, name), getattr(theirs, name)) for name in TERMS if getattr(theirs, name).any())
    assert (theirs.content > 0).all()
    assert (theirs.style > 0).all()
    assert told(f"loss terms of the engine = reference in float64, {what}", terms) < 1e-12
    rows = max(apart(mine, other) for mine, other in zip(gradient, wanted, strict=True))
    assert told(f"hand-written backward = autograd in float64, {what}", rows) < 1e-12


@every_engine
def test_where_flat_regions_tie_for_a_maximum_the_gradient_goes_where_autograd_leads_it(
    recipe: Recipe, whole_numbers: Encoder, contents: Tensor, styles: list[Tensor], results: Tensor
) -> None:
    flat = results.round()
    flat[0, :, :, 20:] = flat.new_tensor([250, 40, 90]).view(3, 1, 1)
    flat[1, :, 6:26] = 0
    activation = whole_numbers.features(flat, ["conv1_2"])["conv1_2"]
    corners = activation.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    ties = ((corners == corners.amax(4, keepdim=True)) & (corners > 0)).sum(4) > 1
    assert ties.float().mean() > 0.2
    ours, gradient = evaluated(Engine(recipe, Operands(whole_numbers, "float64")), contents, styles, flat)
    theirs, wanted = evaluated(ReferenceEvaluator(recipe, whole_numbers), contents, styles, flat)
    assert apart(ours.total, theirs.total) < 1e-12
    rows = max(apart(mine, other) for mine, other in zip(gradient, wanted, strict=True))
    assert told(f"hand-written backward = autograd with ties, {recipe.name}, {recipe.pooling} pooling", rows) < 1e-12


@every_engine
def test_targets_written_by_hand_are_those_of_the_encoder(
    recipe: Recipe, narrow64: Encoder, contents: Tensor, styles: list[Tensor]
) -> None:
    engine, reference = Engine(recipe, Operands(narrow64, "float64")), ReferenceEvaluator(recipe, narrow64)
    ours, theirs = (targets_of(each, contents, styles) for each in (engine, reference))
    for mine, other in ((ours.content, theirs.content), (ours.style, theirs.style)):
        assert mine.keys() == other.keys()
        assert max(apart(mine[name], other[name]) for name in other) < 1e-12


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("name", ["jadh2016/config3_2_2", "asiagraph2016"])
def test_the_gradient_by_hand_is_that_of_finite_differences(
    name: str, pooling: Pooling, narrow64: Encoder, contents: Tensor, styles: list[Tensor]
) -> None:
    engine = Engine(recipe_named(name).changed(pooling=pooling), Operands(narrow64, "float64"))
    targets = targets_of(engine, contents, styles)
    generator = torch.Generator().manual_seed(3)
    results = torch.rand(contents.shape, generator=generator, dtype=torch.float64) * 255
    _, gradient = engine.evaluate(targets, results, 0.5)
    step, worst = 1e-5, 0.0
    for _ in range(8):
        direction = torch.randn(contents.shape, generator=generator, dtype=torch.float64)
        ahead, behind = (engine.evaluate(targets, results + way * direction, 0.5)[0].total for way in (step, -step))
        along = (gradient * direction).flatten(1).sum(1)
        worst = max(worst, apart(along, (ahead - behind) / (2 * step)))
    assert told(f"hand-written backward = finite differences, {name}, {pooling} pooling", worst) < 1e-4


@every_engine
def test_float32_is_near_the_reference(
    recipe: Recipe, narrow: Encoder, narrow64: Encoder, contents: Tensor, styles: list[Tensor], results: Tensor
) -> None:
    pictures = (contents, styles, results)
    ours, gradient = evaluated(Engine(recipe, Operands(narrow, "float32")), *pictures, torch.float32)
    theirs, wanted = evaluated(ReferenceEvaluator(recipe, narrow64), *pictures)
    assert gradient.dtype == ours.total.dtype == torch.float32
    assert told(f"float32 = float64, total loss, {recipe.name}", apart(ours.total, theirs.total)) < 1e-5
    assert told(f"float32 = float64, gradient, {recipe.name}", apart(gradient, wanted)) < 1e-2
    assert cosine(gradient, wanted) > 0.9999


@every_engine
def test_bfloat16_is_near_enough_to_descend_by(
    recipe: Recipe, narrow: Encoder, narrow64: Encoder, contents: Tensor, styles: list[Tensor]
) -> None:
    engine, reference = Engine(recipe, Operands(narrow, "bfloat16")), ReferenceEvaluator(recipe, narrow64)
    products, grams = list[float](), list[float]()
    for style in styles:
        wanted, rounded = reference.style_grams(style), engine.forward(style.float())
        for layer, gram in engine.style_grams(style.float()).items():
            assert (gram.dtype, rounded[layer].dtype) == (torch.float32, torch.bfloat16)
            products.append(apart(gram, gram_matrix(rounded[layer].double())))
            grams.append(apart(gram, wanted[layer]))
    assert told(f"Gram products of bfloat16 features, {recipe.name}", max(products)) < 1e-3
    # Weights and each layer's features are rounded to 8 bits, and a few channels average little of that out.
    assert told(f"Gram matrices after bfloat16 layers, {recipe.name}", max(grams)) < 0.03
    ours, gradient = evaluated(engine, contents, styles, contents, torch.float32)
    _, wanted_gradient = evaluated(reference, contents, styles, contents)
    assert ours.total.dtype == gradient.dtype == torch.float32
    assert not ours.content.any(), "the start is the content: rounded alike, nothing is lost"
    assert cosine(gradient, wanted_gradient) > 0.95


def test_no_precision_is_float16_whose_range_gram_matrices_leave(narrow: Encoder, styles: list[Tensor]) -> None:
    assert torch.float16 not in DTYPES.values()
    loud = Encoder("", "", narrow.preprocessing, {
        name: (weight * (100 if name == "conv1_1" else 1), bias) for name, (weight, bias) in narrow.convolutions.items()
    })  # fmt: skip
    grams = Engine(JADH, Operands(loud, "bfloat16")).style_grams(styles[0].float())
    assert all(gram.isfinite().all() for gram in grams.values())
    assert max(float(gram.max()) for gram in grams.values()) > torch.finfo(torch.float16).max


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_picture_is_evaluated_alone_as_in_a_minibatch_to_the_last_bit(
    precision: str, narrow: Encoder, contents: Tensor, styles: list[Tensor], results: Tensor
) -> None:
    engine = Engine(JADH, Operands(narrow, "float32" if precision == "float32" else "bfloat16"))
    order = [0, 1, 0]
    stack = [contents[order], [styles[row] for row in order], results[order]]
    together, gradients = evaluated(engine, stack[0], stack[1], stack[2], torch.float32)  # type: ignore[arg-type]
    for at, row in enumerate(order):
        one = slice(row, row + 1)
        alone, gradient = evaluated(engine, contents[one], styles[one], results[one], torch.float32)
        assert gradient[0].equal(gradients[at])
        assert all(getattr(alone, name)[0].equal(getattr(together, name)[at]) for name in TERMS)


@pytest.mark.parametrize("name", ["jadh2016/config3_2_2", "jadh2016/config2_3_1", "asiagraph2016", "nishiki/tint"])
def test_a_picture_descends_alone_as_in_a_minibatch(
    name: str, narrow: Encoder, contents: Tensor, styles: list[Tensor]
) -> None:
    engine = Engine(recipe_named(name).changed(iterations=30), Operands(narrow, "float32"))
    stack, colours = contents.float(), [style.float() for style in styles]
    together = descended(engine, targets_of(engine, stack, colours), stack)
    for row in range(2):
        one = slice(row, row + 1)
        alone = descended(engine, targets_of(engine, stack[one], colours[one]), stack[one])
        moved = (alone.best - stack[one]).norm()
        assert moved > 0.1
        assert told(f"30 iterations alone = in a minibatch, {name}", apart(alone.best[0], together.best[row])) == 0
        assert alone.traces[0] == together.traces[row]


@every_engine
def test_what_the_engine_is_given_is_not_changed(
    recipe: Recipe, narrow64: Encoder, contents: Tensor, styles: list[Tensor], results: Tensor
) -> None:
    engine = Engine(recipe, Operands(narrow64, "float64"))
    given = [contents.clone(), *(style.clone() for style in styles), results.clone()]
    targets = targets_of(engine, given[0], given[1:3])
    kept: list[Layers] = [
        {name: each.clone() for name, each in part.items()} for part in (targets.content, targets.style)
    ]
    weights = {name: weight.clone() for name, (weight, _) in narrow64.convolutions.items()}
    engine.evaluate(targets, given[3], 1.0)
    engine.evaluate(targets.row(1), given[3][1:], 1.0)
    assert all(now.equal(was) for now, was in zip(given, [contents, *styles, results], strict=True))
    for now, was in zip((targets.content, targets.style), kept, strict=True):
        assert all(now[name].equal(each) for name, each in was.items())
    assert all(narrow64.convolutions[name][0].equal(weight) for name, weight in weights.items())


def test_nothing_is_computed_past_the_last_layer_that_a_loss_needs(narrow64: Encoder, contents: Tensor) -> None:
    poisoned = dict(narrow64.convolutions)
    for name in CONVOLUTIONS[CONVOLUTIONS.index("conv3_1") :]:
        poisoned[name] = (torch.zeros(1, 1, 3, 3), torch.zeros(1))
    cut = Encoder("cut", "", narrow64.preprocessing, poisoned)
    engine = Engine(recipe_named("nishiki/tint"), Operands(cut, "float64"))
    assert list(engine.forward(contents))[-1] == "conv2_2"
    engine.evaluate(targets_of(engine, contents, singly(contents)), contents, 1.0)


def test_the_shapes_that_memory_is_reckoned_by_are_those_that_come_out(narrow64: Encoder, contents: Tensor) -> None:
    engine = Engine(JADH, Operands(narrow64, "float64"))
    found = {name: tuple(each.shape[1:]) for name, each in engine.forward(contents).items()}
    assert engine.shapes(*contents.shape[2:]) == found


def test_a_picture_without_a_finite_pixel_costs_its_neighbour_nothing(
    narrow: Encoder, contents: Tensor, styles: list[Tensor], results: Tensor
) -> None:
    engine = Engine(JADH, Operands(narrow, "float32"))
    fine, gradient = evaluated(engine, contents, styles, results, torch.float32)
    broken = results.clone()
    broken[0, 1, 4, 5] = torch.nan
    terms, spoiled = evaluated(engine, contents, styles, broken, torch.float32)
    assert not terms.total[0].isfinite()
    assert terms.total[1].equal(fine.total[1])
    assert spoiled[1].equal(gradient[1])


def test_whether_a_device_multiplies_bfloat16_decides_what_its_operands_are_widened_to(
    narrow: Encoder, styles: list[Tensor]
) -> None:
    native = multiplies_bfloat16(torch.device("cpu"))
    assert isinstance(native, bool)
    operands = Operands(narrow, "bfloat16")
    assert operands.stored == torch.bfloat16
    assert operands.multiplied == (torch.bfloat16 if native else torch.float32)
    weight, bias = (each.bfloat16().float() for each in narrow.convolutions["conv1_1"])
    picture = narrow.preprocessed(styles[0].float()).bfloat16().float()
    wanted = torch.nn.functional.conv2d(picture, weight, bias, padding=1).relu()
    found = Engine(JADH, operands).forward(styles[0].float())["conv1_1"]
    assert found.dtype == torch.bfloat16
    assert apart(found, wanted) < 2**-8, "both operands are rounded, then their products are summed in float32"
