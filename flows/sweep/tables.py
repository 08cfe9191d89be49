"""What a sweep came to, in numbers: its attempts, and mean and spread of their figures per configuration.

`flows.sweep.report` writes what is made here. Knows no catalogue, no Prefect and draws nothing.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from statistics import fmean, stdev

from colorize.recipes.recipe import Recipe
from db.entries.night import AttemptEntry, AttemptResult, Description, EncoderKey, ImageEntry, Outcome
from flows.plan import recipe_entry
from flows.reports.encoder_note import weights_sentence
from flows.sweep.plan import SweepPlan

ERRORS: Mapping[str, str] = {
    "content error": "content_error_mean",
    "style error": "style_error_mean",
    "total error": "total_error_mean",
}
"""Relative errors as they are called here, and the fields that hold their means over elements."""
LABEL = "machine-colorized"
SHOWN = (*ERRORS, "lightness_ssim", "chroma_mean", "colourfulness")
"""Figures that a screen has room for; page and CSV hold every measure."""
OUTCOMES = (Outcome.REJECTED, Outcome.FAILED)


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation (sample, n−1) of a figure over a configuration's attempts."""

    mean: float
    deviation: float | None
    """None: there is one attempt only."""

    def __str__(self) -> str:
        return _short(self.mean) + ("" if self.deviation is None else f" ± {_short(self.deviation)}")


@dataclass(frozen=True)
class ConfigRow:
    """One configuration: what became of its attempts, and their figures."""

    recipe: Recipe
    expected: int
    """Pairs of the sweep."""
    outcomes: Counter[str]
    figures: Mapping[str, Spread]
    """By name; rejected attempts have figures and count, failed ones have none."""

    @property
    def attempts(self) -> int:
        """Those with an outcome."""
        return self.outcomes.total()

    @property
    def counts(self) -> dict[str, int]:
        """Attempts, those that failed or were rejected, and pairs without one."""
        bad = {str(outcome): self.outcomes[outcome] for outcome in OUTCOMES}
        return {"attempts": self.attempts, **bad, "missing": self.expected - self.attempts}

    @property
    def told(self) -> str:
        """The counts in words: `6`, or `5 (2 rejected, 1 missing)`."""
        rest = ", ".join(f"{count} {word}" for word, count in self.counts.items() if count and word != "attempts")
        return f"{self.attempts} ({rest})" if rest else str(self.attempts)


@dataclass(frozen=True)
class SweptPairs:
    """What a sweep set side by side."""

    plan: SweepPlan
    encoder: EncoderKey
    contents: Sequence[ImageEntry]
    styles: Sequence[ImageEntry]
    match_ids: Sequence[int]


@dataclass(frozen=True)
class Findings:
    """Everything that the report is made of."""

    swept: SweptPairs
    attempts: Sequence[AttemptEntry]
    rows: Sequence[ConfigRow]
    descriptions: Mapping[int, Description]

    @cached_property
    def title(self) -> str:
        """What every figure says of itself."""
        attempts = _counted(len(self.closed), "attempt")
        return f"{self.swept.plan.name}: {self.extent}, {attempts}, {self.swept.plan.run}. {self.encoder}"

    @cached_property
    def encoder(self) -> str:
        """What is said of the encoder beside every table and figure."""
        return weights_sentence(self.swept.encoder, *map(recipe_entry, self.swept.plan.recipes))

    @cached_property
    def extent(self) -> str:
        """`2 contents × 3 styles × 36 configurations`."""
        counts = {"content": self.swept.contents, "style": self.swept.styles, "configuration": self.rows}
        return " × ".join(_counted(len(some), word) for word, some in counts.items())

    @cached_property
    def closed(self) -> list[AttemptEntry]:
        """Attempts with an outcome."""
        return [attempt for attempt in self.attempts if attempt.outcome is not None]

    @cached_property
    def failed(self) -> list[tuple[str, str]]:
        """Configuration and pair, and why there is no picture."""
        failed = [each for each in self.closed if each.outcome is Outcome.FAILED]
        pairs = [" × ".join(said.identifier for said in (each.content, *each.styles)) for each in failed]
        reasons = [(each.result and each.result.error_message) or "" for each in failed]
        return [(f"{each.recipe.name}, {pair}", why) for each, pair, why in zip(failed, pairs, reasons, strict=True)]

    @cached_property
    def days(self) -> str:
        """When the attempts were closed: a report that is written again says the same."""
        days = sorted({attempt.closed_at.date().isoformat() for attempt in self.closed if attempt.closed_at})
        return " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "nothing yet"

    @cached_property
    def names(self) -> dict[tuple[int, str], str]:
        """(Image, what it is here) → `content 2` or `style 1`; names of files are on the page only."""
        both = (("content", self.swept.contents), ("style", self.swept.styles))
        return {(image.id, word): f"{word} {place}" for word, images in both for place, image in enumerate(images, 1)}


def config_rows(recipes: Sequence[Recipe], attempts: Sequence[AttemptEntry], pairs: int) -> list[ConfigRow]:
    """A row for each recipe, in their order."""
    rows = []
    for recipe in recipes:
        digest = recipe.digest()
        closed = [each for each in attempts if each.recipe.digest == digest and each.outcome is not None]
        outcomes = Counter(str(each.outcome) for each in closed)
        rows.append(ConfigRow(recipe, pairs, outcomes, _spreads([each.result for each in closed if each.result])))
    return rows


def figure_names(rows: Sequence[ConfigRow]) -> list[str]:
    """Every figure that any row has: errors, then measures as they were taken."""
    return list(dict.fromkeys([*ERRORS, *(name for row in rows for name in row.figures)]))


def cells(rows: Sequence[ConfigRow], names: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """The table of these figures for a person: header, and rows of words."""
    header = ["configuration", "attempts", *(name.replace("_", " ") for name in names)]
    body = [[row.recipe.name, row.told, *(str(row.figures.get(name, "")) for name in names)] for row in rows]
    return header, body


def table_csv(rows: Sequence[ConfigRow]) -> str:
    """The table for a program: full precision, `_sd` columns beside the means, empty where there is no figure."""
    names = figure_names(rows)
    plain = [name.replace(" ", "_") for name in names]
    columns = [column for name in plain for column in (name, f"{name}_sd")]
    header = ["configuration", "attempts", *map(str, OUTCOMES), "missing", *columns]
    return csv_text([header, *([row.recipe.name, *row.counts.values(), *_numbers(row, names)] for row in rows)])


def csv_text(rows: Sequence[Sequence[object]]) -> str:
    """Rows as CSV."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _numbers(row: ConfigRow, names: Sequence[str]) -> Iterator[float | None]:
    for name in names:
        spread = row.figures.get(name)
        yield spread.mean if spread else None
        yield spread.deviation if spread else None


def _spreads(results: Sequence[AttemptResult]) -> dict[str, Spread]:
    values: dict[str, list[float]] = {name: [] for name in ERRORS}
    for result in results:
        found = {name: getattr(result, column) for name, column in ERRORS.items()} | dict(result.measures)
        for name, value in found.items():
            if value is not None:
                values.setdefault(name, []).append(value)
    return {name: Spread(fmean(some), stdev(some) if len(some) > 1 else None) for name, some in values.items() if some}


def _short(value: float) -> str:
    """Three decimals where they tell something, one for large figures."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
