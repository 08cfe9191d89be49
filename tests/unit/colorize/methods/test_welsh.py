import numpy as np
import pytest
from skimage.color import rgb2lab

from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.methods.welsh import SAMPLES, _jittered, welsh

STRIPES = np.repeat(np.array([[30] * 32 + [200] * 32], np.uint8)[..., None], 3, axis=2).repeat(64, axis=0)
"""Dark on the left, light on the right."""


def in_two(dark: tuple[int, int, int], light: tuple[int, int, int]) -> Pixels:
    """A style of two halves, the dark one below."""
    return np.array([[dark] * 64] * 32 + [[light] * 64] * 32, np.uint8)[::-1]


def test_dark_takes_the_dark_colour_and_light_the_light_one() -> None:
    style = in_two((20, 40, 110), (240, 200, 120))
    chroma = welsh(STRIPES, style, 0)
    blue, yellow = rgb2lab(np.array([[(20, 40, 110), (240, 200, 120)]], np.uint8))[0, :, 1:]
    assert np.allclose(chroma[:, :28], blue, atol=1e-3)
    assert np.allclose(chroma[:, 36:], yellow, atol=1e-3)


def test_luminance_is_compared_after_it_is_brought_to_the_contents_range() -> None:
    faint = in_two((120, 110, 140), (150, 135, 110))
    chroma = welsh(STRIPES, faint, 0)
    assert chroma[:, :28, 1].max() < 0 < chroma[:, 36:, 1].min()


def test_unrest_tells_areas_of_one_luminance_apart() -> None:
    rng = np.random.default_rng(3)
    still, restless = np.full((64, 32), 128), rng.choice([68, 188], (64, 32))
    content = np.repeat(np.concatenate([still, restless], 1)[..., None], 3, axis=2).astype(np.uint8)
    style = content.copy()
    style[:, :32] = (164, 116, 100)
    style[:, 32:, 2] += 60
    chroma = welsh(content, style, 0)
    assert np.median(chroma[:, 4:28, 1]) > 5
    assert np.median(chroma[:, 36:60, 1]) < -5


def test_every_colour_is_one_of_the_styles(photographs: dict[str, Pixels]) -> None:
    chroma = welsh(to_gray(photographs["astronaut"]), photographs["coffee"], 0)
    own = {tuple(colour) for colour in rgb2lab(photographs["coffee"])[..., 1:].reshape(-1, 2).astype(np.float32)}
    found = {tuple(colour) for colour in chroma.reshape(-1, 2)}
    assert found <= own
    assert 20 < len(found) <= SAMPLES * 1.2


def test_a_seed_always_gives_the_same_colours_and_another_seed_others(photographs: dict[str, Pixels]) -> None:
    content, style = to_gray(photographs["astronaut"]), photographs["coffee"]
    assert np.array_equal(welsh(content, style, 5), welsh(content, style, 5))
    assert not np.array_equal(welsh(content, style, 5), welsh(content, style, 6))


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (64, 64), (481, 320)])
def test_samples_lie_in_the_style_one_in_each_cell(shape: tuple[int, int]) -> None:
    rows, columns = _jittered(shape, np.random.default_rng(0))
    assert rows.max() < shape[0]
    assert columns.max() < shape[1]
    assert len(rows) == len(columns)
    assert len(rows) <= 1.5 * SAMPLES
    assert len(rows) >= min(0.8 * SAMPLES, shape[0] * shape[1])


def test_a_style_of_one_colour_gives_that_colour() -> None:
    chroma = welsh(STRIPES, np.full((16, 16, 3), (180, 90, 60), np.uint8), 0)
    assert np.allclose(chroma, rgb2lab(np.full((1, 1, 3), (180, 90, 60), np.uint8))[..., 1:], atol=1e-3)
