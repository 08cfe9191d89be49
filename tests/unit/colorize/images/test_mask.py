"""Masks: what says where colour is asked for, and what is no mask."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.color import rgb2lab

from colorize.errors import BadMask
from colorize.finish.masked import inside
from colorize.images.mask import read_mask


def file_of(mask: NDArray[np.uint8]) -> bytes:
    buffer = BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    return buffer.getvalue()


def half(width: int = 40, height: int = 30) -> NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    mask[:, width // 2 :] = 255
    return mask


def test_white_asks_for_colour() -> None:
    mask = read_mask(file_of(half()), 40, 30)
    assert mask.shape == (30, 40)
    assert mask[:, 20:].all()
    assert not mask[:, :20].any()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (file_of(half(38)), "the mask has 38 × 30 px and the picture 40 × 30"),
        (file_of(half(80, 60)), "larger than the picture"),
        (file_of(np.full((30, 40), 128, np.uint8)), "neither black nor white in 100%"),
        (file_of(np.zeros((30, 40), np.uint8)), "black all over"),
        (b"no picture", "cannot be read"),
    ],
)
def test_what_is_no_mask_is_refused_in_words(data: bytes, why: str) -> None:
    with pytest.raises(BadMask, match=why):
        read_mask(data, 40, 30)


@pytest.mark.parametrize("top", [255, 65535])
@pytest.mark.parametrize("channels", [1, 3])
def test_outside_the_mask_the_scan_stays_to_the_last_bit_and_inside_colour_grows(top: int, channels: int) -> None:
    dtype: Any = np.uint8 if top == 255 else np.uint16
    gray: NDArray[Any] = np.random.default_rng(0).integers(top // 4, top * 3 // 4, (300, 400)).astype(dtype)
    scan = gray if channels == 1 else np.repeat(gray[..., None], 3, 2)
    coloured = np.repeat(gray[..., None], 3, 2)
    coloured[..., 0] = gray + dtype(top // 8)
    mask = half(400, 300) > 0
    made = inside(scan, coloured, mask)
    assert (made.shape, made.dtype) == (coloured.shape, dtype)
    assert np.array_equal(made[~mask], np.repeat(gray[..., None], 3, 2)[~mask])
    assert np.array_equal(made[:, 220:], coloured[:, 220:])
    chroma = np.hypot(*np.moveaxis(rgb2lab(made / top)[..., 1:], 2, 0)).mean(0)
    assert chroma[199] < 1 < chroma[201] < chroma[220]
    light = rgb2lab(np.repeat(gray[..., None], 3, 2) / top)[..., 0]
    assert np.abs(rgb2lab(made / top)[..., 0] - light)[:, 200:202].max() < 0.6


def test_a_mask_of_all_is_the_whole_result() -> None:
    scan, coloured = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 9, np.uint8)
    assert np.array_equal(inside(scan, coloured, np.ones((8, 8), bool)), coloured)
