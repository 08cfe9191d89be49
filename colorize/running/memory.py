"""How much memory a picture takes while it is colorized, and how much there is: what decides size and number.

Called by `colorize.colorizer`. On a GPU the need is measured; on a CPU, where a lack of memory kills a process instead
of raising an error, it is reckoned beforehand (`tests/benchmarks/engine.py` holds the reckoning to a measurement).
"""

import os
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import TypeVar

import torch

from colorize.images.resize import working_size
from colorize.methods.neural_style.engine import Engine
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.recipe import LEAST_LONG_EDGE_PX, Recipe

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_CGROUP = Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 62
_PICTURES = 14
"""Tensors of a picture's size that an optimisation state holds or makes in one iteration, besides the history."""
_WIDE = 4
"""Tensors of the widest layer's size in float32 that come and go: operands, results, the measures' encoder."""
_ROOM = 0.9
"""Share of the free memory that is counted on."""


def free_bytes(device: torch.device) -> int:
    """Memory that can be had on the device now: of a GPU, or of this machine within its control group."""
    if device.type == "cuda":
        free: int = torch.cuda.mem_get_info(device)[0]
        return free
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if (meminfo := Path("/proc/meminfo")).exists():
        words = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        available = int(words["MemAvailable"].split()[0]) * 1024
    return min(available, _left_in_cgroup())


def _left_in_cgroup() -> int:
    """What the control group (version 2) leaves; cached files count as free, since they make way."""
    try:
        limit, used, stat = ((_CGROUP / f"memory.{name}").read_text() for name in ("max", "current", "stat"))
    except OSError:
        return _NO_LIMIT
    if limit.strip() == "max":
        return _NO_LIMIT
    counts = dict(line.split() for line in stat.splitlines())
    cached = int(counts.get("inactive_file", 0)) + int(counts.get("active_file", 0))
    return int(limit) - int(used) + cached


def picture_bytes(engine: Engine, height: int, width: int) -> int:
    """What one picture of this size takes at its peak, above the loaded, idle process."""
    recipe, operands = engine.recipe, engine.operands
    stored = sum(prod(shape) for shape in engine.shapes(height, width).values()) * operands.stored.itemsize
    widest = max(prod(shape) for shape in engine.shapes(height, width).values()) * 4
    plane = 3 * height * width * operands.exact.itemsize
    return stored + _WIDE * widest + (_PICTURES + _pairs(recipe)) * plane


def _pairs(recipe: Recipe) -> int:
    own = NeuralStyle.of(recipe)
    return 2 * own.history if own.optimiser == "lbfgs" else 0


def long_edge_that_fits(engine: Engine, height: int, width: int, free: int) -> int | None:
    """The next smaller long edge, a multiple of 16, at which such a picture finds room; None: there is none."""
    for edge in range(max(height, width) // 16 * 16 - 16, LEAST_LONG_EDGE_PX - 1, -16):
        wide, high = working_size(width, height, edge)
        if fits(engine, high, wide, free):
            return edge
    return None


def fits(engine: Engine, height: int, width: int, free: int) -> bool:
    """Is there room for one picture?"""
    return picture_bytes(engine, height, width) <= free * _ROOM


def together(need: int, free: int) -> int:
    """How many pictures that were measured to need so much find room at once, at least one."""
    return max(1, int(free * _ROOM) // max(1, need))


def in_halves(
    minibatch: Sequence[_Item],
    at_once: Callable[[Sequence[_Item], int], dict[str, _Result]],
    refused: Callable[[_Item, str], dict[str, _Result]],
    halvings: int = 0,
) -> dict[str, _Result]:
    """A minibatch's results at once, or in halves where the device has no room for it.

    Args:
        at_once: gives the results of the pictures, told how often their minibatch was halved.
        refused: what becomes of a picture that finds no room alone, told why.
    """
    try:
        return at_once(minibatch, halvings)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        problem = str(error).splitlines()[0]
    torch.cuda.empty_cache()  # here, where the error no longer holds what the attempt had
    if len(minibatch) == 1:
        return refused(minibatch[0], problem)
    half = len(minibatch) // 2
    parts = (minibatch[:half], minibatch[half:])
    return {key: each for part in parts for key, each in in_halves(part, at_once, refused, halvings + 1).items()}


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA's own class, or what its libraries and the CPU's allocator say; also behind a capture that broke off."""
    words = ("can't allocate memory", "out of memory", "ALLOC_FAILED")
    if isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in words):
        return True
    return error.__context__ is not None and is_out_of_memory(error.__context__)
