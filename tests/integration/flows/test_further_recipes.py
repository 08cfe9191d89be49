"""A night that carries out other recipes on the same contents besides, to compare with."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from colorize.errors import UnknownRecipe
from db.catalogue import Catalogue
from flows.archives.sample.server import serve_sample
from flows.dispatch import DispatchTally, dispatch
from flows.harvest import harvest
from flows.match import match
from flows.plan import plan_catalogue, plan_night
from flows.report import report, sheets_due
from flows.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import SettingsOf

RECIPES = ("nishiki/colour", "classics/reinhard2001", "cieluv_net/prints-areas")


@pytest.mark.long
def test_each_recipe_has_a_batch_of_its_own_on_the_same_contents_and_is_done_once(
    settings_of: "SettingsOf", tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, recipe=RECIPES[0], further_recipes=RECIPES[1:], limit=1)
    with serve_sample(designs=4, grays=2) as archive:
        harvest(settings, [archive.base_url])
    match(settings)
    tallies = dispatch(settings)
    assert [sum(each.outcomes.values()) for each in tallies] == [1, 1, 1]
    with Catalogue.open(settings, create=False) as catalogue:
        attempts = list(catalogue.attempts())
    assert [each.recipe.name for each in attempts] == list(RECIPES)
    assert len({each.content.sha256 for each in attempts}) == 1
    learned = attempts[2]
    assert [each.role for each in learned.models] == ["colorizer", "encoder"]
    assert learned.style is None
    _all_stand_in_one_sheet(settings, tallies)
    assert len(dispatch(settings)) == 3
    assert dispatch(settings) == []


def _all_stand_in_one_sheet(settings: Settings, tallies: Sequence[DispatchTally]) -> None:
    own, *further = (each.batch_id for each in tallies)
    with plan_catalogue(settings) as plan:
        assert sheets_due(plan, [own, *further]) == [own]
        sheet = report(settings, own)
        assert sheets_due(plan, []) == []  # nor is the latest batch, whose results the sheet shows, told again
        assert sheets_due(plan, further[:1]) == further[:1]
    assert [row["recipe"] for row in sheet.rows] == list(RECIPES)
    html = sheet.html.read_text()
    assert html.count("<article>") == 1
    assert html.count("<img ") == 5


def test_a_recipe_to_compare_with_that_is_none_is_told_before_anything_begins(
    settings_of: "SettingsOf", tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, further_recipes=("cieluv_net/none",))
    with pytest.raises(UnknownRecipe, match="cieluv_net/none"), plan_night(settings, []):
        pass
