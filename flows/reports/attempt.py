"""One attempt with all that stands beside it, in words or as JSON, and its losses as a table or drawn as PNG.

`nishiki show` prints it. Reads the catalogue and knows neither Prefect nor torch, so that it answers at once;
matplotlib loads only where a figure is drawn. Losses stand on a logarithmic axis, since style falls by orders of
magnitude.
"""

import errno
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

from rich.table import Table

from db.catalogue import Catalogue
from db.entries.measured import ErrorFigures, MeasurementEntry
from db.entries.night import AttemptEntry, AttemptResult, Description, Outcome, VerdictEntry
from db.errors import PictureMissing, UnknownEntry
from db.files.atomic import write_whole
from flows.reports.encoder_note import weights_sentence

_DESCRIPTIVE = ("name", "provenance", "reason", "encoder")
"""What of a recipe's data says whence it is; the rest decides the result."""
TERMS = {"total": "total", "content": "content", "style": "style", "tv": "variation"}
"""Loss terms of a trace and their names; the parts, drawn last, lie over the total, their sum."""
LEAST = 1e-6
"""Of the greatest loss: what is less is left out of the drawing, since content may begin at a rounding error."""
ROWS = 13
"""Points of a trace that a table shows at most."""


@dataclass(frozen=True)
class Shown:
    """An attempt, the latest verdict on it, where its pictures lie, and what other encoders found of it."""

    attempt: AttemptEntry
    verdict: VerdictEntry | None
    files: Mapping[str, Path | None]
    """Original, style prints, result, map of trust; None where the file is gone. What never was has no key."""
    measurements: Sequence[MeasurementEntry] = ()


def look_up(catalogue: Catalogue, attempt_id: int) -> Shown:
    """What the catalogue holds of an attempt, pending ones too.

    Raises:
        UnknownEntry: there is no such attempt.
    """
    attempt = catalogue.attempt(attempt_id)
    styles = {_style_name(place): said.sha256 for place, said in enumerate(attempt.styles)}
    trust = attempt.result.trust_sha256 if attempt.result else None
    names = {"original": attempt.content.sha256, **styles, "result": attempt.output_sha256, "map of trust": trust}
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
    of_match = "" if attempt.match_id is None else f" of match {attempt.match_id}"
    yield "attempt", f"{attempt.id}, number {attempt.number}{of_match}, in batch {attempt.batch_id}"
    yield "outcome", _outcome(attempt)
    if attempt.withheld:
        yield "withheld", "its pictures may not be used any more; the review page shows none of them"
    yield "verdict", _verdict(shown.verdict)
    yield from _print("record", attempt.content)
    for place, style in enumerate(attempt.styles):
        yield from _print(_style_name(place), style)
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


def _style_name(place: int) -> str:
    return f"style print {place + 1}" if place else "style print"


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
    yield "  file", " ".join(said.notes)


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


@dataclass(frozen=True)
class Curve:
    """One weighted loss term, as far as a logarithmic axis shows it."""

    name: str
    iterations: Sequence[int]
    losses: Sequence[float]
    """NaN where there is nothing to draw."""
    not_finite: int
    """Losses that were NaN or infinite; the catalogue keeps both as unknown."""

    @property
    def empty(self) -> bool:
        """Is there no point to draw?"""
        return all(map(math.isnan, self.losses))


def curves(trace: Sequence[Mapping[str, Any]]) -> list[Curve]:
    """The trace by term; what is not finite, not above 0 or next to nothing becomes NaN."""
    iterations = [int(point["iteration"]) for point in trace]
    terms = {name: [_number(point.get(term)) for point in trace] for term, name in TERMS.items()}
    finite = (loss for losses in terms.values() for loss in losses if math.isfinite(loss))
    least = LEAST * max(finite, default=0.0)
    return [
        Curve(
            name,
            iterations,
            [loss if least < loss < math.inf else math.nan for loss in losses],
            sum(not math.isfinite(loss) for loss in losses),
        )
        for name, losses in terms.items()
    ]


def remarks(attempt: AttemptEntry) -> Iterator[str]:
    """What a drawing does not show."""
    for curve in _curves(attempt):
        if curve.not_finite:
            yield f"{curve.name}: {curve.not_finite} of {len(curve.losses)} losses are not finite numbers"
        elif curve.empty:
            yield f"{curve.name}: 0 or nearly 0 throughout"


