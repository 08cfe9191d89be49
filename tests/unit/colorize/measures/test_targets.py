"""A saved picture is measured again as it was when it was made, by its own encoder or by any other."""

from dataclasses import astuple, replace

import numpy as np
import pytest

from colorize.colorizer import Colorizer
from colorize.encoders.loading import random_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.errors import BadRecipe, OutOfMemory, PictureTooSmall, UnreadableImage
from colorize.images.decode import Pixels
from colorize.jobs import Job
from colorize.measures.targets import measure_saved
from colorize.methods.neural_style.engine import Operands
from colorize.methods.neural_style.losses import TargetCache
from colorize.recipes.library import recipe_named
from colorize.results import Colorization

RECIPE = recipe_named("jadh2016/config1_2_2").changed(iterations=2, long_edge_px=48)


@pytest.fixture
def job(photographs: dict[str, Pixels]) -> Job:
    return Job("1", photographs["chelsea"], photographs["coffee"])


def made(job: Job, encoder: Encoder) -> Colorization:
    (result,) = Colorizer(RECIPE, Operands(encoder, "float32")).colorize([job])
    assert isinstance(result, Colorization)
    return result


def test_by_its_own_encoder_a_picture_comes_to_the_errors_that_it_was_saved_with(job: Job, narrow: Encoder) -> None:
    result = made(job, narrow)
    found = measure_saved(RECIPE, narrow, TargetCache(), job, result.picture)
    assert astuple(found) == pytest.approx(astuple(result.errors), rel=1e-6)


def test_another_encoder_of_other_widths_finds_other_errors(job: Job, narrow: Encoder) -> None:
    result = made(job, narrow)
    other = random_encoder(seed=3, widths=(6, 6, 10, 10, 12))
    found = measure_saved(RECIPE, other, TargetCache(), job, result.picture)
    assert 0 < found.total_mean < 4
    assert astuple(found) != pytest.approx(astuple(result.errors), rel=1e-2)


def test_what_is_kept_of_earlier_pictures_changes_no_figure(job: Job, narrow: Encoder) -> None:
    result, cache = made(job, narrow), TargetCache()
    once = measure_saved(RECIPE, narrow, cache, job, result.picture)
    swapped = measure_saved(RECIPE, narrow, cache, Job("2", job.style, job.content), made(job, narrow).picture[:, :])
    assert measure_saved(RECIPE, narrow, cache, job, result.picture) == once
    assert swapped != once


def test_a_picture_of_another_size_than_the_recipes_is_refused(job: Job, narrow: Encoder) -> None:
    smaller = np.zeros((32, 48, 3), np.uint8)
    with pytest.raises(UnreadableImage, match="saved picture has 48×32 px, its recipe makes 64×48"):
        measure_saved(RECIPE.changed(long_edge_px=64), narrow, TargetCache(), job, smaller)


def test_a_recipe_or_a_print_that_cannot_be_worked_with_is_told_as_in_a_night(job: Job, narrow: Encoder) -> None:
    saved = made(job, narrow).picture
    with pytest.raises(BadRecipe, match="no layer conv9_9"):
        measure_saved(replace(RECIPE, style_layers=("conv9_9",)), narrow, TargetCache(), job, saved)
    tiny = replace(job, style=np.zeros((8, 40, 3), np.uint8))
    with pytest.raises(PictureTooSmall, match="style image has 40 × 8"):
        measure_saved(RECIPE, narrow, TargetCache(), tiny, saved)


def test_a_lack_of_memory_is_the_pictures_own_and_any_other_error_a_fault_of_ours(job: Job, narrow: Encoder) -> None:
    saved = made(job, narrow).picture

    class Full(TargetCache):
        said = "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"

        def get(self, *_: object) -> "dict[str, object]":  # type: ignore[override]
            raise RuntimeError(self.said)

    with pytest.raises(OutOfMemory, match="no room"):
        measure_saved(RECIPE, narrow, Full(), job, saved)
    Full.said = "shapes do not fit"
    with pytest.raises(RuntimeError, match="do not fit"):
        measure_saved(RECIPE, narrow, Full(), job, saved)
