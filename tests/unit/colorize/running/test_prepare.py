"""A job at working size, and pictures as tensors and back."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from colorize.encoders.vgg19 import Encoder
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.jobs import FURTHER_PX, Job, JobFiles, StyleFile, decoded_job
from colorize.recipes.library import recipe_named
from colorize.running.prepare import prepare, to_pixels, to_tensor

RECIPE = recipe_named("jadh2016/config1_2_2")


def test_the_content_is_worked_on_in_gray_and_keeps_its_shape(photographs: dict[str, Pixels]) -> None:
    coffee = photographs["coffee"]
    working = prepare(RECIPE.changed(long_edge_px=64), Job("x", coffee, coffee))
    assert working.content.shape == working.style.shape == coffee.shape == (48, 64, 3)
    assert (working.content == to_gray(coffee)).all()
    assert (working.style == coffee).all()


def test_of_styles_behind_the_first_no_more_is_kept_than_is_looked_at() -> None:
    file = BytesIO()
    Image.new("RGB", (FURTHER_PX + 100, 20)).save(file, "PNG")
    wide = file.getvalue()
    job = decoded_job("x", JobFiles(wide, (StyleFile(wide, {"mirrored": False}), StyleFile(wide))), max_pixels=10**6)
    assert [style.pixels.shape[1] for style in job.styles] == [FURTHER_PX + 100, FURTHER_PX]
    assert [style.registration for style in job.styles] == [{"mirrored": False}, None]


@pytest.mark.parametrize(("height", "width"), [(100, 100), (90, 200), (333, 77)])
def test_working_sides_are_multiples_of_16_near_the_pictures_shape(height: int, width: int) -> None:
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    content = prepare(RECIPE.changed(long_edge_px=192), Job("x", picture, picture)).content
    scale = min(1, 192 / max(height, width))
    for side, was in zip(content.shape[:2], (height, width), strict=True):
        assert side % 16 == 0
        assert abs(side - was * scale) <= 8


def test_saved_pixels_are_rounded_and_clipped() -> None:
    floats = torch.tensor([-3.0, 0.4, 0.6, 254.4, 255.6, 1e9]).view(1, 3, 1, 2)
    assert to_pixels(floats).tolist() == [[[[0, 1, 255], [0, 254, 255]]]]


def test_pixels_become_a_tensor_of_the_same_numbers_and_back(narrow: Encoder, photographs: dict[str, Pixels]) -> None:
    coffee = photographs["coffee"]
    tensor = to_tensor(coffee, narrow)
    assert (tensor.shape, tensor.dtype) == ((1, 3, 48, 64), torch.float32)
    assert tensor[0, :, 5, 7].tolist() == coffee[5, 7].tolist()
    assert (to_pixels(tensor)[0] == coffee).all()


def test_styles_keep_their_numbers_where_others_cannot_be_used(photographs: dict[str, Pixels]) -> None:
    file = BytesIO()
    Image.fromarray(photographs["coffee"]).save(file, "PNG")
    coffee, gray = file.getvalue(), BytesIO()
    Image.fromarray(to_gray(photographs["coffee"])).save(gray, "PNG")
    styles = tuple(StyleFile(each) for each in (b"broken", gray.getvalue(), coffee, coffee))
    job = decoded_job("x", JobFiles(coffee, styles), max_pixels=10**6)
    found = prepare(recipe_named("nishiki/colour").changed(long_edge_px=64, styles=4), job)
    assert (len(found.styles), found.places) == (2, (3, 4))
    assert job.notes[0].startswith("Style image 1 cannot be read and is left out")
    assert found.notes[0].startswith("style image 2 gives no colours")
