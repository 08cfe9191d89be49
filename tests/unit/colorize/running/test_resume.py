"""A picture put down in the middle and taken up again: the same to the last bit, or begun anew with a sentence."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from colorize.encoders.vgg19 import Encoder
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.jobs import Job
from colorize.methods.neural_style.descent import Optimisation, Optimised
from colorize.methods.neural_style.engine import Engine, Operands
from colorize.methods.neural_style.losses import Evaluator
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.library import recipe_named
from colorize.recipes.recipe import Recipe
from colorize.running.checkpoint import Identity, State, read_checkpoint, write_checkpoint
from colorize.running.prepare import prepare, to_tensor
from tests.unit.colorize.methods.neural_style.evaluators import PutDown, Watched, descended, targets_of

LBFGS = recipe_named("jadh2016/config1_2_3").changed(iterations=14, long_edge_px=48)
SGD = recipe_named("jadh2016/config1_1_3").changed(iterations=24, long_edge_px=48)
RECIPES = {
    "lbfgs, fixed": LBFGS,
    "lbfgs, by iteration": LBFGS.changed(schedule="iteration", decay=0.9),
    "lbfgs, by share, from noise": LBFGS.changed(schedule="share", start="noise", seed=5),
    "lbfgs, short history": LBFGS.changed(history=3),
    "sgd, fixed": SGD,
    "sgd, by iteration": SGD.changed(schedule="iteration", decay=0.9),
}
IDENTITY = Identity("recipe", "weights", "content", "style", "float32", "cpu", "2.13.0")


@pytest.fixture(scope="module")
def contents(photographs: dict[str, Pixels], narrow: Encoder) -> Tensor:
    return torch.cat([to_tensor(to_gray(photographs[name][:32, :32]), narrow) for name in ("chelsea", "coffee")])


@pytest.fixture(scope="module")
def styles(photographs: dict[str, Pixels], narrow: Encoder) -> list[Tensor]:
    return [to_tensor(photographs["astronaut"][:48], narrow), to_tensor(photographs["chelsea"][:, :32], narrow)]


def begun(evaluator: Evaluator, contents: Tensor, styles: Sequence[Tensor]) -> Optimisation:
    return Optimisation(evaluator, targets_of(evaluator, contents, styles), contents)


def put_down(descent: Optimisation, after: int, folder: Path) -> list[Path]:
    """OptimisationState so many evaluations, and leave a checkpoint of each picture."""
    files = [folder / f"{row}.safetensors" for row in range(len(descent.states[0].tensors["pictures"]))]

    def watch(descent: Optimisation) -> None:
        if descent.done == after:
            for row, file in enumerate(files):
                write_checkpoint(file, IDENTITY, descent.state(row))
            raise PutDown

    with pytest.raises(PutDown):
        descent.run(watch)
    return files


def kept(file: Path) -> State:
    state = read_checkpoint(file, IDENTITY)
    assert isinstance(state, tuple), state
    return state


def assert_same(ours: Optimised, theirs: Optimised, rows: Sequence[int]) -> None:
    """That ours are those rows of theirs, to the last bit."""
    assert ours.best.equal(theirs.best[list(rows)])
    assert ours.restored.equal(theirs.restored[list(rows)])
    assert [list(trace) for trace in ours.traces] == [list(theirs.traces[row]) for row in rows]


@pytest.mark.long
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_stack_put_down_after_any_evaluation_ends_as_if_it_never_had_been(
    recipe: Recipe, narrow: Encoder, contents: Tensor, styles: list[Tensor], tmp_path: Path
) -> None:
    engine = Engine(recipe, Operands(narrow, "float32"))
    undisturbed = descended(engine, targets_of(engine, contents, styles), contents)
    whole = begun(engine, contents, styles).iterations
    assert whole == recipe.parameters.iterations + (4 if NeuralStyle.of(recipe).optimiser == "sgd" else 0), (
        "trials of two rates come to nothing"
    )
    # Every evaluation of the trials and of the turn to the chosen rate, and some after it.
    moments = range(1, whole) if NeuralStyle.of(recipe).optimiser == "lbfgs" else [*range(1, 9), 15, whole - 1]
    for after in moments:
        files = put_down(begun(engine, contents, styles), after, tmp_path)
        evaluator = Watched(engine)
        descent = begun(evaluator, contents, styles)
        descent.take_up([kept(file) for file in files])
        assert descent.done == after
        descent.run()
        assert len(evaluator.seen) == whole - after
        assert_same(descent.optimised(), undisturbed, (0, 1))


@pytest.mark.parametrize("recipe", [LBFGS, SGD], ids=["lbfgs", "sgd"])
def test_a_picture_is_taken_up_alone_out_of_a_minibatch(
    recipe: Recipe, narrow: Encoder, contents: Tensor, styles: list[Tensor], tmp_path: Path
) -> None:
    engine = Engine(recipe, Operands(narrow, "float32"))
    undisturbed = descended(engine, targets_of(engine, contents, styles), contents)
    for after in (3, 9):
        files = put_down(begun(engine, contents, styles), after, tmp_path)
        for row, file in enumerate(files):
            descent = begun(engine, contents[row : row + 1], styles[row : row + 1])
            descent.take_up([kept(file)])
            descent.run()
            assert_same(descent.optimised(), undisturbed, [row])


@pytest.mark.parametrize("recipe", [LBFGS, SGD], ids=["lbfgs", "sgd"])
def test_pictures_put_down_in_turn_again_and_again_come_to_the_same_end(
    recipe: Recipe, narrow: Encoder, contents: Tensor, styles: list[Tensor], tmp_path: Path
) -> None:
    engine = Engine(recipe, Operands(narrow, "float32"))
    undisturbed = descended(engine, targets_of(engine, contents, styles), contents)
    descent = begun(engine, contents, styles)
    for after in (1, 2, 5, 6, 7, 12):
        files = put_down(descent, after, tmp_path)
        descent = begun(engine, contents, styles)
        descent.take_up([kept(file) for file in files])
    descent.run()
    assert_same(descent.optimised(), undisturbed, (0, 1))


@pytest.mark.long
def test_what_went_wrong_before_is_remembered(
    narrow: Encoder, contents: Tensor, styles: list[Tensor], tmp_path: Path
) -> None:
    """A row restored, its rate halved or its history dropped; SGD's rates are part of the state."""
    for recipe in (LBFGS, SGD.changed(rates=(0.01,))):
        engine = Engine(recipe, Operands(narrow, "float32"))

        def broken(engine: Engine = engine, shift: int = 0) -> Watched:
            return Watched(engine, lambda number, _pictures: torch.tensor([number + shift in {2, 4, 9}, False]))

        undisturbed = descended(broken(), targets_of(engine, contents, styles), contents)
        assert undisturbed.restored.tolist() == [3, 0]
        for after in (3, 5, 8):
            files = put_down(begun(broken(), contents, styles), after, tmp_path)
            descent = begun(broken(shift=after), contents, styles)
            descent.take_up([kept(file) for file in files])
            descent.run()
            assert_same(descent.optimised(), undisturbed, (0, 1))


def test_pictures_equally_far_share_a_stack_and_others_do_not(
    photographs: dict[str, Pixels], narrow: Encoder, contents: Tensor, styles: list[Tensor], tmp_path: Path
) -> None:
    engine = Engine(SGD, Operands(narrow, "float32"))
    fresh = prepare(SGD, Job("x", photographs["chelsea"][:32, :32], photographs["coffee"]))
    walked = {after: put_down(begun(engine, contents, styles), after, tmp_path / str(after)) for after in (1, 2, 6, 7)}
    ways = [fresh, *(replace(fresh, state=kept(files[0])) for files in walked.values())]
    assert len({repr(way.common) for way in ways}) == 5
    same = replace(fresh, state=kept(walked[6][1]))
    assert [way.common == same.common for way in ways] == [False, False, False, True, False]
    wide = prepare(SGD, Job("y", photographs["chelsea"][:32, :64], photographs["coffee"]))
    assert wide.common != fresh.common
    assert len(sorted([*ways, wide], key=lambda way: way.common)) == 6, "they can be put in order"
