"""Verdicts move the weights in the right direction, and what they say by chance is refused."""

from dataclasses import replace

import numpy as np
import pytest

from colorize.matching.reweighting import Judged, Refit, refit

WEIGHTS = np.array([0.5, 0.5, 0.2])


def judged(seed: int, truth: tuple[float, float, float], rows: int = 120, *, bounded: bool = False) -> Judged:
    """Verdicts of curators who go by these weights; the third value is a picture's where it is bounded."""
    rng = np.random.default_rng(seed)
    values = np.column_stack([rng.integers(0, 2, (rows, 2)), rng.normal(size=rows)]).astype(float)
    odds = 2 * (values @ np.array(truth)) - 1
    good = (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(float)
    which = np.array([False, False, bounded])
    return Judged(values, good, np.ones(rows), np.arange(rows) // 2, which, 0.25, 2.0)


def test_what_curators_approve_gains_weight_and_what_they_return_loses_it() -> None:
    found = refit(judged(0, (2.5, -2.0, 0.2)), WEIGHTS, 5)
    assert found.is_better
    assert found.weights[0] > 0.8
    assert found.weights[1] < 0.2
    assert found.loss_after < found.loss_before - found.error


@pytest.mark.parametrize("seed", range(4))
def test_verdicts_that_the_weights_foretell_already_or_that_are_a_coin_move_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    by_chance = judged(seed, (0.5, 0.5, 0.2), 60)
    coin = replace(by_chance, good=rng.integers(0, 2, 60).astype(float))
    refused: list[Refit] = [refit(each, WEIGHTS, 5) for each in (coin, by_chance)]
    assert [each.is_better for each in refused] == [False, False]
    assert all(np.abs(each.weights - WEIGHTS).max() < 0.75 for each in refused)


def test_weights_stay_between_nothing_and_the_most_and_nothing_stays_nothing() -> None:
    found = refit(judged(1, (40.0, -40.0, 0.0), 400), np.array([0.5, 0.5, 0.0]), 1.0)
    assert (found.weights >= 0).all()
    assert (found.weights <= 1.0).all()
    assert found.weights[2] == 0


def test_few_words_count_less_than_many_and_a_half_word_less_than_a_whole() -> None:
    many, few = judged(2, (3.0, 0.5, 0.2), 400), judged(2, (3.0, 0.5, 0.2), 20)
    halves = replace(few, counts=few.counts / 2)
    by_many, by_few, by_halves = (refit(each, WEIGHTS, 5).weights[0] for each in (many, few, halves))
    assert by_many > by_few > by_halves > 0.4


def test_the_bound_on_pictures_holds_while_fitting() -> None:
    free, held = (refit(judged(3, (0.5, 0.5, 3.0), 300, bounded=each), WEIGHTS, 5) for each in (False, True))
    assert free.weights[2] > 1.0
    assert held.loss_after > free.loss_after
