"""Made sweeps for the tests of their tables, figures and report."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

from PIL import Image

from colorize.recipes.library import recipes
from colorize.recipes.recipe import Recipe
from db.entries.claim import Inputs, ModelKey, StyleInput
from db.entries.night import (
    AttemptEntry,
    AttemptResult,
    Description,
    EncoderKey,
    ImageEntry,
    Outcome,
    RecipeEntry,
    Tone,
)
from flows.settings import Settings
from flows.sweep.plan import SweepPlan, pattern_plan
from flows.sweep.published import BestOf
from flows.sweep.tables import ConfigRow, Spread

REAL, RANDOM = EncoderKey("vgg19-oxford", "ab" * 32), EncoderKey("random-seeded", "cd" * 32)


def image(number: int) -> ImageEntry:
    return ImageEntry(number, f"{number:064}", 40, 30, Tone.GRAYSCALE if number < 10 else Tone.COLOUR)


def description(number: int, identifier: str = "") -> Description:
    return Description(
        image_id=number, sha256=f"{number:064}", archive="folder", identifier=identifier or f"picture-{number}",
        title="", artists=(), cast=(), year_from=None, year_to=None, holder="", credit_line="", landing_url=None,
        rights_uri=None,
    )  # fmt: skip


def attempt(recipe: Recipe, pair: tuple[int, int] = (1, 11), **figures: float) -> AttemptEntry:
    """A succeeded attempt, or a rejected or failed one by `outcome`."""
    content, style = figures.get("content", 0.25), figures.get("style", 0.5)
    result = AttemptResult(
        Outcome.SUCCEEDED, "cpu", {}, content_error_mean=content, style_error_mean=style,
        total_error_mean=content + style,
        measures={"lightness_ssim": 0.9, "colourfulness": figures.get("colour", 20.0)},
        trace=({"iteration": 0, "total": 100.0}, {"iteration": 2, "total": figures.get("loss", 50.0)}),
    )  # fmt: skip
    return AttemptEntry(
        id=1, number=1, batch_id=1, match_id=pair[0] * 100 + pair[1], outcome=Outcome.SUCCEEDED,
        content=description(pair[0]), styles=(description(pair[1]),), inputs=Inputs((StyleInput("0" * 64),)),
        models=(ModelKey("encoder", REAL.name, REAL.checksum),), score=None, reasons={},
        recipe=RecipeEntry(recipe.name, recipe.data(), recipe.digest()), encoder=REAL, result=result,
        output_sha256=None, closed_at=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip


def closed(entry: AttemptEntry, outcome: Outcome) -> AttemptEntry:
    """The same with another outcome; a failed one has no figures."""
    if outcome is Outcome.FAILED:
        return replace(entry, outcome=outcome, result=AttemptResult(outcome, "cpu", {}, error_message="gone"))
    assert entry.result is not None
    return replace(entry, outcome=outcome, result=replace(entry.result, outcome=outcome))


def jadh(pattern: str = "jadh2016/*", **given: int) -> SweepPlan:
    return pattern_plan(Settings.model_validate(given), [pattern])


def rows_of(means: dict[str, tuple[float, float, float]]) -> list[ConfigRow]:
    """A row for each of the paper's 36: content 1, style 1 and colourfulness 20, but for those named (`3_1_4`)."""
    rows = []
    for name, recipe in recipes().items():
        if name.startswith("jadh2016/"):
            content, style, colour = means.get(name.removeprefix("jadh2016/config"), (1.0, 1.0, 20.0))
            figures = {"content error": content, "style error": style, "total error": content + style}
            spreads = {key: Spread(value, 0.1) for key, value in (figures | {"colourfulness": colour}).items()}
            rows.append(ConfigRow(recipe, 6, Counter({"succeeded": 6}), spreads))
    return rows


def colours(data: bytes) -> int:
    return len(set(Image.open(BytesIO(data)).convert("RGB").resize((200, 200)).get_flattened_data()))


def verdicts(lines: Sequence[BestOf]) -> list[str]:
    return [line.agrees for line in lines]
