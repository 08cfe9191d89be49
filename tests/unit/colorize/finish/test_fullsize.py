from typing import Any

import numpy as np
import pytest
from skimage import data
from skimage.color import lab2rgb, rgb2lab
from skimage.metrics import structural_similarity

from colorize.finish import cielab as lab
from colorize.finish import fullsize
from colorize.finish.fullsize import narrowed, recomposed
from colorize.finish.guided_filter import DEFAULT, Fit, Guide
from colorize.finish.walls import Walls
from colorize.images.decode import Pixels
from colorize.images.frame import Frame
from tests.benchmarks.halo import halo

UNFILTERED = Guide(radius_px=0)


def whole(scan: np.ndarray) -> Frame:
    return Frame(0, 0, *scan.shape[:2])


def gray(levels: np.ndarray) -> Pixels:
    return np.repeat(levels.astype(np.uint8)[..., None], 3, 2)


def even(a: float, b: float, shape: tuple[int, int] = (16, 16)) -> np.ndarray:
    return np.full((*shape, 2), (a, b), np.float32)


def filtered(chroma: np.ndarray, lightness: np.ndarray, guide: Guide = DEFAULT) -> np.ndarray:
    """The guided filter at the low size alone."""
    codes = lab2rgb(np.stack([lightness, *np.zeros((2, *lightness.shape))], 2))
    walls = Walls.of(np.rint(codes * 65535).astype(np.uint16), lightness.shape[:2])
    return np.stack(Fit.of(chroma, lightness, guide, walls).applied(lightness, slice(None), lightness.shape[0]), 2)


def lightness_of(pixels: np.ndarray) -> np.ndarray:
    """By scikit-image, float64."""
    found: np.ndarray = rgb2lab(pixels / np.iinfo(pixels.dtype).max)[..., 0]
    return found


def scans() -> dict[str, Pixels]:
    photographs: Any = data
    random = np.random.default_rng(5)
    levels = {
        "black": np.zeros((96, 128)),
        "white": np.full((96, 128), 255),
        "ink": np.full((96, 128), 9),
        "mid-gray": np.full((96, 128), 100),
        "ramp": np.tile(np.arange(0, 256, 2), (96, 1)),
        "noise": random.integers(0, 256, (96, 128)),
        "camera": photographs.camera()[100:196, 200:328],
        "page": photographs.page()[:96, :128],
    }
    return {name: gray(each) for name, each in levels.items()} | {"toned": photographs.astronaut()[:96, 150:278]}


SCANS = scans()
CHROMAS = {
    "sepia": even(8, 22),
    "a blue that sRGB lacks": even(70, -120),
    "a green that nothing has": even(-300, 300),
    "saturated noise": np.random.default_rng(6).normal(0, 80, (96, 128, 2)).astype(np.float32),
}


@pytest.mark.parametrize("wild", CHROMAS)
@pytest.mark.parametrize("name", SCANS)
def test_lightness_stays_whatever_the_chroma(name: str, wild: str) -> None:
    scan = SCANS[name]
    before, after = (lightness_of(each) for each in (scan, recomposed(scan, CHROMAS[wild], whole(scan), UNFILTERED)))
    off = np.abs(after - before)
    assert off.mean() <= 0.07  # what is left where two of the channels are at their ends, and only one can give way
    assert np.quantile(off, 0.99) <= 0.2
    assert structural_similarity(before, after, data_range=100) >= 0.9995  # type: ignore[no-untyped-call]


def test_without_chroma_a_gray_scan_comes_back_bit_for_bit() -> None:
    for scan in (gray(np.arange(256).reshape(16, 16)), np.arange(65536, dtype=np.uint16).reshape(256, 256)):
        expected = scan if scan.ndim == 3 else np.repeat(scan[..., None], 3, 2)
        assert (recomposed(scan, even(0, 0), whole(scan)) == expected).all()


def test_a_toned_scan_loses_its_own_tone() -> None:
    scan = np.full((20, 30, 3), (230, 210, 170), np.uint8)
    red, green, blue = recomposed(scan, even(0, 0), whole(scan))[10, 15].astype(int)
    assert max(red, green, blue) - min(red, green, blue) <= 2


@pytest.mark.parametrize("colour", [(200, 60, 40), (40, 90, 200), (240, 220, 150), (12, 30, 20)])
def test_a_colour_that_srgb_has_is_met(colour: tuple[int, int, int]) -> None:
    wanted = rgb2lab(np.array(colour, np.uint8)[None, None])[0, 0]
    neutral = np.rint(lab2rgb((wanted * (1, 0, 0))[None, None]) * 255).astype(np.uint8)
    scan = np.tile(neutral, (12, 12, 1))
    found = recomposed(scan, even(wanted[1], wanted[2]), whole(scan))[6, 6].astype(int)
    assert np.abs(found - colour).max() <= 3


def test_a_colour_outside_the_gamut_keeps_its_hue_and_loses_no_more_than_it_must() -> None:
    scan = gray(np.full((12, 12), 120))
    a, b = rgb2lab(recomposed(scan, even(60, -90), whole(scan))[6, 6][None, None])[0, 0, 1:]
    linear = lab.linear(255)[recomposed(scan, even(60, -90), whole(scan))[6, 6]]
    assert abs(np.degrees(np.arctan2(b, a)) - np.degrees(np.arctan2(-90, 60))) < 12
    assert min(linear.min(), 1 - linear.max()) <= 0.01


