"""What the tests of `colorize` share: narrow encoders, small pictures, and the house's shared folder."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.shared import SHARED

if TYPE_CHECKING:  # torch takes seconds to load, and most unit tests do without it
    from colorize.images import Pixels
    from colorize.vgg.encoder import Encoder

WIDTHS = (4, 8, 8, 8, 8)
"""Channels per block: a VGG-19 in all but its size."""


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tensors this small only wait for a second thread, and each worker of pytest has but one core."""
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def narrow() -> "Encoder":
    """A seeded encoder of a few channels, float32, calibrated."""
    from colorize.vgg.loading import random_encoder  # noqa: PLC0415  # as above

    return random_encoder(widths=WIDTHS)


@pytest.fixture(scope="session")
def narrow64(narrow: "Encoder") -> "Encoder":
    """The same in float64, for figures that must agree to the last digits."""
    import torch  # noqa: PLC0415  # as above

    return narrow.to("cpu", torch.float64)


@pytest.fixture(scope="session")
def photographs() -> dict[str, "Pixels"]:
    """Three colour photographs that come with scikit-image, 64 px at the long edge."""
    from skimage import data  # noqa: PLC0415  # as above

    from colorize.images import resized  # noqa: PLC0415

    found: Any = data
    return {name: resized(getattr(found, name)(), 64) for name in ("astronaut", "chelsea", "coffee")}


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder of real pictures and weights that lies beside the checkout, where there is one."""
    return SHARED
