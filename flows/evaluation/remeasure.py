"""Measures saved pictures again by another encoder, without Prefect; `nishiki measure` calls it.

Durable when: each picture's figures as soon as they are there. Stopped anywhere and begun again, it measures what is
left. One picture that cannot be measured never stops the rest; a fault of ours (weights, device, schema) does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from colorize.device import device_names, on_device, use_one_thread
from colorize.encoders.loading import load_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.encoders.weights import WeightsFile
from colorize.errors import ColorizeError
from colorize.images.decode import Pixels, decode
from colorize.jobs import Job
from colorize.measures.targets import measure_saved
from colorize.methods.neural_style.losses import TargetCache
from colorize.recipes.recipe import Recipe
from colorize.results import RelativeErrors
from db.catalogue import Catalogue
from db.entries.measured import ErrorFigures, MeasuredMeans
from db.entries.night import AttemptEntry, EncoderKey
from db.errors import PictureMissing
from flows.plan import encoder_key
from flows.progress import track
from flows.settings import Settings


@dataclass(frozen=True)
class MeasureTally:
    """What measuring came to."""

    measured: int
    problems: list[tuple[str, str]]
    means: list[tuple[EncoderKey, list[MeasuredMeans]]]
    """By encoder, the one asked for first; figures of two encoders never stand in one mean."""


def measure(settings: Settings, weights: WeightsFile, batch_id: int | None) -> MeasureTally:
    """Measure what this encoder has not measured yet, of one batch or of all.

    Raises:
        UnknownEntry: there is no such batch.
        ColorizeError: the weights or the device cannot be used.
    """
    key = encoder_key(weights)
    with Catalogue.open(settings, create=False) as catalogue:
        left = catalogue.attempts_to_measure(key, batch_id)
        problems = _measured(catalogue, settings, weights, left) if left else []
        others = sorted(catalogue.figured_by(batch_id) - {key}, key=lambda other: (other.name, other.checksum))
        means = [(each, catalogue.means_by(each, batch_id)) for each in (key, *others)]
        return MeasureTally(len(left) - len(problems), problems, means)


def _measured(
    catalogue: Catalogue, settings: Settings, weights: WeightsFile, attempt_ids: list[int]
) -> list[tuple[str, str]]:
    """Measure the attempts' pictures; (attempt, reason) of those that could not be."""
    use_one_thread()
    key, cache, problems = encoder_key(weights), TargetCache(), []
    encoder = on_device(load_encoder(weights), device_names(settings.device)[0])
    with track("measure", len(attempt_ids), "pictures") as advance:
        for attempt_id in attempt_ids:
            attempt = catalogue.attempt(attempt_id)
            try:
                errors = _errors(catalogue, settings, encoder, cache, attempt)
            except (ColorizeError, PictureMissing, OSError) as error:
                problems.append((f"attempt {attempt_id}", str(error)))
            else:
                catalogue.add_measurement(attempt_id, key, _figures(errors))
            advance(1)
    return problems


def _errors(
    catalogue: Catalogue, settings: Settings, encoder: Encoder, cache: TargetCache, attempt: AttemptEntry
) -> RelativeErrors:
    """On the attempt's own recipe's layers, from the pictures as they lie in the store."""

    def pictures() -> Iterator[Pixels]:
        style = attempt.style or attempt.content  # as when it was made: without a style the content stands for it
        for sha256 in (attempt.content.sha256, style.sha256, attempt.output_sha256 or ""):
            yield decode(catalogue.pictures.read(sha256), max_pixels=settings.max_pixels).pixels

    content, style, saved = pictures()
    job = Job(str(attempt.id), content, style)
    return measure_saved(Recipe.from_data(attempt.recipe.data), encoder, cache, job, saved)


def _figures(errors: RelativeErrors) -> ErrorFigures:
    return ErrorFigures(
        content_error_sum=errors.content_sum,
        content_error_mean=errors.content_mean,
        style_error_sum=errors.style_sum,
        style_error_mean=errors.style_mean,
        total_error_sum=errors.total_sum,
        total_error_mean=errors.total_mean,
    )
