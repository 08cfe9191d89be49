"""Writes requirements.lock, the releases that `make install` takes; `make lock` runs it.

pip itself resolves pyproject.toml with all its parts, as if nothing were installed. Kept are names and releases alone:
no folder, no index, no local build such as `+cpu`, so that the file serves every machine and each Python from 3.11 on
(what another Python needs besides is left to pip). Packages of NVIDIA are left to torch, which names them exactly.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

LOCK = Path("requirements.lock")
OLDEST = "3.11.2"
"""Python that nishiki is installed with: Debian 12's."""
HEAD = "# Releases that make install takes (pip's --constraint). Written by `make lock`; not to be edited.\n"
_LEFT_TO_TORCH = re.compile(r"nvidia-|cuda-|triton")


def main() -> None:
    """Resolve, and write the file."""
    resolve = ["install", "-qq", "--dry-run", "--ignore-installed", "--report", "-", "--editable", ".[dev,ray,parquet]"]
    run = subprocess.run([sys.executable, "-m", "pip", *resolve], stdout=subprocess.PIPE, check=True)
    report = json.loads(run.stdout)
    if new := too_new(report):
        raise SystemExit(f"Debian 12 has Python {OLDEST}, which these do not take; cap them in pyproject.toml: {new}")
    LOCK.write_text(HEAD + "".join(f"{line}\n" for line in pins(report)), encoding="utf-8")


def too_new(report: Mapping[str, Any]) -> list[str]:
    """Releases of pip's installation report that the oldest Python does not take, and what they ask for."""
    asked = {each["metadata"]["name"]: each["metadata"].get("requires_python", "") for each in report["install"]}
    return [f"{name} ({wanted})" for name, wanted in asked.items() if OLDEST not in SpecifierSet(wanted)]


def pins(report: Mapping[str, Any]) -> list[str]:
    """The releases of pip's installation report, as constraints in alphabetical order."""
    releases = {normal(each["metadata"]["name"]): each["metadata"]["version"] for each in report["install"]}
    return [
        f"{name}=={release.partition('+')[0]}"
        for name, release in sorted(releases.items())
        if name != "nishiki" and not _LEFT_TO_TORCH.match(name)
    ]


def normal(name: str) -> str:
    """A package's name as indexes write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
