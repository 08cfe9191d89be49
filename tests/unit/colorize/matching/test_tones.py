"""A print's tones: analytic cases."""

import numpy as np
import pytest

from colorize.images.frame import Frame
from colorize.matching.tones import BINS, cast, distance, spread, tones

WHOLE = Frame(0, 0, 32, 32)


def flat(*colour: int) -> np.ndarray:
    """A picture of one colour."""
    return np.full((32, 32, 3), colour, np.uint8)


def test_black_and_white_lie_as_far_apart_as_can_be_and_a_picture_not_from_itself() -> None:
    black, white = (tones(flat(*[value] * 3), WHOLE) for value in (0, 255))
    assert distance(black, np.stack([black, white])) == pytest.approx([0, 1 - 1 / BINS], abs=1e-6)


def test_a_flat_colour_has_no_spread_and_half_a_colour_has_one() -> None:
    half = flat(128, 128, 128)
    half[:16] = (200, 40, 40)
    assert spread(np.stack([tones(flat(200, 40, 40), WHOLE), tones(half, WHOLE)])) == pytest.approx([0, 36.6], abs=1)


def test_what_is_tinted_otherwise_than_usual_is_off() -> None:
    usual, blue = tones(flat(200, 180, 150), WHOLE), tones(flat(60, 90, 200), WHOLE)
    near, far = cast(np.stack([usual, blue]), usual)
    assert near == 0
    assert far > 40


def test_a_picture_of_one_pixel_has_tones() -> None:
    assert np.isfinite(tones(np.full((1, 1, 3), 9, np.uint8))).all()
