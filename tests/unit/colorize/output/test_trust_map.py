"""The map of trust: of the picture's proportions, gray where there is no print, and it says that it is a map."""

from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image

from colorize.images.frame import Frame
from colorize.output.provenance import is_colorization
from colorize.output.saving import kept_trust
from colorize.output.trust_map import trust_map
from colorize.results import Colorization, RelativeErrors
from tests.provenance import read_provenance
from tests.unit.colorize.output.test_provenance import MADE

RESULT = Colorization(
    "x", np.zeros((1200, 800, 3), np.uint8), RelativeErrors(0, 0, 0, 0), {}, (), 0, 0.0, 0, "cpu", "float32",
    trust=np.repeat(np.array([[0, 255]], np.uint8), 10, axis=0).repeat(10, axis=1), frame=Frame(300, 200, 900, 800),
)  # fmt: skip


def test_a_map_is_orange_where_colours_are_doubted_white_where_trusted_and_gray_outside_the_print() -> None:
    drawn = trust_map(RESULT)
    assert drawn is not None
    assert drawn.shape == (512, 341, 3)
    assert (drawn[:127] == 216).all()
    assert (drawn[:, :84] == 216).all()
    assert drawn[256, 90].tolist() == [226, 92, 0]
    assert drawn[256, 335].tolist() == [255, 255, 255]


def test_without_trust_there_is_no_map_and_without_a_frame_it_is_the_whole_picture() -> None:
    assert kept_trust(replace(RESULT, trust=None), MADE) is None
    whole = trust_map(replace(RESULT, frame=None))
    assert whole is not None
    assert whole[0, 0].tolist() == [226, 92, 0]


def test_a_map_is_a_small_png_that_says_what_it_is_and_of_which_picture() -> None:
    data = kept_trust(RESULT, MADE)
    assert data is not None
    assert len(data) < 20_000
    assert read_provenance(data) == replace(MADE, map_of_trust=True)
    assert is_colorization(data)
    with Image.open(BytesIO(data)) as image:
        said = image.info
    assert said["Title"] == f"{MADE.content.identifier}, map of trust"
    assert said["Description"].startswith("map of trust, no picture of the print")
