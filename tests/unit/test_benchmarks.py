"""The list of benchmarks names every one there is, and refuses what there is not."""

import subprocess
import sys
from pathlib import Path

from tests.benchmarks.__main__ import SUBJECTS

PARTS = {
    "match_rule",
    "match_scale",
    "match_composition",
    "match_recall",
    "__init__",
    "__main__",
    "figures",
    "memory",
    "spikes",
    "tone_copies",
    "truth_arm",
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
