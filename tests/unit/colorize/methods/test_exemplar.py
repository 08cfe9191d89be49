"""Colours by correspondence, on pictures whose right colours are known by construction."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from colorize.colorizer import Colorizer
from colorize.encoders.loading import random_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.images.decode import Pixels
from colorize.images.resize import resized, to_gray
from colorize.jobs import Job, Style
from colorize.matching.geometry import Registered
from colorize.methods.exemplar import placed
from colorize.methods.exemplar import transfer as module
from colorize.methods.exemplar.parameters import Exemplar
from colorize.methods.exemplar.transfer import exemplar
from colorize.methods.neural_style.engine import Operands
from colorize.recipes.library import recipe_named
from colorize.results import Colorization
from colorize.running.progress import ProgressCallbacks
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print

OWN = Exemplar.of(recipe_named("nishiki/likeness"))
RED, BLUE, PAPER, INK = (65, 45, 25), (35, 5, -35), (92, 0, 12), (8, 0, 0)
"""L, a, b."""
TWINS = (60.0, -8.0, -40.0), (60.0, -40.0, 40.0)
"""A blue and a green of one L and one gray."""


def colour(lab: tuple[float, float, float]) -> Pixels:
    """(3,), sRGB."""
    return np.asarray(np.rint(lab2rgb(np.array(lab, float)) * 255), np.uint8)


def areas(*boxes: tuple[tuple[slice, slice], tuple[float, float, float]]) -> Pixels:
    """96 × 96 px of paper with areas of one colour each."""
    picture = np.tile(colour(PAPER), (96, 96, 1))
    for place, lab in boxes:
        picture[place] = colour(lab)
    return picture


def chroma_of(pixels: Pixels) -> np.ndarray:
    return np.asarray(rgb2lab(pixels)[..., 1:], np.float32)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of a, b."""
    return float(np.hypot(*np.moveaxis(one - other, -1, 0)).mean())


def coloured(
    content: Pixels, style: Pixels, encoder: Encoder, own: Exemplar, laid: Registered | None = None
) -> np.ndarray:  # fmt: skip
    """The chroma that one style gives."""
    return exemplar(content, [style], encoder, own, laid).chroma


@pytest.fixture(scope="module")
def drawn() -> Pixels:
    """A drawn print in colour, 80 × 128 px."""
    return resized(draw_print(design(1), 0).pixels, 128)


STYLE = areas((np.s_[12:84, 8:46], RED), (np.s_[12:84, 50:88], BLUE))
CONTENT = areas((np.s_[8:46, 10:86], BLUE), (np.s_[52:90, 10:86], RED))
UPPER, LOWER, MARGIN = np.s_[16:38, 20:76], np.s_[60:82, 20:76], np.s_[:5]


@pytest.mark.parametrize(("agrees", "left", "right"), [(1.0, *TWINS), (0.0, *TWINS[::-1])])
def test_a_place_takes_the_colours_laid_on_it_where_the_drawings_agree_and_those_of_its_like_elsewhere(
    narrow: Encoder, agrees: float, left: tuple[float, float, float], right: tuple[float, float, float]
) -> None:
    laid, other = (areas((np.s_[8:88, 8:40], one), (np.s_[20:70, 56:88], two)) for one, two in (TWINS, TWINS[::-1]))
    places = np.stack(np.meshgrid(np.arange(96), np.arange(96)), -1).astype(np.float32)
    registered = Registered(laid, np.full((96, 96), agrees, np.float32), 0.0, places, 1.0)
    found = coloured(to_gray(other), other, narrow, OWN, registered)
    for seen, colours in ((found[30:60, 16:32], (left, right)), (found[30:60, 64:80], (right, left))):
        nearest, farther = (apart(seen, np.broadcast_to(lab[1:], seen.shape)) for lab in colours)
        assert nearest < farther


@pytest.fixture(scope="module")
def halves() -> tuple[Pixels, list[Pixels]]:
    """A picture whose left half is of one drawn print and whose right half is of another, and both prints."""
    prints = [np.ascontiguousarray(resized(draw_print(design(number), 0).pixels, 128)[:, :80]) for number in (4, 5)]
    return np.concatenate([prints[0][:, :40], prints[1][:, 40:]], axis=1), prints


def test_of_two_styles_each_half_takes_the_colours_of_the_one_that_has_its_like(
    halves: tuple[Pixels, list[Pixels]], narrow: Encoder
) -> None:
    truth, prints = halves
    found = exemplar(to_gray(truth), prints, narrow, OWN)
    alone = [apart(coloured(to_gray(truth), each, narrow, OWN), chroma_of(truth)) for each in prints]
    assert apart(found.chroma, chroma_of(truth)) < 0.85 * min(alone)
    left, right = found.shares[..., :8].mean((1, 2)), found.shares[..., 12:].mean((1, 2))
    assert (left[0] > left[1], right[0] < right[1]) == (True, True)
    assert found.shares.sum(0) == pytest.approx(1.0)


