"""Prints are drawn, mounted as studios do it, and sought again; where real scans lie beside the project, those too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize.images.decode import Pixels, decode
from colorize.images.frame import Frame, find_frame
from colorize.images.resize import to_gray
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print

PATCHES = [(90, 50, 140), (50, 120, 200), (40, 130, 60), (240, 220, 40), (220, 30, 80), (250, 250, 250), (80, 70, 80)]


def drawn(seed: int) -> Pixels:
    """A print whose content goes to its edge: without the paper around its key line."""
    return draw_print(design(seed), 0).pixels[12:-12, 12:-12]


def framed(pixels: Pixels, share: float, tone: int) -> Pixels:
    wide = int(share * max(pixels.shape))
    return np.pad(pixels, ((wide, wide), (wide, wide), (0, 0)), constant_values=tone)


def mounted(picture: Pixels, tone: int, *, chart: float = 0.0, light: float = 0.0, noise: float = 2.0) -> Pixels:
    """On a board of one tone; a chart of that share of the print's height lies 5 px to its right."""
    board = framed(picture, 0.15, tone).astype(float)
    top, right = (board.shape[0] - int(chart * len(picture))) // 2, board.shape[1] - int(0.15 * len(picture)) + 5
    for place, patch in enumerate(PATCHES if chart else []):
        step = int(chart * len(picture)) // len(PATCHES)
        board[top + place * step : top + (place + 1) * step, right : right + 50] = patch
    board *= 1 + light * np.linspace(-0.5, 0.5, board.shape[1])[:, None]
    board += np.random.default_rng(7).normal(0, noise, board.shape[:2])[..., None]
    return board.round().clip(0, 255).astype(np.uint8)


def around(picture: Pixels, scan: Pixels) -> Frame:
    """The frame of a picture in the middle of its scan."""
    (height, width), (tall, wide) = picture.shape[:2], scan.shape[:2]
    top, left = (tall - height) // 2, (wide - width) // 2
    return Frame(top, left, top + height, left + width)


def overlap(a: Frame, b: Frame) -> float:
    """Intersection over union."""

    def area(top: int, left: int, bottom: int, right: int) -> int:
        return max(0, bottom - top) * max(0, right - left)

    both = area(max(a.top, b.top), max(a.left, b.left), min(a.bottom, b.bottom), min(a.right, b.right))
    one, other = (area(each.top, each.left, each.bottom, each.right) for each in (a, b))
    return both / (one + other - both)


