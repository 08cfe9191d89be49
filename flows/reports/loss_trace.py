"""Draws an attempt's trace, the loss terms over the iterations, in the terminal and as PNG.

`nishiki show --trace` calls it. Losses stand on a logarithmic axis, since style falls by orders of magnitude.
plotext and matplotlib, which no other command waits for, load inside the functions.
"""

import errno
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from rich.text import Text

from db.entries.night import AttemptEntry, Outcome
from db.errors import UnknownEntry
from db.files.atomic import write_whole
from flows.reports.attempt import Shown

TERMS = {"total": "total", "content": "content", "style": "style", "tv": "variation"}
"""Loss terms and their names, whose first letters draw them; the parts, drawn last, lie over the total, their sum."""
LEAST = 1e-6
"""Of the greatest loss: what is less is left out, since content may begin at a rounding error."""
WIDTH, HEIGHT = 160, 20
"""Columns and lines that the drawing takes at most."""


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
            yield f"{curve.name}: {curve.not_finite} of {len(curve.losses)} losses are no finite numbers"
        elif curve.empty:
            yield f"{curve.name}: 0, or next to it, throughout"


def drawing(attempt: AttemptEntry) -> Text:
    """The trace in letters, as wide as the terminal, and what they mean.

    Raises:
        UnknownEntry: there is nothing to draw.
    """
    from plotext import figure  # type: ignore[import-untyped]  # noqa: PLC0415  (0.25 s)

    drawn = _drawn(attempt)
    figure.clear()
    figure.plot_size(min(WIDTH, get_terminal_size().columns), HEIGHT)
    figure.theme("simple")
    figure.legend(active=False)  # it would lie over the curves
    for curve in drawn:
        figure.draw(_signal(figure, curve))
    decades, ticks = _decades(drawn), _ticks(drawn[0].iterations)
    figure.ruler("y").lim(decades[0], decades[-1])
    figure.ruler("y").ticks(decades, [f"{10.0**decade:g}" for decade in decades])
    figure.ruler("x").lim(ticks[0] - 0.5, ticks[-1] + 0.5)
    figure.ruler("x").ticks(ticks, list(map(str, ticks)))
    figure.label("iteration", "x")
    text = Text.from_ansi(figure.build().string().removesuffix("\n"))
    key = ", ".join(f"{curve.name[0]} {curve.name}" for curve in drawn)
    return text.append(f"\nWeighted losses: {key}; a letter may lie over another.")


def _signal(figure: Any, curve: Curve) -> Any:
    """Its points, joined where no loss is missing between them; plotext ends the process when it meets a NaN."""
    kept = [place for place, loss in enumerate(curve.losses) if not math.isnan(loss)]
    exponents = [math.log10(curve.losses[place]) for place in kept]
    signal = figure.signal([curve.iterations[place] for place in kept], exponents, marker=curve.name[0])
    for index, (before, after) in enumerate(pairwise(kept), start=1):
        signal.line(index, after == before + 1)
    return signal


def _decades(drawn: Sequence[Curve]) -> list[int]:
    """Powers of ten around all losses; `LEAST` keeps them few."""
    exponents = [math.log10(loss) for curve in drawn for loss in curve.losses if not math.isnan(loss)]
    low = math.floor(min(exponents))
    return list(range(low, max(math.ceil(max(exponents)), low + 1) + 1))


def _ticks(iterations: Sequence[int]) -> list[int]:
    """The first, the last and three between, as far as there are so many."""
    first, last = iterations[0], iterations[-1]
    return sorted({first + round((last - first) * quarter / 4) for quarter in range(5)})


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
    """Before the work: is there a place for the figure that is no picture of the attempt?"""
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
    prints = f"{attempt.content.identifier} in the colours of {attempt.style.identifier}"
    encoder = f"{attempt.encoder.name} ({attempt.encoder.checksum})"
    recipe = f"{attempt.recipe.name} ({attempt.recipe.digest})"
    return {
        "Title": f"Loss terms of machine-colorized attempt {attempt.id}",
        "Description": f"{prints}; recipe {recipe}; encoder {encoder}",
        "Software": f"nishiki {version('nishiki')}",
    }
