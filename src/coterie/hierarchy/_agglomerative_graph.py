"""The graph along which clusters may merge, from whatever the user gives."""

from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array, issparse

from ..arrays import Graph, to_numpy
from ..errors import InputError
from ._agglomerative_distances import RowMetric

__all__ = ["merge_graph"]


def merge_graph(connectivity: Any, metric: RowMetric) -> Graph:
    """Return the graph with every edge at both its ends, none twice, and none from a row to itself.

    Parameters
    ----------
    connectivity : int, (n, n) sparse or dense array, or Graph
        So many nearest neighbours of each row; or edges: what a sparse matrix or a Graph stores, whatever its value, and what
        is not zero in a dense one. An edge in one direction is an edge.
    metric : RowMetric
        With the rows of the fit.
    """
    n = len(metric.rows)
    if isinstance(connectivity, Integral) and not isinstance(connectivity, bool):
        if connectivity < 1:
            raise InputError(f"connectivity must be at least 1 neighbour, got {connectivity}; None connects all rows")
        k = min(int(connectivity), n - 1)
        if k == 0:
            return Graph(np.zeros(n + 1, np.int64), np.empty(0, np.int64), np.empty(0))
        return _symmetric(np.repeat(np.arange(n), k), metric.neighbors(k).ravel(), n)
    if isinstance(connectivity, Graph):
        indptr, shape = to_numpy(connectivity.indptr), (connectivity.n_nodes, connectivity.n_nodes)
        rows, columns = np.repeat(np.arange(shape[0]), np.diff(indptr)), to_numpy(connectivity.indices)
    else:
        matrix = coo_array(connectivity) if issparse(connectivity) else _dense(connectivity)
        (rows, columns), shape = matrix.coords, matrix.shape
    if shape != (n, n):
        raise InputError(f"connectivity must join the {n} rows: a matrix of shape {(n, n)}, got {shape}")
    if len(columns) and not (columns.min() >= 0 and columns.max() < n):
        raise InputError(f"connectivity names rows outside 0 ... {n - 1}")
    return _symmetric(rows, columns, n)


def _dense(connectivity: Any) -> coo_array:
    values = to_numpy(connectivity)
    if values.ndim != 2:
        raise InputError(
            f"connectivity must be a number, a square matrix or a Graph, got {type(connectivity).__name__}"
        )
    return coo_array(values)


def _symmetric(rows: np.ndarray, columns: np.ndarray, n: int) -> Graph:
    apart = rows != columns
    rows, columns = rows[apart], columns[apart]
    one_way = csr_array((np.ones(len(rows), bool), (rows, columns)), shape=(n, n))
    both = csr_array(one_way + one_way.T.tocsr())
    both.sum_duplicates()
    return Graph(both.indptr.astype(np.int64), both.indices.astype(np.int64), both.data)
