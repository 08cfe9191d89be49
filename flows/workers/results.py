"""Closes attempts: a colorization or an error becomes a picture file and a catalogue row, in that order.

Called by `flows.dispatch` only. A crash in between leaves an unreferenced file, which `nishiki doctor` finds.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from colorize.device import library_versions
from colorize.errors import ColorizeError
from colorize.images.tone import judge_tone
from colorize.output.provenance import Provenance, Source, encode_png
from colorize.results import Colorization
from db.catalogue import Catalogue
from db.entries.night import AttemptResult, BatchEntry, Description, ImageFacts, Outcome, PendingAttempt, Tone


def close_with_result(
    catalogue: Catalogue, batch: BatchEntry, attempt: PendingAttempt, colorization: Colorization
) -> AttemptResult:
    """Keep the picture and its figures; a picture that must not pass as coloured is `rejected` with them."""
    descriptions = catalogue.describe([attempt.content.id, *(style.id for style in attempt.styles)])
    output = _stored(catalogue, colorization, _provenance(batch, attempt, descriptions))
    errors = colorization.errors
    result = AttemptResult(
        outcome=Outcome.REJECTED if colorization.refusal else Outcome.SUCCEEDED,
        device=colorization.device,
        versions={**library_versions(), "precision": colorization.precision},
        seed=colorization.seed,
        iterations=colorization.iterations,
        seconds=colorization.seconds,
        content_error_sum=errors.content_sum,
        content_error_mean=errors.content_mean,
        style_error_sum=errors.style_sum,
        style_error_mean=errors.style_mean,
        total_error_sum=errors.total_sum,
        total_error_mean=errors.total_mean,
        measures=colorization.measures,
        trace=colorization.trace,
        output=output,
        error_message=colorization.refusal,
    )
    catalogue.close_attempt(batch, attempt.id, result)
    return result


def close_with_error(
    catalogue: Catalogue, batch: BatchEntry, attempt: PendingAttempt, device: str, error: ColorizeError
) -> AttemptResult:
    """Keep why there is no picture; whether another night may try again is the error's class to say."""
    result = AttemptResult(
        outcome=Outcome.FAILED,
        device=device,
        versions=library_versions(),
        error_class=type(error).__name__,
        error_message=str(error),
        transient=error.transient,
    )
    catalogue.close_attempt(batch, attempt.id, result)
    return result


def _stored(catalogue: Catalogue, colorization: Colorization, provenance: Provenance) -> ImageFacts:
    data = encode_png(colorization.picture, provenance)
    report = judge_tone(colorization.picture, "RGB")
    height, width = colorization.picture.shape[:2]
    sha256 = catalogue.pictures.add(data, ".png")
    return ImageFacts(sha256, width, height, "RGB", len(data), Tone(report.tone.value), report.measures)


def _provenance(batch: BatchEntry, attempt: PendingAttempt, descriptions: Mapping[int, Description]) -> Provenance:
    content, *styles = (descriptions[image.id] for image in (attempt.content, *attempt.styles))
    sources = [Source(said.identifier, said.sha256) for said in styles]
    return Provenance(
        recipe_name=batch.recipe.name,
        recipe_digest=batch.recipe.digest,
        recipe_data=batch.recipe.data,
        weights_name=batch.encoder.name,
        weights_checksum=batch.encoder.checksum,
        content=Source(content.identifier, content.sha256),
        style=sources[0] if sources else None,
        further_styles=tuple(sources[1:]),
        created=datetime.now(UTC),
        marks_sha256=attempt.inputs.marks_sha256,
        credits=tuple(said.credit_line for said in (content, *styles) if said.credit_line),
    )
