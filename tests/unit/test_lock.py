"""The lock file serves every machine: releases alone, one for each dependency, within what pyproject.toml allows."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.lock import OLDEST, normal, pins, too_new


def locked(project: Path) -> dict[str, str]:
    lines = (project / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def declared(project: Path) -> list[Requirement]:
    """Every dependency of pyproject.toml and of its parts."""
    about = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*about["dependencies"], *(word for part in about["optional-dependencies"].values() for word in part)]
    return [each for each in map(Requirement, wanted) if each.name != "nishiki"]


def test_the_lock_names_releases_and_nothing_of_the_machine_that_made_it(project: Path) -> None:
    lines = (project / "requirements.lock").read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) > 50
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][a-z0-9.]*", line), line


def test_every_declared_dependency_is_locked_within_its_bounds(project: Path) -> None:
    releases = locked(project)
    for wanted in declared(project):
        assert releases[normal(wanted.name)] in wanted.specifier, wanted


def test_local_builds_and_what_torch_brings_are_left_out() -> None:
    chosen = {"torch": "2.13.0+cpu", "Jinja2": "3.1.6", "ruamel.yaml": "1", "nishiki": "0.1.0", "nvidia-nccl-cu13": "2"}
    report = {"install": [{"metadata": {"name": name, "version": version}} for name, version in chosen.items()]}
    assert pins(report) == ["jinja2==3.1.6", "ruamel-yaml==1", "torch==2.13.0"]


def test_every_locked_release_that_is_here_takes_debians_python(project: Path) -> None:
    wanted = dict(_asked_python(name) for name in locked(project))
    assert len(wanted) > 50
    assert [name for name, specifier in wanted.items() if OLDEST not in SpecifierSet(specifier)] == []


def _asked_python(name: str) -> tuple[str, str]:
    try:
        return name, distribution(name).metadata["Requires-Python"] or ""
    except PackageNotFoundError:  # a part that is not installed, as Ray
        return name, ""


def test_a_release_that_debians_python_does_not_take_is_named() -> None:
    asked = {"soupsieve": ">=3.11.5", "rich": ">=3.8", "old": ""}
    report = {"install": [{"metadata": {"name": name, "requires_python": each}} for name, each in asked.items()]}
    assert too_new(report) == ["soupsieve (>=3.11.5)"]
