"""Curators' words on both databases: given, answered, in conflict, blind, in bulk, taken back."""

from threading import Barrier, Thread
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.night import Verdict
from db.entries.review import GivenVerdict, Judgement, Queue, QueueFilter, Reason, Stamps
from db.errors import UnknownEntry
from db.queries.review.verdicts import UNDO_DEPTH, in_blind_share
from db.settings import CatalogueSettings

if TYPE_CHECKING:
    from tests.samples import Sample

APPROVED = Judgement(Verdict.APPROVED)
WITHHELD = Judgement(Verdict.WITHHELD, note="of living memory")
BLEEDING = Judgement(Verdict.RETURNED, Reason.COLOUR_BLEEDING)
CONFLICTS = QueueFilter(queue=Queue.CONFLICTS)


def _waiting(catalogue: Catalogue, reader: str | None = None) -> list[int]:
    return [entry.attempt_id for entry in catalogue.queue(QueueFilter(), reader=reader).entries]


@pytest.mark.parametrize(("verdict", "reason"), [(Verdict.RETURNED, None), (Verdict.APPROVED, Reason.OTHER)])
def test_a_return_has_a_reason_and_nothing_else_has(verdict: Verdict, reason: Reason | None) -> None:
    with pytest.raises(ValueError, match="does not go with"):
        Judgement(verdict, reason)


