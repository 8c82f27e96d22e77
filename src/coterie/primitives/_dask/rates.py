"""What the steps of a pass take on the workers at hand, timed on a block for each of their threads, all at once."""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np

from .assign import block_sums, block_totals, lloyd_start
from .passes import Block, each
from .rows import block_rows
from .seeding import first_to_ring
from .sources import given, loaded

__all__ = ["kmeans_rates"]

_TIMES = 3


def kmeans_rates(X: Any, n_clusters: int) -> tuple[dict[str, float], int, float]:
    """See `coterie.primitives.rates.kmeans_rates`."""
    from ..conditioning import condition

    rows = block_rows(_some(X, 1))
    n_places = len(rows.crew.places())
    rows = block_rows(_some(X, n_places)) if n_places > 1 else rows
    prepared, *how = condition(rows)
    random = np.random.default_rng(0)
    many = random.standard_normal((1 + 10 * n_clusters, X.shape[1])) / 8
    found = each(prepared, _time_block, how, many, lloyd_start(prepared, None).grid, n_clusters)
    latency = median(_seconds(lambda: each(rows, _nothing)) for _ in range(5))
    return {name: max(seen[name] for seen in found) for name in found[0]}, n_places, latency


def _some(X: Any, n: int) -> Any:
    """Return the first blocks of a table."""
    table = given(X).table
    if hasattr(table, "pieces"):
        pieces = table.pieces[:n]
        return replace(table, pieces=pieces, shape=(sum(piece.n_rows for piece in pieces), table.shape[1]))
    return table.partitions[:n] if hasattr(table, "columns") else table.blocks[:n]


def _time_block(block: Block, how: list, many: np.ndarray, grid: Any, k: int) -> dict[str, float]:
    """Return seconds a row of what the passes of K-means do."""
    from .._numba.conditioning import summarize
    from ..conditioning import condition

    raw = loaded(block._source, block._how.dtype)
    few = tuple(many[1 + 2 * k * i :][: 2 * k] for i in range(5))
    block.memo["rows", block.view] = block.rows  # kept for the time of these
    kept = dict(block.memo)

    def anew(function: Callable, *arguments: Any) -> Callable[[], Any]:
        def call() -> Any:
            block.memo.clear()
            block.memo.update(kept)
            return function(block, *arguments)

        return call

    steps: dict[str, Callable] = {
        "read": lambda: loaded(block._source, block._how.dtype),
        "look": lambda: summarize(raw),
        "move": lambda: condition(raw, *how),
        "draw": lambda: first_to_ring(block, 2 * k, 0, ()),
        "far": anew(first_to_ring, 2 * k, 0, few[:1]),
        "farther": anew(first_to_ring, 2 * k, 0, few),
        "weigh": lambda: block_totals(block, many),
        "total": lambda: block_totals(block, many[:k]),
        "one": anew(block_sums, many[:1], grid, True),
        "step": anew(block_sums, many[:k], grid, True),
        "again": lambda: block_sums(block, many[:k], grid, True),
    }
    return {name: median(_seconds(step) for _ in range(_TIMES)) / max(1, len(raw)) for name, step in steps.items()}


def _nothing(block: Block) -> None:
    return None


def _seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