def test_sixteen_bits_are_kept() -> None:
    scan = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    for chroma in CHROMAS.values():
        coloured = recomposed(scan, chroma, whole(scan), UNFILTERED)
        assert coloured.dtype == np.uint16
        assert coloured.shape == (256, 256, 3)
        off = np.abs(lightness_of(coloured) - lightness_of(np.repeat(scan[..., None], 3, 2)))
        assert off.mean() <= 100 / 65535 / 2
        assert off.max() <= 2 * 100 / 65535


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("strip_px", [1, 500, 4_000, 1 << 24])
def test_strips_show_no_seam(monkeypatch: pytest.MonkeyPatch, depth: int, strip_px: int) -> None:
    random = np.random.default_rng(8)
    deep = random.integers(0, 1 << 16, (97, 131), dtype=np.uint16)
    scan: np.ndarray = deep if depth == 16 else gray(deep >> 8)
    chroma = random.normal(0, 40, (23, 31, 2)).astype(np.float32)
    frame = Frame(3, 5, 90, 127)
    at_once = recomposed(scan, chroma, frame)
    monkeypatch.setattr(fullsize, "_STRIP_PX", strip_px)
    assert (recomposed(scan, chroma, frame) == at_once).all()


def test_outside_the_frame_the_scan_stays_as_it_is() -> None:
    toned = np.random.default_rng(9).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    kept = toned.copy()
    coloured = recomposed(toned, even(20, 30), Frame(10, 8, 40, 55))
    assert (toned == kept).all()
    inside = np.zeros((50, 60), bool)
    inside[10:40, 8:55] = True
    assert (coloured[~inside] == toned[~inside]).all()
    assert (coloured[inside] != toned[inside]).any(1).mean() > 0.95


def test_chroma_lies_where_it_was_at_the_low_size() -> None:
    scan = np.full((120, 200), 150 * 257, np.uint16)
    chroma = np.moveaxis(np.mgrid[:12, :20], 0, 2).astype(np.float32)
    found = rgb2lab(recomposed(scan, chroma, whole(scan), UNFILTERED) / 65535)
    rows, columns = (np.clip((np.arange(side) + 0.5) / 10 - 0.5, 0, side / 10 - 1) for side in scan.shape)
    assert np.abs(found[..., 1] - rows[:, None]).max() < 0.02
    assert np.abs(found[..., 2] - columns).max() < 0.02


def test_a_scan_smaller_than_the_working_size_is_coloured_too() -> None:
    scan = gray(np.full((9, 40), 150))
    assert np.abs(rgb2lab(recomposed(scan, even(10, 5, (32, 48)), whole(scan)))[..., 1] - 10).max() < 1


def test_colours_end_where_the_drawing_does_at_full_size() -> None:
    """An edge between two low pixels' middles: bilinear chroma would bleed over it, the drawing's own edge holds it."""
    scan = gray(np.where(np.arange(320) < 165, 60, 200)[None].repeat(160, 0))
    edge = np.where(np.arange(32) < 16.5, 0.0, 1.0)
    edge[16] = 0.5
    chroma = np.stack([edge * 30, -edge * 10], 1)[None].repeat(16, 0).astype(np.float32)
    a = rgb2lab(recomposed(scan, chroma, whole(scan), Guide(radius_px=2, epsilon=1)))[80, :, 1]
    assert np.abs(a[150:164]).max() < 2
    assert np.abs(a[166:180] - 30).max() < 2


@pytest.mark.parametrize(("shape", "width_px"), [("upright", 2), ("slanting", 2), ("narrow", 2), ("waves", 6)])
def test_no_colour_crosses_a_key_line_that_the_working_size_has_lost(shape: str, width_px: int) -> None:
    assert halo(shape, width_px) <= 1


def test_a_key_line_stays_darker_than_coloured() -> None:
    scan = gray(np.full((96, 128), 170))
    scan[:, 63:66] = 15
    a = rgb2lab(recomposed(scan, even(40, 20, (12, 16)), whole(scan)))[48, :, 1]
    assert a[30] > 35
    assert a[64] < 20


def test_texture_that_the_drawing_lacks_is_left_behind() -> None:
    random = np.random.default_rng(10)
    chroma = even(12, 20, (64, 96)) + random.normal(0, 10, (64, 96, 2)).astype(np.float32)
    lightness = np.full((64, 96), 70, np.float32) + random.normal(0, 1, (64, 96)).astype(np.float32)
    left = filtered(chroma, lightness)
    assert left[8:-8, 8:-8].std((0, 1)).max() < 1.0
    assert np.abs(left.mean((0, 1)) - (12, 20)).max() < 0.5


def test_the_filter_gives_no_colour_that_was_not_given_to_it() -> None:
    random = np.random.default_rng(11)
    chroma, lightness = random.uniform(-40, 40, (32, 32, 2)).astype(np.float32), random.uniform(0, 100, (32, 32))
    left = filtered(chroma, lightness.astype(np.float32), Guide(1, 0.01))
    assert (left.min((0, 1)) >= chroma.min((0, 1))).all()
    assert (left.max((0, 1)) <= chroma.max((0, 1))).all()


def test_a_filter_without_a_window_changes_nothing() -> None:
    random = np.random.default_rng(12)
    chroma = random.normal(0, 20, (16, 24, 2)).astype(np.float32)
    assert np.abs(filtered(chroma, np.full((16, 24), 50, np.float32), UNFILTERED) - chroma).max() < 1e-4


def test_sixteen_bits_in_eight_keep_their_lightness() -> None:
    scan = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    coloured = recomposed(scan, CHROMAS["sepia"], whole(scan))
    assert coloured.dtype == np.uint16
    off = np.abs(lightness_of(narrowed(coloured)) - lightness_of(coloured))
    assert (off.mean() <= 0.05, off.max() <= 0.25) == (True, True)
