"""Neighbours among the columns of a sparse table: what a row's values in similar columns say of its value in another one.

Two columns are similar where the rows that have values in both have similar ones; few such rows count for less. Similarities of one
column are made when it is asked for and then forgotten, so that memory stays linear. Cost: the sum over the rows of the square of the
number of their values.
"""

import numpy as np

from ._numba import item_neighbors as on_cpu
from ._numba.blocks import block_count, run_blocks

__all__ = ["neighbor_means"]

_COLUMNS_PER_BLOCK = 64


def neighbor_means(
    table, rows: np.ndarray, columns: np.ndarray, *, n_neighbors: int = 60, shrink: float = 100.0, damp: float = 0.2
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean of the row's values in the columns most similar to the one asked for.

    Parameters
    ----------
    table : (n, m) SciPy CSR array of float64
        Values around 0; only stored ones count.
    rows, columns : (p,) int arrays
        Places to tell of. The value that is stored there is not used.
    n_neighbors : int, default=60
        Of the columns in which the row has a value, how many count.
    shrink : float, default=100.0
        Similarities are multiplied by (c - 1) / (c - 1 + shrink), c the rows that two columns have in common.
    damp : float, default=0.2
        Weight of 0 in the mean, in units of similarity: where there is little to go by, little is said.

    Returns
    -------
    values : (p,) float64 array
        0 where there are no similar columns.
    weights : (p,) float64 array
        Sum of the similarities behind each.

    References
    ----------
    Koren, Y. (2010). Factor in the neighbors: Scalable and accurate collaborative filtering. ACM TKDD, 4(1), 1.
    https://doi.org/10.1145/1644873.1644874

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> from coterie.primitives.item_neighbors import neighbor_means
    >>> table = csr_array([[1.0, 1.0, 0.0], [-1.0, -1.0, 0.5], [1.0, 0.0, 0.0]])
    >>> neighbor_means(table, np.array([2]), np.array([1]), shrink=0.0, damp=0.0)[0].tolist()
    [1.0]
    """
    by_row, by_column = table.tocsr(), table.T.tocsr()
    rows, columns = np.asarray(rows, np.int64), np.asarray(columns, np.int64)
    order = np.argsort(columns, kind="stable")
    starts = np.zeros(table.shape[1] + 1, np.int64)
    np.cumsum(np.bincount(columns, minlength=table.shape[1]), out=starts[1:])
    values, weights = np.zeros(len(rows)), np.zeros(len(rows))
    blocks = block_count(table.shape[1], _COLUMNS_PER_BLOCK, 4096)
    run_blocks(
        on_cpu.neighbor_means, blocks, blocks, by_row.indptr, by_row.indices, by_row.data, by_column.indptr, by_column.indices,
        by_column.data, starts, rows[order], n_neighbors, float(shrink), float(damp), values, weights,
    )  # fmt: skip
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    return values[back], weights[back]
