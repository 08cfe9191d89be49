"""What curators ask of the next night, on both databases: the next candidate, another style, marks."""

import hashlib
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from db.catalogue import Catalogue
from db.doctor import Damage, examine
from db.entries.night import Derivatives, EncoderKey, Outcome, RecipeEntry, Tone, Verdict
from db.entries.review import AttemptRequest, Judgement, Reason, RequestState
from db.errors import TriedAlready, UnknownEntry
from db.settings import CatalogueSettings

if TYPE_CHECKING:
    from tests.samples import Sample

WRONG = Judgement(Verdict.RETURNED, Reason.WRONG_MATCH)
LEVIN = RecipeEntry("levin2004", {}, "1e71n")
MARKS = hashlib.sha256(b"strokes").hexdigest()


def _ranked(catalogue: Catalogue, sample: "Sample") -> tuple[int, list[int]]:
    """A content with three ranked styles, of which the night has tried the first: its attempt, the styles."""
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    styles = [sample.store(catalogue, sample.record(f"colour {n}"), Tone.COLOUR) for n in range(3)]
    sample.match(catalogue, content, *styles)
    return sample.night(catalogue)[0], styles


def _tried(catalogue: Catalogue, attempt: int) -> int:
    return catalogue.attempt(attempt).styles[0].image_id


