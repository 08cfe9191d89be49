"""Blind comparison on the page: nothing tells the recipe before the choice, a form counts once, and can be undone."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from db.catalogue import Catalogue
from db.entries.comparisons import Side
from db.entries.review import Role
from db.files.home import HomeFolder
from db.files.tiles import TileStore
from db.settings import CatalogueSettings
from tests.integration.db.test_statistics import OTHER
from tests.integration.review.desk import Desk, Desks, desks
from tests.integration.review.test_statistics_page import table
from tests.samples import RECIPE, Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""
PAIR = f"/comparisons/pair?one={RECIPE.digest}&other={OTHER.digest}"


@pytest.fixture
def seat(settings: CatalogueSettings, catalogue: Catalogue, sample: Sample) -> Iterator[Desks]:
    """Two prints by two recipes, with previews that hold their own sha256."""
    sample.pairs(catalogue, 2)
    store = TileStore(settings.home / HomeFolder.TILES)
    for number in [*sample.night(catalogue), *replace(sample, recipe=OTHER).night(catalogue)]:
        shown = catalogue.attempt(number).output_sha256 or ""
        store.add(shown, lambda folder, name=shown: (folder / "preview.jpg").write_text(name))  # type: ignore[misc]
    with desks(settings, catalogue) as made:
        yield made


def word(desk: Desk) -> str:
    found = re.search(r'name="pair" value="(\w+)"', desk.see(PAIR))
    assert found is not None
    return found[1]


def test_nothing_tells_which_recipe_made_which(catalogue: Catalogue, seat: Desks) -> None:
    desk = seat()
    page = desk.see(PAIR)
    offered = catalogue.next_comparison("Sumire", (RECIPE.digest, OTHER.digest))
    assert offered is not None
    hidden = (RECIPE.name, OTHER.name, *offered.output_sha256, "/entries/")
    assert [each for each in hidden if each in page] == []
    pictures = re.findall(r'src="(/comparisons/picture[^"]+)"', page)
    assert [desk.get(each).text for each in pictures] == list(offered.output_sha256)
    assert desk.get(re.sub("pair=[0-9a-f]+", "pair=other", pictures[0])).status_code == 404


def test_a_choice_is_kept_once_told_and_taken_back(catalogue: Catalogue, seat: Desks) -> None:
    desk = seat()
    first = word(desk)
    for notice in ("choice-kept", "choice-kept-before"):
        answer = desk.post(PAIR, {"pair": first, "choice": "left"})
        assert (answer.status_code, answer.headers["location"].endswith(f"notice={notice}")) == (303, True)
    (made,) = catalogue.choices_made()
    assert (made.curator, made.chosen) == ("Sumire", Side.LEFT)
    assert "1 of 2 prints are left" in desk.see(PAIR)
    desk.post(PAIR, {"pair": word(desk), "choice": "neither"})
    assert "You have compared all prints" in desk.see(PAIR)
    results = desk.see("/comparisons")
    assert made.left_recipe in results
    assert "<circle" in results
    (row,) = table(desk, "/comparisons/results.csv")
    assert (row["neither"], row["win_rate_of"]) == ("1", "1")
    assert [each["chosen"] for each in table(desk, "/comparisons/choices.csv")] == ["left", "neither"]
    assert len(table(desk, "/comparisons/strengths.csv")) == 2
    desk.post(PAIR.replace("/pair", "/undo"))
    assert word(desk) != first
    assert desk.get("/comparisons", headers={"Accept-Language": "ja"}).text.count("目隠し比較") > 0


def test_who_only_looks_cannot_choose_and_two_recipes_without_a_print_are_told_so(seat: Desks) -> None:
    viewer = seat("Ren", Role.VIEWER)
    assert viewer.get(PAIR).status_code == 403
    assert viewer.get("/comparisons/choices.csv").status_code == 403
    assert "Compare " not in viewer.see("/comparisons")
    assert seat().get("/comparisons/pair?one=a&other=b").status_code == 404
