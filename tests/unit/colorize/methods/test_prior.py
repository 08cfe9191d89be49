"""The learned prior: what it says of pictures of any size, and which files it is not made of."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from colorize.encoders.loading import load_encoder, random_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.encoders.weights import checksum_path, shipped_weights
from colorize.errors import WeightsCorrupt
from colorize.images.resize import to_gray
from colorize.methods.exemplar.prior import SHIPPED, Prior, load_prior
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print


@pytest.fixture(scope="module")
def prior() -> Prior:
    return load_prior()


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder(shipped_weights())


@pytest.mark.parametrize(
    ("size", "cells"),
    [((64, 48), (16, 12)), ((4000, 200), (64, 8)), ((20, 400), (8, 64)), ((3, 3), (8, 8)), ((300, 300), (64, 64))],
)
@pytest.mark.parametrize("gray", [0, 128, 255])
def test_pictures_of_any_size_and_tone_are_looked_at(
    prior: Prior, encoder: Encoder, size: tuple[int, int], cells: tuple[int, int], gray: int
) -> None:
    seen = prior.look(encoder, np.full((*size, 3), gray, np.uint8))
    assert seen.shape == cells
    assert seen.logits.shape == (len(prior.classes), cells[0] * cells[1])
    assert np.isfinite(seen.logits).all()
    assert np.linalg.norm(seen.keys, axis=0) == pytest.approx(1, abs=1e-5)
    assert seen.lightness == pytest.approx({0: 0, 128: 53.585, 255: 100}[gray], abs=0.02)


def test_a_colour_belongs_most_to_the_class_that_is_nearest(prior: Prior) -> None:
    shares = prior.soft_classes(prior.classes)
    assert (shares.argmax(1) == np.arange(len(prior.classes))).all()
    assert shares.sum(1) == pytest.approx(1, abs=1e-5)


def test_a_picture_s_cells_find_their_like_in_itself(prior: Prior, encoder: Encoder) -> None:
    seen = prior.look(encoder, to_gray(draw_print(design(3), 0).pixels))
    values = np.eye(2, dtype=np.float32)[(np.arange(seen.keys.shape[1]) % 2)]
    votes = prior.vote(seen.keys, seen.keys, values)
    assert votes.sum(1) == pytest.approx(1, abs=1e-4)
    assert (votes * values).sum() > (votes * (1 - values)).sum()


def test_another_encoder_is_refused(prior: Prior) -> None:
    with pytest.raises(WeightsCorrupt, match="not random"):
        prior.look(random_encoder(widths=(4, 4, 4, 4, 4)), np.zeros((32, 32, 3), np.uint8))


def test_a_file_that_is_no_prior_is_refused(tmp_path: Path) -> None:
    gone = tmp_path / "prior.safetensors"
    with pytest.raises(WeightsCorrupt, match="gone"):
        load_prior(gone)
    gone.write_bytes(b"torn")
    checksum_path(gone).write_text(f"{'0' * 64}  prior.safetensors\n")
    with pytest.raises(WeightsCorrupt, match="damaged"):
        load_prior(gone)
    shipped = shipped_weights().path
    for each in (shipped, checksum_path(shipped)):
        shutil.copy(each, tmp_path)
    with pytest.raises(WeightsCorrupt, match="holds no prior"):
        load_prior(tmp_path / shipped.name)


def test_the_shipped_file_is_small() -> None:
    assert SHIPPED.stat().st_size <= 4 << 20
