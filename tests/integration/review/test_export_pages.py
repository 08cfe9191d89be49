"""Packages made from the page: who may begin one, what is told of it, and what lies in the folder then."""

import json
from collections.abc import Iterator
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import pytest
from fastapi import FastAPI

from db.catalogue import Catalogue
from db.entries.night import Verdict
from db.entries.review import Judgement, Role
from db.errors import CatalogueFull, NightRunning
from db.exports import background
from db.exports.background import Refusal
from db.exports.package import Exported
from db.files.home import HomeFolder
from db.files.lock import held_alone
from db.files.tiles import TileStore
from db.settings import CatalogueSettings
from tests.integration.db.test_export import assert_is_a_bag, entries_in, fill
from tests.integration.review.review_client import Browser, add_people, opened, signed_in
from tests.samples import Sample
from tests.waiting import until

DATABASES = ("sqlite",)
"""The page is the subject; what an export asks is tried on both in `tests/integration/db`."""
AT = "https://prints.example/"


@pytest.fixture
def approved(catalogue: Catalogue, sample: Sample, settings: CatalogueSettings) -> list[int]:
    """Two entries that a curator approved, with tiles, and one that waits."""
    made, tiles = sample.entries(catalogue, 3), TileStore(settings.home / HomeFolder.TILES)
    for number in made[:2]:
        catalogue.give_verdict(number, "Aoi", Judgement(Verdict.APPROVED))
        attempt = catalogue.attempt(number)
        for sha256 in (attempt.content.sha256, attempt.output_sha256 or ""):
            tiles.add(sha256, fill)
    return made[:2]


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue, tmp_path: Path) -> Iterator[FastAPI]:
    """A page with a folder for exports."""
    add_people(catalogue, Mio=Role.VIEWER, Aoi=Role.CURATOR, Ren=Role.ADMIN)
    with opened(settings, export_dir=tmp_path / "out", export_address=AT) as made:
        yield made
        made.state.review.exports.close()


def ended(app: FastAPI) -> Exported | Refusal:
    """What the newest export came to."""
    exports = app.state.review.exports
    until(lambda: exports.newest().came_to is not None)
    came_to: Exported | Refusal = exports.newest().came_to
    return came_to


@pytest.mark.long
def test_an_admin_exports_what_is_approved_and_is_told_how_it_goes(
    app: FastAPI, approved: list[int], tmp_path: Path, catalogue: Catalogue
) -> None:
    browser = signed_in(app, "Ren")
    assert "Export what is approved in this view" in browser.get("/").text
    answer = browser.post("/exports")
    assert (answer.status_code, answer.headers["location"]) == (303, "/exports?notice=export-begun")
    told = ended(app)
    assert isinstance(told, Exported)
    assert (told.new, told.problems) == (2, [])
    assert entries_in(tmp_path / "out/all") == approved
    assert_is_a_bag(tmp_path / "out/all")
    manifest = json.loads((tmp_path / f"out/all/data/entries/000000/{approved[0]}/manifest.json").read_bytes())
    assert manifest["id"].startswith(f"{AT}all/data/entries/")
    page = browser.get("/exports").text
    for words in ("2 entries", "2 new, 0 changed, 0 taken out", f"{AT}all/data/collection.json", "everything approved"):
        assert words in page
    assert str(tmp_path) not in page
    assert "hx-get" not in page
    assert [each.detail for each in catalogue.audit_events() if each.event == "exported"] == [
        "package all, from the page"
    ]


@pytest.mark.long
def test_a_view_has_a_folder_of_its_own_whatever_queue_it_was_seen_in(
    app: FastAPI, approved: list[int], tmp_path: Path
) -> None:
    browser = signed_in(app, "Ren")
    for address in ("/exports?words=r1&queue=all&verdict=returned", "/exports?words=r1&order=newest first"):
        assert browser.post(address).headers["location"] == "/exports?words=r1&notice=export-begun"
        assert isinstance(ended(app), Exported)
    (package,) = (tmp_path / "out").iterdir()
    assert package.name.startswith("view-")
    assert entries_in(package) == approved[1:]
    page = browser.get("/exports").text
    assert "Search: r1" in page
    assert 'action="/exports?words=r1"' in page


