"""A sweep's numbers are counted rightly, its plan is what was asked for, the paper's findings stand beside ours."""

import csv
from collections import Counter
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest

from colorize.errors import UnknownRecipe
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.library import recipe_named
from db.entries.night import (
    Outcome,
)
from flows.settings import Settings
from flows.sweep.plan import pattern_plan, preset_plan
from flows.sweep.published import Rank, best_of, rank_of
from flows.sweep.tables import cells, config_rows, figure_names, table_csv
from tests.unit.flows.sweep.sweeps import attempt, closed, jadh, rows_of, verdicts


def test_mean_and_deviation_are_taken_over_measured_attempts_rejected_ones_too() -> None:
    recipe = recipe_named("jadh2016/config3_3_4")
    attempts = [
        attempt(recipe, (1, 11), content=0.2),
        closed(attempt(recipe, (1, 12), content=0.4), Outcome.REJECTED),
        closed(attempt(recipe, (1, 13)), Outcome.FAILED),
        replace(attempt(recipe, (1, 14)), outcome=None, result=None),
    ]
    (row,) = config_rows([recipe], attempts, pairs=5)
    assert row.counts == {"attempts": 3, "rejected": 1, "failed": 1, "missing": 2}
    assert row.told == "3 (1 rejected, 1 failed, 2 missing)"
    assert row.figures["content error"].mean == pytest.approx(0.3)
    assert row.figures["content error"].deviation == pytest.approx(np.std([0.2, 0.4], ddof=1))
    assert str(row.figures["content error"]) == "0.300 ± 0.141"


def test_a_recipe_of_the_same_name_run_otherwise_is_not_counted() -> None:
    recipe = recipe_named("jadh2016/config3_3_4")
    (row,) = config_rows([recipe], [attempt(recipe.changed(iterations=7))], pairs=1)
    assert (row.attempts, row.figures, row.counts["missing"]) == (0, {}, 1)


def test_one_attempt_has_no_deviation_and_the_csv_leaves_it_empty() -> None:
    plan = jadh("jadh2016/config1_1_[12]")
    table = table_csv(config_rows(plan.recipes, [attempt(plan.recipes[1], content=1 / 3)], pairs=1))
    first, second = csv.DictReader(StringIO(table))
    assert (first["configuration"], first["attempts"], first["content_error"]) == ("jadh2016/config1_1_1", "0", "")
    assert float(second["content_error"]) == 1 / 3
    assert (second["content_error_sd"], float(second["lightness_ssim"])) == ("", 0.9)


def test_the_table_keeps_the_order_of_the_recipes_and_every_measure() -> None:
    plan = jadh("jadh2016/config2_*")
    attempts = [attempt(recipe) for recipe in reversed(plan.recipes)]
    rows = config_rows(plan.recipes, attempts, pairs=1)
    header, body = cells(rows, figure_names(rows))
    assert [line[0] for line in body] == [recipe.name for recipe in plan.recipes]
    assert header == [
        "configuration", "attempts", "content error", "style error", "total error", "lightness ssim", "colourfulness",
    ]  # fmt: skip


def test_where_every_word_of_j_holds_the_table_says_yes() -> None:
    means = {
        "3_1_4": (0.1, 1.0, 20.0), "2_3_1": (1.0, 0.1, 30.0), "3_3_1": (0.5, 0.2, 30.0), "3_3_4": (0.4, 1.0, 10.0),
    }  # fmt: skip
    lines = best_of(rows_of(means))
    assert verdicts(lines) == ["yes"] * 4 + ["the paper does not say"] * 2 + ["yes"] * 2
    assert lines[0].ours == "jadh2016/config3_1_4, 0.100"
    assert lines[3].ours == "place 2 of 36"
    assert lines[3].here == "0.400, place 2 of 36"


