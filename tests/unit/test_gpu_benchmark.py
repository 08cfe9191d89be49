"""The benchmark for a GPU, in small on a CPU: every line of it, and nothing that such a machine may lack."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LACKING = ("skimage", "scipy", "rich", "prefect", "sqlalchemy", "pydantic", "torchvision", "matplotlib", "typer")


@pytest.fixture(scope="module", params=[False, True], ids=["all installed", "torch, numpy, Pillow, safetensors"])
def measured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[bool, Path]:
    """Whether the machine is bare, and the folder of what the benchmark wrote."""
    folder: Path = tmp_path_factory.mktemp("gpu")
    project = Path(__file__).parents[2]
    barred = LACKING if request.param else ()
    code = "import runpy, sys\n"
    code += f"sys.modules.update(dict.fromkeys({barred!r}))\n"  # None: importing it raises
    code += f"sys.argv = ['gpu', '--toy', '--into', {str(folder)!r}]\n"
    code += "runpy.run_module('tests.benchmarks.gpu', run_name='__main__')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=project)
    assert run.returncode == 0, run.stderr
    assert "evaluation and step" in run.stdout
    return request.param, folder


@pytest.mark.long
def test_every_section_gives_its_figures_and_only_the_door_needs_more_than_torch(measured: tuple[bool, Path]) -> None:
    bare, folder = measured
    figures: list[dict[str, Any]] = json.loads((folder / "gpu.json").read_text(encoding="utf-8"))
    failed = {each["name"] for each in figures if each["name"].endswith("failed")}
    assert failed == ({"the door: failed"} if bare else set())
    assert not [each["name"] for each in figures if each["name"].endswith("left out")]
    names = " | ".join(each["name"] for each in figures)
    for told in (
        "bfloat16 matrix product", "VGG-19, bfloat16, 2 at 32²: evaluation and step", "peak memory", "optimiser",
        "the night", "in a CUDA graph", "by two loops", "here and on the CPU", "12 iterations of 2", "wall time",
        "out of memory: halvings", "share of the card's own product", "nishiki/colour", "kernels tried by cuDNN",
    ):  # fmt: skip
        assert told in names
    assert ("features and partners only" in names) == bare
    assert any(each["name"] == "encoder nishiki-small" and len(each["note"].split(",")[0]) == 64 for each in figures)
    assert "cuda" not in names


def test_what_a_cpu_can_hold_to_holds(measured: tuple[bool, Path]) -> None:
    _, folder = measured
    figures = {each["name"]: each for each in json.loads((folder / "gpu.json").read_text(encoding="utf-8"))}
    assert figures["out of memory: halvings"]["value"] == 1
    for name in ("float32 gradient, alone and in a minibatch", "out of memory: losses, halved and not"):
        assert figures[name]["value"] < 1e-6
    assert all(figure["value"] < 0.01 for name, figure in figures.items() if "here and on the CPU" in name)
    losses = json.loads((folder / "gpu_losses.json").read_text(encoding="utf-8"))
    assert losses[0][0] == 0
    assert losses[-1][0] == 11
    assert losses[-1][1] < losses[0][1]
    assert (folder / "gpu_kernels.txt").stat().st_size > 0
