"""What is measured of every colorization, each measure's name in a sentence and its range; loads nothing heavy.

`colorize.measures.quality` takes these figures of every picture, but for the last three, which some methods or a
mask give; limits of a recipe may name all of them.
"""

from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import Final

MEASURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "lightness_ssim": "lightness SSIM",
        "lightness_difference_mean": "mean lightness difference",
        "lightness_difference_p99": "lightness difference of the 99th percentile",
        "chroma_mean": "mean chroma",
        "chroma_texture": "chroma texture",
        "colourfulness": "colourfulness",
        "colourfulness_ratio": "colourfulness ratio",
        "swd_ab": "colour distance to the style",
        "ink_chroma": "ink chroma",
        "trust": "trust in the colours",
        "uncoloured": "share left in the paper's tone",
        "masked": "share that the mask asks for",
    }
)

RANGES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    dict.fromkeys(MEASURES, (0.0, inf))
    | {"lightness_ssim": (-1.0, 1.0), "lightness_difference_mean": (0.0, 100.0)}
    | {"lightness_difference_p99": (0.0, 100.0), "trust": (0.0, 1.0), "uncoloured": (0.0, 1.0), "masked": (0.0, 1.0)}
)
"""Measure → least and most that it can be; sums of rounded numbers come out beyond by the last digit."""


def in_range(measures: Mapping[str, float]) -> dict[str, float]:
    """The same figures, none outside its range; one that is no number stays so."""
    return {name: max(RANGES[name][0], min(value, RANGES[name][1])) for name, value in measures.items()}
