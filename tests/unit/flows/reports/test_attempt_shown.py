"""One attempt in words and its losses: all that stands beside it is said, and no number breaks table or figure."""

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from db.entries.claim import Inputs, ModelKey, StyleInput
from db.entries.measured import ErrorFigures, MeasurementEntry
from db.entries.night import (
    AttemptEntry,
    AttemptResult,
    Derivatives,
    Description,
    EncoderKey,
    ImageFacts,
    Outcome,
    RecipeEntry,
    Tone,
    Verdict,
    VerdictEntry,
)
from db.errors import UnknownEntry
from flows.reports import attempt as shown_attempt
from flows.reports.attempt import Shown, attempt_lines, curves, loss_table, remarks, to_json, write_figure

MOMENT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
RECIPE = {"name": "jadh2016/config3_3_4", "provenance": "reconstructed", "reason": "Table 1 cannot be had.",
          "style_layers": ["conv1_1", "conv2_1"], "tv_weight": 0.001, "iterations": 60}  # fmt: skip


def trace(*totals: float | None, **terms: float | None) -> tuple[dict[str, Any], ...]:
    """A point each ten iterations; other terms stay the same throughout."""
    rest = {"content": 2.0, "style": 30.0, "tv": 4.0, **terms}
    return tuple({"iteration": 10 * place, "total": total, **rest} for place, total in enumerate(totals))


def description(image_id: int, name: str) -> Description:
    return Description(
        image_id=image_id, sha256=f"{image_id:064}", archive="theatre", identifier=name, title="仮名手本忠臣蔵",
        artists=("国芳",), cast=(("由良之助", "市川団十郎"), ("", "Second actor"), ("a role", "")), year_from=1851,
        year_to=1851, holder="A museum", credit_line="Courtesy of a museum", landing_url="https://museum.example/1",
        rights_uri="https://licence.example/cc0", derivatives=Derivatives.YES, rights_basis="licence URI in dc:rights",
    )  # fmt: skip


@pytest.fixture
def result() -> AttemptResult:
    """What a good colorization came to."""
    return AttemptResult(
        Outcome.SUCCEEDED, "cpu", {"torch": "2.13.0"}, seed=5, iterations=60, seconds=12.34,
        content_error_sum=1.5, content_error_mean=0.125, style_error_sum=2.5, style_error_mean=0.25,
        total_error_sum=4.0, total_error_mean=0.375, measures={"edge_agreement": 0.87654}, trace=trace(5000, 400, 36),
        output=ImageFacts("f" * 64, 48, 64, "RGB", 9, Tone.COLOUR),
    )  # fmt: skip


@pytest.fixture
def shown(result: AttemptResult) -> Shown:
    """It, with its verdict and its files."""
    attempt = AttemptEntry(
        id=7, number=2, batch_id=3, match_id=5, outcome=result.outcome, content=description(1, "gray-1"),
        styles=(description(2, "colour-2"),), inputs=Inputs((StyleInput("2" * 64),)), score=0.87612,
        models=(ModelKey("encoder", "vgg19-oxford", "abcdef0123456789"),),
        reasons={"layer": "conv5_4", "shared_actors": ["市川団十郎"]},
        recipe=RecipeEntry("jadh2016/config3_3_4", RECIPE, "d1ge57" * 9),
        encoder=EncoderKey("vgg19-oxford", "abcdef0123456789"),
        result=result, output_sha256="f" * 64, closed_at=MOMENT,
    )  # fmt: skip
    verdict = VerdictEntry(1, 7, "A curator", Verdict.RETURNED, "colour", "the sleeve\nis blue", MOMENT)
    files = {"original": Path("/home/1.png"), "style print": None, "result": Path("/home/f.png")}
    return Shown(attempt, verdict, files)


def with_result(shown: Shown, result: AttemptResult | None) -> Shown:
    return replace(shown, attempt=replace(shown.attempt, outcome=result.outcome if result else None, result=result))


