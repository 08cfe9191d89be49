"""The page of tones: what the program is unsure of is shown, and a curator sets what it is."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from fastapi import FastAPI
from PIL import Image

from db.catalogue import Catalogue
from db.entries.night import Tone
from db.entries.review import Role
from db.review.pages import tones
from db.settings import CatalogueSettings
from tests.integration.review.review_client import Browser, add_people, opened, signed_in
from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    with opened(settings) as made:
        yield made


@pytest.fixture
def unsure(catalogue: Catalogue, sample: Sample) -> int:
    """A picture of unsure tone, with a working copy."""
    image = sample.store(catalogue, sample.record("unsure"), Tone.UNSURE)
    file = BytesIO()
    Image.new("RGB", (1024, 700), (200, 180, 140)).save(file, "PNG")
    catalogue.working_copies.add(catalogue.toned_picture(image).sha256, file.getvalue())
    return image


def test_unsure_pictures_come_first_with_small_pictures(
    catalogue: Catalogue, sample: Sample, unsure: int, app: FastAPI
) -> None:
    sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    browser = Browser(app)
    page = browser.get("/tones").text
    assert "Print unsure" in page
    assert "Print gray" not in page
    assert f'src="/tones/{unsure}/small.jpg"' in page
    answer = browser.get(f"/tones/{unsure}/small.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert max(Image.open(BytesIO(answer.content)).size) == 400
    assert "Print gray" in browser.get("/tones?tone=grayscale").text


def test_a_curator_sets_the_tone_and_the_list_tells_who_did(catalogue: Catalogue, unsure: int, app: FastAPI) -> None:
    browser = Browser(app)
    page = browser.post(f"/tones/{unsure}?tone=unsure", {"tone": "colour"}, follow_redirects=True).text
    assert f"The tone of picture {unsure} is set" in page
    assert "No picture has this tone." in page
    assert catalogue.toned_picture(unsure).tone is Tone.COLOUR
    assert "unsure → colour" in browser.get("/tones?tone=colour").text


def test_a_tone_is_taken_back_where_it_was_set(catalogue: Catalogue, unsure: int, app: FastAPI) -> None:
    browser = Browser(app)
    assert "Take back" not in browser.get("/tones").text
    browser.post(f"/tones/{unsure}?tone=unsure", {"tone": "colour"})
    assert "Take back" in browser.get("/tones?tone=colour").text
    page = browser.post(f"/tones/{unsure}?tone=colour", {"tone": "machine"}, follow_redirects=True).text
    assert "The correction is taken back." in page
    assert catalogue.toned_picture(unsure).tone is Tone.UNSURE
    page = browser.post(f"/tones/{unsure}", {"tone": "machine"}, follow_redirects=True).text
    assert "Nothing was changed" in page


@pytest.mark.parametrize("tone", ["unsure", "sepia", ""])
def test_what_is_no_tone_to_set_is_refused(catalogue: Catalogue, unsure: int, app: FastAPI, tone: str) -> None:
    assert Browser(app).post(f"/tones/{unsure}", {"tone": tone}).status_code == 422
    assert catalogue.toned_picture(unsure).given == ()


def test_a_form_from_elsewhere_and_a_viewer_set_nothing(catalogue: Catalogue, unsure: int, app: FastAPI) -> None:
    assert Browser(app).http.post(f"/tones/{unsure}", data={"tone": "colour"}).status_code == 403
    add_people(catalogue, Vera=Role.VIEWER)
    viewer = signed_in(app, "Vera")
    assert '<button name="tone"' not in viewer.get("/tones").text
    assert viewer.post(f"/tones/{unsure}", {"tone": "colour"}).status_code == 403
    assert Browser(app).http.get(f"/tones/{unsure}/small.jpg").status_code in (303, 401)
    assert catalogue.toned_picture(unsure).given == ()


def test_an_entry_whose_original_turned_out_to_be_of_colour_stays_and_says_so(
    catalogue: Catalogue, sample: Sample, app: FastAPI
) -> None:
    ((content, style),) = sample.pairs(catalogue, 1)
    (attempt,) = sample.night(catalogue)
    catalogue.give_tone(style, "Ben", Tone.COLOUR)
    assert "make nothing of this pair" not in Browser(app).get(f"/entries/{attempt}").text
    catalogue.give_tone(content, "Aoi", Tone.COLOUR)
    page = Browser(app).get(f"/entries/{attempt}").text
    assert "colour, says Aoi; it was taken for grayscale before." in page
    assert page.count("make nothing of this pair") == 1


def test_long_lists_come_in_pages(
    catalogue: Catalogue, sample: Sample, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tones, "SHOWN", 2)
    numbers = [sample.store(catalogue, sample.record(f"u{n}"), Tone.UNSURE) for n in range(3)]
    first = Browser(app).get("/tones").text
    assert "Print u2" not in first
    assert f"/tones?tone=unsure&amp;after={numbers[1]}" in first
    assert "Print u2" in Browser(app).get(f"/tones?tone=unsure&after={numbers[1]}").text


def test_pictures_that_are_not_there_are_told_so(catalogue: Catalogue, sample: Sample, app: FastAPI) -> None:
    damaged = sample.store(catalogue, sample.record("damaged"), Tone.UNSURE)
    browser = Browser(app)
    assert browser.get(f"/tones/{damaged}/small.jpg").status_code == 404
    assert browser.get("/tones/999/small.jpg").status_code == 404
    assert browser.post("/tones/999", {"tone": "colour"}).status_code == 404