def test_where_no_word_of_j_holds_the_table_says_no() -> None:
    better = {f"1_{y}_{z}": (0.1 * z, 0.3, 20.0) for y in (1, 2) for z in (1, 2, 3, 4)}
    lines = best_of(rows_of(better | {"3_3_4": (0.9, 1.0, 50.0)}))
    assert verdicts(lines) == ["no"] * 4 + ["the paper does not say"] * 2 + ["no"] * 2
    assert lines[3].ours == "place 9 of 36"
    assert lines[0].here == "1.000, places 10 to 36 of 36, shared"


def test_a_best_that_stayed_gray_says_so() -> None:
    rows = rows_of({"1_1_4": (0.0, 1.0, 0.0)})
    gray = next(row for row in rows if row.recipe.name.endswith("1_1_4"))
    rows[rows.index(gray)] = replace(gray, outcomes=Counter({"succeeded": 1, "rejected": 5}))
    assert best_of(rows)[0].ours == "jadh2016/config1_1_4, 0.000 (5 of 6 rejected)"


def test_a_sweep_of_part_of_js_recipes_says_what_is_not_in_it_and_one_of_none_has_no_table() -> None:
    part = [row for row in rows_of({}) if "config1_" in row.recipe.name]
    assert set(verdicts(best_of(part))) == {"not measured here"}
    assert best_of([]) == []
    assert rank_of([replace(part[0], figures={})], "content error", part[0].recipe.name) is None


def test_equal_means_share_their_places_and_settle_nothing() -> None:
    rows = rows_of({"1_1_1": (0.5, 1.0, 20.0)})
    assert rank_of(rows, "content error", "jadh2016/config1_1_1") == Rank(1, 1, 36)
    assert {rank_of(rows, "content error", row.recipe.name) for row in rows[1:]} == {Rank(2, 36, 36)}
    assert verdicts(best_of(rows_of({}))) == ["shared"] * 4 + ["the paper does not say"] * 2 + ["shared"] * 2


def test_a_shortened_sweep_passes_through_the_whole_decrease() -> None:
    short = {recipe.name: recipe for recipe in jadh("jadh2016/*", iterations=60, size=128).recipes}
    assert len(short) == 36
    assert Counter(NeuralStyle.of(recipe).schedule for recipe in short.values()) == {"fixed": 24, "share": 12}
    assert {(recipe.parameters.iterations, recipe.long_edge_px) for recipe in short.values()} == {(60, 128)}
    assert NeuralStyle.of(jadh("jadh2016/config3_3_4").recipes[0]).schedule == "iteration"


def test_patterns_may_be_repeated_or_stand_with_commas_and_each_recipe_is_taken_once() -> None:
    plan = pattern_plan(Settings(), ["jadh2016/config1_1_*, asiagraph2016", "jadh2016/config1_1_1"])
    assert [recipe.name for recipe in plan.recipes] == [
        "asiagraph2016", *(f"jadh2016/config1_1_{z}" for z in (1, 2, 3, 4)),
    ]  # fmt: skip
    assert plan.name == "jadh2016-config1-1-asiagraph2016-jadh201"


def test_a_preset_is_the_four_of_the_paper_with_its_curves() -> None:
    plan = preset_plan(Settings(), "asiagraph2016-figure2")
    assert {(NeuralStyle.of(recipe).optimiser, NeuralStyle.of(recipe).schedule) for recipe in plan.recipes} == {
        ("sgd", "fixed"), ("sgd", "iteration"), ("lbfgs", "fixed"), ("lbfgs", "iteration"),
    }  # fmt: skip
    assert (len(plan.recipes), plan.loss_curves) == (4, True)


@pytest.mark.parametrize("word", ["jadh2017/*", "jadh2016", ""])
def test_an_unknown_configuration_is_answered_with_what_there_is(word: str) -> None:
    with pytest.raises(UnknownRecipe, match=r"there is asiagraph2016, .*jadh2016"):
        pattern_plan(Settings(), [word])


def test_an_unknown_preset_is_answered_with_what_there_is() -> None:
    with pytest.raises(UnknownRecipe, match=r"there is asiagraph2016-figure2"):
        preset_plan(Settings(), "figure2")
