from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from colorize.encoders.loading import random_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.methods.neural_style.losses import ReferenceEvaluator, Targets, loss_terms
from colorize.methods.neural_style.optimisers import Lbfgs, OnePassLbfgs, Optimiser, Sgd, clamped, first_step
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.library import recipe_named
from colorize.running.prepare import to_tensor
from tests.unit.colorize.methods.neural_style.evaluators import apart, targets_of, told

FREE = 1e30
"""A step limit that never binds."""

Loss = Callable[[Tensor], Tensor]
"""(B, D) → (B,)"""

SCALES = torch.logspace(0, 2, 12, dtype=torch.float64)
STARTS = torch.randn(3, 12, generator=torch.Generator().manual_seed(4), dtype=torch.float64) * torch.tensor(
    [[1.0], [5.0], [0.2]], dtype=torch.float64
)


WIDE = torch.randn(3, 300, generator=torch.Generator().manual_seed(6), dtype=torch.float64) * 3


def ill_conditioned(x: Tensor) -> Tensor:
    """Convex, coupled between neighbours, steep in some directions: far from its end after 60 steps."""
    scales = torch.logspace(-1, 1, x.shape[1], dtype=x.dtype)
    return (scales * (1 + x.square()).sqrt()).sum(1) + (x[:, 1:] - x[:, :-1]).square().sum(1)


def quadratic(x: Tensor) -> Tensor:
    return (SCALES * (x - 1).square()).sum(1) / 2


def bumpy(x: Tensor) -> Tensor:
    """Smooth, coupled between neighbours, and concave in places."""
    return (x.square().sum(1) + 3 * torch.cos(x).sum(1) + (x[:, 1:] - x[:, :-1].square()).square().sum(1)) / 2


def rosenbrock(x: Tensor) -> Tensor:
    return (100 * (x[:, 1:] - x[:, :-1].square()).square() + (1 - x[:, :-1]).square()).sum(1)


def slope(loss: Loss, x: Tensor) -> Tensor:
    leaf = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf).sum(), leaf)
    return gradient


def path(loss: Loss, start: Tensor, steps: int, optimiser: Optimiser) -> list[Tensor]:
    """Every iterate, the start first; as a descent does, the optimiser learns before it steps."""
    found, before = [start], start
    for _ in range(steps):
        here = found[-1]
        gradient = slope(loss, here)
        optimiser.learn(here - before, gradient - slope(loss, before))
        found.append(here + optimiser.step(gradient))
        before = here
    return found


def torchs_path(loss: Loss, start: Tensor, steps: int, history: int) -> list[Tensor]:
    """What torch.optim.LBFGS makes of one row with a fixed step of 1 and no early end."""
    row = start.clone().requires_grad_()
    # max_iter counts within one call of step(); negative tolerances never end it.
    torchs = torch.optim.LBFGS(
        [row], lr=1, max_iter=1, history_size=history, tolerance_grad=-1, tolerance_change=-1, line_search_fn=None
    )

    def closure() -> float:
        row.grad = slope(loss, row[None])[0]
        return float(loss(row.detach()[None]))

    found = [start]
    for _ in range(steps):
        torchs.step(closure)  # type: ignore[no-untyped-call]
        found.append(row.detach().clone())
    return found


KINDS: list[type[Lbfgs | OnePassLbfgs]] = [Lbfgs, OnePassLbfgs]
both = pytest.mark.parametrize("kind", KINDS, ids=["two loops", "one pass"])


@both
@pytest.mark.parametrize("history", [4, 10])
def test_without_the_clamp_each_row_walks_as_torchs_lbfgs_does_alone(
    kind: type[Lbfgs | OnePassLbfgs], history: int
) -> None:
    found = path(ill_conditioned, WIDE, 60, kind(WIDE, history, FREE))
    assert slope(ill_conditioned, found[-1]).norm(dim=1).min() > 1e-3, "an end too near would compare rounding errors"
    worst = 0.0
    for row in range(len(WIDE)):
        expected = torchs_path(ill_conditioned, WIDE[row], 60, history)
        worst = max(worst, *(apart(ours[row], theirs) for ours, theirs in zip(found, expected, strict=True)))
    assert told(f"batched {kind.__name__} = torch.optim.LBFGS singly, history {history}, 60 iterations", worst) < 1e-6


@pytest.mark.parametrize("history", [4, 10])
def test_the_one_pass_form_walks_as_the_two_loops_do(history: int) -> None:
    loops, pass_ = (path(ill_conditioned, WIDE, 60, kind(WIDE, history, 2.0)) for kind in KINDS)
    worst = max(apart(ours, theirs) for ours, theirs in zip(pass_, loops, strict=True))
    assert told(f"one pass = two loops, history {history}, 60 iterations", worst) < 1e-9


