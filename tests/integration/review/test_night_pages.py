"""The history of nights and the report on one: newest first, page by page, in both languages, every text escaped."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi import FastAPI

from db.catalogue import Catalogue
from db.entries.nights import NightEnd, NightEnding
from db.queries.night import nights
from db.settings import CatalogueSettings
from tests.integration.review.review_client import Browser, opened
from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""
CAME = {"records": {"new": 3}, "archives": {"<b>theatre": {"records": {"new": 3}, "pictures": 2, "whole": False}}}


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    with opened(settings) as made:
        yield made


def test_nights_are_listed_the_newest_first_and_page_by_page(
    catalogue: Catalogue, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(app)
    assert "No night has begun" in browser.get("/nights").text
    for number in range(32):
        catalogue.begin_night()
        catalogue.end_night(number + 1, NightEnd(NightEnding.FAILED, 1, f"<b>/srv/x{number}"), {}, {"pictures": number})
    page = browser.get("/nights").text
    assert page.index("Night 32") < page.index("Night 31") < page.index("Night 3<")
    assert "Night 2<" not in page
    assert "&lt;b&gt;" in page
    assert "/srv" not in page
    older = browser.get("/nights?before=3").text
    assert "Night 2<" in older
    assert "Night 3<" not in older
    assert "第 32 夜" in browser.get("/nights", headers={"Accept-Language": "ja"}).text
    catalogue.begin_night()
    assert "at work" in browser.get("/nights").text
    monkeypatch.setattr(nights, "QUIET", timedelta(0))
    assert "silent since <time" in browser.get("/nights").text


class Beside:
    """Nights in the process that serves the page, at work from when they are asked to carry on."""

    def __init__(self) -> None:
        self.working = False

    def at_work(self) -> bool:
        return self.working

    def carry_on(self) -> bool:
        begins, self.working = not self.working, True
        return begins


LEFT = "1 colouring was begun and not finished, and nobody works at it."


def test_what_is_left_undone_is_carried_on_where_nights_run_beside_the_page(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample
) -> None:
    with opened(settings, Beside()) as app:
        browser = Browser(app)
        assert "Carry on now" not in browser.get("/nights").text
        sample.matched(catalogue, sample.record("one"), 0.9)
        catalogue.release_batch(sample.take(catalogue))
        page = browser.get("/nights").text
        assert LEFT in page
        assert "Carry on now" in page
        told = [browser.get(browser.post("/nights/resume").headers["location"]).text for _ in range(2)]
    assert "What was left undone is carried on now" in told[0]
    assert LEFT not in told[0]
    assert "a night is at work" in told[1]
    assert [each.event for each in catalogue.audit_events()] == ["batches carried on"]


def test_what_a_living_process_works_at_is_not_called_left(catalogue: Catalogue, sample: Sample, app: FastAPI) -> None:
    sample.matched(catalogue, sample.record("one"), 0.9)
    batch = sample.take(catalogue)
    assert catalogue.unfinished_batches() != [], "it can be joined"
    assert "begun and not finished" not in Browser(app).get("/nights").text
    catalogue.release_batch(batch)
    assert LEFT in Browser(app).get("/nights").text


def test_elsewhere_the_page_says_who_carries_on(catalogue: Catalogue, sample: Sample, app: FastAPI) -> None:
    sample.matched(catalogue, sample.record("one"), 0.9)
    catalogue.release_batch(sample.take(catalogue))
    browser = Browser(app)
    page = browser.get("/nights").text
    assert LEFT in page
    assert "or the operator does at once: nishiki resume" in page
    assert "Carry on now" not in page
    assert browser.post("/nights/resume").headers["location"] == "/nights"
    assert catalogue.audit_events() == []


def test_a_night_tells_what_came_what_was_made_and_what_needs_a_person(
    catalogue: Catalogue, sample: Sample, app: FastAPI
) -> None:
    number = catalogue.begin_night()
    sample.entry(catalogue, sample.record("one", title="<i>Print"), measures={"trust": 0.81})
    catalogue.end_night(number, NightEnd(NightEnding.WAITING, 4, "batch 1 waits"), {"harvest": 3700.0}, CAME)
    browser = Browser(app)
    page = browser.get("/nights/1").text
    told = (
        "harvest 1 h 1 min", "&lt;b&gt;theatre", "not read to its end", "&lt;i&gt;Print", "0.810", "machine-colorized",
        "1 result waits for a verdict", "no earlier night", "batch 1 waits",
    )  # fmt: skip
    for words in told:
        assert words in page
    assert "判定待ちの彩色結果 1 件" in browser.get("/nights/1", headers={"Accept-Language": "ja"}).text
    assert browser.get("/nights/2").status_code == 404
