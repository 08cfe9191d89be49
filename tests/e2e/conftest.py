"""The `nishiki` command as a process of its own, in a folder of its own, with narrow weights and one Prefect server."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from tests.conftest import ROOT

COMMAND = Path(sys.executable).with_name("nishiki")
NOISE = ("Traceback", "ERROR", "WARNING", "INFO", "prefect", "Exception")


@dataclass(frozen=True)
class Nishiki:
    """Runs commands with one home; `environment` is all that they see of this process's."""

    home: Path
    environment: dict[str, str]

    def __call__(self, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            [COMMAND, *words], capture_output=True, text=True, check=False, cwd=self.home.parent, timeout=180,
            env={**self.environment, **settings},
        )  # fmt: skip

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Begin a command in a session of its own."""
        return subprocess.Popen(
            [COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.home.parent,
            env=self.environment, start_new_session=True,
        )  # fmt: skip

    def with_files_up_to(self, kib: int, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command that can write no larger file than this."""
        return subprocess.run(
            ["bash", "-c", f'ulimit -f {kib}; exec "$@"', "bash", COMMAND, *words],
            capture_output=True, text=True, check=False, cwd=self.home.parent, env=self.environment, timeout=180,
        )  # fmt: skip

    def good(self, *words: str, **settings: str) -> str:
        """Standard output of a command that must end well and quietly."""
        run = self(*words, **settings)
        assert run.returncode == 0, run.stderr
        assert not [word for word in NOISE if word in run.stderr], run.stderr
        return run.stdout

    def bad(self, code: int, *words: str, **settings: str) -> str:
        """The one sentence of a command that must fail with this code; progress lines may stand before it."""
        run = self(*words, **settings)
        assert run.returncode == code, run.stderr
        assert not [word for word in NOISE if word in run.stderr], run.stderr
        lines = run.stderr.splitlines()
        assert [line for line in lines if line.startswith("nishiki: ")] == lines[-1:]
        return lines[-1]

    def status(self) -> dict[str, Any]:
        """What `status --json` says."""
        told: dict[str, Any] = json.loads(self.good("status", "--json"))
        return told


@dataclass(frozen=True)
class Here(Nishiki):
    """The same commands in this process, for tests whose subject is no process."""

    def __call__(self, *words: str, stdin: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        run = CliRunner().invoke(app, words, input=stdin, env={**self.environment, **settings})
        if run.exception is not None and not isinstance(run.exception, SystemExit):
            raise run.exception
        return subprocess.CompletedProcess(words, run.exit_code, run.stdout, run.stderr)


def in_folder(folder: Path, weights: Path, api: str | None) -> Nishiki:
    """A command whose home lies in this folder; without a Prefect server it starts its own each time."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),  # the command of this checkout, whichever is installed
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "LANG": "C.UTF-8",
        "NISHIKI_HOME": str(folder / "home"),
        "NISHIKI_WEIGHTS_DIR": str(weights),
        "NISHIKI_ENCODER": "random-seeded",
        "NISHIKI_CPU_PROCESSES": "1",
        "NISHIKI_DEVICE": "cpu",
        "NISHIKI_RECIPE": "jadh2016/config1_1_1",
        "NISHIKI_SIZE": "48",
        "NISHIKI_ITERATIONS": "3",
        "NISHIKI_ARCHIVE_RETRIES": "0",
        **({"PREFECT_API_URL": api} if api else {}),
    }
    return Nishiki(folder / "home", environment)


@pytest.fixture
def nishiki(tmp_path: Path, narrow_weights: Path, prefect_api: str) -> Nishiki:
    """The command with an empty home."""
    return in_folder(tmp_path, narrow_weights, prefect_api)


@pytest.fixture(scope="session")
def lone_nishiki(tmp_path_factory: pytest.TempPathFactory, narrow_weights: Path) -> Nishiki:
    """The command as a new user has it: no Prefect server anywhere."""
    return in_folder(tmp_path_factory.mktemp("lone"), narrow_weights, None)
