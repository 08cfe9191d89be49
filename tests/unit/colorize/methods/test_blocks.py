"""Areas that choose their pigment: on evidence and pictures whose right colours are known by construction."""

from dataclasses import replace

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from colorize.colorizer import Colorizer
from colorize.encoders.loading import load_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.encoders.weights import shipped_weights
from colorize.errors import WeightsCorrupt
from colorize.images.decode import Pixels
from colorize.images.resize import resized, to_gray
from colorize.jobs import Job
from colorize.matching.geometry import Registered
from colorize.methods.exemplar.blocks import blocks, norm, painted
from colorize.methods.exemplar.evidence import LEVELS, Evidence, evidence, with_place
from colorize.methods.exemplar.found import Transfer
from colorize.methods.exemplar.parameters import Blocks
from colorize.methods.exemplar.printing import printed
from colorize.methods.exemplar.prior import Prior, load_prior
from colorize.methods.exemplar.trust import IN_PLACE, signs, trust
from colorize.methods.neural_style.engine import Operands
from colorize.recipes.library import recipe_named
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print

OWN = Blocks.of(recipe_named("nishiki/colour"))
PAPER, RED, BLUE = 0, 1, 2
CLASSES = np.array([(0, 12), (50, 30), (0, -40)], np.float32)
LIGHTNESS = np.full((64, 64), 90, np.float32)
LIGHTNESS[8:56, 8:28], LIGHTNESS[8:56, 36:56] = 60, 30
LEFT, RIGHT, AROUND = np.s_[16:48, 12:24], np.s_[16:48, 40:52], np.s_[:4]


def said(cells: np.ndarray, inks: np.ndarray | None = None) -> Evidence:
    """Evidence on 16 × 16 cells, (16, 16, 3); inks say nothing unless they are given."""
    logits = np.asarray(cells, np.float32).reshape(-1, 3)
    inks = np.zeros((LEVELS, 3), np.float32) if inks is None else inks
    return Evidence(logits, inks, logits, np.ones((1, 16, 16), np.float32))


def chosen(cells: np.ndarray, own: Blocks = OWN, inks: np.ndarray | None = None) -> np.ndarray:
    return painted(blocks(said(cells, inks), CLASSES, LIGHTNESS, own), LIGHTNESS)


def noisy(left: int, right: int, around: int = PAPER, strength: float = 2.0) -> np.ndarray:
    """Cells whose areas lean to a class each, under noise that hides it in many a cell."""
    cells = np.random.default_rng(0).normal(0, strength, (16, 16, 3))
    for place, kind in ((np.s_[:, :], around), (np.s_[2:14, 2:7], left), (np.s_[2:14, 9:14], right)):
        cells[place] = np.random.default_rng(1).normal(0, strength, cells[place].shape)
        cells[(*place, kind)] += strength
    return cells


def test_an_area_has_one_colour_and_it_is_the_one_that_most_of_its_cells_speak_for() -> None:
    found = chosen(noisy(RED, BLUE))
    for place, kind in ((LEFT, RED), (RIGHT, BLUE), (AROUND, PAPER)):
        assert np.ptp(found[place], axis=(0, 1)).max() < 1e-3
        assert norm(found[place][0, 0] - CLASSES).argmin() == kind


def test_areas_choose_where_a_mean_would_mix() -> None:
    cells = np.zeros((16, 16, 3))
    cells[2:14, 2:7], cells[2:14, 9:14] = (0, 0.6, 0.2), (0, 0.2, 0.6)
    cells[..., PAPER] += 0.3
    mixed, decided = (chosen(cells, replace(OWN, decision=decision, chroma=0.0)) for decision in (1.0, 6.0))
    red, blue = (norm(each[LEFT][0, 0] - each[RIGHT][0, 0]) for each in (mixed, decided))
    assert blue > 3 * red


def test_every_class_keeps_its_part_of_the_sheet_however_firmly_areas_choose() -> None:
    cells = np.zeros((16, 16, 3))
    cells[..., PAPER] = 1.5
    cells[2:14, 2:7, RED] = 1.0
    even, firm = (chosen(cells, replace(OWN, decision=decision, chroma=0.0)) for decision in (1.0, 6.0))
    assert norm(firm).mean() == pytest.approx(norm(even).mean(), rel=0.35)
    assert firm[LEFT][..., 0].mean() > 1.5 * even[LEFT][..., 0].mean()


