"""How far colours may be trusted: a calibrated probability for each area. Pure arithmetic; `transfer.py` calls it.

What is foretold is that a curator would accept: for want of curators' verdicts on enough real prints, that an area's
mean ΔE00 to the print's own colours is at most two thirds of what leaving it gray gives. It was fitted on real prints
that the prior had not seen, coloured from prints of other designs (docs/colour.md).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from colorize.methods.exemplar.blocks import Printed, norm
from colorize.methods.exemplar.evidence import Evidence

Floats = NDArray[np.float32]

ACCEPTED = 2 / 3
"""ΔE00 over that of leaving it gray, up to which colours count as acceptable."""
_BIAS, _WEIGHTS = -2.71, (-4.74, 2.43, -0.22, -0.37)
"""Of the logistic regression on `signs`."""
IN_PLACE = 0.77
"""How likely colours are that were taken from the same place of another impression; of 79 same-design sets."""


def trust(found: Printed, said: Evidence, classes: Floats, brighter: float) -> Floats:
    """How likely a curator accepts each pixel's colour, (h, w), in [0, 1]: the same all over an area.

    Args:
        brighter: how much brighter the content's paper is than the styles', in L.
    """
    each = expit(_BIAS + signs(found, said, classes, brighter) @ np.array(_WEIGHTS, np.float32))
    return np.asarray(each[found.areas], np.float32)


def signs(found: Printed, said: Evidence, classes: Floats, brighter: float) -> Floats:
    """What tells right areas from wrong ones, (areas, 4).

    The error that the evidence itself expects of the colour chosen, over that of leaving it gray; the logarithm of the
    latter, as colourful areas turn out better than nearly gray ones; how far the prior and the inks lie apart, in a, b;
    how much brighter the scan is than its styles', for bright scans are of paler colours than anybody foretells.
    """
    size = found.size / found.size.sum(1, keepdims=True)
    wrong = norm(classes[None, None] - found.colours[:, :, None])
    expected = (size * (found.likely * wrong).sum(2)).sum(1)
    gray = (size * (found.likely @ norm(classes))).sum(1).clip(0.5)
    inks = softmax(said.inks, axis=1) @ classes
    own = found.prior @ classes
    apart = (size * norm(own[:, None] - inks)).sum(1)
    return np.stack([expected / gray, np.log(gray), apart / 10, np.full(len(gray), brighter / 5)], axis=1)
