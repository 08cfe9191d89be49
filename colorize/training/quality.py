"""How well a small encoder keeps its teacher's distances, on pictures that it has not learned from.

Called by `flows.training.encoder`, which writes it into the weights' file, and by `tests/benchmarks/encoder.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorize.encoders.vgg19 import Encoder
from colorize.images.decode import Pixels
from colorize.matching.embedding import embed
from colorize.training.dataset import in_parts, to_batch
from colorize.training.teacher import (
    CONTENT_LAYERS,
    STYLE_LAYERS,
    TAUGHT_LAYERS,
    correlation,
    cosines,
    pair_distances,
)


@dataclass(frozen=True)
class Quality:
    """How well a student keeps the teacher's distances, on pictures that it has not learned from; 1 is perfect."""

    gram: Mapping[str, float]
    """Pearson's correlation of pairwise distances of Gram matrices, by style layer."""
    content: Mapping[str, float]
    matching: float
    """Spearman's rank correlation of matching scores."""

    def data(self) -> dict[str, float]:
        """The least of each, for the file's metadata."""
        least = {"gram": min(self.gram.values()), "content": min(self.content.values()), "matching": self.matching}
        return {name: round(value, 3) for name, value in least.items()}


@torch.no_grad()
def quality(teacher: Encoder, student: Encoder, pictures: Sequence[Pixels], edge_px: int = 128) -> Quality:
    """Both encoders' distances between whole pictures, brought to squares for the losses."""
    squares = to_batch(np.stack([_square(picture, edge_px) for picture in pictures]))
    theirs, ours = (_distances(encoder, squares) for encoder in (teacher, student))
    found = {name: float(correlation(ours[name].double(), theirs[name].double())) for name in theirs}
    scores = [_scores(encoder, pictures) for encoder in (teacher, student)]
    return Quality(
        gram={name: found[f"gram {name}"] for name in STYLE_LAYERS},
        content={name: found[f"content {name}"] for name in CONTENT_LAYERS},
        matching=float(correlation(*(each.argsort().argsort().double() for each in scores))),
    )


def _distances(encoder: Encoder, squares: Tensor) -> dict[str, Tensor]:
    parts = [encoder.features(part, TAUGHT_LAYERS) for part in in_parts(squares)]
    return pair_distances({name: torch.cat([part[name] for part in parts]) for name in TAUGHT_LAYERS})


def _scores(encoder: Encoder, pictures: Sequence[Pixels]) -> Tensor:
    """One for each pair."""
    return cosines(torch.from_numpy(np.stack([embed(encoder, picture) for picture in pictures])))


def _square(picture: Pixels, edge_px: int) -> Pixels:
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(picture[top : top + side, left : left + side])
    pixels: Pixels = np.array(square.resize((edge_px, edge_px), Image.Resampling.LANCZOS))
    return pixels
