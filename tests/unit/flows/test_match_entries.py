"""What a choice becomes in the catalogue: the match, its candidates, or a reason why there is none."""

from db.entries.night import MatchOutcome
from flows.match import MatchedWith, match_entries, matched_with
from flows.matching.choosing import Unmatched
from flows.matching.rule import Scored

LAID = {"inliers": 40, "correlation": 0.5}
"""What the drawings said of a style."""


def test_the_first_is_the_match_and_the_others_are_candidates_in_their_order() -> None:
    entries = match_entries([Scored(3, 0.8, reasons={"same_actor": 1}, registration=LAID), Scored(2, 0.3)])
    assert [(each.outcome, each.style_id, each.rank, each.score) for each in entries] == [
        (MatchOutcome.MATCHED, 3, 1, 0.8),
        (MatchOutcome.CANDIDATE, 2, 2, 0.3),
    ]
    assert [(each.reasons, each.registration) for each in entries] == [({"same_actor": 1}, LAID), ({}, None)]


def test_no_match_keeps_its_reason_and_how_near_the_best_came() -> None:
    (entry,) = match_entries(Unmatched("all colour pictures are of another genre", 0.04))
    assert (entry.outcome, entry.style_id, entry.score) == (MatchOutcome.NO_MATCH, None, None)
    assert entry.reasons == {"why": "all colour pictures are of another genre", "best_score": 0.04}


def test_a_match_says_in_words_of_which_kind_it_is() -> None:
    cases: list[tuple[list[Scored] | Unmatched, MatchedWith]] = [
        ([Scored(3, 0.8, registration=LAID), Scored(2, 0.5)], MatchedWith.SAME_DESIGN),
        ([Scored(3, 0.54)], MatchedWith.OTHER_DESIGN),
        (Unmatched("there are no colour pictures that may be used"), MatchedWith.NONE),
    ]
    for chosen, kind in cases:
        assert matched_with(match_entries(chosen)[0]) is kind
