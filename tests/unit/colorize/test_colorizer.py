"""The door to colorizing: jobs in, pictures with their figures or reasons out; what stops one and what stops all."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor

from colorize.colorizer import Colorizer, Conditions, colorizer_for
from colorize.encoders.vgg19 import Encoder
from colorize.errors import BadRecipe, ColorizeError, Diverged, OutOfMemory, PictureTooSmall
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.jobs import Job
from colorize.measures.quality import picture_measures
from colorize.measures.relative_errors import relative_errors
from colorize.measures.targets import minibatch_targets
from colorize.methods.neural_style.engine import Operands, multiplies_bfloat16
from colorize.methods.neural_style.losses import Decay, Evaluator, ReferenceEvaluator, TargetCache, Targets, Terms
from colorize.recipes.library import recipe_named
from colorize.recipes.recipe import Precision, Recipe
from colorize.results import Colorization
from colorize.running.prepare import prepare, to_tensor
from colorize.running.progress import ProgressCallbacks
from tests.unit.colorize.methods.neural_style.evaluators import Watched, targets_of

RECIPE = recipe_named("jadh2016/config1_2_2").changed(iterations=12, long_edge_px=48, tv_weight=1e-5)


def colorizer(encoder: Encoder, recipe: Recipe = RECIPE, precision: Precision = "float32") -> Colorizer:
    return Colorizer(recipe, Operands(encoder, precision))


@pytest.fixture(scope="module")
def jobs(photographs: dict[str, Pixels]) -> list[Job]:
    """Contents of two sizes, in turn; the third is of the first's size."""
    square, wide = photographs["astronaut"], photographs["coffee"]
    return [
        Job("square", to_gray(square), wide),
        Job("wide", to_gray(wide), photographs["chelsea"]),
        Job("turned", to_gray(square[::-1]), photographs["chelsea"]),
    ]


@pytest.fixture(scope="module")
def results(narrow: Encoder, jobs: list[Job]) -> list[Colorization]:
    return colorizations(colorizer(narrow).colorize(jobs))


def colorizations(found: list[Colorization | ColorizeError]) -> list[Colorization]:
    good = [result for result in found if isinstance(result, Colorization)]
    assert len(good) == len(found), found
    return good


class Through(Operands):
    """Operands whose evaluator is wrapped in another."""

    def __init__(self, encoder: Encoder, wrap: Callable[[Evaluator], Evaluator]) -> None:
        super().__init__(encoder, "float32")
        self._wrap = wrap

    def evaluator(self, recipe: Recipe) -> Evaluator:
        return self._wrap(super().evaluator(recipe))


def blind_to_white(evaluator: Evaluator) -> Evaluator:
    """NaN for pictures that are white all over."""
    return Watched(evaluator, lambda _number, pictures: pictures.flatten(1).amin(1) >= 255)


@dataclass(frozen=True)
class Cramped(Watched):
    """Fails with an error on stacks that are too much for it."""

    error: Exception = field(default_factory=lambda: torch.OutOfMemoryError("tried to allocate 99 GiB"))
    too_much: Callable[[Tensor], bool] = lambda pictures: len(pictures) > 1

    def evaluate(self, targets: Targets, pictures: Tensor, decay: Decay) -> tuple[Terms, Tensor]:
        if self.too_much(pictures):
            raise self.error
        return super().evaluate(targets, pictures, decay)


def test_results_come_in_the_order_of_the_jobs_whatever_their_sizes(
    results: list[Colorization], jobs: list[Job]
) -> None:
    assert [result.key for result in results] == [job.key for job in jobs]
    assert [result.picture.shape for result in results] == [(48, 48, 3), (32, 48, 3), (48, 48, 3)]
    for result, job in zip(results, jobs, strict=True):
        content, others = prepare(RECIPE, job).content, [prepare(RECIPE, other).content for other in jobs]
        drawing = [
            picture_measures(other, result.picture)["lightness_ssim"]
            for other in others
            if other.shape == content.shape
        ]
        assert picture_measures(content, result.picture)["lightness_ssim"] == max(drawing), (
            "the drawing is another job's"
        )


