import json
import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorize.errors import BadRecipe, ColorizeError, UnknownRecipe
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.library import recipe_named, recipes
from colorize.recipes.recipe import Recipe
from colorize.results import RelativeErrors

GATYS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
LAYERS = {
    1: (("conv4_2",), GATYS),
    2: (("conv4_2",), ("conv1_1", "pool1", "pool2", "pool3", "pool4")),
    3: (("conv3_2", "conv4_2"), GATYS),
}
OPTIMISATION = {1: ("sgd", "fixed"), 2: ("lbfgs", "fixed"), 3: ("lbfgs", "iteration")}
STYLE_OVER_CONTENT = {1: 1e-3, 2: 1e-4, 3: 1e-5, 4: 1e-6}
CONFIGURATIONS = [(x, y, z) for x in LAYERS for y in OPTIMISATION for z in STYLE_OVER_CONTENT]

RECIPE = recipe_named("jadh2016/config3_3_4")
DESCRIPTIVE = {"name": "another", "provenance": "nishiki", "reason": "another", "encoder": "another"}
DECIDING: dict[str, Any] = {
    "formula": "asiagraph2016",
    "content_layers": ("conv3_2",),
    "style_layers": ("conv1_1",),
    "style_over_content": 2e-6,
    "tv_weight": 0.0,
    "optimiser": "sgd",
    "schedule": "fixed",
    "decay": 0.99,
    "iterations": 60,
    "long_edge_px": 192,
    "start": "noise",
    "pooling": "average",
    "history": 5,
    "step_limit": 20.0,
    "rates": (0.1,),
    "seed": 1,
    "lightness": "content",
}
CHROMA = recipe_named("nishiki/likeness")
DECIDING_OF_CHROMA: dict[str, Any] = {
    "paper": "own",
    "guide_radius_px": 9,
    "colour_layers": ("conv3_4",),
    "temperature": 0.05,
    "luminance_weight": 1.0,
    "agreement": 5.0,
    "palette": 0.0,
    "styles": 2,
    "least_trust": 0.3,
    "limits": {"ink_chroma": [0.0, 5.0]},
}
AS_KEPT = {
    "jadh2016/config1_1_1": "3b81fb57276c2b1b701fd318185fc1bbedf3a4bc024d624321d05d4ba9dbb547",
    "jadh2016/config3_3_4": "ea50ca1b1aaec0d0a020b6a8c78a6edd97256967d30adcac0e2e24f40abe55db",
    "asiagraph2016": "164bf6e134f911e2805e8eb9f9c4f137db1c4b8fff224463658dfb76393440b8",
    "nishiki/tint": "d9cfdb1dcffa24cbfaabb37308aace7fa500e1ed4ef19151a1680abf04baf48d",
}
"""Digests that stand in catalogues since before there were chroma methods."""
AS_KEPT_OF_CHROMA = {
    "nishiki/colour": "e7e45d44b3723ea41168a1533550f05482a4dc0fffde01c83b4ec9b77517c13c",
    "nishiki/marks": "dcffc3a6a2f93dae15d04eb1855db01dc8296aabb7c6f3642d5e4b59252baded",
    "locked/config3_3_4": "28c2a26bf8e00d29729dad3cbfef5b84af19fedf08cf4505a9634816cf3be21b",
    "classics/reinhard2001": "7a17f10aa29b7a51c1e66ed819d6863b0636c39cff9852421daba1f63cb7d344",
    "classics/welsh2002": "c9d63161960ddc784c56376984a4a7626e097eb951fb72f4ad4094a284047e39",
}
"""Digests that stand in catalogues since lightness was luma and a recipe held the parameters of every method."""
COLOUR_AS_KEPT: dict[str, Any] = {
    "reason": CHROMA.reason,
    "name": "nishiki/colour",
    "provenance": "nishiki",
    "formula": "jadh2016",
    "content_layers": ["conv4_2"],
    "style_layers": ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"],
    "style_over_content": 0.0,
    "tv_weight": 0.0,
    "optimiser": "lbfgs",
    "schedule": "fixed",
    "method": "exemplar",
    "decay": 0.9975,
    "iterations": 0,
    "long_edge_px": 512,
    "start": "content",
    "pooling": "max",
    "history": 10,
    "step_limit": 40.0,
    "rates": [0.01, 0.1, 1.0],
    "seed": 0,
    "encoder": "nishiki-small",
    "luma": "content",
    "paper": "style",
    "guide_radius_px": 3,
    "colour_layers": ["conv2_2", "conv3_4", "conv4_4"],
    "temperature": 0.02,
    "luminance_weight": 0.4,
    "agreement": 20.0,
    "palette": 0.4,
    "limits": {
        "luma_ssim": [0.999, 1.0],
        "luma_difference_mean": [0.0, 0.1],
        "luma_difference_p99": [0.0, 0.5],
        "ink_chroma": [0.0, 15.0],
    },
}
"""The data of `nishiki/colour` as it stands in catalogues of that time."""
COLOUR_THEN = replace(CHROMA, name="nishiki/colour").changed(
    styles=1, limits={**CHROMA.limits, "ink_chroma": [0.0, 15.0]}
)
"""It had the method of `nishiki/likeness`, took one style, and less colour in the ink."""


