"""What leaves the catalogue: every attempt with record, rights, recipe, encoder, errors and verdict.

`nishiki export` calls it. Attempts are streamed, so that a catalogue of any size fits. CSV is made for
spreadsheets; JSON keeps the measures' trace as well, and everything as data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any, TextIO

from db.catalogue import Catalogue
from db.entries.claim import StyleInput
from db.entries.faults import FaultEntry
from db.entries.measured import FIGURES, MeasurementEntry
from db.entries.night import AttemptEntry, AttemptResult, Description, VerdictEntry
from db.exports import tables
from db.pathless import without_paths

_PAGE = 200
_SAID = (
    "archive", "identifier", "sha256", "title", "artists", "cast", "year_from", "year_to", "holder", "credit_line",
    "landing_url", "rights_uri", "rights_derivatives", "rights_basis",
)  # fmt: skip


def rows(catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """One row for each attempt, oldest first, with all that JSON keeps."""
    attempts = catalogue.attempts()
    while page := list(islice(attempts, _PAGE)):
        yield from rows_of(catalogue, page)


def rows_of(catalogue: Catalogue, page: Sequence[AttemptEntry]) -> Iterator[dict[str, Any]]:
    """The rows of some attempts."""
    verdicts = catalogue.verdicts([attempt.id for attempt in page])
    measured = catalogue.measurements([attempt.id for attempt in page])
    faults = catalogue.faults([attempt.id for attempt in page])
    for attempt in page:
        others = [_measured(each) for each in measured.get(attempt.id, ())]
        marked = [_fault(each) for each in faults.get(attempt.id, ())]
        yield {**_row(attempt, verdicts.get(attempt.id)), "measurements": others, "faults": marked}


def write_json(catalogue: Catalogue, stream: TextIO) -> int:
    """Write a JSON array, an attempt on each line; how many."""
    return tables.write_json(rows(catalogue), stream)


def write_csv(catalogue: Catalogue, stream: TextIO) -> int:
    """As `tables.write_csv`, of every attempt, without the trace: no cell holds a thousand numbers."""
    return tables.write_csv(({name: row[name] for name in row if name != "trace"} for row in rows(catalogue)), stream)


def _row(attempt: AttemptEntry, verdict: VerdictEntry | None) -> dict[str, Any]:
    return {
        "attempt": attempt.id,
        "number": attempt.number,
        "batch": attempt.batch_id,
        "outcome": str(attempt.outcome or "pending"),
        **_said("content", attempt.content),
        **_said("style", attempt.style),
        "score": attempt.score,
        "reasons": attempt.reasons,
        "recipe": attempt.recipe.name,
        "recipe_digest": attempt.recipe.digest,
        "recipe_data": attempt.recipe.data,
        "encoder": attempt.encoder.name,
        "encoder_checksum": attempt.encoder.checksum,
        **_came_to(attempt.result),
        "output_sha256": attempt.output_sha256,
        "closed_at": attempt.closed_at.isoformat() if attempt.closed_at else None,
        "verdict": str(verdict.verdict) if verdict else None,
        "verdict_reason": verdict.reason if verdict else None,
        "verdict_note": verdict.note if verdict else None,
        "curator": verdict.curator if verdict else None,
        "verdict_given_at": verdict.given_at.isoformat() if verdict else None,
        "styles": [_style(said, taken) for said, taken in zip(attempt.styles, attempt.inputs.styles, strict=True)],
        "marks_sha256": attempt.inputs.marks_sha256,
        "mask_sha256": attempt.inputs.mask_sha256,
        "models": [asdict(model) for model in attempt.models],
        "content_notes": attempt.content.notes,
        "style_notes": attempt.style.notes if attempt.style else (),
        "withheld": attempt.withheld,
        "trust_sha256": attempt.result.trust_sha256 if attempt.result else None,
        "content_archive_words": attempt.content.archive_words,
        "style_archive_words": attempt.style.archive_words if attempt.style else {},
    }


def _fault(marked: FaultEntry) -> dict[str, Any]:
    """What a curator finds wrong; the box in shares of the picture's width and height, None: all over it."""
    box = asdict(marked.fault.box) if marked.fault.box else None
    return {"kind": str(marked.fault.kind), "box": box, "curator": marked.curator}


def _measured(found: MeasurementEntry) -> dict[str, Any]:
    """What another encoder found; it stands apart from the attempt's own figures."""
    encoder = {"encoder": found.encoder.name, "encoder_checksum": found.encoder.checksum}
    return {**encoder, **asdict(found.errors), "measured_at": found.measured_at.isoformat()}


def _style(said: Description, taken: StyleInput) -> dict[str, Any]:
    """One of the styles in their order; the first one's words stand in columns of their own."""
    named = {"archive": said.archive, "identifier": said.identifier}
    return {**named, "sha256": taken.sha256, "registration": taken.registration}


def _said(side: str, said: Description | None) -> dict[str, Any]:
    if said is None:
        return dict.fromkeys(f"{side}_{key}" for key in _SAID)
    return {f"{side}_{key}": value for key, value in _words(said).items()}


def _words(said: Description) -> dict[str, Any]:
    return {
        "archive": said.archive,
        "identifier": said.identifier,
        "sha256": said.sha256,
        "title": said.title,
        "artists": said.artists,
        "cast": [{"role": role, "actor": actor} for role, actor in said.cast],
        "year_from": said.year_from,
        "year_to": said.year_to,
        "holder": said.holder,
        "credit_line": said.credit_line,
        "landing_url": said.landing_url,
        "rights_uri": said.rights_uri,
        "rights_derivatives": str(said.derivatives),
        "rights_basis": said.rights_basis,
    }


def _came_to(result: AttemptResult | None) -> dict[str, Any]:
    keys = ("device", "versions", "seed", "iterations", "seconds", *FIGURES)
    rest = ("measures", "trace", "error_class", "error_message", "transient")
    said = {key: getattr(result, key, None) for key in (*keys, *rest)}
    return said | {"error_message": without_paths(said["error_message"]) if said["error_message"] else None}
