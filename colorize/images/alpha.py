"""Does an alpha channel say where the picture is, or does it hide the picture?

`colorize.images.decode` asks before it lays a picture on white. Scanning software writes alpha of zero all over, of one
value, or upside down; a print that was cut out of its scan has alpha that is right.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_HALF: Final = 128
_LEAST_SEEN: Final = 0.1
"""Of the pixels: alpha that leaves fewer of a picture than these hides it."""
_BLANK: Final = 2.0
"""Standard deviation, of 255, under which pixels draw nothing."""
_EXCESS: Final = 0.001
"""Of the pixels: so many may be brighter than their alpha, where it was multiplied in and rounded."""


def disbelief(gray: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> str | None:
    """Why alpha is left out, as a sentence; None where it says where the picture is.

    Args:
        gray: luma of the colours without alpha, (H, W).
        alpha: (H, W), 255 is opaque.
    """
    least, most = int(alpha.min()), int(alpha.max())
    if least == 255 or gray.std() < _BLANK:
        return None
    if least == most:
        return f"Its transparency is the same everywhere ({least} of 255) and would hide the picture: it was left out."
    seen = alpha >= _HALF
    shown = float(seen.mean())
    if shown == 1 or gray[~seen].std() < _BLANK:
        return None
    if shown < _LEAST_SEEN or gray[seen].std() < _BLANK:
        return f"Its transparency would hide the picture and leave {shown:.1%} of it: it was left out."
    return None


def is_multiplied(colours: NDArray[Any], alpha: NDArray[Any]) -> bool:
    """Are colours, (H, W, C), no brighter than their alpha, (H, W), as they are where it is multiplied into them?"""
    return bool((colours.max(-1) > alpha).mean() <= _EXCESS)
