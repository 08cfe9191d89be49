"""One 512² picture in a process of its own: prints its peak above the loaded, idle process, and what was reckoned, MB.

Called by `tests.benchmarks.engine` as `python -m tests.benchmarks.memory PRECISION`.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from skimage import data

from colorize.colorizer import Conditions, colorizer_for
from colorize.device import use_one_thread
from colorize.encoders.loading import random_encoder
from colorize.jobs import Job
from colorize.methods.neural_style.engine import Engine
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.library import recipe_named
from colorize.recipes.recipe import Precision
from colorize.running.memory import picture_bytes

RECIPE = recipe_named("jadh2016/config3_2_3")
EDGE_PX = 512


def main(precision: Precision) -> None:
    """Colorize a small picture, so that all is loaded, then a large one until its history is full."""
    use_one_thread()
    photographs: Any = data
    content = photographs.astronaut()
    style = np.ascontiguousarray(content[:, ::-1])
    small = RECIPE.changed(iterations=1, long_edge_px=32)
    colorizer = colorizer_for(small, random_encoder(), "cpu", Conditions(precision))
    colorizer.colorize([Job("small", content, style)])
    idle = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    large = replace(
        colorizer, recipe=RECIPE.changed(iterations=NeuralStyle.of(RECIPE).history + 1, long_edge_px=EDGE_PX)
    )
    large.colorize([Job("large", content, style)])
    reckoned = picture_bytes(Engine(RECIPE, large.operands), EDGE_PX, EDGE_PX)
    sys.stdout.write(f"{resident('VmHWM') - idle:.0f} {reckoned / 1e6:.0f}\n")


def resident(word: str) -> float:
    """Resident memory now (VmRSS), without pages of files (RssAnon), or at its peak (VmHWM), MB."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[word].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    (given,) = (each for each in get_args(Precision) if each == sys.argv[1])
    main(given)
