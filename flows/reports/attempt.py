"""One attempt with all that stands beside it, in words or as JSON; `nishiki show` prints it.

Reads the catalogue and knows neither Prefect nor torch, so that it answers at once. `flows.reports.loss_trace` draws.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from db.catalogue import Catalogue
from db.entries.measured import ErrorFigures, MeasurementEntry
from db.entries.night import AttemptEntry, AttemptResult, Description, Outcome, VerdictEntry
from db.errors import PictureMissing
from flows.reports.encoder_note import weights_sentence

_DESCRIPTIVE = ("name", "provenance", "reason", "encoder")
"""What of a recipe's data says whence it is; the rest decides the result."""


@dataclass(frozen=True)
class Shown:
    """An attempt, the latest verdict on it, where its pictures lie, and what other encoders found of it."""

    attempt: AttemptEntry
    verdict: VerdictEntry | None
    files: Mapping[str, Path | None]
    """Original, style print and result; None where the file is gone. A result that never was has no key."""
    measurements: Sequence[MeasurementEntry] = ()


def look_up(catalogue: Catalogue, attempt_id: int) -> Shown:
    """What the catalogue holds of an attempt, pending ones too.

    Raises:
        UnknownEntry: there is no such attempt.
    """
    attempt = catalogue.attempt(attempt_id)
    names = {"original": attempt.content.sha256, "style print": attempt.style.sha256, "result": attempt.output_sha256}
    files = {name: _path(catalogue, sha256) for name, sha256 in names.items() if sha256 is not None}
    verdict = catalogue.verdicts([attempt.id]).get(attempt.id)
    return Shown(attempt, verdict, files, catalogue.measurements([attempt.id]).get(attempt.id, []))


def to_json(shown: Shown) -> str:
    """One object: the attempt's entry with everything in it, its trace too, then verdict and files."""
    beside = {
        "verdict": shown.verdict and asdict(shown.verdict),
        "files": shown.files,
        "measurements": [asdict(each) for each in shown.measurements],
    }
    return json.dumps({**asdict(shown.attempt), **beside}, ensure_ascii=False, default=str)


def attempt_lines(shown: Shown) -> Iterator[str]:
    """A line for each thing to be said, its name first; texts of archives and curators are kept to one line."""
    for name, text in _said(shown):
        if text:
            yield f"{name:<14}{' '.join(text.splitlines())}"


def _said(shown: Shown) -> Iterator[tuple[str, str]]:
    attempt, result = shown.attempt, shown.attempt.result
    yield "attempt", f"{attempt.id}, number {attempt.number} of match {attempt.match_id}, in batch {attempt.batch_id}"
    yield "outcome", _outcome(attempt)
    yield "verdict", _verdict(shown.verdict)
    yield from _print("record", attempt.content)
    yield from _print("style print", attempt.style)
    yield "match", "" if attempt.score is None else f"score {attempt.score:.4f}"
    yield "  reasons", _listed(attempt.reasons)
    recipe = attempt.recipe
    yield "recipe", f"{recipe.name}, {recipe.data.get('provenance', 'of unknown provenance')} ({recipe.digest[:12]})"
    yield "  parameters", _listed({key: value for key, value in recipe.data.items() if key not in _DESCRIPTIVE})
    yield "  source", str(recipe.data.get("reason", ""))
    yield "encoder", weights_sentence(attempt.encoder, recipe).removeprefix("Encoder: ")
    if result:
        yield from _result(result)
    for found in shown.measurements:
        yield from _measured(found)
    for name, path in shown.files.items():
        yield name, "the file is gone; `nishiki doctor` tells what else is" if path is None else str(path)


def _outcome(attempt: AttemptEntry) -> str:
    result = attempt.result
    if result is None:
        return "pending: nobody has colorized it yet; `nishiki dispatch` and `nishiki resume` carry it on"
    said = f"{result.outcome}{_at(attempt.closed_at)}"
    if result.error_message:
        said += f": {result.error_message}"
    if result.outcome is Outcome.FAILED:
        said += f" ({result.error_class}; {'it may be tried again' if result.transient else 'it is not tried again'})"
    return said


def _verdict(verdict: VerdictEntry | None) -> str:
    if verdict is None:
        return "none yet"
    why = "; ".join(filter(None, (verdict.reason, verdict.note)))
    return f"{verdict.verdict} by {verdict.curator}{_at(verdict.given_at)}{f': {why}' if why else ''}"


def _print(name: str, said: Description) -> Iterator[tuple[str, str]]:
    yield name, f"{said.identifier} ({said.archive})"
    yield "  title", said.title
    yield "  artists", ", ".join(said.artists)
    cast = (f"{actor or 'unknown'} as {role}" if role else actor for role, actor in said.cast)
    yield "  actors", ", ".join(filter(None, cast))
    yield "  holder", said.holder
    yield "  credit", said.credit_line
    basis = ", ".join(filter(None, (said.rights_basis, said.rights_uri)))
    yield "  rights", f"derivatives: {said.derivatives}{f' ({basis})' if basis else ''}"
    yield "  page", said.landing_url or ""


def _result(result: AttemptResult) -> Iterator[tuple[str, str]]:
    yield "device", result.device
    if result.outcome is not Outcome.FAILED:
        seed = "" if result.seed is None else f", seed {result.seed}"
        yield "work", f"{result.iterations} iterations in {result.seconds:.1f} s{seed}"
    yield "  versions", _listed(result.versions)
    if result.output:
        yield "  size", f"{result.output.width}×{result.output.height} px"
    yield "errors", _errors(result, "mean")
    yield "  sums", _errors(result, "sum")
    yield "measures", _listed(result.measures)


def _measured(found: MeasurementEntry) -> Iterator[tuple[str, str]]:
    yield "measured by", f"{found.encoder.name} ({found.encoder.checksum[:12]}){_at(found.measured_at)}"
    yield "  errors", _errors(found.errors, "mean")
    yield "  sums", _errors(found.errors, "sum")


def _errors(result: AttemptResult | ErrorFigures, form: str) -> str:
    """Relative errors as means over elements (in [0, 2], the total in [0, 4]) or as printed, as sums."""
    figures = {part: getattr(result, f"{part}_error_{form}") for part in ("content", "style", "total")}
    if all(figure is None for figure in figures.values()):
        return ""
    return _listed(figures)


def _listed(data: Mapping[str, Any]) -> str:
    return "; ".join(f"{key.replace('_', ' ')} {_value(value)}" for key, value in data.items())


def _value(value: Any) -> str:
    match value:
        case None:
            return "unknown"
        case float():
            return f"{value:.4g}"
        case list() | tuple():
            return ", ".join(map(_value, value))
    return str(value)


def _at(time: datetime | None) -> str:
    return "" if time is None else f", {time:%Y-%m-%d %H:%M} UTC"


def _path(catalogue: Catalogue, sha256: str) -> Path | None:
    try:
        return catalogue.pictures.path(sha256)
    except PictureMissing:
        return None
