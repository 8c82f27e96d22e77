"""The search of CLIQUE: dense units of all subspaces, level by level."""

from typing import NamedTuple

from ._clique_rows import Blocks, full_units, interval_weights, unit_sizes
from ._clique_units import Items, Level, candidates, first_level, kept_subspaces

__all__ = ["Found", "clique"]


class Found(NamedTuple):
    """Dense intervals, and dense units by number of features."""

    items: Items
    levels: list[Level]


def clique(
    blocks: Blocks,
    n_intervals: int,
    total: int,
    density_threshold: float,
    *,
    prune: bool = True,
    full_space: bool = False,
    max_dim: int | None = None,
    max_candidates: int = 1_000_000,
) -> Found:
    """Find the dense units of all subspaces.

    Parameters
    ----------
    blocks : callable, or rows in blocks
        Rows in blocks are their codes. ``blocks()`` begins a pass over the rows: it gives (codes, weight) of one block after the other, codes (c, n) as
        `coterie.primitives.intervals.interval_codes` makes them, weight (n,) or None.
    n_intervals : int
    total : int
        Rows.
    density_threshold : float
        Least share of ``total`` in a dense unit.
    prune : bool, default=True
        Keep only the subspaces that cover many rows, at each level.
    full_space : bool, default=False
        Find the dense units of all c features only.
    max_dim : int, optional
        Most features of a unit.
    max_candidates : int, default=1_000_000
        Most units that one level may count.

    Returns
    -------
    Found

    Raises
    ------
    ResourceError
        If a level has more candidates.
    """
    weights = interval_weights(blocks, n_intervals)
    items, level = first_level(weights, weights / total >= density_threshold)
    c = len(weights)
    if full_space:
        units, sizes = full_units(blocks, items, n_intervals)
        dense = sizes / total >= density_threshold
        return Found(items, [Level.of(units[dense], sizes[dense], len(items.columns))])
    levels = []
    while len(level.units):
        if prune:
            level = level.keep(kept_subspaces(level, items))
        levels.append(level)
        if level.units.shape[1] == min(c, max_dim or c):
            break
        members = candidates(level, items, max_candidates)
        sizes = unit_sizes(blocks, items, members)
        dense = sizes / total >= density_threshold
        level = Level.of(members[dense], sizes[dense], len(items.columns))
    return Found(items, levels)
