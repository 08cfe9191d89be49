"""What is learned from verdicts, in the catalogue: which matches tell something, and refits as they were kept."""

from dataclasses import replace
from typing import TYPE_CHECKING

from db.catalogue import Catalogue
from db.entries.match import JudgedMatch, RefitEntry, RefitWord
from db.entries.night import MatchEntry, MatchOutcome, Tone, Verdict
from db.entries.review import AttemptRequest, Judgement, Reason

if TYPE_CHECKING:
    from tests.samples import Sample

REFIT = RefitEntry({"actor": 0.1}, {"actor": 0.1}, {"actor": 0.2}, 60, 30, 0.6, 0.5, RefitWord.BETTER)


def _attempt(catalogue: Catalogue, sample: "Sample", number: int, entry: MatchEntry) -> int:
    content = sample.store(catalogue, sample.record(f"gray {number}"), Tone.GRAYSCALE)
    style = sample.store(catalogue, sample.record(f"colour {number}"), Tone.COLOUR)
    catalogue.add_matches(content, sample.matcher, [replace(entry, style_id=style)])
    return sample.night(catalogue)[0]


def test_standing_verdicts_on_weighed_matches_of_other_designs_tell_something(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    weighed = MatchEntry(MatchOutcome.MATCHED, None, 1, 0.4, {"values": {"actor": 1.0}})
    laid = replace(weighed, registration={"homography": [], "inliers": 20, "cells": 5, "correlation": 0.5})
    attempts = [
        _attempt(catalogue, sample, number, entry)
        for number, entry in enumerate([weighed, weighed, laid, replace(weighed, reasons={}), weighed])
    ]
    approved, wrong = Judgement(Verdict.APPROVED), Judgement(Verdict.RETURNED, Reason.WRONG_MATCH)
    catalogue.give_verdict(attempts[0], "Aoi", approved)
    for attempt in attempts[1:4]:
        catalogue.give_verdict(attempt, "Aoi", wrong)
    told = {(each.verdict, each.reason, each.values["actor"]) for each in catalogue.judged_matches()}
    assert told == {(Verdict.APPROVED, "", 1.0), (Verdict.RETURNED, "wrong match", 1.0)}
    assert len(catalogue.judged_matches()) == 2
    style = sample.store(catalogue, sample.record("asked for"), Tone.COLOUR)
    catalogue.add_request(attempts[4], "Aoi", AttemptRequest(style_id=style))
    (asked,) = sample.night(catalogue)
    catalogue.give_verdict(asked, "Aoi", approved)
    assert len(catalogue.judged_matches()) == 2
    assert all(isinstance(each, JudgedMatch) for each in catalogue.judged_matches())


def test_a_word_taken_back_and_a_first_blind_one_tell_nothing(catalogue: Catalogue, sample: "Sample") -> None:
    weighed = MatchEntry(MatchOutcome.MATCHED, None, 1, 0.4, {"values": {"actor": 1.0}})
    undone, blind = (_attempt(catalogue, sample, number, weighed) for number in range(2))
    approved = Judgement(Verdict.APPROVED)
    catalogue.give_verdict(undone, "Aoi", approved)
    assert len(catalogue.judged_matches()) == 1
    catalogue.undo_verdict("Aoi")
    catalogue.give_verdict(blind, "Aoi", approved, blind_share=1.0)
    assert catalogue.judged_matches() == []
    catalogue.give_verdict(blind, "Ren", approved, blind_share=1.0)
    assert len(catalogue.judged_matches()) == 1


def test_refits_come_back_newest_first_and_those_of_other_settings_apart(catalogue: Catalogue) -> None:
    assert catalogue.refits() == []
    other = replace(REFIT, base={"actor": 0.9}, why=RefitWord.NO_BETTER)
    for each in (REFIT, other):
        catalogue.add_refit(each)
    newest, oldest = catalogue.refits()
    assert (newest.id, oldest.id) == (2, 1)
    assert newest.made_at is not None
    assert replace(newest, id=0, made_at=None) == other
    assert [each.id for each in catalogue.refits({"actor": 0.1})] == [1]
    for _ in range(50):
        catalogue.add_refit(other)
    assert [each.id for each in catalogue.refits({"actor": 0.1})] == [1]


def test_what_a_curator_pinned_tells_nothing_of_the_rule(catalogue: Catalogue, sample: "Sample") -> None:
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    style = sample.store(catalogue, sample.record("colour"), Tone.COLOUR)
    catalogue.pin(content, [MatchEntry(MatchOutcome.MATCHED, style, 1, 0.4, {"values": {"actor": 1.0}})])
    (attempt,) = sample.night(catalogue)
    catalogue.give_verdict(attempt, "Aoi", Judgement(Verdict.APPROVED))
    assert catalogue.judged_matches() == []
