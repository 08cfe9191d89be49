"""CIELAB (D65, 2°) of sRGB by table and back at constant L: what `fullsize` does to a hundred megapixels.

The constants are scikit-image's, but white is the sum of the primaries, so that gray has a = b = 0 exactly. Only
sums, products and tables: a pixel's result does not depend on the strip of the picture that it is worked on with.
"""

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
"""float32, any shape."""
Codes = NDArray[np.intp]
"""sRGB codes as indices of tables, any shape."""

_XYZ_OF_RGB: Final = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE: Final = _XYZ_OF_RGB.sum(1)
_RGB_OF_XYZ: Final = np.linalg.inv(_XYZ_OF_RGB)
LUMINANCE: Final = tuple(float(share) for share in _XYZ_OF_RGB[1])
"""Shares of linear R, G and B in the luminance Y; their sum is 1."""
_KNEE: Final = 6 / 29
"""Where f and its inverse pass from the cube (root) to a straight line (CIE 15)."""
_STEPS: Final = 65536
_EIGHT_BITS: Final = 255


@cache
def linear(top: int) -> Floats:
    """Linear light in [0, 1] of every sRGB code from 0 to `top` (255 or 65535); IEC 61966-2-1."""
    codes = np.arange(top + 1) / top
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4).astype(np.float32)


@cache
def growth(top: int) -> tuple[Floats, Floats]:
    """What each code is short of the next one in linear light, and one over it; 0 at `top`."""
    steps = np.append(np.diff(linear(top)), np.float32(0))
    return steps, np.divide(1, steps, out=np.zeros_like(steps), where=steps > 0)


@cache
def _coded(top: int) -> Floats:
    """Code in [0, top] of linear light in steps of 1/65536, and one more to interpolate towards."""
    light = np.arange(_STEPS + 2) / _STEPS
    shares = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return (shares * top).astype(np.float32)


@cache
def _nearest() -> Codes:
    """The same for 8 bits, rounded."""
    return np.rint(_coded(_EIGHT_BITS)).astype(np.intp)


@cache
def _roots() -> Floats:
    """f(Y) of CIELAB in the same steps."""
    light = np.arange(_STEPS + 2) / _STEPS
    return np.where(light > _KNEE**3, np.cbrt(light), light / (3 * _KNEE**2) + 4 / 29).astype(np.float32)


def _interpolated(table: Floats, light: Floats) -> Floats:
    """The table at linear light in [0, 1]; off the curve by at most .005 of a 16-bit code."""
    place = light * np.float32(_STEPS)
    below = place.astype(np.intp)
    place -= below
    found = table.take(below)
    below += 1
    place *= table.take(below) - found
    place += found
    return place


def coded(light: Floats, top: int) -> Codes:
    """The nearest sRGB codes in [0, top] of linear light in [0, 1]."""
    if top == _EIGHT_BITS:  # the steps are fine enough as they are, off by at most .03 of a code
        return _nearest().take((light * np.float32(_STEPS) + np.float32(0.5)).astype(np.intp))
    return np.rint(_interpolated(_coded(top), light)).astype(np.intp)


def root(luminance: Floats) -> Floats:
    """f(Y) of CIELAB, dimensionless, in [4/29, 1]."""
    return _interpolated(_roots(), luminance)


def luminance(pixels: NDArray[Any]) -> Floats:
    """Y in [0, 1] of sRGB codes, uint8 or uint16: colour (H, W, 3) or gray (H, W)."""
    light = linear(int(np.iinfo(pixels.dtype).max))
    if pixels.ndim == 2:
        return light.take(pixels)
    red, green, blue = ((light * np.float32(share)).take(pixels[..., at]) for at, share in enumerate(LUMINANCE))
    red += green
    red += blue
    within: Floats = np.minimum(red, 1)  # the shares' rounding may lead a hair past white
    return within


@cache
def of_gray(top: int, dimensions: int) -> tuple[Floats, Floats]:
    """Y and f(Y) of every gray code from 0 to `top`, as `luminance` gives them for pictures of 2 or 3 dimensions."""
    codes = np.arange(top + 1, dtype=np.uint8 if top == _EIGHT_BITS else np.uint16)[None]
    found = luminance(codes if dimensions == 2 else np.repeat(codes[..., None], 3, 2))[0]
    return found, root(found)


def lightness(root: Floats) -> Floats:
    """L in [0, 100] of f(Y)."""
    return root * 116 - 16


def tinted(luminance: Floats, root: Floats, a: Floats, b: Floats) -> list[Floats]:
    """Linear R, G, B in [0, 1] of that luminance Y, whose f(Y) is `root`, and, where sRGB has it, that chroma.

    Constant L is constant Y, and Y is linear in R, G and B. So a colour outside the gamut moves straight towards
    its own neutral (Y, Y, Y) until the first channel is back in [0, 1]: in closed form, without clipping.
    """
    x = _cubed(root + a * np.float32(1 / 500)) - luminance
    z = _cubed(root - b * np.float32(1 / 200)) - luminance
    off = [x * np.float32(row[0] * _WHITE[0]) + z * np.float32(row[2] * _WHITE[2]) for row in _RGB_OF_XYZ]
    most = np.maximum(np.maximum(off[0], off[1]), off[2])
    least = np.minimum(np.minimum(off[0], off[1]), off[2])
    share = np.minimum((1 - luminance) / np.maximum(most, 1e-9), luminance / np.maximum(-least, 1e-9))
    np.minimum(share, 1, out=share)
    return [np.clip(luminance + share * each, 0, 1) for each in off]


def _cubed(root: Floats) -> Floats:
    """The inverse of f; its straight line goes on below 0."""
    straight = (root - np.float32(4 / 29)) * np.float32(3 * _KNEE**2)
    return np.where(root > _KNEE, root * root * root, straight)
