"""What is measured of every colorization, and each measure's name in a sentence; loads nothing heavy.

`colorize.measures.quality` takes these figures and no others; limits of a recipe may name them.
"""

from collections.abc import Mapping
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
    }
)
