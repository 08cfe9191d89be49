import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import wasserstein_distance
from skimage.color import lab2rgb, rgb2lab
from skimage.metrics import structural_similarity

from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.measures.lightness import drawing_measures, lab, lightness
from colorize.measures.names import MEASURES
from colorize.measures.quality import (
    chroma_texture,
    colourfulness,
    picture_measures,
    sliced_wasserstein,
    truth_measures,
)
from colorize.recipes.limits import refusal

Cloud = NDArray[np.float32]


def colour(lightness: float, a: float, b: float, height: int = 32, width: int = 32) -> Pixels:
    """One CIELAB colour all over, uint8."""
    found: Pixels = np.rint(lab2rgb(np.full((height, width, 3), (lightness, a, b), np.float64)) * 255).astype(np.uint8)
    return found


def texture(content: Pixels, picture: Pixels) -> float | None:
    return chroma_texture(lightness(content), lab(picture)[..., 1:])


def cloud(count: int, seed: int = 0) -> Cloud:
    return np.random.default_rng(seed).normal(0, 10, (count, 2)).astype(np.float32)


def test_colourfulness_by_hand_is_that_of_signed_opponents() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128]]], dtype=np.uint8)
    # rg = 255, −255, 0, 0; yb = 127.5, 127.5, −255, 0
    mean_rg, mean_yb = 0.0, 0.0
    deviation = math.sqrt(2 * 255**2 / 4 + (2 * 127.5**2 + 255**2) / 4)
    assert colourfulness(pixels) == pytest.approx(deviation + 0.3 * math.hypot(mean_rg, mean_yb))
    unsigned = math.hypot(np.std([255, 255, 0, 0]), np.std([127.5, 127.5, 255, 0]))
    unsigned += 0.3 * math.hypot(127.5, 127.5)
    assert unsigned < 0.9 * colourfulness(pixels), "absolute values read low"


def test_colourfulness_counts_the_mean_of_one_colour_and_nothing_of_gray() -> None:
    red = np.full((4, 4, 3), (200, 100, 100), dtype=np.uint8)
    assert colourfulness(red) == pytest.approx(0.3 * math.hypot(100, 50))
    assert colourfulness(np.full((4, 4, 3), 77, dtype=np.uint8)) == 0


def test_an_untouched_drawing_has_full_similarity_and_no_difference(photographs: dict[str, Pixels]) -> None:
    gray = to_gray(photographs["astronaut"])
    measures = picture_measures(gray, gray)
    assert measures["lightness_ssim"] == pytest.approx(1, abs=1e-6)
    assert measures["lightness_difference_mean"] == measures["lightness_difference_p99"] == 0
    assert measures["colourfulness"] == 0


def test_a_lost_drawing_is_seen_in_similarity_and_difference(photographs: dict[str, Pixels]) -> None:
    gray = to_gray(photographs["astronaut"])
    other = np.full_like(gray, 128)
    measures = picture_measures(gray, other)
    difference = np.abs(rgb2lab(gray)[..., 0] - rgb2lab(other)[..., 0])
    assert measures["lightness_ssim"] < 0.5
    assert measures["lightness_difference_mean"] == pytest.approx(difference.mean(), rel=1e-4)
    assert measures["lightness_difference_p99"] == pytest.approx(np.percentile(difference, 99), abs=0.01)
    assert measures["lightness_difference_p99"] > measures["lightness_difference_mean"] > 10


def test_lightness_is_scikit_images_for_every_gray_and_for_colours() -> None:
    grays = np.arange(256, dtype=np.uint8)[:, None]
    colours = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert lightness(grays) == pytest.approx(rgb2lab(np.repeat(grays[..., None], 3, axis=2))[..., 0], abs=1e-3)
    assert lightness(colours) == pytest.approx(rgb2lab(colours)[..., 0], abs=1e-3)
    assert (lightness(grays) == lightness(np.repeat(grays[..., None], 3, axis=2))).all()  # whatever the processor


