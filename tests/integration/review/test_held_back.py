"""The list of what is held back: curators read it, admins release from it."""

from collections.abc import Iterator

import pytest

from db.catalogue import Catalogue
from db.entries.night import Derivatives, Tone
from db.entries.review import Role
from db.settings import CatalogueSettings
from tests.integration.review.desk import Desks, desks
from tests.samples import Sample

DATABASES = ("sqlite",)


@pytest.fixture
def desk(catalogue: Catalogue, settings: CatalogueSettings, sample: Sample) -> Iterator[Desks]:
    """Desks at a page whose catalogue holds a print of each decision."""
    for word in Derivatives:
        sample.store(catalogue, sample.record(f"p-{word}", derivatives=word), Tone.GRAYSCALE)
    with desks(settings, catalogue) as made:
        yield made


def test_curators_read_what_is_held_back_and_why(desk: Desks) -> None:
    here = desk()
    shown = here.see("/held-back")
    for word in ("ask", "no", "unknown", "contradictory"):
        assert f">p-{word}</th>" in shown
    assert "p-yes" not in shown
    assert "rights: to be asked for (1)" in shown
    assert 'type="checkbox"' not in shown
    assert "p-no" not in here.see("/held-back?reason=rights: ask")
    assert here.post("/held-back", {"record": "1", "note": "x"}).status_code == 403
    assert desk("Kiku", Role.VIEWER).get("/held-back").status_code == 403


def test_an_admin_releases_with_a_note_and_takes_back(catalogue: Catalogue, desk: Desks) -> None:
    here = desk("Ume", Role.ADMIN)
    numbers = {each.identifier: str(each.record_id) for each in catalogue.held_records(None)}
    both = [numbers["p-ask"], numbers["p-no"]]
    refused = here.post("/held-back", {"record": both, "note": " "})
    assert "Nothing was released" in here.see(refused.headers["location"])
    done = here.post("/held-back", {"record": both, "note": "letter of 1 March"})
    assert "1 record released" in here.see(done.headers["location"])
    assert [each.identifier for each in catalogue.released_records()] == ["p-ask"]
    released = here.see("/held-back?released=true")
    assert "released by Ume: letter of 1 March" in released
    here.post("/held-back", {"record": numbers["p-ask"], "take_back": "true"})
    assert catalogue.released_records() == []
    told = [each.detail for each in catalogue.audit_events() if each.curator == "Ume"]
    assert {"1 records: letter of 1 March", "1 records"} <= set(told)


def test_the_list_comes_in_pages(catalogue: Catalogue, desk: Desks, sample: Sample) -> None:
    for number in range(50):
        catalogue.add_record(sample.archive(catalogue), sample.record(f"without {number:02}", pictures=()))
    here = desk()
    assert 'rel="next"' in here.see("/held-back")
    second = here.see("/held-back?page=2")
    assert "without 49" in second
    assert 'rel="prev"' in second
