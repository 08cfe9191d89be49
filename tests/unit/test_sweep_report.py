"""The report of a sweep: figures are counted rightly, J's word stands beside ours, and what is drawn is not blank."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from colorize.errors import UnknownRecipe
from colorize.images import Pixels
from colorize.recipe import Recipe, recipe_named, recipes
from db.entries import (
    AttemptEntry,
    AttemptResult,
    Description,
    EncoderKey,
    ImageEntry,
    ImageFacts,
    Outcome,
    RecipeEntry,
    Tone,
)
from db.images import PictureStore
from flows.settings import Settings
from flows.sweep_best import BestOf, best_of, rank_of
from flows.sweep_figures import Sample, error_bars, loss_curves, png, sample_pictures, svg
from flows.sweep_plan import SweepPlan, pattern_plan, preset_plan
from flows.sweep_report import SweepReport, sweep_name, write_report
from flows.sweep_tables import ConfigRow, Findings, Spread, SweptPairs, cells, config_rows, table_csv
from flows.sweep_words import closing_lines, sweep_tables

REAL, RANDOM = EncoderKey("vgg19-oxford", "ab" * 32), EncoderKey("random-seeded", "cd" * 32)
HOSTILE = '"><script src="https://evil.example/x.js"></script> $\\frac{1}{2}$ {{ 7 * 7 }}'


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
        total_error_mean=content + style, measures={"luma_ssim": 0.9, "colourfulness": figures.get("colour", 20.0)},
        trace=({"iteration": 0, "total": 100.0}, {"iteration": 2, "total": figures.get("loss", 50.0)}),
    )  # fmt: skip
    return AttemptEntry(
        id=1, number=1, batch_id=1, match_id=pair[0] * 100 + pair[1], outcome=Outcome.SUCCEEDED,
        content=description(pair[0]), style=description(pair[1]), score=None, reasons={},
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
    """A row for each of J's 36: content 1, style 1 and colourfulness 20, but for those named (`3_1_4`)."""
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


def test_mean_and_deviation_are_taken_over_measured_attempts_rejected_ones_too() -> None:
    recipe = recipe_named("jadh2016/config3_3_4")
    attempts = [
        attempt(recipe, (1, 11), content=0.2),
        closed(attempt(recipe, (1, 12), content=0.4), Outcome.REJECTED),
        closed(attempt(recipe, (1, 13)), Outcome.FAILED),
        replace(attempt(recipe, (1, 14)), outcome=None, result=None),
    ]
    (row,) = config_rows([recipe], attempts, pairs=5)
    assert row.counts == {"attempts": 3, "rejected": 1, "failed": 1, "missing": 2}
    assert row.figures["content error"].mean == pytest.approx(0.3)
    assert row.figures["content error"].deviation == pytest.approx(np.std([0.2, 0.4], ddof=1))
    assert str(row.figures["content error"]) == "0.300 ± 0.141"


def test_a_recipe_of_the_same_name_run_otherwise_is_not_counted() -> None:
    recipe = recipe_named("jadh2016/config3_3_4")
    (row,) = config_rows([recipe], [attempt(recipe.changed(iterations=7))], pairs=1)
    assert (row.attempts, row.figures, row.counts["missing"]) == (0, {}, 1)


def test_one_attempt_has_no_deviation_and_the_csv_leaves_it_empty() -> None:
    plan = jadh("jadh2016/config1_1_[12]")
    table = table_csv(config_rows(plan.recipes, [attempt(plan.recipes[1], content=1 / 3)], pairs=1))
    first, second = csv.DictReader(StringIO(table))
    assert (first["configuration"], first["attempts"], first["content_error"]) == ("jadh2016/config1_1_1", "0", "")
    assert float(second["content_error"]) == 1 / 3
    assert (second["content_error_sd"], float(second["luma_ssim"])) == ("", 0.9)


