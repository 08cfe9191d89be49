"""How prints are composed: drawn ovals in place of figures."""

import numpy as np
import pytest

from colorize.images.decode import Pixels
from colorize.images.frame import Frame
from colorize.matching.composition import LENGTH, composition, likeness
from colorize.matching.ranking import Vectors

Oval = tuple[float, float, float]
BUST: list[Oval] = [(0.5, 0.5, 0.4)]
FIGURE: list[Oval] = [(0.5, 0.5, 0.15)]
PAIR: list[Oval] = [(0.5, 0.25, 0.15), (0.5, 0.75, 0.15)]
TO_THE_LEFT: list[Oval] = [(0.5, 0.25, 0.15)]


def drawn(ovals: list[Oval], height: int = 240, width: int = 160, lines: float = 60) -> Pixels:
    """Striped ovals on paper, each (y, x, radius) in shares of the sides."""
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    paper = np.full((height, width), 230, np.uint8)
    for row, column, radius in ovals:
        inside = np.hypot(y - row, x - column) < radius
        paper[inside] = 90 + 60 * (np.sin((x + 0.3 * y)[inside] * lines) > 0)
    return np.repeat(paper[..., None], 3, axis=2)


def of(pixels: Pixels) -> Vectors:
    return composition(pixels, Frame(0, 0, *pixels.shape[:2]))


@pytest.mark.parametrize("ovals", [BUST, FIGURE, PAIR, TO_THE_LEFT])
def test_a_print_is_composed_most_like_another_with_the_same_figures_at_the_same_places(ovals: list[Oval]) -> None:
    kinds = [BUST, FIGURE, PAIR, TO_THE_LEFT]
    styles = np.stack([of(drawn(each, 480, 320, lines=80)) for each in kinds])
    found = likeness(of(drawn(ovals)), styles, styles.mean(0))
    assert kinds[int(found.argmax())] == ovals
    assert np.sort(found)[-1] > np.sort(found)[-2] + 0.3


def test_an_upright_print_and_one_across_are_less_alike() -> None:
    styles = np.stack([of(drawn(FIGURE)), of(drawn(FIGURE, 160, 240)), of(drawn(PAIR))])
    same, across, _ = likeness(styles[0], styles, styles.mean(0))
    assert same == pytest.approx(1, abs=1e-5)
    assert across < same - 0.4


def test_colour_says_nothing_about_a_composition() -> None:
    gray = drawn(FIGURE)
    tinted = gray.copy()
    tinted[..., 2] = 255 - tinted[..., 2]  # luminance changes with it, lines stay
    styles = np.stack([of(tinted), of(drawn(BUST))])
    assert likeness(of(gray), styles, styles.mean(0)).argmax() == 0


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 400, 3), (300, 200, 3)])
def test_blank_sheets_and_single_pixels_have_a_composition_too(shape: tuple[int, int, int]) -> None:
    blank = composition(np.full(shape, 200, np.uint8))
    assert blank.shape == (LENGTH,)
    assert blank.dtype == np.float32
    styles = np.stack([blank, of(drawn(BUST))])
    for usual in (blank, styles.mean(0)):
        found = likeness(blank, styles, usual)
        assert np.isfinite(found).all()
        assert (np.abs(found) <= 1).all()
