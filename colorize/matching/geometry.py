"""Are two pictures impressions of one design, and how does one lie on the other?

Local features (SIFT) of the gray prints without their frames are matched, and a homography is fitted to them. The
claim is accepted where enough of them lie inside the print, spread over it, and the drawings then correlate: a colour
chart or a border that two scans share fools features alone. Where it is, the registration is refined without rigidity,
for paper shrinks and stretches. Thresholds are those that parted all pairs of real prints (docs/matching.md). Knows no
catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from colorize.images.decode import Pixels
from colorize.images.frame import Frame, find_frame

cv2.setNumThreads(1)  # whoever compares many pictures has a thread or a process for each core already

Floats = NDArray[np.float32]
Gray = NDArray[np.uint8]

LONG_EDGE_PX: Final = 640
"""At which pictures are compared, smaller ones enlarged."""
_POINTS: Final = 1500
_CONTRAST: Final = 0.02
_RATIO: Final = 0.8
"""Of the nearest descriptor's distance to the second nearest's (Lowe 2004)."""
_REPROJECTION_PX: Final = 3.0
_TILE_PX: Final = 64
_UNCOVERED: Final = 0.1
"""Share of a tile that may lie outside the style."""
_GRID: Final = 8
"""Inliers are counted in a grid of so many cells a side, for those of a chart lie together; its rim is not counted, for
scans share borders."""
LEAST_INLIERS: Final = 14
LEAST_CELLS: Final = 5
LEAST_CORRELATION: Final = 0.3
"""Of the drawings, over all tiles at once; between prints of different designs .11 at most."""
LEAST_OVERLAP: Final = 0.2
"""Share of the content that the style covers."""
_SCALES: Final = (0.25, 4.0)
_FLOW_PX: Final = 12.0
_FLOW_BLUR: Final = 4.0


@dataclass(frozen=True, eq=False)
class Features:
    """A gray print as it is compared."""

    gray: Gray
    """(h, w), local contrast evened out, long edge LONG_EDGE_PX."""
    points: Floats
    """(n, 2), x and y of the features in `gray`."""
    descriptors: Floats
    """(n, 128), RootSIFT, of unit length."""
    to_picture: Floats
    """(3, 3), from places in `gray` to places in the whole picture, both with sides of length 1."""


@dataclass(frozen=True)
class SameDesign:
    """How a style print lies on a content of the same design, and what tells that it is."""

    homography: tuple[tuple[float, float, float], ...]
    """From the content's places to the style's; x and y in [0, 1] of the whole pictures."""
    inliers: int
    """Pairs of features that fit it, away from the content's rim."""
    cells: int
    """Of the 36 inner cells of a grid over the content, those that hold inliers."""
    correlation: float
    """The drawings' normalised cross-correlation, in [−1, 1]."""
    mirrored: bool = False
    """The style is a mirrored scan; the homography mirrors it back."""

    def data(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**vars(self), "homography": [list(row) for row in self.homography]}

    def framed(self, content: tuple[Frame, tuple[int, ...]], style: tuple[Frame, tuple[int, ...]]) -> Self:
        """The same, between what lies in frames of both pictures; each with the picture's (H, W, ...)."""
        ours, theirs = (_to_picture((1, 1), frame, shape) for frame, shape in (content, style))
        return replace(self, homography=_rows(np.linalg.inv(theirs) @ np.array(self.homography) @ ours))

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `data`."""
        return cls(**{**data, "homography": tuple(tuple(row) for row in data["homography"])})


def features(pixels: Pixels, frame: Frame | None = None) -> Features:
    """What a picture is compared by.

    Args:
        pixels: uint8, (H, W, 3), sRGB; a working copy is large enough.
        frame: of the print in it, where that is known.
    """
    frame = frame or find_frame(pixels)
    gray = evened(frame.crop(pixels))
    sift = cv2.SIFT.create(nfeatures=_POINTS, contrastThreshold=_CONTRAST)
    found, descriptors = sift.detectAndCompute(gray, None)
    if descriptors is None:
        descriptors = np.zeros((0, 128), np.float32)
    rooted = np.sqrt(descriptors / np.maximum(descriptors.sum(1, keepdims=True), 1e-6))
    points = np.array([each.pt for each in found], np.float32).reshape(-1, 2)
    return Features(gray, points, rooted.astype(np.float32), _to_picture(gray.shape, frame, pixels.shape))


def evened(pixels: Pixels) -> Gray:
    """The print's lightness with its local contrast evened out, so that fading counts little; (h, w)."""
    scale = LONG_EDGE_PX / max(pixels.shape[:2])
    size = (max(8, round(pixels.shape[1] * scale)), max(8, round(pixels.shape[0] * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    lightness = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[..., 0]
    return _evened(np.asarray(lightness, np.uint8))


def _evened(lightness: Gray) -> Gray:
    return np.asarray(cv2.createCLAHE(2.0, (8, 8)).apply(lightness), np.uint8)


def _to_picture(shape: tuple[int, ...], frame: Frame, whole: tuple[int, ...]) -> Floats:
    across, down = (frame.right - frame.left) / shape[1], (frame.bottom - frame.top) / shape[0]
    return np.array(
        [
            [across / whole[1], 0, frame.left / whole[1]],
            [0, down / whole[0], frame.top / whole[0]],
            [0, 0, 1],
        ],
        np.float32,
    )


def same_design(content: Features, style: Features) -> SameDesign | None:
    """How the style lies on the content; None where they are not of one design, as far as can be seen.

    A mirrored scan of the style is tried where the style as it is does not fit.
    """
    return _fitted(content, style) or _fitted(content, _turned_over(style), mirrored=True)


def lines(content: Features, style: Features, found: SameDesign) -> Floats:
    """What lies on one another: (n, 2, 2), a place in the content and one in the style, x and y of each in [0, 1].

    Args:
        content, style: of which `found` was found.
    """
    theirs = _turned_over(style) if found.mirrored else style
    pairs = _pairs(content.descriptors, theirs.descriptors)
    ours, there = content.points[pairs[:, 0]], theirs.points[pairs[:, 1]]
    here, expected = _at(ours, content.to_picture), _at(_at(ours, content.to_picture), np.array(found.homography))
    off = np.linalg.norm((expected - _at(there, theirs.to_picture)) * LONG_EDGE_PX, axis=1)
    fitting = off <= 2 * _REPROJECTION_PX
    joined: Floats = np.stack([here, _at(there, theirs.to_picture)], 1)[fitting].astype(np.float32)
    return joined


def _at(points: Floats, matrix: NDArray[Any]) -> Floats:
    moved = cv2.perspectiveTransform(points.reshape(-1, 1, 2).astype(np.float64), matrix.astype(np.float64))
    return np.asarray(moved.reshape(-1, 2), np.float32)


def _fitted(content: Features, style: Features, *, mirrored: bool = False) -> SameDesign | None:
    pairs = _pairs(content.descriptors, style.descriptors)
    if len(pairs) < LEAST_INLIERS:
        return None
    ours, theirs = content.points[pairs[:, 0]], style.points[pairs[:, 1]]
    fitted, taken = cv2.findHomography(ours, theirs, cv2.USAC_MAGSAC, _REPROJECTION_PX, maxIters=2000, confidence=0.999)
    matrix: NDArray[np.float64] = np.asarray(fitted, np.float64)  # without dimensions where there is none
    if matrix.shape != (3, 3) or not _plausible(matrix, content.gray.shape):
        return None
    places = _inside(ours[taken.ravel() > 0], content.gray.shape)
    inliers, cells = len(places), len(np.unique(places, axis=0))
    if inliers < LEAST_INLIERS or cells < LEAST_CELLS:
        return None
    correlation, overlap = _correlation(content.gray, _laid_on(content.gray, style.gray, matrix))
    if correlation < LEAST_CORRELATION or overlap < LEAST_OVERLAP:
        return None
    whole = style.to_picture @ matrix @ np.linalg.inv(content.to_picture)
    return SameDesign(_rows(whole), inliers, cells, correlation, mirrored)


def _rows(matrix: NDArray[Any]) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(x), float(y), float(z)) for x, y, z in matrix / matrix[2, 2])


def _turned_over(style: Features) -> Features:
    """What `features` would find in the mirrored picture, about: a descriptor is 4 × 4 places × 8 directions."""
    width = style.gray.shape[1]
    points = style.points * np.array([-1, 1], np.float32) + np.array([width - 1, 0], np.float32)
    places = style.descriptors.reshape(-1, 4, 4, 8)[:, ::-1]
    turned = places[..., (-np.arange(8)) % 8].reshape(-1, 128)
    back = style.to_picture @ np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1]], np.float32)
    return Features(np.ascontiguousarray(style.gray[:, ::-1]), points, np.ascontiguousarray(turned), back)