@pytest.mark.parametrize(("x", "y", "z"), CONFIGURATIONS)
def test_each_jadh2016_configuration_is_made_of_its_layers_optimisation_and_weight(x: int, y: int, z: int) -> None:
    recipe = recipe_named(f"jadh2016/config{x}_{y}_{z}")
    own = NeuralStyle.of(recipe)
    assert (recipe.content_layers, recipe.style_layers) == LAYERS[x]
    assert (own.optimiser, own.schedule) == OPTIMISATION[y]
    assert own.style_over_content == STYLE_OVER_CONTENT[z]
    assert (own.formula, own.tv_weight, own.decay) == ("jadh2016", 0.001, 0.9975)
    assert (own.start, recipe.pooling, own.rates, own.step_limit) == ("content", "max", (0.01, 0.1, 1.0), 40)
    assert recipe.provenance == "reconstructed"
    assert "Table 1" in recipe.reason


def test_there_are_36_configurations_and_no_two_are_the_same() -> None:
    found = [recipe for name, recipe in recipes().items() if name.startswith("jadh2016/")]
    assert len(found) == len({recipe.digest() for recipe in found}) == 36


def test_the_configurations_whose_layers_are_a_guess_say_so() -> None:
    assert "Yin 2016" in recipe_named("jadh2016/config3_1_1").reason
    assert "no content term" in recipe_named("jadh2016/config2_1_1").reason


@pytest.mark.parametrize(
    ("name", "optimiser", "schedule"),
    [
        ("asiagraph2016", "lbfgs", "iteration"),
        ("asiagraph2016/lbfgs_fixed", "lbfgs", "fixed"),
        ("asiagraph2016/sgd_decreasing", "sgd", "iteration"),
        ("asiagraph2016/sgd_fixed", "sgd", "fixed"),
    ],
)
def test_asiagraph2016_and_its_comparisons_differ_in_optimiser_and_schedule(
    name: str, optimiser: str, schedule: str
) -> None:
    recipe = recipe_named(name)
    own = NeuralStyle.of(recipe)
    assert (own.optimiser, own.schedule) == (optimiser, schedule)
    assert (own.formula, recipe.content_layers, recipe.style_layers) == ("asiagraph2016", ("conv4_2",), GATYS)
    assert (own.tv_weight, own.decay, own.iterations, own.start) == (0.0, 0.9975, 1000, "content")
    assert (own.style_over_content, recipe.provenance) == (1e-5, "reconstructed")


def test_every_named_recipe_states_its_provenance_and_a_reason() -> None:
    for name, recipe in recipes().items():
        assert recipe.name == name
        assert len(recipe.reason) > 40, name
        assert recipe.provenance in {"published", "reconstructed", "nishiki"}, name


def test_every_parameter_is_either_descriptive_or_deciding() -> None:
    assert {*RECIPE.data(), *CHROMA.data()} == {*DESCRIPTIVE, *DECIDING, *DECIDING_OF_CHROMA, "method"}


@pytest.mark.parametrize("parameter", DESCRIPTIVE)
def test_a_digest_does_not_depend_on_what_only_describes(parameter: str) -> None:
    assert RECIPE.changed(**{parameter: DESCRIPTIVE[parameter]}).digest() == RECIPE.digest()


@pytest.mark.parametrize("parameter", DECIDING)
def test_a_digest_changes_with_each_deciding_parameter(parameter: str) -> None:
    assert RECIPE.data()[parameter] != DECIDING[parameter]
    assert RECIPE.changed(**{parameter: DECIDING[parameter]}).digest() != RECIPE.digest()


@pytest.mark.parametrize("parameter", DECIDING_OF_CHROMA)
def test_a_digest_changes_with_each_deciding_parameter_of_chroma(parameter: str) -> None:
    assert CHROMA.data()[parameter] != DECIDING_OF_CHROMA[parameter]
    assert CHROMA.changed(**{parameter: DECIDING_OF_CHROMA[parameter]}).digest() != CHROMA.digest()


