"""The named recipes of recipes.toml, each with its provenance; loads no torch, so that they are listed quickly."""

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

from colorize.errors import UnknownRecipe
from colorize.methods.trained import SHIPPED, models_in
from colorize.recipes.recipe import Recipe
from colorize.recipes.trained import recipes_of


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
    """Every named recipe that comes with nishiki: those of `recipes.toml`, then those of the trained models."""
    text = files("colorize.recipes").joinpath("recipes.toml").read_text(encoding="utf-8")
    found = (recipe for family in tomllib.loads(text)["family"] for recipe in _expanded(family))
    return {recipe.name: recipe for recipe in found} | recipes_in(SHIPPED)


def recipes_in(folder: Path) -> dict[str, Recipe]:
    """The recipes of a folder's models; of two models by one name the newer one's.

    Raises:
        WeightsCorrupt: a file is not the one that was kept.
    """
    found = {recipe.name: recipe for model in reversed(models_in(folder)) for recipe in recipes_of(model)}
    return dict(sorted(found.items()))


def recipe_named(name: str, own: Mapping[str, Recipe] | None = None) -> Recipe:
    """The recipe of that name, of the operator's own models too where they are given.

    Raises:
        UnknownRecipe: with the names that come near.
    """
    known = {**recipes(), **(own or {})}
    if name in known:
        return known[name]
    near = [other for other in known if fnmatchcase(other, f"*{name}*")] or get_close_matches(name, known, 6, 0.8)
    near = near or sorted({other.split("/")[0] for other in known})
    raise UnknownRecipe(f"no recipe is named {name!r}; there is {', '.join(near[:6])} (all: nishiki recipes)")
