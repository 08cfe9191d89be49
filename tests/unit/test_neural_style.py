from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from colorize.colorizer import to_tensor
from colorize.images import Pixels, to_gray
from colorize.methods.neural_style import TRACE_EVERY, Descent, decay_at, descend, start_pictures
from colorize.recipe import Pooling, Recipe, recipe_named
from colorize.vgg.encoder import Encoder
from colorize.vgg.losses import Targets, loss_terms

LBFGS = recipe_named("jadh2016/config1_2_3").changed(iterations=25)
SGD = recipe_named("jadh2016/config1_1_3").changed(iterations=25)

Spoiled = Callable[[int, Tensor], Tensor]
"""(number of the evaluation, its pictures) → bool (B,): the rows whose features come out as NaN."""


@dataclass(frozen=True)
class Watched(Encoder):
    """Keeps every stack that it is given, and gives NaN for the rows that it is told to spoil."""

    spoiled: Spoiled = field(default=lambda _number, pictures: torch.zeros(len(pictures), dtype=torch.bool))
    seen: list[Tensor] = field(default_factory=list)

    def features(self, pictures: Tensor, layers: Collection[str], pooling: Pooling = "max") -> dict[str, Tensor]:
        rows = self.spoiled(len(self.seen), pictures.detach())
        self.seen.append(pictures.detach().clone())
        factor = torch.where(rows, torch.nan, 1.0)[:, None, None, None]
        return {name: found * factor for name, found in super().features(pictures, layers, pooling).items()}


def watched(encoder: Encoder, spoiled: Spoiled | None = None) -> Watched:
    parts = (encoder.name, encoder.checksum, encoder.preprocessing, encoder.convolutions)
    return Watched(*parts) if spoiled is None else Watched(*parts, spoiled)


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
    return Targets.of(LBFGS, narrow64, contents, styles)


def losses_of(recipe: Recipe, encoder: Encoder, targets: Targets, stacks: list[Tensor]) -> Tensor:
    """Total loss of every stack, (evaluations, B)."""
    with torch.no_grad():
        found = [
            loss_terms(recipe, encoder, targets, stack, decay_at(recipe, number)).total
            for number, stack in enumerate(stacks)
        ]
    return torch.stack(found)


def assert_best_is_kept(descent: Descent, losses: Tensor, seen: list[Tensor]) -> None:
    for row, number in enumerate(losses.argmin(0).tolist()):
        assert descent.best[row].equal(seen[number][row])
        assert all(entry["total"] >= float(losses[number, row]) for entry in descent.traces[row])