@pytest.mark.parametrize("name", AS_KEPT | AS_KEPT_OF_CHROMA)
def test_a_recipe_of_a_kept_night_has_the_digest_that_it_is_kept_under(name: str) -> None:
    recipe = COLOUR_THEN if name == COLOUR_THEN.name else recipe_named(name)
    assert recipe.digest() == (AS_KEPT | AS_KEPT_OF_CHROMA)[name]


def test_data_that_was_kept_under_the_old_names_is_read_as_the_same_recipe() -> None:
    kept = json.loads(json.dumps(COLOUR_AS_KEPT))
    assert Recipe.from_data(kept) == COLOUR_THEN
    assert Recipe.from_data(kept).digest() == AS_KEPT_OF_CHROMA["nishiki/colour"]


@pytest.mark.parametrize("name", AS_KEPT)
def test_data_of_a_kept_night_that_knows_nothing_of_chroma_is_read_under_its_digest(name: str) -> None:
    data = recipe_named(name).data()
    for parameter in data.keys() & {*DECIDING_OF_CHROMA, "lightness"}:
        del data[parameter]
    kept = Recipe.from_data(data)
    assert kept == recipe_named(name)
    assert kept.digest() == AS_KEPT[name]


def test_a_locked_recipe_is_another_than_the_one_whose_colours_it_takes() -> None:
    assert RECIPE.changed(lightness="content").digest() != RECIPE.digest()


@pytest.mark.parametrize("name", sorted(recipes()))
def test_every_named_recipe_survives_being_written_as_json_with_its_limits(name: str) -> None:
    recipe = recipe_named(name)
    restored = Recipe.from_data(json.loads(json.dumps(recipe.data())))
    assert restored == recipe
    assert restored.digest() == recipe.digest()


@pytest.mark.parametrize("parameter", DECIDING_OF_CHROMA)
def test_each_parameter_of_chroma_survives_being_written_as_json(parameter: str) -> None:
    recipe = CHROMA.changed(**{parameter: DECIDING_OF_CHROMA[parameter]})
    restored = Recipe.from_data(json.loads(json.dumps(recipe.data())))
    assert restored.data()[parameter] == recipe.data()[parameter] != CHROMA.data()[parameter]
    assert (restored, restored.digest()) == (recipe, recipe.digest())


def test_recipes_of_papers_are_tuned_for_the_original_vgg19_and_ours_for_the_shipped_encoder() -> None:
    tuned = {name: recipe.encoder for name, recipe in recipes().items() if recipe.encoder is not None}
    assert {name for name, encoder in tuned.items() if encoder == "nishiki-small"} == {
        "nishiki/tint",
        "nishiki/colour",
        "nishiki/likeness",
    }
    assert set(tuned.values()) == {"vgg19-oxford", "nishiki-small"}
    descending = {name for name, recipe in recipes().items() if recipe.parameters.iterations}
    assert descending <= set(tuned), "whose figures hang on the encoder"


def test_a_method_that_finds_chroma_cannot_paint_a_lightness_of_its_own() -> None:
    with pytest.raises(
        BadRecipe, match=r"recipe nishiki/likeness: the method exemplar finds chroma only; give lightness = c"
    ):
        CHROMA.changed(lightness="free")


def test_a_correspondence_without_layers_is_refused() -> None:
    with pytest.raises(BadRecipe, match="recipe nishiki/likeness: colour_layers must not be empty"):
        CHROMA.changed(colour_layers=())


def test_a_catalogues_recipe_that_names_no_encoder_is_read_and_has_the_same_digest() -> None:
    data = RECIPE.data()
    assert data.pop("encoder") == "vgg19-oxford"
    old = Recipe.from_data(data)
    assert old.encoder is None
    assert old.digest() == RECIPE.digest()


def test_a_change_to_none_leaves_the_parameter() -> None:
    assert RECIPE.changed(iterations=None, long_edge_px=192) == replace(RECIPE, long_edge_px=192)


def test_a_change_of_what_the_recipe_does_not_have_is_refused() -> None:
    with pytest.raises(BadRecipe, match="recipe nishiki/likeness: unknown parameter iterations"):
        CHROMA.changed(iterations=10)


