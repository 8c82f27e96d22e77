"""Recognising nodes of the fit by their links and attributes, so that they keep their labels in ``predict``."""

import hashlib

import numpy as np
from scipy.sparse import issparse

from ..arrays import Graph, to_numpy
from ..tables.attribute_rows import AttributeRows

__all__ = ["labels_of_keys", "row_keys_of"]


def row_keys_of(graph: Graph, attributes: AttributeRows | None) -> np.ndarray:
    """Return a number for each node that tells its links and attributes apart from others'."""
    indptr, indices, weights = (to_numpy(part) for part in graph)
    parts = [(indptr, indices.astype(np.int64), weights.astype(np.float64))]
    if attributes is not None and issparse(attributes.rows):
        rows = attributes.rows
        parts.append((rows.indptr, rows.indices.astype(np.int64), rows.data))
    dense = None if attributes is None or issparse(attributes.rows) else np.ascontiguousarray(attributes.rows)
    keys = np.empty(len(indptr) - 1, np.uint64)
    for i in range(len(keys)):
        found = hashlib.blake2b(digest_size=8)
        for starts, columns, values in parts:
            part = slice(starts[i], starts[i + 1])
            found.update(columns[part].tobytes() + values[part].tobytes() + b"|")
        if dense is not None:
            found.update(dense[i].tobytes())
        keys[i] = int.from_bytes(found.digest(), "little")
    return keys


def labels_of_keys(fitted: np.ndarray, labels: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Return the label of the fitted node of the same key, the one in the same place first; -1 where there is none."""
    order = np.argsort(fitted, kind="stable")
    place = np.minimum(np.searchsorted(fitted[order], keys), len(fitted) - 1)
    found = np.where(fitted[order][place] == keys, labels[order][place], -1)
    m = min(len(fitted), len(keys))
    return np.concatenate([np.where(fitted[:m] == keys[:m], labels[:m], found[:m]), found[m:]])
