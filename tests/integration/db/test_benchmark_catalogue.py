"""The benchmark's catalogue, filled past the catalogue's queries, holds what they would have written."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from db.catalogue import Catalogue
from db.entries.night import Change, PictureSource, Verdict
from db.entries.review import Judgement, QueueFilter
from db.settings import CatalogueSettings
from db.tables.base import Base
from tests.benchmarks.operations_catalogue import NightlyMade
from tests.benchmarks.review_catalogue import fill, grow
from tests.benchmarks.review_prints import ARCHIVES, BLIND_SHARE, CURATORS, LEASES, MATCHER, MODELS, Shelf
from tests.conftest import SettingsOf

SHELF = Shelf(records=120, per_batch=20)


def _spoken(catalogue: Catalogue, shelf: Shelf) -> None:
    """Say all that is on the shelf, query by query."""
    archives = [catalogue.add_archive(name, "oai-pmh", f"https://{name}.example/oai") for name in ARCHIVES]
    for number in range(1, shelf.records + 1):
        record, archive = shelf.record(number), archives[shelf.archive(number) - 1]
        catalogue.add_record(archive, record)
        (wanted,) = catalogue.wanted_pictures(archive)
        source = PictureSource(wanted.reference, etag='"1"')
        catalogue.hold_picture(wanted, shelf.picture(record.identifier, shelf.tone(number)), source)
    for content in shelf.contents:
        catalogue.add_matches(content, MATCHER, shelf.matches(content))
    attempts = _nights(catalogue, shelf, _match_ids(catalogue, "outcome = 'matched'"), 1)
    for attempt in attempts:
        for said in shelf.verdicts(attempt):
            catalogue.give_verdict(attempt, said.curator, said.judgement, blind_share=BLIND_SHARE)
    wrong = "rank = 2 AND content_id IN (SELECT m.content_id FROM matches m JOIN attempts a ON a.match_id = m.id "
    wrong += "JOIN reviews r ON r.attempt_id = a.id WHERE r.reason = 'wrong match')"
    _nights(catalogue, shelf, _match_ids(catalogue, wrong), (len(attempts) - 1) // shelf.per_batch + 2)
    waiting = "SELECT attempt_id FROM reviews WHERE waiting_since IS NOT NULL AND (reason IS NULL OR "
    waiting += "reason <> 'wrong match') ORDER BY attempt_id"
    for attempt, curator in zip(_numbers(catalogue, waiting)[:LEASES], CURATORS * LEASES, strict=False):
        catalogue.take_lease(attempt, curator)


def _nights(catalogue: Catalogue, shelf: Shelf, match_ids: list[int], first: int) -> list[int]:
    made = []
    for start in range(0, len(match_ids), shelf.per_batch):
        recipe = shelf.recipe(first + start // shelf.per_batch)
        batch = catalogue.take_pairs(recipe, MODELS, match_ids[start : start + shelf.per_batch])
        assert batch is not None
        for pending in catalogue.pending_attempts(batch):
            catalogue.close_attempt(batch, pending.id, shelf.result(pending.id))
            made.append(pending.id)
        catalogue.close_batch(batch)
    return made


def _match_ids(catalogue: Catalogue, which: str) -> list[int]:
    return _numbers(catalogue, f"SELECT id FROM matches WHERE {which} ORDER BY id")


def _numbers(catalogue: Catalogue, query: str) -> list[int]:
    with catalogue.engine.connect() as connection:
        return list(connection.scalars(text(query)))


def _tables(catalogue: Catalogue) -> dict[str, list[dict[str, Any]]]:
    with catalogue.engine.connect() as connection:
        return {
            table.name: [
                _plain(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in Base.metadata.sorted_tables
            if table.name not in ("tallies", "answers", "identity")  # which follow from the others, or from chance
        }


def _plain(row: Any) -> dict[str, Any]:
    """Times say only that they are there. Digests differ: they take long, and the harvest alone asks for them."""
    return {key: isinstance(value, datetime) or value for key, value in row.items() if key != "digest"}


@pytest.mark.long
def test_filled_tables_agree_with_what_the_sentences_write(settings: CatalogueSettings, tmp_path: Path) -> None:
    fill(settings, SHELF)
    with Catalogue.open(settings) as filled:
        found = _tables(filled)
        assert filled.wrong_counts() == []
    with Catalogue.open(CatalogueSettings(home=tmp_path / "spoken")) as spoken:
        _spoken(spoken, SHELF)
        wanted = _tables(spoken)
    del wanted["batch_leases"]  # nobody worked at the filled ones
    for name, rows in wanted.items():
        assert found[name] == rows, name


def test_the_filled_catalogue_goes_on_as_any_other(settings: CatalogueSettings) -> None:
    fill(settings, SHELF)
    with Catalogue.open(settings) as catalogue:
        first = catalogue.queue(QueueFilter()).entries[0]
        assert catalogue.give_verdict(first.attempt_id, "Aoi", Judgement(Verdict.APPROVED)).id > 1
        assert catalogue.undo_verdict("Aoi") is not None
        assert catalogue.add_record(1, SHELF.record(91)) is Change.NEW


def test_a_grown_catalogue_has_two_attempts_for_each_record_and_nothing_due(
    settings: CatalogueSettings, settings_of: SettingsOf
) -> None:
    fill(settings, SHELF)
    made = NightlyMade.of(settings_of(settings.home, database_url=settings.database_url))
    grow(settings, made.years)
    with Catalogue.open(settings) as catalogue:
        told = catalogue.status()
        assert told["records"] == SHELF.records
        assert sum(told["attempts"].values()) == 2 * SHELF.records
        assert catalogue.wrong_counts() == []
        assert catalogue.take_batch(made.recipe, made.models, made.matcher, limit=10) is None
