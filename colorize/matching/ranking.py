"""Which colour prints suit a grayscale one: embeddings of deep features, ranked by cosine.

Both sides are embedded from their gray version, so that subject and drawing decide and not colour. Gram matrices
describe texture, not subject, and are not used. `flows.match` hands over the catalogue's numpy blocks.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

CENTRE_FROM = 8
"""Colour pictures from which on vectors are centred on their mean; of fewer, the mean says little."""

_ROWS = 256
"""Queries whose cosines with a block one core holds at a time."""
_PLACES = 100_000
"""What a rounded cosine is a whole number of."""
_APART = 4 * _PLACES
"""More than two cosines differ by."""
_IDS = 1 << 40
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

    def differ(self, of_queries: torch.Tensor, ids: NDArray[np.int64], cosines: torch.Tensor) -> torch.Tensor:
        """bool, (n, m): the genres are known and differ, and the likeness is not that of one design."""
        styles = torch.tensor([self.of_styles.get(int(each), 0) for each in ids])[None]
        queries = of_queries[:, None]
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
    """The k best of all blocks for each query, best first, exactly; memory stays that of one block.

    Cosines are rounded to five places, since those of equal pictures differ in the last bits; equal ones rank by id,
    however they are blocked. A cosine and an id make one whole number, the larger the better, so that only numbers are
    compared.

    Args:
        queries: float32, (n, d).
        blocks: any number of colour images; ids from 0 to 2⁴⁰.
        centre: subtracted from both sides first; None leaves them as they are.
        genres: pictures of another genre come after all others; None: no genre is known.
    """
    if not len(queries):
        return []
    wanted, kinds = _unit(queries, centre), torch.from_numpy(genres.of_queries) if genres else None
    parts = [slice(at, at + _ROWS) for at in range(0, len(queries), _ROWS)]
    best = [torch.empty((len(wanted[part]), 0), dtype=torch.int64) for part in parts]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        for ids, vectors in blocks():
            keys = partial(_keys, wanted, _unit(vectors, centre).T, ids, kinds, genres)
            best = list(threads.map(partial(_better, keys, k), parts, best))
    found = torch.cat(best)
    ids_of = -found % _IDS
    scores = (found + ids_of) // _IDS
    apart = scores < -_PLACES
    columns = (ids_of, (scores + _APART * apart) / _PLACES, apart)
    return [list(map(Ranked, *row)) for row in zip(*(each.tolist() for each in columns), strict=True)]


def _keys(
    wanted: torch.Tensor, styles: torch.Tensor, ids: NDArray[np.int64], kinds: torch.Tensor | None,
    genres: Genres | None, part: slice,
) -> torch.Tensor:  # fmt: skip
    """int64, (rows of the part, m): the better a style, the larger."""
    cosines = (wanted[part] @ styles).mul_(_PLACES).round_()
    if genres is not None and kinds is not None:
        cosines -= _APART * genres.differ(kinds[part], ids, cosines / _PLACES)
    return cosines.to(torch.int64).mul_(_IDS).sub_(torch.from_numpy(ids.copy()))  # torch takes no strides below 0


def _better(keys: Callable[[slice], torch.Tensor], k: int, part: slice, before: torch.Tensor) -> torch.Tensor:
    return _largest(torch.cat([before, _largest(keys(part), k)], dim=1), k)


def _largest(keys: torch.Tensor, k: int) -> torch.Tensor:
    return keys.topk(min(k, keys.shape[1]), dim=1)[0]


def _unit(vectors: Vectors, centre: Vectors | None) -> torch.Tensor:
    shifted = vectors if centre is None else vectors - centre
    return functional.normalize(torch.from_numpy(shifted), dim=1)