def test_within_an_area_colour_follows_lightness_as_the_styles_inks_do() -> None:
    lightness = np.tile(np.linspace(20, 90, 64, dtype=np.float32), (64, 1))
    inks = np.full((LEVELS, 3), -2, np.float32)
    inks[: LEVELS // 2, BLUE] = inks[LEVELS // 2 :, PAPER] = 0
    made = painted(blocks(said(np.zeros((16, 16, 3)), inks), CLASSES, lightness, OWN), lightness)
    assert norm(made[32, 4] - CLASSES).argmin() == BLUE
    assert norm(made[32, 60] - CLASSES).argmin() == PAPER
    assert np.ptp(made[32, :, 1]) > 20


def test_chroma_that_mixing_takes_is_given_back_as_far_as_the_recipe_says_and_sure_colours_stay() -> None:
    cells = np.zeros((16, 16, 3))
    cells[2:14, 2:7, RED] = 30
    none, half, whole = (norm(chosen(cells, replace(OWN, chroma=part))) for part in (0.0, 0.5, 1.0))
    assert whole[AROUND].mean() > 1.2 * none[AROUND].mean()
    assert half == pytest.approx((none + whole) / 2, rel=1e-3)
    assert whole[LEFT] == pytest.approx(none[LEFT], rel=0.02)


def test_areas_that_look_alike_hear_one_another_wherever_they_lie() -> None:
    """Three flat areas: the doubtful one leans to RED by itself; one on the other side says BLUE, aloud."""
    cells = np.zeros((16, 16, 3))
    cells[..., PAPER] = 3
    cells[2:14, 2:7], cells[2:14, 9:14] = (0, 0.4, 0), (0, 0, 6)
    other = LIGHTNESS.copy()
    other[LIGHTNESS == 30] = 60
    alike, apart = (painted(blocks(said(cells), CLASSES, each, OWN), each) for each in (other, LIGHTNESS))
    assert norm(apart[LEFT][0, 0] - CLASSES).argmin() == RED
    assert norm(alike[LEFT][0, 0] - CLASSES).argmin() == BLUE


def test_trust_falls_with_what_the_evidence_contradicts() -> None:
    cells = np.zeros((16, 16, 3))
    cells[2:14, 2:7, RED] = 8
    evidence = said(cells)
    found = blocks(evidence, CLASSES, LIGHTNESS, OWN)
    sure = trust(found, evidence, CLASSES, 0)
    assert sure.shape == LIGHTNESS.shape
    assert ((sure >= 0) & (sure <= 1)).all()
    assert sure[LEFT].mean() > sure[RIGHT].mean() + 0.1
    assert signs(found, evidence, CLASSES, 0).shape == (found.areas.max() + 1, 4)
    assert (trust(found, evidence, CLASSES, 10) < sure).all()


@pytest.fixture(scope="module")
def prior() -> Prior:
    return load_prior()


@pytest.fixture(scope="module")
def shipped() -> Encoder:
    return load_encoder(shipped_weights())


@pytest.fixture(scope="module")
def drawn() -> tuple[Pixels, Pixels]:
    """Two drawn prints of other designs, 256 px."""
    first, second = (resized(draw_print(design(number), 0).pixels, 256) for number in (1, 2))
    return first, second


def made_of(
    content: Pixels, styles: list[Pixels], prior: Prior, encoder: Encoder, laid: Registered | None = None
) -> Transfer:
    return printed(to_gray(content), styles, laid, prior, encoder, OWN)


def test_a_print_gets_the_colours_that_its_styles_have_at_its_lightness(
    drawn: tuple[Pixels, Pixels], prior: Prior, shipped: Encoder
) -> None:
    content, style = drawn
    truth = np.asarray(rgb2lab(content)[..., 1:], np.float32)
    found = made_of(content, [content, style], prior, shipped)
    assert found.chroma.shape == truth.shape
    assert found.chroma.dtype == np.float32
    assert norm(found.chroma - truth).mean() < 0.75 * norm(truth).mean()
    assert found.shares.sum(0) == pytest.approx(1, abs=1e-4)
    assert found.shares[0].mean() > found.shares[1].mean()
    assert found.trust.shape == found.in_place.shape == (truth.shape[0] // 4, truth.shape[1] // 4)


def test_where_the_style_is_of_the_same_design_colours_are_taken_in_place(
    drawn: tuple[Pixels, Pixels], prior: Prior, shipped: Encoder
) -> None:
    content, _ = drawn
    height, width = content.shape[:2]
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    laid = Registered(content, np.ones((height, width), np.float32), 0.0, places, 1.0)
    truth = np.asarray(rgb2lab(content)[..., 1:], np.float32)
    placed, free = (made_of(content, [content], prior, shipped, each) for each in (laid, None))
    assert norm(placed.chroma - truth).mean() < 0.6 * norm(free.chroma - truth).mean()
    assert (placed.in_place.min(), free.in_place.max()) == (1, 0)
    assert placed.trust == pytest.approx(IN_PLACE)


def test_areas_lean_to_what_another_impression_has_in_their_place(
    drawn: tuple[Pixels, Pixels], prior: Prior, shipped: Encoder
) -> None:
    content, other = drawn
    truth, lab = (np.asarray(rgb2lab(each), np.float32) for each in drawn)
    free = evidence(prior, shipped, to_gray(content), [other], [lab], OWN)
    away = [
        norm(painted(blocks(each, prior.classes, truth[..., 0], OWN), truth[..., 0]) - truth[..., 1:]).mean()
        for each in (free, with_place(free, prior, truth))
    ]
    assert away[1] < 0.9 * away[0]


def test_the_paper_of_a_brighter_scan_is_led_to_a_paler_tone(
    drawn: tuple[Pixels, Pixels], prior: Prior, shipped: Encoder
) -> None:
    content, style = drawn
    dim = np.rint(style * 0.8).astype(np.uint8)
    paper = content.min(axis=2) >= np.quantile(content.min(axis=2), 0.95)
    beside, bright = (made_of(content, [each], prior, shipped).chroma[paper] for each in (style, dim))
    assert norm(bright).mean() < norm(beside).mean() - 1


@pytest.mark.parametrize("shape", [(16, 16), (64, 48), (1024, 48)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_contents_and_scrolls_get_one_quiet_colour(
    prior: Prior, shipped: Encoder, drawn: tuple[Pixels, Pixels], shape: tuple[int, int], level: int
) -> None:
    found = made_of(np.full((*shape, 3), level, np.uint8), [drawn[1]], prior, shipped)
    assert np.isfinite(found.chroma).all()
    assert np.ptp(found.chroma, axis=(0, 1)).max() < 2
    assert norm(found.chroma).max() < (40 if level else 15)


def test_lines_of_black_ink_stay_neutral(prior: Prior, shipped: Encoder, drawn: tuple[Pixels, Pixels]) -> None:
    red, ink = (np.rint(lab2rgb(np.array(each, float)) * 255).astype(np.uint8) for each in ((55, 50, 30), (8, 0, 0)))
    content = np.tile(red, (128, 128, 1))
    content[:, ::16] = ink
    found = made_of(content, [content], prior, shipped)
    assert norm(found.chroma[:, ::16]).mean() < 10
    assert norm(found.chroma[:, 8::16]).mean() > 15


def test_the_recipe_names_the_prior_that_is_shipped(prior: Prior) -> None:
    assert OWN.prior == prior.checksum


def test_a_recipe_of_another_prior_is_refused_by_name(drawn: tuple[Pixels, Pixels], shipped: Encoder) -> None:
    recipe = recipe_named("nishiki/colour").changed(prior="0" * 64, long_edge_px=128)
    with pytest.raises(WeightsCorrupt, match="the recipe asks for the prior 000000000000, and"):
        Colorizer(recipe, Operands(shipped, "float32")).colorize([Job("x", to_gray(drawn[0]), drawn[1])])
