"""Blind comparisons: drawn alike every time, kept once, taken back, added up; on both databases."""

from dataclasses import replace

import pytest

from db.catalogue import Catalogue
from db.entries.comparisons import Offered, Side
from db.queries.review.bradley_terry import strengths
from tests.integration.db.test_statistics import OTHER
from tests.samples import RECIPE, Sample

BOTH = (RECIPE.digest, OTHER.digest)


@pytest.fixture
def made(catalogue: Catalogue, sample: Sample) -> dict[int, str]:
    """Eight prints, each coloured by two recipes, and one by one alone: attempt → recipe."""
    other = replace(sample, recipe=OTHER)
    sample.pairs(catalogue, 8)
    recipes = dict.fromkeys(sample.night(catalogue), RECIPE.name) | dict.fromkeys(other.night(catalogue), OTHER.name)
    sample.entry(catalogue, sample.record("alone"))
    return recipes


def offered(catalogue: Catalogue, curator: str) -> Offered:
    found = catalogue.next_comparison(curator, BOTH)
    assert found is not None
    return found


def walked(catalogue: Catalogue, curator: str, recipe: str, made: dict[int, str]) -> list[Offered]:
    """All that is offered, the recipe's result chosen each time."""
    seen = []
    while found := catalogue.next_comparison(curator, BOTH):
        seen.append(found)
        assert catalogue.choose(curator, found, Side.LEFT if made[found.left] == recipe else Side.RIGHT)
    return seen


@pytest.mark.long
def test_each_print_is_offered_once_in_an_order_of_the_curators_own(catalogue: Catalogue, made: dict[int, str]) -> None:
    (pair,) = catalogue.comparable()
    assert (pair.contents, set(pair.recipes)) == (8, {RECIPE.name, OTHER.name})
    first = offered(catalogue, "aya")
    assert offered(catalogue, "aya") == first
    assert {made[first.left], made[first.right]} == {RECIPE.name, OTHER.name}
    seen = {name: walked(catalogue, name, OTHER.name, made) for name in ("aya", "bun")}
    assert [each.remaining for each in seen["aya"]] == [8, 7, 6, 5, 4, 3, 2, 1]
    contents = {name: [each.content_sha256 for each in several] for name, several in seen.items()}
    assert contents["aya"] != contents["bun"]
    assert set(contents["aya"]) == set(contents["bun"])
    assert {made[each.left] for each in seen["aya"]} == {RECIPE.name, OTHER.name}


@pytest.mark.long
def test_a_choice_counts_once_and_can_be_taken_back(catalogue: Catalogue, made: dict[int, str]) -> None:
    first = offered(catalogue, "aya")
    assert catalogue.choose("aya", first, Side.LEFT)
    assert not catalogue.choose("aya", first, Side.RIGHT)
    assert catalogue.choose("bun", first, Side.NEITHER)
    assert not catalogue.undo_choice("chika", BOTH)
    assert catalogue.undo_choice("aya", BOTH)
    assert not catalogue.undo_choice("aya", BOTH)
    assert offered(catalogue, "aya") == first
    assert catalogue.choose("aya", first, Side.RIGHT)
    told = [(each.curator, each.chosen, each.undone_at is not None) for each in catalogue.choices_made()]
    assert told == [("aya", Side.LEFT, True), ("bun", Side.NEITHER, False), ("aya", Side.RIGHT, False)]
    (kept, *_) = catalogue.choices_made()
    assert (kept.left_attempt, kept.left_recipe) == (first.left, made[first.left])
    assert (kept.right_attempt, kept.right_recipe) == (first.right, made[first.right])


@pytest.mark.long
def test_choices_add_up_to_rates_and_strengths(catalogue: Catalogue, made: dict[int, str]) -> None:
    assert catalogue.preferences().pairs == []
    walked(catalogue, "aya", OTHER.name, made)
    catalogue.choose("bun", offered(catalogue, "bun"), Side.NEITHER)
    told = catalogue.preferences()
    (pair,) = told.pairs
    assert (pair.recipes, pair.won, pair.lost, pair.even) == ((RECIPE.name, OTHER.name), 0, 8, 1)
    assert (pair.rate.value, pair.rate.of, told.left.of) == (0.0, 8, 8)
    assert [name for name, _ in told.strengths] == [OTHER.name, RECIPE.name]


def test_strengths_are_those_that_the_choices_were_drawn_by() -> None:
    """Three recipes of log strengths 1, 0 and -1: what is expected of 1,000 choices a pair gives them back."""
    won = {
        (one, other): 1000 / (1 + 2.718281828 ** (there - here))
        for one, here in (("a", 1), ("b", 0), ("c", -1))
        for other, there in (("a", 1), ("b", 0), ("c", -1))
        if one != other
    }
    found = dict(strengths(won))
    assert list(found) == ["a", "b", "c"]
    assert found["a"].value == pytest.approx(0.731, abs=0.002)
    assert found["b"].value == pytest.approx(0.5, abs=1e-6)
    assert found["b"].low is not None
    assert 0.47 < found["b"].low < 0.5
    assert strengths({}) == []


def test_who_won_every_time_keeps_a_finite_strength() -> None:
    found = dict(strengths({("a", "b"): 5}))
    assert found["a"].value is not None
    assert 0.5 < found["a"].value < 0.99
