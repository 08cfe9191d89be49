"""Entries whose recipe takes no style print, or several: every page and the exports, on either database."""

import csv
import io
import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from db.catalogue import Catalogue
from db.entries.night import ContentScope, RecipeEntry, Tone
from db.exports.attempts import write_csv, write_json
from db.settings import CatalogueSettings
from tests.integration.review.review_client import Browser, opened
from tests.samples import Sample

ALL = ContentScope(frozenset({Tone.GRAYSCALE}), {"sample": None})


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    with opened(settings) as made:
        yield made


def _made(catalogue: Catalogue, sample: Sample, styles: int) -> int:
    """An attempt by a recipe that takes so many of three ranked styles."""
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    found = [sample.store(catalogue, sample.record(f"colour {n}", title=f"Brocade {n}"), Tone.COLOUR) for n in range(3)]
    sample.match(catalogue, content, *found)
    recipe = RecipeEntry("learned", {}, "1ea2ed", styles)
    batch = catalogue.take_batch(recipe, sample.models, sample.matcher, ALL, limit=None)
    assert batch is not None
    (pending,) = catalogue.pending_attempts(batch)
    catalogue.close_attempt(batch, pending.id, sample.succeeded(catalogue))
    catalogue.close_batch(batch)
    return pending.id


@pytest.mark.parametrize("styles", [0, 1, 3])
def test_the_first_style_is_shown_large_and_all_are_listed(
    catalogue: Catalogue, sample: Sample, app: FastAPI, styles: int
) -> None:
    attempt = _made(catalogue, sample, styles)
    page = Browser(app).get(f"/entries/{attempt}").text
    assert page.count('data-pane="style"') == page.count('data-do="link"') == min(styles, 1)
    assert [f"Brocade {n}" in page for n in range(3)] == [n < styles for n in range(3)]
    assert page.count("<dt>Style print, sha256</dt>") == styles
    assert ("<h4>Style print 3</h4>" in page) == (styles == 3)


@pytest.mark.parametrize("styles", [0, 3])
def test_every_page_of_such_an_entry_opens(catalogue: Catalogue, sample: Sample, app: FastAPI, styles: int) -> None:
    attempt = _made(catalogue, sample, styles)
    browser = Browser(app)
    pages = {part: browser.get(f"/entries/{attempt}{part}") for part in ("/candidates", "/styles", "/marks")}
    assert {part: page.status_code for part, page in pages.items()} == dict.fromkeys(pages, 200)
    assert ("none: the recipe takes no style print" in pages["/candidates"].text) == (styles == 0)
    queue = browser.get("/").text
    assert f"/entries/{attempt}" in queue
    assert queue.count('class="style"') == min(styles, 1)
    bulk = browser.post("/bulk", {"chosen": f"{attempt}:"})
    assert bulk.status_code == 200
    assert bulk.text.count("thumb.jpg") == min(styles, 1)


@pytest.mark.parametrize("styles", [0, 3])
def test_exports_list_the_styles_in_their_order(catalogue: Catalogue, sample: Sample, styles: int) -> None:
    attempt = catalogue.attempt(_made(catalogue, sample, styles))
    write_json(catalogue, as_json := io.StringIO())
    write_csv(catalogue, as_csv := io.StringIO(newline=""))
    (row,) = json.loads(as_json.getvalue())
    assert [each["identifier"] for each in row["styles"]] == [f"colour {n}" for n in range(styles)]
    assert row["style_identifier"] == ("colour 0" if styles else None)
    assert row["models"] == [{"role": "encoder", "name": sample.encoder.name, "checksum": sample.encoder.checksum}]
    as_csv.seek(0)
    (cells,) = csv.DictReader(as_csv)
    told = [f"colour {n} (sample, {said.sha256})" for n, said in enumerate(attempt.styles)]
    assert cells["styles"] == "; ".join(told)
    assert cells["models"] == f"encoder {sample.encoder.name} ({sample.encoder.checksum})"
