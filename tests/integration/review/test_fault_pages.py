"""Faults on an entry's page: kept as sent, shown to others but for blind pairs, refused where they are none."""

import json
import re
from collections.abc import Iterator

import pytest

from db.catalogue import Catalogue
from db.entries.faults import Box, Fault, FaultKind
from db.entries.review import Role
from db.settings import CatalogueSettings
from tests.integration.review.desk import Desks, desks
from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""
SIDES = (0.25, 0.1, 0.2, 0.125)
FACE = {"kind": "face", "box": [*SIDES]}


@pytest.fixture
def desk(catalogue: Catalogue, settings: CatalogueSettings) -> Iterator[Desks]:
    """Desks at one page without blind pairs."""
    with desks(settings, catalogue) as made:
        yield made


@pytest.mark.long
def test_boxes_and_ticks_are_kept_and_stand_on_the_page_again(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    one, _ = sample.entries(catalogue, 2)
    sumire, aoi = desk(), desk("Aoi")
    sent = {"boxes": json.dumps([FACE]), "whole": ["paper tone", "margins"]}
    answer = sumire.post(f"/entries/{one}/faults", sent)
    assert answer.headers["location"] == f"/entries/{one}?notice=faults-kept"
    kept = {each.fault for each in catalogue.faults([one])[one]}
    assert kept == {Fault(FaultKind.FACE, Box(*SIDES)), Fault(FaultKind.PAPER), Fault(FaultKind.MARGINS)}
    page = sumire.see(answer.headers["location"])
    assert json.loads(re.search(r'name="boxes" value="(.*)">', page)[1]) == [FACE]  # type: ignore[index]
    assert 'name="whole" value="margins" checked' in page
    assert "Faults that Sumire marked" not in page
    told = aoi.see(f"/entries/{one}")
    assert "Faults that Sumire marked: paper tone, margins, face" in " ".join(told.split())
    assert 'name="whole" value="margins" checked' not in told


def test_the_script_stays_where_it_is(catalogue: Catalogue, desk: Desks, sample: Sample) -> None:
    one, _ = sample.entries(catalogue, 2)
    assert desk().post(f"/entries/{one}/faults", {"boxes": "[]", "drawing": "true"}).status_code == 204
    assert not catalogue.faults([one])


@pytest.mark.long
@pytest.mark.parametrize(
    "boxes",
    [
        "[",
        json.dumps([{**FACE, "kind": "dull"}]),
        json.dumps([{**FACE, "box": [0.9, 0, 0.2, 0.2]}]),
        json.dumps([{**FACE, "box": [0, 0, 0, 0.2]}]),
        '[{"kind": "face", "box": [NaN, 0, 0.2, 0.2]}]',
        json.dumps([FACE] * 101),
    ],
)
def test_what_is_no_fault_is_refused(catalogue: Catalogue, desk: Desks, sample: Sample, boxes: str) -> None:
    one, _ = sample.entries(catalogue, 2)
    assert desk().post(f"/entries/{one}/faults", {"boxes": boxes}).status_code == 422
    assert not catalogue.faults([one])


@pytest.mark.long
def test_one_who_looks_marks_nothing_and_sees_what_others_marked(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    one, _ = sample.entries(catalogue, 2)
    catalogue.mark_faults(one, "Sumire", [Fault(FaultKind.FACE)])
    viewer = desk("Hana", Role.VIEWER)
    assert viewer.post(f"/entries/{one}/faults", {"boxes": "[]"}).status_code == 403
    page = viewer.see(f"/entries/{one}")
    assert "Faults that Sumire marked:" in page
    assert 'id="faults"' not in page


@pytest.mark.long
def test_a_second_blind_curator_is_told_of_no_fault(
    catalogue: Catalogue, settings: CatalogueSettings, sample: Sample
) -> None:
    one, _ = sample.entries(catalogue, 2)
    with desks(settings, catalogue, blind_share=1.0) as desk:
        sumire, aoi = desk(), desk("Aoi")
        catalogue.mark_faults(one, "Sumire", [Fault(FaultKind.FACE)])
        assert "Faults that Sumire marked" not in aoi.see(f"/entries/{one}"), "before either has judged"
        sumire.say(one, "approved")
        assert "Faults that Sumire marked" not in aoi.see(f"/entries/{one}")
        aoi.say(one, "approved")
        assert "Faults that Sumire marked:" in aoi.see(f"/entries/{one}?queue=all")
