"""One peel of a scan: from a flat surround (white, film, board, cloth) to the sheet that lies in it.

`colorize.images.frame` peels until nothing comes off. Here pictures are small and gray, and the four sides are treated
by one piece of code: `_facing` turns the side in question to the top.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Gray = NDArray[np.float32]
"""(H, W), luma in [0, 255]."""
Mask = NDArray[np.bool_]
Margins = tuple[int, int, int, int]
"""Pixels taken off at top, left, bottom and right; a side is its place in this order."""

STEP: Final = 4.0
"""Gray levels between neighbours that board, cloth or film stay under, and a sheet's edge passes."""
_FLAT: Final = 0.8
"""Share of a side's line that flat patches cover where it shows the surround."""
_WRAPS: Final = 0.35
"""The same where the surround of two other sides runs on: charts and scales lie across it."""
_FULL: Final = 0.75
"""Share of the sheet's outermost line that is sheet: more than a chart's, which lies beside it, and less than all."""
_TILT: Final = 0.0175
"""Drift of an edge on either side of its middle in a print turned by 2°, over its length."""
_TONES: Final = 64
"""Gray levels between facing sides of one surround: the light falls off, or a cloth lies under the board."""
_TORN_PX: Final = 7
"""Rests of the surround before (notches of a film, blurred edges), passed over in search of a flat line."""
_LEAST_SHARE: Final = 0.1
"""Of a surround's box that its sheet takes at least; what is smaller is a label or a stamp."""
_SIDES: Final = range(4)


def peel(gray: Gray) -> Margins | None:
    """The margins around the sheet in a flat surround; None where there is no surround, or no sheet for certain.

    The surround shows on at least two opposite sides, in like tones. The sheet fills a box, and each of its sides
    that a margin is taken off is straight: all sheet within, none without, or a chart behind a continuous edge.
    """
    patches = _flat_patches(gray)
    torn = [_first_flat_line(_facing(patches, side)) for side in _SIDES]
    outer = _margins(0 if depth is None else depth for depth in torn)
    gray, patches = _within(gray, outer), _within(patches, outer)
    surround = _surround(patches)
    shares = [float(_facing(surround, side)[0].mean()) for side in _SIDES]
    tones = [float(np.median(_facing(gray, side)[0])) for side in _SIDES]
    if not any(_alike(shares[side::2], tones[side::2]) for side in (0, 1)):
        return None
    sheet, shows = _main_part(~surround), [share >= _WRAPS for share in shares]
    found = _Sheet(gray, sheet, _box(sheet, shows)).straightened(shows)
    if found is None:
        return None
    return _margins(depth + outer[side] if depth else 0 for side, depth in enumerate(found))


def _margins(depths: Any) -> Margins:
    top, left, bottom, right = depths
    return top, left, bottom, right


def _facing(array: NDArray[Any], side: int) -> NDArray[Any]:
    """The array with the side on top."""
    turned = array.T if side % 2 else array
    return turned[::-1] if side > 1 else turned


def _within(array: NDArray[Any], margins: Margins) -> NDArray[Any]:
    top, left, bottom, right = margins
    return array[top : array.shape[0] - bottom, left : array.shape[1] - right]


def _flat_patches(gray: Gray) -> NDArray[np.int32]:
    """Numbers of the patches of pixels that hang together by steps of STEP at most.

    A lattice of pixels and the links between them is labelled, so that a slit one pixel wide still is a way.
    """
    height, width = gray.shape
    lattice = np.zeros((2 * height - 1, 2 * width - 1), dtype=bool)
    lattice[::2, ::2] = True
    lattice[1::2, ::2] = np.abs(np.diff(gray, axis=0)) <= STEP
    lattice[::2, 1::2] = np.abs(np.diff(gray, axis=1)) <= STEP
    patches: NDArray[np.int32] = ndimage.label(lattice)[0][::2, ::2]
    return patches


def _broad(line: NDArray[np.int32]) -> NDArray[np.int32]:
    """The patches that cover a twentieth of the line or more, each."""
    patches, counts = np.unique(line, return_counts=True)
    return patches[counts >= 0.05 * len(line)]


def _first_flat_line(patches: NDArray[np.int32]) -> int | None:
    for depth, line in enumerate(patches[:_TORN_PX]):
        if np.isin(line, _broad(line)).mean() >= _FLAT:
            return depth
    return None


def _surround(patches: NDArray[np.int32]) -> Mask:
    """The patches that go round a corner, or all along a side: a sky between two white margins does neither."""
    lines = [_facing(patches, side)[0] for side in _SIDES]
    kept = [
        patch
        for side in _SIDES
        for patch in _broad(lines[side])
        if (lines[side] == patch).mean() >= _FLAT or any(patch in lines[other] for other in _SIDES if other != side)
    ]
    return np.isin(patches, kept)


