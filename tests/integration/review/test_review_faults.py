"""What a slip and a fault look like, on both databases: which thing, what happened, what to do."""

import pytest
from sqlalchemy import text

from db.catalogue import Catalogue
from db.engine import connect, writing
from db.entries.review import Role
from db.settings import CatalogueSettings
from tests.integration.review.review_client import Browser, add_people, opened, signed_in
from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""

JAPANESE = {"Accept-Language": "ja"}


@pytest.mark.parametrize(
    ("address", "status", "english", "japanese"),
    [
        ("/entries/999", 404, "There is no entry 999.", "項目 999 はありません。"),
        ("/entries/999/candidates", 404, "There is no entry 999.", "項目 999 はありません。"),
        ("/entries/abc", 422, "'abc' is not a number.", "「abc」は数値ではありません。"),
        ("/?error_from=abc", 422, "'abc' is not a number.", "「abc」は数値ではありません。"),
        ("/?year_from=99999", 422, "99999 is too small or too large.", "99999 は範囲外の値です。"),
        ("/?words=" + "a" * 300, 422, "is too long.", "長すぎます。"),
        ("/?queue=abc", 422, "'abc' is not valid here.", "「abc」はここでは無効です。"),
    ],
)
def test_a_slip_in_an_address_is_told_in_the_readers_words(
    settings: CatalogueSettings, catalogue: Catalogue, address: str, status: int, english: str, japanese: str
) -> None:
    with opened(settings) as app:
        answers = [Browser(app).http.get(address, headers=headers) for headers in ({}, JAPANESE)]
    assert [answer.status_code for answer in answers] == [status, status]
    assert english in answers[0].text
    assert japanese in answers[1].text
    assert "nishiki export" not in answers[0].text


def test_the_people_are_for_admins_and_the_page_says_so(settings: CatalogueSettings, catalogue: Catalogue) -> None:
    add_people(catalogue, Aoi=Role.CURATOR)
    with opened(settings) as app:
        answer = signed_in(app, "Aoi").http.get("/people")
    assert answer.status_code == 403
    assert "Only administrators can open this page." in answer.text


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"verdict": "returned"}, "a return needs a reason"),
        ({"verdict": "approved", "note": "y" * 2001}, "the note is too long"),
        ({"verdict": "splendid"}, "the page does not know this verdict"),
        ({"verdict": "approved", "chosen": ",".join(f"{n}:" for n in range(1, 1002))}, "No more than 1,000 entries"),
    ],
)
def test_what_is_wrong_with_a_verdict_for_many_is_told_in_words(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, form: dict[str, str], told: str
) -> None:
    (attempt,) = sample.entries(catalogue, 1)
    with opened(settings) as app:
        answer = Browser(app).post("/bulk/give", {"chosen": f"{attempt}:", **form})
    assert answer.status_code == 422
    assert told in answer.text
    assert catalogue.verdicts([attempt]) == {}


def test_a_catalogue_without_a_table_is_told_apart_from_one_that_does_not_answer(
    settings: CatalogueSettings, catalogue: Catalogue
) -> None:
    with opened(settings) as app:
        engine = connect(settings.url)
        with writing(engine).begin() as connection:
            connection.execute(text("ALTER TABLE curators RENAME COLUMN name TO called"))
        engine.dispose()
        answer = Browser(app).http.get("/people")
    assert answer.status_code == 500
    assert "The catalogue does not fit this version" in answer.text
    assert "nishiki doctor" in answer.text


def test_what_the_catalogue_says_of_itself_stays_in_the_log(
    settings: CatalogueSettings, catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    if settings.database_url is not None:
        pytest.skip("one database is enough")
    with opened(settings) as app:
        (settings.home / "catalogue.db").write_bytes(b"no database at all" * 1000)
        app.state.review.catalogue.engine.dispose()
        answer = Browser(app).http.get("/people")
    assert answer.status_code == 500
    assert str(settings.home) not in answer.text
    assert str(settings.home) in caplog.text
