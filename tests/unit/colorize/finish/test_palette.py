"""Paper, palette and ink of a print, on clouds of colours whose right answer is known."""

import numpy as np
import pytest

from colorize.finish.palette import ink_neutral, palette_matched, paper_led, paper_tone


def cloud(seed: int, shape: tuple[int, int] = (96, 128)) -> np.ndarray:
    """(h, w, 2), Gaussian, of deviations 12 and 7 about (3, 10)."""
    found = np.random.default_rng(seed).normal((3, 10), (12, 7), (*shape, 2))
    return found.astype(np.float32)


@pytest.mark.parametrize("shift", [(8, 0), (0, -15), (-20, 11), (0.5, 0.5)])
def test_a_palette_that_was_shifted_is_brought_all_the_way_back(shift: tuple[float, float]) -> None:
    chroma = cloud(1)
    found = palette_matched(chroma, chroma + np.array(shift, np.float32), 1.0)
    assert found.dtype == np.float32
    assert found - chroma == pytest.approx(np.broadcast_to(shift, chroma.shape), abs=0.02)


def test_another_sample_of_a_shifted_palette_says_the_same_but_for_chance() -> None:
    chroma, style = cloud(1), cloud(2, (128, 200)) + np.array((6, -9), np.float32)
    moved = palette_matched(chroma, style, 1.0) - chroma
    assert moved.mean((0, 1)) == pytest.approx([6, -9], abs=0.4)
    assert moved.std((0, 1)).max() < 0.6


def test_colours_that_averaging_has_drawn_together_come_apart_again() -> None:
    style = cloud(2)
    dull = (cloud(1) - (3, 10)) * 0.5 + (3, 10)
    found = palette_matched(dull.astype(np.float32), style, 1.0)
    assert found.std((0, 1)) == pytest.approx(style.std((0, 1)), rel=0.05)


def test_half_the_strength_goes_half_the_way_and_none_leaves_every_colour() -> None:
    chroma, style = cloud(1), cloud(2) * np.float32(1.7)
    whole, half, none = (palette_matched(chroma, style, strength) for strength in (1.0, 0.5, 0.0))
    assert (none == chroma).all()
    assert half - chroma == pytest.approx((whole - chroma) / 2, abs=1e-4)


def test_a_palette_led_to_itself_stays() -> None:
    assert palette_matched(cloud(1), cloud(1), 1.0) == pytest.approx(cloud(1), abs=1e-3)


def test_what_was_one_colour_stays_one() -> None:
    colours = np.array([(0, 12), (40, 22), (3, -30), (-8, 4)], np.float32)
    places = np.random.default_rng(4).integers(4, size=(60, 80))
    found = palette_matched(colours[places], cloud(2), 1.0)
    for number in range(4):
        assert (found[places == number] == found[places == number][0]).all()
    assert len(np.unique(found.reshape(-1, 2), axis=0)) == 4


def test_a_chroma_of_one_colour_and_a_style_of_another_meet() -> None:
    chroma, style = np.zeros((16, 16, 2), np.float32), np.full((32, 16, 2), (7, -4), np.float32)
    assert palette_matched(chroma, style, 1.0) == pytest.approx(np.broadcast_to([7, -4], chroma.shape), abs=1e-4)


def test_paper_is_led_to_a_tone_and_dark_places_stay() -> None:
    lightness = np.full((20, 20), 92, np.float32)
    lightness[5:15, 5:15] = 40
    chroma = np.tile(np.array([4, 24], np.float32), (20, 20, 1))
    found = paper_led(chroma, lightness, np.array([0, 14], np.float32), 0.5)
    assert found[0, 0] == pytest.approx([2, 19])
    assert (found[10, 10] == chroma[10, 10]).all()


def test_the_paper_is_the_tone_of_the_lightest_part_whatever_the_rest_and_a_few_stains() -> None:
    lab = np.empty((40, 50, 3), np.float32)
    lab[:] = (40, 50, -30)
    lab[:10] = (90, 1.5, 14)
    lab[:10:5, ::10] = (99, 40, 40)
    tone = paper_tone(lab)
    assert tone.shape == (2,)
    assert tone.dtype == np.float32
    assert tone == pytest.approx([1.5, 14])


def test_the_paper_of_a_print_of_one_tone_is_that_tone() -> None:
    assert paper_tone(np.full((16, 16, 3), (60, -3, 8), np.float32)) == pytest.approx([-3, 8])


def test_ink_keeps_the_less_chroma_the_blacker_it_is_and_light_colours_all_of_it() -> None:
    lightness = np.linspace(0, 100, 401, dtype=np.float32)[None]
    chroma = np.full((1, 401, 2), (30, -40), np.float32)
    kept = ink_neutral(chroma, lightness) / chroma
    assert (np.diff(kept, axis=1) >= 0).all()
    assert np.diff(kept, axis=1).max() < 0.03, "smoothly"
    assert kept[lightness >= 45] == pytest.approx(1)
    assert kept[lightness <= 5] == pytest.approx(kept[0, 0, 0])
    assert 0 <= kept[0, 0, 0] < 0.2
    assert kept[lightness <= 20].mean() < 0.5
    assert kept[..., 0] == pytest.approx(kept[..., 1]), "the hue stays"