def test_the_table_keeps_the_order_of_the_recipes_and_every_measure() -> None:
    plan = jadh("jadh2016/config2_*")
    attempts = [attempt(recipe) for recipe in reversed(plan.recipes)]
    header, body = cells(config_rows(plan.recipes, attempts, pairs=1))
    assert [line[0] for line in body] == [recipe.name for recipe in plan.recipes]
    assert header[:5] == ["configuration", "attempts", "rejected", "failed", "missing"]
    assert header[5:] == ["content error", "style error", "total error", "luma ssim", "colourfulness"]


def test_where_every_word_of_j_holds_the_table_says_yes() -> None:
    means = {
        "3_1_4": (0.1, 1.0, 20.0), "2_3_1": (1.0, 0.1, 30.0), "3_3_1": (0.5, 0.2, 30.0), "3_3_4": (0.4, 1.0, 10.0),
    }  # fmt: skip
    lines = best_of(rows_of(means))
    assert verdicts(lines) == ["yes"] * 4 + ["J does not say"] * 2 + ["yes"] * 2
    assert lines[0].ours == "jadh2016/config3_1_4, 0.100 ± 0.100"
    assert lines[3].ours == "place 2 of 36"
    assert lines[3].here == "0.400 ± 0.100, place 2 of 36"


def test_where_no_word_of_j_holds_the_table_says_no() -> None:
    better = {f"1_{y}_{z}": (0.1 * z, 0.3, 20.0) for y in (1, 2) for z in (1, 2, 3, 4)}
    lines = best_of(rows_of(better | {"3_3_4": (0.9, 1.0, 50.0)}))
    assert verdicts(lines) == ["no"] * 4 + ["J does not say"] * 2 + ["no"] * 2
    assert lines[3].ours == "place 9 of 36"
    assert lines[0].here == "1.000 ± 0.100, place 10 of 36"


def test_a_best_that_stayed_gray_says_so() -> None:
    rows = rows_of({"1_1_4": (0.0, 1.0, 0.0)})
    gray = next(row for row in rows if row.recipe.name.endswith("1_1_4"))
    rows[rows.index(gray)] = replace(gray, outcomes=Counter({"succeeded": 1, "rejected": 5}))
    assert best_of(rows)[0].ours == "jadh2016/config1_1_4, 0.000 ± 0.100 (5 of 6 rejected)"


def test_a_sweep_of_part_of_js_recipes_says_what_is_not_in_it_and_one_of_none_has_no_table() -> None:
    part = [row for row in rows_of({}) if "config1_" in row.recipe.name]
    assert set(verdicts(best_of(part))) == {"not measured here"}
    assert best_of([]) == []
    assert rank_of([replace(part[0], figures={})], "content error", part[0].recipe.name) is None


def test_equal_means_share_the_better_place() -> None:
    rows = rows_of({"1_1_1": (0.5, 1.0, 20.0)})
    assert rank_of(rows, "content error", "jadh2016/config1_1_1") == (1, 36)
    assert {rank_of(rows, "content error", row.recipe.name) for row in rows[1:]} == {(2, 36)}


def test_a_shortened_sweep_passes_through_the_whole_decrease() -> None:
    short = {recipe.name: recipe for recipe in jadh("jadh2016/*", iterations=60, size=128).recipes}
    assert len(short) == 36
    assert Counter(recipe.schedule for recipe in short.values()) == {"fixed": 24, "share": 12}
    assert {(recipe.iterations, recipe.long_edge_px) for recipe in short.values()} == {(60, 128)}
    assert jadh("jadh2016/config3_3_4").recipes[0].schedule == "iteration"


def test_patterns_may_be_repeated_or_stand_with_commas_and_each_recipe_is_taken_once() -> None:
    plan = pattern_plan(Settings(), ["jadh2016/config1_1_*, asiagraph2016", "jadh2016/config1_1_1"])
    assert [recipe.name for recipe in plan.recipes] == [
        "asiagraph2016", *(f"jadh2016/config1_1_{z}" for z in (1, 2, 3, 4)),
    ]  # fmt: skip
    assert plan.name == "jadh2016-config1-1-asiagraph2016-jadh201"


