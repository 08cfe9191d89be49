"""Describes a picture by deep features, as a vector that likeness is judged by."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from colorize.encoders.vgg19 import Encoder
from colorize.images.frame import Frame, find_frame
from colorize.images.resize import to_gray
from colorize.matching.ranking import Vectors

LAYER = "conv5_4"


GRID = 4


LONG_EDGE_PX = 224


@torch.no_grad()
def embed(encoder: Encoder, pixels: NDArray[np.uint8], frame: Frame | None = None) -> Vectors:
    """A print's embedding: conv5_4 of its gray version at 224 px, averaged over a 4×4 grid; (16 N,).

    Mounts and colour charts are left out (`colorize.images.frame`): scans that share them would be alike for that.

    Args:
        encoder: any.
        pixels: uint8, (H, W, 3), sRGB, at any size. A working copy's vector has a cosine of .998 and more with that of
            its original, which is nearer than two impressions are: those of before there were copies still compare.
        frame: of the print in it, where that is known.
    """
    framed = (frame or find_frame(pixels)).crop(pixels)
    gray = torch.from_numpy(to_gray(_at_one_scale(framed))).permute(2, 0, 1)[None]
    layers: Mapping[str, torch.Tensor | None] = encoder.embedding or {LAYER: None}
    features = encoder.features(gray.to(encoder.device, encoder.dtype), layers)
    seen = sum(_pooled(features[name], matrix) for name, matrix in layers.items())
    assert isinstance(seen, torch.Tensor)
    vector: Vectors = seen.flatten().float().cpu().numpy()
    return vector


def _pooled(features: torch.Tensor, matrix: torch.Tensor | None) -> torch.Tensor:
    """(1, N, h, w) → (M, GRID²)."""
    pooled = functional.adaptive_avg_pool2d(features, GRID)[0].flatten(1)
    return pooled if matrix is None else matrix.T @ pooled


def _at_one_scale(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The long edge at 224 px, small pictures enlarged too: features of two scales do not compare."""
    scale = LONG_EDGE_PX / max(pixels.shape[:2])
    height, width = (max(2, round(side * scale / 16)) * 16 for side in pixels.shape[:2])
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))
