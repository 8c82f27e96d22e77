"""Shifting and scaling rows in blocks: what the first look has found says by how much, and blocks move when they are read."""

from functools import partial
from typing import Any

import numpy as np

from ..blocks import says
from .passes import Block, each
from .rows import BlockRows

__all__ = ["condition"]


def condition(X: BlockRows, shift: np.ndarray | None, scale: float | None) -> tuple[BlockRows, np.ndarray, float]:
    """See `coterie.primitives.conditioning.condition`."""
    if shift is None or scale is None:
        shift, scale = _coordinates(X)
    return X.prepared(partial(_conditioned, shift, scale)), shift, scale


def _coordinates(X: BlockRows) -> tuple[np.ndarray, float]:
    from .._numba.conditioning import coordinates, power_of_two, trusted

    low = np.min([seen.low for seen in X.surveys], axis=0)
    high = np.max([seen.high for seen in X.surveys], axis=0)
    first = power_of_two(max(-low.min(), high.max()))
    totals = np.array([seen.total for seen in X.surveys])[X.by_rank()] / first
    if not trusted(totals, first):
        totals = np.array(each(X, _scaled_total, 1 / first))[X.by_rank()]
    return coordinates(totals.sum(axis=0) / len(X), low, high, first)


@says("center of the rows")
def _scaled_total(block: Block, factor: float) -> np.ndarray:
    from .._numba.conditioning import summarize

    return summarize(block.rows, factor)[0]


def _conditioned(shift: np.ndarray, scale: float, rows: Any) -> Any:
    from ..conditioning import condition as condition_rows

    return condition_rows(rows, shift, scale).rows
