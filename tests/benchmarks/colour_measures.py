"""How good the colours of a print's gray version are where its own are known, and how far trust foretells it.

Pictures are uint8 (h, w, 3), sRGB, at working size and without mounts. `measured` takes one result, `summed_up` many.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab
from skimage.segmentation import felzenszwalb

from colorize.images.decode import Pixels
from colorize.measures.lightness import chroma_of, lab
from colorize.measures.quality import truth_measures

AREA_SCALE, AREA_SIGMA, AREA_LEAST_PX = 100.0, 0.8, 100
"""Of Felzenszwalb and Huttenlocher 2004 on the truth's sRGB in [0, 1]."""
ONE_COLOUR: Final = 5.0
"""Rms of a, b from an area's mean up to which the area is one colour in truth: half to nine tenths of a real print."""
CHROMA: Final = (0.85, 1.2)
"""Mean chroma over the truth's that passes for neither muted nor gaudy."""
Areas = NDArray[np.intp]
Floats = NDArray[np.floating]


def measured(
    truth: Pixels, result: Pixels, trust: Floats | None = None, areas: Areas | None = None
) -> dict[str, float]:
    """Measures of one result; 0 is best where nothing else is said.

    Args:
        truth: the print's own colours.
        result: of the same size, with the truth's L*.
        trust: (rows, columns) of cells, in [0, 1] or any other unit.
        areas: `one_colour(truth)`, where it is known already.

    Returns:
        ratio: mean ΔE00 to the truth over that of leaving it gray; 1 is gray.
        patchiness: rms of a, b from the means of the areas that are one colour in truth, over the truth's own; 1 is the
            truth's. Left out where the truth has no such area.
        chroma: mean C* over the truth's; 1 is the truth's.
        distance: sliced Wasserstein distance of the a, b distribution to the truth's, over gray's.
        ink_chroma: mean C* of black ink, CIELAB; left out where there is none.
        trust_within: Spearman's correlation of trust and −ΔE00, cell by cell; 1 is best. Only where trust is given.
    """
    found, own = lab(result), lab(truth)
    taken = truth_measures(truth, result)
    spread, usual = (patches(one_colour(truth) if areas is None else areas, each[..., 1:]) for each in (found, own))
    measures = {
        "ratio": taken["delta_e_ratio"],
        "chroma": float(chroma_of(found).mean() / chroma_of(own).mean()),
        "distance": taken["swd_ab"],
    } | {name: taken[name] for name in ("ink_chroma",) if name in taken}
    if usual:
        measures["patchiness"] = spread / usual
    if trust is not None:
        difference: Any = deltaE_ciede2000
        measures["trust_within"] = spearman(trust.ravel(), -_in_cells(difference(own, found), trust.shape).ravel())
    return measures


def gray_of(pixels: Pixels) -> Pixels:
    """L* of a picture and no colour, three equal channels."""
    gray = lab2rgb(rgb2lab(pixels) * (1, 0, 0)).mean(2, keepdims=True)  # its channels differ in the fifth digit
    return np.repeat(np.rint(gray * 255).astype(np.uint8), 3, axis=2)


def one_colour(truth: Pixels) -> Areas:
    """The number of the area that a pixel lies in, (h, w); −1 where the area is not one colour in truth."""
    segmented: Any = felzenszwalb
    areas: Areas = segmented(truth, scale=AREA_SCALE, sigma=AREA_SIGMA, min_size=AREA_LEAST_PX)
    apart = _apart(areas, lab(truth)[..., 1:]).ravel()
    rms = np.sqrt(np.bincount(areas.ravel(), apart) / np.bincount(areas.ravel()))
    return np.where(rms[areas] <= ONE_COLOUR, areas, -1)


def patches(areas: Areas, chroma: Floats) -> float:
    """Rms of a, b, (h, w, 2), from the means of the areas; 0 where there is none."""
    within = areas >= 0
    return float(np.sqrt(_apart(areas[within], chroma[within]).mean())) if within.any() else 0.0


def _apart(areas: Areas, chroma: Floats) -> Floats:
    """The square of each pixel's distance from its area's mean, in the areas' shape."""
    flat, size = areas.ravel(), np.maximum(1, np.bincount(areas.ravel()))
    means = np.stack([np.bincount(flat, part) / size for part in chroma.reshape(-1, 2).T], axis=1)
    squares: Floats = ((chroma - means[areas]) ** 2).sum(-1)
    return squares


def _in_cells(values: Floats, shape: tuple[int, ...]) -> Floats:
    """Means over cells."""
    rows, columns = (np.arange(side) * cells // side for side, cells in zip(values.shape, shape, strict=True))
    places = (rows[:, None] * shape[1] + columns).ravel()
    means: Floats = np.bincount(places, values.ravel()) / np.bincount(places)
    return means.reshape(shape)


def spearman(one: Floats | Sequence[float], other: Floats | Sequence[float]) -> float:
    """Spearman's rank correlation; 0 where one of them says nothing."""
    ranks = np.stack([rankdata(each) for each in (one, other)])
    if not ranks.std(axis=1).all():
        return 0.0
    return float(np.corrcoef(ranks)[0, 1])


def caught(trust: Sequence[float], ratios: Sequence[float]) -> float:
    """Share of the worst fifth by ratio that lies in the lowest third by trust."""
    worst = np.argsort(-np.asarray(ratios), kind="stable")[: max(1, round(len(ratios) / 5))]
    lowest = np.argsort(np.asarray(trust), kind="stable")[: round(len(trust) / 3)]
    return float(np.isin(worst, lowest).mean())


def summed_up(rows: Sequence[Mapping[str, float]], before: Sequence[Mapping[str, float]] = ()) -> dict[str, float]:
    """What many pairs come to.

    Args:
        rows: `measured` of each, with `trust` of the picture where there is one.
        before: the same pairs' by another recipe, in the same order.

    Returns:
        ratio, patchiness, chroma, distance: medians.
        worse, worst: share of pairs with a ratio above 1, and the highest.
        chroma_right: share with a chroma within CHROMA.
        to_before: median of distance over that of before.
        trust: Spearman's of trust and −ratio; caught: see `caught`; trust_within: median.
    """
    ratios = [row["ratio"] for row in rows]
    found = {
        name: median(row[name] for row in rows if name in row)
        for name in ("ratio", "patchiness", "chroma", "distance", "trust_within")
        if any(name in row for row in rows)
    }
    found["worse"] = float(np.mean([ratio > 1 for ratio in ratios]))
    found["worst"] = max(ratios)
    found["chroma_right"] = float(np.mean([CHROMA[0] <= row["chroma"] <= CHROMA[1] for row in rows]))
    if before:
        found["to_before"] = median(
            row["distance"] / other["distance"] for row, other in zip(rows, before, strict=True)
        )
    if all("trust" in row for row in rows):
        trust = [row["trust"] for row in rows]
        found |= {"trust": spearman(trust, [-ratio for ratio in ratios]), "caught": caught(trust, ratios)}
    return found
