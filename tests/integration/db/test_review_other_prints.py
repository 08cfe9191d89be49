"""What is offered in the place of a wrong match, and what a curator pins, on both databases."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from db.catalogue import Catalogue
from db.entries.claim import MatcherKey
from db.entries.night import ContentScope, Derivatives, MatchEntry, MatchOutcome, RecipeEntry, Tone, Verdict
from db.entries.review import Judgement, Reason
from db.errors import UnknownEntry

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from tests.samples import Sample

WRONG = Judgement(Verdict.RETURNED, Reason.WRONG_MATCH)
ALL = ContentScope(frozenset({Tone.GRAYSCALE}), {"sample": None})
NEWER = MatcherKey("newer", "1")
LAID = {"inliers": 40}
KIKUGORO, DANJURO = (("", "Onoe Kikugoro III"),), (("", "Ichikawa Danjuro VII"),)


def colour(catalogue: Catalogue, sample: "Sample", name: str, cast: tuple[tuple[str, str], ...], **said: str) -> int:
    """A colour print; its image's number."""
    return sample.store(catalogue, sample.record(name, cast=cast, **said), Tone.COLOUR)


def offered(catalogue: Catalogue, attempt: int) -> list[int]:
    """Image numbers of what is offered at an attempt."""
    return [said.image_id for said, _ in catalogue.other_prints(catalogue.attempt(attempt))]


def tried(catalogue: Catalogue, attempt: int) -> list[int]:
    """Image numbers of its styles."""
    return [each.image_id for each in catalogue.attempt(attempt).styles]


def test_prints_of_other_designs_are_offered_the_same_actors_first(catalogue: Catalogue, sample: "Sample") -> None:
    content = sample.store(catalogue, sample.record("gray", cast=KIKUGORO), Tone.GRAYSCALE)
    own = colour(catalogue, sample, "own", DANJURO, title="Shibaraku")
    again = colour(catalogue, sample, "again", DANJURO, title="SHIBARAKU")  # another archive's impression of it
    other, unlike = (colour(catalogue, sample, name, DANJURO) for name in ("other", "unlike"))
    late, near = (
        sample.store(catalogue, sample.record(f"by {year}", cast=KIKUGORO, year_from=year, year_to=year), Tone.COLOUR)
        for year in (1835, 1849)
    )
    sample.match(catalogue, content, own, again, other, unlike)
    (attempt,) = sample.night(catalogue)
    assert offered(catalogue, attempt) == [own, near, late, other, unlike]
    # what lies on an original on which the rejected print lies is of its design
    elsewhere = sample.store(catalogue, sample.record("elsewhere"), Tone.GRAYSCALE)
    laid = [MatchEntry(MatchOutcome.MATCHED, own, 1, 0.9, registration=LAID)]
    laid += [MatchEntry(MatchOutcome.CANDIDATE, unlike, 2, 0.8, registration=LAID)]
    catalogue.add_matches(elsewhere, NEWER, laid)
    assert unlike not in offered(catalogue, attempt)
    # and what was returned before stays away
    catalogue.give_verdict(attempt, "Aoi", WRONG)
    (further,) = sample.night(catalogue)
    assert tried(catalogue, further) == [again]
    catalogue.give_verdict(further, "Aoi", WRONG)
    assert offered(catalogue, further)[0] == again
    assert own not in offered(catalogue, further)


def test_what_an_encoder_sees_no_difference_in_is_one_design(catalogue: Catalogue, sample: "Sample") -> None:
    content = sample.store(catalogue, sample.record("gray", cast=()), Tone.GRAYSCALE)
    styles = [colour(catalogue, sample, f"colour {number}", ()) for number in range(14)]
    vectors = {each: sample.vector(each) for each in styles}
    vectors[styles[1]] = vectors[styles[0]] + np.float32(0.01)
    vectors[styles[3]] = vectors[styles[2]] + np.float32(0.01)
    catalogue.add_embeddings(sample.encoder, vectors)
    sample.match(catalogue, content, *styles)
    (attempt,) = sample.night(catalogue)
    found = offered(catalogue, attempt)
    assert found[:2] == [styles[0], styles[2]]
    assert {styles[1], styles[3]}.isdisjoint(found)


def test_several_prints_are_taken_together_and_no_matching_changes_that(catalogue: Catalogue, sample: "Sample") -> None:
    sample.recipe = RecipeEntry("nishiki/colour", {}, "d1g357", styles=3)
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    styles = [sample.store(catalogue, sample.record(f"colour {n}"), Tone.COLOUR) for n in range(3)]
    found_by_words = sample.store(catalogue, sample.record("found by words"), Tone.COLOUR)
    catalogue.add_embeddings(sample.encoder, {content: sample.vector(content)})
    sample.match(catalogue, content, *styles)
    (attempt,) = sample.night(catalogue)
    assert tried(catalogue, attempt) == styles
    catalogue.give_verdict(attempt, "Aoi", WRONG)
    catalogue.pin_styles(content, [found_by_words, styles[0]], "Aoi")  # one of them was wrong alone
    assert [said.image_id for said, _ in catalogue.pinned_styles(content)] == [found_by_words, styles[0]]
    (first, second) = (match for _, match in catalogue.pinned_styles(content))
    assert (first.score, first.reasons["pinned_by"], second.score) == (None, "Aoi", 0.9)
    # the next night's matching, by another matcher, leaves it as it is
    assert catalogue.contents_to_match(sample.encoder, NEWER, ALL) == []
    sample.match(catalogue, content, styles[2])
    (pinned,) = sample.night(catalogue)
    assert tried(catalogue, pinned) == [found_by_words, styles[0]]
    assert catalogue.take_batch(sample.recipe, sample.models, NEWER, limit=None) is None
    # others beside the same first print are another choice
    catalogue.pin_styles(content, [found_by_words, styles[2]], "Aoi")
    (again,) = sample.night(catalogue)
    assert tried(catalogue, again) == [found_by_words, styles[2]]
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None
    # what was wrong is left for the next one pinned
    catalogue.give_verdict(again, "Aoi", WRONG)
    (last,) = sample.night(catalogue)
    assert tried(catalogue, last) == [styles[2]]


def test_a_pin_names_what_may_be_used_and_is_taken_back(catalogue: Catalogue, sample: "Sample") -> None:
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    styles = [sample.store(catalogue, sample.record(f"colour {n}"), Tone.COLOUR) for n in range(2)]
    sample.match(catalogue, content, styles[0])
    catalogue.pin_styles(content, [styles[1], styles[1]], "Aoi")
    assert [said.image_id for said, _ in catalogue.pinned_styles(content)] == [styles[1]]
    (made,) = sample.night(catalogue)
    assert tried(catalogue, made) == [styles[1]]
    catalogue.pin(content, [])
    assert catalogue.pinned_styles(content) == []
    (by_rule,) = sample.night(catalogue)
    assert tried(catalogue, by_rule) == [styles[0]]
    catalogue.add_record(sample.archive(catalogue), sample.record("colour 1", derivatives=Derivatives.NO))
    for wrong in (styles[1], content, 10_000):
        with pytest.raises(UnknownEntry, match="not a colour picture that may be used"):
            catalogue.pin_styles(content, [styles[0], wrong], "Aoi")
    assert catalogue.pinned_styles(content) == []
