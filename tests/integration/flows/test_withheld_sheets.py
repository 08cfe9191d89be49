"""A contact sheet is written anew when other results are withheld than were."""

import json
from dataclasses import replace

from db.catalogue import Catalogue
from db.entries.night import Derivatives, RightsEntry
from flows.plan import CataloguePlan
from flows.report import WITHHELD, sheet_folder, sheets_due
from flows.reports.contact_sheet import page_name, row
from flows.settings import Settings
from tests.samples import Sample

DATABASES = ("sqlite",)
NO = RightsEntry(Derivatives.NO, "“All rights reserved” in dc:rights", text="All rights reserved")


def test_a_sheet_is_due_when_it_shows_too_much_and_when_it_shows_too_little(
    catalogue: Catalogue, settings: Settings, sample: Sample
) -> None:
    number, record = sample.entry(catalogue, sample.record("r1")), sample.record("r1")
    plan = CataloguePlan(Settings(home=settings.home), catalogue, ())
    batch = catalogue.attempt(number).batch_id
    folder = sheet_folder(plan.settings, batch)
    folder.mkdir(parents=True)
    (folder / page_name(0, ".png")).touch()
    assert sheets_due(plan, []) == []
    catalogue.add_record(sample.archive(catalogue), replace(record, rights=NO))
    assert sheets_due(plan, []) == [batch]
    assert row(catalogue.attempt(number))["outcome"] == "withheld"
    (folder / WITHHELD).write_text(json.dumps([number]))
    assert sheets_due(plan, []) == []
    catalogue.add_record(sample.archive(catalogue), record)
    assert sheets_due(plan, []) == [batch]
