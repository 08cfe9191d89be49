"""What NVIDIA's own command says of memory, and that a machine without a GPU says nothing."""

from pathlib import Path

import pytest

from db.review.metrics.gpu import gpu_memory


def command(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """An `nvidia-smi` that does this, alone on the path but for the system's commands."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_each_gpu_is_told_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(tmp_path, monkeypatch, "echo '0, 1024, 81559'\necho '1, 3, 143771'")
    mib = 2**20
    assert [*gpu_memory()] == [
        ("0", "used", 1024 * mib), ("0", "total", 81559 * mib),
        ("1", "used", 3 * mib), ("1", "total", 143771 * mib),
    ]  # fmt: skip


def test_it_is_asked_for_what_it_is_read_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(tmp_path, monkeypatch, f'echo "$@" > {tmp_path}/asked')
    assert [*gpu_memory()] == []
    asked = "--query-gpu=index,memory.used,memory.total --format=csv,noheader,nounits"
    assert (tmp_path / "asked").read_text().strip() == asked


@pytest.mark.parametrize(
    "body",
    [
        "echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'; exit 9",
        "echo '0, [N/A], [N/A]'",
        "echo '0'",
        ": nothing",
    ],
)
def test_what_is_no_figure_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    command(tmp_path, monkeypatch, body)
    assert [*gpu_memory()] == []


def test_without_the_command_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [*gpu_memory()] == []
