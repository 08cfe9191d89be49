"""The lock file serves every machine: releases alone, one for each dependency, within what pyproject.toml allows."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from tests.lock import normal, pins


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
