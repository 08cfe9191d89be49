"""Recipe, Job and Colorization: what goes into a colorizer and what comes out.

Named recipes are data (`recipes.toml`), each with its provenance. This module loads no torch, so that the
command line can list recipes quickly; `flows` stores `data()` and `digest()` beside every attempt.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from colorize.errors import BadRecipe
from colorize.recipes.limits import limit_problems

if TYPE_CHECKING:  # a list of recipes needs no numpy, and it costs 0.1 s
    pass

Formula = Literal["asiagraph2016", "jadh2016"]
Method = Literal["neural_style", "exemplar", "reinhard", "welsh", "levin"]
Lightness = Literal["free", "content"]
Paper = Literal["style", "own"]
Optimiser = Literal["lbfgs", "sgd"]
Schedule = Literal["fixed", "iteration", "share"]
Start = Literal["content", "noise"]
Pooling = Literal["max", "average"]
Precision = Literal["float64", "float32", "bfloat16"]
Provenance = Literal["published", "reconstructed", "nishiki"]

LEAST_LONG_EDGE_PX = 32
_DESCRIPTIVE = frozenset({"name", "provenance", "reason", "encoder"})


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
    formula: Formula
    """Which paper's content and style losses are taken (`colorize.methods.neural_style.losses`)."""
    content_layers: tuple[str, ...]
    style_layers: tuple[str, ...]
    style_over_content: float
    """β/α with α = 1, dimensionless; for asiagraph2016 in units of 2·N·M of the first content layer."""
    tv_weight: float
    """γ of the total variation loss over R, G, B in [0, 255]; 0 is none."""
    optimiser: Optimiser
    schedule: Schedule
    """β/α fixed; times `decay` each iteration; or the same curve stretched over a run of any length."""
    method: Method = "neural_style"
    decay: float = 0.9975
    iterations: int = 1000
    """Evaluations of loss and gradient; SGD spends a tenth for each of its rates besides, to choose one."""
    long_edge_px: int = 512
    start: Start = "content"
    pooling: Pooling = "max"
    history: int = 10
    """Pairs that L-BFGS keeps."""
    step_limit: float = 40.0
    """Largest change of any channel of any pixel in one step, in grey levels."""
    rates: tuple[float, ...] = (0.01, 0.1, 1.0)
    """Learning rates that SGD chooses from, by total loss after the first tenth."""
    seed: int = 0
    encoder: str | None = None
    """Name of the encoder that the other values were tuned for; None in recipes kept before they said so."""
    lightness: Lightness = "free"
    """`content`: the scan's own L at its own size, coloured inside the print's frame; `free`: as the method paints."""
    paper: Paper = "style"
    """With lightness `content`, whose paper tone a toned original gets: the style's or its own."""
    guide_radius_px: int = 6
    """With lightness `content`: half a window of the guided filter at working size, less its middle; 0 is no filter."""
    colour_layers: tuple[str, ...] = ()
    """Layers that the method `exemplar` finds its partners by."""
    temperature: float = 0.02
    """Of the softmax over the partners' likeness."""
    luminance_weight: float = 0.4
    """Likeness that is lost for each standard deviation of luminance between partners."""
    agreement: float = 20.0
    """How much neighbours count beside a cell's own word."""
    palette: float = 0.4
    """How far colours are led to the style's distribution: 0 not at all, 1 one whole step."""
    limits: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Measure → least and most; an attempt outside them is rejected with its numbers."""

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise BadRecipe(f"recipe {self.name}: {problem}")

    def _problems(self) -> Iterator[str]:
        for key, choice in _CHOICES.items():
            if getattr(self, key) not in get_args(choice):
                yield f"{key} is {getattr(self, key)!r}; give one of {', '.join(get_args(choice))}"
        for key, low, high in _RANGES:
            if not low <= getattr(self, key) <= high:
                yield f"{key} is {getattr(self, key)}; give {low} to {high}"
        if not self.content_layers or not self.style_layers or not self.rates:
            yield "content_layers, style_layers and rates must not be empty"
        if not all(0 < rate <= 1e6 for rate in self.rates):
            yield f"rates are {self.rates}; give numbers above 0, to 1e6"

        yield from self._problems_of_chroma()

    def _problems_of_chroma(self) -> Iterator[str]:
        if self.method != "neural_style" and self.lightness == "free":
            yield f"the method {self.method} finds chroma only; give lightness = content"
        if self.method == "exemplar" and not self.colour_layers:
            yield "colour_layers must not be empty"
        yield from limit_problems(self.limits)

    def data(self) -> dict[str, Any]:
        """Every parameter as plain JSON data."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    def digest(self) -> str:
        """SHA-256 (hex) of what decides the result: all of `data()` but name, provenance, reason and encoder.

        The checksum of the encoder that did the work stands beside it wherever a digest is kept.
        """
        data = self.data()
        untouched = {key for key, value in _LATER.items() if data[key] == value}
        deciding = {key: value for key, value in data.items() if key not in _DESCRIPTIVE | untouched}
        return hashlib.sha256(json.dumps(_renamed(deciding, _AS_DIGESTED), sort_keys=True).encode()).hexdigest()

    def changed(self, **changes: Any) -> "Recipe":
        """The recipe with some parameters replaced; None leaves a parameter as it is."""
        return replace(self, **{key: value for key, value in changes.items() if value is not None})

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Recipe":
        """The inverse of `data()`, whatever names the data was written under.

        Raises:
            BadRecipe: a key is unknown or missing.
        """
        data = _renamed(data, {old: new for new, old in _AS_DIGESTED.items()})
        known = {parameter.name for parameter in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise BadRecipe(f"recipe {data.get('name', '?')}: unknown parameter {', '.join(unknown)}")
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        try:
            return cls(**values)
        except (TypeError, AttributeError) as error:  # a value of another kind than the parameter's
            raise BadRecipe(f"recipe {data.get('name', '?')}: {error}") from error


_CHOICES: Mapping[str, Any] = {
    "formula": Formula, "optimiser": Optimiser, "schedule": Schedule, "start": Start, "pooling": Pooling,
    "provenance": Provenance, "method": Method, "lightness": Lightness, "paper": Paper,
}  # fmt: skip


_AS_DIGESTED: Mapping[str, str] = {
    "lightness": "luma", "lightness_ssim": "luma_ssim", "lightness_difference_mean": "luma_difference_mean",
    "lightness_difference_p99": "luma_difference_p99",
}  # fmt: skip
"""Parameters and measures by the names that digests were first taken under: a new name does not begin a night anew."""


def _renamed(data: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The same data with its keys renamed, those of its limits too."""
    return {
        names.get(key, key): _renamed(value, names) if isinstance(value, Mapping) else value
        for key, value in data.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return list(value) if isinstance(value, tuple) else value


_LATER: Mapping[str, Any] = {
    "lightness": "free", "paper": "style", "guide_radius_px": 6, "colour_layers": [], "temperature": 0.02,
    "luminance_weight": 0.4, "agreement": 20.0, "palette": 0.4, "limits": {},
}  # fmt: skip
"""Parameters that came later: at these values they leave a digest as it was, so that no night begins anew."""

_RANGES = (
    ("style_over_content", 0.0, 1e12),
    ("tv_weight", 0.0, 1e6),
    ("decay", 1e-6, 1.0),
    ("iterations", 0, 100_000),
    ("long_edge_px", LEAST_LONG_EDGE_PX, 8192),
    ("history", 1, 200),
    ("step_limit", 1e-3, 255.0),
    ("seed", 0, 2**63 - 1),
    ("guide_radius_px", 0, 64),
    ("temperature", 1e-4, 10.0),
    ("luminance_weight", 0.0, 100.0),
    ("agreement", 0.0, 1e4),
    ("palette", 0.0, 1.0),
)
