"""What a curator asks for on the page, on both databases: another style, marks, and to take a request back."""

import json
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image

from colorize.errors import BadMask
from colorize.images.marks import MOST_POINTS as MOST_OF_COLORIZE
from colorize.images.marks import PIGMENTS as PIGMENTS_OF_COLORIZE
from colorize.images.marks import read_marks
from colorize.images.mask import read_mask
from db.catalogue import Catalogue
from db.entries.night import Derivatives, Outcome, Tone
from db.entries.review import AttemptRequest, Role
from db.files.home import HomeFolder
from db.files.tiles import TileStore
from db.review.pages.marks import MOST_POINTS, ONLY_MARKS, PAPER, PIGMENTS
from db.settings import CatalogueSettings
from tests.integration.review import review_client
from tests.integration.review.review_client import Browser, add_people, opened, signed_in
from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""

STROKE = {"points": [[1.5, 2], [10, 20.5]], "width": 3, "colour": "#d2625c"}


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    with opened(settings) as made:
        yield made


@pytest.fixture
def attempt(catalogue: Catalogue, sample: Sample) -> int:
    """Of a content with two candidates besides its match."""
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    styles = [sample.store(catalogue, sample.record(f"colour {n}"), Tone.COLOUR) for n in range(3)]
    sample.match(catalogue, content, *styles)
    return sample.night(catalogue)[0]


def _send(browser: Browser, attempt: int, marks: list[Any], recipe: str = ONLY_MARKS, **options: Any) -> Any:
    headers = {"X-CSRF-Token": browser.csrf()}
    return browser.http.post(
        f"/entries/{attempt}/marks", json={"recipe": recipe, "marks": marks}, headers=headers, **options
    )


def test_candidates_and_styles_found_by_words_are_offered(catalogue: Catalogue, attempt: int, app: FastAPI) -> None:
    browser = Browser(app)
    page = browser.get(f"/entries/{attempt}/styles").text
    assert page.count("Score of the match") == 3
    assert page.count('name="style_id"') == 2
    assert "The style print of this entry." in page
    assert "matching prints" not in page
    found = browser.get(f"/entries/{attempt}/styles", params={"find": "colour 1", "artist": "Another"}).text
    assert "1 matching print" in found
    assert '<input type="hidden" name="artist" value="Another">' in found
    assert "No matching colour print that may be used" in browser.get(f"/entries/{attempt}/styles?find=nowhere").text


def test_a_style_without_tiles_says_so_in_words(
    catalogue: Catalogue, settings: CatalogueSettings, attempt: int, app: FastAPI
) -> None:
    page = Browser(app).get(f"/entries/{attempt}/styles").text
    assert page.count("No small picture of this one yet") == 3
    style = catalogue.attempt(attempt).styles[0].sha256
    TileStore(settings.home / HomeFolder.TILES).add(style, lambda folder: (folder / "thumb.jpg").touch())
    page = Browser(app).get(f"/entries/{attempt}/styles").text
    assert page.count("No small picture of this one yet") == 2
    assert f'src="/pictures/{style}/thumb.jpg"' in page


def test_a_chosen_style_is_pending_on_the_entry_until_it_was_made(
    catalogue: Catalogue, sample: Sample, attempt: int, app: FastAPI
) -> None:
    browser = Browser(app)
    style = catalogue.candidates(attempt)[2][0].image_id
    answer = browser.post(f"/entries/{attempt}/requests?artist=Another", {"style_id": style})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/entries/{attempt}?artist=Another&notice=requested",
    )
    assert [(each.style_id, each.made) for each in catalogue.requests(attempt)] == [(style, None)]
    assert "Pending: the next run makes it." in browser.get(f"/entries/{attempt}").text
    assert "asked for it: see the entry." in browser.get(f"/entries/{attempt}/styles").text
    batch = sample.take(catalogue)
    (made,) = (each.id for each in catalogue.pending_attempts(batch))
    assert "A run is at work on it." in browser.get(f"/entries/{attempt}").text
    catalogue.close_attempt(batch, made, sample.succeeded(catalogue, "of the request"))
    assert f"Made: entry {made}" in browser.get(f"/entries/{attempt}").text
    assert "Produced this entry." in browser.get(f"/entries/{made}").text
    assert f"Tried already: entry {made}" in browser.get(f"/entries/{attempt}/styles").text


