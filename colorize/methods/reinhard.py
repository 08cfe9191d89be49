"""One tint for the whole picture: what Reinhard, Ashikhmin, Gooch, Shirley 2001 give a gray content.

A classic beside which the better methods are measured. It knows pictures at working size only.
"""

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2xyz, xyz2lab
from skimage.color.colorconv import xyz_from_rgb

from colorize.images.decode import Pixels
from colorize.methods.work import Work, alone
from colorize.running.prepare import Prepared

_LMS_FROM_RGB = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
_LMS_FROM_XYZ = _LMS_FROM_RGB @ np.linalg.inv(xyz_from_rgb)
_OPPONENTS = np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]]) / np.sqrt([[3], [6], [2]])
"""Orthonormal: its transpose leads back."""
_DARKEST = 1e-4
"""A third of the first step of linear 8-bit sRGB: the logarithm needs a floor, and black pixels a place on it."""


@alone
def colours(each: Prepared, _work: Work) -> NDArray[np.float32]:
    """Each picture's chroma by its style."""
    return reinhard(each.content, each.style)


def reinhard(content: Pixels, style: Pixels) -> NDArray[np.float32]:
    """The style's mean α and β on the content's own luminance l, as CIELAB a, b; float32, (h, w, 2).

    The paper moves each channel of lαβ to the style's mean and deviation. A gray content's α and β do not deviate,
    so the style's means are all that is left of two channels, and l is not moved, since the drawing is kept. It is
    done in lαβ and not in CIELAB because lαβ is logarithmic: one α, β takes a share of the light away, so that ink
    stays nearly black and paper takes the tint, where one a, b would colour both alike.

    Args:
        content: gray, (h, w, 3).
        style: (h', w', 3).
    """
    opponents = _opponents(content)
    opponents[..., 1:] = _opponents(style)[..., 1:].mean(axis=(0, 1))
    light = 10 ** (opponents @ _OPPONENTS)
    lab = xyz2lab(light @ np.linalg.inv(_LMS_FROM_XYZ).T)
    return np.asarray(lab[..., 1:], dtype=np.float32)


def _opponents(pixels: Pixels) -> NDArray[np.float64]:
    light = rgb2xyz(pixels) @ _LMS_FROM_XYZ.T
    return np.asarray(np.log10(np.maximum(light, _DARKEST)) @ _OPPONENTS.T)
