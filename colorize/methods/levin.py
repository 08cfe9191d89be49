"""Colours from a curator's marks alone: Levin, Lischinski, Weiss 2004, by `colorize.finish.spreading`."""

import numpy as np
from numpy.typing import NDArray

from colorize.finish.spreading import spread
from colorize.methods.work import Work, alone
from colorize.running.prepare import Prepared


@alone
def colours(each: Prepared, _work: Work) -> NDArray[np.float32]:
    """The marks spread over their regions."""
    return spread(each.lightness, *each.marked())