def test_a_result_is_an_ordinary_picture_in_colour_with_its_run(results: list[Colorization]) -> None:
    for result in results:
        assert result.picture.dtype == np.uint8
        assert result.refusal is None
        assert result.measures["chroma_mean"] > 1
        assert [entry["iteration"] for entry in result.trace] == [0, 10, 11]
        assert result.trace[-1]["total"] < result.trace[0]["total"]
        assert (result.iterations, result.seed, result.device) == (12, 0, "cpu")
        assert result.precision == "float32"
        assert result.measures["restored"] == result.measures["halvings"] == 0
        assert result.seconds > 0


def test_errors_and_measures_are_those_of_the_saved_picture(
    results: list[Colorization], jobs: list[Job], narrow: Encoder
) -> None:
    for result, job in zip(results, jobs, strict=True):
        working = prepare(RECIPE, job)
        pictures = (working.content, working.style, result.picture)
        content, style, saved = (to_tensor(pixels, narrow) for pixels in pictures)
        targets = targets_of(ReferenceEvaluator(RECIPE, narrow), content, [style])
        (errors,) = relative_errors(RECIPE, narrow, targets, saved)
        for name in ("content_sum", "content_mean", "style_sum", "style_mean"):
            assert getattr(result.errors, name) == pytest.approx(getattr(errors, name), rel=1e-3), name
        measures = picture_measures(working.content, result.picture)
        assert {name: result.measures[name] for name in measures} == pytest.approx(dict(measures))


def test_a_job_alone_comes_to_the_same_picture_and_figures_as_in_a_batch(
    results: list[Colorization], jobs: list[Job], narrow: Encoder
) -> None:
    assert [result.measures["stack"] for result in results] == [2, 1, 2]
    for job, result in zip(jobs, results, strict=True):
        (alone,) = colorizations(colorizer(narrow).colorize([job]))
        assert (alone.picture == result.picture).all()
        assert alone.trace == result.trace
        assert alone.errors.total_mean == pytest.approx(result.errors.total_mean, rel=1e-4)


def test_progress_is_told_in_parts_of_pictures(narrow: Encoder, jobs: list[Job]) -> None:
    told: list[float] = []
    colorizer(narrow).colorize(jobs, ProgressCallbacks(told.append))
    assert sorted(told) == pytest.approx([1 / 12] * 12 + [2 / 12] * 12)
    sgd = RECIPE.changed(optimiser="sgd", iterations=20)
    told.clear()
    colorizer(narrow, sgd).colorize(jobs[:1], ProgressCallbacks(told.append))
    assert told == pytest.approx([1 / 24] * 24), "the trials of other rates are part of the work"


def test_without_jobs_there_are_no_results(narrow: Encoder) -> None:
    assert colorizer(narrow).colorize([]) == []


def test_a_gray_result_is_refused_and_still_told(narrow: Encoder, jobs: list[Job]) -> None:
    for result in colorizations(colorizer(narrow, RECIPE.changed(style_over_content=0.0)).colorize(jobs)):
        assert result.refusal is not None
        assert "still gray" in result.refusal


def test_a_picture_that_never_is_finite_has_diverged_and_its_neighbour_has_not(
    narrow: Encoder, jobs: list[Job]
) -> None:
    blank = np.full((48, 48, 3), 255, dtype=np.uint8)
    partly_blind = Colorizer(RECIPE, Through(narrow, blind_to_white))
    diverged, fine = partly_blind.colorize([Job("blank", blank, jobs[0].style), jobs[0]])
    assert isinstance(diverged, Diverged)
    assert "jadh2016/config1_2_2" in str(diverged)
    assert isinstance(fine, Colorization)
    assert fine.measures["restored"] == 0
    assert fine.measures["lightness_ssim"] > 0


