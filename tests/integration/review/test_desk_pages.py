"""A curator's desk: what waits, own views, comments, and another password."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from db.catalogue import Catalogue
from db.entries.night import Verdict
from db.entries.review import AuditWord, Judgement, Reason, Role
from db.settings import CatalogueSettings
from tests.integration.review.desk import Desks, desks
from tests.integration.review.review_client import PASSWORD, add_people, opened, signed_in
from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""
NEW = "another long password"


@pytest.fixture
def desk(catalogue: Catalogue, settings: CatalogueSettings) -> Iterator[Desks]:
    """Desks at one page without blind pairs."""
    with desks(settings, catalogue) as made:
        yield made


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    """A page with an account."""
    add_people(catalogue, Aoi=Role.CURATOR)
    with opened(settings) as made:
        yield made


def test_the_desk_tells_what_waits_and_what_others_said(catalogue: Catalogue, desk: Desks, sample: Sample) -> None:
    one, _ = sample.entries(catalogue, 2)
    sumire, aoi = desk(), desk("Aoi")
    empty = sumire.see("/desk")
    assert 'Awaiting review</a>: <span class="number">2</span>' in empty
    assert "Nobody has commented on them." in empty
    sumire.say(one, reason="other")
    answer = aoi.post(f"/entries/{one}/comments", {"text": " the sky is green\r\nhere "})
    assert "Your comment is kept." in aoi.see(answer.headers["location"])
    assert "the sky is green\nhere" in sumire.see(f"/entries/{one}?queue=all")
    told = sumire.see("/desk")
    assert "the sky is green\nhere" in told
    assert 'Awaiting review</a>: <span class="number">1</span>' in told


def test_a_view_is_saved_from_the_queue_and_removed_on_the_desk(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    sample.entries(catalogue, 2)
    sumire = desk()
    answer = sumire.post("/views?queue=all&words=gray", {"name": " grays "})
    assert answer.headers["location"] == "/?queue=all&words=gray&notice=view-saved"
    assert '/?queue=all&words=gray"><strong>grays</strong>' in sumire.see(answer.headers["location"])
    (view,) = catalogue.saved_views("Sumire")
    assert "grays</a>" in sumire.see("/desk")
    assert "grays</a>" not in desk("Aoi").see("/desk")
    sumire.post(f"/views/{view.id}/remove")
    assert catalogue.saved_views("Sumire") == []


def test_a_view_of_an_older_program_is_left_out(catalogue: Catalogue, desk: Desks) -> None:
    catalogue.save_view("Sumire", "old", "queue=nowhere")
    assert "old</a>" not in desk().see("/desk")


@pytest.mark.parametrize(("address", "field"), [("/views", "name"), ("/entries/1/comments", "text")])
@pytest.mark.parametrize("text", ["", " \r\n ", "x" * 2001])
def test_nothing_and_too_much_are_refused(
    catalogue: Catalogue, desk: Desks, sample: Sample, address: str, field: str, text: str
) -> None:
    sample.entries(catalogue, 1)
    assert desk().post(address, {field: text}).status_code == 422


def test_who_looks_has_no_desk(desk: Desks) -> None:
    viewer = desk("Hana", Role.VIEWER)
    assert viewer.get("/desk").status_code == 403
    assert "/desk" not in viewer.see("/")


def test_comments_of_a_blind_pair_are_kept_apart(
    catalogue: Catalogue, settings: CatalogueSettings, sample: Sample
) -> None:
    one, _ = sample.entries(catalogue, 2)
    with desks(settings, catalogue, blind_share=1.0) as desk:
        aoi = desk("Aoi")
        desk()
        catalogue.comment(one, "Sumire", "too green")
        assert "too green" not in aoi.see(f"/entries/{one}")
        catalogue.give_verdict(one, "Sumire", Judgement(Verdict.RETURNED, Reason.OTHER), blind_share=1.0)
        assert "too green" not in aoi.see(f"/entries/{one}")
        aoi.say(one, "approved")
        assert "too green" in aoi.see(f"/entries/{one}?queue=all")


def test_another_password_ends_all_other_sessions(app: FastAPI, catalogue: Catalogue) -> None:
    here, elsewhere = signed_in(app, "Aoi"), signed_in(app, "Aoi")
    answer = here.post("/password", {"present": PASSWORD, "new": NEW, "again": NEW})
    assert answer.headers["location"] == "/?notice=password-changed"
    assert "Your password is changed" in here.get(answer.headers["location"]).text
    assert "Sign in" in elsewhere.get("/desk").text
    assert elsewhere.sign_in("Aoi").status_code == 403
    assert elsewhere.sign_in("Aoi", NEW).status_code == 303
    assert len(catalogue.audit_events(curator="Aoi", event=AuditWord.PASSWORD_CHANGED)) == 1


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"present": "a wrong password", "new": NEW, "again": NEW}, "the present password is not right"),
        ({"present": PASSWORD, "new": "short", "again": "short"}, "needs 10 letters at least"),
        ({"present": PASSWORD, "new": NEW, "again": NEW + "x"}, "typed two different ways"),
    ],
)
def test_a_password_that_cannot_be_taken_changes_nothing(app: FastAPI, form: dict[str, str], told: str) -> None:
    browser = signed_in(app, "Aoi")
    answer = browser.post("/password", form)
    assert (answer.status_code, told in answer.text) == (422, True)
    assert "Aoi (curator)" in browser.get("/keys").text