def test_strips_come_to_what_the_whole_comes_to() -> None:
    random = np.random.default_rng(1)
    content = np.array(Image.fromarray(random.integers(0, 256, (60, 4, 3), np.uint8)).resize((40, 1237)))
    result = np.clip(content + random.integers(-9, 10, content.shape), 0, 255).astype(np.uint8)
    before, after = rgb2lab(content)[..., 0], rgb2lab(result)[..., 0]
    similarity: Any = structural_similarity
    found = drawing_measures(content, result)
    assert found["lightness_ssim"] == pytest.approx(similarity(before, after, data_range=100), abs=1e-5)
    assert found["lightness_difference_mean"] == pytest.approx(np.abs(before - after).mean(), rel=1e-4)
    assert found["lightness_difference_p99"] == pytest.approx(np.percentile(np.abs(before - after), 99), abs=0.002)


def test_sixteen_bits_come_to_what_eight_bits_come_to(photographs: dict[str, Pixels]) -> None:
    colours = photographs["coffee"]
    gray, wide = to_gray(colours), colours.astype(np.uint16) * 257
    expected = picture_measures(gray, colours, colours)
    assert picture_measures(gray.astype(np.uint16) * 257, wide, colours) == pytest.approx(expected, rel=1e-3)
    assert picture_measures(gray[..., 0].astype(np.uint16) * 257, wide, colours) == pytest.approx(expected, rel=1e-3)


def test_a_change_of_one_sixteenth_bit_is_seen_that_eight_bits_would_hide() -> None:
    content = np.full((32, 32), 30000, np.uint16)
    result = np.repeat(content[..., None] + np.uint16(64), 3, axis=-1)
    assert 0 < drawing_measures(content, result)["lightness_difference_mean"] < 0.2


def test_ink_chroma_is_that_of_black_and_of_nothing_else() -> None:
    content = np.concatenate([colour(15, 0, 0), colour(60, 0, 0)])
    result = np.concatenate([colour(15, 6, 8), colour(60, 40, 0)])
    assert drawing_measures(content, result)["ink_chroma"] == pytest.approx(10, abs=1)


def test_without_ink_there_is_no_ink_chroma() -> None:
    light = colour(60, 0, 0)
    assert "ink_chroma" not in picture_measures(light, colour(60, 40, 0), colour(50, 30, 30))


def test_of_much_ink_an_even_sample_is_looked_at() -> None:
    content = colour(10, 0, 0, 520, 520)
    result = np.concatenate([colour(10, 0, 0, 260, 520), colour(10, 6, -8, 260, 520)])
    expected = float(np.hypot(*np.moveaxis(rgb2lab(result)[..., 1:], -1, 0)).mean())
    assert drawing_measures(content, result)["ink_chroma"] == pytest.approx(expected, rel=0.01)


def test_a_gray_result_is_refused_with_its_number(photographs: dict[str, Pixels]) -> None:
    gray = to_gray(photographs["coffee"])
    assert (refusal(picture_measures(gray, gray)) or "").startswith("still gray: mean chroma 0.0")


def test_a_result_in_colour_is_not_refused(photographs: dict[str, Pixels]) -> None:
    measures = picture_measures(to_gray(photographs["coffee"]), photographs["coffee"])
    assert measures["chroma_mean"] > 10
    assert refusal(measures) is None


def test_every_measure_of_a_picture_can_be_limited(photographs: dict[str, Pixels]) -> None:
    colours = photographs["coffee"]
    assert set(picture_measures(to_gray(colours), colours, colours)) == set(MEASURES) - {
        "trust",
        "uncoloured",
        "masked",
    }


def test_the_styles_own_colours_are_at_no_distance_and_gray_at_one(photographs: dict[str, Pixels]) -> None:
    style = photographs["coffee"]
    own, gray = picture_measures(style, style, style), picture_measures(style, to_gray(style), style)
    assert (own["swd_ab"], own["colourfulness_ratio"]) == (0, 1)
    assert gray["swd_ab"] == pytest.approx(1, abs=0.01)
    assert gray["colourfulness_ratio"] == 0