def test_a_picture_that_the_device_cannot_hold_fails_alone_and_gives_no_picture(
    narrow: Encoder, jobs: list[Job]
) -> None:
    def full(evaluator: Evaluator) -> Evaluator:
        return Cramped(evaluator, too_much=lambda pictures: pictures.shape[2] == pictures.shape[3])

    square, wide, turned = Colorizer(RECIPE, Through(narrow, full)).colorize(jobs)
    for failed in (square, turned):
        assert isinstance(failed, OutOfMemory)
        assert failed.transient
    assert "no room for a picture of 48×48 px (tried to allocate 99 GiB)" in str(square)
    assert "--size" in str(turned)
    assert isinstance(wide, Colorization)


def test_a_fault_of_ours_stops_the_batch(narrow: Encoder, jobs: list[Job]) -> None:
    with pytest.raises(BadRecipe, match="conv9_1"):
        colorizer(narrow, RECIPE.changed(style_layers=("conv9_1",))).colorize(jobs)


def test_a_colorizer_computes_in_what_is_asked_for_else_in_what_the_device_multiplies(
    narrow: Encoder, jobs: list[Job]
) -> None:
    usual: Precision = "bfloat16" if multiplies_bfloat16(torch.device("cpu")) else "float32"
    asked: list[tuple[Precision | None, Precision]] = [(None, usual), ("float32", "float32"), ("float64", "float64")]
    for each, precision in [*asked, ("bfloat16", "bfloat16")]:
        made = colorizer_for(RECIPE, narrow, "cpu", Conditions(precision=each))
        (result,) = colorizations(made.colorize(jobs[:1]))
        assert result.precision == precision
        assert isinstance(made.operands.evaluator(RECIPE), ReferenceEvaluator) == (precision == "float64")


def test_all_precisions_come_to_much_the_same_picture(
    narrow: Encoder, jobs: list[Job], results: list[Colorization]
) -> None:
    for precision, allowed in (("float64", 1.0), ("bfloat16", 3.0)):
        made = colorizer(narrow, precision="float64" if precision == "float64" else "bfloat16")
        for result, other in zip(results, colorizations(made.colorize(jobs)), strict=True):
            assert np.abs(result.picture.astype(float) - other.picture).mean() < allowed
            assert other.trace[0]["total"] == pytest.approx(result.trace[0]["total"], rel=0.05)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float64"])
def test_without_an_iteration_the_content_comes_out_with_its_errors(
    precision: Precision, narrow: Encoder, jobs: list[Job], results: list[Colorization]
) -> None:
    told: list[float] = []
    made = colorizer(narrow, RECIPE.changed(iterations=0), precision)
    for job, found, walked in zip(
        jobs, colorizations(made.colorize(jobs, ProgressCallbacks(told.append))), results, strict=True
    ):
        assert (found.picture == prepare(RECIPE, job).content).all()
        assert found.errors.content_mean == pytest.approx(0, abs=1e-5)
        assert found.errors.style_mean > walked.errors.style_mean > 0
        assert (found.trace, found.iterations) == ((), 0)
        assert "still gray" in (found.refusal or "")


@pytest.mark.parametrize("optimiser", ["sgd", "lbfgs"])
def test_without_an_iteration_no_optimiser_fails(optimiser: str, narrow: Encoder, jobs: list[Job]) -> None:
    recipe = RECIPE.changed(iterations=0, optimiser=optimiser, schedule="share", start="noise", seed=4)
    (found,) = colorizations(colorizer(narrow, recipe).colorize(jobs[:1]))
    assert found.measures["lightness_ssim"] < 0.5, "noise is the start"


