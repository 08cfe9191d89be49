"""Memory of the GPUs of this machine, as NVIDIA's own command tells it; none where there is none."""

import shutil
import subprocess
from collections.abc import Iterator

_ASKED = ("--query-gpu=index,memory.used,memory.total", "--format=csv,noheader,nounits")
_MIB = 2**20


def gpu_memory() -> Iterator[tuple[str, str, int]]:
    """(GPU's number, `used` or `total`, bytes)."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return
    try:
        run = subprocess.run([command, *_ASKED], capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return
    for line in run.stdout.splitlines():
        index, *numbers = (word.strip() for word in line.split(","))
        for state, number in zip(("used", "total"), numbers, strict=False):
            if number.isdigit():
                yield index, state, int(number) * _MIB
