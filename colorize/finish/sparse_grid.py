"""Sparse systems on a picture's grid, one unknown a pixel, each coupled with its eight neighbours or hardly at all.

Pictures up to about a megapixel are factorized whole, larger ones as blocks of pixels that hang together; either
factorization preconditions conjugate gradients, which mend what it leaves. Who builds a system (`finish.spreading`)
says what its numbers mean; here are no colours and no marks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import SuperLU, splu

from colorize.errors import Unsolved

Vector = NDArray[np.float64]
Places = NDArray[np.intp]

MOST_UNKNOWNS = 1_100_000
"""What is factorized at most: 1024 × 1024 take 7 s and 1.1 GB, 512 × 512 1.3 s and a quarter of a gigabyte."""
MOST_ROUNDS = 500
_LEAF = 64
_STRONG = 0.02
"""Pixels of a block hang together where their coupling passes this share of the lesser of both diagonals."""
_RATES = (1 / 1.78, 1 / 0.72)
"""Two Jacobi steps at the Chebyshev points of [0.5, 2]: 2 bounds the eigenvalues of D⁻¹A by Gershgorin's circles."""


@dataclass(frozen=True)
class _Preconditioner:
    matrix: csr_array
    inverse_diagonal: Vector
    members: csr_array
    """(n, m) of ones: the block part that a pixel belongs to, numbered in the order of elimination."""
    factors: SuperLU

    def __call__(self, residual: Vector) -> Vector:
        """Smoothed, corrected from the blocks, smoothed the same way back: symmetric, as the gradients need it."""
        found = np.zeros_like(residual)
        for rate in _RATES:
            found += self._left(residual, found) * self.inverse_diagonal * rate
        coarse = self.members.T @ self._left(residual, found)
        found += self.members @ self.factors.solve(coarse.astype(np.float32))
        for rate in _RATES[::-1]:
            found += self._left(residual, found) * self.inverse_diagonal * rate
        return found

    def _left(self, residual: Vector, found: Vector) -> Vector:
        return np.asarray(residual - self.matrix @ found)


def solve(matrix: csr_array, right: Vector, shape: tuple[int, int], *, most_unknowns: int = MOST_UNKNOWNS) -> Vector:
    """The x with A x = b, each column to a relative residual of 1e-6.

    Nested dissection (George 1973) orders the elimination, in half the time of SuperLU's own minimum degree; single
    precision halves the memory, and one round of conjugate gradients gives the digits back. Over `most_unknowns`
    pixels the blocks are a two-grid method with piecewise constant aggregates, which takes about a hundred rounds.

    Args:
        matrix: float64, (h·w, h·w), symmetric, positive definite, rows that sum to 0 or more, no positive value off
            the diagonal, and none but between the eight neighbours of the grid in row order.
        right: float64, (h·w, k).
        shape: (h, w).
        most_unknowns: above it, pixels are taken together.

    Raises:
        Unsolved: not reached in 500 rounds.
    """
    side = int(np.ceil(np.sqrt(len(right) / most_unknowns)))
    preconditioner = _preconditioner(matrix, shape, side)
    columns = map(partial(_conjugate_gradients, matrix, preconditioner), right.T)
    return np.stack(list(columns), axis=1)


def _conjugate_gradients(
    matrix: csr_array, precondition: Callable[[Vector], Vector], right: Vector, tolerance: float = 1e-6
) -> Vector:
    """Flexible (each direction conjugate to the last by its own product): a rounded preconditioner is not quite one."""
    solution, residual = np.zeros_like(right), right.copy()
    direction, image = np.zeros_like(right), np.zeros_like(right)
    energy, goal = np.inf, tolerance * np.linalg.norm(right)
    for _ in range(MOST_ROUNDS):
        if np.linalg.norm(residual) <= goal:
            return solution
        better = precondition(residual)
        direction = better - direction * (better @ image / energy)
        image = matrix @ direction
        energy = direction @ image
        step = residual @ direction / energy
        solution += step * direction
        residual -= step * image
    raise Unsolved(
        f"a system of {len(right):,} unknowns was not solved in {MOST_ROUNDS} rounds of conjugate gradients. "
        "Work at a smaller size."
    )


def _preconditioner(matrix: csr_array, shape: tuple[int, int], side: int) -> _Preconditioner:
    members = _members(matrix, shape, side)
    coarse = (members.T @ matrix @ members).tocsc().astype(np.float32)
    options = {"SymmetricMode": True}
    factors = splu(coarse, permc_spec="NATURAL", diag_pivot_thresh=0.0, relax=8, panel_size=16, options=options)
    return _Preconditioner(matrix, 1 / matrix.diagonal(), members, factors)


def _members(matrix: csr_array, shape: tuple[int, int], side: int) -> csr_array:
    """Blocks of side × side pixels, split where an edge runs through; with side 1 a mere reordering."""
    rows, columns = np.divmod(np.arange(matrix.shape[0]), shape[1])
    blocks = np.arange(-(-shape[0] // side) * -(-shape[1] // side)).reshape(-(-shape[0] // side), -1)
    ranks = np.empty(blocks.size, np.intp)
    ranks[np.concatenate(_dissected(blocks))] = np.arange(blocks.size)
    rank = ranks[blocks[rows // side, columns // side]]
    count, part = _parts(matrix, rank)
    order = np.zeros(count, np.intp)
    order[part] = rank
    places = np.empty(count, np.intp)
    places[np.argsort(order, kind="stable")] = np.arange(count)
    return csr_array((np.ones(len(rank)), places[part], np.arange(len(rank) + 1)), shape=(len(rank), count))


def _dissected(blocks: Places) -> list[Places]:
    """Both halves before the line that parts them, again and again: fill-in stays inside the halves."""
    if blocks.size <= _LEAF:
        return [blocks.ravel()]
    if blocks.shape[0] < blocks.shape[1]:
        blocks = blocks.T
    middle = blocks.shape[0] // 2
    return [*_dissected(blocks[:middle]), *_dissected(blocks[middle + 1 :]), blocks[middle]]


def _parts(matrix: csr_array, rank: Places) -> tuple[int, Places]:
    """How many connected parts the blocks have, and which one each pixel belongs to."""
    rows, columns = np.repeat(np.arange(len(rank)), np.diff(matrix.indptr)), matrix.indices
    diagonal = matrix.diagonal()
    strong = -matrix.data > _STRONG * np.minimum(diagonal[rows], diagonal[columns])
    kept = strong & (rank[rows] == rank[columns])
    links = csr_array((np.ones(kept.sum()), (rows[kept], columns[kept])), shape=matrix.shape)
    count, part = connected_components(links, directed=False)
    return int(count), part
