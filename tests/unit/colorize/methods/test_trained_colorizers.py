"""The learned colorizers' networks, bins, areas and files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from colorize.encoders.loading import write_tensors
from colorize.encoders.vgg19 import Encoder
from colorize.errors import BadRecipe, WeightsCorrupt, WeightsMissing
from colorize.methods import cieluv_net, mask_gan
from colorize.methods.cieluv_net import STAGES, Network, Shape, bins_of, chroma_of, middles, read, unbinned
from colorize.methods.learned_areas import BINS, RANGE, Said, by_areas, classed, luv_of
from colorize.methods.mask_gan import Discriminator, Generator
from colorize.methods.trained import CieluvNet, model_file, model_with, models_in
from colorize.recipes.trained import recipes_of

OWN = CieluvNet(network="0" * 64)
CARD = {
    "name": "small", "method": "mask_gan", "settings": '{"view_px": 64, "kind": "classification"}',
    "learned_from": '[{"name": "a"}, {"name": "b"}]', "held_out": '{"c": {}}', "made": "2026-11-27T00:00:00+00:00",
}  # fmt: skip


def test_bins_are_four_wide_and_their_middles_lie_in_them() -> None:
    assert bins_of(torch.tensor([-100.0, -96.1, -96.0, 0.0, 99.9, 140.0])).tolist() == [0, 0, 1, 25, 49, 49]
    assert bins_of(torch.from_numpy(middles())).tolist() == list(range(BINS))


def test_the_likeliest_bin_is_its_mean_and_the_annealed_mean_lies_nearer_to_it_the_colder() -> None:
    said = torch.full((2, BINS, 1, 1), -20.0)
    said[:, 30], said[:, 40] = 1.0, 0.5
    means = np.stack([middles(), middles() + 1]).astype(np.float32)
    assert unbinned(said, OWN, means)[0, 0].tolist() == [means[0, 30], means[1, 30]]
    warm, cold = (
        unbinned(said, CieluvNet(network="0" * 64, unbinning="annealed mean", temperature=each), means)[0, 0, 0]
        for each in (1.0, 0.1)
    )
    assert means[0, 30] < cold < warm < means[0, 40]


def test_a_regression_says_u_and_v_themselves() -> None:
    said = torch.tensor([0.2, -0.1])[:, None, None]
    assert unbinned(said, OWN, np.zeros((2, BINS), np.float32))[0, 0] == pytest.approx([20, -10])


def test_colours_go_to_cieluv_and_back() -> None:
    pixels = np.random.default_rng(0).integers(40, 250, (8, 8, 3)).astype(np.uint8)
    lab = rgb2lab(pixels).astype(np.float32)
    assert chroma_of(lab[..., 0], luv_of(lab)[..., 1:]) == pytest.approx(lab[..., 1:], abs=0.05)


@pytest.mark.parametrize(("kind", "shape"), [("classification", (1, 2, BINS, 16, 16)), ("regression", (1, 2, 16, 16))])
def test_a_network_answers_at_half_the_size_of_its_picture(
    narrow: Encoder, kind: cieluv_net.Kind, shape: tuple[int, ...]
) -> None:
    channels = tuple(len(narrow.convolutions[name][1]) for name in STAGES)
    network = Network(Shape(kind, channels, 8, 8)).eval()
    assert tuple(network(read(narrow, torch.rand(1, 3, 32, 32) * 255)).shape) == shape


def test_the_generator_has_eleven_layers_and_answers_at_the_size_of_its_picture() -> None:
    generator = Generator(4)
    assert len(generator.down) + 1 + len(generator.up) == 11
    assert tuple(generator(torch.rand(2, 2, 64, 32)).shape) == (2, 2, 64, 32)
    assert tuple(Discriminator(4)(torch.rand(2, 4, 64, 32)).shape) == (2, 1, 4, 2)


def test_classes_are_as_likely_as_the_bins_that_they_lie_in() -> None:
    classes = np.array([[0, 0], [30, 20]], np.float32)
    light = np.full((16, 16), 60, np.float32)
    wanted = bins_of(torch.from_numpy(luv_of(np.array([[[60, 30, 20]]], np.float32))[0, 0, 1:]))
    said = torch.zeros(2, BINS, 8, 8)
    for axis, place in enumerate(wanted):
        said[axis, place - 1 : place + 2] = 8.0
    cells = classed(said, light, classes).cells
    assert cells.shape == (16, 2)
    assert (cells[:, 1] - cells[:, 0] > 10).all()


def test_the_same_classes_are_likely_where_a_regression_names_their_colour() -> None:
    classes = np.array([[0, 0], [30, 20]], np.float32)
    uv = luv_of(np.array([[[60, 30, 20]]], np.float32))[0, 0, 1:]
    said = torch.from_numpy(uv / RANGE)[:, None, None].expand(2, 8, 8)
    assert (np.diff(classed(said, np.full((16, 16), 60, np.float32), classes).cells) > 5).all()


def test_each_area_takes_one_colour_and_tells_its_trust() -> None:
    light = np.full((64, 64), 80, np.float32)
    light[:, 32:] = 40
    cells = np.full((16, 16, 2), -5.0, np.float32)
    cells[:, :8, 0] = cells[:, 8:, 1] = 0
    cells[3, 3] = 0, -5  # noise
    classes = np.array([[5, 30], [-4, -20]], np.float32)
    made = by_areas(Said(cells.reshape(-1, 2), (16, 16), classes), light, np.array([2, -1, 0], np.float32))
    assert np.ptp(made.chroma[:, 4:28], axis=(0, 1)).max() < 1e-3
    assert made.chroma[32, 16, 1] > 15
    assert made.chroma[32, 48, 1] < -8
    assert made.trust is not None
    assert 0 < made.measures["trust"] < 1


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    generator = Generator(4).state_dict()
    write_tensors(path, {**generator, "classes": torch.zeros(1, 2), "trust": torch.zeros(3)}, CARD)
    return path


def test_a_model_is_two_recipes_by_its_name_and_another_file_is_another_claim(kept: Path) -> None:
    file = model_file(kept)
    plain, areas = recipes_of(file)
    assert (plain.name, areas.name) == ("mask_gan/small", "mask_gan/small-areas")
    assert (plain.provenance, areas.provenance) == ("reconstructed", "nishiki")
    assert "2 prints, 1 held out" in plain.reason
    again = kept.with_name("again.safetensors")
    write_tensors(again, {**Generator(4).state_dict(), "classes": torch.ones(1, 2), "trust": torch.zeros(3)}, CARD)
    assert recipes_of(model_file(again))[0].digest() != plain.digest()
    assert [each.path.name for each in models_in(kept.parent)] == ["again.safetensors", "small.safetensors"]


def test_a_model_is_found_by_its_checksum_and_missed_by_it(kept: Path) -> None:
    assert model_with(model_file(kept).checksum, (kept,)).path == kept
    with pytest.raises(WeightsMissing, match="nishiki models list"):
        model_with("f" * 64, (kept,))


def test_a_file_of_another_network_is_refused_in_words(kept: Path) -> None:
    mask_gan.loaded(model_file(kept).checksum, kept, torch.device("cpu"))
    with pytest.raises(WeightsCorrupt, match="no network of cieluv_net"):
        cieluv_net.loaded(model_file(kept).checksum, kept, torch.device("cpu"))


def test_a_file_that_changed_is_refused(kept: Path) -> None:
    kept.write_bytes(kept.read_bytes() + b" ")
    with pytest.raises(WeightsCorrupt, match="damaged or was replaced"):
        model_file(kept)


def test_a_recipe_without_a_model_is_none() -> None:
    with pytest.raises(BadRecipe, match="nishiki models list"):
        CieluvNet(network="")
