"""Which colour prints suit a grayscale one: embeddings of deep features, ranked by cosine.

Both sides are embedded from their gray version, so that subject and drawing decide and not colour. Gram matrices
describe texture, not subject, and are not used. `flows.match` hands over the catalogue's numpy blocks.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

CENTRE_FROM = 8
"""Colour pictures from which on vectors are centred on their mean; of fewer, the mean says little."""

_LAST = 4
"""More than two cosines differ by."""
Vectors = NDArray[np.float32]
Blocks = Callable[[], Iterable[tuple[NDArray[np.int64], Vectors]]]
"""Opens the (ids, vectors (n, d)) blocks anew each time it is called."""


@dataclass(frozen=True)
class Ranked:
    """A style image under consideration."""

    id: int
    score: float
    """Cosine of the centred vectors, in [−1, 1]; of the plain ones where too few pictures give a centre."""
    other_genre: bool = False
    """The records say that the two are of different genres, and nothing says that they are of one design."""


@dataclass(frozen=True)
class Genres:
    """Of which genre the pictures are, as far as records say."""

    of_queries: NDArray[np.int64]
    """(n,), a number for each genre, 0: unknown."""
    of_styles: Mapping[int, int]
    """By id, the same numbers; those of unknown genre are left out."""
    same_design: float
    """Cosine from which on two pictures are of one design, whatever the records say."""

    def differ(self, ids: NDArray[np.int64], cosines: torch.Tensor) -> torch.Tensor:
        """bool, (n, m): the genres are known and differ, and the likeness is not that of one design."""
        styles = torch.tensor([self.of_styles.get(int(each), 0) for each in ids])[None]
        queries = torch.from_numpy(self.of_queries)[:, None]
        return (queries != styles) & (queries != 0) & (styles != 0) & (cosines < self.same_design)


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


def rank(
    queries: Vectors, blocks: Blocks, k: int, centre: Vectors | None, genres: Genres | None = None
) -> list[list[Ranked]]:
    """The k best of all blocks for each query, best first; memory stays that of one block.

    Args:
        queries: float32, (n, d).
        blocks: any number of colour images.
        centre: subtracted from both sides first; None leaves them as they are.
        genres: pictures of another genre come after all others; None: no genre is known.
    """
    wanted = _unit(queries, centre)
    best: list[list[Ranked]] = [[] for _ in queries]
    for ids, vectors in blocks():
        # Equal pictures rank by id, however they are blocked: their products differ in the last bits, so they are
        # rounded, and topk would take any of them.
        ordered = ids[np.argsort(ids)]
        cosines = (wanted @ _unit(vectors, centre).T).round(decimals=5)[:, np.argsort(ids)]
        apart = torch.zeros_like(cosines, dtype=torch.bool) if genres is None else genres.differ(ordered, cosines)
        places = (cosines - _LAST * apart).sort(dim=1, descending=True, stable=True)[1][:, :k]
        found = (ordered[places.numpy()].tolist(), cosines.gather(1, places).tolist(), apart.gather(1, places).tolist())
        for row, here in enumerate(zip(*found, strict=True)):
            best[row] = _best([*best[row], *map(Ranked, *here)], k)
    return best


def _best(ranked: list[Ranked], k: int) -> list[Ranked]:
    return sorted(ranked, key=lambda each: (each.other_genre, -each.score, each.id))[:k]


def _unit(vectors: Vectors, centre: Vectors | None) -> torch.Tensor:
    shifted = vectors if centre is None else vectors - centre
    return functional.normalize(torch.from_numpy(shifted), dim=1)
