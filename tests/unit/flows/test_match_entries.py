"""What a ranking becomes in the catalogue: the match, its candidates, or a reason why there is none."""

from dataclasses import replace

import pytest

from colorize.matching.embedding import LAYER
from colorize.matching.geometry import SameDesign
from colorize.matching.ranking import Ranked
from db.entries.night import Description, MatchOutcome
from flows.match import MatchedWith, genre_numbers, match_entries, match_reasons, matched_with, own_design_first


def description(image_id: int) -> Description:
    """An image of which only the number is known."""
    return Description(image_id, f"{image_id:064}", "theatre", f"print-{image_id}", "", (), (), None, None, "", "",
                       None, None)  # fmt: skip


SAID = {number: description(number) for number in range(1, 6)}
RANKED = [Ranked(3, 0.9), Ranked(2, 0.5), Ranked(4, 0.2)]


def test_the_best_is_the_match_and_the_others_above_the_floor_are_candidates_in_their_order() -> None:
    entries = match_entries(SAID, 1, RANKED, 0.4)
    assert [(each.outcome, each.style_id, each.rank, each.score) for each in entries] == [
        (MatchOutcome.MATCHED, 3, 1, 0.9),
        (MatchOutcome.CANDIDATE, 2, 2, 0.5),
    ]


def test_a_score_on_the_floor_is_enough() -> None:
    assert match_entries(SAID, 1, RANKED, 0.9)[0].outcome is MatchOutcome.MATCHED


def test_a_best_score_under_the_floor_is_no_match_and_says_how_near_it_came() -> None:
    (entry,) = match_entries(SAID, 1, RANKED, 0.95)
    assert (entry.outcome, entry.style_id, entry.score) == (MatchOutcome.NO_MATCH, None, None)
    assert entry.reasons == {"why": "the best score is under the floor", "best_score": 0.9, "floor": 0.95}


def test_without_any_colour_picture_there_is_no_match_and_the_reason_says_so() -> None:
    (entry,) = match_entries(SAID, 1, [], 0.0)
    assert entry.outcome is MatchOutcome.NO_MATCH
    assert entry.reasons["why"] == "there are no colour pictures that may be used"
    assert entry.reasons["best_score"] is None


def test_reasons_name_the_layer_the_cosine_and_what_the_records_share() -> None:
    content = replace(
        SAID[1],
        artists=("国芳", "豊国"),
        cast=(("由良之助", "団十郎"), ("", "菊五郎"), ("平右衛門", "")),
        year_from=1851,
    )
    style = replace(
        SAID[2], artists=("豊国", "国貞"), cast=(("由良之助", "菊五郎"), ("平右衛門", ""), ("", "")), year_from=1847
    )
    assert match_reasons(content, style, Ranked(2, 0.123456)) == {
        "layer": LAYER,
        "cosine": 0.1235,
        "same_design": False,
        "shared_artists": ["豊国"],
        "shared_actors": ["菊五郎"],
        "shared_roles": ["平右衛門", "由良之助"],
        "years_apart": 4,
    }


def test_what_is_not_known_of_both_is_no_reason() -> None:
    content = replace(SAID[1], artists=("国芳",), cast=(("", ""),), year_from=1851)
    style = replace(SAID[2], cast=(("", ""),))
    assert match_reasons(content, style, Ranked(2, 0.5)) == {"layer": LAYER, "cosine": 0.5, "same_design": False}


def test_a_match_says_in_words_of_which_kind_it_is() -> None:
    landscape = {**SAID, 5: replace(SAID[5], genre="名所絵")}
    for ranked, kind in [
        ([Ranked(3, 0.66), Ranked(2, 0.54)], MatchedWith.SAME_DESIGN),
        ([Ranked(3, 0.54)], MatchedWith.OTHER_DESIGN),
        ([Ranked(5, 0.4, other_genre=True)], MatchedWith.OTHER_GENRE),
        ([], MatchedWith.NONE),
    ]:
        entries = match_entries(landscape, 1, ranked, -1)
        assert matched_with(entries[0]) is kind
    assert match_reasons(SAID[1], landscape[5], Ranked(5, 0.4, other_genre=True))["other_genre"] == "名所絵"


def test_genres_are_told_by_name_or_by_an_actor_and_else_unknown() -> None:
    said = {
        1: ("役者絵", False),
        2: (None, True),
        3: ("名所絵", False),
        4: (None, False),
        5: ("Ｍｅｉｓｈｏ", True),
        6: ("meisho ", False),
    }
    numbers = genre_numbers(said, ["役者絵", "Actor prints"])
    assert numbers[1] == numbers[2] == 1
    assert 4 not in numbers
    assert numbers[5] == numbers[6]
    assert len({numbers[1], numbers[3], numbers[5]}) == 3


LAID = SameDesign(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), 40, 20, 0.5)
"""What the drawings said of a style."""


def test_what_the_drawings_show_to_be_of_the_same_design_comes_first_and_keeps_how_it_lies_on_the_content() -> None:
    ranked = own_design_first([Ranked(3, 0.5), Ranked(2, 0.2), Ranked(4, 0.1, other_genre=True)], (4, LAID))
    assert [(each.id, each.other_genre) for each in ranked] == [(4, False), (3, False), (2, False)]
    first, second = match_entries(SAID, 1, ranked, 0.4, (4, LAID))
    assert (first.style_id, first.registration, second.registration) == (4, LAID.data(), None)
    assert first.score == pytest.approx(0.8)
    assert matched_with(first) is MatchedWith.SAME_DESIGN
    assert (first.reasons["cosine"], first.reasons["inliers"], first.reasons["drawings_correlation"]) == (0.1, 40, 0.5)


def test_without_such_a_style_the_ranking_stays_as_it_is() -> None:
    assert own_design_first(RANKED, None) == RANKED
