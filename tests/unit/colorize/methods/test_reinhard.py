import numpy as np
from skimage.color import lab2rgb, rgb2lab

from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.methods.reinhard import reinhard


def test_a_gray_style_leaves_the_content_gray(photographs: dict[str, Pixels]) -> None:
    chroma = reinhard(to_gray(photographs["coffee"]), to_gray(photographs["chelsea"]))
    assert np.abs(chroma).max() < 0.5


def test_content_and_style_of_one_gray_and_one_colour_give_that_colour_at_its_own_lightness() -> None:
    style = np.full((8, 8, 3), (200, 120, 90), np.uint8)
    lightness = rgb2lab(style)[0, 0, 0]
    grays = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    nearest = np.abs(rgb2lab(grays)[0, :, 0] - lightness).argmin()
    chroma = reinhard(np.full((4, 4, 3), nearest, np.uint8), style)
    # lαβ's l is not CIELAB's L, so equal L is equal colour only nearly
    assert np.abs(chroma - rgb2lab(style)[0, 0, 1:]).max() < 4


def test_every_pixel_has_the_styles_means_of_alpha_and_beta(photographs: dict[str, Pixels]) -> None:
    content = to_gray(photographs["astronaut"])
    chroma = reinhard(content, photographs["chelsea"])
    hues = np.arctan2(chroma[..., 1], chroma[..., 0])[content[..., 0] > 40]
    assert np.ptp(hues) < 0.5
    assert chroma.shape == (*content.shape[:2], 2)
    assert chroma.dtype == np.float32


def test_ink_stays_nearly_black_where_paper_takes_the_tint() -> None:
    content = np.repeat(np.array([[12, 235]], np.uint8)[..., None], 3, axis=2)
    style = np.full((4, 4, 3), (220, 160, 110), np.uint8)
    ink, paper = np.hypot(*np.moveaxis(reinhard(content, style), 2, 0))[0]
    assert ink < 5 < 20 < paper


def test_black_pixels_have_a_place_too() -> None:
    black = np.zeros((4, 4, 3), np.uint8)
    assert np.isfinite(reinhard(black, black)).all()
    assert np.isfinite(lab2rgb(np.dstack([np.zeros((4, 4)), reinhard(black, black)]))).all()
