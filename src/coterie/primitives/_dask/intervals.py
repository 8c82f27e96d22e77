"""Rows in blocks by interval: another view of them, coded on the workers."""

from functools import partial

import numpy as np

from ..intervals import interval_codes as codes_of_rows
from .rows import BlockRows

__all__ = ["interval_codes"]


def interval_codes(X: BlockRows, columns: np.ndarray, edges: np.ndarray) -> BlockRows:
    """See `coterie.primitives.intervals.interval_codes`; each block becomes (c, m)."""
    codes = X.prepared(partial(_coded, columns, edges, np.uint16 if X.device == "cpu" else np.int32))
    codes.shape = len(columns), len(X)
    return codes


def _coded(columns: np.ndarray, edges: np.ndarray, dtype: type, rows: np.ndarray) -> np.ndarray:
    return np.asarray(codes_of_rows(rows, columns, edges), dtype)  # tensors know no 16 bits without a sign
