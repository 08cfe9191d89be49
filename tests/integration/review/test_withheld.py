"""A result of what may not be used any more: said in words, and none of its pictures is served."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from db.catalogue import Catalogue
from db.entries.night import Derivatives, RightsEntry, Tone
from db.review.pages import pictures
from db.settings import CatalogueSettings
from tests.integration.review.desk import Desks, desks
from tests.samples import Sample

DATABASES = ("sqlite", "postgresql")
NO = RightsEntry(Derivatives.NO, "“All rights reserved” in dc:rights", text="All rights reserved")


@pytest.fixture
def desk(catalogue: Catalogue, settings: CatalogueSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desks]:
    """Desks at a page that looks every time."""
    monkeypatch.setattr(pictures, "WITHHELD_S", 1e-9)
    with desks(settings, catalogue) as made:
        yield made


@pytest.mark.long
def test_a_withheld_entry_says_why_and_shows_nothing_until_it_is_allowed_again(
    catalogue: Catalogue, settings: CatalogueSettings, desk: Desks, sample: Sample
) -> None:
    record = sample.record("r1")
    number = sample.entry(catalogue, record)
    attempt = catalogue.attempt(number)
    content, style, output = attempt.content.sha256, attempt.styles[0].sha256, attempt.output_sha256
    here = desk()
    assert f"/pictures/{output}/" in here.see(f"/entries/{number}")
    catalogue.add_record(sample.archive(catalogue), replace(record, rights=NO))
    shown = here.see(f"/entries/{number}")
    assert "nothing was deleted" in shown
    assert "sample r1: No derivative may be made. (“All rights reserved” in dc:rights)" in shown
    assert f"/pictures/{output}/" not in shown
    assert 'name="verdict"' not in shown
    assert f"/entries/{number}" not in here.see("/?queue=all")
    assert catalogue.withheld_pictures() == {content, output}
    assert style not in catalogue.withheld_pictures()
    for sha256 in (content, output):
        assert here.get(f"/pictures/{sha256}/preview.jpg").status_code == 404
    assert [each.identifier for each in catalogue.withheld_because(number)] == ["r1"]
    assert catalogue.withheld_attempts() == {attempt.batch_id: [number]}
    catalogue.add_record(sample.archive(catalogue), record)
    assert f"/pictures/{output}/" in here.see(f"/entries/{number}")
    assert (catalogue.withheld_pictures(), catalogue.withheld_because(number)) == (frozenset(), [])


def test_a_style_that_is_forbidden_by_another_record_is_named(catalogue: Catalogue, sample: Sample) -> None:
    number = sample.entry(catalogue, sample.record("r1"))
    sample.store(catalogue, sample.record("other", rights=NO), Tone.COLOUR, data=b"colour of r1")
    assert [(each.identifier, each.derivatives) for each in catalogue.withheld_because(number)] == [
        ("other", Derivatives.NO)
    ]
    assert catalogue.attempt(number).withheld
