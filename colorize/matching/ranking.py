"""Which colour prints suit a grayscale one: embeddings of deep features, ranked by cosine.

Both sides are embedded from their gray version, so that subject and drawing decide and not colour. Gram matrices
describe texture, not subject, and are not used. `flows.match` hands over the catalogue's numpy blocks.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

CENTRE_FROM = 8
"""Colour pictures from which on vectors are centred on their mean; of fewer, the mean says little."""

Vectors = NDArray[np.float32]
Blocks = Callable[[], Iterable[tuple[NDArray[np.int64], Vectors]]]
"""Opens the (ids, vectors (n, d)) blocks anew each time it is called."""


@dataclass(frozen=True)
class Ranked:
    """A style image under consideration."""

    id: int
    score: float
    """Cosine of the centred vectors, in [−1, 1]; of the plain ones where too few pictures give a centre."""


def centre_of(blocks: Blocks) -> Vectors | None:
    """The mean of all vectors, (d,); None for fewer than CENTRE_FROM."""
    total, count = None, 0
    for _, vectors in blocks():
        part = vectors.sum(0, dtype=np.float64)
        total, count = part if total is None else total + part, count + len(vectors)
    if total is None or count < CENTRE_FROM:
        return None
    mean: Vectors = (total / count).astype(np.float32)
    return mean


def rank(queries: Vectors, blocks: Blocks, k: int, centre: Vectors | None) -> list[list[Ranked]]:
    """The k best of all blocks for each query, best first; memory stays that of one block.

    Args:
        queries: float32, (n, d).
        blocks: any number of colour images.
        centre: subtracted from both sides first; None leaves them as they are.
    """
    wanted = _unit(queries, centre)
    best: list[list[Ranked]] = [[] for _ in queries]
    for ids, vectors in blocks():
        # Equal pictures rank by id, however they are blocked: their products differ in the last bits, so they are
        # rounded, and topk would take any of them.
        ordered = np.argsort(ids)
        cosines = (wanted @ _unit(vectors, centre).T).round(decimals=5)
        scores, places = cosines[:, ordered].sort(dim=1, descending=True, stable=True)
        for row, found in enumerate(zip(scores[:, :k].tolist(), places[:, :k].tolist(), strict=True)):
            best[row] = _merged(best[row], ids[ordered], found, k)
    return best


def _merged(
    best: list[Ranked], ids: NDArray[np.int64], found: tuple[Sequence[float], Sequence[int]], k: int
) -> list[Ranked]:
    here = [Ranked(int(ids[place]), score) for score, place in zip(*found, strict=True)]
    return sorted([*best, *here], key=lambda ranked: (-ranked.score, ranked.id))[:k]


def _unit(vectors: Vectors, centre: Vectors | None) -> torch.Tensor:
    shifted = vectors if centre is None else vectors - centre
    return functional.normalize(torch.from_numpy(shifted), dim=1)
