"""What a metric means to the hierarchies: a matrix of distances, distances along edges, a tree, and the nearest row."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import pairwise_distances as any_distances
from sklearn.metrics.pairwise import _VALID_METRICS, PAIRWISE_BOOLEAN_FUNCTIONS

from ..arrays import append_column, is_tensor, normalize_rows, to_numpy
from ..base import StrOptions
from ..errors import ResourceError, UnsupportedError
from ..primitives.distances import check_distances, pairwise_distances
from ..primitives.linkages import packed_distances
from ..primitives.memory import free_bytes
from ..primitives.neighbors import k_nearest
from ..primitives.spanning_tree import SpanningTree, spanning_tree, spanning_tree_of_distances

__all__ = ["METRICS", "RowMetric", "require_bytes"]

METRICS = [StrOptions({*_VALID_METRICS, "precomputed"} - {"nan_euclidean"}), callable]
_STRAIGHT = ("euclidean", "cosine")
_BLOCK_BYTES = 32 << 20
_SAFE = {8: 400, 4: 40}  # exponents of largest values whose squares neither overflow nor vanish, by bytes of a float


class RowMetric(NamedTuple):
    """A metric and the rows of the fit, prepared for it; for precomputed distances the rows are the matrix."""

    name: Any  # str or callable
    arguments: dict
    rows: Any

    @classmethod
    def fitted_to(cls, X: Any, name: Any) -> "RowMetric":
        """Return the metric for the rows of a fit; what is measured on them is kept for rows to predict."""
        arguments = {}
        if is_tensor(X) and name not in _STRAIGHT:
            raise UnsupportedError(
                f"metric={name!r} is computed on NumPy arrays; move the tensor to one, or use 'euclidean' or 'cosine'"
            )
        if name == "precomputed":
            check_distances(X)
        elif name == "seuclidean":
            arguments["V"] = np.var(X, axis=0, ddof=1)
        elif name == "mahalanobis":
            arguments["VI"] = np.linalg.pinv(np.atleast_2d(np.cov(X.T)))
        return cls(name, arguments, X).prepared(X)

    def prepared(self, X: Any) -> "RowMetric":
        """Return the same metric on other rows."""
        if self.name == "cosine":
            # A row of zeros has its 1 in a column of its own: at right angles to all others.
            rows = normalize_rows(X)
            X = append_column(rows, (rows == 0).all(1)[:, None])
        elif self.name in PAIRWISE_BOOLEAN_FUNCTIONS:
            X = X.astype(bool)
        return self._replace(rows=X)

    def matrix(self) -> Any:
        """Return the (n, n) distances: a tensor for tensors, else an array that the caller may change."""
        if self.name == "precomputed":
            return self.rows.copy()
        if self.name in _STRAIGHT:
            return self._to(self.rows)
        out = np.empty((len(self.rows), len(self.rows)), self._dtype())
        for start, block in self._blocks(self.rows):
            out[start : start + len(block)] = block
        return out

    def packed(self) -> Any:
        """Return the distances below the diagonal row by row, for `coterie.primitives.linkages.matrix_linkage`."""
        if self.name in _STRAIGHT:
            scale = _scale(self.rows)
            if scale != 1.0:
                return self._from_lines(_times(packed_distances(self.rows / scale), scale))
            return self._from_lines(packed_distances(self.rows))
        n = len(self.rows)
        out, at = np.empty(n * (n - 1) // 2, self._dtype()), 0
        for start, block in self._blocks(self.rows):
            for i in range(start, start + len(block)):
                out[at : at + i] = block[i - start, :i]
                at += i
        return out

    def along(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the float64 distances between the ends of edges; ``left`` is ascending."""
        if self.name == "precomputed":
            return self.rows[left, right].astype(np.float64)
        rows, out = to_numpy(self.rows), np.empty(len(left))
        if self.name in _STRAIGHT:
            scale = _scale(rows)
            step = max(1, _BLOCK_BYTES // (8 * rows.shape[1]))
            for start in range(0, len(left), step):
                block = slice(start, start + step)
                gaps = (rows[left[block]] / scale).astype(np.float64) - (rows[right[block]] / scale).astype(np.float64)
                out[block] = np.sqrt(np.einsum("ij,ij->i", gaps, gaps))
            return self._from_lines(_times(out, scale))
        if not len(left):
            return out
        ends = np.flatnonzero(np.append(left[1:] != left[:-1], True)) + 1
        for first, end in zip(np.append(0, ends[:-1]), ends, strict=True):
            one, others = rows[left[first : first + 1]], rows[right[first:end]]
            out[first:end] = any_distances(one, others, metric=self.name, **self.arguments)[0]
        return out

    def tree(self) -> SpanningTree:
        """Return the minimum spanning tree, on the host."""
        if self.name in _STRAIGHT:
            left, right, lines = (to_numpy(part) for part in spanning_tree(self.rows))
            return SpanningTree(left, right, self._from_lines(lines))
        return spanning_tree_of_distances(lambda row: self._to(self.rows[[row]])[0], len(self.rows))

    def neighbors(self, k: int) -> np.ndarray:
        """Return the (n, k) nearest other rows of each row, the lowest of equally near ones; k is below n."""
        if self.name in _STRAIGHT:
            return to_numpy(k_nearest(self.rows, k + 1)[1])[:, 1:]
        found = np.empty((len(self.rows), k), np.int64)
        for start, block in self._blocks(self.rows):
            block = np.array(block)
            block[np.arange(len(block)), np.arange(start, start + len(block))] = np.inf
            found[start : start + len(block)] = np.argsort(block, axis=1, kind="stable")[:, :k]
        return found

    def nearest(self, queries: Any) -> np.ndarray:
        """Return the nearest row of the fit to each query, prepared like the rows; the lowest of equally near ones."""
        if self.name in _STRAIGHT:
            return to_numpy(k_nearest(self.rows, 1, queries=queries)[1])[:, 0]
        found = np.empty(len(queries), np.int64)
        for start, block in self._blocks(queries):
            found[start : start + len(block)] = block.argmin(axis=1)
        return found

    def _blocks(self, queries: Any) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (first query, distances to all rows) for a block of queries at a time."""
        width = queries.shape[1] if self.name == "precomputed" else len(self.rows)
        step = max(1, _BLOCK_BYTES // (8 * width))
        for start in range(0, len(queries), step):
            yield start, self._to(queries[start : start + step])

    def _to(self, queries: Any) -> Any:
        if self.name == "precomputed":
            return queries
        if self.name in _STRAIGHT:
            scale = _scale(self.rows)
            if scale == 1.0:
                return self._from_lines(pairwise_distances(queries, self.rows))
            return self._from_lines(_times(pairwise_distances(queries / scale, self.rows / scale), scale))
        # An object of its own: scikit-learn treats the same array on both sides differently, by a few last bits.
        other = queries.copy() if queries is self.rows else queries
        return any_distances(other, self.rows, metric=self.name, **self.arguments)

    def _from_lines(self, lines: Any) -> Any:
        """Turn straight lines between prepared rows into the metric: half the square of a chord is its cosine distance."""
        if self.name == "cosine":
            lines *= lines
            lines /= 2.0
        return lines

    def _dtype(self) -> np.dtype:
        return self.rows.dtype if self.rows.dtype in (np.float32, np.float64) else np.dtype(np.float64)


def require_bytes(needed: int, what: str, instead: str) -> None:
    """Refuse what does not fit into memory, before it is allocated."""
    free = free_bytes()
    if needed > free:
        raise ResourceError(f"{what} needs {needed / 2**30:.1f} GiB, but {free / 2**30:.1f} GiB are free; {instead}")


def _times(lines: Any, scale: float) -> Any:
    """Return lines in the unit of the rows; the longest may be longer than a number can say."""
    most = float(np.finfo(to_numpy(lines[:0]).dtype).max) / max(scale, 1.0)
    return lines.clip(max=most) * scale


def _scale(X: Any) -> float:
    """Return the power of two to divide rows by so that squares neither overflow nor vanish: 1 for all ordinary data."""
    largest = float(abs(X).max()) if not is_tensor(X) else float(X.abs().max())
    exponent = int(np.frexp(largest)[1])
    if largest == 0.0 or abs(exponent) < _SAFE[X.dtype.itemsize]:
        return 1.0
    return 2.0 ** min(1023, max(-1021, exponent))
