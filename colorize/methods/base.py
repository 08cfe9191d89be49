"""The door of a way to colour: what a method says of itself, and the one function that it gives.

Whoever adds a method writes its file (or folder), its recipes in `recipes.toml`, its line in `registry.py` and its
tests; nothing else asks which method a recipe has. Recipes are listed without torch and numpy, so this module loads
neither: what a method's function is handed and gives stands in `work.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, get_args

from colorize.errors import BadRecipe, ColorizeError

if TYPE_CHECKING:
    from colorize.methods.work import Found, Work
    from colorize.recipes.recipe import Recipe
    from colorize.running.prepare import Prepared

Need = Literal["none", "optional", "required"]
ENCODER = "encoder"
"""The role of the model that the relative errors of every result are taken with."""


@dataclass(frozen=True)
class Needs:
    """What a method needs beside the content."""

    styles: int = 1
    """How many style images at most; whoever takes any needs one at least."""
    marks: Need = "optional"
    """A curator's colours; optional ones are laid over whatever the method found."""
    mask: Need = "optional"
    """Where colour is asked for; outside it the picture stays as it is."""
    models: tuple[str, ...] = (ENCODER,)
    """Roles of the trained models."""


@dataclass(frozen=True)
class Parameters:
    """A method's own parameters: none here; a method that has some has a frozen dataclass on this one.

    Raises:
        BadRecipe: a parameter is out of its range.
    """

    def __post_init__(self) -> None:
        for problem in self.problems():
            raise BadRecipe(problem)

    def problems(self) -> Iterator[str]:
        """What is wrong with the values, one sentence each."""
        yield from ()

    @property
    def iterations(self) -> int:
        """Steps that the method takes for a picture and keeps checkpoints of; 0: it finds colours at once."""
        return 0

    def in_steps(self, _iterations: int | None) -> Self:
        """The same course in so many steps; None, or a method that takes none, changes nothing."""
        return self

    def needs(self, usual: Needs) -> Needs:
        """What a job needs at these values; `usual`: what the method says of itself."""
        return usual

    @property
    def layers(self) -> tuple[str, ...]:
        """Layers of the encoder that the method looks at, besides those of the relative errors."""
        return ()

    @classmethod
    def of(cls, recipe: "Recipe") -> Self:
        """A recipe's parameters, known to be this method's.

        Raises:
            BadRecipe: they are another's.
        """
        if not isinstance(recipe.parameters, cls):
            raise BadRecipe(f"recipe {recipe.name}: the method {recipe.method} has no {cls.__name__} parameters")
        return recipe.parameters


class Colours(Protocol):
    """The function `colours` of a method's module."""

    def __call__(
        self, pictures: "Sequence[Prepared]", work: "Work"
    ) -> "Iterator[tuple[Prepared, Found | ColorizeError]]":
        """What is found for each picture, or why nothing is; in any order, as soon as it is there."""


@dataclass(frozen=True)
class Method:
    """A way to colour, as the registry knows it."""

    name: str
    module: str
    """Where its function `colours` stands; loaded when something is coloured."""
    parameters: type[Parameters] = Parameters
    needs: Needs = Needs()
    paints: bool = False
    """It can paint a whole picture, and not only colours for the scan's own lightness."""

    @property
    def colours(self) -> Colours:
        """The method's function."""
        found: Colours = import_module(self.module).colours
        return found


def not_among(values: object, choices: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each attribute that has none of its choices, given as `Literal`s."""
    for key, choice in choices.items():
        if getattr(values, key) not in get_args(choice):
            yield f"{key} is {getattr(values, key)!r}; give one of {', '.join(get_args(choice))}"


def out_of_range(values: object, ranges: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    """A sentence for each attribute that lies outside its least and most."""
    for key, (low, high) in ranges.items():
        if not low <= getattr(values, key) <= high:
            yield f"{key} is {getattr(values, key)}; give {low} to {high}"
