from collections.abc import Collection

import numpy as np
import pytest
import torch
from torch import Tensor

from colorize.colorizer import (
    Colorizer,
    colorizer_for,
    device_names,
    library_versions,
    to_pixels,
    to_tensor,
    working_pictures,
)
from colorize.errors import BadRecipe, ColorizeError, DeviceMissing, Diverged, OutOfMemory
from colorize.images import Pixels, to_gray
from colorize.measure import picture_measures, relative_errors
from colorize.recipe import Colorization, Job, Pooling, recipe_named
from colorize.vgg.encoder import Encoder
from colorize.vgg.losses import Targets

RECIPE = recipe_named("jadh2016/config1_2_2").changed(iterations=12, long_edge_px=48, tv_weight=1e-5)


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
    return colorizations(Colorizer(RECIPE, narrow).colorize(jobs))


def colorizations(found: list[Colorization | ColorizeError]) -> list[Colorization]:
    good = [result for result in found if isinstance(result, Colorization)]
    assert len(good) == len(found), found
    return good


def failing(encoder: Encoder, error: Exception | None = None) -> Encoder:
    """An encoder that is blind to white pictures (NaN), or fails with `error` on square ones."""

    class Failing(Encoder):
        def features(self, pictures: Tensor, layers: Collection[str], pooling: Pooling = "max") -> dict[str, Tensor]:
            if error is not None and pictures.shape[2] == pictures.shape[3]:
                raise error
            white = (pictures.detach().flatten(1).amin(1) >= 255)[:, None, None, None]
            factor = torch.where(white, torch.nan, 1.0)
            return {name: found * factor for name, found in super().features(pictures, layers, pooling).items()}

    return Failing(encoder.name, encoder.checksum, encoder.preprocessing, encoder.convolutions)


def test_results_come_in_the_order_of_the_jobs_whatever_their_sizes(
    results: list[Colorization], jobs: list[Job]
) -> None:
    assert [result.key for result in results] == [job.key for job in jobs]
    assert [result.picture.shape for result in results] == [(48, 48, 3), (32, 48, 3), (48, 48, 3)]
    for result, job in zip(results, jobs, strict=True):
        content, _ = working_pictures(RECIPE, job)
        drawing = [
            picture_measures(working_pictures(RECIPE, other)[0], result.picture)["luma_ssim"]
            for other in jobs
            if working_pictures(RECIPE, other)[0].shape == content.shape
        ]
        assert picture_measures(content, result.picture)["luma_ssim"] == max(drawing), "the drawing is another job's"


def test_a_result_is_an_ordinary_picture_in_colour_with_its_run(results: list[Colorization]) -> None:
    for result in results:
        assert result.picture.dtype == np.uint8
        assert result.refusal is None
        assert result.measures["chroma_mean"] > 1
        assert [entry["iteration"] for entry in result.trace] == [0, 10, 11]
        assert result.trace[-1]["total"] < result.trace[0]["total"]
        assert (result.iterations, result.seed, result.device) == (12, 0, "cpu")
        assert result.measures["restored"] == 0
        assert result.seconds > 0


def test_errors_and_measures_are_those_of_the_saved_picture(
    results: list[Colorization], jobs: list[Job], narrow: Encoder
) -> None:
    for result, job in zip(results, jobs, strict=True):
        gray, colour = working_pictures(RECIPE, job)
        content, style, saved = (to_tensor(pixels, narrow) for pixels in (gray, colour, result.picture))
        targets = Targets.of(RECIPE, narrow, content, [style])
        (errors,) = relative_errors(RECIPE, narrow, targets, saved)
        for name in ("content_sum", "content_mean", "style_sum", "style_mean"):
            assert getattr(result.errors, name) == pytest.approx(getattr(errors, name), rel=1e-3), name
        measures = picture_measures(gray, result.picture)
        assert {name: result.measures[name] for name in measures} == pytest.approx(dict(measures))


def test_a_job_alone_starts_from_the_same_figures_as_in_a_batch(
    results: list[Colorization], jobs: list[Job], narrow: Encoder
) -> None:
    (alone,) = colorizations(Colorizer(RECIPE, narrow).colorize(jobs[2:]))
    assert alone.trace[0] == pytest.approx(dict(results[2].trace[0]), rel=1e-4)
    assert alone.errors.content_mean == pytest.approx(results[2].errors.content_mean, rel=0.05)


def test_the_content_is_worked_on_in_gray_and_keeps_its_shape(photographs: dict[str, Pixels]) -> None:
    coffee = photographs["coffee"]
    content, style = working_pictures(RECIPE.changed(long_edge_px=64), Job("x", coffee, coffee))
    assert content.shape == style.shape == coffee.shape == (48, 64, 3)
    assert (content == to_gray(coffee)).all()
    assert (style == coffee).all()


@pytest.mark.parametrize(("height", "width"), [(100, 100), (90, 200), (333, 77)])
def test_working_sides_are_multiples_of_16_near_the_pictures_shape(height: int, width: int) -> None:
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    content, _ = working_pictures(RECIPE.changed(long_edge_px=192), Job("x", picture, picture))
    scale = min(1, 192 / max(height, width))
    for side, was in zip(content.shape[:2], (height, width), strict=True):
        assert side % 16 == 0
        assert abs(side - was * scale) <= 8