@pytest.mark.parametrize("iterations", [1, 2, 11, 25])
def test_an_iteration_is_one_evaluation_and_none_is_left_out(
    iterations: int, narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    encoder, told = watched(narrow64), list[tuple[int, int]]()
    recipe = LBFGS.changed(iterations=iterations)
    descend(recipe, encoder, targets, contents, lambda done, total: told.append((done, total)))
    assert len(encoder.seen) == iterations
    assert told == [(done, iterations) for done in range(1, iterations + 1)]
    assert all(len(stack) == 2 for stack in encoder.seen)


def test_sgd_evaluates_a_tenth_for_each_rate_and_then_all_its_iterations(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    encoder, told = watched(narrow64), list[int]()
    descend(SGD, encoder, targets, contents, lambda done, _total: told.append(done))
    assert len(encoder.seen) == 3 * (25 // 10) + 25
    assert told == list(range(1, 26))


def test_a_picture_that_has_nothing_to_gain_is_evaluated_to_the_end_all_the_same(
    narrow64: Encoder, contents: Tensor
) -> None:
    recipe = LBFGS.changed(tv_weight=0.0)
    perfect = Targets.of(recipe, narrow64, contents, [contents[:1], contents[1:]])
    encoder = watched(narrow64)
    descent = descend(recipe, encoder, perfect, contents)
    assert len(encoder.seen) == 25
    assert descent.best.equal(contents)
    assert descent.finite.all()


@pytest.mark.parametrize("recipe", [LBFGS, LBFGS.changed(schedule="iteration"), SGD], ids=["lbfgs", "decay", "sgd"])
def test_the_best_of_all_evaluated_pictures_is_what_comes_out(
    recipe: Recipe, narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    encoder = watched(narrow64)
    descent = descend(recipe, encoder, targets, contents)
    walked = encoder.seen[-recipe.iterations :]
    losses = losses_of(recipe, narrow64, targets, walked)
    assert_best_is_kept(descent, losses, walked)
    assert (losses.min(0).values < 0.8 * losses[0]).all()


def test_the_best_is_kept_where_the_last_is_worse(narrow64: Encoder, targets: Targets, contents: Tensor) -> None:
    recipe = LBFGS.changed(optimiser="sgd", rates=(1e3,), iterations=9)  # 40 grey levels to and fro
    encoder = watched(narrow64)
    descent = descend(recipe, encoder, targets, contents)
    walked = encoder.seen[-9:]
    losses = losses_of(recipe, narrow64, targets, walked)
    assert (losses.argmin(0) < 8).all(), "the last must not be the best here"
    assert_best_is_kept(descent, losses, walked)


def test_the_trace_holds_every_tenth_and_the_last_evaluation(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    recipe = LBFGS.changed(schedule="iteration", decay=0.9)
    encoder = watched(narrow64)
    descent = descend(recipe, encoder, targets, contents)
    assert TRACE_EVERY == 10
    for row, trace in enumerate(descent.traces):
        assert [entry["iteration"] for entry in trace] == [0, 10, 20, 24]
        for entry in trace:
            number = int(entry["iteration"])
            terms = loss_terms(recipe, narrow64, targets, encoder.seen[number], 0.9**number)
            wanted = {"content": terms.content, "style": terms.style, "tv": terms.tv, "total": terms.total}
            assert {key: entry[key] for key in wanted} == pytest.approx({k: float(v[row]) for k, v in wanted.items()})


def test_a_picture_whose_loss_is_not_finite_goes_back_and_forgets(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    def spoiled(number: int, pictures: Tensor) -> Tensor:
        return torch.tensor([number in {7, 12}, False])

    encoder = watched(narrow64, spoiled)
    descent = descend(LBFGS, encoder, targets, contents)
    assert len(encoder.seen) == 25
    assert descent.restored.tolist() == [2, 0]
    assert descent.finite.all()
    assert descent.best.isfinite().all()
    undisturbed = descend(LBFGS, narrow64, targets, contents)
    assert torch.allclose(descent.best[1], undisturbed.best[1], atol=1e-8)
    for number in (7, 12):
        good = encoder.seen[number - 1].requires_grad_()
        loss = loss_terms(LBFGS, narrow64, targets, good, 1.0).total.sum()
        gradient = torch.autograd.grad(loss, good)[0][0]
        first = good.detach()[0] - gradient / max(1.0, float(gradient.abs().sum()))
        assert torch.allclose(encoder.seen[number + 1][0], first, atol=1e-9)


def test_sgd_goes_on_at_half_its_rate_after_a_loss_that_is_not_finite(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    recipe = SGD.changed(rates=(0.01,), iterations=9)
    encoder = watched(narrow64, lambda number, _pictures: torch.tensor([number == 1 + 4, False]))
    descent = descend(recipe, encoder, targets, contents)
    seen = encoder.seen[1:]
    assert descent.restored.tolist() == [1, 0]
    before, after = seen[4][0] - seen[3][0], seen[5][0] - seen[3][0]
    assert torch.allclose(after, before / 2, atol=1e-9)


def test_a_picture_that_never_was_finite_is_told_apart_from_the_others(
    narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    encoder = watched(narrow64, lambda _number, _pictures: torch.tensor([False, True]))
    descent = descend(LBFGS, encoder, targets, contents)
    assert descent.finite.tolist() == [True, False]
    assert descent.restored.tolist() == [0, 25]
    assert descent.best[1].equal(contents[1])
    assert torch.allclose(descent.best[0], descend(LBFGS, narrow64, targets, contents).best[0], atol=1e-8)


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
    encoder = watched(narrow64)
    descent = descend(recipe, encoder, targets, contents)
    assert encoder.seen[0].equal(start_pictures(recipe, contents))
    for trace in descent.traces:
        assert trace[-1]["total"] < 0.5 * trace[0]["total"]


def test_what_is_given_is_not_changed(narrow64: Encoder, targets: Targets, contents: Tensor) -> None:
    kept = contents.clone()
    descend(LBFGS, narrow64, targets, contents)
    assert contents.equal(kept)


def test_sgd_takes_for_each_picture_the_rate_that_came_furthest_in_the_first_tenth(
    narrow64: Encoder, contents: Tensor, styles: list[Tensor]
) -> None:
    rates = (1e-4, 0.01, 1.0)
    stack = torch.cat([contents, torch.full_like(contents[:1], 90)])
    wanted = Targets.of(SGD, narrow64, stack, [*styles, stack[2:]])
    found = descend(SGD.changed(rates=rates, iterations=30), narrow64, wanted, stack)
    singly = [SGD.changed(rates=(rate,)) for rate in rates]
    begun = [descend(recipe.changed(iterations=3), narrow64, wanted, stack) for recipe in singly]
    whole = [descend(recipe.changed(iterations=30), narrow64, wanted, stack) for recipe in singly]
    losses = torch.stack([loss_terms(SGD, narrow64, wanted, descent.best, 1.0).total for descent in begun])
    chosen = losses.argmin(0).tolist()
    assert len(set(chosen)) > 1, "no choice is seen where all take one rate"
    for row, rate in enumerate(chosen):
        assert torch.allclose(found.best[row], whole[rate].best[row], atol=1e-9)


@pytest.mark.parametrize("recipe", [SGD.changed(rates=(1e6,)), LBFGS.changed(style_over_content=1.0)])
def test_no_step_passes_the_limit_of_grey_levels(
    recipe: Recipe, narrow64: Encoder, targets: Targets, contents: Tensor
) -> None:
    encoder = watched(narrow64)
    descend(recipe, encoder, targets, contents)
    walked = encoder.seen[-25:]
    longest = max(float((b - a).abs().max()) for a, b in pairwise(walked))
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
def test_a_picture_comes_out_alone_as_it_does_in_a_stack(
    recipe: Recipe, narrow64: Encoder, targets: Targets, contents: Tensor, styles: list[Tensor]
) -> None:
    together = descend(recipe, narrow64, targets, contents)
    for row in range(2):
        content = contents[row : row + 1]
        alone = descend(recipe, narrow64, Targets.of(recipe, narrow64, content, [styles[row]]), content)
        assert torch.allclose(alone.best[0], together.best[row], atol=1e-4)
        totals = [entry["total"] for entry in together.traces[row]]
        assert [entry["total"] for entry in alone.traces[0]] == pytest.approx(totals)


def test_a_few_steps_in_float32_follow_those_in_float64(
    narrow: Encoder, narrow64: Encoder, targets: Targets, contents: Tensor, styles: list[Tensor]
) -> None:
    recipe = LBFGS.changed(iterations=6)  # rounding grows with every step
    single = contents.float()
    theirs = Targets.of(recipe, narrow, single, [style.float() for style in styles])
    coarse, fine = descend(recipe, narrow, theirs, single), descend(recipe, narrow64, targets, contents)
    assert (coarse.best.double() - fine.best).abs().mean() < 0.02
    assert (fine.best - contents).abs().max() > 5
