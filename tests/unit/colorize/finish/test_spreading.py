from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import rgb2lab

from colorize.finish.spreading import _laplacian, corrected, spread
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print

RED, BLUE = (40.0, 20.0), (-5.0, -30.0)


def halves(side: int = 32) -> NDArray[np.float32]:
    """L of a dark half beside a light one."""
    lightness = np.full((side, side), 80, np.float32)
    lightness[:, : side // 2] = 30
    return lightness


def dots(shape: tuple[int, ...], *places: tuple[int, int, tuple[float, float]]) -> tuple[Any, Any]:
    marked, colours = np.zeros(shape, np.bool_), np.zeros((*shape, 2), np.float32)
    for row, column, colour in places:
        marked[row, column], colours[row, column] = True, colour
    return marked, colours


def test_a_flat_picture_takes_the_colour_of_its_one_mark() -> None:
    lightness = np.full((24, 24), 60, np.float32)
    chroma = spread(lightness, *dots(lightness.shape, (12, 12, RED)))
    assert np.allclose(chroma, RED, rtol=0.02)
    assert chroma.dtype == np.float32


def test_marks_are_kept_to_the_last_bit() -> None:
    marked, colours = dots((32, 32), (3, 3, RED), (20, 9, (0.1, 0.7)), (20, 10, BLUE), (9, 28, BLUE))
    assert np.array_equal(spread(halves(), marked, colours)[marked], colours[marked])
    there = np.full((32, 32, 2), 7.7, np.float32)
    assert np.array_equal(corrected(halves(), there, marked, colours)[marked], colours[marked])


def test_each_side_of_an_edge_takes_the_colour_of_its_own_mark() -> None:
    chroma = spread(halves(), *dots((32, 32), (5, 5, RED), (25, 27, BLUE)))
    assert np.abs(chroma[:, :16] - RED).max() < 4
    assert np.abs(chroma[:, 16:] - BLUE).max() < 4


def test_between_two_marks_on_even_ground_colours_go_over_evenly() -> None:
    lightness = np.full((1, 41), 50, np.float32)
    chroma = spread(lightness, *dots(lightness.shape, (0, 0, (0.0, 0.0)), (0, 40, (40.0, -40.0))))
    assert np.allclose(chroma[0, :, 0], np.arange(41), atol=1)


def test_no_mark_gives_no_colour() -> None:
    chroma = spread(halves(), *dots((32, 32)))
    assert not chroma.any()
    there = np.full((32, 32, 2), 3, np.float32)
    assert np.array_equal(corrected(halves(), there, *dots((32, 32))), there)


def test_marks_everywhere_give_themselves() -> None:
    colours = np.random.default_rng(0).normal(size=(32, 32, 2)).astype(np.float32)
    assert np.array_equal(spread(halves(), np.ones((32, 32), np.bool_), colours), colours)


def test_a_correction_changes_its_own_region_and_leaves_the_others() -> None:
    there = np.zeros((64, 64, 2), np.float32)
    there[:, 32:] = BLUE
    fixed = corrected(halves(64), there, *dots((64, 64), *((row, 10, RED) for row in range(16, 24))))
    assert np.abs(fixed[12:28, 4:16] - RED).max() < 10
    assert np.abs(fixed[:, 34:] - BLUE).max() < 4


def test_a_correction_fades_with_distance_where_no_edge_stops_it() -> None:
    lightness = np.full((40, 300), 50, np.float32)
    marked, colours = dots(lightness.shape, *((row, 0, RED) for row in range(40)))
    red = corrected(lightness, np.zeros((40, 300, 2), np.float32), marked, colours)[20, :, 0]
    assert np.all(np.diff(red) < 1e-3)
    assert red[150] == pytest.approx(
        40 * np.cosh(150 / 210) / np.cosh(300 / 210), rel=0.03
    )  # nothing leaves at the end


def test_a_mark_that_says_what_is_there_changes_nothing() -> None:
    there = np.random.default_rng(1).normal(size=(32, 32, 2)).astype(np.float32)
    marked, _ = dots((32, 32), (4, 4, RED))
    assert np.array_equal(corrected(halves(), there, marked, there), there)


def test_the_system_is_symmetric_and_its_rows_sum_to_the_pull() -> None:
    lightness = np.random.default_rng(2).uniform(0, 100, (9, 7))
    laplacian = _laplacian(lightness, pull=0.25)
    dense = laplacian.toarray()
    assert np.array_equal(dense, dense.T)
    assert np.allclose(dense.sum(1), 0.25)
    assert np.count_nonzero(dense[8]) == 9  # an inner pixel: itself and eight neighbours
    assert np.linalg.eigvalsh(dense)[0] == pytest.approx(0.25)


def test_a_coupling_is_levins_where_bounds_do_not_bite() -> None:
    lightness = np.array([[50.0, 52.0, 54.0]]).repeat(3, axis=0)
    middle = np.exp(-(2**2) / 2 / 1.0)  # variance 8/3, of which 0.3 are taken, but 1 at least
    assert -_laplacian(lightness, pull=0.0).toarray()[4, 5] == pytest.approx(middle)


def test_sixty_dabs_bring_a_drawn_print_nearer_its_colours_than_gray_is() -> None:
    lab = rgb2lab(draw_print(design(3), 1, (128, 192)).pixels)
    lightness, truth = lab[..., 0].astype(np.float32), lab[..., 1:].astype(np.float32)
    marked, random = np.zeros(lightness.shape, np.bool_), np.random.default_rng(0)
    for row, column in zip(random.integers(0, 190, 60), random.integers(0, 124, 60), strict=True):
        marked[row : row + 2, column : column + 4] = True
    left = np.abs(spread(lightness, marked, truth) - truth).mean()
    assert left < 0.6 * np.abs(truth).mean()