@pytest.mark.long
def test_packages_without_tiles_have_a_folder_of_their_own_and_stay_so(
    app: FastAPI, approved: list[int], tmp_path: Path
) -> None:
    browser = signed_in(app, "Ren")
    assert '<option value="true" selected>' in browser.get("/exports").text
    for _ in range(2):
        browser.post("/exports", {"tiles": "false"})
        assert isinstance(ended(app), Exported)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["all-no-tiles"]
    assert not list((tmp_path / "out").rglob("info.json"))
    page = browser.get("/exports").text
    assert f"{AT}all-no-tiles/data/collection.json" in page
    assert '<input type="hidden" name="tiles" value="false">' in page


@pytest.mark.parametrize(("name", "sees"), [("Mio", 403), ("Aoi", 200)])
def test_who_is_no_admin_begins_none(app: FastAPI, approved: list[int], tmp_path: Path, name: str, sees: int) -> None:
    browser = signed_in(app, name)
    assert browser.http.get("/exports").status_code == sees
    assert browser.post("/exports").status_code == 403
    assert "Export what is approved" not in browser.get("/").text + browser.get("/exports").text
    assert not (tmp_path / "out").exists()


def test_one_export_is_at_work_at_a_time(app: FastAPI, approved: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    browser = signed_in(app, "Ren")
    monkeypatch.setattr(background, "_export", asleep)
    browser.post("/exports")
    assert browser.post("/exports").headers["location"].endswith("notice=export-at-work")
    page = browser.get("/exports").text
    assert "at work, 7 entries looked at" in page or "at work, 0 entries looked at" in page
    assert 'hx-get="/exports?"' in page
    app.state.review.exports.close()
    assert ended(app) is Refusal.FAILED
    assert "The export broke off" in browser.get("/exports").text


def asleep(_settings: object, _target: object, _order: object, looked_at: "Synchronized[int]", _: object) -> None:
    """An export that takes its time."""
    import time  # noqa: PLC0415

    looked_at.value = 7
    time.sleep(600)


@pytest.mark.long
def test_without_an_approved_entry_nothing_is_written_and_that_is_said(app: FastAPI, tmp_path: Path) -> None:
    browser = signed_in(app, "Ren")
    browser.post("/exports")
    assert ended(app) is Refusal.NOTHING
    assert "no approved entry may leave" in browser.get("/exports").text
    assert not (tmp_path / "out").exists()


@pytest.mark.long
def test_a_folder_in_use_or_of_something_else_is_left_alone(app: FastAPI, approved: list[int], tmp_path: Path) -> None:
    browser, target = signed_in(app, "Ren"), tmp_path / "out/all"
    target.mkdir(parents=True)
    with held_alone(target / "export.lock"):
        browser.post("/exports")
        assert ended(app) is Refusal.BUSY
    (target / "thesis.txt").write_text("mine")
    browser.post("/exports")
    assert ended(app) is Refusal.UNUSABLE
    assert "The folder holds something else" in browser.get("/exports").text


@pytest.mark.long
def test_missing_tiles_are_told_and_the_others_leave(
    app: FastAPI, approved: list[int], settings: CatalogueSettings, catalogue: Catalogue
) -> None:
    output = catalogue.attempt(approved[0]).output_sha256 or ""
    (settings.home / HomeFolder.TILES / output[:2] / output[2:4] / output / "info.json").unlink()
    browser = signed_in(app, "Ren")
    browser.post("/exports")
    told = ended(app)
    assert isinstance(told, Exported)
    assert (told.new, len(told.problems)) == (1, 1)
    assert f"entry {approved[0]}" in browser.get("/exports").text


def test_a_page_without_a_folder_says_what_to_set(settings: CatalogueSettings, catalogue: Catalogue) -> None:
    with opened(settings) as app:
        browser = Browser(app)
        assert "Export what is approved" not in browser.get("/").text
        assert browser.post("/exports").headers["location"] == "/exports"
        assert "export_dir" in browser.get("/exports").text


def test_every_refusal_has_its_word() -> None:
    assert {word for _, word in background._REFUSALS} == set(Refusal) - {Refusal.FAILED}
    assert dict(background._REFUSALS)[CatalogueFull] is Refusal.FULL
    assert dict(background._REFUSALS)[NightRunning] is Refusal.BUSY
