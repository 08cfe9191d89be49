"""Claims by what decides a result: models and inputs, with no style, one or several; on both databases."""

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from db.catalogue import Catalogue
from db.entries.claim import Inputs, ModelKey, StyleInput, inputs_digest, models_digest
from db.entries.night import (
    BatchEntry,
    ContentScope,
    Derivatives,
    MatchEntry,
    MatchOutcome,
    Outcome,
    PendingAttempt,
    RecipeEntry,
    Tone,
    Verdict,
)
from db.entries.review import AttemptRequest, Judgement, RequestState

if TYPE_CHECKING:
    from tests.samples import Sample

ALL = ContentScope(frozenset({Tone.GRAYSCALE}), {"sample": None})
BARE = RecipeEntry("learned", {}, "1ea2ed", styles=0)
THREE = RecipeEntry("palette", {}, "3a1e77e", styles=3)
MARKS = hashlib.sha256(b"strokes").hexdigest()


def _take(catalogue: Catalogue, sample: "Sample", recipe: RecipeEntry) -> list[PendingAttempt]:
    batch = catalogue.take_batch(recipe, sample.models, sample.matcher, ALL, limit=None)
    return [] if batch is None else catalogue.pending_attempts(batch)


def _made(catalogue: Catalogue, sample: "Sample", batch: BatchEntry | None) -> list[int]:
    assert batch is not None
    pending = [each.id for each in catalogue.pending_attempts(batch)]
    for number in pending:
        catalogue.close_attempt(batch, number, sample.succeeded(catalogue, f"output {number}"))
    catalogue.close_batch(batch)
    return pending


def test_digests_count_order_and_registration_and_not_the_names_of_weights() -> None:
    one, two = StyleInput("1" * 64), StyleInput("2" * 64)
    several = [
        Inputs(), Inputs((one,)), Inputs((one, two)), Inputs((two, one)), Inputs((one,), MARKS),
        Inputs((one,), None, MARKS), Inputs((replace(one, registration={"scale": 1.5}),)),
    ]  # fmt: skip
    assert len({inputs_digest(each) for each in several}) == len(several)
    assert [Inputs.from_data(each.data()) for each in several] == several
    encoder, prior = ModelKey("encoder", "a", "1"), ModelKey("prior", "b", "2")
    assert models_digest([encoder, prior]) == models_digest([prior, replace(encoder, name="another name")])
    assert models_digest([encoder]) != models_digest([replace(encoder, role="prior")])
    assert inputs_digest(Inputs()) == "769e29346de12c3a9257df57e5e5cd98f4bd50d9390f71be3e9a017ddcb37782"


def test_a_retrained_model_makes_everything_due_again(catalogue: Catalogue, sample: "Sample") -> None:
    sample.pairs(catalogue, 2)
    sample.night(catalogue)
    assert _take(catalogue, sample, sample.recipe) == []
    retrained = (*sample.models, ModelKey("prior", "colours", "0ld"))
    assert catalogue.take_batch(sample.recipe, retrained, sample.matcher, limit=1) is not None
    again = (*sample.models, ModelKey("prior", "colours", "new"))
    batch = catalogue.take_batch(sample.recipe, again, sample.matcher, limit=None)
    assert batch is not None
    assert (batch.taken, batch.encoder) == (2, sample.encoder)
    assert set(batch.models) == set(again)


