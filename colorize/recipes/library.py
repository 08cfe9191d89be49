"""The named recipes of recipes.toml, each with its provenance; loads no torch, so that they are listed quickly."""

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from itertools import product
from typing import TYPE_CHECKING, Any

from colorize.errors import UnknownRecipe

if TYPE_CHECKING:  # a list of recipes needs no numpy, and it costs 0.1 s
    pass
from colorize.recipes.recipe import Recipe


def _expanded(family: Mapping[str, Any]) -> Iterator[Recipe]:
    """Every combination of a family's axes: its name is filled in, its parameters laid over the base."""
    for choice in product(*family.get("axes", [])):
        labels = [option["label"] for option in choice]
        merged = dict(family["base"])
        reasons = [merged.pop("reason")]
        for option in choice:
            merged |= {key: value for key, value in option.items() if key not in ("label", "reason")}
            reasons += [option["reason"]] if "reason" in option else []
        yield Recipe.from_data({"name": family["name"].format(*labels), "reason": " ".join(reasons)} | merged)


@cache
def recipes() -> Mapping[str, Recipe]:
    """Every named recipe, in the order of `recipes.toml`."""
    text = files("colorize.recipes").joinpath("recipes.toml").read_text(encoding="utf-8")
    found = (recipe for family in tomllib.loads(text)["family"] for recipe in _expanded(family))
    return {recipe.name: recipe for recipe in found}


def recipe_named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UnknownRecipe: with the names that come near.
    """
    known = recipes()
    if name in known:
        return known[name]
    near = [other for other in known if fnmatchcase(other, f"*{name}*")] or get_close_matches(name, known, 6, 0.8)
    near = near or sorted({other.split("/")[0] for other in known})
    raise UnknownRecipe(f"no recipe is named {name!r}; there is {', '.join(near[:6])} (all: nishiki recipes)")