@pytest.mark.parametrize(
    ("content", "style", "words"),
    [
        ((64, 8), (64, 64), "the content image has 8 × 64 px, the least is 16 px a side"),
        ((8, 8), (64, 64), "the content image has 8 × 8 px, the least is 16 px a side"),
        ((64, 64), (8, 8), "the style image has 8 × 8 px, the least is 16 px a side"),
        ((64, 64), (15, 900), "the style image has 900 × 15 px, the least is 16 px a side"),
    ],
)
def test_too_small_a_picture_is_refused_with_the_least_size_and_the_others_are_made(
    content: tuple[int, int], style: tuple[int, int], words: str, narrow: Encoder, jobs: list[Job]
) -> None:
    small = Job("small", np.zeros((*content, 3), np.uint8), np.zeros((*style, 3), np.uint8))
    refused, fine = colorizer(narrow).colorize([small, jobs[0]])
    assert isinstance(refused, PictureTooSmall)
    assert words in str(refused)
    assert not refused.transient
    assert isinstance(fine, Colorization)


def test_pictures_of_the_least_size_are_made(narrow: Encoder) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (16, 16, 3), np.uint8)
    (found,) = colorizations(colorizer(narrow).colorize([Job("least", pixels, pixels)]))
    assert found.picture.shape == (32, 32, 3)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("tried to allocate 99 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_a_stack_that_is_too_large_is_halved_until_it_fits(error: Exception, narrow: Encoder, jobs: list[Job]) -> None:
    square = [jobs[0], *(Job(name, jobs[0].content, jobs[0].style) for name in ("again", "thrice"))]

    def cramped(evaluator: Evaluator) -> Evaluator:
        return Cramped(evaluator, error=error)

    found = colorizations(Colorizer(RECIPE, Through(narrow, cramped)).colorize(square))
    (undisturbed,) = colorizations(colorizer(narrow).colorize(jobs[:1]))
    assert [result.key for result in found] == ["square", "again", "thrice"]
    assert [(result.measures["stack"], result.measures["halvings"]) for result in found] == [(1, 1), (1, 2), (1, 2)]
    for result in found:
        assert (result.picture == undisturbed.picture).all()


def test_any_other_error_of_a_device_is_a_fault_of_ours(narrow: Encoder, jobs: list[Job]) -> None:
    def broken(evaluator: Evaluator) -> Evaluator:
        return Cramped(evaluator, error=RuntimeError("CUDA error: an illegal memory access was encountered"))

    with pytest.raises(RuntimeError, match="illegal memory access"):
        Colorizer(RECIPE, Through(narrow, broken)).colorize([jobs[0], jobs[2]])


def test_figures_in_float32_leave_no_targets_to_a_descent_in_float64(narrow: Encoder, jobs: list[Job]) -> None:
    """Both come from a reference evaluator, and a full cache holds what was looked at last: a figure's targets."""
    made = Colorizer(RECIPE, Operands(narrow, "float64"), cache=TargetCache(max_bytes=5000))
    made.colorize([jobs[0], jobs[2]])
    later = prepare(RECIPE, Job("later", jobs[0].content, jobs[2].style))
    targets = minibatch_targets(made.operands.evaluator(RECIPE), made.encoder, made.cache, [later], torch.float64)
    assert {each.dtype for part in (targets.content, targets.style) for each in part.values()} == {torch.float64}


def test_one_print_in_many_jobs_has_its_targets_computed_once(narrow: Encoder, jobs: list[Job]) -> None:
    asked: list[str] = []

    @dataclass(frozen=True)
    class Counted(Watched):
        def content_features(self, content: Tensor) -> dict[str, Tensor]:
            asked.append("content")
            return dict(super().content_features(content))

        def style_grams(self, style: Tensor) -> dict[str, Tensor]:
            asked.append("style")
            return dict(super().style_grams(style))

    made = Colorizer(RECIPE, Through(narrow, Counted))
    made.colorize([jobs[0], Job("other", jobs[2].content, jobs[0].style)])
    assert sorted(asked) == ["content", "content", "style"]
    made.colorize([Job("later", jobs[0].content, jobs[2].style)])
    assert sorted(asked) == ["content", "content", "style", "style"]
