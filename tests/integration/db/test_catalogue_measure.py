"""Measurements by other encoders, on both databases: kept once, never mixed, beside the attempt's own figures."""

import csv
import json
from dataclasses import replace
from io import StringIO
from math import inf, nan
from typing import TYPE_CHECKING

import pytest

from db.catalogue import Catalogue
from db.entries.measured import FIGURES, ErrorFigures
from db.entries.night import AttemptResult, EncoderKey, Outcome
from db.errors import UnknownEntry
from db.exports.attempts import write_csv, write_json

if TYPE_CHECKING:
    from tests.samples import Sample

OXFORD, SMALL = EncoderKey("vgg19-oxford", "0f" * 32), EncoderKey("nishiki-small", "5a" * 32)


def figures(total: float) -> ErrorFigures:
    """Errors whose total mean is this."""
    return ErrorFigures(10.0, total / 4, 30.0, total * 3 / 4, 40.0, total)


def batch_of(catalogue: Catalogue, sample: "Sample", *results: AttemptResult) -> tuple[int, list[int]]:
    """A closed batch with these results; its number, and its attempts'."""
    batch = sample.take(catalogue, limit=len(results))
    pending = catalogue.pending_attempts(batch)
    for attempt, result in zip(pending, results, strict=True):
        catalogue.close_attempt(batch, attempt.id, result)
    catalogue.close_batch(batch)
    return batch.id, [attempt.id for attempt in pending]


@pytest.fixture
def batches(catalogue: Catalogue, sample: "Sample") -> list[tuple[int, list[int]]]:
    """Two batches: a succeeded, a rejected and a failed attempt in the first, a succeeded one in the second."""
    sample.pairs(catalogue, 4)
    good = [sample.succeeded(catalogue, name) for name in ("a", "b", "c")]
    failed = AttemptResult(Outcome.FAILED, "cpu", {}, error_class="Diverged", error_message="no finite loss")
    first = batch_of(catalogue, sample, good[0], replace(good[1], outcome=Outcome.REJECTED), failed)
    return [first, batch_of(catalogue, sample, good[2])]


def test_an_encoder_has_every_saved_picture_to_measure_once_but_those_that_it_made(
    catalogue: Catalogue, sample: "Sample", batches: list[tuple[int, list[int]]]
) -> None:
    (first, [succeeded, rejected, _]), (second, [last]) = batches
    assert catalogue.attempts_to_measure(sample.encoder) == []
    assert catalogue.attempts_to_measure(replace(sample.encoder, checksum="other")) == [succeeded, rejected, last]
    assert catalogue.attempts_to_measure(OXFORD) == [succeeded, rejected, last]
    assert catalogue.attempts_to_measure(OXFORD, first) == [succeeded, rejected]
    catalogue.add_measurement(succeeded, OXFORD, figures(0.5))
    assert catalogue.attempts_to_measure(OXFORD) == [rejected, last]
    assert catalogue.attempts_to_measure(SMALL, second) == [last]
    with pytest.raises(UnknownEntry, match="no batch 99"):
        catalogue.attempts_to_measure(OXFORD, 99)


def test_a_pending_attempt_has_nothing_to_measure(catalogue: Catalogue, sample: "Sample") -> None:
    sample.pairs(catalogue, 1)
    batch = sample.take(catalogue)
    assert catalogue.attempts_to_measure(OXFORD, batch.id) == []
    assert catalogue.figured_by() == set()
    assert catalogue.means_by(sample.encoder) == []


def test_what_is_measured_stays_as_it_was_first_and_each_encoders_stands_apart(
    catalogue: Catalogue, sample: "Sample", batches: list[tuple[int, list[int]]]
) -> None:
    attempt, other, _ = batches[0][1]
    before = catalogue.attempt(attempt)
    for encoder, total in ((OXFORD, 0.5), (SMALL, 0.7), (OXFORD, 0.9)):
        catalogue.add_measurement(attempt, encoder, figures(total))
    found = catalogue.measurements([attempt, other])
    assert list(found) == [attempt]
    assert {entry.encoder: entry.errors for entry in found[attempt]} == {OXFORD: figures(0.5), SMALL: figures(0.7)}
    assert {entry.attempt_id for entry in found[attempt]} == {attempt}
    assert all(entry.measured_at.tzinfo is not None for entry in found[attempt])
    assert catalogue.attempt(attempt) == before
    assert catalogue.figured_by() == {sample.encoder, OXFORD, SMALL}


