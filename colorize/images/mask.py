"""A mask: a picture in black and white that says where colour is asked for. Its bytes are untrusted."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from colorize.errors import BadMask, UnreadableImage
from colorize.images.decode import decode

_BLACK, _WHITE = 5, 250
"""Codes up to and from which a pixel is black or white: what a program saved with loss is still meant so."""
_GRAY_SHARE: Final = 0.02
"""Part of the pixels that may be neither: edges that were drawn smoothly."""


def read_mask(data: bytes, width: int, height: int) -> NDArray[np.bool_]:
    """The mask of a content of this size, (height, width): True where it is white.

    Args:
        data: a whole file, of any format that pictures are read of.
        width: of the content at full size.
        height: of the content at full size.

    Raises:
        BadMask: it cannot be read, has another size, shows more than black and white, or asks for nothing.
    """
    try:
        found = decode(data, max_pixels=width * height)
    except UnreadableImage as error:
        raise BadMask(f"the mask cannot be read, or is larger than the picture: {error}") from error
    if (found.width, found.height) != (width, height):
        sizes = f"the mask has {found.width} × {found.height} px and the picture {width} × {height}"
        raise BadMask(f"{sizes}; draw the mask on the picture itself")
    codes = found.pixels.max(axis=2)
    between = float(((codes > _BLACK) & (codes < _WHITE)).mean())
    if between > _GRAY_SHARE:
        raise BadMask(f"the mask is neither black nor white in {between:.0%} of its pixels; white asks for colour")
    mask = np.asarray(codes > 127)
    if not mask.any():
        raise BadMask("the mask is black all over, so it asks for no colour; paint white where colour is wanted")
    return mask
