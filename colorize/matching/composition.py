"""How a print is composed: where its lines lie and which way they run. Bust and full figure differ, one and several.

`flows.match` compares a content with its styles by it; measured by `tests.benchmarks.match composition`. It needs no
encoder, and knows no heads.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize.images.decode import Pixels
from colorize.images.frame import Frame, find_frame
from colorize.images.resize import to_gray
from colorize.matching.ranking import Vectors

VERSION: Final = "composition/1"
ROWS, COLUMNS, DIRECTIONS = 8, 6, 8
LENGTH: Final = ROWS * COLUMNS * DIRECTIONS + 1
_EDGE_PX: Final = 192
_OF_SHAPE: Final = 0.5
"""What a side e times as long costs, of the cosine."""


def composition(pixels: Pixels, frame: Frame | None = None) -> Vectors:
    """A print's composition, float32 (LENGTH,), of its gray version: see `likeness`.

    Root shares of its gradients by cell and direction, as in HOG (Dalal and Triggs 2005) but of the whole picture, with
    its sides as a cell's measure; then the natural logarithm of height over width.

    Args:
        pixels: uint8, (H, W, 3), sRGB, at any size.
        frame: of the print in it, where that is known.
    """
    framed = to_gray((frame or find_frame(pixels)).crop(pixels))[..., 0]
    square = cv2.resize(framed.astype(np.float32), (_EDGE_PX, _EDGE_PX), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(square, (0, 0), 1)
    across, down = (cv2.Sobel(soft, cv2.CV_32F, *axes) for axes in ((1, 0), (0, 1)))
    direction = np.arctan2(down, across) % np.pi / np.pi * DIRECTIONS
    off = np.abs(direction - np.arange(DIRECTIONS)[:, None, None])
    share = np.clip(1 - np.minimum(off, DIRECTIONS - off), 0, 1) * np.hypot(across, down)
    cells = share.reshape(DIRECTIONS, ROWS, _EDGE_PX // ROWS, COLUMNS, _EDGE_PX // COLUMNS).sum((2, 4))
    rooted = np.sqrt(cells / max(cells.sum(), 1.0))
    return np.array([*rooted.ravel(), np.log(framed.shape[0] / framed.shape[1])], np.float32)


def likeness(content: Vectors, styles: Vectors, usual: Vectors) -> NDArray[np.float32]:
    """How alike the content and each style are composed, (n,), in [−1, 1].

    The cosine of what sets them apart from the usual, less a half for a side e times as long. Impressions of one design
    have .65 to .92 (quartile, and the highest twentieth), other pairs of actor prints −.5 to .35.

    Args:
        usual: the mean of all styles.
    """
    one, others = (each[..., :-1] - usual[:-1] for each in (content, styles))
    lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(one)
    cosines = others @ one / np.maximum(lengths, np.finfo(np.float32).tiny)
    found: NDArray[np.float32] = np.clip(cosines - _OF_SHAPE * np.abs(styles[:, -1] - content[-1]), -1, 1)
    return found
