import csv
from io import BytesIO

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw

from colorize.images.decode import Pixels, decode
from colorize.images.resize import resized, to_gray
from colorize.images.tone import Tone, ToneReport, judge_tone
from colorize.images.tone_rules import VERSION
from colorize.images.working_copy import working_copy
from tests.shared import SHARED

needs_prints = pytest.mark.skipif(not (SHARED / "prints").is_dir(), reason="no ../shared/prints here")
needs_faces = pytest.mark.skipif(not (SHARED / "faces").is_dir(), reason="no ../shared/faces here")

PHOTOGRAPH: Pixels = skimage.data.astronaut()  # type: ignore[no-untyped-call]
INK, PAPER, SEAL_RED = (38, 34, 30), (232, 214, 178), (186, 62, 48)


def a_print(size: int = 300) -> Pixels:
    """A flat colour print of few blocks and dark outlines on toned paper."""
    image = Image.new("RGB", (size, size), PAPER)
    draw, unit = ImageDraw.Draw(image), size // 20
    draw.rectangle((unit, 9 * unit, 11 * unit, 19 * unit), fill=(178, 70, 52), outline=INK, width=unit // 3)
    draw.rectangle((11 * unit, 11 * unit, 19 * unit, 19 * unit), fill=(62, 84, 122), outline=INK, width=unit // 3)
    draw.rectangle((11 * unit, 8 * unit, 19 * unit, 11 * unit), fill=(96, 128, 84), outline=INK, width=unit // 3)
    draw.ellipse((5 * unit, unit, 13 * unit, 9 * unit), fill=(240, 222, 190), outline=INK, width=unit // 3)
    draw.pieslice((5 * unit, unit, 13 * unit, 8 * unit), 180, 360, fill=INK)
    return np.array(image)


def in_ink(pixels: Pixels, ink: tuple[int, int, int] = INK, paper: tuple[int, int, int] = PAPER) -> Pixels:
    """The same drawing, printed from one block: every value lies between ink and paper."""
    share = to_gray(pixels)[..., :1] / 255
    return np.rint(np.array(ink) + share * np.subtract(paper, ink)).astype(np.uint8)


def as_jpeg(pixels: Pixels, quality: int = 75) -> Pixels:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=2)
    return decode(file.getvalue()).pixels


def on_mount(pixels: Pixels, mount: tuple[int, int, int] = (14, 14, 15)) -> Pixels:
    """The print on a mount, with the usual colour chart beside it."""
    height, width = pixels.shape[:2]
    image = Image.new("RGB", (width * 3 // 2, height * 5 // 4), mount)
    image.paste(Image.fromarray(pixels), (width // 12, height // 8))
    draw, step = ImageDraw.Draw(image), height // 18
    chart = [(40, 60, 150), (40, 120, 60), (200, 50, 45), (235, 200, 40), (180, 80, 140), (60, 150, 190)]
    for row, colour in enumerate(chart):
        top = height // 3 + row * step
        draw.rectangle((width * 5 // 4, top, width * 5 // 4 + 2 * step, top + step - 1), fill=colour)
    return np.array(image)


def with_seals(pixels: Pixels) -> Pixels:
    image = Image.fromarray(pixels)
    draw, side = ImageDraw.Draw(image), pixels.shape[0] // 12
    draw.rectangle((side, side, 2 * side, 2 * side), fill=SEAL_RED)
    draw.rectangle((10 * side, side, 10 * side + side // 2, 2 * side), fill=SEAL_RED)
    return np.array(image)


def with_noise(pixels: Pixels, deviation: float) -> Pixels:
    noise = np.random.default_rng(1).normal(0, deviation, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def judged(pixels: Pixels, mode: str = "RGB") -> Tone:
    return judge_tone(pixels, mode).tone


def harvested(pixels: Pixels) -> Tone:
    """Judged without what lies around the print."""
    return judged(working_copy(pixels).framed)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "I;16B", "I", "F"])
def test_a_single_channel_is_grayscale_for_certain(mode: str) -> None:
    assert judged(to_gray(a_print()), mode) == Tone.GRAYSCALE


@pytest.mark.parametrize("quality", [70, 80, 95])
def test_gray_saved_as_colour_jpeg_is_grayscale(quality: int) -> None:
    for pixels in (a_print(), a_print(78), PHOTOGRAPH):
        assert judged(as_jpeg(to_gray(pixels), quality)) == Tone.GRAYSCALE


def test_grain_in_each_channel_is_no_colour() -> None:
    assert judged(as_jpeg(with_noise(to_gray(a_print()), 4))) == Tone.GRAYSCALE


def test_a_print_in_several_hues_is_colour() -> None:
    assert judged(a_print()) == Tone.COLOUR
    assert judged(a_print(78)) == Tone.COLOUR
    assert judged(as_jpeg(with_noise(a_print(), 4), 70)) == Tone.COLOUR
    assert judged(PHOTOGRAPH) == Tone.COLOUR


@pytest.mark.parametrize("paper", [PAPER, (214, 190, 150), (245, 236, 218), (205, 196, 178)])
def test_ink_on_toned_paper_is_toned_however_brown_the_paper(paper: tuple[int, int, int]) -> None:
    for size in (300, 78):
        assert judged(as_jpeg(in_ink(a_print(size), paper=paper))) == Tone.TONED


@pytest.mark.parametrize("tint", [(1.07, 0.95, 0.75), (0.88, 1.0, 1.12), (1.1, 0.97, 1.0)])
def test_a_photograph_of_one_cast_is_toned(tint: tuple[float, float, float]) -> None:
    for pixels in (a_print(), PHOTOGRAPH):
        cast = np.clip(to_gray(pixels) * np.array(tint), 0, 255).astype(np.uint8)
        assert judged(as_jpeg(cast)) == Tone.TONED


def test_red_seals_do_not_make_an_ink_print_colour() -> None:
    assert judged(as_jpeg(with_seals(in_ink(a_print())))) == Tone.TONED
    assert judged(as_jpeg(with_seals(to_gray(a_print())))) != Tone.COLOUR


@pytest.mark.parametrize("mount", [(14, 14, 15), (200, 190, 172), (120, 120, 122)])
def test_a_colour_chart_makes_a_colourless_print_unsure_at_most(mount: tuple[int, int, int]) -> None:
    for judge in (judged, harvested):
        assert judge(as_jpeg(on_mount(to_gray(a_print()), mount))) != Tone.COLOUR
    assert harvested(as_jpeg(on_mount(in_ink(a_print()), mount))) in {Tone.UNSURE, Tone.TONED}
    assert harvested(as_jpeg(on_mount(a_print(), mount))) in {Tone.COLOUR, Tone.UNSURE}


def test_a_mount_of_one_strong_colour_is_no_colour_print() -> None:
    framed = np.full((400, 400, 3), (60, 84, 140), dtype=np.uint8)
    framed[50:350, 50:350] = in_ink(a_print())
    report = judge_tone(framed)
    assert report.tone == Tone.UNSURE
    assert "mount" in report.reason


def test_white_margins_change_nothing() -> None:
    for pixels in (a_print(), in_ink(a_print()), to_gray(a_print())):
        wide = np.pad(pixels, ((0, 0), (200, 200), (0, 0)), constant_values=255)
        assert judged(wide) == judged(pixels) != Tone.UNSURE


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (1, 900), (64, 64)])
def test_a_blank_or_tiny_picture_is_judged_without_complaint(value: int, shape: tuple[int, int]) -> None:
    assert judged(np.full((*shape, 3), value, dtype=np.uint8)) == Tone.GRAYSCALE


def test_the_report_gives_its_figures_and_a_sentence() -> None:
    report: ToneReport = judge_tone(in_ink(a_print()))
    shares = [value for name, value in report.measures.items() if name.endswith(("_share", "_tiles"))]
    assert len(shares) == 4
    assert all(0 <= share <= 1 for share in shares)
    assert report.measures["rules"] == VERSION
    assert report.measures.keys() == judge_tone(to_gray(a_print()), "L").measures.keys()
    assert "one ink on one paper" in report.reason


@needs_prints
def test_real_prints_are_never_taken_for_what_they_are_not() -> None:
    with (SHARED / "prints" / "prints.csv").open(encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    tones = {name: judged(decode((SHARED / "prints" / name).read_bytes()).pixels) for name in names}
    ink = {tone for name, tone in tones.items() if name.startswith("mono_")}
    colour = [tone for name, tone in tones.items() if not name.startswith("mono_")]
    assert ink <= {Tone.TONED, Tone.UNSURE}
    assert set(colour) <= {Tone.COLOUR, Tone.UNSURE}
    assert colour.count(Tone.COLOUR) >= len(colour) / 2


@pytest.mark.long
@needs_prints
def test_gray_and_ink_versions_of_real_prints_are_known() -> None:
    for path in sorted((SHARED / "prints").glob("*_0[1-9]_*")):
        pixels = resized(decode(path.read_bytes()).pixels, 400)
        assert judged(as_jpeg(to_gray(pixels))) == Tone.GRAYSCALE
        assert judged(as_jpeg(in_ink(pixels))) == Tone.TONED


@pytest.mark.long
@needs_faces
def test_of_two_hundred_small_faces_few_are_taken_for_toned_and_none_for_gray() -> None:
    pictures = [decode(path.read_bytes()).pixels for path in sorted((SHARED / "faces").glob("*.png"))]
    tones = [judged(pixels) for pixels in pictures if max(pixels.shape) < 120]
    assert Tone.GRAYSCALE not in tones
    assert tones.count(Tone.TONED) <= 0.05 * len(tones)
    assert tones.count(Tone.COLOUR) >= 0.55 * len(tones)
