"""Seals and title cartouches are told by their shape, are areas of their own, and are taken to be red."""

import numpy as np
import pytest
from numpy.typing import NDArray

from colorize.methods.exemplar.blocks import _areas
from colorize.methods.exemplar.cartouches import with_cartouches, with_red


def sheet(height: int, width: int, ground: float) -> NDArray[np.float32]:
    """L of a sheet of paper with a lettered box of that size on it."""
    lightness = np.full((256, 176), 85, np.float32)
    lightness[20 : 20 + height, 130 : 130 + width] = ground
    lightness[24 : 20 + height - 4 : 6, 134 : 130 + width - 4] = 8
    return lightness


@pytest.mark.parametrize(
    ("height", "width", "ground", "count"),
    [(60, 24, 38, 1), (60, 24, 70, 0), (24, 40, 38, 0), (120, 60, 38, 0), (8, 4, 38, 0)],
    ids=["a cartouche", "too light", "lying", "too large", "too small"],
)
def test_a_lettered_upright_box_of_a_reds_lightness_is_one_area(
    height: int, width: int, ground: float, count: int
) -> None:
    areas, found = with_cartouches(_areas, sheet(height, width, ground))
    assert found == count
    assert set(np.unique(areas)) == set(range(areas.max() + 1)), "no area is empty"
    if count:
        inside = areas == areas.max()
        assert inside[26:76, 134:150].all(), "lettering does not part it"
        assert inside.sum() <= (height + 4) * (width + 4), "and it ends at its border"


def test_the_last_areas_are_red_in_so_many_cases_and_the_others_stay() -> None:
    classes = np.array([[0, 10], [36, 26], [0, -30]], np.float32)
    likely = np.full((3, 21, 3), 1 / 3, np.float32)
    found = with_red(likely, 1, classes, 0.8)
    assert np.allclose(found.sum(2), 1)
    assert np.allclose(found[:2], likely[:2])
    assert found[2, 8, 1] > 0.85
    assert np.allclose(found[2, 20], 1 / 3), "what is as light as paper is its frame"
    assert np.allclose(with_red(likely, 0, classes, 0.8), likely)
