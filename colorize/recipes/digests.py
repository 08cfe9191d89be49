"""What a digest is taken of: a recipe's data under the names, and with the values, of the first kept nights.

A digest says whether a picture was tried with a recipe before. It must outlive every change of how recipes are
written down, or an upgraded catalogue would begin anew. What such a change leaves behind stands here and nowhere else.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

_DESCRIPTIVE: Final = frozenset({"name", "provenance", "reason", "encoder"})
"""The encoder only says what the values were tuned for: the checksum of the one that did the work is kept beside."""

_STOOD_IN_EVERY_RECIPE: Final[Mapping[str, Any]] = {
    "formula": "jadh2016", "style_over_content": 0.0, "tv_weight": 0.0, "optimiser": "lbfgs", "schedule": "fixed",
    "decay": 0.9975, "iterations": 0, "start": "content", "history": 10, "step_limit": 40.0, "rates": [0.01, 0.1, 1.0],
}  # fmt: skip
"""Parameters that every recipe held before methods had their own, as they stood where they meant nothing."""

_LATER: Final[Mapping[str, Any]] = {
    "luma": "free", "paper": "style", "guide_radius_px": 6, "colour_layers": [], "temperature": 0.02,
    "luminance_weight": 0.4, "agreement": 20.0, "palette": 0.4, "limits": {}, "styles": 1, "least_trust": 0.0,
}  # fmt: skip
"""Parameters that came later: at these values a digest is taken without them."""

_AS_DIGESTED: Final[Mapping[str, str]] = {
    "lightness": "luma", "lightness_ssim": "luma_ssim", "lightness_difference_mean": "luma_difference_mean",
    "lightness_difference_p99": "luma_difference_p99",
}  # fmt: skip
"""Parameters and measures by the names that they first had."""
_AS_NAMED_NOW: Final = {old: new for new, old in _AS_DIGESTED.items()}

OF_ANY_METHOD: Final = frozenset({*_STOOD_IN_EVERY_RECIPE, *_LATER})
"""What old data may hold of methods other than its own."""


def digest_of(data: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what decides the result: all of a recipe's data but name, provenance, reason and encoder."""
    held = {**_STOOD_IN_EVERY_RECIPE, **_renamed(data, _AS_DIGESTED)}
    deciding = {
        key: value for key, value in held.items() if key not in _DESCRIPTIVE and _LATER.get(key, _NOTHING) != value
    }
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def as_named_now(data: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's data, under whatever names it was kept, under those of today."""
    return _renamed(data, _AS_NAMED_NOW)


def _renamed(data: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The same data with its keys renamed, those of its limits too."""
    return {
        names.get(key, key): _renamed(value, names) if isinstance(value, Mapping) else value
        for key, value in data.items()
    }


_NOTHING: Final = object()
