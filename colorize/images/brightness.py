"""What a picture's white is, where its container has room for more.

Scanners and cameras count in 10, 12 or 14 bits and store them in 16, and numbers of 32 bits do not say at all what
white is. `colorize.images.decode` asks; what was concluded is a sentence beside the picture.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FULL: Final = 65535
_DEPTHS: Final = (8, 10, 12, 14)
_CERTAIN: Final = 12
"""Bits up to which there is no doubt: of 16 bits they reach a sixteenth, and a picture so dark shows nothing."""
_NEAR_WHITE: Final = 0.9
"""Of 14 bits: paper comes so near to white, and a dark picture of 16 bits ends there by chance only."""
_STRAY: Final = 0.001
"""Of the pixels: so many fractions may lie over white, where resampling overshot."""
_DARK: Final = 1 / 16
"""Of white: a picture no brighter is black to the eye."""
_WHITES: Final = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0, 2.0**31 - 1)
_ALL: Final = 2.0**32 - 1

Said = Mapping[str, int]
"""What the file says is its white, by the name of the tag; certain ones first."""


def white_of(values: NDArray[np.uint16], said: Said) -> tuple[int, str | None]:
    """The value that is shown white, and a sentence where it is not all that 16 bits hold.

    Args:
        values: colours as stored, any shape.
        said: see `Said`; a value that pixels exceed says nothing, nor does one that only repeats the brightest pixel.
    """
    brightest = int(values.max(initial=0))
    for name, white in said.items():
        if brightest <= white < FULL and (white != brightest or _all_ones(white)):
            return white, f"White is {white:,} of 65,535 here, as the file's {name} says."
    depth = next((bits for bits in _DEPTHS if brightest < 2**bits), 16)
    white = 2**depth - 1
    if depth == 16 or not brightest or not np.any(values % 257):  # 8 bits spread over 16 are multiples of 257
        return FULL, None
    if depth <= _CERTAIN or brightest >= _NEAR_WHITE * white:
        return white, (f"Taken for {depth} bits in 16: its brightest value is {brightest:,}; {white:,} is shown white.")
    return FULL, (
        f"Dark, and left so: its brightest value is {brightest:,} of 65,535, and nothing says that white is less."
    )


def _all_ones(white: int) -> bool:
    return white & (white + 1) == 0


def eight_bits(values: NDArray[Any], said: Said) -> tuple[NDArray[np.uint8], str | None]:
    """Gray of 32 bits or fractions in [0, 255], and a sentence on what was taken for white.

    Such numbers do not say what white is: the least of 1, 255 and what 10, 12, 14 and 16 bits hold that the brightest
    pixel does not pass is taken for it; above those, or where that would leave the picture nearly black, the brightest.

    Args:
        values: finite, (H, W).
        said: as `white_of`.
    """
    brightest = float(values.max(initial=0))
    stated = next((white for white in said.values() if brightest <= white), None)
    usual = next((white for white in _WHITES if brightest <= white or _overshot(values, white)), _ALL)
    white = stated or (usual if brightest > _DARK * usual else brightest)
    shown = np.rint(values.clip(0, white) * (255 / (white or 1.0))).astype(np.uint8)
    if white in (0, 1, 255, FULL, _WHITES[-1], _ALL):  # what such numbers mostly mean
        return shown, None
    return shown, (f"Its numbers do not say what white is: {white:,g} is shown white; the brightest is {brightest:,g}.")


def _overshot(values: NDArray[Any], white: float) -> bool:
    """Do a few fractions only lie above this white, and not far?"""
    return bool(values.dtype.kind == "f" and values.max() < 2 * white and (values > white).mean() <= _STRAY)
