import gc
import weakref
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from colorize.encoders.vgg19 import Encoder
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.methods.neural_style.descent import (
    GIVEN_UP,
    TRACE_EVERY,
    Optimisation,
    Optimised,
    decay_at,
    start_pictures,
)
from colorize.methods.neural_style.engine import Engine, Operands
from colorize.methods.neural_style.losses import ReferenceEvaluator, Targets, loss_terms
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.library import recipe_named
from colorize.recipes.recipe import Recipe
from colorize.running.prepare import to_tensor
from tests.unit.colorize.methods.neural_style.evaluators import Spoiled, Watched, descended, nothing, singly, targets_of

LBFGS = recipe_named("jadh2016/config1_2_3").changed(iterations=25)
SGD = recipe_named("jadh2016/config1_1_3").changed(iterations=25)


def watched(recipe: Recipe, encoder: Encoder, spoiled: Spoiled = nothing) -> Watched:
    return Watched(ReferenceEvaluator(recipe, encoder), spoiled)


@pytest.fixture(scope="module")
def contents(narrow64: Encoder, photographs: dict[str, Pixels]) -> Tensor:
    """Two gray pictures of equal size, at half the size of the photographs."""
    grays = [to_gray(photographs[name][:32, :32]) for name in ("chelsea", "coffee")]
    return torch.cat([to_tensor(gray, narrow64) for gray in grays])


@pytest.fixture(scope="module")
def styles(narrow64: Encoder, photographs: dict[str, Pixels]) -> list[Tensor]:
    """One colour picture for each, not of one size."""
    return [to_tensor(photographs["astronaut"][:48], narrow64), to_tensor(photographs["chelsea"][:, :32], narrow64)]


@pytest.fixture(scope="module")
def targets(narrow64: Encoder, contents: Tensor, styles: list[Tensor]) -> Targets:
    return targets_of(ReferenceEvaluator(LBFGS, narrow64), contents, styles)


def losses_of(recipe: Recipe, encoder: Encoder, targets: Targets, stacks: list[Tensor]) -> Tensor:
    """Total loss of every stack, (evaluations, B)."""
    with torch.no_grad():
        found = [
            loss_terms(recipe, encoder, targets, stack, decay_at(recipe, number)).total
            for number, stack in enumerate(stacks)
        ]
    return torch.stack(found)


def assert_best_is_kept(optimised: Optimised, losses: Tensor, seen: list[Tensor]) -> None:
    for row, number in enumerate(losses.argmin(0).tolist()):
        assert optimised.best[row].equal(seen[number][row])
        assert all(entry["total"] >= float(losses[number, row]) for entry in optimised.traces[row])


def way_of(descent: Optimisation, seen: list[Tensor]) -> list[Tensor]:
    """Of all evaluated stacks those of the state that was chosen, row by row where SGD had trials."""
    recipe = descent.recipe
    besides = len(seen) - recipe.parameters.iterations
    if not besides:
        return seen
    trial, rates = besides // (len(NeuralStyle.of(recipe).rates) - 1), descent.states[0].tensors["rates"][:, 0].tolist()
    places = [NeuralStyle.of(recipe).rates.index(rate) * trial for rate in rates]
    first = [torch.stack([seen[at + number][row] for row, at in enumerate(places)]) for number in range(trial)]
    return first + seen[len(NeuralStyle.of(recipe).rates) * trial :]


