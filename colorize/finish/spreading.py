"""Colours from a few marks, spread where neighbours are alike: Levin, Lischinski, Weiss 2004.

The method `levin` fills regions with colours drawn by hand; the finish puts the result of any method right where a
mark says so. It knows arrays at working size only; marks are read and rasterised in `colorize.images.marks`.

The paper minimises Σ_r (U_r − Σ_s w_rs U_s)², with w_rs ∝ exp(−(L_r − L_s)²/2σ_r²) over the 3×3 neighbours s of r
and rows of w that sum to 1. That is solved by U_r = Σ_s w_rs U_s at every pixel without a mark. Departures:
couplings are made symmetric, (w_rs + w_sr)/2 before the rows are normed, which gives the energy
Σ w_rs (U_r − U_s)² and a positive definite matrix; a weak pull to zero, so that regions without a mark stay as they
are; and bounds on σ_r, in L, since grain must not stop a colour, nor a soft edge let it through.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.sparse import coo_array, csr_array, diags_array

from colorize.finish.sparse_grid import solve

Lightness = NDArray[np.float32]
"""float32, (h, w), CIELAB L in [0, 100]."""
Chroma = NDArray[np.float32]
"""float32, (h, w, 2), CIELAB a, b."""
Marked = NDArray[np.bool_]
"""bool, (h, w)."""

_SPREAD_REACH = 8.0
"""In long edges: so far that one dot fills a whole picture."""
_CORRECTION_REACH = 0.7
"""In long edges: a stroke fills its region, and little of it seeps through the soft outlines of the next but one."""
_VARIANCE_SHARE = 0.3
"""σ_r² over the window's variance, as in the authors' own program (.6 / 2), not the paper's 1: edges are tighter."""
_DEVIATION = (1.0, 3.0)
_LEAST_COUPLING = 1e-4
"""No pixel is cut off, so that none stays gray in the midst of a colour."""
_NEIGHBOURS = (
    (np.s_[:, :-1], np.s_[:, 1:]),
    (np.s_[:-1, :], np.s_[1:, :]),
    (np.s_[:-1, :-1], np.s_[1:, 1:]),
    (np.s_[:-1, 1:], np.s_[1:, :-1]),
)
"""Four of the eight directions, the others being their way back: where pixels stand, and where their neighbours."""


def spread(lightness: Lightness, marked: Marked, colours: Chroma) -> Chroma:
    """The marks' colours over their regions; chroma 0 where no mark's colour comes.

    Args:
        colours: a, b; read where `marked` only, and kept there to the last bit.
    """
    return _spread(lightness, marked, colours, _SPREAD_REACH * max(lightness.shape))


def corrected(lightness: Lightness, chroma: Chroma, marked: Marked, colours: Chroma) -> Chroma:
    """The chroma of another method put right by marks: what they change is spread, fading with distance.

    Args:
        colours: a, b; read where `marked` only; the result has them there.
    """
    wrong = np.where(marked[..., None], colours - chroma, np.float32(0))
    if not wrong.any():  # as where the chroma was found from the same marks
        return chroma
    changed = chroma + _spread(lightness, marked, wrong, _CORRECTION_REACH * max(lightness.shape))
    return np.where(marked[..., None], colours, changed).astype(np.float32)


def _spread(lightness: Lightness, marked: Marked, colours: Chroma, reach_px: float) -> Chroma:
    """A mark's colour falls to 1/e at `reach_px` on an even ground without end (√(3/pull), as Σ w dx² = 6)."""
    free = diags_array(np.where(marked, 0.0, 1.0).ravel())
    laplacian = _laplacian(lightness.astype(np.float64), pull=3 / reach_px**2)
    given = np.where(marked[..., None], colours, 0).astype(np.float64).reshape(-1, 2)
    fixed = diags_array(np.where(marked, 1.0, 0.0).ravel())
    found = solve((free @ laplacian @ free + fixed).tocsr(), given - free @ (laplacian @ given), lightness.shape)
    return np.where(marked[..., None], colours, found.reshape(*lightness.shape, 2)).astype(np.float32)


def _laplacian(lightness: NDArray[np.float64], pull: float) -> csr_array:
    """D − W + pull, (h·w, h·w): W holds the couplings of each pixel with its eight neighbours."""
    mean, square = (uniform_filter(image, 3, mode="nearest") for image in (lightness, lightness**2))
    variance = np.clip(_VARIANCE_SHARE * (square - mean**2), _DEVIATION[0] ** 2, _DEVIATION[1] ** 2)
    index = np.arange(lightness.size).reshape(lightness.shape)
    entries = []
    for here, there in _NEIGHBOURS:
        difference = (lightness[here] - lightness[there]) ** 2 / 2
        coupling = (np.exp(-difference / variance[here]) + np.exp(-difference / variance[there])) / 2
        entries.append((index[here].ravel(), index[there].ravel(), np.maximum(coupling, _LEAST_COUPLING).ravel()))
    rows, columns, weights = (np.concatenate(part) for part in zip(*entries, strict=True))
    one_way = coo_array((weights, (rows, columns)), shape=(lightness.size, lightness.size)).tocsr()
    couplings = one_way + one_way.T
    return (diags_array(couplings.sum(axis=1) + pull) - couplings).tocsr()