def test_a_style_twice_gives_what_it_gives_once(drawn: Pixels, narrow: Encoder) -> None:
    once, twice = (exemplar(to_gray(drawn), [STYLE] * number, narrow, OWN) for number in (1, 2))
    assert (twice.shares == 0.5).all()
    assert apart(once.chroma, twice.chroma) < 2  # features are counted from the mean of all pictures


def test_a_colorization_says_which_style_each_cell_took_its_colours_from(
    halves: tuple[Pixels, list[Pixels]], narrow: Encoder
) -> None:
    truth, (first, second) = halves
    recipe = recipe_named("nishiki/likeness").changed(long_edge_px=128, styles=3)
    gray = np.full_like(first, 128)
    jobs = [Job("both", to_gray(truth), first, further=(Style(second), Style(gray))), Job("one", to_gray(truth), first)]
    notes: list[str] = []
    callbacks = ProgressCallbacks(tell=lambda _key, sentence: notes.append(sentence))
    both, one = Colorizer(recipe, Operands(narrow, "float32")).colorize(jobs, callbacks)
    assert isinstance(both, Colorization)
    assert isinstance(one, Colorization)
    assert both.measures["style_1"] + both.measures["style_2"] == pytest.approx(1.0)
    assert (set(np.unique(both.origins.style)), both.origins.in_place.max()) == ({1, 2}, 0)  # type: ignore[union-attr]
    assert [each for each in one.measures if each.startswith("style_")] == []
    assert one.trust is not None
    assert one.trust.shape == one.origins.style.shape  # type: ignore[union-attr]
    assert one.measures["trust"] == pytest.approx(one.trust.mean() / 255)
    assert len(notes) == 1
    assert notes[0].startswith("style image 3 gives no colours: the style image is grayscale")


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
def test_a_style_identical_to_the_content_gives_nearly_its_own_colours(
    photographs: dict[str, Pixels], narrow: Encoder, name: str
) -> None:
    own = chroma_of(photographs[name])
    found = coloured(to_gray(photographs[name]), photographs[name], narrow, OWN)
    assert found.shape == own.shape
    assert found.dtype == np.float32
    tint = np.broadcast_to(own.mean((0, 1)), own.shape)
    assert apart(found, own) < 0.6 * min(apart(tint, own), apart(np.zeros_like(own), own))


def test_a_print_finds_its_own_colours_in_itself_turned_and_cut(drawn: Pixels, narrow: Encoder) -> None:
    own = chroma_of(drawn)
    style = np.ascontiguousarray(drawn[8:, ::-1])
    tint = np.broadcast_to(chroma_of(style).mean((0, 1)), own.shape)
    assert apart(coloured(to_gray(drawn), style, narrow, OWN), own) < 0.8 * apart(tint, own)


@pytest.mark.parametrize("widths", [(4, 8, 8, 8, 8), (6, 6, 10, 10, 12), (3, 4, 5, 6, 7)])
def test_areas_that_only_their_lightness_tells_apart_get_the_colour_of_the_area_as_light(
    widths: tuple[int, ...],
) -> None:
    found = coloured(to_gray(CONTENT), STYLE, random_encoder(seed=5, widths=widths), OWN)
    for place, lab in ((UPPER, BLUE), (LOWER, RED), (MARGIN, PAPER)):
        assert apart(found[place], chroma_of(colour(lab))) < 5, lab


def test_the_weight_of_luminance_decides_where_features_say_nothing(narrow: Encoder) -> None:
    ours, theirs = to_gray(CONTENT), STYLE
    blind = replace(OWN, temperature=10.0)  # every cell is as like as any other
    weighed = replace(blind, luminance_weight=100.0)
    blended, found = (coloured(ours, theirs, narrow, replace(own, palette=0.0)) for own in (blind, weighed))
    assert apart(blended[UPPER], blended[LOWER]) < 8
    assert apart(found[UPPER], found[LOWER]) > 50


def test_ink_stays_neutral_inside_a_coloured_robe(narrow: Encoder) -> None:
    lines = tuple((np.s_[12:84, at : at + 2], INK) for at in range(12, 46, 6))
    style = areas((np.s_[12:84, 8:46], RED), *lines, (np.s_[12:84, 50:88], BLUE))
    turned = np.ascontiguousarray(style.transpose(1, 0, 2))
    found = coloured(to_gray(turned), style, narrow, OWN)
    ink = rgb2lab(turned)[..., 0] < 15
    robe = np.zeros_like(ink)
    robe[10:44, 14:82] = True
    assert np.hypot(*found[ink].T).max() < 10
    assert np.hypot(*found[robe & ~ink].T).mean() > 25


