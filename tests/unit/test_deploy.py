"""What `deploy/` holds fits the commands that there are, and systemd's own check finds nothing in the units."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from flows.cli.app import app

INSTALLED = "/opt/nishiki/.venv/bin/nishiki"


def units(project: Path) -> list[Path]:
    return sorted((project / "deploy" / "systemd").iterdir())


def named_commands(text: str) -> list[list[str]]:
    """Words after `nishiki` in units, and after `nk` in the runbook."""
    lines = re.findall(rf"^(?:ExecStart={INSTALLED}|nk) ([^#\n]*)|`nk ([^`]*)`", text, re.MULTILINE)
    return [(first or second).split() for first, second in lines]


def test_every_command_and_option_in_deploy_is_one_of_nishikis(project: Path) -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]  # a group
    files = [project / "deploy" / "README.md", *units(project)]
    named = [words for file in files for words in named_commands(file.read_text(encoding="utf-8"))]
    assert len(named) > 10
    for command, *words in named:
        options = {option for each in known[command].params for option in each.opts}
        assert options.issuperset(word for word in words if word.startswith("-")), command


def test_every_program_that_a_unit_starts_is_installed_with_nishiki(project: Path) -> None:
    started = [
        re.findall(r"^ExecStart=(\S+)", unit.read_text(encoding="utf-8"), re.MULTILINE) for unit in units(project)
    ]
    programs = {program for found in started for program in found}
    assert programs == {INSTALLED, f"{Path(INSTALLED).parent}/prefect"}
    assert all(Path(sys.executable).with_name(Path(program).name).exists() for program in programs)


def test_the_runbook_names_every_unit(project: Path) -> None:
    runbook = (project / "deploy" / "README.md").read_text(encoding="utf-8")
    for unit in units(project):
        assert f"systemd/{unit.name}" in runbook
        for address in re.findall(r"file:/opt/nishiki/(\S+)", unit.read_text(encoding="utf-8")):
            assert (project / address).is_file(), address


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd's own check is not on this machine")
def test_systemd_finds_nothing_wrong_in_the_units(project: Path, tmp_path: Path) -> None:
    for unit in units(project):
        text = re.sub(
            r"^ExecStart=\S+", f"ExecStart={sys.executable}", unit.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    checked = ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))]
    run = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