def _alike(shares: list[float], tones: list[float]) -> bool:
    """Whether two facing sides show one surround; a sky above a meadow is none."""
    return min(shares) >= _FLAT and abs(tones[0] - tones[1]) <= _TONES


def _main_part(mask: Mask) -> Mask:
    """The largest part and those a third of its size (leaves of a polyptych, pages), without hairlines and specks."""
    opened = ndimage.grey_opening(np.pad(mask, 3, mode="edge").astype(np.uint8), size=(5, 5))[3:-3, 3:-3]
    parts, count = ndimage.label(opened)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    sizes[0] = 0
    main: Mask = (3 * sizes >= max(1, sizes.max()))[parts]
    return main


def _box(mask: Mask, shows: list[bool]) -> Margins:
    """Margins of the mask's bounding box, none at sides where no surround shows."""
    hits = [_facing(mask, side).any(axis=1) for side in _SIDES]
    return _margins(int(hit.argmax()) if shown else 0 for hit, shown in zip(hits, shows, strict=True))


@dataclass(frozen=True)
class _Sheet:
    """A mask of what the surround leaves, and a box that is drawn in until its sides are the sheet's."""

    gray: Gray
    mask: Mask
    margins: Margins

    def straightened(self, shows: list[bool]) -> Margins | None:
        """The sheet's margins, 0 at sides that are not straight; None where too little is certain.

        One side may have something beyond it: a chart. A sheet that goes on at two is no box.
        """
        if not self.mask.any() or (close := self.drawn_in(shows)) is None:
            return None
        depths = [close.clean_margin(side) if shows[side] else 0 for side in _SIDES]
        unclean = [side for side in _SIDES if close.margins[side] and shows[side] and not depths[side]]
        if len(unclean) == 1:
            depths[unclean[0]] = close.margin_to_chart(unclean[0])
        inside = _within(self.mask, _margins(depths))
        paired = (depths[0] and depths[2]) or (depths[1] and depths[3])
        certain = paired and inside.size >= _LEAST_SHARE * self.mask.size and inside.mean() >= 0.85
        return _margins(depths) if certain else None

    def drawn_in(self, shows: list[bool]) -> "_Sheet | None":
        """The box whose outermost lines are `_FULL`: the emptiest line is taken off until none is left."""
        margins = list(self.margins)
        while True:
            sheet = _Sheet(self.gray, self.mask, _margins(margins))
            if min(_within(self.mask, sheet.margins).shape) < 16:
                return None
            shares = [sheet.line(side, 0).mean() if shows[side] else 1.0 for side in _SIDES]
            emptiest = int(np.argmin(shares))
            if shares[emptiest] >= _FULL:
                return sheet
            margins[emptiest] += 1

    def clean_margin(self, side: int) -> int:
        """The margin at a straight side with surround beyond, out to a turned print's corner; 0 at any other."""
        depth = self.margins[side]
        drift = self._drift(side)
        if self.line(side, drift).mean() < 0.85 or self.line(side, -2 * drift).mean() > 0.1:
            return 0
        shares = [self.line(side, -1 - step).mean() for step in range(min(drift, depth))]
        return depth - next((step for step, share in enumerate(shares) if share <= 0.05), len(shares))

    def margin_to_chart(self, side: int) -> int:
        """The margin where what goes on beyond is parted from the sheet by an edge along all of it; 0 elsewhere."""
        depth, drift = self.margins[side], self._drift(side)
        beyond = self.line(side, -drift)
        band = self._lines(self.gray, side)[max(0, depth - 4) : depth + 4]
        edges = np.abs(np.diff(band, axis=0)).max(axis=0) >= 2 * STEP
        parted = edges[beyond].sum() >= 0.85 * max(1, beyond.sum())
        return depth if parted and self.line(side, drift).mean() >= 0.85 and beyond.mean() <= _FULL else 0

    def _drift(self, side: int) -> int:
        """How far the ends of a side turned by 2° stand off its middle."""
        return 1 + round(_TILT * len(self.line(side, 0)))

    def line(self, side: int, depth: int) -> Mask:
        """The mask's line so many pixels inside the box (outside, if negative); empty beyond the picture."""
        lines = self._lines(self.mask, side)
        place = self.margins[side] + depth
        return lines[place] if 0 <= place < len(lines) else np.zeros(lines.shape[1], dtype=bool)

    def _lines(self, array: NDArray[Any], side: int) -> NDArray[Any]:
        """The array with the side on top, its lines as long as the box's side."""
        lines = _facing(array, side)
        return lines[:, self.margins[1 - side % 2] : lines.shape[1] - self.margins[3 - side % 2]]