def test_a_preset_is_the_four_of_the_paper_with_its_curves() -> None:
    plan = preset_plan(Settings(), "asiagraph2016-figure2")
    assert {(recipe.optimiser, recipe.schedule) for recipe in plan.recipes} == {
        ("sgd", "fixed"), ("sgd", "iteration"), ("lbfgs", "fixed"), ("lbfgs", "iteration"),
    }  # fmt: skip
    assert (len(plan.recipes), plan.loss_curves) == (4, True)


@pytest.mark.parametrize("word", ["jadh2017/*", "jadh2016", ""])
def test_an_unknown_configuration_is_answered_with_what_there_is(word: str) -> None:
    with pytest.raises(UnknownRecipe, match=r"there is asiagraph2016, .*jadh2016"):
        pattern_plan(Settings(), [word])


def test_an_unknown_preset_is_answered_with_what_there_is() -> None:
    with pytest.raises(UnknownRecipe, match=r"there is asiagraph2016-figure2"):
        preset_plan(Settings(), "figure2")


@pytest.mark.parametrize("encoder", [REAL, RANDOM])
def test_every_figure_is_entitled_with_its_encoder(encoder: EncoderKey) -> None:
    swept = SweptPairs(jadh(), encoder, [image(1)], [image(11)], [111])
    title = Findings(swept, [], rows_of({}), {}).title
    drawn = error_bars(rows_of({}), title), sample_pictures(["content"], [[Sample(None)]], title)
    said = [drawn[0].axes[0].get_title(loc="left"), drawn[1].get_suptitle()]
    for words in said:
        assert encoder.name in words
        assert ("nothing learned" in " ".join(words.split())) is (encoder is RANDOM)


def test_the_bars_of_all_configurations_are_drawn_as_pixels_and_as_lines() -> None:
    figure = error_bars(rows_of({"3_1_4": (0.1, 1.9, 20.0)}), "Relative errors. Encoder: 本 $x$.")
    assert len(figure.axes[0].patches) == 72
    assert [text.get_text() for text in figure.axes[0].texts].count("SGD") == 3
    drawn = png(figure)
    assert colours(drawn) > 20
    assert svg(figure).count(b"<path") > 72
    assert svg(figure).startswith(b"<?xml")


def test_a_sweep_of_which_nothing_is_measured_is_drawn_without_bars() -> None:
    (row, *_) = rows_of({})
    figure = error_bars([replace(row, figures={})], "Nothing yet.")
    assert len(figure.axes[0].patches) == 0
    assert png(figure)


def test_loss_curves_start_at_one_and_are_means_of_ratios() -> None:
    plan = preset_plan(Settings(), "asiagraph2016-figure2")
    first = plan.recipes[0]
    attempts = [attempt(first, loss=25.0), attempt(first, loss=1.0), attempt(plan.recipes[1], loss=float("nan"))]
    axes = loss_curves(plan.recipes, attempts, "Total loss.").axes[0]
    points = [np.asarray(line.get_xydata()).round(6).tolist() for line in axes.lines]
    assert points == [[[0, 1], [2, 0.05]], [[0, 1]]]
    assert png(loss_curves(plan.recipes, [], "Total loss."))


def test_samples_show_pictures_and_gaps() -> None:
    red = np.full((20, 30, 3), (250, 10, 20), np.uint8)
    data = png(sample_pictures(["content", "style"], [[Sample(red, "content 1"), Sample(None)]], "machine-colorized"))
    shown = np.asarray(Image.open(BytesIO(data)).convert("RGB")).reshape(-1, 3)
    assert (shown == (250, 10, 20)).all(1).mean() > 0.05
    assert (shown == (0xDD, 0xDD, 0xDD)).all(1).mean() > 0.05


