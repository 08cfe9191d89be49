"""Entries of measurements: an attempt's saved picture, measured by another encoder than its own."""

from dataclasses import dataclass, fields
from datetime import datetime

from db.entries.night import EncoderKey


@dataclass(frozen=True)
class ErrorFigures:
    """Relative errors, as an attempt's result has them; unknown where a figure was no finite number."""

    content_error_sum: float | None
    content_error_mean: float | None
    style_error_sum: float | None
    style_error_mean: float | None
    total_error_sum: float | None
    total_error_mean: float | None


FIGURES = tuple(each.name for each in fields(ErrorFigures))


@dataclass(frozen=True)
class MeasurementEntry:
    """What an attempt's picture comes to by this encoder; it compares with figures of the same encoder only."""

    attempt_id: int
    encoder: EncoderKey
    errors: ErrorFigures
    measured_at: datetime


@dataclass(frozen=True)
class MeasuredMeans:
    """Means over the attempts of one recipe that one encoder made, all measured by one encoder."""

    recipe_name: str
    recipe_digest: str
    made_by: EncoderKey
    attempts: int
    errors: ErrorFigures
