"""Faults that curators mark: one curator's apart from another's, found by the queue's filter, counted by recipe."""

import pytest

from db.catalogue import Catalogue
from db.entries.faults import Box, Fault, FaultKind
from db.entries.night import Verdict
from db.entries.review import Judgement, Queue, QueueFilter
from db.errors import UnknownEntry
from db.exports.attempts import rows
from tests.samples import Sample

FACE = Fault(FaultKind.FACE, Box(0.25, 0.1, 0.2, 0.125))
PAPER = Fault(FaultKind.PAPER)


def test_what_is_marked_stands_in_place_of_what_was(catalogue: Catalogue, sample: Sample) -> None:
    one, two = sample.entries(catalogue, 2)
    catalogue.mark_faults(one, "Sumire", [FACE, PAPER, FACE])
    (face, _) = catalogue.faults([one, two])[one]
    catalogue.mark_faults(one, "Aoi", [PAPER])
    catalogue.mark_faults(one, "Sumire", [FACE])
    standing = catalogue.faults([one, two])
    assert [(each.curator, each.fault) for each in standing[one]] == [("Sumire", FACE), ("Aoi", PAPER)]
    assert standing[one][0] == face, "what stays is not written again"
    assert two not in standing


def test_faults_are_counted_by_results_of_a_recipe(catalogue: Catalogue, sample: Sample) -> None:
    one, two = sample.entries(catalogue, 2)
    for curator in ("Sumire", "Aoi"):
        catalogue.mark_faults(one, curator, [FACE])
    catalogue.mark_faults(two, "Aoi", [FACE, PAPER])
    catalogue.mark_faults(two, "Aoi", [FACE])
    assert catalogue.fault_counts() == {catalogue.queue_entry(one).recipe: {FaultKind.FACE: 2}}


def test_the_queue_is_narrowed_by_a_fault_that_is_no_secret(catalogue: Catalogue, sample: Sample) -> None:
    one, _ = sample.entries(catalogue, 2)
    catalogue.mark_faults(one, "Sumire", [FACE])
    faces = QueueFilter(queue=Queue.ALL, fault=FaultKind.FACE)
    assert catalogue.queue_numbers(faces, 9) == [one]
    assert catalogue.queue_numbers(QueueFilter(queue=Queue.ALL, fault=FaultKind.PAPER), 9) == []
    catalogue.give_verdict(one, "Sumire", Judgement(Verdict.APPROVED), blind_share=1)
    assert catalogue.queue_numbers(faces, 9) == [], "a second curator has yet to judge"
    assert not catalogue.faults([one])
    assert not catalogue.fault_counts()
    assert catalogue.faults([one], secret=True)[one]


def test_faults_leave_with_the_attempts(catalogue: Catalogue, sample: Sample) -> None:
    one, _ = sample.entries(catalogue, 2)
    catalogue.mark_faults(one, "Sumire", [FACE, PAPER])
    found = {row["attempt"]: row["faults"] for row in rows(catalogue)}
    box = {"left": 0.25, "top": 0.1, "width": 0.2, "height": 0.125}
    assert found[one] == [
        {"kind": "face", "box": box, "curator": "Sumire"}, {"kind": "paper tone", "box": None, "curator": "Sumire"},
    ]  # fmt: skip


def test_a_box_lies_within_the_picture() -> None:
    assert Box(0.5, 0.5, 0.5, 0.5).width == 0.5
    for sides in ((-0.1, 0, 0.5, 0.5), (0.6, 0, 0.5, 0.5), (0, 0.6, 0.5, 0.5), (0, 0, 0, 0.5), (0, 0, float("nan"), 1)):
        with pytest.raises(ValueError, match="the box"):
            Box(*sides)


def test_there_must_be_a_result(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownEntry):
        catalogue.mark_faults(7, "Sumire", [FACE])