def traced(shown: Shown, points: tuple[dict[str, Any], ...]) -> Shown:
    assert shown.attempt.result
    return with_result(shown, replace(shown.attempt.result, trace=points))


def said(shown: Shown) -> dict[str, str]:
    """The lines by name; of the two prints', the last."""
    return {line[:14].strip(): line[14:] for line in attempt_lines(shown)}


def listed(shown: Shown) -> list[list[str]]:
    """The rows of the table of losses, cell by cell, its head first."""
    printed = StringIO()
    Console(file=printed, width=160).print(loss_table(shown.attempt))
    rows = [row for row in printed.getvalue().splitlines() if row[0] in "┃│"]
    return [[cell.strip() for cell in re.split("[┃│]", row)[1:-1]] for row in rows]


def test_all_that_stands_beside_an_attempt_is_said(shown: Shown) -> None:
    lines = said(shown)
    assert lines["attempt"] == "7, number 2 of match 5, in batch 3"
    assert lines["outcome"] == "succeeded, 2026-01-02 03:04 UTC"
    assert lines["verdict"] == "returned by A curator, 2026-01-02 03:04 UTC: colour; the sleeve is blue"
    assert (lines["record"], lines["title"]) == ("gray-1 (theatre)", "仮名手本忠臣蔵")
    assert lines["actors"] == "市川団十郎 as 由良之助, Second actor, unknown as a role"
    assert lines["credit"] == "Courtesy of a museum"
    assert lines["rights"] == "derivatives: yes (licence URI in dc:rights, https://licence.example/cc0)"
    assert (lines["match"], lines["reasons"]) == ("score 0.8761", "layer conv5_4; shared actors 市川団十郎")
    assert lines["recipe"] == "jadh2016/config3_3_4, reconstructed (d1ge57d1ge57)"
    assert lines["parameters"] == "style layers conv1_1, conv2_1; tv weight 0.001; iterations 60"
    assert lines["encoder"] == "vgg19-oxford (abcdef012345)."
    assert (lines["device"], lines["work"]) == ("cpu", "60 iterations in 12.3 s, seed 5")
    assert (lines["versions"], lines["size"]) == ("torch 2.13.0", "48×64 px")
    assert lines["errors"] == "content 0.125; style 0.25; total 0.375"
    assert lines["sums"] == "content 1.5; style 2.5; total 4"
    assert lines["measures"] == "edge agreement 0.8765"
    assert lines["result"] == "/home/f.png"


def test_a_print_whose_file_is_gone_is_said_to_be_gone(shown: Shown) -> None:
    assert "style print   the file is gone; `nishiki doctor` tells what else is" in list(attempt_lines(shown))


def test_what_another_encoder_found_stands_below_the_attempts_own_errors_and_apart(shown: Shown) -> None:
    errors = ErrorFigures(10.0, 0.5, 20.0, 0.75, 30.0, None)
    found = MeasurementEntry(7, EncoderKey("nishiki-small", "5" * 64), errors, MOMENT)
    lines = list(attempt_lines(replace(shown, measurements=[found])))
    own = lines.index("errors        content 0.125; style 0.25; total 0.375")
    other = lines.index("measured by   nishiki-small (555555555555), 2026-01-02 03:04 UTC")
    assert own < other
    assert lines[other + 1 : other + 3] == [
        "  errors      content 0.5; style 0.75; total unknown",
        "  sums        content 10; style 20; total 30",
    ]
    told = json.loads(to_json(replace(shown, measurements=[found])))
    assert told["result"]["total_error_mean"] == 0.375
    (measured,) = told["measurements"]
    assert (measured["encoder"]["name"], measured["errors"]["content_error_mean"]) == ("nishiki-small", 0.5)
    assert "measured by" not in said(shown)
    assert json.loads(to_json(shown))["measurements"] == []


