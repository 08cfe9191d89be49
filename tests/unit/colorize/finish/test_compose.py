"""What is kept of the scan and what is new in it, by every recipe that leaves the drawing alone."""

from collections.abc import Sequence
from dataclasses import astuple, replace

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from colorize.colorizer import Colorizer
from colorize.encoders.vgg19 import Encoder
from colorize.errors import BadMarks, BadRecipe, ColorizeError, PictureTooSmall, StyleWithoutColour, Unsolved
from colorize.finish import sparse_grid as grid
from colorize.finish.palette import paper_tone
from colorize.images.decode import Pixels
from colorize.images.frame import Frame, find_frame
from colorize.images.marks import Mark, Overlay, Strokes
from colorize.images.resize import resized, to_gray
from colorize.images.tone import Tone, judge_tone
from colorize.jobs import Job
from colorize.measures.targets import measure_saved
from colorize.methods.neural_style.engine import Operands
from colorize.methods.neural_style.losses import TargetCache
from colorize.recipes.library import recipe_named, recipes
from colorize.recipes.recipe import Recipe
from colorize.results import Colorization
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print

COLOUR = recipe_named("nishiki/colour").changed(long_edge_px=96)
NEURAL = recipe_named("jadh2016/config1_2_2").changed(
    lightness="content", guide_radius_px=3, tv_weight=1e-5, iterations=6, long_edge_px=64
)
RECIPES = {
    "exemplar": COLOUR,
    "reinhard": recipe_named("classics/reinhard2001").changed(long_edge_px=96),
    "welsh": recipe_named("classics/welsh2002").changed(long_edge_px=96),
    "neural style": NEURAL,
}
BLUE = 12.0, -22.0
"""a, b of a mark."""
MOUNT_PX = 36


@pytest.fixture(scope="module")
def content() -> Pixels:
    """A drawn print in gray, 240 × 160 px."""
    return to_gray(resized(draw_print(design(1), 0).pixels, 240, multiple=1))


@pytest.fixture(scope="module")
def style() -> Pixels:
    """Another one in colour."""
    return resized(draw_print(design(2), 0).pixels, 240, multiple=1)


@pytest.fixture(scope="module")
def mounted(content: Pixels) -> Pixels:
    """The print on a dark board with a little grain."""
    wide = ((MOUNT_PX, MOUNT_PX), (MOUNT_PX, MOUNT_PX), (0, 0))
    board = np.pad(content, wide, constant_values=40).astype(float)
    outside = np.ones(board.shape[:2], bool)
    outside[MOUNT_PX:-MOUNT_PX, MOUNT_PX:-MOUNT_PX] = False
    board += (np.random.default_rng(7).normal(0, 2, outside.shape) * outside)[..., None]
    return board.round().clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def toned(content: Pixels) -> Pixels:
    """The print in black ink on yellowed paper."""
    found = np.rint(content / 255 * (240, 212, 165)).astype(np.uint8)
    assert judge_tone(found).tone is Tone.TONED
    return found


@pytest.fixture(scope="module")
def plain(content: Pixels, style: Pixels, narrow: Encoder) -> dict[str, Colorization]:
    """The print by each recipe."""
    return {name: made(recipe, narrow, Job("x", content, style)) for name, recipe in RECIPES.items()}


@pytest.fixture(scope="module")
def framed(mounted: Pixels, style: Pixels, narrow: Encoder) -> dict[str, Colorization]:
    """The mounted print by each recipe."""
    return {name: made(recipe, narrow, Job("x", mounted, style)) for name, recipe in RECIPES.items()}


def ends(recipe: Recipe, encoder: Encoder, jobs: Sequence[Job]) -> list[Colorization | ColorizeError]:
    return Colorizer(recipe, Operands(encoder, "float32")).colorize(jobs)


def made(recipe: Recipe, encoder: Encoder, job: Job) -> Colorization:
    (found,) = ends(recipe, encoder, [job])
    assert isinstance(found, Colorization), found
    return found


def lightness(pixels: np.ndarray) -> np.ndarray:
    """By scikit-image, of gray or colour of any depth."""
    shares = pixels / np.iinfo(pixels.dtype).max
    return np.asarray(rgb2lab(shares if shares.ndim == 3 else np.stack([shares] * 3, -1))[..., 0])


def chroma_of(pixels: Pixels) -> np.ndarray:
    return np.asarray(rgb2lab(pixels)[..., 1:])


