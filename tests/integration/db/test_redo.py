"""What is put back to the queue by hand is done again by the next night, and told of what was before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from db.catalogue import Catalogue
from db.entries.night import AttemptResult, Outcome, Patience, Tone, WindowState
from db.errors import UnknownEntry

if TYPE_CHECKING:
    from tests.samples import Sample

DAY = datetime(2026, 3, 1, tzinfo=UTC)
FOR_GOOD = AttemptResult(Outcome.FAILED, "cpu", {}, error_class="UnreadableImage", error_message="cut off")
FOR_NOW = replace(FOR_GOOD, error_class="OutOfMemory", transient=True)


def fail(catalogue: Catalogue, sample: "Sample", result: AttemptResult = FOR_GOOD) -> int:
    """Let what is due fail; the batch."""
    batch = sample.take(catalogue)
    for pending in catalogue.pending_attempts(batch):
        catalogue.close_attempt(batch, pending.id, result)
    catalogue.close_batch(batch)
    return batch.id


def due(catalogue: Catalogue, sample: "Sample") -> list[tuple[str, int]]:
    """What a night would take on, with the number of the try."""
    batch = catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None)
    return [(each.content_identifier, each.number) for each in catalogue.pending_attempts(batch)] if batch else []


def test_what_failed_in_a_batch_for_good_is_tried_again_and_still_says_why(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    sample.pairs(catalogue, 2)
    number = fail(catalogue, sample)
    assert due(catalogue, sample) == []
    assert (catalogue.retry_batch(number, "aoi"), catalogue.retry_batch(number, "aoi")) == (2, 0)
    result = next(catalogue.attempts()).result
    assert result is not None
    assert (result.outcome, result.error_class, result.transient) == (Outcome.FAILED, "PutBack", True)
    assert result.error_message is not None
    assert result.error_message.startswith("put back by aoi on 20")
    assert result.error_message.endswith("; before that: UnreadableImage: cut off")
    assert due(catalogue, sample) == [("gray-0", 2), ("gray-1", 2)]


def test_what_was_tried_too_often_is_tried_as_often_again(catalogue: Catalogue, sample: "Sample") -> None:
    sample.pairs(catalogue, 1)
    last = [fail(catalogue, sample, FOR_NOW) for _ in range(3)][-1]
    assert due(catalogue, sample) == []
    assert catalogue.retry_batch(last, "aoi") == 3
    for _ in range(3):
        fail(catalogue, sample, FOR_NOW)
    assert due(catalogue, sample) == []


def test_a_batch_that_succeeded_is_left_and_one_that_there_is_not_is_told(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    sample.pairs(catalogue, 1)
    sample.night(catalogue)
    assert catalogue.retry_batch(1, "aoi") == 0
    assert due(catalogue, sample) == []
    for asked in (lambda: catalogue.retry_batch(9, "aoi"), lambda: catalogue.results_of_batch(9)):
        with pytest.raises(UnknownEntry, match="there is no batch 9"):
            asked()


def test_results_are_made_again_in_their_batch(catalogue: Catalogue, sample: "Sample") -> None:
    sample.pairs(catalogue, 2)
    made = sample.night(catalogue)
    results = catalogue.results_of_batch(1)
    assert results == [each.output_sha256 for each in catalogue.attempts()]
    assert results == catalogue.results_of_records(catalogue.records_named(["gray-0", "gray-1"]))
    assert [catalogue.make_again(sha256) for sha256 in results] == [True, True]
    (left,) = catalogue.unfinished_batches()
    assert (left.id, [each.id for each in catalogue.pending_attempts(left)]) == (1, made)
    assert catalogue.results_of_batch(1) == []


def test_a_records_pictures_are_fetched_anew_and_what_failed_on_them_is_tried_again(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    sample.pairs(catalogue, 2)
    fail(catalogue, sample)
    archive = sample.archive(catalogue)
    numbers = catalogue.records_named(["gray-0"], "sample")
    assert catalogue.want_records_again(numbers) == 1
    (wanted,) = catalogue.wanted_pictures(archive)
    assert (wanted.identifier, wanted.etag) == ("gray-0", None)
    assert catalogue.retry_records(numbers, "aoi") == 1
    assert due(catalogue, sample) == [("gray-0", 2)]
    assert catalogue.results_of_records(numbers) == []
    for missing in (["gray-0", "gray-9"], ["gray-9"]):
        with pytest.raises(UnknownEntry, match="there is no record gray-9;"):
            catalogue.records_named(missing)
    with pytest.raises(UnknownEntry, match="there is no record gray-0 in other"):
        catalogue.records_named(["gray-0"], "other")


def test_pictures_of_an_archive_that_could_not_be_had_are_asked_for_at_once(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    archive = sample.archive(catalogue)
    sample.store(catalogue, sample.record("held"), Tone.COLOUR)
    for name in ("broken", "waiting", "new"):
        catalogue.add_record(archive, sample.record(name))
    by_name = {each.identifier: each for each in catalogue.wanted_pictures(archive)}
    catalogue.picture_failed(by_name["broken"], "no picture", Patience(lasting=1))
    catalogue.picture_failed(by_name["waiting"], "no answer", Patience())
    assert catalogue.want_failed_again("sample") == 2
    assert {each.identifier for each in catalogue.wanted_pictures(archive)} == {"broken", "waiting", "new"}
    assert catalogue.status()["pictures"]["broken"] == 0
    assert catalogue.want_failed_again("sample") == 0
    with pytest.raises(UnknownEntry, match="there is no archive 'other'"):
        catalogue.want_failed_again("other")


def test_an_archive_is_listed_again_from_a_day_on_or_whole(catalogue: Catalogue, sample: "Sample") -> None:
    archive = sample.archive(catalogue)
    for start, days in ((None, 1), (DAY, 2), (DAY + timedelta(days=2), 3)):
        window = catalogue.open_window(archive, start, DAY + timedelta(days=days))
        catalogue.close_window(window, WindowState.DONE, records=3, problems=0)
    assert catalogue.forget_windows("sample", DAY + timedelta(days=2, hours=1)) == 1
    assert catalogue.last_window_end(archive) == DAY + timedelta(days=2)
    assert catalogue.last_full_listing(archive) == DAY + timedelta(days=1)
    assert catalogue.forget_windows("sample") == 2
    assert catalogue.last_window_end(archive) is None
    assert catalogue.forget_windows("sample") == 0
    with pytest.raises(UnknownEntry, match="there is no archive 'other'"):
        catalogue.forget_windows("other")


def test_what_failed_in_an_archive_is_tried_again_and_nothing_of_others(catalogue: Catalogue, sample: "Sample") -> None:
    sample.pairs(catalogue, 1)
    sample.matched(catalogue, sample.record("elsewhere"), 0.9, archive="other")
    fail(catalogue, sample)
    assert catalogue.retry_archive("other", "aoi") == 1
    assert due(catalogue, sample) == [("elsewhere", 2)]
