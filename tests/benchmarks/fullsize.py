"""Low-size chroma brought to scans of 12 and 100 megapixels: seconds, memory, lightness, and colour past key lines.

Each size runs in a process of its own, `python -m tests.benchmarks.fullsize MEGAPIXELS`; and so does the whole of a
picture at working size (`whole`). The plain peer enlarges the chroma by bicubic interpolation and leaves the rest to
scikit-image.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage.color import lab2rgb, rgb2lab
from skimage.metrics import structural_similarity

from colorize.colorizer import colorizer_for
from colorize.encoders.loading import load_encoder
from colorize.encoders.weights import shipped_weights
from colorize.finish.fullsize import recomposed
from colorize.images.decode import Pixels
from colorize.images.frame import Frame
from colorize.images.resize import to_gray
from colorize.jobs import Job, Style
from colorize.recipes.library import recipe_named
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.halo import SHAPES, WIDTHS_PX, halo

LOW_PX = (352, 512)
SIZES = {12: (2848, 4240), 100: (8192, 12288)}
"""Megapixels → width, height."""
WHOLE = "whole"
ROUNDS = 3
CROP_PX = 1024


def main() -> None:
    """Both sizes, one after the other."""
    figures: list[Figure] = []
    for megapixels in SIZES:
        command = [sys.executable, "-m", __spec__.name, str(megapixels)]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        figures += _judged(megapixels, json.loads(done.stdout))
    done = subprocess.run([sys.executable, "-m", __spec__.name, WHOLE], capture_output=True, check=True, text=True)
    figures += _judged_whole(json.loads(done.stdout))
    for width in WIDTHS_PX:
        reach = max(halo(shape, width) for shape in SHAPES)
        figures.append(Figure(f"halo past a key line of {width} px", reach, "px", "≤ 1", reach <= 1))
    publish("fullsize", figures)


def _judged(megapixels: int, found: dict[str, float]) -> Iterator[Figure]:
    name = f"{megapixels} megapixels"
    limit_s = 1.0 if megapixels == 12 else None
    yield Figure(
        f"{name}, wall", found["wall_s"], "s", f"≤ {limit_s}" if limit_s else "", _under(found["wall_s"], limit_s)
    )
    yield Figure(f"{name}, CPU", found["cpu_s"], "s")
    if "peer_s" in found:
        ratio = found["cpu_s"] / found["peer_s"]
        yield Figure(f"{name}, CPU", ratio, "× plain peer", "≤ 0.5", ratio <= 0.5)
    yield Figure(f"{name}, peak of the process", found["peak_mb"], "MB", "≤ 1000", found["peak_mb"] <= 1000)
    beside = found["beside_mb"]
    yield Figure(f"{name}, beside input and output", beside, "MB", "≤ 64", beside <= 64)
    yield Figure(f"{name}, SSIM of L", found["ssim"], "", "≥ 0.999", found["ssim"] >= 0.999)
    yield Figure(f"{name}, mean |ΔL|", found["mean"], "L", "≤ 0.1", found["mean"] <= 0.1)
    yield Figure(f"{name}, p99 |ΔL|", found["p99"], "L", "≤ 0.5", found["p99"] <= 0.5)


def _judged_whole(found: dict[str, float]) -> Iterator[Figure]:
    first, further = found["one"], (found["three"] - found["one"]) / 2
    yield Figure("512 px, the whole with one style, CPU of one core", first, "s", "≤ 3", first <= 3)
    yield Figure("512 px, each further style, CPU of one core", further, "s", "≤ 1", further <= 1)
    yield Figure("512 px, peak of the process", found["peak_mb"], "MB", "≤ 1000", found["peak_mb"] <= 1000)


def _under(value: float, limit: float | None) -> bool | None:
    return None if limit is None else value <= limit


def run(megapixels: int) -> None:
    """One size; prints its figures as JSON."""
    drawn = draw_print(design(3), 0, LOW_PX).pixels
    chroma = rgb2lab(drawn)[..., 1:].astype(np.float32)
    recomposed(drawn, chroma, Frame(0, 0, *drawn.shape[:2]))  # tables and code are loaded
    scan = _scan(drawn, SIZES[megapixels])
    frame = Frame(0, 0, *scan.shape[:2])
    idle = _resident_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    coloured = recomposed(scan, chroma, frame)
    peak = _resident_mb("VmHWM")
    found = {"peak_mb": peak, "beside_mb": peak - idle - coloured.nbytes / 1e6}
    found |= _times(scan, chroma, frame) | _lightness(scan, coloured)
    if megapixels == min(SIZES):
        found["peer_s"] = _peer_seconds(scan, chroma)
    sys.stdout.write(json.dumps(found))


def run_whole() -> None:
    """`nishiki/colour` on a drawn print of 512 px, from other designs; prints its figures as JSON."""
    torch.set_num_threads(1)
    content, *styles = (draw_print(design(number), 0, LOW_PX).pixels for number in (3, 4, 5, 6))
    colorizer = colorizer_for(recipe_named("nishiki/colour"), load_encoder(shipped_weights()), "cpu")
    found = {}
    for name, number in (("warm", 1), ("one", 1), ("three", 3)):
        further = tuple(Style(each) for each in styles[1:number])
        cpu = time.process_time()
        colorizer.colorize([Job(name, to_gray(content), styles[0], further=further)])
        found[name] = time.process_time() - cpu
    sys.stdout.write(json.dumps(found | {"peak_mb": _resident_mb("VmHWM")}))


def _scan(drawn: Pixels, size: tuple[int, int]) -> Pixels:
    """The print in gray, enlarged, with grain."""
    gray = np.array(Image.fromarray(to_gray(drawn)).convert("L").resize(size, Image.Resampling.BICUBIC))
    random = np.random.default_rng(0)
    for row in gray:
        row[:] = np.clip(row + random.normal(0, 4, row.shape), 0, 255)
    return np.repeat(gray[..., None], 3, 2)


def _times(scan: Pixels, chroma: NDArray[np.float32], frame: Frame) -> dict[str, float]:
    walls, cpus = [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        recomposed(scan, chroma, frame)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {"wall_s": statistics.median(walls), "cpu_s": statistics.median(cpus)}


def _peer_seconds(scan: Pixels, chroma: NDArray[np.float32]) -> float:
    began = time.process_time()
    lab = rgb2lab(scan)
    for channel in range(2):
        low = Image.fromarray(chroma[..., channel])
        lab[..., channel + 1] = low.resize((scan.shape[1], scan.shape[0]), Image.Resampling.BICUBIC)
    np.rint(lab2rgb(lab) * 255).astype(np.uint8)
    return time.process_time() - began


def _lightness(scan: Pixels, coloured: Pixels) -> dict[str, float]:
    """Worst of nine crops, which scikit-image has room for."""
    ssims, means, p99s = [], [], []
    for down, across in product(range(3), repeat=2):
        top, left = ((side - CROP_PX) * at // 2 for side, at in zip(scan.shape[:2], (down, across), strict=True))
        crop = slice(top, top + CROP_PX), slice(left, left + CROP_PX)
        before, after = rgb2lab(scan[crop])[..., 0], rgb2lab(coloured[crop])[..., 0]
        off = np.abs(after - before)
        ssims.append(structural_similarity(before, after, data_range=100))  # type: ignore[no-untyped-call]
        means.append(off.mean())
        p99s.append(np.quantile(off, 0.99))
    return {"ssim": float(min(ssims)), "mean": float(max(means)), "p99": float(max(p99s))}


def _resident_mb(word: str) -> float:
    """Resident memory now (VmRSS) or at its peak (VmHWM)."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[word].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    if sys.argv[1:] == [WHOLE]:
        run_whole()
    elif len(sys.argv) > 1:
        run(int(sys.argv[1]))
    else:
        main()
