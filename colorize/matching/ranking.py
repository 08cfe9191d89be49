"""Which colour prints suit a grayscale one: embeddings of deep features, ranked by cosine.

Both sides are embedded from their gray version, so that subject and drawing decide and not colour. Gram matrices
describe texture, not subject, and are not used. `flows.match` hands over the catalogue's numpy blocks.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from torch.nn import functional

CENTRE_FROM = 8
"""Colour pictures from which on vectors are centred on their mean; of fewer, the mean says little."""

_BLOCK = 4096
"""Colour pictures compared at a time where memory allows; more are no faster."""
_ROWS = 128
"""Vectors whose cosines with a block one core holds at a time."""
_PLACES = 100_000
"""What a rounded cosine is a whole number of."""
_IDS = 1 << 40
_CORES = min(8, len(os.sched_getaffinity(0)))
Vectors = NDArray[np.float32]
Blocks = Callable[[], Iterable[tuple[NDArray[np.int64], Vectors]]]
"""Opens the (ids, vectors (n, d)) blocks anew each time it is called."""


@dataclass(frozen=True)
class Ranked:
    """A style image under consideration."""

    id: int
    score: float
    """Cosine of the centred vectors, in [−1, 1]; of the plain ones where too few pictures give a centre."""


@dataclass(frozen=True)
class Portions:
    """How many vectors `rank` is to be given at a time, so that its memory stays under a bound."""

    queries: int
    styles: int

    @classmethod
    def of(cls, memory_bytes: float, dim: int) -> Self:
        """A half for a block of styles and a quarter for the queries, each up to four times; cosines have the rest."""
        vectors = memory_bytes / 4 / (4 * dim * 4)
        return cls(max(1, int(vectors)), min(_BLOCK, max(1, int(2 * vectors))))


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
    """The k best of all blocks for each query, best first, exactly; memory stays that of one block.

    Cosines are rounded to five places, since those of equal pictures differ in the last bits; equal ones rank by id,
    however they are blocked. A cosine and an id make one whole number, the larger the better, so that only numbers are
    compared.

    Args:
        queries: float32, (n, d).
        blocks: any number of colour images; ids from 0 to 2⁴⁰.
        centre: subtracted from both sides first; None leaves them as they are.
    """
    if not len(queries):
        return []
    wanted = _unit(queries, centre)
    parts = [slice(at, at + _ROWS) for at in range(0, len(queries), _ROWS)]
    best = [torch.empty((len(wanted[part]), 0), dtype=torch.int64) for part in parts]
    with ThreadPoolExecutor(_CORES) as threads:
        for ids, vectors in blocks():
            keys = partial(_keys, wanted, _unit(vectors, centre).T, ids)
            best = list(threads.map(partial(_better, keys, k), parts, best))
    found = torch.cat(best)
    ids_of = -found % _IDS
    columns = (ids_of, (found + ids_of) // _IDS / _PLACES)
    return [list(map(Ranked, *row)) for row in zip(*(each.tolist() for each in columns), strict=True)]


def _keys(wanted: torch.Tensor, styles: torch.Tensor, ids: NDArray[np.int64], part: slice) -> torch.Tensor:
    """int64, (rows of the part, m): the better a style, the larger."""
    cosines = (wanted[part] @ styles).mul_(_PLACES).round_()
    return cosines.to(torch.int64).mul_(_IDS).sub_(torch.from_numpy(ids.copy()))  # torch takes no strides below 0


def _better(keys: Callable[[slice], torch.Tensor], k: int, part: slice, before: torch.Tensor) -> torch.Tensor:
    return _largest(torch.cat([before, _largest(keys(part), k)], dim=1), k)


def _largest(keys: torch.Tensor, k: int) -> torch.Tensor:
    return keys.topk(min(k, keys.shape[1]), dim=1)[0]


def cosines(one: Vectors, others: Sequence[Vectors], centre: Vectors | None) -> Vectors:
    """Of one vector, (d,), with each of the others, (n,), centred as for `rank`."""
    if not others:
        return np.zeros(0, np.float32)
    found: Vectors = (_unit(one[None], centre) @ _unit(np.stack(others), centre).T)[0].numpy()
    return found


def designs(vectors: Mapping[int, Vectors], centre: Vectors | None, least: float) -> dict[int, int]:
    """Picture → the least id of those of its design: by a cosine of `least`, or through others between them.

    Without a centre cosines say too little, and each is the only one of its design.
    """
    ids = sorted(vectors)
    if centre is None or not ids:
        return {each: each for each in ids}
    unit = _unit(np.stack([vectors[each] for each in ids]), centre)
    pairs = [(unit[start : start + _ROWS] @ unit.T >= least).numpy() for start in range(0, len(ids), _ROWS)]
    _, labels = connected_components(csr_array(np.concatenate(pairs)), directed=False)
    firsts: dict[int, int] = {}
    return {each: firsts.setdefault(int(label), each) for each, label in zip(ids, labels, strict=True)}


def _unit(vectors: Vectors, centre: Vectors | None) -> torch.Tensor:
    shifted = vectors if centre is None else vectors - centre
    return functional.normalize(torch.from_numpy(shifted), dim=1)
