"""Which configurations a sweep compares, as data: patterns of recipe names, presets named after a paper's figure.

`flows.cli.app` makes the plan before Prefect is loaded, so that a mistyped name is answered at once. Loads no torch.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from colorize.errors import UnknownRecipe
from colorize.recipes.recipe import Recipe
from flows.plan import all_recipes
from flows.settings import Settings

LONGEST_NAME = 40


@dataclass(frozen=True)
class Preset:
    """The configurations behind a published figure."""

    patterns: tuple[str, ...]
    loss_curves: bool = False
    """The figure shows how the loss falls; bars are drawn for every sweep."""


JADH = "jadh2016/*"
"""What is compared unless told otherwise: the 36 configurations."""
PRESETS: Mapping[str, Preset] = {
    "asiagraph2016-figure2": Preset(("asiagraph2016*",), loss_curves=True),
}


@dataclass(frozen=True)
class SweepPlan:
    """The recipes of a sweep, in the order of `recipes.toml`, at its size and iterations."""

    name: str
    """For the report's folder: the preset, or the patterns as plain letters."""
    recipes: tuple[Recipe, ...]
    loss_curves: bool = False

    @property
    def run(self) -> str:
        """Iterations and size of all the recipes: `60 iterations, 128 px`."""
        iterations = sorted({recipe.parameters.iterations for recipe in self.recipes})
        sizes = sorted({recipe.long_edge_px for recipe in self.recipes})
        return f"{_range(iterations)} iterations, {_range(sizes)} px"


def preset_plan(settings: Settings, preset: str) -> SweepPlan:
    """The plan of a named preset.

    Raises:
        UnknownRecipe: there is no such preset.
    """
    if preset not in PRESETS:
        raise UnknownRecipe(f"no preset is named {preset!r}; there is {', '.join(PRESETS)}")
    chosen = PRESETS[preset]
    return SweepPlan(preset, _chosen(settings, chosen.patterns), chosen.loss_curves)


def pattern_plan(settings: Settings, words: Sequence[str]) -> SweepPlan:
    """The plan of patterns such as `jadh2016/config3_*`; a word may hold several, with commas.

    Raises:
        UnknownRecipe: a pattern fits no recipe.
    """
    patterns = [pattern.strip() for word in words for pattern in word.split(",") if pattern.strip()]
    if not patterns:
        raise UnknownRecipe(
            f"no configuration is named; give a pattern such as 'jadh2016/*' ({_families(all_recipes(settings))})"
        )
    name = re.sub(r"[^A-Za-z0-9]+", "-", "+".join(patterns)).strip("-") or "all"
    return SweepPlan(name[:LONGEST_NAME], _chosen(settings, patterns))


def shortened(recipe: Recipe, settings: Settings) -> Recipe:
    """The recipe at the sweep's size and iterations; a shorter run passes through the whole decrease of β/α."""
    sized = recipe.changed(long_edge_px=settings.size)
    return replace(sized, parameters=recipe.parameters.in_steps(settings.iterations))


def _chosen(settings: Settings, patterns: Sequence[str]) -> tuple[Recipe, ...]:
    known = all_recipes(settings)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UnknownRecipe(f"no recipe fits {pattern!r}; {_families(known)} (all: nishiki recipes)")
    fitting = (recipe for name, recipe in known.items() if any(fnmatchcase(name, each) for each in patterns))
    return tuple(shortened(recipe, settings) for recipe in fitting)


def _families(known: Mapping[str, Recipe]) -> str:
    names = {name if "/" not in name else f"{name.split('/')[0]}/*" for name in known}
    return f"there is {', '.join(sorted(names))}"


def _range(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