@pytest.mark.parametrize("history", [1, 7])
def test_both_forms_take_the_same_step_whatever_rows_forget_or_fail_to_learn(history: int) -> None:
    """Steps of both from the same lessons: the history fills, rows forget, and pairs of negative curvature come in."""
    loops, one = Lbfgs(WIDE, history, 5.0), OnePassLbfgs(WIDE, history, 5.0)
    here, moved, bent, worst, learned = WIDE, torch.zeros_like(WIDE), torch.zeros_like(WIDE), 0.0, []
    for number in range(60):
        gradient = slope(ill_conditioned, here)
        bad = torch.tensor([[number % 9 == 4], [number in {2, 3, 30}], [False]])
        forgetful = torch.tensor([[number in {0, 21}], [False], [number % 13 == 12]])
        for each in (loops, one):
            each.learn(moved, torch.where(bad, -bent, bent))
            each.forget(forgetful)
        step = loops.step(gradient)
        worst = max(worst, apart(one.step(gradient), step))
        learned.append((loops.weights > 0).sum(1).tolist())
        moved, bent = step, slope(ill_conditioned, here + step) - gradient
        here = here + step
    assert max(row for rows in learned for row in rows) == history
    assert {row for rows in learned[1:] for row in rows} >= {0, history}
    assert told(f"one pass = two loops, history {history}, with forgotten rows and bad pairs", worst) < 1e-9


@both
def test_rows_of_a_stack_walk_as_they_do_alone(kind: type[Lbfgs | OnePassLbfgs]) -> None:
    together = path(bumpy, STARTS, 60, kind(STARTS, 10, 0.5))
    for row in range(len(STARTS)):
        one = STARTS[row : row + 1]
        alone = path(bumpy, one, 60, kind(one, 10, 0.5))
        assert torch.allclose(together[-1][row], alone[-1][0], rtol=1e-9, atol=1e-12)


@both
def test_what_one_row_meets_changes_nothing_for_the_others(kind: type[Lbfgs | OnePassLbfgs]) -> None:
    other = STARTS.clone()
    other[1] *= -7
    one, two = (path(bumpy, start, 30, kind(start, 5, 2.0))[-1] for start in (STARTS, other))
    assert one[[0, 2]].equal(two[[0, 2]])
    assert not one[1].equal(two[1])


def test_the_clamp_keeps_the_direction_and_the_limit_row_by_row() -> None:
    step = torch.tensor([[3.0, -60.0, 0.0], [1.0, 2.0, -0.5], [0.0, 0.0, 0.0]])
    assert clamped(step, 40.0).tolist() == [[2.0, -40.0, 0.0], [1.0, 2.0, -0.5], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    "optimiser",
    [*(kind(STARTS, 10, 0.25) for kind in KINDS), Sgd(torch.ones(3, 1, dtype=torch.float64), 0.25)],
    ids=["two loops", "one pass", "sgd"],
)
def test_no_step_passes_its_limit(optimiser: Optimiser) -> None:
    found = path(rosenbrock, STARTS, 40, optimiser)
    longest = max(float((after - before).abs().max()) for before, after in pairwise(found))
    assert longest == pytest.approx(0.25)


@both
def test_the_first_step_is_the_gradient_shortened_to_a_length_of_one(kind: type[Lbfgs | OnePassLbfgs]) -> None:
    gradient = torch.tensor([[3.0, -4.0, 1.0], [0.1, 0.2, -0.3]])
    found = kind(gradient, 10, 40.0).step(gradient)
    assert found.flatten().tolist() == pytest.approx([-3 / 8, 4 / 8, -1 / 8, -0.1, -0.2, 0.3])


@both
def test_a_row_that_forgets_makes_a_first_step_again_and_the_others_do_not(kind: type[Lbfgs | OnePassLbfgs]) -> None:
    optimiser, untouched = kind(STARTS, 10, FREE), kind(STARTS, 10, FREE)
    here = path(quadratic, STARTS, 8, optimiser)[-1]
    path(quadratic, STARTS, 8, untouched)
    optimiser.forget(torch.tensor([[True], [False], [False]]))
    gradient = slope(quadratic, here)
    after, usual = optimiser.step(gradient), untouched.step(gradient)
    assert torch.allclose(after[0], first_step(gradient)[0], rtol=1e-12)
    assert after[1:].equal(usual[1:])
    assert not torch.allclose(usual[0], first_step(gradient)[0])


@both
def test_a_row_that_forgot_everything_walks_on_as_if_new(kind: type[Lbfgs | OnePassLbfgs]) -> None:
    optimiser = kind(STARTS, 10, 1.0)
    here = path(bumpy, STARTS, 12, optimiser)[-1]
    optimiser.forget(torch.ones(3, 1, dtype=torch.bool))
    again = path(bumpy, here, 12, optimiser)
    anew = path(bumpy, here, 12, kind(STARTS, 10, 1.0))
    assert torch.allclose(again[-1], anew[-1], rtol=1e-9, atol=1e-12)


