"""How HDBSCAN* measures: along straight lines on an index where the metric allows it, else row by row."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from ..arrays import is_tensor, like_input
from ..primitives.distances import check_distances
from ..primitives.neighbors import nearest_reachable
from ..primitives.spanning_tree import SpanningTree, mutual_reachability_tree, spanning_tree_of_distances
from ._row_distances import RowDistances, as_lengths, prepared_rows

__all__ = ["STRAIGHT", "Measure", "in_unit_of", "on_host"]

STRAIGHT = ("euclidean", "cosine")


class Measure(NamedTuple):
    """A metric with its arguments."""

    metric: Any
    arguments: dict

    def is_straight(self, X: Any) -> bool:
        """Say whether rows are measured along straight lines."""
        return is_tensor(X) or (not issparse(X) and isinstance(self.metric, str) and self.metric in STRAIGHT)

    def tree(self, X: Any, k: int) -> tuple[SpanningTree, np.ndarray]:
        """Return the spanning tree and the core distances in the unit of the metric, on the host."""
        if self.is_straight(X):
            tree, core = mutual_reachability_tree(prepared_rows(X, self.metric), k)
            return in_unit_of(self.metric, SpanningTree(*map(on_host, tree)), on_host(core))
        if self.metric == "precomputed":
            check_distances(X)
        source, rows = self._distances(X)
        core = source.core_distances(rows, k)
        return spanning_tree_of_distances(lambda row: source.to(rows[[row]])[0], rows.shape[0], core), core

    def nearest(
        self, fitted: Any, core: np.ndarray, X: Any, k: int, index_of: Callable[[Any], Any]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the row of the fit that is nearest by mutual reachability to each row, and that distance, on the host."""
        if self.is_straight(X) and not issparse(fitted):
            lines = np.sqrt(2.0 * core) if self.metric == "cosine" else core
            rows, queries = prepared_rows(like_input(fitted, X), self.metric), prepared_rows(X, self.metric)
            nearest, reach = nearest_reachable(rows, like_input(lines, X), queries, k, index=index_of(rows))
            return on_host(nearest), as_lengths(on_host(reach), self.metric)
        source, _ = self._distances(fitted)
        queries = X if self.metric == "precomputed" else prepared_rows(X, self.metric)
        return source.nearest_reachable(queries, core, k)

    def _distances(self, X: Any) -> tuple[RowDistances, Any]:
        """Return where distances to rows come from, and these rows as it takes them."""
        if self.metric == "precomputed":
            return RowDistances(None, self.metric, self.arguments), X
        rows = prepared_rows(X, self.metric)
        return RowDistances(rows, self.metric, self.arguments), rows


def in_unit_of(metric: Any, tree: SpanningTree, core: np.ndarray) -> tuple[SpanningTree, np.ndarray]:
    """Return a tree and core distances along straight lines in the unit of the metric."""
    return tree._replace(weights=as_lengths(tree.weights, metric)), as_lengths(core, metric)


def on_host(values: Any) -> np.ndarray:
    """Return values as a NumPy array."""
    return values.detach().cpu().numpy() if is_tensor(values) else values