@pytest.mark.parametrize("iterations", [1, 2, 11, 25])
def test_an_iteration_is_one_evaluation_and_none_is_left_out(
    iterations: int, narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    evaluator, told = watched(LBFGS.changed(iterations=iterations), narrow64), list[tuple[int, int]]()
    descended(evaluator, targets, contents, lambda descent: told.append((descent.done, descent.iterations)))
    assert len(evaluator.seen) == iterations
    assert told == [(done, iterations) for done in range(1, iterations + 1)]
    assert all(len(stack) == 2 for stack in evaluator.seen)


def test_sgd_evaluates_a_tenth_for_each_rate_and_goes_on_with_the_best_to_its_last_iteration(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    evaluator, told = watched(SGD, narrow64), list[tuple[int, int]]()
    descended(evaluator, targets, contents, lambda descent: told.append((descent.done, descent.iterations)))
    whole = 25 + 2 * (25 // 10)
    assert len(evaluator.seen) == whole
    assert told == [(done, whole) for done in range(1, whole + 1)]


def test_a_picture_that_has_nothing_to_gain_is_evaluated_to_the_end_all_the_same(
    narrow64: Encoder, contents: Tensor
) -> None:
    recipe = LBFGS.changed(tv_weight=0.0)
    evaluator = watched(recipe, narrow64)
    optimised = descended(evaluator, targets_of(evaluator, contents, singly(contents)), contents)
    assert len(evaluator.seen) == 25
    assert optimised.best.equal(contents)
    assert optimised.finite.all()


@pytest.mark.parametrize("recipe", [LBFGS, LBFGS.changed(schedule="iteration"), SGD], ids=["lbfgs", "decay", "sgd"])
def test_the_best_of_all_evaluated_pictures_is_what_comes_out(
    recipe: Recipe, narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    evaluator = watched(recipe, narrow64)
    descent = Optimisation(evaluator, targets, contents)
    descent.run()
    way = way_of(descent, evaluator.seen)
    losses = losses_of(recipe, narrow64, targets, way)
    assert_best_is_kept(descent.optimised(), losses, way)
    assert (losses.min(0).values < 0.8 * losses[0]).all()


def test_the_best_is_kept_where_the_last_is_worse(narrow64: Encoder, targets: Targets, contents: Tensor) -> None:
    recipe = LBFGS.changed(optimiser="sgd", rates=(1e3,), iterations=9)  # 40 grey levels to and fro
    evaluator = watched(recipe, narrow64)
    optimised = descended(evaluator, targets, contents)
    losses = losses_of(recipe, narrow64, targets, evaluator.seen)
    assert len(losses) == 9
    assert (losses.argmin(0) < 8).all(), "the last must not be the best here"
    assert_best_is_kept(optimised, losses, evaluator.seen)


def test_the_trace_holds_every_tenth_and_the_last_evaluation(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    recipe = LBFGS.changed(schedule="iteration", decay=0.9)
    evaluator = watched(recipe, narrow64)
    optimised = descended(evaluator, targets, contents)
    assert TRACE_EVERY == 10
    for row, trace in enumerate(optimised.traces):
        assert [entry["iteration"] for entry in trace] == [0, 10, 20, 24]
        for entry in trace:
            number = int(entry["iteration"])
            terms = loss_terms(recipe, narrow64, targets, evaluator.seen[number], 0.9**number)
            wanted = {"content": terms.content, "style": terms.style, "tv": terms.tv, "total": terms.total}
            assert {key: entry[key] for key in wanted} == pytest.approx({k: float(v[row]) for k, v in wanted.items()})


def test_a_picture_whose_loss_is_not_finite_goes_back_and_forgets(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    def spoiled(number: int, pictures: Tensor) -> Tensor:
        return torch.tensor([number in {7, 12}, False])

    evaluator = watched(LBFGS, narrow64, spoiled)
    optimised = descended(evaluator, targets, contents)
    assert len(evaluator.seen) == 25
    assert optimised.restored.tolist() == [2, 0]
    assert optimised.finite.all()
    assert optimised.best.isfinite().all()
    undisturbed = descended(ReferenceEvaluator(LBFGS, narrow64), targets, contents)
    assert torch.allclose(optimised.best[1], undisturbed.best[1], atol=1e-8)
    for number in (7, 12):
        good = evaluator.seen[number - 1].requires_grad_()
        loss = loss_terms(LBFGS, narrow64, targets, good, 1.0).total.sum()
        gradient = torch.autograd.grad(loss, good)[0][0]
        first = good.detach()[0] - gradient / max(1.0, float(gradient.abs().sum()))
        assert torch.allclose(evaluator.seen[number + 1][0], first, atol=1e-9)


def test_sgd_goes_on_at_half_its_rate_after_a_loss_that_is_not_finite(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    recipe = SGD.changed(rates=(0.01,), iterations=9)
    evaluator = watched(recipe, narrow64, lambda number, _pictures: torch.tensor([number == 4, False]))
    optimised = descended(evaluator, targets, contents)
    seen = evaluator.seen
    assert optimised.restored.tolist() == [1, 0]
    before, after = seen[4][0] - seen[3][0], seen[5][0] - seen[3][0]
    assert torch.allclose(after, before / 2, atol=1e-9)


def test_a_picture_that_never_was_finite_is_told_apart_from_the_others(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    evaluator = watched(LBFGS, narrow64, lambda _number, _pictures: torch.tensor([False, True]))
    optimised = descended(evaluator, targets, contents)
    assert optimised.finite.tolist() == [True, False]
    assert optimised.restored.tolist() == [0, 25]
    assert optimised.best[1].equal(contents[1])
    undisturbed = descended(ReferenceEvaluator(LBFGS, narrow64), targets, contents)
    assert torch.allclose(optimised.best[0], undisturbed.best[0], atol=1e-8)


def test_a_picture_that_is_bad_ten_times_in_a_row_stays_where_it_was_good_and_its_neighbour_goes_on(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    evaluator = watched(LBFGS, narrow64, lambda number, _pictures: torch.tensor([number >= 5, False]))
    optimised = descended(evaluator, targets, contents)
    assert GIVEN_UP == 10
    good = evaluator.seen[4][0]
    assert all(not stack[0].equal(good) for stack in evaluator.seen[5:15]), "ten tries from the good place"
    assert all(stack[0].equal(good) for stack in evaluator.seen[15:])
    undisturbed = descended(ReferenceEvaluator(LBFGS, narrow64), targets, contents)
    assert torch.allclose(optimised.best[1], undisturbed.best[1], atol=1e-8)


def test_a_picture_whose_every_step_is_bad_is_given_up_for_good(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    """Its last good place is finite when it is looked at again; that is no reason to take the ten steps once more."""

    def spoiled(_number: int, pictures: Tensor) -> Tensor:
        return torch.tensor([not pictures[0].equal(contents[0]), False])

    optimised = descended(watched(LBFGS, narrow64, spoiled), targets, contents)
    assert optimised.restored.tolist() == [GIVEN_UP, 0]
    assert optimised.best[0].equal(contents[0])
    assert optimised.finite.all()


def test_it_starts_from_the_content_or_from_noise_by_its_seed(contents: Tensor) -> None:
    assert start_pictures(LBFGS, contents).equal(contents)
    noisy = LBFGS.changed(start="noise", seed=3)
    noise = start_pictures(noisy, contents)
    assert noise.equal(start_pictures(noisy, contents))
    assert noise[0].equal(noise[1])
    assert not noise.equal(start_pictures(noisy.changed(seed=4), contents))
    assert 0 <= noise.min() < 5 < 250 < noise.max() <= 255
    assert float(noise.mean()) == pytest.approx(127.5, abs=5)


def test_a_run_from_noise_starts_there_and_comes_nearer_to_content_and_style(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    recipe = LBFGS.changed(start="noise", seed=3)
    evaluator = watched(recipe, narrow64)
    optimised = descended(evaluator, targets, contents)
    assert evaluator.seen[0].equal(start_pictures(recipe, contents))
    for trace in optimised.traces:
        assert trace[-1]["total"] < 0.5 * trace[0]["total"]


def test_what_is_given_is_not_changed(narrow64: Encoder, targets: Targets, contents: Tensor) -> None:
    kept = contents.clone()
    descended(ReferenceEvaluator(LBFGS, narrow64), targets, contents)
    assert contents.equal(kept)


def test_sgd_takes_for_each_picture_the_rate_that_came_furthest_in_the_first_tenth(
    narrow64: Encoder, contents: Tensor, styles: list[Tensor]
) -> None:
    rates = (1e-4, 0.01, 1.0)
    stack = torch.cat([contents, torch.full_like(contents[:1], 90)])
    wanted = targets_of(ReferenceEvaluator(SGD, narrow64), stack, [*styles, stack[2:]])

    def at_rates(rates: tuple[float, ...], iterations: int) -> Optimised:
        recipe = SGD.changed(rates=rates, iterations=iterations)
        return descended(ReferenceEvaluator(recipe, narrow64), wanted, stack)

    found = at_rates(rates, 30)
    begun = [at_rates((rate,), 3) for rate in rates]
    whole = [at_rates((rate,), 30) for rate in rates]
    losses = torch.tensor([[trace[-1]["total"] for trace in each.traces] for each in begun])
    chosen = losses.argmin(0).tolist()
    assert len(set(chosen)) > 1, "no choice is seen where all take one rate"
    for row, rate in enumerate(chosen):
        assert found.best[row].equal(whole[rate].best[row])
        assert found.traces[row] == whole[rate].traces[row]


@pytest.mark.parametrize("recipe", [SGD.changed(rates=(1e6,)), LBFGS.changed(style_over_content=1.0)])
def test_no_step_passes_the_limit_of_grey_levels(
    recipe: Recipe, narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    evaluator = watched(recipe, narrow64)
    descended(evaluator, targets, contents)
    assert len(evaluator.seen) == 25
    longest = max(float((b - a).abs().max()) for a, b in pairwise(evaluator.seen))
    assert longest <= 40 + 1e-9


def test_the_style_weight_decays_as_printed_or_by_the_share_of_the_run() -> None:
    fixed, printed = LBFGS, LBFGS.changed(schedule="iteration")
    assert [decay_at(fixed, t) for t in (0, 60, 999)] == [1, 1, 1]
    assert [decay_at(printed, t) for t in (0, 1, 60)] == pytest.approx([1, 0.9975, 0.9975**60])
    assert decay_at(printed, 60) == pytest.approx(0.86, abs=0.005)
    short, full = (LBFGS.changed(schedule="share", iterations=count) for count in (50, 1000))
    assert decay_at(full, 123) == pytest.approx(decay_at(printed, 123))
    assert [decay_at(short, t) for t in (0, 10, 49)] == pytest.approx([decay_at(full, t) for t in (0, 200, 980)])


@pytest.mark.parametrize("recipe", [LBFGS, SGD], ids=["lbfgs", "sgd"])
def test_a_picture_comes_out_alone_as_it_does_in_a_minibatch(
    recipe: Recipe, narrow64: Encoder, targets: Targets, contents: Tensor, styles: list[Tensor]
) -> None:
    evaluator = ReferenceEvaluator(recipe, narrow64)
    together = descended(evaluator, targets, contents)
    for row in range(2):
        content = contents[row : row + 1]
        alone = descended(evaluator, targets_of(evaluator, content, styles[row : row + 1]), content)
        assert torch.allclose(alone.best[0], together.best[row], atol=1e-4)
        totals = [entry["total"] for entry in together.traces[row]]
        assert [entry["total"] for entry in alone.traces[0]] == pytest.approx(totals)


def test_a_few_steps_in_float32_follow_those_in_float64(
    narrow: Encoder, narrow64: Encoder, targets: Targets, contents: Tensor, styles: list[Tensor]
) -> None:
    recipe = LBFGS.changed(iterations=6)  # rounding grows with every step
    single, engine = contents.float(), Engine(recipe, Operands(narrow, "float32"))
    coarse = descended(engine, targets_of(engine, single, [style.float() for style in styles]), single)
    fine = descended(ReferenceEvaluator(recipe, narrow64), targets, contents)
    assert (coarse.best.double() - fine.best).abs().mean() < 0.02
    assert (fine.best - contents).abs().max() > 5


def test_a_finished_descents_memory_is_free_at_once(narrow64: Encoder, targets: Targets, contents: Tensor) -> None:
    descent = Optimisation(ReferenceEvaluator(LBFGS, narrow64), targets, contents)
    states = [weakref.ref(state) for state in descent.states]
    gc.disable()
    try:
        descent.run()
        del descent
        assert [state() for state in states] == [None], "the next picture must not wait for the garbage collector"
    finally:
        gc.enable()
