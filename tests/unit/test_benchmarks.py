"""The list of benchmarks names every one there is, and refuses what there is not; what colours are measured by."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from colorize.images.decode import Pixels
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from tests.benchmarks.__main__ import SUBJECTS
from tests.benchmarks.colour_measures import caught, gray_of, measured, one_colour, patches, spearman, summed_up

PARTS = {
    "match_rule",
    "match_scale",
    "match_composition",
    "match_recall",
    "__init__",
    "__main__",
    "figures",
    "memory",
    "one_batch",
    "operations_catalogue",
    "spikes",
    "tone_copies",
    "colour_arms",
    "colour_measures",
    "colour_pairs",
    "colour_sheet",
    "halo",
    "learned_sheet",
}
"""What benchmarks are made of, besides the parts of the review's, which are named after it."""


def test_every_benchmark_is_listed_with_its_minutes(project: Path) -> None:
    files = {path.stem for path in (project / "tests" / "benchmarks").glob("*.py")}
    assert {subject.name for subject in SUBJECTS} == {name for name in files - PARTS if not name.startswith("review_")}
    assert all(subject.minutes > 0 for subject in SUBJECTS)


def test_a_name_that_is_no_benchmark_is_refused_before_any_runs(project: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "commands", "colours"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)
    assert (run.returncode, run.stdout, run.stderr) == (1, "", "there is no benchmark colours\n")


@pytest.fixture(scope="module")
def drawn() -> Pixels:
    return np.ascontiguousarray(draw_print(design(0), 0).pixels[::2, ::2])


def test_a_print_is_its_own_best_result_and_gray_has_no_colours(drawn: Pixels) -> None:
    trust = np.ones((4, 3))
    assert measured(drawn, drawn, trust) == pytest.approx(
        {"ratio": 0, "patchiness": 1, "chroma": 1, "distance": 0, "trust_within": 0}
        | {"ink_chroma": measured(drawn, drawn)["ink_chroma"]}
    )
    gray = measured(drawn, gray_of(drawn))
    assert (gray["ratio"], gray["distance"]) == pytest.approx((1, 1), abs=0.01)
    assert (gray["patchiness"], gray["chroma"]) == pytest.approx((0, 0), abs=0.01)


def test_patches_are_what_differs_within_areas_of_one_colour(drawn: Pixels) -> None:
    areas = np.array([[0, 0, 1, 1], [0, 0, 1, -1]])
    chroma = np.zeros((2, 4, 2))
    chroma[:, 2:] = 30  # another colour in another area is no patch
    assert patches(areas, chroma) == 0
    chroma[:, 0] = (3, 4)
    assert patches(areas, chroma) == pytest.approx(2.5 * (4 / 7) ** 0.5)
    assert (one_colour(drawn) >= 0).mean() > 0.5


def test_trust_is_held_against_how_far_colours_are_off() -> None:
    ratios = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3]
    assert caught([-ratio for ratio in ratios], ratios) == 1
    assert caught(ratios, ratios) == 0
    assert spearman([1, 1, 1], [1, 2, 3]) == 0
    rows = [{"ratio": ratio, "chroma": ratio, "distance": ratio, "trust": -ratio} for ratio in ratios]
    found = summed_up(rows, [{**row, "distance": 2.0} for row in rows])
    assert found == pytest.approx(
        {"ratio": 0.85, "worse": 0.3, "worst": 1.3, "chroma": 0.85, "chroma_right": 0.4, "distance": 0.85}
        | {"to_before": 0.425, "trust": 1, "caught": 1}
    )