def test_a_request_that_failed_says_why(catalogue: Catalogue, sample: Sample, attempt: int, app: FastAPI) -> None:
    catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=catalogue.candidates(attempt)[1][0].image_id))
    failed = {"outcome": Outcome.FAILED, "output": None, "error_class": "OutOfMemory", "transient": True}
    sample.night(catalogue, **failed, error_message="no <room>")
    page = Browser(app).get(f"/entries/{attempt}").text
    assert "Failed: no &lt;room&gt;" in page
    assert "The next run tries again." in page


def test_a_request_that_no_run_will_make_says_why_and_can_be_taken_back(
    catalogue: Catalogue, sample: Sample, attempt: int, app: FastAPI
) -> None:
    browser = Browser(app)
    one, two = (said.image_id for said, _ in catalogue.candidates(attempt)[1:])
    browser.post(f"/entries/{attempt}/requests", {"style_id": one})
    browser.post(f"/entries/{attempt}/requests", {"style_id": two})
    name = catalogue.requests(attempt)[0].curator
    catalogue.add_request(attempt, name, AttemptRequest(recipe="nishiki/forgotten"))
    catalogue.add_record(sample.archive(catalogue), sample.record("colour 2", derivatives=Derivatives.NO))
    failed = {"outcome": Outcome.FAILED, "output": None, "error_class": "OutOfMemory", "transient": True}
    for _ in range(3):
        sample.night(catalogue, **failed, error_message="no room")
    page = browser.get(f"/entries/{attempt}").text
    assert "Cannot be made: it failed too often and will not be tried again." in page
    assert "one of the two pictures may no longer be used" in page
    assert "no recipe that takes this is named nishiki/forgotten any more" in page
    assert page.count("/withdraw") == 3
    for request in catalogue.requests(attempt):
        assert browser.post(f"/entries/{attempt}/requests/{request.id}/withdraw").status_code == 303


def test_what_was_tried_is_offered_again_when_its_recipe_has_changed(
    catalogue: Catalogue, sample: Sample, attempt: int, app: FastAPI
) -> None:
    browser = Browser(app)
    catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=catalogue.candidates(attempt)[2][0].image_id))
    (made,) = sample.night(catalogue)
    page = browser.get(f"/entries/{attempt}/styles").text
    assert (page.count("Tried already"), page.count('name="style_id"')) == (1, 1)
    refused = browser.post(f"/entries/{attempt}/requests", {"style_id": catalogue.attempt(made).styles[0].image_id})
    assert (refused.status_code, f"this was tried already: attempt {made}" in refused.text) == (409, True)
    sample.recipe = replace(sample.recipe, digest="d1ff")
    sample.night(catalogue)
    page = browser.get(f"/entries/{attempt}/styles").text
    assert (page.count("The recipe has changed since."), page.count('name="style_id"')) == (1, 2)


def test_several_prints_are_pinned_together_said_and_taken_back(
    catalogue: Catalogue, attempt: int, app: FastAPI
) -> None:
    browser, page = Browser(app), f"/entries/{attempt}/styles"
    offered = [said for said, _ in catalogue.candidates(attempt)]
    assert browser.get(page).text.count('form="together"') == 3
    chosen = [offered[2].image_id, offered[1].image_id]
    answer = browser.post(f"/entries/{attempt}/pin?artist=Another", {"style_ids": chosen})
    assert answer.headers["location"] == f"/entries/{attempt}?artist=Another&notice=pinned"
    assert "The next run colours the original with these prints" in browser.get(answer.headers["location"]).text
    content = catalogue.attempt(attempt).content.image_id
    assert [said.image_id for said, _ in catalogue.pinned_styles(content)] == chosen
    assert f"chose for this original: {offered[2].title}, {offered[1].title}." in browser.get(page).text
    for ids in ([], [0], [10_000], [chosen[0]] * 6):
        assert browser.post(f"/entries/{attempt}/pin", {"style_ids": ids}).status_code in (404, 422)
    assert browser.post(f"/entries/{attempt}/unpin").headers["location"] == f"/entries/{attempt}?notice=unpinned"
    assert catalogue.pinned_styles(content) == []
    assert "chose for this original" not in browser.get(page).text