def test_progress_is_told_stack_by_stack(narrow: Encoder, jobs: list[Job]) -> None:
    told: list[tuple[int, int]] = []
    Colorizer(RECIPE, narrow).colorize(jobs, lambda done, total: told.append((done, total)))
    assert told == [(done, 12) for _ in range(2) for done in range(1, 13)]


def test_without_jobs_there_are_no_results(narrow: Encoder) -> None:
    assert Colorizer(RECIPE, narrow).colorize([]) == []


def test_a_gray_result_is_refused_and_still_told(narrow: Encoder, jobs: list[Job]) -> None:
    for result in colorizations(Colorizer(RECIPE.changed(style_over_content=0.0), narrow).colorize(jobs)):
        assert result.refusal is not None
        assert "still gray" in result.refusal


def test_a_picture_that_never_is_finite_has_diverged_and_its_neighbour_has_not(
    narrow: Encoder, jobs: list[Job]
) -> None:
    blank = np.full((48, 48, 3), 255, dtype=np.uint8)
    diverged, fine = Colorizer(RECIPE, failing(narrow)).colorize([Job("blank", blank, jobs[0].style), jobs[0]])
    assert isinstance(diverged, Diverged)
    assert "jadh2016/config1_2_2" in str(diverged)
    assert isinstance(fine, Colorization)
    assert fine.measures["restored"] == 0
    assert fine.measures["luma_ssim"] > 0


def test_a_picture_that_the_device_cannot_hold_fails_alone_and_gives_no_picture(
    narrow: Encoder, jobs: list[Job]
) -> None:
    full = failing(narrow, torch.OutOfMemoryError("tried to allocate 99 GiB"))
    square, wide, turned = Colorizer(RECIPE, full).colorize(jobs)
    for failed in (square, turned):
        assert isinstance(failed, OutOfMemory)
        assert failed.transient
    assert "no room for a picture of 48×48" in str(square)
    assert "--size" in str(turned)
    assert isinstance(wide, Colorization)


def test_a_fault_of_ours_stops_the_batch(narrow: Encoder, jobs: list[Job]) -> None:
    with pytest.raises(BadRecipe, match="conv9_1"):
        Colorizer(RECIPE.changed(style_layers=("conv9_1",)), narrow).colorize(jobs)


def test_saved_pixels_are_rounded_and_clipped() -> None:
    floats = torch.tensor([-3.0, 0.4, 0.6, 254.4, 255.6, 1e9]).view(1, 3, 1, 2)
    assert to_pixels(floats).tolist() == [[[[0, 1, 255], [0, 254, 255]]]]


def test_pixels_become_a_tensor_of_the_same_numbers_and_back(narrow: Encoder, photographs: dict[str, Pixels]) -> None:
    coffee = photographs["coffee"]
    tensor = to_tensor(coffee, narrow)
    assert (tensor.shape, tensor.dtype) == ((1, 3, 48, 64), torch.float32)
    assert tensor[0, :, 5, 7].tolist() == coffee[5, 7].tolist()
    assert (to_pixels(tensor)[0] == coffee).all()


def test_without_a_gpu_there_is_the_cpu_and_a_wish_for_another_is_answered_with_what_there_is() -> None:
    if torch.cuda.is_available():
        gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
        assert device_names() == device_names("cuda") == gpus
    else:
        assert device_names() == ["cpu"]
        with pytest.raises(DeviceMissing, match=r"no device 'cuda' here; there is cpu$"):
            device_names("cuda")
    assert device_names("cpu") == ["cpu"]
    for wish in ("cuda:99", "tpu", ""):
        with pytest.raises(DeviceMissing, match=rf"no device '{wish}' here; there is cpu"):
            device_names(wish)


def test_a_colorizer_for_a_device_that_is_not_here_is_refused(narrow: Encoder) -> None:
    with pytest.raises(DeviceMissing, match="cuda:99 cannot be used"):
        colorizer_for(RECIPE, narrow, "cuda:99")
    assert colorizer_for(RECIPE, narrow, "cpu").encoder.device == torch.device("cpu")


def test_the_versions_that_a_result_depends_on_are_told() -> None:
    versions = library_versions()
    assert set(versions) == {"nishiki", "torch", "numpy", "pillow", "scikit-image"}
    assert versions["numpy"] == np.__version__
    assert versions["torch"] == torch.__version__


def test_a_stack_that_is_too_large_is_halved_until_it_fits(narrow: Encoder, jobs: list[Job]) -> None:
    seen: list[int] = []

    class Cramped(Encoder):
        def features(self, pictures: Tensor, layers: Collection[str], pooling: Pooling = "max") -> dict[str, Tensor]:
            seen.append(len(pictures))
            if len(pictures) > 1:
                raise torch.OutOfMemoryError("tried to allocate 99 GiB")
            return super().features(pictures, layers, pooling)

    cramped = Cramped(narrow.name, narrow.checksum, narrow.preprocessing, narrow.convolutions)
    square = [jobs[0], Job("again", jobs[0].content, jobs[0].style), Job("thrice", jobs[0].content, jobs[0].style)]
    first, second, third = Colorizer(RECIPE, cramped).colorize(square)
    assert max(seen) == 3
    for result in (first, second, third):
        assert isinstance(result, Colorization)
        assert (result.picture == Colorizer(RECIPE, narrow).colorize([jobs[0]])[0].picture).all()  # type: ignore[union-attr]
