"""Same design or not, on prints that are drawn and then warped by a known map."""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest

from colorize.images.decode import Pixels
from colorize.images.frame import Frame
from colorize.matching.geometry import Features, SameDesign, features, register, same_design
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print

Matrix = np.ndarray


@cache
def drawn(seed: int) -> Pixels:
    pixels = draw_print(design(seed), 0).pixels
    return np.asarray(cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)


def seen(pixels: Pixels) -> Features:
    return features(pixels, Frame(0, 0, *pixels.shape[:2]))


def warped(pixels: Pixels, matrix: Matrix, size: tuple[int, int] | None = None) -> Pixels:
    size = size or (pixels.shape[1], pixels.shape[0])
    return np.asarray(cv2.warpPerspective(pixels, matrix, size, borderValue=(230, 225, 210)), np.uint8)


def turned(degrees: float, scale: float = 1.0) -> Callable[[Pixels], tuple[Pixels, Matrix]]:
    def change(pixels: Pixels) -> tuple[Pixels, Matrix]:
        height, width = pixels.shape[:2]
        matrix = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1), [0, 0, 1]])
        matrix = np.diag([scale, scale, 1]) @ matrix
        return warped(pixels, matrix, (round(width * scale), round(height * scale))), matrix

    return change


def faded(pixels: Pixels) -> tuple[Pixels, Matrix]:
    return (150 + pixels * 0.35).astype(np.uint8), np.eye(3)


def cropped(pixels: Pixels) -> tuple[Pixels, Matrix]:
    height, width = pixels.shape[:2]
    top, left = height // 6, width // 8
    return pixels[top:, left:].copy(), np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])


def mirrored(pixels: Pixels) -> tuple[Pixels, Matrix]:
    return pixels[:, ::-1].copy(), np.array([[-1, 0, pixels.shape[1]], [0, 1, 0], [0, 0, 1.0]])


def charted(pixels: Pixels) -> tuple[Pixels, Matrix]:
    return np.hstack([pixels, np.full((len(pixels), 40, 3), 240, np.uint8), chart(len(pixels))]), np.eye(3)


def chart(height: int) -> Pixels:
    squares = np.random.default_rng(7).integers(0, 255, (16, 3, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(squares, (90, height), interpolation=cv2.INTER_NEAREST), np.uint8)


@pytest.mark.parametrize("change", [turned(0), turned(5), turned(-3, 0.25), faded, cropped, mirrored, charted])
def test_a_changed_copy_is_found_where_it_lies(change: Callable[[Pixels], tuple[Pixels, Matrix]]) -> None:
    content = drawn(3)
    style, matrix = change(content)
    found = same_design(seen(content), seen(style))
    assert found is not None
    height, width = content.shape[:2]
    corners = np.array([[[0.2, 0.2]], [[0.8, 0.2]], [[0.8, 0.8]], [[0.2, 0.8]]])
    there = cv2.perspectiveTransform(corners, np.array(found.homography)) * (style.shape[1], style.shape[0])
    wanted = cv2.perspectiveTransform(corners * (width, height), matrix)
    assert np.abs(there - wanted).max() <= 0.005 * np.hypot(*style.shape[:2])
    assert found.mirrored == (change is mirrored)


def test_two_designs_beside_one_chart_are_two() -> None:
    one, other = (charted(drawn(seed))[0] for seed in (3, 4))
    assert same_design(seen(one), seen(other)) is None


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 900, 3), (200, 150, 3)])
def test_a_sheet_with_nothing_on_it_is_like_none(shape: tuple[int, ...]) -> None:
    blank = features(np.full(shape, 230, np.uint8))
    assert same_design(blank, blank) is None
    assert same_design(seen(drawn(3)), blank) is None
    assert same_design(blank, seen(drawn(3))) is None


def test_a_registration_is_kept_as_data() -> None:
    print_ = seen(drawn(3))
    found = same_design(print_, print_)
    assert found is not None
    assert SameDesign.from_data(found.data()) == found


def test_a_registration_of_whole_pictures_holds_between_what_lies_in_their_frames() -> None:
    print_ = seen(drawn(3))
    found = same_design(print_, print_)
    assert found is not None
    ours, theirs = (Frame(10, 20, 110, 220), (200, 400, 3)), (Frame(0, 0, 200, 100), (200, 400, 3))
    there = np.array(found.framed(ours, theirs).homography) @ (0.5, 0.5, 1)
    assert there[:2] / there[2] == pytest.approx((120 / 100, 60 / 200), abs=1e-3)


def test_a_style_whose_paper_has_stretched_is_laid_on_the_content() -> None:
    content = drawn(3)
    height, width = content.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    style = np.asarray(cv2.remap(content, x + 4 * np.sin(y / 90), y, cv2.INTER_LINEAR), np.uint8)
    found = same_design(seen(content), seen(style))
    assert found is not None
    laid = register(content, style, found)
    before, after = (np.abs(each.astype(float) - content).mean() for each in (style, laid.style))
    assert after < 0.6 * before
    assert 0 < laid.residual_px < 5
    assert laid.agrees.mean() > 0.8
