"""Co-clustering drawn many times: groups of rows and of columns of a sparse table whose blocks have means of their own.

A value is its block's mean and noise. Rows and columns with few values could belong to several groups, so labels are not set to the
likeliest group but drawn by how likely each is (Gibbs sampling), given the other labels and the means of the blocks; what many draws
of several chains say of a place is averaged. Cost: one pass over the stored values for a step, n k l and m k l more.
"""

from typing import NamedTuple

import numpy as np

from ._numba import coclusters as on_cpu
from ._numba.blocks import block_count, run_blocks

__all__ = ["CoClusters", "co_cluster_means", "co_clusters"]


class CoClusters(NamedTuple):
    """Draws of a co-clustering."""

    row_labels: np.ndarray  # (s, n) uint8
    column_labels: np.ndarray  # (s, m) uint8
    means: np.ndarray  # (s, k, l) float64, of the blocks


def co_clusters(
    table,
    n_row_clusters: int,
    n_column_clusters: int,
    *,
    n_chains: int = 12,
    n_burn_in: int = 30,
    n_draws: int = 10,
    every: int = 3,
    shrink: float = 20.0,
    seed: int = 0,
) -> CoClusters:
    """Draw groups of rows and columns of a sparse table of values around 0.

    Parameters
    ----------
    table : (n, m) SciPy CSR array of float64
        Only stored values count; a stored 0 is a value.
    n_row_clusters, n_column_clusters : int
        k and l, at most 255.
    n_chains : int, default=12
        Chains, each from random labels of its own.
    n_burn_in : int, default=30
        Steps of a chain before its first draw is kept.
    n_draws : int, default=10
        Draws kept of each chain, ``every`` steps apart.
    every : int, default=3
    shrink : float, default=20.0
        The mean of a block is the sum of its values divided by their number and this one.
    seed : int, default=0

    Returns
    -------
    CoClusters
        Of n_chains x n_draws draws, the same on any number of threads.

    References
    ----------
    George, T., & Merugu, S. (2005). A scalable collaborative filtering framework based on co-clustering. ICDM, 625-628.
    https://doi.org/10.1109/ICDM.2005.14

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> from coterie.primitives.coclusters import co_cluster_means, co_clusters
    >>> values = np.kron([[1.0, -1.0], [-1.0, 1.0]], np.ones((20, 20)))
    >>> found = co_clusters(csr_array(values), 2, 2)
    >>> co_cluster_means(found, np.array([0, 0]), np.array([0, 39])).round(1).tolist()
    [1.0, -1.0]
    """
    by_row, by_column = table.tocsr(), table.T.tocsr()
    (n, m), k, l = table.shape, n_row_clusters, n_column_clusters  # noqa: E741 - l column clusters, as in the paper
    random = np.random.default_rng(seed)
    row_labels = random.integers(0, k, (n_chains, n), np.uint8)
    column_labels = random.integers(0, l, (n_chains, m), np.uint8)
    states = random.integers(1, 2**63, (n_chains, 1), np.uint64)
    means = np.zeros((n_chains, k, l))
    noise2 = max(float(np.mean(by_row.data**2)), np.finfo(float).tiny) if by_row.nnz else 1.0
    sides = tuple((side.indptr, side.indices, side.data) for side in (by_row, by_column))
    kept = CoClusters(
        np.empty((n_chains, n_draws, n), np.uint8),
        np.empty((n_chains, n_draws, m), np.uint8),
        np.empty((n_chains, n_draws, k, l)),
    )
    for step in range(n_burn_in + n_draws * every):
        run_blocks(
            on_cpu.step, n_chains, *sides[0], *sides[1], noise2, shrink, row_labels, column_labels, means, states
        )
        draw, left = divmod(step - n_burn_in, every)
        if step >= n_burn_in and left == 0:
            kept.row_labels[:, draw], kept.column_labels[:, draw], kept.means[:, draw] = (
                row_labels,
                column_labels,
                means,
            )
    return CoClusters(*(part.reshape(-1, *part.shape[2:]) for part in kept))


def co_cluster_means(found: CoClusters, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the mean over all draws of the means of the blocks in which places lie.

    Parameters
    ----------
    found : CoClusters
    rows, columns : (p,) int arrays

    Returns
    -------
    (p,) float64 array
    """
    values = np.empty(len(rows))
    places = np.ascontiguousarray(rows, np.int64), np.ascontiguousarray(columns, np.int64)
    # One place after the other: a place reads all its labels, which lie side by side.
    labels = np.ascontiguousarray(found.row_labels.T), np.ascontiguousarray(found.column_labels.T)
    blocks = block_count(len(rows))
    run_blocks(on_cpu.block_means, blocks, blocks, *labels, found.means, *places, values)
    return values
