"""No figure leaves the range that mathematics gives it, and none is refused for rounding at its ideal value."""

import numpy as np
import pytest
import torch

from colorize.measures.names import MEASURES, RANGES
from colorize.measures.quality import picture_measures
from colorize.measures.relative_errors import relative_difference
from colorize.recipes.library import recipes
from colorize.recipes.limits import Limits, refusal

PERFECT: Limits = {
    "lightness_ssim": [1, 1], "lightness_difference_mean": [0, 0], "lightness_difference_p99": [0, 0],
    "ink_chroma": [0, 0], "swd_ab": [0, 0],
}  # fmt: skip
SHAPES = [(8, 8), (33, 47), (700, 64), (1100, 90)]


def scan(bits: int, kind: str, shape: tuple[int, int]) -> np.ndarray:
    """A gray scan, (H, W): noise about a ramp, noise at both ends of the range, fine noise, or one tone."""
    random, top = np.random.default_rng(shape[0]), 2**bits - 1
    ramp = np.linspace(0, 1, shape[0] * shape[1]).reshape(shape)
    drawn = {
        "noisy": ramp + random.normal(0, 0.05, shape),
        "harsh": random.integers(0, 2, shape) + random.normal(0, 0.3, shape),
        "fine": 0.8 + random.normal(0, 0.002, shape),
        "white": np.ones(shape),
        "black": np.zeros(shape),
    }[kind]
    dtype = np.uint8 if bits == 8 else np.uint16
    return np.asarray(np.rint(drawn.clip(0, 1) * top), dtype)


def in_three(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[..., None], 3, 2)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["noisy", "harsh", "fine", "white", "black"])
def test_an_untouched_scan_is_perfect_by_every_limit_whatever_its_noise_and_depth(bits: int, kind: str) -> None:
    style = np.random.default_rng(3).integers(0, 256, (32, 32, 3), np.uint8)
    for shape in SHAPES:
        content = scan(bits, kind, shape)
        measures = picture_measures(content, in_three(content), style)
        for name, value in measures.items():
            least, most = RANGES[name]
            assert least <= value <= most, (name, value, shape)
        drawing = {name: limit for name, limit in PERFECT.items() if name not in ("ink_chroma", "swd_ab")}
        assert refusal(measures | {"chroma_mean": 9.0}, drawing) is None


@pytest.mark.parametrize("name", PERFECT)
@pytest.mark.parametrize("error", [-6e-8, 6e-8, 2.4e-7])
def test_a_figure_that_rounding_moved_from_its_ideal_value_is_not_refused(name: str, error: float) -> None:
    figures = {"chroma_mean": 9.0, name: PERFECT[name][0] + error}
    assert refusal(figures, {name: PERFECT[name]}) is None
    assert refusal(figures | {name: PERFECT[name][0] + (-0.01 if name == "lightness_ssim" else 0.01)}, PERFECT)


def test_every_measure_has_its_range_and_every_recipe_keeps_to_it() -> None:
    assert RANGES.keys() == MEASURES.keys()
    for recipe in recipes().values():
        for name, (least, most) in recipe.limits.items():
            assert RANGES[name][0] <= least <= most <= RANGES[name][1], (recipe.name, name)


def test_a_relative_difference_is_two_at_most_whatever_the_two_numbers_are() -> None:
    numbers = torch.tensor([0.0, 1e-45, -1e-45, 3e-39, 1.0, -1.0, 0.1, -1 / 3, 65504.0, -3e38])
    found = relative_difference(numbers[:, None], numbers[None])
    assert float(found.min()) >= 0
    assert float(found.max()) <= 2