def test_candidates_that_contradict_one_another_give_one_even_colour_between_theirs(narrow: Encoder) -> None:
    one, other = TWINS
    assert np.ptp(to_gray(np.array([[colour(one), colour(other)]]))) == 0
    stripes = [(np.s_[12:84, at : at + 8], TWINS[at // 8 % 2]) for at in range(8, 88, 8)]
    content = to_gray(areas((np.s_[20:76, 20:76], one)))
    found = coloured(content, areas(*stripes), narrow, replace(OWN, palette=0.0))[30:66, 30:66]
    assert found.std((0, 1)).max() < 2
    assert min(apart(found, chroma_of(colour(each))) for each in TWINS) > 20


def test_a_doubtful_place_takes_its_neighbours_colour_and_a_doubtful_region_the_papers() -> None:
    carried = np.zeros((12, 24, 4), np.float32)
    carried[:, :12] = (30, 10, 0, 0)
    carried[:, 12:] = np.random.default_rng(2).normal(0, 60, (12, 12, 4))
    doubt = np.zeros((12, 24), np.float32)
    doubt[:, 12:] = 1e9
    doubt[4:7, 4:7] = 1e9
    carried[4:7, 4:7] = (-80, 90, 5, 5)
    lightness = np.repeat([60.0, 95.0], 12)[None].repeat(12, 0).astype(np.float32)
    paper = np.array([2, 14], np.float32)
    found = placed.agreed(carried, doubt, lightness, paper, OWN.agreement)
    assert found.dtype == np.float32
    # The paper pulls at every cell, by a fiftieth of its own word.
    assert found[3:8, 3:8].reshape(-1, 4) == pytest.approx(np.tile([29.4, 10.1, 0, 0], (25, 1)), abs=0.6)
    assert found[:, 12:].reshape(-1, 4) == pytest.approx(np.tile([2, 14, 0, 0], (144, 1)), abs=12)
    assert np.ptp(found[:, 14:], axis=(0, 1)).max() < 1


def test_without_a_say_for_neighbours_every_cell_keeps_its_own_word() -> None:
    carried = np.random.default_rng(2).normal(0, 20, (6, 8, 4)).astype(np.float32)
    lightness, paper = np.full((6, 8), 50, np.float32), np.zeros(2, np.float32)
    alone = placed.agreed(carried, np.zeros((6, 8), np.float32), lightness, paper, 0.0)
    assert alone == pytest.approx(carried / 1.02, rel=1e-5)
    spreads = [
        np.ptp(placed.agreed(carried, np.zeros((6, 8), np.float32), lightness, paper, agreement))
        for agreement in (0.0, 1.0, 20.0)
    ]
    assert all(less < more for more, less in pairwise(spreads))


@pytest.mark.parametrize("numbers", [1, 1 << 12, 100_000])
def test_the_size_of_the_blocks_changes_no_colour(
    drawn: Pixels, narrow: Encoder, monkeypatch: pytest.MonkeyPatch, numbers: int
) -> None:
    whole = coloured(to_gray(drawn), STYLE, narrow, OWN)
    monkeypatch.setattr(module, "_BLOCK", numbers)
    assert coloured(to_gray(drawn), STYLE, narrow, OWN) == pytest.approx(whole, abs=1e-2)


def test_the_same_pictures_give_the_same_chroma_to_the_last_bit(drawn: Pixels, narrow: Encoder) -> None:
    once, again = (coloured(to_gray(drawn), STYLE, narrow, OWN) for _ in range(2))
    assert (once == again).all()


@pytest.mark.parametrize(("content", "style"), [((16, 16), (16, 16)), ((16, 48), (96, 64)), ((64, 96), (16, 16))])
def test_the_smallest_pictures_and_any_two_shapes_are_exemplar(
    photographs: dict[str, Pixels], narrow: Encoder, content: tuple[int, int], style: tuple[int, int]
) -> None:
    picture, other = (np.tile(photographs["coffee"], (2, 2, 1))[: shape[0], : shape[1]] for shape in (content, style))
    found = coloured(to_gray(picture), np.ascontiguousarray(other), narrow, OWN)
    assert found.shape == (*content, 2)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_content_without_any_drawing_gets_finite_colours_of_the_style(narrow: Encoder, level: int) -> None:
    found = coloured(np.full((48, 48, 3), level, np.uint8), STYLE, narrow, replace(OWN, palette=0.0))
    known = chroma_of(STYLE).reshape(-1, 2)
    assert (found >= known.min(0) * (known.min(0) < 0) - 1).all()
    assert (found <= known.max(0) + 1).all()