def test_a_wrong_match_leads_to_other_prints(catalogue: Catalogue, attempt: int, app: FastAPI) -> None:
    browser = Browser(app)
    given = browser.post(f"/entries/{attempt}/verdict?artist=Another", {"reason": "wrong match"}).headers["location"]
    assert f"notice=wrong-match.{attempt}" in given
    page = browser.get(given).text
    assert f'href="/entries/{attempt}/styles?artist=Another"' in page
    assert 'data-key="u"' in page


def test_a_style_that_may_not_be_used_is_refused_in_words(
    catalogue: Catalogue, sample: Sample, attempt: int, app: FastAPI
) -> None:
    style = catalogue.candidates(attempt)[2][0].image_id
    catalogue.add_record(sample.archive(catalogue), sample.record("colour 2", derivatives=Derivatives.NO))
    answer = Browser(app).post(f"/entries/{attempt}/requests", {"style_id": style})
    assert answer.status_code == 404
    assert "not a colour picture that may be used; choose another style" in answer.text
    assert catalogue.requests(attempt) == []


def test_who_asked_takes_a_request_back_and_others_do_not(catalogue: Catalogue, attempt: int, app: FastAPI) -> None:
    add_people(catalogue, Aoi=Role.CURATOR, Ren=Role.CURATOR, Kei=Role.ADMIN, Sora=Role.VIEWER)
    style = catalogue.candidates(attempt)[1][0].image_id
    request = catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=style))
    back = f"/entries/{attempt}/requests/{request.id}/withdraw"
    for name in ("Ren", "Sora"):
        browser = signed_in(app, name)
        assert back not in browser.get(f"/entries/{attempt}").text
        assert browser.post(back).status_code == 403
    browser = signed_in(app, "Aoi")
    assert back in browser.get(f"/entries/{attempt}").text
    assert browser.post(back).headers["location"] == f"/entries/{attempt}?notice=request-withdrawn"
    assert catalogue.requests(attempt) == []
    assert browser.post(back).status_code == 404
    catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=style))
    assert signed_in(app, "Kei").post(back).status_code == 303


def test_a_request_that_was_made_is_not_taken_back(
    catalogue: Catalogue, sample: Sample, attempt: int, app: FastAPI
) -> None:
    request = catalogue.add_request(
        attempt, "Aoi", AttemptRequest(style_id=catalogue.candidates(attempt)[1][0].image_id)
    )
    (made,) = sample.night(catalogue)
    answer = Browser(app).post(f"/entries/{attempt}/requests/{request.id}/withdraw")
    assert answer.status_code == 409
    assert f"it became entry {made}" in answer.text


def test_viewers_look_at_styles_and_ask_for_nothing(catalogue: Catalogue, attempt: int, app: FastAPI) -> None:
    add_people(catalogue, Sora=Role.VIEWER)
    browser = signed_in(app, "Sora")
    page = browser.get(f"/entries/{attempt}/styles")
    assert (page.status_code, page.text.count('name="style_id"')) == (200, 0)
    assert browser.get(f"/entries/{attempt}/marks").status_code == 403
    assert browser.post(f"/entries/{attempt}/requests", {"style_id": 1}).status_code == 403
    assert _send(browser, attempt, [STROKE]).status_code == 403