@settings(deadline=None, max_examples=40)
@given(
    base=st.sampled_from(sorted(name for name, recipe in recipes().items() if recipe.parameters.iterations)),
    beta=st.floats(0, 1e12),
    gamma=st.floats(0, 1e6),
    iterations=st.integers(0, 100_000),
    rates=st.lists(st.floats(1e-9, 10), min_size=1, max_size=4),
    seed=st.integers(0, 2**63 - 1),
    name=st.text(max_size=20),
)
def test_a_recipe_survives_being_written_as_json(
    base: str, beta: float, gamma: float, iterations: int, rates: list[float], seed: int, name: str
) -> None:
    recipe = recipe_named(base).changed(
        name=name, style_over_content=beta, tv_weight=gamma, iterations=iterations, rates=tuple(rates), seed=seed
    )
    restored = Recipe.from_data(json.loads(json.dumps(recipe.data())))
    assert restored == recipe
    assert restored.digest() == recipe.digest()


def test_data_with_an_unknown_a_missing_or_a_mistyped_parameter_is_refused() -> None:
    whole = RECIPE.data()
    with pytest.raises(BadRecipe, match=r"config3_3_4.*unknown parameter gamma"):
        Recipe.from_data(whole | {"gamma": 1})
    with pytest.raises(BadRecipe, match=r"config3_3_4.*tv_weight"):
        Recipe.from_data({key: value for key, value in whole.items() if key != "tv_weight"})
    for mistyped in ({"iterations": "many"}, {"limits": [1, 2]}, {"limits": {"ink_chroma": 5}}, {"rates": None}):
        with pytest.raises(BadRecipe, match="config3_3_4"):
            Recipe.from_data(whole | mistyped)
    with pytest.raises(BadRecipe, match=r"likeness.*palette|likeness.*NoneType"):
        Recipe.from_data(CHROMA.data() | {"palette": None})


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("style_over_content", -1e-9),
        ("style_over_content", math.nan),
        ("style_over_content", math.inf),
        ("tv_weight", -0.001),
        ("decay", 0.0),
        ("decay", 1.01),
        ("iterations", -1),
        ("iterations", 100_001),
        ("long_edge_px", 31),
        ("long_edge_px", 8193),
        ("history", 0),
        ("step_limit", 0.0),
        ("step_limit", 256.0),
        ("seed", -1),
        ("formula", "jadh2017"),
        ("method", "pix2pix"),
        ("lightness", "style"),
        ("paper", "white"),
        ("guide_radius_px", -1),
        ("guide_radius_px", 65),
        ("limits", {"ink_chrome": [0, 5]}),
        ("limits", {"ink_chroma": [5, 0]}),
        ("limits", {"ink_chroma": [5]}),
        ("limits", {"ink_chroma": [0, math.nan]}),
        ("optimiser", "adam"),
        ("schedule", "cosine"),
        ("start", "style"),
        ("pooling", "mean"),
        ("provenance", "hearsay"),
        ("content_layers", ()),
        ("style_layers", ()),
        ("rates", ()),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_recipe_and_parameter(parameter: str, value: Any) -> None:
    with pytest.raises(BadRecipe, match=rf"recipe jadh2016/config3_3_4: .*{parameter}"):
        RECIPE.changed(**{parameter: value})


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("temperature", 0.0),
        ("temperature", math.nan),
        ("luminance_weight", -0.1),
        ("agreement", -1.0),
        ("agreement", 10_001.0),
        ("palette", 1.1),
    ],
)
def test_a_methods_own_value_out_of_its_range_is_refused_too(parameter: str, value: float) -> None:
    with pytest.raises(BadRecipe, match=rf"recipe nishiki/likeness: .*{parameter}"):
        CHROMA.changed(**{parameter: value})


def test_an_unknown_recipe_is_answered_with_the_names_that_come_near() -> None:
    with pytest.raises(UnknownRecipe, match=r"'config3_3'.*jadh2016/config3_3_1.*nishiki recipes"):
        recipe_named("config3_3")
    with pytest.raises(UnknownRecipe, match=r"'reinhard'; there is classics/reinhard2001"):
        recipe_named("reinhard")
    with pytest.raises(UnknownRecipe, match=r"'pix2pix'; there is asiagraph2016, cieluv_net, classics, jadh2016"):
        recipe_named("pix2pix")
    assert issubclass(UnknownRecipe, ColorizeError)


def test_the_total_error_is_the_sum_of_content_and_style() -> None:
    errors = RelativeErrors(content_sum=100.0, content_mean=0.5, style_sum=40.0, style_mean=1.25)
    assert (errors.total_sum, errors.total_mean) == (140.0, 1.75)


def test_listing_recipes_loads_neither_torch_nor_numpy() -> None:
    said = "import sys, colorize.recipes.library as r; r.recipes();"
    said += " print(*sorted({'torch', 'numpy', 'skimage'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