@pytest.mark.long
def test_a_wrong_match_sends_the_next_candidate_into_the_next_night(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    assert _tried(catalogue, attempt) == styles[0]
    for style in styles[1:]:
        assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None
        catalogue.give_verdict(attempt, "Aoi", WRONG)
        (attempt,) = sample.night(catalogue)
        assert _tried(catalogue, attempt) == style
    catalogue.give_verdict(attempt, "Aoi", WRONG)
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None


@pytest.mark.long
def test_other_returns_wait_for_a_person_and_an_undone_one_sends_nothing(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    attempt, _ = _ranked(catalogue, sample)
    catalogue.give_verdict(attempt, "Aoi", WRONG)
    catalogue.undo_verdict("Aoi")
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None
    catalogue.give_verdict(attempt, "Aoi", Judgement(Verdict.RETURNED, Reason.INK_COLOURED))
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None


def test_a_candidate_that_may_no_longer_be_used_is_passed_over(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    catalogue.give_verdict(attempt, "Aoi", WRONG)
    catalogue.add_record(sample.archive(catalogue), sample.record("colour 1", derivatives=Derivatives.NO))
    (further,) = sample.night(catalogue)
    assert _tried(catalogue, further) == styles[2]


def test_a_wrong_match_is_not_tried_with_another_recipe(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    catalogue.give_verdict(attempt, "Aoi", WRONG)
    sample.recipe = RecipeEntry("another", {}, "a1b2")
    (further,) = sample.night(catalogue)
    assert _tried(catalogue, further) == styles[1]


def test_a_wrong_match_is_not_tried_with_another_encoder(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    catalogue.give_verdict(attempt, "Aoi", WRONG)
    sample.encoder = EncoderKey("another", "f00d")
    sample.match(catalogue, catalogue.attempt(attempt).content.image_id, styles[0], styles[2])
    (further,) = sample.night(catalogue)
    assert _tried(catalogue, further) == styles[2]


@pytest.mark.long
def test_a_request_that_was_made_is_not_made_again_by_a_changed_recipe(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=styles[2]))
    (made,) = sample.night(catalogue)
    sample.recipe = replace(sample.recipe, digest="d1ff")
    (again,) = sample.night(catalogue)
    assert _tried(catalogue, again) == styles[0]  # the chosen match, and nothing else
    assert [each.made for each in catalogue.requests(attempt)] == [made]


@pytest.mark.long
def test_what_was_tried_is_requested_again_when_its_recipe_has_changed(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=styles[2]))
    (made,) = sample.night(catalogue)
    assert catalogue.tried_styles(attempt) == {styles[0], styles[2]}
    for style, before in ((styles[0], attempt), (styles[2], made)):
        with pytest.raises(TriedAlready, match=f"tried already: attempt {before};"):
            catalogue.add_request(attempt, "Ren", AttemptRequest(style_id=style))
    sample.recipe = replace(sample.recipe, digest="d1ff")
    sample.night(catalogue)
    assert catalogue.tried_styles(attempt) == {styles[0]}
    request = catalogue.add_request(attempt, "Ren", AttemptRequest(style_id=styles[2]))
    assert (request.curator, request.made, request.state) == ("Ren", None, RequestState.WAITING)
    assert [_tried(catalogue, each) for each in sample.night(catalogue)] == [styles[2]]


@pytest.mark.long
def test_a_request_that_failed_too_often_says_so_and_can_be_taken_back(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    request = catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=styles[2]))
    for state in (RequestState.WAITING, RequestState.WAITING, RequestState.GIVEN_UP):
        sample.night(catalogue, outcome=Outcome.FAILED, output=None, transient=True)
        assert catalogue.requests(attempt)[0].state is state
    assert (catalogue.requested_recipes(), catalogue.requested_recipes(max_tries=4)) == ([], [""])
    assert catalogue.withdraw_request(request.id)
    assert catalogue.requests(attempt) == []


def test_a_request_that_may_not_be_made_any_more_says_so_and_can_be_taken_back(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    attempt, styles = _ranked(catalogue, sample)
    request = catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=styles[2]))
    catalogue.add_record(sample.archive(catalogue), sample.record("colour 2", derivatives=Derivatives.NO))
    assert catalogue.requests(attempt) == [replace(request, state=RequestState.NOT_ALLOWED)]
    assert catalogue.requested_recipes() == []
    assert catalogue.withdraw_request(request.id)


def test_of_a_batch_and_who_takes_a_request_back_at_once_one_has_it(
    settings: CatalogueSettings, sample: "Sample"
) -> None:
    with sample.both(settings) as (night, page):
        attempt, styles = _ranked(night, sample)
        request = night.add_request(attempt, "Aoi", AttemptRequest(style_id=styles[2]))
        taken_back: list[bool] = []
        thread = Thread(target=lambda: taken_back.append(page.withdraw_request(request.id)))
        thread.start()
        batch = night.take_batch(sample.recipe, sample.models, sample.matcher, limit=None)
        thread.join()
        assert taken_back == [batch is None]


def test_candidates_and_styles_by_their_words_are_offered(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    offered = catalogue.candidates(attempt)
    assert [(said.image_id, match.rank) for said, match in offered] == [(styles[0], 1), (styles[1], 2), (styles[2], 3)]
    assert [said.image_id for said in catalogue.find_styles("colour 2")] == [styles[2]]
    assert catalogue.find_styles("gray") == []


@pytest.mark.long
def test_another_style_is_pending_until_the_next_night_has_made_it(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, _ = _ranked(catalogue, sample)
    style = sample.store(catalogue, sample.record("chosen by hand"), Tone.COLOUR)
    request = catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=style))
    assert (request.made, request.style_id, request.curator) == (None, style, "Aoi")
    assert catalogue.add_request(attempt, "Ren", AttemptRequest(style_id=style)) == request
    assert (catalogue.requests(attempt), catalogue.requested_recipes()) == ([request], [""])
    (made,) = sample.night(catalogue)
    assert _tried(catalogue, made) == style
    assert catalogue.requests(made) == [replace(request, made=made, state=RequestState.MADE)]
    assert catalogue.requested_recipes() == []
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None
    assert not catalogue.withdraw_request(request.id)


def test_a_night_with_another_encoder_takes_the_request_too(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=styles[2]))
    sample.encoder = EncoderKey("another", "f00d")
    (made,) = sample.night(catalogue)
    assert _tried(catalogue, made) == styles[2]