def test_an_encoder_that_the_recipe_was_not_tuned_for_is_said(shown: Shown) -> None:
    recipe = replace(shown.attempt.recipe, data={**RECIPE, "encoder": "vgg19-oxford"})
    small = replace(shown.attempt, recipe=recipe, encoder=EncoderKey("nishiki-small", "c0ffee"))
    assert "was tuned for vgg19-oxford; nishiki-small was used" in said(replace(shown, attempt=small))["encoder"]
    assert "tuned for" not in said(replace(shown, attempt=replace(small, encoder=shown.attempt.encoder)))["encoder"]


def test_random_seeded_weights_say_so(shown: Shown) -> None:
    seeded = replace(shown, attempt=replace(shown.attempt, encoder=EncoderKey("random-seeded", "c0ffee")))
    assert "nothing learned" in said(seeded)["encoder"]


def test_a_pending_attempt_is_shown_without_figures(shown: Shown) -> None:
    lines = said(replace(with_result(shown, None), verdict=None))
    assert lines["outcome"].startswith("pending: ")
    assert lines["verdict"] == "none yet"
    assert lines.keys() & {"errors", "measures", "device", "versions"} == set()


@pytest.mark.parametrize(("transient", "again"), [(True, "it may be tried again"), (False, "it is not tried again")])
def test_a_failed_attempt_says_why_and_whether_it_is_tried_again(shown: Shown, transient: bool, again: str) -> None:
    failure = AttemptResult(
        Outcome.FAILED, "cpu", {}, error_class="WorkerDied", error_message="out of\nmemory", transient=transient
    )
    lines = said(with_result(shown, failure))
    assert lines["outcome"] == f"failed, 2026-01-02 03:04 UTC: out of memory (WorkerDied; {again})"
    assert lines.keys() & {"work", "errors", "measures"} == set()


def test_a_rejected_attempt_says_why_beside_its_figures(shown: Shown, result: AttemptResult) -> None:
    refused = replace(result, outcome=Outcome.REJECTED, error_message="it has no colour", style_error_mean=None)
    lines = said(with_result(shown, refused))
    assert lines["outcome"] == "rejected, 2026-01-02 03:04 UTC: it has no colour"
    assert lines["errors"] == "content 0.125; style unknown; total 0.375"


def test_machines_get_one_object_with_the_trace_the_verdict_and_the_files(shown: Shown) -> None:
    told = json.loads(to_json(shown))
    assert (told["id"], told["outcome"], told["verdict"]["verdict"]) == (7, "succeeded", "returned")
    assert told["content"]["cast"][0] == ["由良之助", "市川団十郎"]
    assert told["files"] == {"original": "/home/1.png", "style print": None, "result": "/home/f.png"}
    assert told["result"]["trace"][0]["total"] == 5000
    assert json.loads(to_json(replace(shown, verdict=None)))["verdict"] is None


def test_the_table_lists_each_term_from_the_first_point_to_the_last(shown: Shown) -> None:
    head, *rows = listed(shown)
    assert head == ["iteration", "total", "content", "style", "variation"]
    assert rows == [
        ["0", "5000", "2", "30", "4"],
        ["10", "400", "2", "30", "4"],
        ["20", "36", "2", "30", "4"],
    ]


def test_a_long_trace_becomes_a_short_table_with_both_ends(shown: Shown) -> None:
    rows = listed(traced(shown, trace(*map(float, range(1000, 0, -1)))))[1:]
    assert len(rows) == shown_attempt.ROWS
    assert (rows[0][:2], rows[-1][:2]) == (["0", "1000"], ["9990", "1"])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, None])
def test_a_loss_that_is_no_finite_number_leaves_a_gap_and_is_said(
    shown: Shown, bad: float | None, tmp_path: Path
) -> None:
    gappy = traced(shown, trace(900, 800, bad, 700, 600))
    total = curves(gappy.attempt.result.trace if gappy.attempt.result else ())[0]
    assert total.not_finite == 1
    assert [math.isnan(loss) for loss in total.losses] == [False, False, True, False, False]
    assert [row[1] for row in listed(gappy)[1:]] == ["900", "800", "unknown", "700", "600"]
    assert list(remarks(gappy.attempt)) == ["total: 1 of 5 losses are not finite numbers"]
    write_figure(gappy, tmp_path / "trace.png")