def stored(store: PictureStore, shade: int, number: int) -> ImageEntry:
    pixels: Pixels = np.full((30, 40, 3), (shade, 90, 255 - shade), np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return replace(image(number), sha256=store.add(buffer.getvalue(), ".png"))


@pytest.fixture
def written(tmp_path: Path, request: pytest.FixtureRequest) -> SweepReport:
    """A report of two pairs and four configurations; one attempt has no picture."""
    encoder: EncoderKey = getattr(request, "param", REAL)
    store, plan = PictureStore(tmp_path / "pictures"), jadh("jadh2016/config3_3_*", iterations=60, size=128)
    contents, styles = [stored(store, 128, 1)], [stored(store, 10, 11), stored(store, 240, 12)]
    output = stored(store, 60, 20)
    facts = ImageFacts(output.sha256, 40, 30, "RGB", 9, Tone.COLOUR)
    attempts = []
    for style in styles:
        for recipe in plan.recipes:
            made = attempt(recipe, (1, style.id))
            assert made.result is not None
            attempts.append(replace(made, output_sha256=output.sha256, result=replace(made.result, output=facts)))
    attempts[-1] = closed(replace(attempts[-1], output_sha256=None), Outcome.FAILED)
    swept = SweptPairs(plan, encoder, contents, styles, [111, 112])
    settings = Settings.model_validate({"home": tmp_path})
    described = {image.id: description(image.id, HOSTILE) for image in (*contents, *styles)}
    findings = Findings(swept, attempts, config_rows(plan.recipes, attempts, pairs=2), described)
    return write_report(findings, store, settings)


def test_the_report_is_a_folder_of_figures_tables_and_a_page(written: SweepReport) -> None:
    folder = written.page.parent
    assert sorted(path.name for path in folder.iterdir()) == [
        "best_of.csv", "figure.png", "figure.svg", "index.html", "samples.png", "table.csv",
    ]  # fmt: skip
    for name in ("figure.png", "samples.png"):
        assert colours((folder / name).read_bytes()) > 20
    assert len((folder / "table.csv").read_text(encoding="utf-8").splitlines()) == 5
    assert len((folder / "best_of.csv").read_text(encoding="utf-8").splitlines()) == 9
    assert folder.name.startswith("jadh2016-config3-3-")


def test_the_page_stands_alone_and_tells_encoder_recipes_and_protocol(written: SweepReport) -> None:
    text = written.page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 2
    for words in (
        "vgg19-oxford", "ab" * 32, "60 iterations, 128 px", "machine-colorized", "reconstructed", "is not at hand",
        "2026-01-02", "8 attempts of\n8 have an outcome", "JADH 2016",
    ):  # fmt: skip
        assert words in text
    assert "<script" not in text
    assert text.count("{{ 7 * 7 }}") == 3  # files' names are only words


@pytest.mark.parametrize("written", [RANDOM], indirect=True)
def test_random_weights_are_named_as_such_everywhere(written: SweepReport) -> None:
    assert "nothing learned" in written.page.read_text(encoding="utf-8")
    assert "nothing learned" in written.encoder
    assert any("nothing learned" in line for line in closing_lines(written))


def test_the_folder_is_the_same_for_the_same_sweep_only() -> None:
    plan = jadh("jadh2016/config1_1_1", iterations=60)
    swept = SweptPairs(plan, REAL, [image(1)], [image(11)], [111])
    assert sweep_name(swept) == sweep_name(replace(swept, match_ids=[5]))
    others = [
        replace(swept, encoder=RANDOM),
        replace(swept, styles=[image(12)]),
        replace(swept, plan=jadh("jadh2016/config1_1_1", iterations=61)),
    ]
    assert len({sweep_name(each) for each in (swept, *others)}) == 4


def test_the_table_on_the_screen_holds_every_configuration(written: SweepReport) -> None:
    printed = StringIO()
    for table in sweep_tables(written):
        Console(file=printed, width=160).print(table)
    text = printed.getvalue()
    assert all(row.recipe.name in text for row in written.rows)
    assert "J does not say" in text
