"""The learned colorizers while they learn: crops, masks, losses, and what is put down and taken up."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from colorize.encoders.vgg19 import Encoder
from colorize.images.decode import Pixels
from colorize.methods.learned_areas import BINS
from colorize.training.cieluv import CieluvLearner, CieluvSettings, Palette, _rebalanced, palette
from colorize.training.colour_crops import Cutting, ahead, gray_codes
from colorize.training.judging import judged
from colorize.training.learning import cosine_rate
from colorize.training.mask_gan import GanLearner, GanSettings
from colorize.training.masks import OTHERS, SETS, TEN, drawn, mask_of

NET = CieluvSettings(steps=8, rate=3e-3, batch=2, view_px=48, edge_px=32, width=8, head=8, dropout=0.1)
GAN = GanSettings(steps=8, rate=3e-3, batch=2, view_px=64, edge_px=64, width=4)
Learner = CieluvLearner | GanLearner
Begin = Callable[[], Learner]


@pytest.fixture(scope="module")
def prints() -> list[Pixels]:
    """A red print and a blue one, each darker to the right."""
    shade = np.linspace(220, 60, 48)[None, :, None]
    return [np.rint(shade * np.ones((64, 1, 1)) * tone).astype(np.uint8) for tone in ([1, 0.5, 0.4], [0.5, 0.7, 1])]


@pytest.fixture(params=["classification", "regression", "tuned", "rebalanced", "gan"])
def begin(request: pytest.FixtureRequest, narrow: Encoder, prints: list[Pixels]) -> Begin:
    found = palette(prints)
    if request.param == "gan":
        return lambda: GanLearner(GAN, torch.device("cpu"), found)
    changes = {"tuned": {"tune": True}, "rebalanced": {"rebalanced": True}, "regression": {"kind": "regression"}}
    settings = replace(NET, **changes.get(request.param, {}))  # type: ignore[arg-type]
    return lambda: CieluvLearner(settings, narrow, found)


def go(learner: Learner, prints: list[Pixels], until: int) -> list[float]:
    cutting = learner.settings.cutting
    return [sum(learner.learn(each).values()) for each in ahead(cutting, prints, range(learner.done, until))]


def test_what_is_put_down_and_taken_up_comes_to_the_same_weights_bit_for_bit(
    begin: Begin, prints: list[Pixels]
) -> None:
    undisturbed, first, second = begin(), begin(), begin()
    losses = go(undisturbed, prints, 6)
    assert losses[:3] == go(first, prints, 3)
    second.take_up({name: each.clone() for name, each in first.state().items()})
    assert losses[3:] == go(second, prints, 6)
    ours, theirs = undisturbed.state(), second.state()
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


def test_the_best_of_a_training_is_taken_back(begin: Begin, prints: list[Pixels]) -> None:
    learner = begin()
    go(learner, prints, 2)
    best = {name: each.clone() for name, each in learner.state().items()}
    kept = {name: each.clone() for name, each in learner.tensors().items()}
    go(learner, prints, 4)
    learner.best(best)
    assert all(torch.equal(each, kept[name]) for name, each in learner.tensors().items())


@pytest.mark.long
def test_both_learn_what_two_prints_look_like(narrow: Encoder, prints: list[Pixels]) -> None:
    net = CieluvLearner(replace(NET, steps=60, rate=0.02, dropout=0.0), narrow, palette(prints))
    gan = GanLearner(replace(GAN, steps=60), torch.device("cpu"), palette(prints))
    for losses in (go(net, prints, 60), _mask_losses(gan, prints, 60)):
        assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def _mask_losses(learner: GanLearner, prints: list[Pixels], until: int) -> list[float]:
    return [learner.learn(each)["mask loss"] for each in ahead(learner.settings.cutting, prints, range(until))]


def test_crops_are_their_steps_whoever_asks_and_whenever(prints: list[Pixels]) -> None:
    cutting = Cutting(48, 32, 3, seed=1)
    made = list(ahead(cutting, prints, range(4, 9)))
    assert np.array_equal(made[2].lab, cutting.step(prints, 6).lab)
    assert not np.array_equal(made[1].gray, made[2].gray)
    assert made[0].gray.shape == (3, 32, 32)


def test_a_print_smaller_than_its_crop_is_mirrored_to_fill_it() -> None:
    assert Cutting(16, 64, 1, seed=0).step([np.full((16, 10, 3), 90, np.uint8)], 0).gray.shape == (1, 64, 64)


def test_gray_codes_have_the_lightness_of_their_print() -> None:
    light = np.linspace(0, 100, 50, dtype=np.float32)[None]
    gray = np.repeat(gray_codes(light)[..., None], 3, 2)
    assert rgb2lab(gray)[..., 0] == pytest.approx(light, abs=0.3)


def test_rare_bins_weigh_more_and_all_pixels_together_one() -> None:
    shares = np.full((2, BINS), 0.1 / (BINS - 1), np.float32)
    shares[:, 25] = 0.9
    weights = _rebalanced(shares).numpy()
    assert weights[0, 3] > 5 * weights[0, 25]
    assert (weights * shares).sum(1) == pytest.approx([1, 1], abs=1e-5)


def test_a_palette_knows_the_means_of_its_bins_and_the_colours_that_there_are(prints: list[Pixels]) -> None:
    found: Palette = palette(prints)
    assert found.shares.sum(1) == pytest.approx([1, 1])
    assert np.abs(found.means - (np.arange(BINS) * 4 - 98)).max() <= 2.01
    assert len(found.classes) > 3


def test_ten_masks_are_drawn_by_program_and_each_asks_for_half() -> None:
    assert len(TEN) == 10
    assert {name: drawn(name, 64).mean() for name in TEN} == dict.fromkeys(TEN, 0.5)
    assert len({drawn(name, 64).tobytes() for name in TEN}) == 10


@pytest.mark.parametrize("name", OTHERS)
def test_other_masks_are_of_many_shapes(name: str) -> None:
    light = np.random.default_rng(0).uniform(0, 100, (64, 64)).astype(np.float32)
    one, other = (mask_of(name, light, np.random.default_rng(seed)) for seed in (0, 1))
    assert one.shape == (64, 64)
    assert one.any()
    assert name == "whole" or not np.array_equal(one, other)
    assert "ellipse" not in SETS["all"]


def test_a_perfect_guess_is_right_everywhere_and_gray_nowhere() -> None:
    truth = np.random.default_rng(0).integers(60, 200, (32, 32, 3)).astype(np.uint8)
    lab = rgb2lab(truth).astype(np.float32)
    right, gray = judged(truth, lab[..., 1:]), judged(truth, np.zeros((32, 32, 2), np.float32))
    assert (right.acc_u, right.acc_v) == (1, 1)
    assert right.ratio == pytest.approx(0, abs=1e-4)
    assert right.saturation == pytest.approx(0, abs=1e-3)
    assert [gray.ratio, gray.distribution] == pytest.approx([1, 1])
    assert gray.saturation == pytest.approx(1, abs=1e-3)


def test_the_rate_rises_and_falls_to_nothing() -> None:
    rates = [cosine_rate(1.0, done, 100, 10) for done in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(rates[9], abs=0.01)
    assert rates[-1] == pytest.approx(0)
