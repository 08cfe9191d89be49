"""What a teacher says of pictures, once for the whole training: crops for the losses, gray views for matching.

`colorize.training.distillation` learns from it, `colorize.training.quality` measures by the same distances.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from colorize.encoders.vgg19 import Encoder
from colorize.images.decode import Pixels
from colorize.matching.embedding import GRID
from colorize.matching.embedding import LAYER as EMBEDDING_LAYER
from colorize.methods.neural_style.losses import gram_matrix
from colorize.training.dataset import in_parts, to_batch
from colorize.training.fitting import sampled

STYLE_LAYERS = ("conv1_1", "pool1", "conv2_1", "pool2", "conv3_1", "pool3", "conv4_1", "pool4", "conv5_1")
CONTENT_LAYERS = ("conv3_2", "conv4_2")
HEAD_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv3_4", "conv4_1", "conv4_2", "conv4_4", "conv5_1", "conv5_4")
TAUGHT_LAYERS = tuple(dict.fromkeys((*STYLE_LAYERS, *CONTENT_LAYERS, *HEAD_LAYERS)))
_HEAD_POSITIONS = 32


@dataclass(frozen=True)
class TeacherBatch:
    """A batch of crops with all that the teacher says of them, once for the whole training."""

    pixels: Pixels
    distances: Mapping[str, Tensor]
    """By `gram LAYER` and `content LAYER`: one number for each pair of crops."""
    places: Mapping[str, Tensor]
    features: Mapping[str, Tensor]
    """The teacher's outputs at the places of the head layers, (B · places, N), float16, over their mean."""


@torch.no_grad()
def teacher_batch(teacher: Encoder, pixels: Pixels, scales: Mapping[str, float], seed: int) -> TeacherBatch:
    """What the teacher says of a batch; `scales` are the mean activations that features are divided by."""
    generator = torch.Generator().manual_seed(seed)
    found = teacher.features(to_batch(pixels), TAUGHT_LAYERS)
    places = {
        name: torch.randperm(found[name].shape[2] * found[name].shape[3], generator=generator)[:_HEAD_POSITIONS]
        for name in HEAD_LAYERS
    }
    features = {name: (sampled(found[name], places[name]) / scales[name]).half() for name in HEAD_LAYERS}
    return TeacherBatch(pixels, pair_distances(found), places, features)


@dataclass(frozen=True)
class Look:
    """A batch of gray pictures with the teacher's embeddings of them."""

    pixels: Pixels
    cells: Tensor
    """(B, cells, N), over their standard deviation."""


@torch.no_grad()
def look(teacher: Encoder, pixels: Pixels) -> Look:
    """How the teacher tells gray pictures apart."""
    parts = [teacher.features(part, [EMBEDDING_LAYER]) for part in in_parts(to_batch(pixels))]
    cells = torch.cat([cells_of(part[EMBEDDING_LAYER]) for part in parts])
    return Look(pixels, cells / cells.std())


def cells_of(features: Tensor) -> Tensor:
    """Features as matching pools them, cell by cell: (B, GRID², N)."""
    return functional.adaptive_avg_pool2d(features, GRID).flatten(2).transpose(1, 2)


def cosines(vectors: Tensor) -> Tensor:
    """Of centred vectors (B, d), as matching ranks by: (pairs,)."""
    directions = functional.normalize(vectors - vectors.mean(0), dim=1)
    first, second = torch.triu_indices(len(vectors), len(vectors), 1)
    return (directions[first] * directions[second]).sum(1)


def pair_distances(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """How far the pictures of a stack are apart in what the losses look at; (pairs,) each."""
    grams = {f"gram {name}": functional.pdist(gram_matrix(found[name]).flatten(1)) for name in STYLE_LAYERS}
    return grams | {f"content {name}": functional.pdist(found[name].flatten(1)) for name in CONTENT_LAYERS}


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Pearson's, of two vectors."""
    return functional.cosine_similarity(a - a.mean(), b - b.mean(), dim=0)