def test_figures_that_are_no_finite_numbers_are_unknown(
    catalogue: Catalogue, batches: list[tuple[int, list[int]]]
) -> None:
    attempt = batches[0][1][0]
    catalogue.add_measurement(attempt, OXFORD, ErrorFigures(inf, nan, 1.0, 0.5, -inf, nan))
    (entry,) = catalogue.measurements([attempt])[attempt]
    assert entry.errors == ErrorFigures(None, None, 1.0, 0.5, None, None)


def test_means_are_of_one_encoder_by_recipe_and_maker(
    catalogue: Catalogue, sample: "Sample", batches: list[tuple[int, list[int]]]
) -> None:
    (first, [succeeded, rejected, _]), (_, [last]) = batches
    for attempt, total in ((succeeded, 0.5), (rejected, 0.7), (last, 0.9)):
        catalogue.add_measurement(attempt, OXFORD, figures(total))
    catalogue.add_measurement(last, SMALL, figures(3.0))
    (by_oxford,) = catalogue.means_by(OXFORD)
    assert (by_oxford.recipe_name, by_oxford.recipe_digest) == (sample.recipe.name, sample.recipe.digest)
    assert (by_oxford.made_by, by_oxford.attempts) == (sample.encoder, 3)
    assert by_oxford.errors.total_error_mean == pytest.approx(0.7)
    (of_first,) = catalogue.means_by(OXFORD, first)
    assert of_first.attempts == 2
    assert of_first.errors.total_error_mean == pytest.approx(0.6)
    (own,) = catalogue.means_by(sample.encoder)
    assert own.attempts == 3
    assert own.errors.total_error_mean == pytest.approx(0.3)
    (by_small,) = catalogue.means_by(SMALL)
    assert (by_small.attempts, by_small.errors.total_error_mean) == (1, 3.0)
    assert catalogue.means_by(SMALL, first) == []
    assert catalogue.figured_by(first) == {sample.encoder, OXFORD}


def test_an_encoders_means_hold_what_it_made_beside_what_it_measured_again_in_rows_of_their_own(
    catalogue: Catalogue, sample: "Sample", batches: list[tuple[int, list[int]]]
) -> None:
    attempt = batches[0][1][0]
    sample.encoder = OXFORD
    sample.match(catalogue, catalogue.attempt(attempt).content.image_id, catalogue.attempt(attempt).styles[0].image_id)
    _, [mine] = batch_of(catalogue, sample, sample.succeeded(catalogue, "by the original"))
    catalogue.add_measurement(attempt, OXFORD, figures(0.5))
    rows = {row.made_by.name: (row.attempts, row.errors.total_error_mean) for row in catalogue.means_by(OXFORD)}
    assert rows == {"vgg19 random-seeded": (1, 0.5), "vgg19-oxford": (1, 0.3)}
    assert mine not in catalogue.attempts_to_measure(OXFORD)


def test_the_export_lists_measurements_beside_the_attempts_own_errors(
    catalogue: Catalogue, batches: list[tuple[int, list[int]]]
) -> None:
    attempt = batches[0][1][0]
    catalogue.add_measurement(attempt, OXFORD, figures(0.5))
    as_json, as_csv = StringIO(), StringIO(newline="")
    assert (write_json(catalogue, as_json), write_csv(catalogue, as_csv)) == (4, 4)
    row, *rest = json.loads(as_json.getvalue())
    assert (row["total_error_mean"], row["encoder"]) == (0.3, "vgg19 random-seeded")
    (measured,) = row["measurements"]
    assert (measured["encoder"], measured["encoder_checksum"]) == (OXFORD.name, OXFORD.checksum)
    assert {name: measured[name] for name in FIGURES} == vars(figures(0.5))
    assert [each["measurements"] for each in rest] == [[]] * 3
    line, *others = csv.DictReader(StringIO(as_csv.getvalue(), newline=""))
    assert line["total_error_mean"] == "0.3"
    assert line["measurements"].startswith(f"vgg19-oxford ({OXFORD.checksum}): content_error_sum 10.0, ")
    assert "total_error_mean 0.5" in line["measurements"]
    assert [each["measurements"] for each in others] == [""] * 3
