"""Counts that the database keeps of its rows, and questions that it need not be asked twice."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import event, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.catalogue import Catalogue
from db.doctor import Damage, Remedies, examine, mend
from db.entries.night import ContentScope, Derivatives, EncoderKey, Outcome, Tone, Verdict
from db.entries.review import Judgement, Reason
from db.queries.base.store import insert_rows
from db.settings import CatalogueSettings
from db.tables.night import Attempt
from db.tables.review import SearchText
from tests.samples import Sample

GRAY = ContentScope(frozenset({Tone.GRAYSCALE}), {"sample": None})
NOTHING = Remedies(remake=lambda *_: None, fetch_again=lambda _: {})


def test_counts_follow_all_that_is_written(catalogue: Catalogue, sample: Sample) -> None:
    assert catalogue.wrong_counts() == []
    first, second = sample.entries(catalogue, 2)
    archive = sample.archive(catalogue)
    catalogue.add_record(archive, sample.record("gone"))
    catalogue.add_record(archive, sample.record("gone", deleted=True))
    catalogue.give_verdict(first, "ume", Judgement(Verdict.APPROVED))
    catalogue.give_verdict(second, "ume", Judgement(Verdict.RETURNED, Reason.WRONG_MATCH))
    catalogue.undo_verdict("ume")
    catalogue.give_tone(1, "ume", Tone.UNSURE)
    sample.pairs(catalogue, 1)
    for content in catalogue.contents_to_match(sample.encoder, sample.matcher, GRAY):
        sample.match(catalogue, content, content + 1)
    catalogue.release_batch(sample.take(catalogue))
    assert catalogue.wrong_counts() == []
    told = catalogue.status()
    assert (told["deleted_records"], told["verdicts"]["approved"], told["verdicts"]["returned"]) == (1, 1, 0)
    assert (told["attempts"]["pending"], told["attempts"]["succeeded"]) == (catalogue.pending(), 2)
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=1) is None  # it adds them up
    assert (catalogue.status(), catalogue.wrong_counts()) == (told, [])


def test_what_is_taken_back_is_not_counted(catalogue: Catalogue, sample: Sample) -> None:
    (entry,) = sample.entries(catalogue, 1)
    before = catalogue.status()
    with catalogue.engine.connect() as connection:
        connection.execute(update(Attempt).where(Attempt.id == entry).values(outcome=Outcome.FAILED))
        connection.rollback()
    assert (catalogue.status(), catalogue.wrong_counts()) == (before, [])


def test_records_that_come_together_are_counted_together(catalogue: Catalogue, sample: Sample) -> None:
    """PostgreSQL appends a row for each statement, so that a statement for each record would cost many."""
    archive = sample.archive(catalogue)
    count = text("SELECT count(*) FROM tallies")
    with catalogue.engine.connect() as connection:
        before = connection.execute(count).scalar_one()
        catalogue.add_records(archive, [sample.record(f"r{number}") for number in range(50)])
        assert connection.execute(count).scalar_one() - before < 10
    assert catalogue.wrong_counts() == []


def test_rows_that_do_not_fit_are_refused_in_the_databases_own_words(catalogue: Catalogue, sample: Sample) -> None:
    sample.archive(catalogue)
    row = {"record_id": 999, "text": "ume", "version": 1}
    with Session(catalogue.engine) as session, pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        insert_rows(session, SearchText, [row, row | {"record_id": 998}])


def test_the_doctor_finds_a_wrong_count_and_counts_again(
    catalogue: Catalogue, sample: Sample, settings: CatalogueSettings
) -> None:
    sample.entries(catalogue, 1)
    told = catalogue.status()
    with catalogue.engine.begin() as connection:
        connection.execute(text("UPDATE tallies SET number = number + 3 WHERE subject = 'attempts' AND number = 1"))
    (finding,) = (each for each in examine(settings) if each.damage is Damage.COUNTS)
    assert "attempts, succeeded: -3" in finding.subject
    assert mend(settings, [finding], NOTHING, print) == [finding]
    assert (catalogue.status(), catalogue.wrong_counts()) == (told, [])
    sample.entry(catalogue, sample.record("later"))
    assert catalogue.wrong_counts() == []


def _asked(catalogue: Catalogue, ask: Callable[[], object], table: str) -> tuple[object, bool]:
    """What is answered, and whether the rows of a table were looked at for it."""
    looked = []

    def see(*said: object) -> None:
        looked.append(f"FROM {table} " in str(said[2]))

    event.listen(catalogue.engine, "before_cursor_execute", see)
    try:
        return ask(), any(looked)
    finally:
        event.remove(catalogue.engine, "before_cursor_execute", see)


def test_what_nothing_was_due_of_is_asked_again_only_when_something_changed(
    catalogue: Catalogue, sample: Sample
) -> None:
    archive = sample.archive(catalogue)
    record = sample.record("gray")
    gray = sample.store(catalogue, record, Tone.GRAYSCALE)

    def due() -> tuple[object, bool]:
        return _asked(
            catalogue, lambda: [each.id for each in catalogue.images_to_embed(sample.encoder, list(Tone))], "images"
        )

    assert due() == ([gray], True)
    assert due() == ([gray], True)  # what is due is never taken from memory
    catalogue.add_embeddings(sample.encoder, {gray: sample.vector(1)})
    assert due() == ([], True)
    assert due() == ([], False)
    assert catalogue.images_to_embed(EncoderKey("another", "0"), list(Tone)) != []
    catalogue.add_record(archive, replace(record, rights=replace(record.rights, derivatives=Derivatives.NO)))
    assert due() == ([], True)
    assert due() == ([], False)


def test_a_night_with_nothing_to_do_looks_at_no_match_twice(catalogue: Catalogue, sample: Sample) -> None:
    entry, *_ = sample.entries(catalogue, 2)

    def taken() -> tuple[object, bool]:
        def take() -> object:
            return catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None)

        return _asked(catalogue, take, "matches \nWHERE matches.outcome =")

    assert taken() == (None, True)
    assert taken() == (None, False)
    assert catalogue.take_batch(replace(sample.recipe, digest="another"), sample.models, sample.matcher, limit=1)
    catalogue.give_verdict(entry, "ume", Judgement(Verdict.RETURNED, Reason.WRONG_MATCH))
    assert taken() == (None, True)
