"""What the tests of `colorize` share: narrow encoders, small pictures, and the house's shared folder."""

from pathlib import Path
from typing import Any

import pytest
import torch
from skimage import data

from colorize.encoders.loading import random_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.images.decode import Pixels
from colorize.images.resize import resized
from tests.shared import SHARED

WIDTHS = (4, 8, 8, 8, 8)
"""Channels per block: a VGG-19 in all but its size."""


@pytest.fixture(scope="session")
def narrow() -> Encoder:
    """A seeded encoder of a few channels, float32, calibrated."""
    return random_encoder(widths=WIDTHS)


@pytest.fixture(scope="session")
def narrow64(narrow: Encoder) -> Encoder:
    """The same in float64, for figures that must agree to the last digits."""
    return narrow.to("cpu", torch.float64)


@pytest.fixture(scope="session")
def photographs() -> dict[str, Pixels]:
    """Three colour photographs that come with scikit-image, 64 px at the long edge."""
    found: Any = data
    return {name: resized(getattr(found, name)(), 64) for name in ("astronaut", "chelsea", "coffee")}


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder of real pictures and weights that lies beside the checkout, where there is one."""
    return SHARED
