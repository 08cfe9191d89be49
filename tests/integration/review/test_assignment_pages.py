"""Views assigned to people: the form in the queue, both desks, who may do what."""

from collections.abc import Iterator

import pytest
from httpx2 import Response

from db.catalogue import Catalogue
from db.entries.desk import MOST_ASSIGNED
from db.entries.night import Verdict
from db.entries.review import AuditWord, Judgement, Role
from db.settings import CatalogueSettings
from tests.integration.review.desk import Desk, Desks, desks
from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""


@pytest.fixture
def desk(catalogue: Catalogue, settings: CatalogueSettings) -> Iterator[Desks]:
    """Desks at one page without blind pairs."""
    with desks(settings, catalogue) as made:
        yield made


@pytest.fixture
def entry(catalogue: Catalogue, sample: Sample) -> int:
    """The first of two entries that wait."""
    return sample.entries(catalogue, 2)[0]


def _assign(by: Desk, view: str = "", **form: str) -> Response:
    return by.post(f"/assignments?{view}", {"curator": "Aoi", "name": "grays", "note": "by Friday", **form})


def _told(by: Desk, answer: Response) -> str:
    assert answer.status_code == 303
    return by.see(answer.headers["location"])


@pytest.mark.usefixtures("entry")
def test_a_view_is_assigned_judged_and_marked_as_done(catalogue: Catalogue, desk: Desks, entry: int) -> None:
    sumire, aoi = desk(), desk("Aoi")
    assert "Assigned" not in sumire.see("/desk") + aoi.see("/desk") + aoi.see("/")
    answer = _assign(sumire, "order=newest+first&words=print", note=" by <b>Friday</b> ")
    assert answer.headers["location"] == "/?order=newest+first&words=print&notice=assigned"
    assert "The view is assigned" in sumire.see(answer.headers["location"])
    assert "Saved views (1 assigned to you)" in aoi.see("/")
    for page in ("/", "/desk"):
        told = aoi.see(page)
        assert '/?order=newest+first&words=print"><strong>grays</strong></a>: 2 left' in told
        assert "from Sumire" in told
    assert ": by &lt;b>Friday&lt;/b>" in aoi.get("/desk").text.replace("&gt;", ">")
    aoi.say(entry, "approved")
    assert "1 left" in aoi.see("/desk")
    assert "1 left" in aoi.see("/?order=newest+first&words=print")  # whatever the queue counted before
    assert "1 left" in sumire.see("/desk")
    (held,) = catalogue.assigned_to("Aoi")
    assert "Marked as done." in _told(aoi, aoi.post(f"/assignments/{held.id}/done"))
    assert "Assigned to you" not in aoi.see("/desk")
    assert "</a>: done " in sumire.see("/desk")
    assert "Nothing was changed" in _told(aoi, aoi.post(f"/assignments/{held.id}/done"))
    events = [(each.event, each.curator, each.detail) for each in reversed(catalogue.audit_events(limit=2))]
    assert events == [
        (AuditWord.ASSIGNED, "Sumire", "Sumire → Aoi: grays"),
        (AuditWord.ASSIGNMENT_DONE, "Aoi", "Sumire → Aoi: grays"),
    ]


@pytest.mark.usefixtures("entry")
def test_a_saved_view_brings_its_name_and_what_becomes_of_it_changes_nothing(catalogue: Catalogue, desk: Desks) -> None:
    sumire, aoi = desk(), desk("Aoi")
    sumire.post("/views?queue=all&words=print", {"name": "grays"})
    assert 'name="name" required maxlength="100" value="grays"' in sumire.see("/?queue=all&words=print")
    _assign(sumire, "queue=all&words=print")
    sumire.post(f"/views/{catalogue.saved_views('Sumire')[0].id}/remove")
    assert "grays</strong></a>: 2 entries, judged or awaiting review" in aoi.see("/desk")


@pytest.mark.usefixtures("entry")
def test_only_people_who_can_judge_are_offered(catalogue: Catalogue, desk: Desks) -> None:
    sumire = desk()
    for name, role in (("Aoi", Role.ADMIN), ("Mio", Role.VIEWER), ("Ume", Role.CURATOR)):
        desk(name, role)
    catalogue.disable_curator("Ume")
    offered = sumire.see("/").partition('name="curator" required>')[2].partition("</select>")[0]
    assert offered == '<option value="">–</option><option>Aoi</option><option>Sumire</option>'
    assert 'id="assign"' not in desk("Hana", Role.VIEWER).see("/")


