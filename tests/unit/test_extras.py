"""The parts stand alone: the page runs where only `review` is installed, the night where only `night` is."""

import json
import subprocess
import sys
import tomllib
from collections import defaultdict
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.lock import normal
from tests.unit.test_imports import modules_of

BARRED = """
import importlib, json, sys
barred, names = map(json.loads, sys.argv[1:])
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in barred:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
for name in names:
    importlib.import_module(name)
"""
"""A process in which packages that are installed here are absent, as where a part was not asked for."""


def installed_with(part: str, project: Path) -> set[str]:
    """Distributions that installing nishiki with one part brings, by what each says it needs."""
    about = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    own = map(Requirement, [*about["dependencies"], *about["optional-dependencies"][part]])
    found: defaultdict[str, set[str]] = defaultdict(set)
    left = [(normal(each.name), extra) for each in own for extra in ("", *each.extras)]
    while left:
        name, extra = left.pop()
        if extra in found[name]:
            continue
        found[name].add(extra)
        wanted = [Requirement(word) for word in distribution(name).requires or ()]
        for each in wanted:
            if each.marker is None or each.marker.evaluate({"extra": extra}):
                left += [(normal(each.name), more) for more in ("", *each.extras)]
    return set(found)


def absent_with(part: str, project: Path) -> set[str]:
    """Top-level modules of this environment that another, with this part alone, would lack."""
    here = {"nishiki", *installed_with(part, project)}
    return {module for module, names in packages_distributions().items() if not here & set(map(normal, names))}


def errors_of_loading(modules: list[str], part: str, project: Path, elsewhere: Path) -> str:
    """What Python says when it loads modules with one part alone."""
    given = [json.dumps(sorted(absent_with(part, project))), json.dumps(modules)]
    run = subprocess.run(
        [sys.executable, "-c", BARRED, *given], capture_output=True, text=True, cwd=elsewhere, check=False
    )
    return run.stderr


def test_each_part_leaves_out_what_the_other_alone_needs(project: Path) -> None:
    night_only = {
        "torch",
        "prefect",
        "torchvision",
        "skimage",
        "cv2",
        "PIL",
        "pyvips",
        "matplotlib",
        "requests",
    }
    assert night_only <= absent_with("review", project)
    assert {"argon2", "krippendorff"} <= absent_with("night", project)


@pytest.mark.long
def test_the_review_page_loads_where_only_its_part_is_installed(project: Path, tmp_path: Path) -> None:
    modules = [*modules_of(project, "db"), *modules_of(project, "flows.cli")]
    assert errors_of_loading(modules, "review", project, tmp_path) == ""


@pytest.mark.long
def test_the_night_loads_where_only_its_part_is_installed(project: Path, tmp_path: Path) -> None:
    modules = ["db.catalogue", "db.doctor", *modules_of(project, "flows"), *modules_of(project, "colorize")]
    assert errors_of_loading(modules, "night", project, tmp_path) == ""


def test_a_command_of_a_part_that_is_not_installed_says_which_to_install(project: Path, tmp_path: Path) -> None:
    code = f"{BARRED}\nfrom flows.cli.app import app\napp(['weights', 'list'], prog_name='nishiki')"
    barred = json.dumps(sorted(absent_with("review", project)))
    run = subprocess.run(
        [sys.executable, "-c", code, barred, "[]"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert run.returncode == 1
    assert run.stderr.startswith("nishiki: safetensors is not installed; this command needs the other part")


@pytest.mark.long
def test_a_part_that_is_not_installed_is_seen_to_be_missed(project: Path, tmp_path: Path) -> None:
    assert "No module named" in errors_of_loading(["flows.nightly"], "review", project, tmp_path)
    assert "No module named" in errors_of_loading(["db.review.access.passwords"], "night", project, tmp_path)
