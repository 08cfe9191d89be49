"""Recipe: the frozen parameters of a colorization, those that all share and those of its method.

Named recipes are data (`recipes.toml`), each with its provenance. This module loads no torch, so that the
command line can list recipes quickly; `flows` stores `data()` and `digest()` beside every attempt. What a method is
tuned by is its own affair (`colorize.methods.base`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from colorize.errors import BadRecipe
from colorize.methods.base import Method, Needs, Parameters, not_among, out_of_range
from colorize.methods.registry import method_named
from colorize.recipes.digests import OF_ANY_METHOD, as_named_now, digest_of
from colorize.recipes.limits import limit_problems

Lightness = Literal["free", "content"]
Paper = Literal["style", "own"]
Pooling = Literal["max", "average"]
Precision = Literal["float64", "float32", "bfloat16"]
Provenance = Literal["published", "reconstructed", "nishiki"]

LEAST_LONG_EDGE_PX = 32


@dataclass(frozen=True)
class Recipe:
    """The frozen parameters of a colorization.

    Raises:
        BadRecipe: a parameter is out of its range.
    """

    name: str
    provenance: Provenance
    """`published`: as printed; `reconstructed`: the source leaves something open, see `reason`."""
    reason: str
    method: str
    content_layers: tuple[str, ...]
    """Layers that the relative content error is taken on."""
    style_layers: tuple[str, ...]
    """Layers that the relative style error is taken on."""
    parameters: Parameters
    """The method's own."""
    pooling: Pooling = "max"
    long_edge_px: int = 512
    seed: int = 0
    encoder: str | None = None
    """Name of the encoder that the other values were tuned for; None in recipes kept before they said so."""
    lightness: Lightness = "free"
    """`content`: the scan's own L at its own size, coloured inside the print's frame; `free`: as the method paints."""
    paper: Paper = "style"
    """With lightness `content`, whose paper tone a toned original gets: the style's or its own."""
    guide_radius_px: int = 6
    """With lightness `content`: half a window of the guided filter at working size, less its middle; 0 is no filter."""
    limits: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Measure → least and most; an attempt outside them is rejected with its numbers."""

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise BadRecipe(problem)

    def _problems(self) -> Iterator[str]:
        yield from not_among(self, _CHOICES)
        yield from out_of_range(self, _RANGES)
        if not self.content_layers or not self.style_layers:
            yield "content_layers and style_layers must not be empty"
        if self.lightness == "free" and not self.way.paints:
            yield f"the method {self.method} finds chroma only; give lightness = content"
        yield from limit_problems(self.limits)

    @property
    def way(self) -> Method:
        """The method itself."""
        return method_named(self.method)

    @property
    def needs(self) -> Needs:
        """What a job needs; where the drawing is painted over, marks would be too."""
        needs = self.parameters.needs(self.way.needs)
        return replace(needs, marks="none", mask="none") if self.lightness == "free" else needs

    def data(self) -> dict[str, Any]:
        """Every parameter as plain JSON data, the method's own among the others."""
        shared = {name: getattr(self, name) for name in _SHARED}
        own = {each.name: getattr(self.parameters, each.name) for each in fields(self.parameters)}
        return {key: _plain(value) for key, value in (shared | own).items()}

    def digest(self) -> str:
        """SHA-256 (hex) of what decides the result; equal for recipes that differ in words only."""
        return digest_of(self.data())

    def changed(self, **changes: Any) -> "Recipe":
        """The recipe with some parameters replaced, shared ones or the method's; None leaves one as it is.

        Raises:
            BadRecipe: there is no such parameter, or it cannot have that value.
        """
        data, new = self.data(), {key: value for key, value in changes.items() if value is not None}
        if unknown := sorted(set(new) - set(data)):
            raise BadRecipe(f"recipe {self.name}: unknown parameter {', '.join(unknown)}")
        return Recipe.from_data(data | new)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Recipe":
        """The inverse of `data()`; reads what older versions kept as well.

        Raises:
            BadRecipe: a key is unknown or missing.
        """
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in as_named_now(data).items()}
        try:
            return cls._of(values)
        except (BadRecipe, TypeError, AttributeError) as error:  # a value of another kind than the parameter's
            raise BadRecipe(f"recipe {data.get('name', '?')}: {error}") from error

    @classmethod
    def _of(cls, values: Mapping[str, Any]) -> "Recipe":
        kind = method_named(values.get("method", "")).parameters
        own = {each.name for each in fields(kind)}
        if unknown := sorted(set(values) - {*_SHARED, *own, *OF_ANY_METHOD}):
            raise BadRecipe(f"unknown parameter {', '.join(unknown)}")
        parameters = kind(**{key: value for key, value in values.items() if key in own})
        return cls(parameters=parameters, **{key: value for key, value in values.items() if key in _SHARED})


_SHARED = [each.name for each in fields(Recipe) if each.name != "parameters"]
_CHOICES: Mapping[str, Any] = {
    "provenance": Provenance, "pooling": Pooling, "lightness": Lightness, "paper": Paper,
}  # fmt: skip
_RANGES = {
    "long_edge_px": (LEAST_LONG_EDGE_PX, 8192),
    "seed": (0, 2**63 - 1),
    "guide_radius_px": (0, 64),
}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return list(value) if isinstance(value, tuple) else value
