"""The curves of a training as a picture."""

from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
from matplotlib.figure import Figure


def losses_plot(losses: Sequence[Mapping[str, float]], title: str) -> bytes:
    """Each part of the loss over the steps, a running mean, as PNG; a part may be missing in most steps."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name in dict.fromkeys(name for each in losses for name in each):
        steps, values = zip(*((step, each[name]) for step, each in enumerate(losses) if name in each), strict=True)
        window = max(1, len(values) // 100)
        means = np.convolve(values, np.ones(window) / window, "valid")
        axes.plot(steps[window - 1 :], means, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.set_title(title, fontsize=8, loc="left", wrap=True)
    axes.legend(frameon=False)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()
