"""The statistics page: its tables, plots and files, in both languages, every text escaped and every cell a text."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from xml.etree import ElementTree as ET

import pytest
from fastapi import FastAPI

from db.catalogue import Catalogue
from db.entries.faults import Fault, FaultKind
from db.entries.models import ModelEntry
from db.entries.review import Queue, QueueFilter
from db.settings import CatalogueSettings
from tests.integration.db.test_statistics import APPROVED, OTHER, figured
from tests.integration.review.review_client import Browser, opened
from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    with opened(settings) as made:
        yield made


@pytest.fixture
def filled(catalogue: Catalogue, sample: Sample) -> None:
    """Three prints by two recipes, of an artist whose name would be a formula."""
    other = replace(sample, recipe=OTHER)
    for n in range(3):
        sample.matched(catalogue, sample.record(f"r{n}", artists=("=1+1", "<b>国貞")), 0.9)
        (one,) = sample.night(catalogue, **figured(0.1, 0.3 + n / 10, 0.7))
        other.night(catalogue, **figured(0.1, 0.5 + n / 7, 0.6))
        catalogue.give_verdict(one, "aya", APPROVED)


def table(browser: Browser, address: str) -> list[dict[str, str]]:
    answer = browser.get(address)
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))


def test_an_empty_catalogue_is_told_so(app: FastAPI) -> None:
    browser = Browser(app)
    assert "No result has been made yet" in browser.get("/statistics").text
    assert table(browser, "/statistics/table.csv") == []
    assert "There is nothing to draw yet" in browser.get("/statistics/plot.svg").text


@pytest.mark.usefixtures("filled")
def test_recipes_are_told_compared_and_held_against_the_paper(catalogue: Catalogue, app: FastAPI) -> None:
    measures = {"plain": {"ratio": 0.91}, "areas": {"ratio": 0.83}}
    catalogue.add_model(
        ModelEntry("a" * 64, "ours", "cieluv-net", {}, "", 10, 4, measures, "v1", Sample().moment, None)
    )
    page = Browser(app).get("/statistics").text
    for words in ("100 %", "0.700", "jadh2016/config3_3_4", "config2_3_1", "cieluv-net/ours", "0.830", "<circle"):
        assert words in page
    assert "nishiki/colour" in page.partition('id="pairs"')[2]
    assert "承認率" in Browser(app).get("/statistics", headers={"Accept-Language": "ja"}).text


@pytest.mark.usefixtures("filled")
def test_tables_are_files_of_which_a_spreadsheet_computes_nothing(app: FastAPI) -> None:
    browser = Browser(app)
    artists = table(browser, "/statistics/table.csv?by=artist")
    assert [row["artist"] for row in artists] == ["<b>国貞", "'=1+1"]
    assert artists[0]["approval_rate"] == "1.0"
    (pair,) = table(browser, "/statistics/pairs.csv")
    assert (pair["recipe"], pair["contents"], pair["only_recipe_approved"]) == ("jadh2016/config3_3_4", "3", "0")
    assert float(pair["style_difference"]) < 0
    assert "&lt;b&gt;国貞" in browser.get("/statistics?by=artist").text


@pytest.mark.usefixtures("filled")
def test_faults_that_curators_marked_stand_by_recipe(catalogue: Catalogue, app: FastAPI) -> None:
    browser = Browser(app)
    assert 'id="faults"' not in browser.get("/statistics").text
    (one, *_) = catalogue.queue_numbers(QueueFilter(Queue.ALL), 1)
    for curator in ("aya", "mio"):
        catalogue.mark_faults(one, curator, [Fault(FaultKind.FACE), Fault(FaultKind.PATCHES)])
    page = browser.get("/statistics").text.partition('id="faults"')[2]
    assert "Paper tone" in page
    assert page.count('<td class="number">1</td>') == 2
    assert 'id="faults"' not in browser.get("/statistics?by=night").text
    (row,) = table(browser, "/statistics/faults.csv")
    assert (row["recipe"], row["face"], row["margins"]) == (catalogue.queue_entry(one).recipe, "1", "0")


@pytest.mark.parametrize("address", ["plot.svg?by=artist", "plot.svg?figure=trust", "pairs.svg?figure=style"])
@pytest.mark.usefixtures("filled")
def test_plots_are_pictures_of_their_own(app: FastAPI, address: str) -> None:
    answer = Browser(app).get(f"/statistics/{address}", headers={"Accept-Language": "ja"})
    assert answer.headers["content-type"].startswith("image/svg+xml")
    drawn = ET.fromstring(answer.content)
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert "95 % 信頼区間" in "".join(drawn.itertext())
    assert drawn.findall(".//{*}circle")


@pytest.mark.usefixtures("filled")
def test_an_encoder_that_nothing_was_measured_with_is_not_there(app: FastAPI) -> None:
    browser = Browser(app)
    assert browser.get("/statistics?encoder=c0ffee").status_code == 200
    assert browser.get("/statistics?encoder=nothing").status_code == 404
    assert browser.get("/statistics?by=curator").status_code == 422
