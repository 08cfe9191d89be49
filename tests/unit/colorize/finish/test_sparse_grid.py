import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import spsolve

from colorize.errors import Unsolved
from colorize.finish.sparse_grid import _dissected, solve
from colorize.finish.spreading import _laplacian

SHAPE = (37, 52)


def system(pull: float = 1e-3) -> tuple[csr_array, NDArray[np.float64]]:
    """A patchy picture's equations, with hard edges and grain, and two right sides."""
    random = np.random.default_rng(4)
    patches = np.kron(random.uniform(0, 100, (4, 6)), np.ones((10, 10)))[: SHAPE[0], : SHAPE[1]]
    matrix = _laplacian(patches + random.normal(0, 1, SHAPE), pull)
    right = np.zeros((patches.size, 2))
    right[random.integers(0, patches.size, 12)] = random.normal(size=(12, 2))
    return matrix, right


@pytest.mark.parametrize("most_unknowns", [10_000, 700, 200])
def test_a_solution_is_the_direct_solvers_whole_or_in_blocks(most_unknowns: int) -> None:
    matrix, right = system()
    found = solve(matrix, right, SHAPE, most_unknowns=most_unknowns)
    left = np.linalg.norm(matrix @ found - right, axis=0) / np.linalg.norm(right, axis=0)
    assert left.max() < 2e-6
    assert np.abs(found - spsolve(matrix.tocsc(), right)).max() < 1e-3 * np.abs(found).max()


def test_a_diagonal_divides() -> None:
    right = np.arange(24.0).reshape(12, 2)
    assert np.allclose(solve(diags_array(np.full(12, 4.0)).tocsr(), right, (3, 4)), right / 4)


def test_nothing_on_the_right_gives_nothing() -> None:
    matrix, right = system()
    assert not solve(matrix, right * 0, SHAPE).any()


def test_a_right_side_that_is_no_number_is_said_to_be_unsolved() -> None:
    matrix, right = system()
    with pytest.raises(Unsolved, match="1,924 unknowns"):
        solve(matrix, right * np.nan, SHAPE)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (9, 9), (64, 31)])
def test_the_order_of_elimination_names_every_pixel_once(shape: tuple[int, int]) -> None:
    order = np.concatenate(_dissected(np.arange(shape[0] * shape[1]).reshape(shape)))
    assert np.array_equal(np.sort(order), np.arange(shape[0] * shape[1]))
