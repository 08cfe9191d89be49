"""`nishiki measure TRUTH RESULT`: two picture files against each other, and what is said where that cannot be."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from flows.cli.app import app

Run = Callable[..., Result]


@pytest.fixture
def truth() -> Pixels:
    """Patches of colour, 64 × 48 px."""
    patches = np.random.default_rng(3).integers(0, 256, (6, 8, 3), np.uint8)
    return np.array(Image.fromarray(patches).resize((64, 48), Image.Resampling.NEAREST))


@pytest.fixture
def measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, truth: Pixels) -> Run:
    """The command in a folder where the truth lies as truth.png."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(truth).save("truth.png")
    return lambda *words: CliRunner().invoke(app, ["measure", *words])


def figures(run: Result) -> dict[str, float]:
    assert (run.exit_code, run.stderr) == (0, "")
    found: dict[str, float] = json.loads(run.stdout)
    return found


def refused(run: Result, code: int) -> str:
    """The one line on standard error."""
    assert (run.exit_code, run.stdout) == (code, "")
    assert run.stderr.count("\n") == 1
    return run.stderr


def test_the_truth_against_itself_is_at_no_distance(measure: Run) -> None:
    found = figures(measure("truth.png", "truth.png", "--json"))
    assert (found["delta_e"], found["delta_e_ratio"], found["lightness_difference_p99"]) == (0, 0, 0)
    assert found["delta_e_gray"] > 5
    assert found["colourfulness_ratio"] == 1


def test_its_gray_version_is_about_as_far_as_leaving_it_gray(measure: Run, truth: Pixels) -> None:
    Image.fromarray(to_gray(truth)).save("gray.png")
    found = figures(measure("truth.png", "gray.png", "--json"))
    assert found["delta_e_ratio"] == pytest.approx(1, abs=0.2), "Rec. 601 luma is not L*"
    assert found["colourfulness"] == 0


def test_a_person_gets_a_table_with_the_distances_first(measure: Run) -> None:
    run = measure("truth.png", "truth.png")
    assert (run.exit_code, run.stderr) == (0, "")
    rows = [[cell.strip() for cell in line.split("│")[1:3]] for line in run.stdout.splitlines() if "│" in line]
    assert rows[0] == ["mean ΔE00 of the result", "0"]
    assert rows[1][0] == "mean ΔE00 of the truth left gray"
    assert ["lightness SSIM", "1"] in rows


def test_a_result_of_another_size_but_the_same_shape_is_scaled_and_that_is_said(measure: Run, truth: Pixels) -> None:
    Image.fromarray(truth).resize((192, 143)).save("large.png")
    run = measure("truth.png", "large.png")
    assert run.exit_code == 0
    assert "truth.png has 64×48 px, large.png has 192×143 px; the result was scaled to the truth" in run.stdout
    assert figures(measure("truth.png", "large.png", "--json"))["delta_e_ratio"] < 0.3


def test_a_result_of_another_shape_is_refused_with_both_sizes(measure: Run, truth: Pixels) -> None:
    Image.fromarray(truth[:, :60]).save("cropped.png")
    said = refused(measure("truth.png", "cropped.png"), 1)
    assert "truth.png has 64×48 px, cropped.png has 60×48 px: not one shape; crop one" in said


def test_a_gray_truth_has_no_ratio_and_that_is_said(measure: Run, truth: Pixels) -> None:
    Image.fromarray(to_gray(truth)).save("gray.png")
    run = measure("gray.png", "truth.png")
    assert run.exit_code == 0
    assert "The truth is gray itself: there is no ratio." in run.stdout
    assert "the one over the other" not in run.stdout


def test_a_file_that_cannot_be_read_is_named(measure: Run) -> None:
    Path("text.png").write_text("no picture at all")
    assert "text.png: the data (17 bytes, " in refused(measure("truth.png", "text.png"), 1)
    assert "missing.png: No such file" in refused(measure("missing.png", "truth.png"), 1)
    Path("half.png").write_bytes(Path("truth.png").read_bytes()[:90])
    assert "half.png: the picture (PNG of 90 bytes) is damaged" in refused(measure("truth.png", "half.png"), 1)


def test_pictures_too_small_to_compare_are_told(measure: Run) -> None:
    Image.new("RGB", (6, 6), (200, 30, 30)).save("tiny.png")
    assert "the least to compare is 7 px a side" in refused(measure("tiny.png", "tiny.png"), 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name two picture files"),
        (("truth.png",), "name two picture files"),
        (("truth.png", "a.png", "b.png"), "name two picture files"),
        (("--encoder", "nishiki-small", "1", "2"), "with --encoder, name one batch"),
        (("--encoder", "nishiki-small", "--json"), "--json is for two picture files"),
    ],
)
def test_what_is_neither_two_files_nor_a_batch_is_told(measure: Run, words: tuple[str, ...], said: str) -> None:
    assert said in refused(measure(*words), 2)