@pytest.mark.long
def test_marks_are_taken_by_a_night_of_their_recipe_with_the_inputs_in_the_claim(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    attempt, styles = _ranked(catalogue, sample)
    request = catalogue.add_request(attempt, "Aoi", AttemptRequest(marks_sha256=MARKS, recipe=LEVIN.name))
    other = catalogue.add_request(attempt, "Aoi", AttemptRequest(marks_sha256="0" * 64, recipe=LEVIN.name))
    assert request.style_id == styles[0]
    assert catalogue.requested_recipes() == [LEVIN.name]
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None
    sample.recipe = LEVIN
    batch = sample.take(catalogue)
    pending = catalogue.pending_attempts(batch)
    assert {each.inputs.marks_sha256 for each in pending} == {
        MARKS,
        "0" * 64,
        None,
    }  # the chosen match is due by itself
    assert {each.styles[0].id for each in pending} == {styles[0]}
    made = {each.inputs.marks_sha256: each.id for each in pending}
    assert [each.made for each in catalogue.requests(attempt)] == [made[MARKS], made[other.marks_sha256]]
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None


@pytest.mark.long
def test_a_mask_is_taken_with_the_inputs_and_settles_nothing_but_its_own_request(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    attempt, styles = _ranked(catalogue, sample)
    catalogue.add_request(attempt, "Aoi", AttemptRequest(mask_sha256=MARKS, recipe=LEVIN.name))
    (made,) = (each.made for each in catalogue.requests(attempt))
    assert made is None
    batch = catalogue.take_requests(LEVIN, sample.models, sample.matcher, limit=None)
    assert batch is not None
    (pending,) = catalogue.pending_attempts(batch)
    assert (pending.inputs.mask_sha256, pending.inputs.marks_sha256) == (MARKS, None)
    catalogue.close_attempt(batch, pending.id, sample.succeeded(catalogue, "a part"))
    catalogue.close_batch(batch)
    assert [each.made for each in catalogue.requests(attempt)] == [pending.id]
    sample.recipe = LEVIN
    (whole,) = catalogue.pending_attempts(sample.take(catalogue))  # the match itself is still due, all of it
    assert (whole.inputs.mask_sha256, whole.styles[0].id) == (None, styles[0])


@pytest.mark.long
@pytest.mark.parametrize("kind", ["marks", "mask"])
def test_the_doctor_leaves_a_file_that_a_curator_drew_alone(
    catalogue: Catalogue, settings: CatalogueSettings, sample: "Sample", kind: str
) -> None:
    attempt, _ = _ranked(catalogue, sample)
    drawn = catalogue.pictures.add(b"strokes", ".png")
    asked = AttemptRequest(
        recipe=LEVIN.name,
        marks_sha256=drawn if kind == "marks" else None,
        mask_sha256=drawn if kind == "mask" else None,
    )
    sample.tile(catalogue)
    assert [finding.damage for finding in examine(settings, young_s=-1)] == [Damage.UNREFERENCED]
    catalogue.add_request(attempt, "Aoi", asked)
    assert examine(settings, young_s=-1) == []


@pytest.mark.long
def test_requests_come_before_all_else_that_is_due(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    sample.pairs(catalogue, 2)
    catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=styles[2]))
    batch = sample.take(catalogue, limit=2)
    assert catalogue.pending_attempts(batch)[0].styles[0].id == styles[2]
    assert (batch.taken, sample.take(catalogue).taken) == (2, 1)


@pytest.mark.long
def test_a_request_that_failed_for_now_is_tried_again(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=styles[2]))
    sample.night(catalogue, outcome=Outcome.FAILED, output=None, transient=True)
    (again,) = sample.night(catalogue)
    assert _tried(catalogue, again) == styles[2]
    assert catalogue.attempt(again).number == 2


def test_a_request_can_be_taken_back_and_made_again(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    request = catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=styles[2]))
    assert catalogue.withdraw_request(request.id)
    assert catalogue.requests(attempt) == []
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None
    assert catalogue.add_request(attempt, "Ren", AttemptRequest(style_id=styles[2])).curator == "Ren"
    assert len(sample.night(catalogue)) == 1


def test_a_request_for_what_may_not_be_used_is_refused(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    catalogue.add_record(sample.archive(catalogue), sample.record("colour 2", derivatives=Derivatives.NO))
    for style in (styles[2], 999, catalogue.attempt(attempt).content.image_id):
        with pytest.raises(UnknownEntry, match="not a colour picture that may be used"):
            catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=style))
    with pytest.raises(UnknownEntry, match="no attempt 999"):
        catalogue.add_request(999, "Aoi", AttemptRequest(style_id=styles[1]))
    with pytest.raises(ValueError, match="recipe that reads them"):
        AttemptRequest(marks_sha256=MARKS)


@pytest.mark.long
def test_a_match_found_anew_leaves_what_was_requested(catalogue: Catalogue, sample: "Sample") -> None:
    attempt, styles = _ranked(catalogue, sample)
    style = sample.store(catalogue, sample.record("chosen by hand"), Tone.COLOUR)
    catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=style))
    catalogue.add_record(sample.archive(catalogue), sample.record("colour 0", derivatives=Derivatives.NO))
    content = catalogue.attempt(attempt).content.image_id
    sample.match(catalogue, content, styles[1])
    assert {_tried(catalogue, made) for made in sample.night(catalogue)} == {style, styles[1]}