def test_other_parameters_make_everything_due_again_but_what_was_approved(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    approved, other = sample.entries(catalogue, 2)
    catalogue.give_verdict(approved, "Aoi", Judgement(Verdict.APPROVED))
    (pending,) = _take(catalogue, sample, replace(sample.recipe, digest="another", styles=5))
    assert pending.content.id == catalogue.attempt(other).content.image_id


def test_a_recipe_without_style_takes_contents_of_the_scope_once(catalogue: Catalogue, sample: "Sample") -> None:
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    sample.store(catalogue, sample.record("colour"), Tone.COLOUR)
    sample.store(catalogue, sample.record("kept back", derivatives=Derivatives.NO), Tone.GRAYSCALE)
    assert catalogue.take_batch(BARE, sample.models, sample.matcher, limit=None) is None
    (pending,) = _take(catalogue, sample, BARE)
    assert (pending.content.id, pending.styles, pending.match_id, pending.inputs) == (content, (), None, Inputs())
    assert _take(catalogue, sample, BARE) == []


def test_what_was_made_without_style_is_shown_told_and_queued(catalogue: Catalogue, sample: "Sample") -> None:
    sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    batch = catalogue.take_batch(BARE, sample.models, sample.matcher, ALL, limit=None)
    (made,) = _made(catalogue, sample, batch)
    attempt = catalogue.attempt(made)
    assert (attempt.style, attempt.styles, attempt.match_id, attempt.score, attempt.reasons) == (
        None,
        (),
        None,
        None,
        {},
    )
    entry = catalogue.queue_entry(made)
    assert (entry.style_sha256, entry.content.identifier) == (None, "gray")
    assert [each.styles for each in catalogue.pictures_shown()] == [()]
    assert [each.style for each in catalogue.attempts_of_content(made)] == [None]
    assert catalogue.rank_of_match(made) == (None, 0)
    assert catalogue.candidates(made) == []
    assert catalogue.tried_styles(made) == set()


@pytest.mark.long
def test_a_recipe_of_several_styles_takes_the_next_ranked_ones_too(catalogue: Catalogue, sample: "Sample") -> None:
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    styles = [sample.store(catalogue, sample.record(f"colour {n}"), Tone.COLOUR) for n in range(5)]
    few = sample.store(catalogue, sample.record("few"), Tone.GRAYSCALE)
    sample.match(catalogue, content, *styles)
    sample.match(catalogue, few, *styles[:2])
    catalogue.add_record(sample.archive(catalogue), sample.record("colour 1", derivatives=Derivatives.NO))
    batch = catalogue.take_batch(THREE, sample.models, sample.matcher, limit=1)
    assert batch is not None
    (pending,) = catalogue.pending_attempts(batch)
    assert [each.id for each in pending.styles] == [styles[0], styles[2], styles[3]]
    assert pending.style_identifiers == ("colour 0", "colour 2", "colour 3")
    assert pending.inputs == Inputs(tuple(StyleInput(each.sha256) for each in pending.styles))
    (made,) = _made(catalogue, sample, batch)
    assert [said.image_id for said in catalogue.attempt(made).styles] == [styles[0], styles[2], styles[3]]
    assert catalogue.queue_entry(made).style_sha256 == pending.styles[0].sha256
    (fewer,) = _take(catalogue, sample, THREE)
    assert ([each.id for each in fewer.styles], fewer.content.id) == ([styles[0]], few), "what is there is taken"


def test_further_candidates_do_not_have_a_match_made_anew(catalogue: Catalogue, sample: "Sample") -> None:
    content, first, second = (
        sample.store(catalogue, sample.record(name), tone)
        for name, tone in (("gray", Tone.GRAYSCALE), ("colour", Tone.COLOUR), ("another", Tone.COLOUR))
    )
    sample.match(catalogue, content, first, second)
    withdrawn = sample.record("another", derivatives=Derivatives.NO)
    catalogue.add_record(sample.archive(catalogue), withdrawn)
    (made,) = _made(catalogue, sample, catalogue.take_batch(THREE, sample.models, sample.matcher, limit=None))
    assert [said.image_id for said in catalogue.attempt(made).styles] == [first]
    catalogue.add_record(sample.archive(catalogue), sample.record("another"))
    assert _take(catalogue, sample, THREE) == []


@pytest.mark.parametrize(("marks", "taken"), [(MARKS, [0, 1, 2]), (None, [3])])
def test_marks_are_laid_on_the_same_styles_and_another_style_is_taken_alone(
    catalogue: Catalogue, sample: "Sample", marks: str | None, taken: list[int]
) -> None:
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    styles = [sample.store(catalogue, sample.record(f"colour {n}"), Tone.COLOUR) for n in range(4)]
    sample.match(catalogue, content, *styles[:3])
    (made,) = _made(catalogue, sample, catalogue.take_batch(THREE, sample.models, sample.matcher, limit=None))
    asked = AttemptRequest(marks_sha256=marks, style_id=None if marks else styles[3], recipe=THREE.name)
    catalogue.add_request(made, "Aoi", asked)
    (pending,) = _take(catalogue, sample, THREE)
    assert ([each.id for each in pending.styles], pending.inputs.marks_sha256) == ([styles[n] for n in taken], marks)


def test_an_attempt_is_dropped_when_any_of_its_styles_may_no_longer_be_used(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    sample.match(
        catalogue, content, *(sample.store(catalogue, sample.record(f"colour {n}"), Tone.COLOUR) for n in range(3))
    )
    batch = catalogue.take_batch(THREE, sample.models, sample.matcher, limit=None)
    assert batch is not None
    catalogue.release_batch(batch)
    catalogue.add_record(sample.archive(catalogue), sample.record("colour 2", derivatives=Derivatives.NO))
    taken = catalogue.join(batch.id)
    assert taken is not None
    assert (taken.left, catalogue.pending_attempts(taken)) == (0, [])


@pytest.mark.parametrize("styles", [1, 3])
def test_another_registration_is_another_input(catalogue: Catalogue, sample: "Sample", styles: int) -> None:
    recipe = replace(sample.recipe, styles=styles)
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    style = sample.store(catalogue, sample.record("colour"), Tone.COLOUR)
    other = sample.store(catalogue, sample.record("another"), Tone.COLOUR)
    sample.match(catalogue, content, style, other)
    _made(catalogue, sample, catalogue.take_batch(recipe, sample.models, sample.matcher, limit=None))
    assert _take(catalogue, sample, recipe) == []
    registered = replace(sample.matcher, version="2")
    same_design = MatchEntry(MatchOutcome.MATCHED, style, 1, 0.9, {"why": "same design"}, {"shift": [3, -1]})
    catalogue.add_matches(content, registered, [same_design, MatchEntry(MatchOutcome.CANDIDATE, other, 2, 0.5)])
    batch = catalogue.take_batch(recipe, sample.models, registered, limit=None)
    assert batch is not None
    (pending,) = catalogue.pending_attempts(batch)
    assert [each.registration for each in pending.inputs.styles] == [{"shift": [3, -1]}], "and no further style"
    assert catalogue.candidates(pending.id)[0][1].registration == {"shift": [3, -1]}


def test_matches_of_two_matchers_stand_side_by_side_and_the_same_pair_is_made_once(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    ((content, style),) = sample.pairs(catalogue, 1)
    sample.night(catalogue)
    other = replace(sample.matcher, name="geometry")
    catalogue.add_matches(content, other, [MatchEntry(MatchOutcome.MATCHED, style, 1, 0.5)])
    assert catalogue.status()["matches"]["matched"] == 2
    assert catalogue.take_batch(sample.recipe, sample.models, other, limit=None) is None


@pytest.mark.parametrize("recipe", ["learned", ""])
def test_marks_for_a_recipe_without_style_are_made_and_another_style_waits(
    catalogue: Catalogue, sample: "Sample", recipe: str
) -> None:
    attempt = sample.entry(catalogue, sample.record("gray"))
    other = sample.store(catalogue, sample.record("another"), Tone.COLOUR)
    asked = AttemptRequest(marks_sha256=MARKS, recipe=recipe) if recipe else AttemptRequest(style_id=other)
    catalogue.add_request(attempt, "Aoi", asked)
    batch = catalogue.take_batch(BARE, sample.models, sample.matcher, limit=None)
    assert (batch is not None) == bool(recipe)
    if batch:
        (pending,) = catalogue.pending_attempts(batch)
        assert (pending.inputs, pending.match_id) == (Inputs(marks_sha256=MARKS), None)
        _made(catalogue, sample, batch)
    state = RequestState.MADE if recipe else RequestState.WAITING
    assert [each.state for each in catalogue.requests(attempt)] == [state]


def test_marks_on_what_has_no_style_are_asked_for_without_one_and_made_with_the_match(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    (made,) = _made(catalogue, sample, catalogue.take_batch(BARE, sample.models, sample.matcher, ALL, limit=None))
    request = catalogue.add_request(made, "Aoi", AttemptRequest(marks_sha256=MARKS, recipe=sample.recipe.name))
    assert request.style_id is None
    assert catalogue.take_requests(sample.recipe, sample.models, sample.matcher, limit=None) is None
    style = sample.store(catalogue, sample.record("colour"), Tone.COLOUR)
    sample.match(catalogue, content, style)
    batch = catalogue.take_requests(sample.recipe, sample.models, sample.matcher, limit=None)
    assert batch is not None
    (pending,) = catalogue.pending_attempts(batch)
    assert ([each.id for each in pending.styles], pending.inputs.marks_sha256) == ([style], MARKS)
    _made(catalogue, sample, batch)
    assert [each.state for each in catalogue.requests(made)] == [RequestState.MADE]


def test_a_failure_for_now_has_a_further_try_with_the_same_inputs_only(catalogue: Catalogue, sample: "Sample") -> None:
    sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    for number in (1, 2, 3):
        batch = catalogue.take_batch(BARE, sample.models, sample.matcher, ALL, limit=None)
        assert batch is not None
        (pending,) = catalogue.pending_attempts(batch)
        assert pending.number == number
        failed = replace(sample.succeeded(catalogue), outcome=Outcome.FAILED, output=None, transient=True)
        catalogue.close_attempt(batch, pending.id, failed)
        catalogue.close_batch(batch)
    assert _take(catalogue, sample, BARE) == []
