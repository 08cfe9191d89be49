"""What a colorizer returns: a picture with its errors, measures and trace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a list of recipes needs no numpy, and it costs 0.1 s
    import numpy as np
    from numpy.typing import NDArray

    from colorize.images.frame import Frame

from colorize.recipes.recipe import Precision


@dataclass(frozen=True)
class Origins:
    """Which style each cell of a picture took its colours from; cells are some pixels wide at working size."""

    style: "NDArray[np.uint8]" = field(repr=False)
    """(h, w), the number of the style that gave most, from 1."""
    in_place: "NDArray[np.uint8]" = field(repr=False)
    """(h, w), how much of it came from the same place of another impression, 0 to 255; the rest came by likeness."""


@dataclass(frozen=True)
class RelativeErrors:
    """The relative errors of JADH 2016, as printed (sums) and as means over elements in [0, 2]."""

    content_sum: float
    content_mean: float
    style_sum: float
    style_mean: float

    @property
    def total_sum(self) -> float:
        """Err = Err_content + Err_style."""
        return self.content_sum + self.style_sum

    @property
    def total_mean(self) -> float:
        """The sum of both means, in [0, 4]."""
        return self.content_mean + self.style_mean


@dataclass(frozen=True)
class Colorization:
    """What a colorizer returns for one job."""

    key: str
    picture: "NDArray[np.uint8]" = field(repr=False)
    """(H, W, 3), sRGB: at working size, sides multiples of 16; with lightness `content` as large as the scan."""
    errors: RelativeErrors
    """Taken on `picture` as it will be saved, not on the optimiser's float image."""
    measures: Mapping[str, float]
    trace: tuple[Mapping[str, float], ...]
    """Loss terms every n iterations: iteration, content, style, tv, total."""
    iterations: int
    seconds: float
    seed: int
    device: str
    precision: Precision
    """What the network's operands were in: `float32`, `bfloat16`, or `float64` for the reference path."""
    deep: "NDArray[np.uint16] | None" = field(default=None, repr=False)
    """`picture` with 16 bits a channel, where the scan has them."""
    origins: "Origins | None" = None
    """Where its colours come from, cell by cell, where the method says so."""
    trust: "NDArray[np.uint8] | None" = field(default=None, repr=False)
    """How likely a curator accepts each cell's colours, (h, w), 0 to 255, where the method says so."""
    frame: "Frame | None" = None
    """Where in the scan the print lies, whose cells they are; None: it is the whole picture."""
    left_out: Mapping[int, str] = field(default_factory=dict)
    """The numbers of style images that gave no colours, with why: a broken file, a picture without colours."""
    refusal: str | None = None
    """Why the result is too poor to be shown as a colorization; None when it is not."""