@both
def test_where_all_curves_downwards_steps_keep_their_direction_and_grow(kind: type[Lbfgs | OnePassLbfgs]) -> None:
    # −x²/2 curves downwards everywhere: nothing may be learned, and first steps alone would lead nowhere
    start = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    found = path(lambda x: -x.square().sum(1) / 2, start, 4, kind(start, 10, FREE))
    for number, (before, after) in enumerate(pairwise(found)):
        assert torch.allclose(after, before + 10**number * first_step(-before))
    limited = path(lambda x: -x.square().sum(1) / 2, start, 30, kind(start, 10, 40.0))
    assert max(float((after - before).abs().max()) for before, after in pairwise(limited)) == pytest.approx(40)


@both
def test_a_bad_pair_of_one_row_does_not_spoil_what_it_learned_before(kind: type[Lbfgs | OnePassLbfgs]) -> None:
    optimiser, untouched = kind(STARTS, 10, FREE), kind(STARTS, 10, FREE)
    here = path(quadratic, STARTS, 6, optimiser)[-1]
    path(quadratic, STARTS, 6, untouched)
    gradient = slope(quadratic, here)
    moved = torch.tensor([[0.0], [0.1], [0.0]], dtype=torch.float64) * gradient
    optimiser.learn(moved, -moved)  # yᵀs < 0
    assert torch.allclose(optimiser.step(gradient), untouched.step(gradient), rtol=1e-12)


@both
def test_it_converges_on_a_quadratic_and_on_rosenbrocks_valley(kind: type[Lbfgs | OnePassLbfgs]) -> None:
    assert float(quadratic(path(quadratic, STARTS, 60, kind(STARTS, 10, FREE))[-1]).max()) < 1e-9
    start = torch.tensor([[-1.2, 1.0], [0.5, -0.5]], dtype=torch.float64)
    assert float(rosenbrock(path(rosenbrock, start, 200, kind(start, 10, 0.3))[-1]).max()) < 1e-12


@pytest.mark.long
def test_a_fixed_step_explodes_on_ordinary_pictures_where_the_clamped_one_descends(
    photographs: dict[str, Pixels],
) -> None:
    recipe = recipe_named("jadh2016/config2_2_2").changed(tv_weight=0.0)
    worst = {FREE: 0.0, NeuralStyle.of(recipe).step_limit: 0.0}
    for seed in (3, 4):
        encoder = random_encoder(seed, widths=(4, 8, 8, 8, 8))
        content = to_tensor(to_gray(photographs["coffee"]), encoder)
        evaluator = ReferenceEvaluator(recipe, encoder)
        targets = targets_of(evaluator, content, [to_tensor(photographs["astronaut"], encoder)])

        def loss(x: Tensor, encoder: Encoder = encoder, targets: Targets = targets) -> Tensor:
            return loss_terms(recipe, encoder, targets, x.view(-1, 3, 48, 64), 1.0).total

        start = content.flatten(1)
        for limit, before in worst.items():
            losses = [float(loss(x)) for x in path(loss, start, 30, Lbfgs(start, 10, limit))]
            worst[limit] = max(before, max(losses) / losses[0])
    assert worst[FREE] > 1000
    assert worst[NeuralStyle.of(recipe).step_limit] == 1


def test_gradient_descent_steps_by_each_rows_own_rate() -> None:
    optimiser = Sgd(torch.tensor([[0.1], [10.0]]), 40.0)
    found = optimiser.step(torch.tensor([[1.0, -2.0], [1.0, -8.0]]))
    assert found.flatten().tolist() == pytest.approx([-0.1, 0.2, -5.0, 40.0])


def test_a_row_that_blew_up_goes_on_at_half_its_rate() -> None:
    optimiser = Sgd(torch.tensor([[0.1], [1.0]]), 40.0)
    optimiser.forget(torch.tensor([[False], [True]]))
    assert optimiser.rates.flatten().tolist() == pytest.approx([0.1, 0.5])


@pytest.mark.parametrize(
    "optimiser",
    [*(kind(STARTS, 3, 0.25) for kind in KINDS), Sgd(torch.ones(3, 1, dtype=torch.float64), 0.25)],
    ids=["two loops", "one pass", "sgd"],
)
def test_an_optimiser_works_in_place_so_that_its_tensors_are_all_that_it_is(optimiser: Optimiser) -> None:
    before = dict(optimiser.tensors)
    path(bumpy, STARTS, 5, optimiser)
    optimiser.forget(torch.tensor([[True], [False], [False]]))
    assert optimiser.tensors.keys() == before.keys()
    assert all(optimiser.tensors[name] is each for name, each in before.items())
    assert all(len(each) == len(STARTS) for each in before.values())
