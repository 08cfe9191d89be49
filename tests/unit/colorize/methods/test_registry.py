"""The door of the methods: what each declares, and that nobody else asks which one it is."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from colorize.errors import BadRecipe
from colorize.methods.base import Needs, Parameters
from colorize.methods.exemplar.parameters import Exemplar
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.methods.registry import METHODS, method_named
from colorize.recipes.library import recipe_named, recipes
from colorize.recipes.recipe import Recipe

CODE = Path(__file__).parents[4]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_gives_its_function_and_has_a_recipe(name: str) -> None:
    assert callable(METHODS[name].colours)
    assert [recipe for recipe in recipes().values() if recipe.method == name]


@pytest.mark.parametrize("name", METHODS)
def test_no_parameter_of_a_method_is_called_like_one_that_all_share(name: str) -> None:
    own = {each.name for each in fields(METHODS[name].parameters)}
    assert not own & {each.name for each in fields(Recipe)}


def test_a_method_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(BadRecipe, match=r"method is 'pix2pix'; give one of neural_style, .*levin"):
        method_named("pix2pix")


def test_parameters_are_told_apart_by_their_method() -> None:
    assert Exemplar.of(recipe_named("nishiki/likeness")).palette == 0.4
    with pytest.raises(BadRecipe, match="nishiki/colour: the method blocks has no NeuralStyle parameters"):
        NeuralStyle.of(recipe_named("nishiki/colour"))
    with pytest.raises(BadRecipe, match="palette is 2"):
        Exemplar(colour_layers=("conv1_1",), palette=2)


def test_what_a_recipe_needs_is_said_by_its_method_and_marks_need_a_drawing_that_stays() -> None:
    assert recipe_named("nishiki/colour").needs == Needs(styles=5)
    assert recipe_named("nishiki/marks").needs == Needs(styles=0, marks="required")
    assert recipe_named("locked/config3_3_4").needs.marks == "optional"
    assert recipe_named("jadh2016/config3_3_4").needs.marks == "none"


def test_a_run_of_fewer_steps_passes_through_the_whole_decrease() -> None:
    printed, fixed = (NeuralStyle.of(recipe_named(f"jadh2016/config3_{y}_4")) for y in (3, 2))
    assert (printed.in_steps(60).schedule, printed.in_steps(60).iterations) == ("share", 60)
    assert (fixed.in_steps(60).schedule, printed.in_steps(2000).schedule) == ("fixed", "iteration")
    assert printed.in_steps(None) == printed
    assert Parameters().in_steps(60) == Parameters()


def test_every_key_of_the_recipes_file_is_a_parameter_that_its_recipe_has() -> None:
    """`from_data` passes over what old data holds of other methods; the file itself shall hold none of it."""
    text = (CODE / "colorize/recipes/recipes.toml").read_text(encoding="utf-8")
    known = {key for recipe in recipes().values() for key in recipe.data()}
    assert set(re.findall(r"^(\w+) = ", text, re.MULTILINE)) - known <= {
        "name",
        "axes",
        *recipes()["nishiki/colour"].limits,
    }


def test_nothing_outside_the_registry_asks_for_a_method_by_name() -> None:
    asking = re.compile(r"\.method\s*(==|!=|in\b|not in\b)")
    files = [path for room in ("colorize", "flows", "db") for path in (CODE / room).rglob("*.py")]
    found = [f"{path}: {line}" for path in files for line in path.read_text().splitlines() if asking.search(line)]
    assert [line for line in found if "request.method" not in line] == []