def test_marks_are_kept_as_the_colorizer_reads_them(catalogue: Catalogue, attempt: int, app: FastAPI) -> None:
    browser = Browser(app)
    dot = {"points": [[47.9, 63.9]], "width": 16, "colour": "#345474"}
    answer = _send(browser, attempt, [STROKE, dot], "nishiki/colour")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/entries/{attempt}?notice=requested")
    (request,) = catalogue.requests(attempt)
    assert (request.recipe, request.made) == ("nishiki/colour", None)
    assert request.marks_sha256 is not None
    kept = catalogue.pictures.read(request.marks_sha256)
    assert json.loads(kept) == {"marks": [STROKE, dot]}
    read_marks(kept, 48, 64)
    assert "Colours drawn by hand, recipe nishiki/colour" in browser.get(f"/entries/{attempt}").text


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ({"points": [[48, 1]]}, "outside the picture of 48 × 64"),
        ({"points": [[1, 64]]}, "outside the picture"),
        ({"points": [[-1, 1]]}, "-1 is too small or too large"),
        ({"points": [["1e999", 1]]}, "1e999 is too small or too large"),
        ({"points": []}, "cannot be used"),
        ({"width": 17}, "17 pixels wide; 16 are the most"),
        ({"width": 0}, "0 is too small or too large"),
        ({"colour": "beni"}, "is not valid here"),
        ({"points": [[1, 1]] * (MOST_POINTS + 1)}, "cannot be used"),
        ({"further": 1}, "(further)"),
    ],
)
def test_marks_that_do_not_fit_are_refused_in_words_and_nothing_is_kept(
    catalogue: Catalogue, attempt: int, app: FastAPI, mark: dict[str, Any], said: str
) -> None:
    before = list(catalogue.pictures.files())
    answer = _send(Browser(app), attempt, [{**STROKE, **mark}])
    assert (answer.status_code, said in answer.text) == (422, True), answer.text
    assert (catalogue.requests(attempt), list(catalogue.pictures.files())) == ([], before)


def test_points_are_counted_over_all_marks(catalogue: Catalogue, attempt: int, app: FastAPI) -> None:
    half = {**STROKE, "points": [[1, 1]] * (MOST_POINTS // 2 + 1)}
    answer = _send(Browser(app), attempt, [half, half])
    assert (answer.status_code, "There are 20,002 points, over the limit of 20,000" in answer.text) == (422, True)
    assert _send(Browser(app), attempt, []).status_code == 422


def test_a_recipe_that_takes_no_marks_is_refused(attempt: int, app: FastAPI) -> None:
    answer = _send(Browser(app), attempt, [STROKE], "jadh2016/config3_3_4")
    assert (answer.status_code, "takes marks here" in answer.text) == (422, True)


def test_the_page_of_marks_offers_recipes_and_the_marks_drawn_last(
    catalogue: Catalogue, settings: CatalogueSettings, attempt: int, app: FastAPI
) -> None:
    browser = Browser(app)
    assert "no tiles of the original yet" in browser.get(f"/entries/{attempt}/marks").text
    TileStore(settings.home / HomeFolder.TILES).add(catalogue.attempt(attempt).content.sha256, lambda _: None)
    page = browser.get(f"/entries/{attempt}/marks").text
    assert 'name="earlier" value=""' in page
    assert '<input type="radio" name="recipe" value="nishiki/marks" checked>' in page
    assert "On top of nishiki/colour" in page
    assert "<noscript>" in page
    _send(browser, attempt, [STROKE])
    assert "[[1.5,2.0],[10.0,20.5]]" in browser.get(f"/entries/{attempt}/marks").text


def _mask(*size: int, left: int = 0, white: int = 255) -> bytes:
    """A PNG of this size, white from a column on."""
    codes = np.zeros(size[::-1], np.uint8)
    codes[:, left:] = white
    kept = BytesIO()
    Image.fromarray(codes).save(kept, "PNG")
    return kept.getvalue()


def _ask_for_part(browser: Browser, attempt: int, body: bytes, recipe: str = "mask_gan/prints") -> Any:
    headers = {"X-CSRF-Token": browser.csrf(), "Content-Type": "image/png"}
    return browser.http.post(f"/entries/{attempt}/mask?by={recipe}", content=body, headers=headers)


def test_a_mask_is_kept_as_the_colorizer_reads_it(catalogue: Catalogue, attempt: int, app: FastAPI) -> None:
    browser = Browser(app)
    answer = _ask_for_part(browser, attempt, _mask(48, 64, left=20, white=252))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/entries/{attempt}?notice=requested")
    (request,) = catalogue.requests(attempt)
    assert (request.recipe, request.marks_sha256, request.made) == ("mask_gan/prints", None, None)
    assert request.mask_sha256 is not None
    kept = catalogue.pictures.read(request.mask_sha256)
    mask = read_mask(kept, 48, 64)
    assert mask[:, 20:].all()
    assert not mask[:, :20].any()
    assert request.mask_sha256 in catalogue.picture_names()
    _ask_for_part(browser, attempt, _mask(48, 64, left=20))
    assert len(catalogue.requests(attempt)) == 1  # the same part again
    assert "A part of it in colour, recipe mask_gan/prints" in browser.get(f"/entries/{attempt}").text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (_mask(40, 64), "40 × 64 pixels and the picture 48 × 64"),
        (_mask(48, 64, left=48), "black all over"),
        (_mask(48, 64, white=128), "neither black nor white in 100% of its pixels"),
        (_mask(48, 64)[:60], "cannot be read"),
        (b"GIF89a", "no PNG file"),
        (b"", "no PNG file"),
    ],
)
def test_what_is_no_mask_is_refused_in_words_by_the_page_and_by_the_colorizer(
    catalogue: Catalogue, attempt: int, app: FastAPI, body: bytes, said: str
) -> None:
    before = list(catalogue.pictures.files())
    answer = _ask_for_part(Browser(app), attempt, body)
    assert (answer.status_code, said in answer.text) == (422, True), answer.text
    assert (catalogue.requests(attempt), list(catalogue.pictures.files())) == ([], before)
    with pytest.raises(BadMask):
        read_mask(body, 48, 64)


