"""A colorizer that was interrupted: it finishes from its checkpoints, or says why it begins anew."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from colorize.colorizer import Colorizer, Conditions
from colorize.encoders.vgg19 import Encoder
from colorize.images.decode import Pixels
from colorize.jobs import Job
from colorize.methods.neural_style.engine import Operands
from colorize.methods.neural_style.losses import Evaluator
from colorize.methods.neural_style.painting import identity as identity_of
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.library import recipe_named
from colorize.recipes.recipe import Precision, Recipe
from colorize.results import Colorization
from colorize.running.prepare import prepare
from colorize.running.progress import ProgressCallbacks
from tests.unit.colorize.methods.neural_style.evaluators import PutDown, Watched

LBFGS = recipe_named("jadh2016/config1_2_3").changed(iterations=14, long_edge_px=48)
SGD = recipe_named("jadh2016/config1_1_3").changed(iterations=24, long_edge_px=48)


class Observing(Operands):
    """Says what was evaluated."""

    def __init__(self, encoder: Encoder, precision: Precision = "float32") -> None:
        super().__init__(encoder, precision)
        self.evaluators: list[Watched] = []

    def evaluator(self, recipe: Recipe) -> Evaluator:
        self.evaluators.append(Watched(super().evaluator(recipe)))
        return self.evaluators[-1]


@dataclass(frozen=True)
class Observed(Colorizer):
    """Keeps a checkpoint after each evaluation, and says how many it made."""

    @property
    def evaluations(self) -> int:
        assert isinstance(self.operands, Observing)
        return sum(len(each.seen) for each in self.operands.evaluators)


def observed(recipe: Recipe, encoder: Encoder) -> Observed:
    return Observed(recipe, Observing(encoder), Conditions(checkpoint_s=0))


@pytest.fixture
def jobs(photographs: dict[str, Pixels], tmp_path: Path) -> list[Job]:
    """Two pictures of one size and one of another."""
    chelsea, coffee, astronaut = (photographs[name] for name in ("chelsea", "coffee", "astronaut"))
    pairs = {"one": (coffee, astronaut), "two": (coffee[::-1], chelsea), "square": (astronaut, coffee)}
    return [Job(key, *pair, tmp_path / f"{key}.safetensors") for key, pair in pairs.items()]


def interrupted(colorizer: Colorizer, jobs: Sequence[Job], after: int) -> None:
    """Colorize until progress was told so often."""
    told: list[float] = []

    def listen(parts: float) -> None:
        told.append(parts)
        if len(told) == after:
            raise PutDown

    with pytest.raises(PutDown):
        colorizer.colorize(jobs, ProgressCallbacks(listen))


def good(results: Sequence[object]) -> list[Colorization]:
    found = [result for result in results if isinstance(result, Colorization)]
    assert len(found) == len(results), results
    return found


@pytest.mark.parametrize("recipe", [LBFGS, SGD], ids=["lbfgs", "sgd"])
@pytest.mark.parametrize("after", [2, 5, 13])
def test_what_was_interrupted_is_finished_from_its_checkpoint_with_the_same_pixels(
    recipe: Recipe, after: int, narrow: Encoder, jobs: list[Job], tmp_path: Path
) -> None:
    undisturbed = good(observed(recipe, narrow).colorize([replace(job, checkpoint=None) for job in jobs[:2]]))
    assert list(tmp_path.iterdir()) == []
    first, second, said, told = observed(recipe, narrow), observed(recipe, narrow), list[str](), list[float]()
    interrupted(first, jobs[:2], after)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.safetensors", "two.safetensors"]
    results = good(
        second.colorize(jobs[:2], ProgressCallbacks(told.append, lambda key, sentence: said.append(key + sentence)))
    )
    for result, other in zip(results, undisturbed, strict=True):
        assert (result.picture == other.picture).all()
        assert (result.errors, result.trace, result.iterations) == (other.errors, other.trace, other.iterations)
    whole = recipe.parameters.iterations + (4 if NeuralStyle.of(recipe).optimiser == "sgd" else 0)
    assert first.evaluations == after
    assert second.evaluations == whole - (after - 1), "the last evaluation was told of before it was kept"
    assert sum(told) == pytest.approx(2), "what was done before is told with what is done now"
    assert said == []


def test_a_stack_of_which_one_was_put_down_is_finished_in_two(narrow: Encoder, jobs: list[Job]) -> None:
    undisturbed = good(observed(LBFGS, narrow).colorize([replace(job, checkpoint=None) for job in jobs]))
    interrupted(observed(LBFGS, narrow), jobs[1:2], 6)
    results = good(observed(LBFGS, narrow).colorize(jobs))
    assert [result.measures["stack"] for result in results] == [1, 1, 1]
    assert [result.measures["stack"] for result in undisturbed] == [2, 2, 1]
    for result, other in zip(results, undisturbed, strict=True):
        assert (result.picture == other.picture).all()
        assert result.trace == other.trace


@pytest.mark.parametrize("change", ["recipe", "weights", "content", "style", "precision", "torn"])
def test_a_checkpoint_that_does_not_fit_is_told_and_the_picture_is_begun_anew(
    change: str, narrow: Encoder, jobs: list[Job], tmp_path: Path
) -> None:
    interrupted(observed(LBFGS, narrow), jobs[:1], 6)
    job, later = jobs[0], observed(LBFGS, narrow)
    words = {"recipe": "another recipe", "weights": "other weights", "torn": "damaged"}.get(change, f"another {change}")
    if change == "recipe":
        later = observed(LBFGS.changed(tv_weight=0.5), narrow)
    if change == "weights":
        later = observed(LBFGS, replace(narrow, checksum="0" * 64))
    if change == "precision":
        later = replace(later, operands=Observing(narrow, "bfloat16"))
    if change == "torn":
        job.checkpoint.write_bytes(job.checkpoint.read_bytes()[:5000])  # type: ignore[union-attr]
    if change == "content":
        job = replace(job, content=jobs[1].style)
    if change == "style":
        job = replace(job, style=jobs[1].style)
    said: list[tuple[str, str]] = []
    (found,) = good(later.colorize([job], ProgressCallbacks(tell=lambda key, sentence: said.append((key, sentence)))))
    ((key, sentence),) = said
    assert key == "one"
    assert words in sentence
    assert sentence.endswith("; begun anew")
    assert later.evaluations == LBFGS.parameters.iterations
    (anew,) = good(later.colorize([replace(job, checkpoint=None)]))
    assert (found.picture == anew.picture).all()


def test_a_recipe_by_another_name_takes_up_the_same_checkpoint(narrow: Encoder, jobs: list[Job]) -> None:
    interrupted(observed(LBFGS, narrow), jobs[:1], 6)
    renamed = observed(LBFGS.changed(name="mine", reason="a copy under another name"), narrow)
    renamed.colorize(jobs[:1])
    assert renamed.evaluations == LBFGS.parameters.iterations - 5


def test_before_so_many_seconds_have_passed_no_checkpoint_is_kept(
    narrow: Encoder, jobs: list[Job], tmp_path: Path
) -> None:
    patient = replace(observed(LBFGS, narrow), conditions=Conditions(checkpoint_s=3600))
    interrupted(patient, jobs[:2], 10)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_says_in_words_what_it_belongs_to(narrow: Encoder, jobs: list[Job]) -> None:
    colorizer = observed(LBFGS, narrow)
    interrupted(colorizer, jobs[:1], 4)
    assert jobs[0].checkpoint is not None
    with safe_open(jobs[0].checkpoint, framework="pt") as file:
        identity = json.loads(file.metadata()["identity"])
    assert identity == asdict(identity_of(prepare(LBFGS, jobs[0]), colorizer.work()))
    assert (identity["recipe"], identity["weights"]) == (LBFGS.digest(), narrow.checksum)
    assert identity["torch"] == torch.__version__
