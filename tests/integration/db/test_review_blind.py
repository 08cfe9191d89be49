"""Blind pairs on both databases: the first word is told nowhere, and no pair waits for ever."""

from typing import TYPE_CHECKING

import pytest

from db.catalogue import Catalogue
from db.entries.night import Tone, Verdict
from db.entries.review import AttemptRequest, Judgement, Queue, QueueFilter, Reason, Role
from db.queries.review.verdicts import blind_words
from db.settings import CatalogueSettings
from tests.integration.review.review_client import add_people, opened

if TYPE_CHECKING:
    from tests.samples import Sample

APPROVED = Judgement(Verdict.APPROVED)
WITHHELD = Judgement(Verdict.WITHHELD)
WRONG = Judgement(Verdict.RETURNED, Reason.WRONG_MATCH)
REDONE = QueueFilter(queue=Queue.REDONE)


def _waiting(catalogue: Catalogue, reader: str) -> list[int]:
    return [entry.attempt_id for entry in catalogue.queue(QueueFilter(), reader=reader).entries]


def _blind(catalogue: Catalogue, attempt: int, curator: str, word: Judgement = APPROVED) -> int:
    return catalogue.give_verdict(attempt, curator, word, blind_share=1.0).id


def _ranked(catalogue: Catalogue, sample: "Sample") -> tuple[int, list[int]]:
    """A content of which the night has tried the first of two styles: the attempt, the styles."""
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    styles = [sample.store(catalogue, sample.record(f"colour {n}"), Tone.COLOUR) for n in range(2)]
    sample.match(catalogue, content, *styles)
    return sample.night(catalogue)[0], styles


def test_a_hidden_word_is_in_no_report(catalogue: Catalogue, sample: "Sample") -> None:
    blind, plain = sample.entries(catalogue, 2)
    _blind(catalogue, blind, "Aoi")
    catalogue.give_verdict(plain, "Aoi", APPROVED)
    assert list(catalogue.verdicts([blind, plain])) == [plain]
    _blind(catalogue, blind, "Ren")
    assert catalogue.verdicts([blind])[blind].curator == "Ren"