def _pairs(ours: Floats, theirs: Floats) -> NDArray[np.int64]:
    """(m, 2): features that are each other's nearest, and clearly so."""
    if len(ours) < 2 or len(theirs) < 2:
        return np.zeros((0, 2), np.int64)
    alike = torch.from_numpy(ours) @ torch.from_numpy(theirs).T
    (best, second), there = alike.topk(2, 1).values.T, alike.argmax(1)
    clear = (2 - 2 * best).clamp(0) < _RATIO**2 * (2 - 2 * second).clamp(0)
    mutual = alike.argmax(0)[there] == torch.arange(len(ours))
    here = torch.nonzero(clear & mutual)[:, 0]
    return torch.stack([here, there[here]], 1).numpy()


def _inside(points: Floats, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """(m, 2): the cells that points lie in, without those of the rim."""
    places = (points / (shape[1], shape[0]) * _GRID).astype(np.int64)
    return places[((places > 0) & (places < _GRID - 1)).all(1)]


def _plausible(matrix: NDArray[np.float64], shape: tuple[int, ...]) -> bool:
    """Is the content's outline a convex figure of about its own form in the style, not turned over?"""
    height, width = shape[:2]
    corners = np.array([[[0, 0]], [[width, 0]], [[width, height]], [[0, height]]], np.float32)
    there = cv2.perspectiveTransform(corners, matrix)
    if not np.isfinite(there).all() or not cv2.isContourConvex(there.astype(np.float32)):
        return False
    area = cv2.contourArea(there.astype(np.float32), oriented=True) / (width * height)
    return _SCALES[0] ** 2 <= area <= _SCALES[1] ** 2


def _laid_on(content: Gray, style: Gray, matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """The style on the content's places; NaN where there is nothing of it."""
    height, width = content.shape
    laid = cv2.warpPerspective(
        style.astype(np.float32), matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan"),
    )  # fmt: skip
    return np.asarray(laid, np.float32)


def _correlation(content: Gray, laid: Floats) -> tuple[float, float]:
    """Cross-correlation of the high-passed drawings, tile by tile less its mean, and the share of tiles covered.

    All tiles count together, by what is drawn in them: a flat one is noise, and has no word.
    """
    ours, theirs = (_high_passed(each, 1) for each in (content, np.where(np.isnan(laid), 128, laid)))
    height, width = content.shape
    tiles = [
        np.s_[top : top + _TILE_PX, left : left + _TILE_PX]
        for top in range(0, max(1, height - _TILE_PX // 2), _TILE_PX)
        for left in range(0, max(1, width - _TILE_PX // 2), _TILE_PX)
    ]
    sums = np.zeros(2)
    covered = [tile for tile in tiles if np.isnan(laid[tile]).mean() <= _UNCOVERED]
    for tile in covered:
        one, other = (each[tile] - each[tile].mean() for each in (ours, theirs))
        sums += (one * other).sum(), float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(sums[0] / max(sums[1], 1e-6)), len(covered) / len(tiles)


@dataclass(frozen=True, eq=False)
class Registered:
    """A style print laid on a content of the same design."""

    style: Pixels
    """(h, w, 3), sRGB: what the style has at the content's places."""
    agrees: Floats
    """(h, w), how far the drawings agree around a place: their normalised cross-correlation, in [0, 1]."""
    residual_px: float
    """Mean length of what was shifted beyond the homography, in pixels of a long edge of LONG_EDGE_PX."""
    places: Floats
    """(h, w, 2), x and y in the style's pixels of what lies at each place."""
    correlation: float
    """Of the drawings before that, as `SameDesign` has it."""


def register(content: Pixels, style: Pixels, found: SameDesign) -> Registered:
    """Lay the style on the content, and let it give way where paper has shrunk or stretched.

    Dense inverse search (Kroeger 2016) finds the shifts that the homography leaves; they are smoothed and bounded.

    Args:
        content: uint8, (h, w, 3); what `found` was found on, at any size.
        style: likewise.
    """
    height, width = content.shape[:2]
    matrix = _in_pixels(style.shape) @ np.array(found.homography) @ np.linalg.inv(_in_pixels(content.shape))
    scale = max(height, width) / LONG_EDGE_PX
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    laid = _sampled(style, _places(matrix, x, y))
    ours, theirs = (_evened(_lightness(each)) for each in (content, laid))
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(
        ours, theirs, np.zeros((height, width, 2), np.float32)
    )
    flow = cv2.GaussianBlur(flow, (0, 0), _FLOW_BLUR * scale).clip(-_FLOW_PX * scale, _FLOW_PX * scale)
    places = _places(matrix, x + flow[..., 0], y + flow[..., 1])
    there, inside = (_sampled(each, places) for each in (style, np.full_like(style, 255)))
    agrees = np.where(inside[..., 0] > 250, _agreement(ours, _evened(_lightness(there)), scale), 0)
    residual = float(np.linalg.norm(flow, axis=2).mean() / scale)
    return Registered(there, agrees.astype(np.float32), residual, places, found.correlation)


def _in_pixels(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """From places with sides of length 1 to pixels."""
    return np.diag([shape[1], shape[0], 1.0])


def _places(matrix: NDArray[np.float64], x: Floats, y: Floats) -> Floats:
    """Where the homography brings x and y, (h, w) each; (h, w, 2)."""
    there = cv2.perspectiveTransform(np.stack([x, y], -1).reshape(-1, 1, 2).astype(np.float64), matrix)
    return there.reshape(*x.shape, 2).astype(np.float32)


def _sampled(picture: Pixels, places: Floats) -> Pixels:
    """The picture at places, (h, w, 2); black outside it."""
    return np.asarray(cv2.remap(picture, places[..., 0], places[..., 1], cv2.INTER_LINEAR), np.uint8)


def _lightness(pixels: Pixels) -> Gray:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[..., 0], np.uint8)


def _agreement(ours: Gray, theirs: Gray, scale: float) -> Floats:
    """Normalised cross-correlation of the high-passed drawings around each place, in [0, 1].

    In a window of about a tile; where nothing is drawn in it, what is farther around has the word.
    """
    one, other = (_high_passed(each, scale) for each in (ours, theirs))
    alike, first, second = (_around(each, scale) for each in (one * other, one**2, other**2))
    found: Floats = (alike / np.sqrt(first * second + 1e-3)).clip(0, 1)
    return found


def _high_passed(gray: NDArray[Any], scale: float) -> Floats:
    values = gray.astype(np.float32)
    return np.asarray(values - cv2.GaussianBlur(values, (0, 0), 8 * scale), np.float32)


def _around(values: Floats, scale: float) -> Floats:
    near, far = (cv2.GaussianBlur(values, (0, 0), width * scale) for width in (_TILE_PX / 4, _TILE_PX))
    return np.asarray(near + 0.1 * far, np.float32)