def test_a_gray_style_has_no_colours_to_come_near(photographs: dict[str, Pixels]) -> None:
    colours = photographs["coffee"]
    assert picture_measures(colours, colours, to_gray(colours)).keys() & {"swd_ab", "colourfulness_ratio"} == set()


def test_a_shifted_cloud_lies_two_over_pi_of_the_shift_away() -> None:
    points = cloud(500)
    assert sliced_wasserstein(points, points + np.array((3, 4), np.float32)) == pytest.approx(5 * 2 / math.pi, rel=1e-3)


def test_a_cloud_lies_at_no_distance_from_itself_in_any_order_or_twice_over() -> None:
    points = cloud(500)
    assert sliced_wasserstein(points, points[::-1]) == pytest.approx(0, abs=1e-5)
    assert sliced_wasserstein(points, np.concatenate([points, points])) < 0.05
    assert sliced_wasserstein(points, np.zeros((1, 2), np.float32)) > 5


def test_clouds_of_unequal_counts_come_near_the_exact_distance() -> None:
    one, other = cloud(300), cloud(1000, seed=1) * np.array((1, 2), np.float32)
    angles = np.linspace(0, np.pi, 200, endpoint=False)
    ways = np.stack([np.cos(angles), np.sin(angles)])
    exact = np.mean([wasserstein_distance(one @ way, other @ way) for way in ways.T])
    assert sliced_wasserstein(one, other) == pytest.approx(exact, rel=0.02)


def test_an_even_tint_has_no_texture_and_blotches_have() -> None:
    gray = colour(60, 0, 0)
    blotched = np.where((np.arange(32) // 4 % 2)[:, None, None], colour(60, 20, 0), colour(60, -20, 0))
    assert texture(gray, colour(60, 20, 20)) == 0
    # by central differences half the pixels see half of a step of 40
    assert texture(gray, blotched) == pytest.approx(20 * 14 / 32, rel=0.1)


def test_colours_that_change_where_the_drawing_does_are_no_texture() -> None:
    halves = np.concatenate([colour(60, 0, 0, 16), colour(40, 0, 0, 16)])
    result = np.concatenate([colour(60, 20, 0, 16), colour(40, -20, 0, 16)])
    drawn, undrawn = texture(halves, result), texture(colour(50, 0, 0), result)
    assert drawn is not None
    assert undrawn is not None
    assert drawn == pytest.approx(0, abs=1e-9)
    assert undrawn == pytest.approx(2 * 20 / 32, rel=0.1)


def test_where_nothing_is_flat_there_is_no_texture_to_tell() -> None:
    ramp = np.repeat((np.arange(32, dtype=np.uint8) * 8)[:, None, None], 32, axis=1).repeat(3, axis=2)
    assert texture(ramp, ramp) is None


def test_the_truth_itself_is_at_no_distance_and_its_own_lightness_left_gray_at_one() -> None:
    truth = np.concatenate([colour(60, 30, 10), colour(40, -10, 20)])
    gray = np.concatenate([colour(60, 0, 0), colour(40, 0, 0)])
    own, left = truth_measures(truth, truth), truth_measures(truth, gray)
    assert (own["delta_e"], own["delta_e_ratio"], own["swd_ab"]) == (0, 0, 0)
    assert left["delta_e_ratio"] == pytest.approx(1, abs=0.01)
    assert own["delta_e_gray"] == left["delta_e_gray"] == pytest.approx(left["delta_e"], rel=0.01)
    assert left["lightness_difference_p99"] < 0.5


def test_wrong_colours_are_worse_than_none() -> None:
    truth, opposite = colour(60, 30, 10), colour(60, -30, -10)
    assert truth_measures(truth, opposite)["delta_e_ratio"] > 1.2


def test_of_a_gray_truth_there_is_no_ratio(photographs: dict[str, Pixels]) -> None:
    gray = to_gray(photographs["coffee"])
    found = truth_measures(gray, photographs["coffee"])
    assert "delta_e_ratio" not in found
    assert found["delta_e"] > 5