def stroke(at: tuple[int, int], scan: Pixels, width_px: float = 12.0) -> Strokes:
    """A blue stroke of 40 px, the middle of which lies at (row, column)."""
    red, green, blue = np.rint(lab2rgb(np.array([70, *BLUE])) * 255).astype(int).tolist()
    (row, column), (height, width) = at, scan.shape[:2]
    points = ((float(column - 20), float(row)), (float(column + 20), float(row)))
    return Strokes((Mark(points, (red, green, blue), width_px),), width, height)


def light_places(scan: Pixels, at: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """Pixels along the middle of such a stroke whose L has room for its colour."""
    rows, columns = np.mgrid[at[0] - 1 : at[0] + 2, at[1] - 15 : at[1] + 16]
    light = lightness(scan)[rows, columns] > 45
    assert light.sum() > 20
    return rows[light], columns[light]


@pytest.mark.parametrize("name", RECIPES)
def test_the_drawing_is_the_scans_own_at_its_full_size(
    name: str, plain: dict[str, Colorization], content: Pixels
) -> None:
    result = plain[name]
    assert result.picture.shape == content.shape
    assert result.picture.dtype == np.uint8
    assert result.deep is None
    assert result.measures["chroma_mean"] > 0.5
    changed = np.abs(lightness(result.picture) - lightness(content))
    assert changed.mean() < 0.1
    assert np.quantile(changed, 0.99) < 0.5
    assert result.measures["lightness_ssim"] > 0.999
    assert result.measures["lightness_difference_mean"] == pytest.approx(changed.mean(), abs=2e-3)


@pytest.mark.long
def test_so_it_is_by_every_named_recipe_that_promises_it(content: Pixels, style: Pixels, narrow: Encoder) -> None:
    promising = [recipe for recipe in recipes().values() if recipe.lightness == "content"]
    assert "locked/config3_3_4" in {recipe.name for recipe in promising}
    job = Job("x", content, style, marks=stroke((60, 80), content))
    for recipe in promising:
        result = made(
            recipe.changed(long_edge_px=48, iterations=min(recipe.parameters.iterations, 2) or None), narrow, job
        )
        assert result.picture.shape == content.shape, recipe.name
        assert np.abs(lightness(result.picture) - lightness(content)).mean() < 0.1, recipe.name


@pytest.mark.parametrize("name", RECIPES)
def test_outside_the_frame_every_pixel_is_the_scans(
    name: str, framed: dict[str, Colorization], mounted: Pixels
) -> None:
    frame = find_frame(mounted)
    assert frame == Frame(MOUNT_PX, MOUNT_PX, *(side - MOUNT_PX for side in mounted.shape[:2]))
    changed = (framed[name].picture != mounted).any(2)
    assert frame.crop(changed).mean() > 0.2
    frame.crop(changed)[:] = False
    assert not changed.any()


@pytest.mark.parametrize("name", RECIPES)
def test_a_print_has_the_same_colours_and_figures_with_and_without_its_mount(
    name: str, plain: dict[str, Colorization], framed: dict[str, Colorization]
) -> None:
    alone, found = plain[name], framed[name]
    assert (found.picture[MOUNT_PX:-MOUNT_PX, MOUNT_PX:-MOUNT_PX] == alone.picture).all()
    assert astuple(found.errors) == pytest.approx(astuple(alone.errors), rel=1e-6)
    assert found.measures == pytest.approx(alone.measures)


def test_the_mount_of_the_style_lends_no_colour(
    plain: dict[str, Colorization], content: Pixels, style: Pixels, narrow: Encoder
) -> None:
    wide = ((MOUNT_PX, MOUNT_PX), (MOUNT_PX, MOUNT_PX))
    board = [np.pad(style[..., at], wide, constant_values=tone) for at, tone in enumerate((30, 60, 130))]
    found = made(COLOUR, narrow, Job("x", content, np.stack(board, -1)))
    assert (found.picture == plain["exemplar"].picture).all()


def test_neural_style_lends_its_colours_alone(photographs: dict[str, Pixels], narrow: Encoder) -> None:
    job = Job("x", to_gray(photographs["chelsea"]), photographs["coffee"])
    strong = NEURAL.changed(iterations=12, guide_radius_px=0, long_edge_px=64)
    locked, free = (made(strong.changed(lightness=lightness), narrow, job) for lightness in ("content", "free"))
    assert locked.picture.shape == free.picture.shape
    assert np.abs(lightness(free.picture) - lightness(job.content)).mean() > 1
    assert np.abs(lightness(locked.picture) - lightness(job.content)).mean() < 0.1
    wanted, found = chroma_of(free.picture), chroma_of(locked.picture)
    assert np.hypot(*wanted.T).mean() > 2
    assert np.hypot(*(found - wanted).T).mean() < 1, "8 bits and the gamut"
    assert locked.trace == free.trace


def test_the_free_lightness_of_neural_style_sees_the_whole_scan_at_working_size(
    mounted: Pixels, style: Pixels, narrow: Encoder
) -> None:
    result = made(NEURAL.changed(lightness="free"), narrow, Job("x", mounted, style))
    assert result.picture.shape == (64, 48, 3)


@pytest.mark.parametrize("name", ["exemplar", "welsh", "neural style"])
def test_a_scan_of_sixteen_bits_is_kept_as_deep_as_it_is(
    name: str, content: Pixels, style: Pixels, narrow: Encoder
) -> None:
    fine = np.random.default_rng(3).integers(0, 128, content.shape[:2])
    gray16 = (content[..., 0].astype(int) * 256 + fine).astype(np.uint16)
    shallow = np.repeat((gray16 // 257 + (gray16 % 257 > 128)).astype(np.uint8)[..., None], 3, 2)
    result = made(RECIPES[name], narrow, Job("x", shallow, style, deep=gray16))
    assert result.deep is not None
    assert result.deep.shape == result.picture.shape == content.shape
    assert result.deep.dtype == np.uint16
    assert np.abs(lightness(result.deep) - lightness(gray16)).max() < 0.02
    assert result.picture.dtype == np.uint8
    assert np.abs(lightness(result.picture) - lightness(gray16)).mean() < 0.1
    assert result.measures["lightness_difference_mean"] < 1e-3, "taken of what is kept, all its bits"


@pytest.mark.parametrize("name", ["exemplar", "reinhard", "neural style"])
@pytest.mark.parametrize("on_a_mount", [False, True])
def test_a_mark_holds_where_it_was_drawn(
    name: str,
    on_a_mount: bool,
    plain: dict[str, Colorization],
    framed: dict[str, Colorization],
    request: pytest.FixtureRequest,
) -> None:
    scan, style, narrow = (
        request.getfixturevalue(each) for each in ("mounted" if on_a_mount else "content", "style", "narrow")
    )
    before, shift = (framed[name], MOUNT_PX) if on_a_mount else (plain[name], 0)
    at = 32 + shift, 104 + shift
    places = light_places(scan, at)
    after = made(RECIPES[name], narrow, Job("x", scan, style, marks=stroke(at, scan)))
    assert chroma_of(after.picture)[places].mean(0) == pytest.approx(BLUE, abs=4)
    assert np.hypot(*(chroma_of(before.picture)[places].mean(0) - BLUE)) > 15
    change = np.hypot(*np.moveaxis(chroma_of(after.picture) - chroma_of(before.picture), -1, 0))
    assert change[places].mean() > 3 * np.roll(change, 130 + shift, 0)[places].mean(), "far away less is changed"
    assert after.measures["lightness_ssim"] > 0.999


def test_a_mark_on_the_mount_alone_changes_nothing(
    framed: dict[str, Colorization], mounted: Pixels, style: Pixels, narrow: Encoder
) -> None:
    marked = made(COLOUR, narrow, Job("x", mounted, style, marks=stroke((12, 60), mounted, width_px=5)))
    assert (marked.picture == framed["exemplar"].picture).all()


def test_an_overlay_holds_on_a_mounted_scan_as_strokes_do(mounted: Pixels, style: Pixels, narrow: Encoder) -> None:
    at = 32 + MOUNT_PX, 104 + MOUNT_PX
    overlay = Overlay(stroke(at, mounted).painted(mounted.shape[:2]))
    result = made(COLOUR, narrow, Job("x", mounted, style, marks=overlay))
    assert chroma_of(result.picture)[light_places(mounted, at)].mean(0) == pytest.approx(BLUE, abs=4)


@pytest.mark.long
def test_a_toned_original_gets_the_styles_paper_unless_it_is_to_keep_its_own(
    toned: Pixels, style: Pixels, narrow: Encoder
) -> None:
    own, theirs = paper_tone(rgb2lab(toned)), paper_tone(rgb2lab(style))
    assert np.hypot(*(own - theirs)) > 8
    given, kept = (made(COLOUR.changed(paper=paper), narrow, Job("x", toned, style)) for paper in ("style", "own"))
    papers = [paper_tone(rgb2lab(each.picture)) for each in (given, kept)]
    assert np.hypot(*(papers[0] - theirs)) < np.hypot(*(papers[0] - own))
    assert np.hypot(*(papers[1] - own)) < min(5, np.hypot(*(papers[1] - theirs)))
    for each in (given, kept):
        assert np.abs(lightness(each.picture) - lightness(toned)).mean() < 0.1


@pytest.mark.parametrize(("name", "level"), [(name, 230) for name in RECIPES] + [("exemplar", 128)])
def test_a_blank_content_is_refused_and_has_the_papers_tone(
    name: str, level: int, style: Pixels, narrow: Encoder
) -> None:
    blank = np.full((120, 90, 3), level, np.uint8)
    result = made(RECIPES[name], narrow, Job("x", blank, style))
    assert result.refusal == "nothing to colour: the content is blank"
    assert (result.picture == result.picture[0, 0]).all()
    small = resized(style, RECIPES[name].long_edge_px)
    assert chroma_of(result.picture)[0, 0] == pytest.approx(paper_tone(rgb2lab(small)), abs=1)
    assert lightness(result.picture)[0, 0] == pytest.approx(lightness(blank)[0, 0], abs=0.2)


def test_a_blank_toned_content_that_is_to_keep_its_paper_keeps_it(style: Pixels, narrow: Encoder) -> None:
    blank = np.full((120, 90, 3), (240, 215, 170), np.uint8)
    result = made(COLOUR.changed(paper="own"), narrow, Job("x", blank, style))
    assert result.refusal == "nothing to colour: the content is blank"
    assert np.abs(result.picture.astype(int) - blank).max() <= 2


@pytest.mark.parametrize("name", ["exemplar", "reinhard", "neural style"])
def test_a_gray_or_toned_style_is_refused_by_its_tone(
    name: str, content: Pixels, toned: Pixels, style: Pixels, narrow: Encoder
) -> None:
    board = np.pad(toned, ((30, 30), (30, 30), (0, 0)), constant_values=40)
    found = ends(
        RECIPES[name], narrow, [Job(str(at), content, each) for at, each in enumerate((content, toned, board))]
    )
    for each, tone in zip(found, ("grayscale", "toned", "toned"), strict=True):
        assert isinstance(each, StyleWithoutColour)
        assert f"the style image is {tone}, not a colour print (" in str(each)
        assert "choose one in colour" in str(each)


def test_a_recipe_of_the_papers_takes_a_gray_style_still(content: Pixels, narrow: Encoder) -> None:
    result = made(NEURAL.changed(lightness="free"), narrow, Job("x", content, content))
    assert str(result.refusal).startswith("still gray")


def test_a_result_that_is_trusted_too_little_is_refused_in_words_and_its_map_is_there_all_the_same(
    mounted: Pixels, style: Pixels, narrow: Encoder
) -> None:
    result = made(COLOUR.changed(limits={"trust": [0.9, 1]}), narrow, Job("x", mounted, style))
    assert result.refusal == f"trust in the colours {result.measures['trust']:.3g}, 0.9 is the least"
    assert result.trust is not None
    assert result.frame == find_frame(mounted)


@pytest.mark.parametrize("recipe", [COLOUR, RECIPES["welsh"], NEURAL, NEURAL.changed(lightness="free")])
def test_a_result_outside_its_recipes_limits_is_refused_with_its_numbers(
    recipe: Recipe, photographs: dict[str, Pixels], narrow: Encoder
) -> None:
    job = Job("x", to_gray(photographs["chelsea"]), photographs["coffee"])
    recipe = recipe.changed(limits={}, iterations=12 if recipe.parameters.iterations else None)
    free = made(recipe, narrow, job)
    chroma, full = free.measures["chroma_mean"], free.measures["colourfulness"]
    limits = {"chroma_mean": [0, chroma / 2], "colourfulness": [2 * full, 999], "lightness_ssim": [0.9, 1]}
    strict = made(recipe.changed(limits=limits), narrow, job)
    assert free.refusal is None
    assert strict.refusal is not None
    first, second = strict.refusal.split("; ")
    assert first == f"mean chroma {chroma:.3g}, {chroma / 2:g} is the most"
    assert second == f"colourfulness {full:.3g}, {2 * full:g} is the least"
    assert (strict.picture == free.picture).all(), "a refused picture is there to be looked at"


def test_the_default_recipe_passes_its_own_limits_on_a_drawn_print(
    content: Pixels, style: Pixels, narrow: Encoder
) -> None:
    assert COLOUR.limits
    assert made(COLOUR, narrow, Job("x", content, style)).refusal is None


def test_marks_for_a_recipe_that_paints_over_the_drawing_are_refused(
    content: Pixels, style: Pixels, narrow: Encoder
) -> None:
    free = recipe_named("jadh2016/config1_2_2").changed(iterations=0, long_edge_px=48)
    (found,) = ends(free, narrow, [Job("x", content, style, marks=stroke((60, 80), content))])
    assert isinstance(found, BadMarks)
    assert "jadh2016/config1_2_2 paints over the drawing; give marks to one such as nishiki/colour" in str(found)


@pytest.mark.parametrize("name", ["exemplar", "neural style"])
def test_a_bad_job_stops_no_other(name: str, content: Pixels, style: Pixels, narrow: Encoder) -> None:
    good = Job("good", content, style)
    jobs = [
        Job("gray", content, content),
        good,
        Job("tiny", content[:12], style),
        Job("blank", np.full_like(content, 200), style),
        replace(good, key="again"),
    ]
    found = ends(RECIPES[name], narrow, jobs)
    kinds = [StyleWithoutColour, Colorization, PictureTooSmall, Colorization, Colorization]
    assert [type(each) for each in found] == kinds
    results = [each for each in found if isinstance(each, Colorization)]
    assert [each.key for each in results] == ["good", "blank", "again"]
    assert (results[0].picture == results[2].picture).all()


@pytest.mark.parametrize("name", ["exemplar", "neural style"])
def test_marks_that_cannot_be_spread_stop_no_other(
    name: str, content: Pixels, style: Pixels, narrow: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid, "MOST_ROUNDS", 0)
    good = Job("good", content, style)
    found = ends(RECIPES[name], narrow, [replace(good, key="marked", marks=stroke((60, 80), content)), good])
    assert [type(each) for each in found] == [Unsolved, Colorization]
    (alone,) = ends(RECIPES[name], narrow, [replace(good, key="marked", marks=stroke((60, 80), content))])
    assert isinstance(alone, Unsolved)


@pytest.mark.parametrize("name", RECIPES)
def test_measured_again_as_it_was_saved_a_result_comes_to_the_same_errors(
    name: str, framed: dict[str, Colorization], mounted: Pixels, style: Pixels, narrow: Encoder
) -> None:
    job, saved = Job("x", mounted, style), framed[name].picture
    found = measure_saved(RECIPES[name], narrow, TargetCache(), job, saved)
    assert astuple(found) == pytest.approx(astuple(framed[name].errors), rel=1e-6)
    other = measure_saved(RECIPES[name], narrow, TargetCache(), job, np.ascontiguousarray(saved[::-1]))
    assert astuple(other) != pytest.approx(astuple(found), rel=1e-2)


def test_from_marks_alone_a_region_is_coloured_and_without_any_the_job_is_refused(
    content: Pixels, style: Pixels, narrow: Encoder
) -> None:
    at, recipe = (32, 104), recipe_named("nishiki/marks").changed(long_edge_px=96)
    bare = Job("bare", content, style)
    marked, found = ends(recipe, narrow, [replace(bare, key="marked", marks=stroke(at, content)), bare])
    assert isinstance(marked, Colorization)
    assert chroma_of(marked.picture)[light_places(content, at)].mean(0) == pytest.approx(BLUE, abs=4)
    assert marked.measures["lightness_ssim"] > 0.999
    assert isinstance(found, BadMarks)
    assert "from marks alone" in str(found)


def test_a_colour_layer_that_no_encoder_has_is_nobodys_pictures_fault(narrow: Encoder) -> None:
    with pytest.raises(BadRecipe, match="no layer conv9_9"):
        Colorizer(
            recipe_named("nishiki/likeness").changed(colour_layers=("conv3_4", "conv9_9")), Operands(narrow, "float32")
        )
