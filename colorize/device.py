"""The devices of this machine: which there are, making one ready, and what a result depends on besides.

`colorize.colorizer` and `flows` call it. torch is loaded by what cannot do without: a flow whose workers have the CPU
carries on a batch and needs none.
"""

import ctypes
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from colorize.errors import DeviceMissing

if TYPE_CHECKING:
    from colorize.encoders.vgg19 import Encoder

_CPU: Final = "cpu"

_M_MMAP_THRESHOLD: Final = -3
"""glibc's name of the size from which on a block goes back to the system when it is freed."""


def device_names(asked: str = "auto") -> list[str]:
    """The devices to use: every GPU, else the CPU; or what the operator asks for (`cpu`, `cuda`, `cuda:1`).

    Raises:
        DeviceMissing: it is not here.
    """
    if asked == _CPU:
        return [_CPU]
    import torch  # noqa: PLC0415

    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    choices = {"auto": gpus or [_CPU], "cuda": gpus} | {name: [name] for name in gpus}
    if found := choices.get(asked):
        return found
    raise DeviceMissing(f"there is no device {asked!r} here; there is {', '.join([_CPU, *gpus])}")


def use_one_thread() -> None:
    """Make this a process among several on a CPU: one thread for torch and for the matrix products of numpy and SciPy,
    and memory given back as soon as it is free.

    More threads of torch collapse 7–14 times on a busy core; with two of numpy's, two processes made 1.75 times the
    pictures of one, with one each twice as many. glibc would keep blocks of up to 32 MB, layers of a picture among
    them, for later: a third of a 512² picture's memory.
    """
    import torch  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    torch.set_num_threads(1)
    threadpool_limits(1, "blas")  # of the libraries that are loaded, for good
    if sys.platform == "linux":
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 1 << 24)


def library_versions() -> dict[str, str]:
    """What a result depends on, by distribution."""
    return {name: version(name) for name in ("nishiki", "torch", "numpy", "pillow", "scikit-image")}


def on_device(encoder: "Encoder", device: str) -> "Encoder":
    """The encoder on a device (`cpu`, `cuda:0`), and the device made ready for it.

    Raises:
        DeviceMissing: the device is not there.
    """
    import torch  # noqa: PLC0415

    try:
        there = encoder.to(device)
        if there.device.type == "cuda":
            torch.cuda.set_device(there.device)  # streams and graphs are the current device's
            torch.backends.cudnn.allow_tf32 = False  # float32 means float32, in errors above all
    except (RuntimeError, AssertionError) as error:
        raise DeviceMissing(f"{device} cannot be used: {error}") from error
    return there
