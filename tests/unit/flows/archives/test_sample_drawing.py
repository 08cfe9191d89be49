"""The prints of the sample archive: the same again when asked again, print-like, and each unlike the next."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import rgb2lab

from flows.archives.sample.drawing.collection import NO_DERIVATIVES, colour_truth, holdings, picture
from flows.archives.sample.drawing.crests import CRESTS
from flows.archives.sample.drawing.curves import dots, spline
from flows.archives.sample.drawing.designs import ACTORS, ROLES, design, landscape
from flows.archives.sample.drawing.grounds import GROUNDS
from flows.archives.sample.drawing.hair import HAIRDOS
from flows.archives.sample.drawing.head import EYES, FACES, KUMA, MOUTHS
from flows.archives.sample.drawing.photograph import photograph
from flows.archives.sample.drawing.pigments import PALETTES, PIGMENTS
from flows.archives.sample.drawing.press import PAPERS, Wear, pull
from flows.archives.sample.drawing.prints import POSES, draw_ink_print, draw_print
from flows.archives.sample.drawing.props import BACKDROPS, PROPS
from flows.archives.sample.drawing.sheet import Sheet
from flows.archives.sample.drawing.textiles import TEXTILES, tile
from flows.archives.sample.museums import key_in

SMALL = (160, 240)
SHEET = [(0, 0), (100, 0), (100, 150), (0, 150)]
Pixels = NDArray[np.uint8]


def difference(one: Pixels, other: Pixels) -> float:
    """Mean difference of two pictures in grey levels."""
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


def flat_print(pigment: str, fading: float) -> NDArray[np.float64]:
    """The mean colour of a sheet printed all over with one pigment."""
    sheet = Sheet((40, 60))
    sheet.fill(SHEET, pigment)
    wear = Wear(PAPERS[0], fading=fading, grain=0.1, inking=1.0, slip=0.0)
    return np.asarray(pull(sheet, wear, np.random.default_rng(1)).reshape(-1, 3).mean(axis=0))


def test_the_same_impression_comes_out_the_same_to_the_pixel() -> None:
    one = draw_print(design(5), 2, SMALL).pixels
    draw_print(design(6), 0, SMALL)
    assert np.array_equal(one, draw_print(design(5), 2, SMALL).pixels)


@pytest.mark.parametrize("size", [(160, 240), (320, 480), (200, 280)])
def test_a_print_has_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    pixels = draw_print(design(0), 0, size).pixels
    assert pixels.shape == (size[1], size[0], 3)
    assert pixels.dtype == np.uint8


def test_two_impressions_of_a_design_are_alike_but_not_identical_and_other_designs_are_neither() -> None:
    first, second = (draw_print(design(3), number, SMALL).pixels for number in (0, 1))
    other = draw_print(design(4), 0, SMALL).pixels
    assert 1 < difference(first, second) < 0.4 * difference(first, other)


@pytest.mark.long
def test_twelve_designs_in_a_row_differ_in_role_and_robe_and_to_the_eye() -> None:
    designs = [design(seed) for seed in range(12)]
    assert len({one.role for one in designs}) == 12
    assert len({one.textiles[0] for one in designs}) >= 10
    assert len({one.ground for one in designs}) >= 10
    assert len({one.actor for one in designs}) >= 6
    assert len({one.pose for one in designs}) >= 6
    pictures = [draw_print(one, 0, SMALL).pixels for one in designs]
    assert min(difference(one, other) for one, other in combinations(pictures, 2)) > 20


def test_the_first_twelve_designs_hold_painted_heroes_plain_faced_men_and_women() -> None:
    roles = [design(seed).role for seed in range(12)]
    assert any(role.look.kuma for role in roles)
    assert any(not role.look.kuma and role.hairdo in ("topknot", "forelock", "cap", "scarf") for role in roles)
    assert any(role.hairdo in ("shimada", "courtesan") for role in roles)


def test_every_name_in_the_tables_of_roles_and_actors_leads_to_a_drawing() -> None:
    for role in ROLES:
        assert role.hairdo in HAIRDOS
        assert role.prop in PROPS | BACKDROPS
        assert set(role.poses) <= set(POSES)
        assert role.look.eyes in EYES
        assert role.look.mouth in MOUTHS
        assert role.look.kuma in {*KUMA, ""}
    assert {actor.crest for actor in ACTORS} == set(CRESTS)
    assert {actor.face for actor in ACTORS} <= set(FACES)
    assert {design(seed).ground for seed in range(20)} == set(GROUNDS)


def test_an_actor_keeps_crest_and_face_in_every_role() -> None:
    assert len({actor.crest for actor in ACTORS}) == len(ACTORS) == len({actor.name for actor in ACTORS})
    parts = {design(seed).role for seed in range(60) if design(seed).actor == ACTORS[0]}
    assert len(parts) > 2


@pytest.mark.parametrize("seed", range(6))
def test_colours_are_several_and_modest_as_in_prints(seed: int) -> None:
    lab = rgb2lab(draw_print(design(seed), 0, SMALL).pixels)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    assert 8 < chroma.mean() < 36
    hues = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])[chroma > 12]) % 360
    shares = np.histogram(hues, bins=12, range=(0, 360))[0] / hues.size
    assert (shares > 0.01).sum() >= 3


def test_flat_colours_are_large_and_ink_is_black() -> None:
    pixels = draw_print(design(2), 0).pixels.astype(float)
    step = np.abs(np.diff(pixels.mean(axis=2), axis=1))
    assert (step < 8).mean() > 0.6
    assert (pixels.max(axis=2) < 70).mean() > 0.03


def test_fugitive_pigments_fade_and_fast_ones_stay() -> None:
    lost = {name: np.abs(flat_print(name, 1.0) - flat_print(name, 0.0)).mean() for name in ("mauve", "purple", "bero")}
    assert lost["mauve"] > 5 * lost["bero"]
    assert lost["purple"] > 5 * lost["bero"]


def test_a_later_shape_hides_the_ink_of_an_earlier_one() -> None:
    sheet = Sheet((40, 60))
    sheet.line([(10, 50), (50, 52), (90, 50)], width=4)
    sheet.fill([(40, 30), (101, 30), (101, 70), (40, 70)], "yellow")
    _, ink, _ = sheet.cut()
    columns = np.asarray(ink).max(axis=0)
    assert columns[: len(columns) // 3].max() == 255
    assert columns[len(columns) // 2 :].max() == 0


def test_a_shaded_ground_leaves_what_is_drawn_over_it_clear() -> None:
    sheet = Sheet((40, 60))
    sheet.fill(SHEET, "yellow")
    sheet.shade("bero", 0, 150)
    sheet.fill([(50, -1), (101, -1), (101, 151), (50, 151)], "white")
    _, _, (tint,) = sheet.cut()
    assert tint.strength[0, 5] > 0.9
    assert tint.strength[:, 25:].max() == 0


@pytest.mark.parametrize("name", TEXTILES)
def test_a_textile_has_a_ground_and_a_figure(name: str) -> None:
    assert set(np.unique(tile(name))) == {0, 1}
    assert 0.05 < tile(name).mean() < 0.95


# Checks, bands, feathers and rows of triangles have an edge of their own where the tile ends.
@pytest.mark.parametrize("name", sorted(set(TEXTILES) - {"ichimatsu", "benkei", "yabane", "uroko"}))
def test_a_drawn_textile_repeats_without_a_seam(name: str) -> None:
    woven = tile(name).astype(int)
    for axis in (0, 1):
        steps = np.abs(np.roll(woven, -1, axis) - woven).mean(axis=1 - axis)
        assert steps[-1] <= steps[:-1].max() + 0.03


def test_no_pigment_of_a_palette_is_unknown() -> None:
    for palette in PALETTES:
        pairs = (*palette.robe, *palette.over, *palette.under, *palette.sash)
        singles = (palette.collar, palette.lining, palette.ground, palette.sky, palette.panel)
        assert {*pairs, *singles} <= set(PIGMENTS)


def test_a_curve_passes_through_its_points_and_an_exclamation_mark_makes_a_corner() -> None:
    assert list(dots("1,2 -.5,3!")) == [(1.0, 2.0), (-0.5, 3.0), (-0.5, 3.0)]
    line = spline(dots("0,0 10,5 20,0"))
    assert np.abs(line - (10, 5)).sum(axis=1).min() < 1e-9
    assert line[0].tolist() == [0, 0]
    assert line[-1].tolist() == [20, 0]


def test_a_photograph_darkens_reds_and_lightens_blues_and_keeps_the_drawing() -> None:
    random = np.random.default_rng(3)
    red, blue = np.zeros((2, 60, 40, 3), dtype=np.uint8)
    red[:], blue[:] = (190, 60, 60), (60, 93, 190)
    assert photograph(red, random).mean() < photograph(blue, random).mean() - 10
    pixels = draw_print(design(1), 1, SMALL).pixels
    gray = photograph(pixels, random)
    assert gray.shape == pixels.shape[:2]
    assert np.corrcoef(gray.ravel(), (pixels @ np.array([0.3, 0.59, 0.11])).ravel())[0, 1] > 0.93


def test_an_ink_print_has_no_colour_but_its_papers() -> None:
    lab = rgb2lab(draw_ink_print(design(3), 0, SMALL).pixels)
    paper = lab[..., 0] > 80
    assert np.ptp(np.percentile(np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))[paper], (5, 95))) < 25
    assert (lab[..., 0] < 40).mean() > 0.01


def test_a_landscape_is_another_picture_than_its_actor() -> None:
    assert difference(draw_print(landscape(3), 0, SMALL).pixels, draw_print(design(3), 0, SMALL).pixels) > 20


def test_the_holdings_are_what_the_demonstration_counts_on() -> None:
    held = holdings(12, 10, 0)
    plain = [one for one in held if one.key <= "0013"]
    assert sum(one.medium == "colour" for one in plain) == 12
    assert sum(one.medium == "gray" for one in plain) == 10
    odd = {one.key: one for one in held if one not in plain}
    assert list(odd) == ["0013-g", "0014-g", "0015-g", "0016-k", "0017-g", "0018-g"]
    assert odd["0013-g"].deleted
    assert odd["0014-g"].licence == NO_DERIVATIVES
    assert odd["0015-g"].genre == "名所絵"
    assert odd["0016-k"].medium == "ink"
    assert odd["0017-g"].damaged
    assert odd["0018-g"].genre == ""
    stamps = [one.datestamp for one in held]
    assert stamps == sorted(set(stamps))


def test_a_gray_record_shows_another_impression_than_the_colour_record_of_its_design() -> None:
    held = {one.key: one for one in holdings(2, 4, 0)}
    assert held["0001-g"].design == held["0001-c"].design
    assert difference(colour_truth(held["0001-g"]), colour_truth(held["0001-c"])) > 0.5
    assert held["0003-g"].design == held["0001-c"].design
    assert held["0003-g"].impression != held["0001-g"].impression


def test_a_large_set_keeps_its_datestamps_within_two_years() -> None:
    stamps = [one.datestamp for one in holdings(3000, 3000, 0)]
    assert (stamps[-1] - stamps[0]).days < 730
    assert len(set(stamps)) == len(stamps)


def test_a_damaged_holding_is_the_first_half_of_a_picture() -> None:
    damaged = next(one for one in holdings(1, 0, 0) if one.damaged)
    assert picture(damaged).startswith(b"\xff\xd8\xff")
    assert not picture(damaged).endswith(b"\xff\xd9")


@pytest.mark.parametrize(
    ("identifier", "key"),
    [
        ("oai:sample.nishiki:0001-c", "0001-c"),
        ("sample-0012_k", "0012-k"),
        ("http://127.0.0.1:41783/iiif/0001-c/manifest.json", "0001-c"),
        ("121", "0012-g"),
        ("125", ""),
        ("", ""),
    ],
)
def test_a_record_is_known_by_its_name_in_every_protocol(identifier: str, key: str) -> None:
    assert key_in(identifier) == key