CASES: dict[str, dict[str, Any]] = {
    "a light board": {"tone": 205},
    "black cloth": {"tone": 20},
    "a chart beside it": {"tone": 205, "chart": 0.5},
    "a chart as tall as it": {"tone": 205, "chart": 0.98},
    "a chart on black cloth": {"tone": 20, "chart": 0.5},
    "light from one side": {"tone": 190, "chart": 0.5, "light": 0.3},
    "coarse grain": {"tone": 205, "noise": 6},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", [0, 6])
def test_a_mounted_print_is_found_in_colour_and_in_gray(case: str, seed: int) -> None:
    picture = drawn(seed)
    scan = mounted(picture, **CASES[case])
    expected = around(picture, scan)
    found = find_frame(scan)
    assert overlap(found, expected) > 0.96
    assert overlap(find_frame(to_gray(scan)), found) > 0.98


@pytest.mark.parametrize("tone", [60, 128, 205, 230])
@pytest.mark.parametrize("seed", [0, 2, 3])
def test_nothing_of_a_print_is_cut_where_its_ground_has_the_tone_of_the_mount(seed: int, tone: int) -> None:
    picture = drawn(seed)
    scan = mounted(picture, tone)
    found, print_ = find_frame(scan), around(picture, scan)
    assert found.top <= print_.top + 3
    assert found.left <= print_.left + 3
    assert found.bottom >= print_.bottom - 3
    assert found.right >= print_.right - 3


def test_a_print_with_its_paper_is_found_on_a_board_of_any_other_tone() -> None:
    picture = draw_print(design(0), 0).pixels
    for tone in (20, 80, 128, 255):
        scan = mounted(picture, tone, chart=0.5)
        assert overlap(find_frame(scan), around(picture, scan)) > 0.97


def test_white_margin_film_and_board_come_off_one_after_the_other() -> None:
    picture = drawn(6)
    scan = framed(framed(mounted(picture, 205, chart=0.5), 0.03, 8), 0.03, 255)
    assert overlap(find_frame(scan), around(picture, scan)) > 0.97


@pytest.mark.parametrize("tone", [0, 255])
def test_margins_at_two_sides_only_come_off_there(tone: int) -> None:
    picture = drawn(6)
    scan = np.pad(picture, ((0, 0), (80, 80), (0, 0)), constant_values=tone)
    assert overlap(find_frame(scan), around(picture, scan)) > 0.97


@pytest.mark.parametrize("angle", [-2.0, 1.0])
def test_a_turned_print_loses_none_of_its_content(angle: float) -> None:
    picture = drawn(6)
    board = Image.new("RGB", (520, 680), (205, 205, 205))
    turned = Image.fromarray(picture).convert("RGBA").rotate(angle, Image.Resampling.BICUBIC, expand=True)
    board.paste(turned, (100, 100), turned)
    where = Image.new("L", board.size)
    where.paste(turned.getchannel("A"), (100, 100))
    inside = np.array(where) > 127
    frame = find_frame(np.array(board))
    assert frame.crop(inside).sum() > 0.985 * inside.sum()
    assert frame.crop(inside).mean() > 0.9


@pytest.mark.parametrize("seed", range(6))
def test_a_print_without_mount_is_kept_whole(seed: int) -> None:
    for picture in (drawn(seed), draw_print(design(seed), 1).pixels):
        assert find_frame(picture) == Frame(0, 0, *picture.shape[:2])


def test_a_sky_a_ground_and_a_figure_on_plain_paper_are_no_mount() -> None:
    figure = np.full((400, 300, 3), 215, dtype=np.uint8)
    rows, columns = np.mgrid[:400, :300]
    figure[((rows - 200) / 150) ** 2 + ((columns - 150) / 90) ** 2 < 1] = 60
    night = np.full((400, 300, 3), 15, dtype=np.uint8)
    night[250:] = drawn(3)[:150, :1] // 2 + 90
    for picture in (figure, night, night[::-1], np.ascontiguousarray(night.swapaxes(0, 1))):
        assert find_frame(picture) == Frame(0, 0, *picture.shape[:2])


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (40, 3, 3), (300, 200, 3)])
@pytest.mark.parametrize("tone", [0, 130, 255])
def test_blank_and_tiny_pictures_are_kept_whole(shape: tuple[int, int, int], tone: int) -> None:
    assert find_frame(np.full(shape, tone, dtype=np.uint8)) == Frame(0, 0, *shape[:2])


def test_a_large_scan_has_the_frame_of_a_small_one_to_the_pixel_or_two() -> None:
    scan = mounted(drawn(0), 205, chart=0.5, noise=0)
    large = np.repeat(np.repeat(scan, 4, axis=0), 4, axis=1)
    found, expected = find_frame(large), around(drawn(0), scan).scaled(scan.shape, large.shape)
    for side in ("top", "left", "bottom", "right"):
        assert abs(getattr(found, side) - getattr(expected, side)) <= 2


def test_a_frame_crops_a_view_and_follows_its_picture_to_another_size() -> None:
    frame, picture = Frame(10, 20, 40, 60), np.zeros((50, 80, 3), dtype=np.uint8)
    frame.crop(picture)[:] = 1
    assert picture.sum() == 30 * 40 * 3
    assert frame.scaled((50, 80), (100, 240)) == Frame(20, 60, 80, 180)
    assert frame.scaled((50, 80, 3), (50, 80)) == frame
    assert frame.scaled((50, 80), (1, 1)) == Frame(0, 0, 1, 1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("actor_09_sharaku_bm_colourchart.jpg", Frame(40, 28, 333, 221)),
        ("pair_kirifuri_3_mount_chart.jpg", Frame(49, 33, 324, 221)),
    ],
)
def test_real_prints_on_their_mounts_are_found(name: str, expected: Frame, shared_folder: Path) -> None:
    path = shared_folder / "prints" / name
    if not path.exists():
        pytest.skip(f"{name} does not lie beside the project")
    for pixels in (scan := decode(path.read_bytes()).pixels, to_gray(scan)):
        assert overlap(find_frame(pixels), expected) > 0.97