@pytest.mark.usefixtures("entry")
def test_what_cannot_be_assigned_is_told_in_a_sentence(catalogue: Catalogue, desk: Desks) -> None:
    sumire = desk()
    desk("Aoi")
    assert "nobody of this name can judge here" in _told(sumire, _assign(sumire, curator="Nobody"))
    assert "there is nothing in this view" in _told(sumire, _assign(sumire, "queue=conflicts"))
    _assign(sumire)
    assert "has the view already" in _told(sumire, _assign(sumire, name="another name"))
    for number in range(MOST_ASSIGNED):
        catalogue.assign_view("Aoi", f"batch_id={number}", name="x", note="", by="Sumire")
    assert "as many views as there may be" in _told(sumire, _assign(sumire, "queue=all"))
    assert len(catalogue.assigned_to("Aoi")) == MOST_ASSIGNED
    assert len(catalogue.audit_events(event=AuditWord.ASSIGNED)) == 1


@pytest.mark.parametrize("form", [{"name": "x" * 101}, {"name": " "}, {"note": "x" * 501}, {"curator": "x" * 201}])
def test_nothing_and_too_much_are_refused(desk: Desks, form: dict[str, str]) -> None:
    assert _assign(desk(), **form).status_code == 422


@pytest.mark.usefixtures("entry")
def test_a_view_that_shows_this_person_nothing_is_not_assigned(
    catalogue: Catalogue, settings: CatalogueSettings, entry: int
) -> None:
    with desks(settings, catalogue, blind_share=1.0) as desk:
        sumire, _ = desk(), desk("Aoi")
        for number in (entry, entry + 1):
            catalogue.give_verdict(number, "Aoi", Judgement(Verdict.APPROVED), blind_share=1.0)
        assert "2 entries awaiting review" in sumire.see("/")
        assert "there is nothing in this view" in _told(sumire, _assign(sumire))
        assert "is assigned" in _told(sumire, _assign(sumire, curator="Sumire"))


@pytest.mark.usefixtures("entry")
def test_one_ends_ones_own_and_takes_back_what_one_assigned_and_an_admin_all(catalogue: Catalogue, desk: Desks) -> None:
    sumire, aoi, ume, ren = desk(), desk("Aoi"), desk("Ume"), desk("Ren", Role.ADMIN)
    _assign(sumire, curator=" Aoi ")
    _assign(sumire, "queue=all")
    second, first = (each.id for each in catalogue.assigned_to("Aoi"))
    for stranger in (sumire, ume):
        answer = stranger.post(f"/assignments/{first}/done")
        assert (answer.status_code, "Only the person it was assigned to" in answer.text) == (403, True)
    for stranger in (aoi, ume):
        answer = stranger.post(f"/assignments/{first}/remove")
        assert (answer.status_code, "Only the person who assigned it" in answer.text) == (403, True)
    assert len(catalogue.assigned_to("Aoi")) == 2
    assert "Assigned by" not in ume.see("/desk")
    assert "from Sumire to Aoi" in ren.see("/desk")
    assert "is taken back" in _told(sumire, sumire.post(f"/assignments/{first}/remove"))
    assert "Nothing was changed" in _told(aoi, aoi.post(f"/assignments/{first}/done"))
    assert "Marked as done." in _told(ren, ren.post(f"/assignments/{second}/done"))
    assert catalogue.assigned_to("Aoi") == []
    told = [(each.event, each.curator) for each in catalogue.audit_events(limit=2)]
    assert told == [(AuditWord.ASSIGNMENT_DONE, "Ren"), (AuditWord.ASSIGNMENT_TAKEN_BACK, "Sumire")]


@pytest.mark.usefixtures("entry")
def test_whoever_assigned_is_told_that_an_account_cannot_judge_any_more(catalogue: Catalogue, desk: Desks) -> None:
    sumire = desk()
    desk("Aoi")
    _assign(sumire)
    catalogue.change_role("Aoi", Role.VIEWER)
    assert "The account of Aoi is view-only now." in sumire.see("/desk")
    catalogue.disable_curator("Aoi")
    assert "The account of Aoi is closed." in sumire.see("/desk")
    (held,) = catalogue.assigned_by("Sumire")
    assert "is taken back" in _told(sumire, sumire.post(f"/assignments/{held.id}/remove"))


def test_an_assigned_view_of_an_older_program_can_still_be_ended(catalogue: Catalogue, desk: Desks) -> None:
    aoi = desk("Aoi")
    catalogue.assign_view("Aoi", "queue=nowhere", name="old", note="", by="Aoi")
    for page in ("/desk", "/"):
        assert "<strong>old</strong> (the page does not know one of its filters any more)" in aoi.see(page)
    (held,) = catalogue.assigned_to("Aoi")
    assert "Marked as done." in _told(aoi, aoi.post(f"/assignments/{held.id}/done"))