def test_a_recipe_that_colours_no_part_is_refused(attempt: int, app: FastAPI) -> None:
    answer = _ask_for_part(Browser(app), attempt, _mask(48, 64), "jadh2016/config3_3_4")
    assert (answer.status_code, "colours a part only" in answer.text) == (422, True)


def test_the_page_of_masks_offers_the_recipes_that_there_are_now(
    catalogue: Catalogue, settings: CatalogueSettings, attempt: int, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(app)
    assert "no tiles of the original yet" in browser.get(f"/entries/{attempt}/mask").text
    TileStore(settings.home / HomeFolder.TILES).add(catalogue.attempt(attempt).content.sha256, lambda _: None)
    page = browser.get(f"/entries/{attempt}/mask").text
    assert "<option selected>nishiki/colour</option>" in page
    assert "<option >mask_gan/prints</option>" in page
    assert "PNG of 48 × 64 pixels" in page
    monkeypatch.setattr(review_client, "MASKING", [*review_client.MASKING, "mask_gan/ours"])  # trained meanwhile
    assert "<option >mask_gan/ours</option>" in browser.get(f"/entries/{attempt}/mask").text
    assert _ask_for_part(browser, attempt, _mask(48, 64), "mask_gan/ours").status_code == 303


def test_marks_whose_file_is_gone_or_is_none_of_ours_are_no_start(
    catalogue: Catalogue, settings: CatalogueSettings, attempt: int, app: FastAPI
) -> None:
    TileStore(settings.home / HomeFolder.TILES).add(catalogue.attempt(attempt).content.sha256, lambda _: None)
    for sha256 in ("0" * 64, catalogue.pictures.add(b'{"marks": [{"points": [[1, 1]], "colour": "beni"}]}', ".json")):
        catalogue.add_request(attempt, "Aoi", AttemptRequest(marks_sha256=sha256, recipe=ONLY_MARKS))
        assert 'name="earlier" value=""' in Browser(app).get(f"/entries/{attempt}/marks").text


def test_the_palette_is_the_colorizers() -> None:
    assert {**PIGMENTS, "shio": PIGMENTS["gamboge"]} == PIGMENTS_OF_COLORIZE
    assert MOST_POINTS == MOST_OF_COLORIZE
    assert PAPER not in PIGMENTS.values()