def loss_table(attempt: AttemptEntry) -> Table:
    """The trace in numbers: the first point, the last, and some at equal steps between.

    Raises:
        UnknownEntry: there is nothing to show.
    """
    _drawn(attempt)
    table = Table(title="Weighted losses", title_justify="left")
    for name in ("iteration", *TERMS.values()):
        table.add_column(name, justify="right")
    points = attempt.result.trace if attempt.result else ()
    for place in sorted({round((len(points) - 1) * row / (ROWS - 1)) for row in range(ROWS)}):
        table.add_row(str(points[place]["iteration"]), *(_loss(points[place].get(term)) for term in TERMS))
    return table


def _loss(loss: float | None) -> str:
    return "unknown" if loss is None or not math.isfinite(loss) else f"{loss:.4g}"


def write_figure(shown: Shown, path: Path) -> None:
    """Write the trace as PNG, whole or not at all, over an earlier figure.

    Raises:
        UnknownEntry: there is nothing to draw.
        OSError: it cannot be written there, or a picture of the attempt would be lost.
    """
    attempt = shown.attempt
    drawn = _drawn(attempt)
    _check_place(shown, path)
    from matplotlib.figure import Figure  # noqa: PLC0415  (0.3 s)

    figure = Figure(figsize=(9, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for curve in drawn:
        width = 4 if curve.name == "total" else 1.5  # where one part makes up the total, both are seen
        axes.plot(curve.iterations, curve.losses, marker=".", linewidth=width, label=curve.name)
    axes.set_yscale("log")
    axes.set_ylabel("weighted loss")
    axes.set_xlabel("\n".join(["iteration", *remarks(attempt)]))
    axes.set_title(_title(attempt), parse_math=False)
    axes.grid(alpha=0.3)
    axes.legend()
    data = BytesIO()
    figure.savefig(data, format="png", metadata=_metadata(attempt))
    write_whole(path, data.getvalue())


def _curves(attempt: AttemptEntry) -> list[Curve]:
    return curves(attempt.result.trace if attempt.result else ())


def _drawn(attempt: AttemptEntry) -> list[Curve]:
    """The curves that have a point, the total first.

    Raises:
        UnknownEntry: none has; the message says why.
    """
    drawn = [curve for curve in _curves(attempt) if not curve.empty]
    if not drawn:
        raise UnknownEntry(f"attempt {attempt.id} has no trace to draw: {_why_none(attempt)}")
    return drawn


def _why_none(attempt: AttemptEntry) -> str:
    if attempt.result is None:
        return "it is pending; `nishiki resume` carries it on"
    if attempt.outcome is Outcome.FAILED:
        return "it failed, and only a result brings one"
    if not attempt.result.trace:
        return f"{attempt.recipe.name} came to its result without iterations"
    return "none of its losses is a finite number above 0"


def _check_place(shown: Shown, path: Path) -> None:
    """Before the work: is there a place for the figure that is not a picture of the attempt?"""
    if path.is_dir() or not path.parent.is_dir():
        raise OSError(errno.ENOENT, "no figure can be written there; name a file in a folder that exists", str(path))
    if path.resolve() in {file.resolve() for file in shown.files.values() if file}:
        raise OSError(errno.EEXIST, "is a picture of the catalogue; name another --png", str(path))


def _number(loss: float | None) -> float:
    return math.nan if loss is None else loss


def _title(attempt: AttemptEntry) -> str:
    """In letters that the figure's font has: an operator may name weights as they like."""
    encoder = f"encoder {attempt.encoder.name} ({attempt.encoder.checksum[:12]})"
    words = f"Machine-colorized attempt {attempt.id}, {attempt.recipe.name}, {encoder}"
    return words.encode("ascii", "replace").decode()


def _metadata(attempt: AttemptEntry) -> dict[str, str]:
    prints = " in the colours of ".join(
        filter(None, (attempt.content.identifier, " and ".join(said.identifier for said in attempt.styles)))
    )
    encoder = f"{attempt.encoder.name} ({attempt.encoder.checksum})"
    recipe = f"{attempt.recipe.name} ({attempt.recipe.digest})"
    return {
        "Title": f"Loss terms of machine-colorized attempt {attempt.id}",
        "Description": f"{prints}; recipe {recipe}; encoder {encoder}",
        "Software": f"nishiki {version('nishiki')}",
    }
