"""Closes attempts: what a worker answered becomes picture files and a catalogue row, in that order.

Called by the flow that holds the batch, and by nobody else. A crash in between leaves an unreferenced file, which
`nishiki doctor` finds.
"""

from collections.abc import Mapping

from colorize.device import library_versions
from colorize.output.provenance import Provenance, Source
from db.catalogue import Catalogue
from db.entries.night import AttemptResult, BatchEntry, Description, ImageFacts, Outcome, PendingAttempt, Tone
from flows.workers.messages import Failed, Finished


def close(catalogue: Catalogue, batch: BatchEntry, attempt: PendingAttempt, answer: Finished | Failed) -> AttemptResult:
    """Keep an attempt's end: its picture and figures, or why there is none."""
    result = _finished(catalogue, answer) if isinstance(answer, Finished) else _failed(answer)
    return catalogue.close_attempt(batch, attempt.id, result)


def _finished(catalogue: Catalogue, answer: Finished) -> AttemptResult:
    """A picture that must not pass as coloured is `rejected` with its figures."""
    sha256, errors = catalogue.pictures.add(answer.picture, answer.suffix), answer.errors
    output = ImageFacts(
        sha256, answer.width, answer.height, answer.mode, len(answer.picture), Tone(answer.tone), answer.tone_measures
    )
    return AttemptResult(
        outcome=Outcome.REJECTED if answer.refusal else Outcome.SUCCEEDED,
        device=answer.device,
        versions=answer.versions,
        seed=answer.seed,
        iterations=answer.iterations,
        seconds=answer.seconds,
        content_error_sum=errors.content_sum,
        content_error_mean=errors.content_mean,
        style_error_sum=errors.style_sum,
        style_error_mean=errors.style_mean,
        total_error_sum=errors.total_sum,
        total_error_mean=errors.total_mean,
        measures=answer.measures,
        trace=answer.trace,
        output=output,
        trust_sha256=catalogue.pictures.add(answer.trust, ".png") if answer.trust else None,
        error_message=answer.refusal,
    )


def _failed(answer: Failed) -> AttemptResult:
    """Whether another night may try again is the error's class to say."""
    return AttemptResult(
        outcome=Outcome.FAILED,
        device=answer.device,
        versions=library_versions(),
        error_class=answer.error,
        error_message=answer.message,
        transient=answer.cause.transient,
    )


def provenance_of(batch: BatchEntry, attempt: PendingAttempt, descriptions: Mapping[int, Description]) -> Provenance:
    """What an attempt's picture will say of itself; a result that is made again says the same."""
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
        created=attempt.opened_at,
        marks_sha256=attempt.inputs.marks_sha256,
        mask_sha256=attempt.inputs.mask_sha256,
        credits=tuple(said.credit_line for said in (content, *styles) if said.credit_line),
    )
