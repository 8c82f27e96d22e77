"""Medoids of rows in blocks: distinct rows drawn from all of them, and what medoids cost on all of them.

A distinct row is drawn by its *clock*, a number made from its values and a seed: those whose clocks come first are drawn. So a draw
is one pass, in which a block hands over the first of its own; and it is the same whatever the order of the rows and however they
are cut into blocks. What a drawn row weighs is what all rows weigh that are equal to it.
"""

from collections.abc import Sequence
from functools import partial
from math import fsum
from typing import Any, NamedTuple

import numpy as np

from ..arrays import like_input, to_numpy
from ..errors import UnsupportedError
from ..primitives.blocks import each_block, fold_blocks, says
from ..primitives.row_keys import key_order, row_keys
from ._medoids_metric import Distinct, Metric, distinct_rows

__all__ = ["Judged", "draw_distinct", "judge", "measured", "swap_changes_of_blocks", "together"]

_WEIGHT_BITS = 61  # of the sum of all weights, which are added up as whole numbers
_TILE = 1 << 21  # distances at a time


class Judged(NamedTuple):
    """What some medoids cost on all rows."""

    loss: float  # before the metric's unit
    counts: np.ndarray  # (k,) int64: rows nearest to each


class _Draw(NamedTuple):
    """Distinct rows by their clocks, equal ones by their values."""

    clocks: np.ndarray  # (m,) uint64
    rows: np.ndarray  # (m, d) prepared
    weight: np.ndarray  # (m,) int64
    source: np.ndarray  # (m,) int64: number of the first row that is equal


def measured(rows: Any, name: Any, arguments: dict | None) -> tuple[Metric, Any]:
    """Return the metric for rows in blocks, and the rows between which it measures.

    Raises
    ------
    UnsupportedError
        If these are distances.
    """
    if isinstance(name, str) and name == "precomputed":
        raise UnsupportedError(
            "metric='precomputed' needs the whole matrix of distances in memory; give rows in blocks and a metric between them"
        )
    corners = np.array([corner for seen in rows.surveys if seen.n_rows for corner in (seen.low, seen.high)])
    metric = Metric.fitted_to(corners.astype(rows.dtype), name, arguments)
    return metric, rows.prepared(metric.rows)


def draw_distinct(X: Any, metric: Metric, sizes: Sequence[int], rng: np.random.RandomState) -> list[Distinct]:
    """Draw distinct rows without replacement, a few times, in one pass over rows in blocks.

    Parameters
    ----------
    X : rows in blocks
        Prepared, with their weights.
    metric : Metric
    sizes : sequence of int
        How many rows each time; all, where there are not more distinct ones.
    rng : RandomState

    Returns
    -------
    list of Distinct
        In random order; ``source`` are row numbers in the order in which the blocks were given, and ``member`` says nothing.
    """
    seeds = [int(seed) for seed in rng.randint(2**31, size=len(sizes))]
    total = sum(seen.weight for seen in X.surveys)
    unit = 1.0 if X.weights is None else 2.0 ** (np.frexp(total)[1] - _WEIGHT_BITS)
    found = fold_blocks(X, _first_rows, partial(_merged, tuple(sizes)), tuple(zip(sizes, seeds, strict=True)), unit)
    return [_distinct(metric, draw, unit) for draw in found]


def together(draws: Sequence[Distinct]) -> tuple[Distinct, list[np.ndarray]]:
    """Return the distinct rows of some draws in an order of their values, and where the rows of each draw are there."""
    source, first = np.unique(np.concatenate([draw.source for draw in draws]), return_index=True)
    weights = [np.ones(len(draw.source)) if draw.weight is None else draw.weight for draw in draws]
    weight = np.concatenate(weights)[first]
    rows = np.concatenate([draw.rows for draw in draws])[first]
    ordered = distinct_rows(draws[0].metric, rows, None if (weight == 1).all() else weight)
    place = np.empty(len(source), np.int64)
    place[ordered.source] = np.arange(len(source))
    places = [place[np.searchsorted(source, draw.source)] for draw in draws]
    return ordered._replace(source=source[ordered.source]), places


def judge(X: Any, metric: Metric, candidates: Sequence[np.ndarray]) -> list[Judged]:
    """Say what sets of medoids cost on all rows, in one pass; the sums are rounded once, so no order changes a bit.

    Parameters
    ----------
    X : rows in blocks
        Prepared, with their weights.
    metric : Metric
    candidates : sequence of (k, d) arrays
        Prepared rows.
    """
    found = each_block(X, _costs, metric, tuple(candidates))
    return [
        Judged(fsum(part[i][0] for part in found), np.sum([part[i][1] for part in found], axis=0))
        for i in range(len(candidates))
    ]