def test_a_hidden_wrong_match_sends_no_candidate_until_the_second_has_spoken(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    attempt, _ = _ranked(catalogue, sample)
    _blind(catalogue, attempt, "Aoi", WRONG)
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None
    _blind(catalogue, attempt, "Ren", WRONG)
    assert len(sample.night(catalogue)) == 1


def test_a_hidden_return_is_not_told_by_what_was_made_after_it(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    _blind(catalogue, attempt, "Aoi", WRONG)
    catalogue.add_request(attempt, "Kei", AttemptRequest(style_id=styles[1]))
    (made,) = sample.night(catalogue)
    assert catalogue.queue_entry(made).returned_by is None
    _blind(catalogue, attempt, "Ren", WRONG)
    assert catalogue.queue_entry(made).returned_by is None  # Ren's return came after it was begun
    catalogue.undo_verdict("Ren")
    assert catalogue.queue_entry(made).returned_by is None


def test_what_was_requested_at_a_hidden_entry_is_shown_only_to_who_asked_for_it(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    attempt, styles = _ranked(catalogue, sample)
    request = catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=styles[1]))
    _blind(catalogue, attempt, "Aoi", WITHHELD)
    assert [catalogue.requests(attempt, reader=name) for name in ("Aoi", "Ren")] == [[request], []]
    _blind(catalogue, attempt, "Ren")
    assert catalogue.requests(attempt, reader="Ren") == [request]


def test_a_word_said_again_after_the_others_was_seen_is_not_blind(catalogue: Catalogue, sample: "Sample") -> None:
    (attempt,) = sample.entries(catalogue, 1)
    _blind(catalogue, attempt, "Aoi")
    _blind(catalogue, attempt, "Ren", WITHHELD)
    catalogue.undo_verdict("Ren")
    _blind(catalogue, attempt, "Ren")
    assert _waiting(catalogue, "Kei") == []
    assert catalogue.agreement().words[attempt] == {"Aoi": Verdict.APPROVED, "Ren": Verdict.WITHHELD}


def test_a_slip_taken_back_before_the_other_spoke_does_not_count(catalogue: Catalogue, sample: "Sample") -> None:
    (attempt,) = sample.entries(catalogue, 1)
    _blind(catalogue, attempt, "Aoi", WITHHELD)
    catalogue.undo_verdict("Aoi")
    _blind(catalogue, attempt, "Aoi")
    assert _waiting(catalogue, "Ren") == [attempt]
    _blind(catalogue, attempt, "Ren")
    assert catalogue.agreement().words == {attempt: {"Aoi": Verdict.APPROVED, "Ren": Verdict.APPROVED}}


def test_of_three_who_judge_the_third_has_seen_both(catalogue: Catalogue, sample: "Sample") -> None:
    (attempt,) = sample.entries(catalogue, 1)
    _blind(catalogue, attempt, "Aoi")
    _blind(catalogue, attempt, "Ren")
    catalogue.undo_verdict("Ren")
    assert [each.curator for each in catalogue.give_verdict(attempt, "Kei", WITHHELD, blind_share=1.0).between] == [
        "Aoi"
    ]
    assert set(catalogue.agreement().words[attempt]) == {"Aoi", "Ren"}


@pytest.mark.parametrize("how", ["disabled", "viewer"])
def test_when_fewer_than_two_are_left_to_judge_first_words_stand(
    catalogue: Catalogue, sample: "Sample", how: str
) -> None:
    add_people(catalogue, Aoi=Role.ADMIN, Ren=Role.CURATOR, Kei=Role.CURATOR)
    (attempt,) = sample.entries(catalogue, 1)
    _blind(catalogue, attempt, "Aoi")
    catalogue.disable_curator("Kei")
    assert _waiting(catalogue, "Ren") == [attempt]
    if how == "disabled":
        catalogue.disable_curator("Ren")
    else:
        catalogue.change_role("Ren", Role.VIEWER)
    assert _waiting(catalogue, "Ren") == []
    entry = catalogue.queue_entry(attempt)
    assert entry.verdict is not None
    assert catalogue.verdicts([attempt])[attempt] == entry.verdict


def test_a_word_that_stands_alone_stays_settled_and_a_later_one_is_not_blind(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    attempt, styles = _ranked(catalogue, sample)
    _blind(catalogue, attempt, "Aoi")
    catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=styles[1]))
    (other,) = sample.night(catalogue)
    catalogue.settle_blind()
    catalogue.give_verdict(other, "Aoi", APPROVED)  # writes the rows of the whole content anew
    entry = catalogue.queue_entry(attempt)
    assert entry.verdict is not None
    told = catalogue.give_verdict(attempt, "Ren", WITHHELD, seen=entry.seen, blind_share=1.0)
    assert (told.between, told.conflict) == ((), False)
    assert (_waiting(catalogue, "Kei"), catalogue.agreement().pairs) == ([], 0)


def test_a_page_without_blind_pairs_settles_those_that_wait_when_it_starts(
    catalogue: Catalogue, settings: CatalogueSettings, sample: "Sample"
) -> None:
    add_people(catalogue, Aoi=Role.ADMIN, Ren=Role.CURATOR)
    (attempt,) = sample.entries(catalogue, 1)
    _blind(catalogue, attempt, "Aoi")
    with opened(settings, blind_share=0.05):
        assert _waiting(catalogue, "Ren") == [attempt]
    with opened(settings, blind_share=0.0, review_read_only=True):
        assert _waiting(catalogue, "Ren") == [attempt]
    with opened(settings, blind_share=0.0):
        assert _waiting(catalogue, "Ren") == []


def test_agreement_reads_no_verdict_but_what_its_index_holds(catalogue: Catalogue, sample: "Sample") -> None:
    (attempt,) = sample.entries(catalogue, 1)
    for curator in ("Aoi", "Ren"):
        _blind(catalogue, attempt, curator)
    said = str(blind_words().compile(catalogue.engine, compile_kwargs={"literal_binds": True}))
    with catalogue.engine.connect() as connection:
        if catalogue.engine.dialect.name == "sqlite":
            plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}")]
            of_verdicts = [line for line in plan if line.split()[1] == "verdicts"]
            assert {line.partition(" USING ")[2].split(" (")[0] for line in of_verdicts} == {
                "COVERING INDEX ix_verdicts_blind"
            }
            assert len(of_verdicts) == 2
            assert not [line for line in plan if "ORDER BY" in line]
            return
        for way in ("seqscan", "bitmapscan"):  # which win where there are few rows
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        plan = [line for (line,) in connection.exec_driver_sql(f"EXPLAIN {said}") if " on verdicts" in line]
    assert len(plan) == 2
    assert all("Index Only Scan using ix_verdicts_blind" in line for line in plan)