def test_a_second_curator_is_told_what_was_said_meanwhile_and_both_words_are_kept(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    attempt, _ = sample.entries(catalogue, 2)
    seen = catalogue.queue_entry(attempt).seen
    first = catalogue.give_verdict(attempt, "Aoi", APPROVED, seen=seen)
    assert (first.between, first.conflict) == ((), False)
    second = catalogue.give_verdict(attempt, "Ren", BLEEDING, seen=seen)
    assert [(each.id, each.curator, each.verdict) for each in second.between] == [(first.id, "Aoi", Verdict.APPROVED)]
    assert second.conflict
    assert [word.curator for word, stands in catalogue.verdict_history(attempt) if stands] == ["Aoi", "Ren"]
    (entry,) = catalogue.queue(CONFLICTS).entries
    assert (entry.attempt_id, entry.seen, entry.conflict) == (attempt, second.id, True)
    settled = catalogue.give_verdict(attempt, "Kei", APPROVED, seen=entry.seen)
    assert (settled.between, settled.conflict) == ((), False)
    assert catalogue.queue(CONFLICTS).entries == ()


def test_whoever_overrules_what_they_have_seen_makes_no_conflict(catalogue: Catalogue, sample: "Sample") -> None:
    (attempt,) = sample.entries(catalogue, 1)
    first = catalogue.give_verdict(attempt, "Aoi", APPROVED)
    assert catalogue.give_verdict(attempt, "Ren", WITHHELD, seen=first.id) == GivenVerdict(first.id + 1, attempt)
    assert catalogue.queue(CONFLICTS).entries == ()


def test_of_two_curators_at_once_one_is_told_and_nothing_is_lost(settings: CatalogueSettings, sample: "Sample") -> None:
    with sample.both(settings) as both:
        attempts = sample.entries(both[0], 4)
        start = Barrier(2)
        given: list[GivenVerdict] = []

        def judge(catalogue: Catalogue, curator: str, judgement: Judgement) -> None:
            start.wait()
            given.extend(catalogue.give_verdict(attempt, curator, judgement) for attempt in attempts)

        words = [(both[0], "Aoi", APPROVED), (both[1], "Ren", BLEEDING)]
        threads = [Thread(target=judge, args=each) for each in words]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted((each.attempt_id, len(each.between)) for each in given) == [
            (attempt, told) for attempt in attempts for told in (0, 1)
        ]
        assert [entry.attempt_id for entry in both[0].queue(CONFLICTS).entries] == attempts


def test_an_undo_is_a_further_row_and_the_word_below_stands_again(catalogue: Catalogue, sample: "Sample") -> None:
    (attempt,) = sample.entries(catalogue, 1)
    first = catalogue.give_verdict(attempt, "Aoi", APPROVED)
    second = catalogue.give_verdict(attempt, "Aoi", WITHHELD, seen=first.id)
    undone = catalogue.undo_verdict("Aoi")
    assert undone is not None
    assert (undone.verdict, undone.attempt_ids, undone.bulk) == (Verdict.WITHHELD, (attempt,), None)
    assert catalogue.verdicts([attempt])[attempt].id == first.id
    assert [(word.id, stands) for word, stands in catalogue.verdict_history(attempt)] == [
        (first.id, True),
        (second.id, False),
    ]
    assert catalogue.status()["verdicts"] == {"approved": 1, "returned": 0, "withheld": 0}
    assert _waiting(catalogue) == []
    catalogue.undo_verdict("Aoi")
    assert (catalogue.verdicts([attempt]), _waiting(catalogue)) == ({}, [attempt])
    assert catalogue.undo_verdict("Aoi") is None
    assert catalogue.undo_verdict("Ren") is None


def test_what_was_undone_stays_in_the_history(catalogue: Catalogue, sample: "Sample") -> None:
    (attempt,) = sample.entries(catalogue, 1)
    catalogue.give_verdict(attempt, "Aoi", APPROVED)
    catalogue.undo_verdict("Aoi")
    for attack in ("UPDATE undone_verdicts SET curator = 'Ren'", "DELETE FROM undone_verdicts"):
        with (
            pytest.raises(DatabaseError, match="verdicts are never"),
            writing(catalogue.engine).begin() as connection,
        ):
            connection.execute(text(attack))


@pytest.mark.long
def test_fifty_steps_can_be_taken_back_and_no_more(catalogue: Catalogue, sample: "Sample") -> None:
    (attempt,) = sample.entries(catalogue, 1)
    seen = None
    for _ in range(UNDO_DEPTH + 2):
        seen = catalogue.give_verdict(attempt, "Aoi", APPROVED, seen=seen).id
    undone = 0
    while catalogue.undo_verdict("Aoi"):
        undone += 1
    assert undone == UNDO_DEPTH == 50


def test_a_bulk_is_given_and_taken_back_in_one_step(catalogue: Catalogue, sample: "Sample") -> None:
    attempts = sample.entries(catalogue, 4)
    single = catalogue.give_verdict(attempts[3], "Aoi", WITHHELD)
    catalogue.give_verdict(attempts[1], "Ren", BLEEDING)
    given = catalogue.give_verdicts(dict.fromkeys(attempts[:3]), "Aoi", APPROVED)
    assert [each.attempt_id for each in given.given] == [attempts[0], attempts[2]]  # Ren has spoken on the other
    assert (given.left_out, given.conflicts) == (1, 0)
    assert _waiting(catalogue) == []
    undone = catalogue.undo_verdict("Aoi")
    assert undone is not None
    assert (sorted(undone.attempt_ids), undone.bulk) == ([attempts[0], attempts[2]], given.bulk)
    assert _waiting(catalogue) == [attempts[0], attempts[2]]
    assert catalogue.verdicts(attempts)[attempts[3]].id == single.id


def test_a_bulk_with_an_unknown_entry_gives_nothing(catalogue: Catalogue, sample: "Sample") -> None:
    attempts = sample.entries(catalogue, 2)
    with pytest.raises(UnknownEntry, match="no attempt 999"):
        catalogue.give_verdicts(dict.fromkeys([*attempts, 999]), "Aoi", APPROVED)
    assert _waiting(catalogue) == attempts


def test_a_form_that_comes_twice_adds_nothing_and_the_word_that_stands_is_told(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    (attempt,) = sample.entries(catalogue, 1)
    first = catalogue.give_verdict(attempt, "Aoi", APPROVED)
    assert catalogue.give_verdict(attempt, "Aoi", WITHHELD) == GivenVerdict(first.id, attempt, already=True)
    assert len(catalogue.verdict_history(attempt)) == 1
    assert not catalogue.give_verdict(attempt, "Aoi", WITHHELD, seen=first.id).already


def test_a_bulk_that_comes_from_two_at_once_counts_once_on_each_entry(
    settings: CatalogueSettings, sample: "Sample"
) -> None:
    with sample.both(settings) as both:
        attempts = sample.entries(both[0], 3)
        start = Barrier(2)
        given: list[int] = []

        def judge(catalogue: Catalogue, curator: str) -> None:
            start.wait()
            step = catalogue.give_verdicts(dict.fromkeys(attempts), curator, APPROVED)
            given.extend((len(step.given), step.left_out))

        threads = [Thread(target=judge, args=each) for each in zip(both, ("Aoi", "Ren"), strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(given) == [0, 0, 3, 3]


@pytest.mark.long
def test_a_bulk_leaves_out_what_another_has_open_and_counts_the_conflicts_of_blind_pairs(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    attempts = sample.entries(catalogue, 3)
    catalogue.take_lease(attempts[0], "Ren")
    catalogue.give_verdict(attempts[1], "Ren", BLEEDING, blind_share=1.0)
    given = catalogue.give_verdicts(dict.fromkeys(attempts), "Aoi", APPROVED, blind_share=1.0)
    assert [each.attempt_id for each in given.given] == attempts[1:]
    assert (given.left_out, given.conflicts) == (1, 1)


def test_the_blind_share_is_drawn_alike_everywhere() -> None:
    drawn = [number for number in range(1, 20_001) if in_blind_share(number, 0.05)]
    assert 850 < len(drawn) < 1150
    assert not any(in_blind_share(number, 0.0) for number in range(1, 100))
    assert all(in_blind_share(number, 1.0) for number in range(1, 100))


def test_a_blind_pair_waits_for_a_second_curator_who_is_shown_nothing(catalogue: Catalogue, sample: "Sample") -> None:
    attempts = sample.entries(catalogue, 3)
    for attempt in attempts:
        catalogue.give_verdict(attempt, "Aoi", APPROVED, blind_share=1.0)
    assert _waiting(catalogue, "Aoi") == []
    assert _waiting(catalogue, "Ren") == attempts
    entry = catalogue.queue_entry(attempts[0])
    assert (entry.verdict, entry.seen) == (None, None)
    assert catalogue.facets(QueueFilter(queue=Queue.ALL)).values["curator"] == ()
    assert (catalogue.agreement().alpha, catalogue.agreement().pairs) == (None, 0)
    for attempt, word in zip(attempts, (APPROVED, BLEEDING, APPROVED), strict=True):
        told = catalogue.give_verdict(attempt, "Ren", word, blind_share=1.0)
        assert (told.between, told.conflict) == ((), False)
    assert _waiting(catalogue, "Kei") == []
    assert [each.attempt_id for each in catalogue.queue(CONFLICTS).entries] == [attempts[1]]
    agreement = catalogue.agreement()
    assert agreement.pairs == 3
    assert agreement.alpha == pytest.approx(0.0)
    assert agreement.words[attempts[1]] == {"Aoi": Verdict.APPROVED, "Ren": Verdict.RETURNED}


def test_verdicts_faster_than_a_look_are_counted(catalogue: Catalogue, sample: "Sample") -> None:
    attempts = sample.entries(catalogue, 3)
    for attempt, looked_s in zip(attempts, (0.4, 5.0, None), strict=True):
        catalogue.give_verdict(attempt, "Aoi", Judgement(Verdict.APPROVED, looked_s=looked_s))
    seen = {attempt: catalogue.queue_entry(attempt).seen for attempt in attempts}
    assert len(catalogue.give_verdicts(seen, "Ren", Judgement(Verdict.APPROVED, looked_s=0.1)).given) == 3
    assert catalogue.rubber_stamps(1.0) == {"Aoi": Stamps(fast=1, measured=2)}
