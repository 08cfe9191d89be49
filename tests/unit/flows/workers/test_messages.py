"""Messages to workers and back are plain data: whatever goes out as JSON comes back the same."""

import math
from dataclasses import asdict, replace
from typing import Any, get_args

import pytest

from colorize.errors import BadRecipe, ColorizeError, OutOfMemory, WorkerDied
from colorize.recipes.library import recipes
from colorize.recipes.recipe import Recipe
from colorize.results import RelativeErrors
from flows.settings import Settings
from flows.workers.executor import EXECUTORS
from flows.workers.messages import (
    Failed,
    Finished,
    Limits,
    Message,
    Minibatch,
    ModelFile,
    Note,
    PictureJob,
    Progress,
    StylePath,
    Unable,
    from_json,
    to_json,
)

LAID = {"homography": [[1.0, 0.0, 0.1], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], "mirrored": False}
JOBS = (
    PictureJob(
        "7",
        "/home/pictures/aa",
        (StylePath("/home/pictures/bb", LAID), StylePath("/home/pictures/ee")),
        None,
        "/home/checkpoints/attempt-7",
        '{"credits": []}',
    ),
    PictureJob("8", "/home/pictures/cc", (), "/home/marks/dd", None, "{}", "/home/masks/ee"),
)
LIMITS = Limits(max_pixels=10**8, precision="bfloat16", checkpoint_s=60.0)
MODELS = (ModelFile("encoder", "nishiki-small", "0" * 64, "/weights/small.safetensors"),)
FINISHED = Finished(
    key="7", device="cuda:1", picture=b"\x89PNG\r\n\x00\xff", suffix=".png", mode="RGB", trust=None,
    width=300, height=400, tone="colour", tone_measures={"chroma": 12.5}, versions={"torch": "2.13"},
    seed=3, iterations=20, seconds=1.25,
    errors=RelativeErrors(1.0, 0.25, 2.0, 0.5), measures={"lightness_ssim": 0.99}, refusal=None,
    trace=({"iteration": 1.0, "total": 9.5},),
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(recipes()))
def test_a_minibatch_of_any_recipe_comes_back_the_same(name: str) -> None:
    recipe = recipes()[name]
    there = from_json(to_json(Minibatch(3, recipe.data(), MODELS, LIMITS, JOBS)))
    assert isinstance(there, Minibatch)
    assert replace(there, recipe={}) == Minibatch(3, {}, MODELS, LIMITS, JOBS)
    assert Recipe.from_data(there.recipe) == recipe
    assert Recipe.from_data(there.recipe).digest() == recipe.digest()


@pytest.mark.parametrize(
    "message",
    [
        Progress(0.125), Note("7", "the checkpoint is damaged; begun anew"), FINISHED,
        replace(FINISHED, refusal="still gray", picture=bytes(range(256)), trust=b"\x89PNG", trace=()),
        Failed.of("8", "cpu", OutOfMemory("no room")), Unable.of(BadRecipe("iterations is 0")),
    ],
    ids=lambda message: type(message).__name__,
)  # fmt: skip
def test_every_answer_comes_back_the_same(message: Message) -> None:
    assert from_json(to_json(message)) == message


def test_a_figure_that_is_no_number_survives_the_way() -> None:
    there = from_json(to_json(replace(FINISHED, measures={"palette": math.inf, "ink": math.nan})))
    assert isinstance(there, Finished)
    assert there.measures["palette"] == math.inf
    assert math.isnan(there.measures["ink"])


@pytest.mark.parametrize("error", [OutOfMemory("no room"), WorkerDied("killed"), BadRecipe("none")])
def test_an_error_keeps_its_class_its_words_and_whether_another_try_may_help(error: ColorizeError) -> None:
    for there in (Failed.of("7", "cpu", error).cause, Unable.of(error).cause):
        assert (type(there), str(there), there.transient) == (type(error), str(error), error.transient)


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"kind": "Anything", "message": {}}', '{"kind": "Note", "message": {"key": 1}}']
)
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"message|validation"):
        from_json(text)


def test_messages_hold_plain_data_only() -> None:
    def plain(value: Any) -> bool:
        if isinstance(value, dict):
            return all(map(plain, [*value.keys(), *value.values()]))
        if isinstance(value, list | tuple):
            return all(map(plain, value))
        return value is None or isinstance(value, str | bytes | bool | int | float)

    for message in (Minibatch(3, recipes()["nishiki/colour"].data(), MODELS, LIMITS, JOBS), FINISHED):
        assert plain(asdict(message))


def test_the_setting_names_every_executor_and_no_other() -> None:
    assert set(get_args(Settings.model_fields["executor"].annotation)) | {Settings().executor} == set(EXECUTORS)
