"""The report of a sweep: what is drawn is not blank, what is written stands alone and says whose figures they are."""

from collections import Counter
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from colorize.images.decode import Pixels
from db.entries.night import (
    EncoderKey,
    ImageEntry,
    ImageFacts,
    Outcome,
    Tone,
)
from db.files.pictures import PictureStore
from flows.settings import Settings
from flows.sweep.figures import error_bars, loss_curves, png, svg
from flows.sweep.plan import preset_plan
from flows.sweep.report import SweepReport, sweep_name, write_report
from flows.sweep.samples import Sample, sample_pictures
from flows.sweep.tables import Findings, SweptPairs, config_rows
from flows.sweep.terminal import closing_lines, sweep_tables
from tests.unit.flows.sweep.sweeps import RANDOM, REAL, attempt, closed, colours, description, image, jadh, rows_of

HOSTILE = '"><script src="https://evil.example/x.js"></script> $\\frac{1}{2}$ {{ 7 * 7 }}'


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
    assert colours(png(figure)) > 20
    lines = svg(figure)
    assert lines.startswith(b"<?xml")
    assert lines.count(b"<path") > 72


def test_a_sweep_of_which_nothing_is_measured_is_drawn_without_bars() -> None:
    (row, *_) = rows_of({})
    figure = error_bars([replace(row, figures={})], "Nothing yet.")
    assert len(figure.axes[0].patches) == 0
    assert png(figure)


def test_what_was_rejected_stands_over_its_bars() -> None:
    (row, *_) = rows_of({})
    gray = replace(row, outcomes=Counter({"succeeded": 2, "rejected": 4}))
    said = [text.get_text() for text in error_bars([row, gray], "").axes[0].texts]
    assert said.count("4/6 rejected") == 1


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


@pytest.mark.long
def test_the_page_stands_alone_and_tells_encoder_recipes_and_protocol(written: SweepReport) -> None:
    text = written.page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 2
    for words in (
        "vgg19-oxford", "ab" * 32, "60 iterations, 128 px", "machine-colorized", "reconstructed", "was not seen",
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
    assert written.failed == [("jadh2016/config3_3_4, picture-1 × picture-12", "gone")]
    assert all(row.recipe.name in text for row in written.rows)
    assert "the paper does not say" in text