def swap_changes_of_blocks(X: Any, metric: Metric, medoids: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Say what each of some rows would change the loss by in place of each medoid, in one pass.

    Parameters
    ----------
    X : rows in blocks
        Prepared, with their weights.
    metric : Metric
    medoids : (k, d) array
    rows : (m, d) array
        Prepared rows, as the medoids.

    Returns
    -------
    changes : (m, k) float64 array
    loss : float
        Of the medoids as they are.
    """
    found = np.array(each_block(X, _changes, metric, medoids, rows))
    sums = np.array([fsum(column) for column in found.T])
    return sums[:-1].reshape(len(rows), len(medoids)), float(sums[-1])


def _first_rows(block: Any, wanted: tuple[tuple[int, int], ...], unit: float) -> list[_Draw]:
    rows, weight = to_numpy(block.rows), block.weight
    whole = np.ones(len(rows), np.int64)
    if weight is not None:
        whole = np.where(weight > 0, np.maximum(np.rint(weight / unit), 1), 0).astype(np.int64)
    kept = np.flatnonzero(whole)
    if len(kept) == 0:
        empty = np.empty(0, np.int64)
        return [_Draw(empty.astype(np.uint64), rows[:0], empty, empty)] * len(wanted)
    keys = row_keys(np.asarray(rows if rows.dtype.kind == "f" else rows.astype(np.float64))) + 0.0  # one zero, not two
    order = kept[key_order(keys[kept])]
    first = np.append(True, np.diff(keys[order]) != 0)
    starts = np.append(np.flatnonzero(first), len(order))
    names = keys[order[starts[:-1]]]
    found = []
    for size, seed in wanted:
        clocks = _clocks(names, seed)
        soon = np.argpartition(clocks, size - 1)[:size] if size < len(clocks) else np.arange(len(clocks))
        mine = np.concatenate([order[starts[i] : starts[i + 1]] for i in soon])
        clocks = np.repeat(clocks[soon], np.diff(starts)[soon])
        found.append(_joined(_Draw(clocks, rows[mine], whole[mine], mine + block.start), size))
    return found


def _clocks(keys: np.ndarray, seed: int) -> np.ndarray:
    """Return a number for each key that looks random (the mixing steps of Steele, Lea & Flood's SplitMix64, twice)."""
    x = keys.view(np.uint64).copy()
    for added in (0x9E3779B97F4A7C15, seed * 0x9E3779B97F4A7C15 % 2**64):
        x += np.uint64(added)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return x


def _merged(sizes: tuple[int, ...], a: list[_Draw], b: list[_Draw]) -> list[_Draw]:
    return [
        _joined(_Draw(*(np.concatenate(parts) for parts in zip(one, other, strict=True))), size)
        for one, other, size in zip(a, b, sizes, strict=True)
    ]


def _joined(draw: _Draw, size: int) -> _Draw:
    """Join equal rows, and keep the first so many by clock and value."""
    order = np.lexsort((draw.source, draw.clocks))
    alike = np.diff(draw.clocks[order]) == 0
    first = np.append(True, ~alike)[: len(order)]
    if alike.any():
        # Few as a rule: rows with the same clock are compared feature by feature.
        at = np.flatnonzero(np.append(alike, False) | np.insert(alike, 0, False))
        ranks = np.lexsort((*draw.rows[order[at]].T[::-1], draw.clocks[order[at]]))
        order[at] = order[at][ranks]
        values = draw.rows[order[at]]
        first[at[1:]] = (values[1:] != values[:-1]).any(1) | (np.diff(draw.clocks[order[at]]) != 0)
    group = np.cumsum(first) - 1
    heads = order[first][:size]
    weight = np.zeros(group[-1] + 1 if len(group) else 0, np.int64)
    np.add.at(weight, group, draw.weight[order])
    source = np.full(len(weight), np.iinfo(np.int64).max)
    np.minimum.at(source, group, draw.source[order])
    return _Draw(draw.clocks[heads], draw.rows[heads], weight[:size], source[:size])


def _distinct(metric: Metric, draw: _Draw, unit: float) -> Distinct:
    weight = None if unit == 1.0 and (draw.weight == 1).all() else draw.weight * unit
    return Distinct(metric, draw.rows, weight, draw.source, np.empty(0, np.int64))


@says("distances to medoids, {}")
def _costs(block: Any, metric: Metric, candidates: tuple[np.ndarray, ...]) -> list[tuple[float, np.ndarray]]:
    rows, weight = block.rows, block.weight
    if len(rows) == 0:
        return [(0.0, np.zeros(len(medoids), np.int64)) for medoids in candidates]
    found = []
    for medoids in candidates:
        labels, distances = (to_numpy(part) for part in metric.nearest(rows, like_input(medoids, rows)))
        values = distances.astype(np.float64)
        loss = float((values if weight is None else weight * values).sum())
        found.append((loss, np.bincount(labels, minlength=len(medoids))))
    return found


@says("exchanges, {}")
def _changes(block: Any, metric: Metric, medoids: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return the (m, k) changes and the loss, in one array (Schubert & Rousseeuw 2021, algorithm 3)."""
    rows, weight = block.rows, block.weight
    m, k = len(candidates), len(medoids)
    removed, shared, loss = np.zeros((k, m)), np.zeros(m), 0.0
    step = max(1, _TILE // (m + k))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        near, far = (
            to_numpy(metric.between(some, like_input(other, some))).astype(np.float64)
            for other in (medoids, candidates)
        )
        heavy = np.ones(len(some)) if weight is None else weight[start : start + step]
        own, at = near.argmin(1), np.arange(len(some))
        first = near[at, own]
        near[at, own] = np.inf
        second = near.min(1)
        loss += float((heavy * first).sum())
        gap = far - first[:, None]
        shared += (np.minimum(gap, 0) * heavy[:, None]).sum(0)
        lost = np.where(gap >= 0, np.minimum(far, second[:, None]) - first[:, None], 0.0) * heavy[:, None]
        order = np.argsort(own, kind="stable")
        held, starts = np.unique(own[order], return_index=True)
        removed[held] += np.add.reduceat(lost[order], starts, axis=0)
    return np.append((removed + shared).T.ravel(), loss)