def test_a_term_that_is_nothing_throughout_is_said_and_a_rounding_error_does_not_stretch_the_axis(
    shown: Shown,
) -> None:
    still = traced(shown, trace(5000, 4000, content=1e-12, tv=0.0))
    assert list(remarks(still.attempt)) == [
        "content: 0 or nearly 0 throughout",
        "variation: 0 or nearly 0 throughout",
    ]
    assert [curve.name for curve in shown_attempt._drawn(still.attempt)] == ["total", "style"]


def test_a_single_iteration_is_shown_too(shown: Shown, tmp_path: Path) -> None:
    one = traced(shown, trace(36))
    assert listed(one)[1:] == [["0", "36", "2", "30", "4"]]
    write_figure(one, tmp_path / "trace.png")


@pytest.mark.parametrize(
    ("result_of", "why"),
    [
        (lambda _: None, "it is pending"),
        (lambda _: AttemptResult(Outcome.FAILED, "cpu", {}), "it failed"),
        (lambda good: replace(good, trace=()), "came to its result without iterations"),
        (lambda good: replace(good, trace=trace(None, math.nan, content=0, style=0, tv=None)), "none of its losses"),
    ],
)
def test_where_there_is_no_trace_the_sentence_says_why_and_nothing_is_written(
    shown: Shown, result: AttemptResult, result_of: Any, why: str, tmp_path: Path
) -> None:
    without = with_result(shown, result_of(result))
    for draw in (lambda: loss_table(without.attempt), lambda: write_figure(without, tmp_path / "trace.png")):
        with pytest.raises(UnknownEntry, match=f"attempt 7 has no trace to draw: .*{why}"):
            draw()
    assert list(tmp_path.iterdir()) == []


def test_the_figure_says_what_it_shows_and_replaces_an_earlier_one(shown: Shown, tmp_path: Path) -> None:
    place = tmp_path / "trace.png"
    place.write_bytes(b"an earlier figure")
    odd = replace(shown, attempt=replace(shown.attempt, encoder=EncoderKey("錦 $x_", "abc")))
    write_figure(odd, place)
    with Image.open(place) as figure:
        assert figure.format == "PNG"
        told = figure.info
        assert len(np.unique(np.asarray(figure.convert("L")))) > 20
    assert told["Title"] == "Loss terms of machine-colorized attempt 7"
    assert told["Description"].startswith("gray-1 in the colours of colour-2; recipe jadh2016/config3_3_4 (d1ge57")
    assert told["Description"].endswith("encoder 錦 $x_ (abc)")
    assert [file.name for file in tmp_path.iterdir()] == ["trace.png"]


def test_the_title_names_attempt_recipe_and_encoder(shown: Shown) -> None:
    assert shown_attempt._title(shown.attempt) == (
        "Machine-colorized attempt 7, jadh2016/config3_3_4, encoder vgg19-oxford (abcdef012345)"
    )


def test_the_figure_takes_no_pictures_place_and_needs_a_folder(shown: Shown, tmp_path: Path) -> None:
    picture = tmp_path / "result.png"
    picture.write_bytes(b"a picture")
    kept = replace(shown, files={"result": picture})
    with pytest.raises(OSError, match="is a picture of the catalogue"):
        write_figure(kept, tmp_path / "." / "result.png")
    assert picture.read_bytes() == b"a picture"
    for place in (tmp_path, tmp_path / "away" / "trace.png"):
        with pytest.raises(OSError, match="no figure can be written there"):
            write_figure(shown, place)


@pytest.mark.long
def test_showing_an_attempt_loads_nothing_that_takes_its_time() -> None:
    code = "import sys, flows.cli.app, flows.reports.attempt\n"
    code += "print({n.partition('.')[0] for n in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'sqlalchemy'" in run.stdout
    for name in ("torch", "prefect", "matplotlib"):
        assert f"'{name}'" not in run.stdout
