"""Batches and attempts: claimed once, closed once."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from db.catalogue import Catalogue
from db.entries.night import AttemptResult, Derivatives, Outcome, RecipeEntry, Tone
from db.errors import UnknownEntry

if TYPE_CHECKING:
    from tests.samples import Sample

FAILED_FOR_NOW = AttemptResult(
    Outcome.FAILED, "cuda:0", {}, error_class="OutOfMemory", error_message="8 GB are not enough", transient=True
)
FAILED_FOR_GOOD = replace(FAILED_FOR_NOW, error_class="UnreadableImage", transient=False)


def test_a_batch_takes_the_oldest_matches_and_a_second_night_finds_nothing(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    pairs = sample.pairs(catalogue, 3)
    batch = sample.take(catalogue, limit=2)
    assert (batch.taken, batch.left, batch.recipe, batch.encoder) == (2, 2, sample.recipe, sample.encoder)
    pending = catalogue.pending_attempts(batch)
    assert [(each.content.id, each.styles[0].id) for each in pending] == pairs[:2]
    assert (pending[0].number, pending[0].content_identifier, pending[0].style_identifiers[0]) == (
        1,
        "gray-0",
        "colour-0",
    )
    assert sample.take(catalogue).taken == 1
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None
    assert catalogue.status()["attempts"] == {"pending": 3, "succeeded": 0, "rejected": 0, "failed": 0}


def test_another_recipe_or_encoder_is_other_work(catalogue: Catalogue, sample: "Sample") -> None:
    sample.pairs(catalogue, 1)
    sample.take(catalogue)
    other = RecipeEntry("jadh2016/config3_3_3", {"iterations": 60}, "a1b2")
    assert catalogue.take_batch(other, sample.models, sample.matcher, limit=None) is not None
    unseen = replace(sample.matcher, version="2")
    assert catalogue.take_batch(sample.recipe, sample.models, unseen, limit=None) is None


def test_a_succeeded_attempt_stands_with_all_its_figures(catalogue: Catalogue, sample: "Sample") -> None:
    ((content, style),) = sample.pairs(catalogue, 1)
    batch = sample.take(catalogue)
    result = sample.succeeded(catalogue)
    catalogue.close_attempt(batch, catalogue.pending_attempts(batch)[0].id, result)
    catalogue.close_batch(batch)
    (attempt,) = catalogue.batch_attempts(batch.id)
    assert attempt.result == result
    assert attempt.recipe == sample.recipe
    assert (attempt.content.image_id, attempt.styles[0].image_id) == (content, style)
    assert (attempt.number, attempt.score, attempt.reasons) == (1, 0.9, {"cosine": 0.9})
    assert result.output is not None
    assert attempt.output_sha256 == result.output.sha256
    assert attempt.closed_at is not None
    assert attempt.closed_at.utcoffset() == timedelta(0)
    assert list(catalogue.attempts()) == [attempt]
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None


def test_a_made_picture_becomes_neither_content_nor_style(catalogue: Catalogue, sample: "Sample") -> None:
    sample.pairs(catalogue, 1)
    batch = sample.take(catalogue)
    catalogue.close_attempt(batch, catalogue.pending_attempts(batch)[0].id, sample.succeeded(catalogue))
    made = sample.store(catalogue, sample.record("brought back"), Tone.COLOUR, data=b"output")
    catalogue.add_embeddings(sample.encoder, {made: sample.vector(1)})
    assert made not in [each.id for each in catalogue.images_to_embed(replace(sample.encoder, name="x"), [*Tone])]
    assert catalogue.style_ids(sample.encoder) == []
    assert catalogue.status()["images"]["colour"] == 1
    assert catalogue.describe([made]) == {}


def test_a_failure_for_now_is_tried_again_as_the_next_number_until_it_is_enough(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    sample.pairs(catalogue, 1)
    for number in (1, 2, 3):
        batch = sample.take(catalogue)
        (pending,) = catalogue.pending_attempts(batch)
        assert pending.number == number
        catalogue.close_attempt(batch, pending.id, FAILED_FOR_NOW)
        catalogue.close_batch(batch)
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None, max_tries=4) is not None


def test_a_failure_for_good_is_not_tried_again(catalogue: Catalogue, sample: "Sample") -> None:
    sample.pairs(catalogue, 1)
    batch = sample.take(catalogue)
    catalogue.close_attempt(batch, catalogue.pending_attempts(batch)[0].id, FAILED_FOR_GOOD)
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None


def test_figures_of_a_diverged_run_are_unknown_and_lose_nothing_else(catalogue: Catalogue, sample: "Sample") -> None:
    sample.pairs(catalogue, 1)
    batch = sample.take(catalogue)
    nan = float("nan")
    diverged = replace(FAILED_FOR_GOOD, total_error_mean=nan, measures={"ssim": nan}, trace=({"loss": float("inf")},))
    catalogue.close_attempt(batch, catalogue.pending_attempts(batch)[0].id, diverged)
    (attempt,) = catalogue.attempts()
    assert attempt.result is not None
    assert attempt.result.total_error_mean is None
    assert dict(attempt.result.measures) == dict.fromkeys(["ssim"])
    assert attempt.result.error_class == "UnreadableImage"


@pytest.mark.parametrize("side", ["gray-0", "colour-0"])
def test_rights_that_end_after_the_match_keep_it_from_being_taken(
    catalogue: Catalogue, sample: "Sample", side: str
) -> None:
    sample.pairs(catalogue, 1)
    catalogue.add_record(sample.archive(catalogue), sample.record(side, derivatives=Derivatives.NO))
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None
    assert catalogue.latest_batch() is None


def test_joining_drops_what_may_no_longer_be_used(catalogue: Catalogue, sample: "Sample") -> None:
    sample.pairs(catalogue, 2)
    batch = sample.take(catalogue)
    catalogue.release_batch(batch)
    catalogue.add_record(sample.archive(catalogue), sample.record("gray-1", derivatives=Derivatives.NO))
    held = catalogue.join(batch.id)
    assert held is not None
    assert [each.content_identifier for each in catalogue.pending_attempts(held)] == ["gray-0"]


def test_an_attempt_is_closed_once(catalogue: Catalogue, sample: "Sample") -> None:
    sample.pairs(catalogue, 1)
    batch = sample.take(catalogue)
    (pending,) = catalogue.pending_attempts(batch)
    catalogue.close_attempt(batch, pending.id, sample.succeeded(catalogue))
    with pytest.raises(UnknownEntry, match="not pending"):
        catalogue.close_attempt(batch, pending.id, FAILED_FOR_NOW)
    assert catalogue.status()["attempts"]["failed"] == 0


def test_the_status_tells_the_latest_batch(catalogue: Catalogue, sample: "Sample") -> None:
    assert catalogue.status()["batch"] is None
    (content, _), *_ = sample.pairs(catalogue, 3)
    catalogue.add_embeddings(sample.encoder, {content: sample.vector(1)})
    assert catalogue.status()["encoder"] == {"name": sample.encoder.name, "checksum": sample.encoder.checksum}
    batch = sample.take(catalogue)
    catalogue.close_attempt(batch, catalogue.pending_attempts(batch)[0].id, sample.succeeded(catalogue))
    status = catalogue.status()
    assert status["batch"] == {"id": batch.id, "recipe": sample.recipe.name, "done": 1, "left": 2}
    assert status["attempts"] == {"pending": 2, "succeeded": 1, "rejected": 0, "failed": 0}
    latest = catalogue.latest_batch()
    assert latest == replace(batch, left=2, lease=0)
