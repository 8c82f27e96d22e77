"""The spanning tree of rows in blocks by mutual reachability: of rows in bins, bin by bin and pair by pair, edge by edge that of all rows.

Rows are dealt into bins of space. A bin finds the nearest rows of its own and asks others where they may hold nearer ones; it then
builds its tree. Pairs of bins add the edges between them, near ones first: a pair of which lighter edges join all rows already is
passed over. What comes to the client is something of each row: its number, core distance, and one edge.
"""

import logging
import uuid
from typing import Any

import numpy as np

from ..errors import ClusterError
from ..primitives.blocks import each_block
from ..primitives.drop_pairs import collect_pairs
from ..primitives.exchange import collect, forget, lost
from ..primitives.space_bins import SpaceBins, space_bins
from ..primitives.spanning_parts import PartEdges, finished_tree, joined_trees, part_scale, settled_pairs
from ..primitives.spanning_tree import SpanningTree
from ._drawn import drawn_rows
from ._hdbscan_bins import (
    BinTree,
    TreeTask,
    answer_others,
    ask_others,
    box_gap,
    deal_to_bins,
    edges_between,
    scaled,
    tree_of_bin,
)

__all__ = ["MOST_BINS", "TooCrowded", "bins_needed", "rows_of_bin", "tree_of_blocks"]

MOST_BINS = 128  # each is read together with each other one at worst
_log = logging.getLogger("coterie.density")
_ATTEMPTS = 5
_SAMPLE_OF_BIN = 2000
_SHARE = 0.7  # of what a worker has left
_TOLERANCE = 1.25  # how many times the rows of a bin may exceed what was aimed at


class TooCrowded(Exception):
    """So many rows are equal that no cut through space makes bins small enough."""


def tree_of_blocks(X: Any, k: int, *, bin_rows: float | None = None) -> tuple[SpanningTree, np.ndarray]:
    """Build the spanning tree by mutual reachability, and the core distances.

    Parameters
    ----------
    X : rows in blocks
        From `coterie.primitives.blocks.block_rows`.
    k : int
        A row's core distance reaches its k-th nearest row, itself included; 1 ... n.
    bin_rows : float, optional
        Most rows of a bin; by default what the workers' memory allows.

    Returns
    -------
    tree : SpanningTree
    core_distances : (n,) float64 array
        Both are what `coterie.primitives.spanning_tree.mutual_reachability_tree` gives of all rows.

    Raises
    ------
    TooCrowded
        If a task cannot hold two of the bins.
    ClusterError
        If workers are lost again and again.
    """
    most = rows_of_bin(X, k)
    aim = most / _TOLERANCE if bin_rows is None else bin_rows
    bins = _bins(X, aim)
    for attempt in range(_ATTEMPTS):
        token = f"coterie-{uuid.uuid4().hex}"
        try:
            return _tree(X, k, bins, max(most, aim * _TOLERANCE), token, strict=attempt > 0)
        except lost() as gone:
            _log.info("files of a lost worker are missing (%s); the rows are dealt out again", gone)
        finally:
            forget(X, token)
    raise ClusterError(f"workers were lost {_ATTEMPTS} times while rows were being worked on; nothing was fitted")


def rows_of_bin(X: Any, k: int) -> float:
    """Return how many rows a bin may have, so that a task can work on two of them."""
    d, item = X.shape[1], X.dtype.itemsize
    # Of a row of a pair: as it came, put together, in order, in the index and its panels, and what Boruvka's algorithm notes;
    # of a row that asks, its neighbours.
    each = max(2 * ((8 * d + 8) * item + 110), (6 * d + 3 * k) * item + 80)
    return _SHARE * X.crew.memory() / len(X.crew.places()) / each


def bins_needed(X: Any, k: int) -> float:
    """Return about how many bins there must be."""
    return _TOLERANCE * len(X) / max(1.0, rows_of_bin(X, k))


def _bins(X: Any, aim: float) -> SpaceBins:
    n = len(X)
    wanted = max(int(np.ceil(n / aim)), min(len(X.crew.places()), n // 2), 1)
    drawn = drawn_rows(X, min(1.0, _SAMPLE_OF_BIN * wanted / n)).astype(np.float64)
    return space_bins(drawn, n / len(drawn), 0.0, aim, wanted)


# --- bins ------------------------------------------------------------------------------------------------------------


def _tree(X: Any, k: int, bins: SpaceBins, most: float, token: str, strict: bool) -> tuple[SpanningTree, np.ndarray]:
    chunks = [chunk for of_block in each_block(X, deal_to_bins, token, bins) for chunk in of_block]
    own = np.array([chunk.own for chunk in chunks])
    largest = int(own.sum(axis=0).max())
    if largest > most:
        raise TooCrowded(f"{largest:,} rows lie in one bin, and {most:,.0f} are as many as a task has memory for")
    low, high = np.min([chunk.low for chunk in chunks], axis=0), np.max([chunk.high for chunk in chunks], axis=0)
    scale = part_scale(max(-float(low.min()), float(high.max())), X.dtype)
    task = TreeTask(token, k, scaled(low, scale), scaled(high, scale), scale, len(chunks))
    held: list[int] = np.flatnonzero(own.any(axis=0)).tolist()
    tree, core2 = _joined(
        X, held, _bin_trees(X, own, held, [chunk.drop for chunk in chunks], task, strict), task, strict
    )
    edges, core_distances = finished_tree(tree, core2, scale)
    return SpanningTree(*edges), core_distances


def _bin_trees(X: Any, own: np.ndarray, held: list[int], dealt: list, task: TreeTask, strict: bool) -> list[BinTree]:
    """Return the tree of each bin that holds rows."""
    found = collect(X, dealt, held, ask_others, task, own=lambda i: (own[:, i],), strict=strict)
    n_asked = np.array([asked.n_asked for asked in found])
    asked: list[int] = np.flatnonzero(n_asked.any(axis=0)).tolist()
    drops = [*dealt, *(one.asks for one in found)]
    answers = collect(
        X, drops, asked, answer_others, held, task, own=lambda j: (own[:, j], n_asked[:, j]), strict=strict
    )  # fmt: skip
    drops = [*dealt, *(one.kept for one in found), *answers]
    return collect(
        X, drops, held, tree_of_bin, held, asked, task, own=lambda i: (own[:, i], n_asked[held.index(i)]), strict=strict
    )  # fmt: skip


def _joined(
    X: Any, held: list[int], trees: list[BinTree], task: TreeTask, strict: bool
) -> tuple[PartEdges, np.ndarray]:
    """Return the tree of all rows and their squared core distances: pair by pair, in rounds that grow."""
    n = len(X)
    core2, part_of = np.empty(n, task.low.dtype), np.empty(n, np.int16)
    for part in range(len(trees)):
        core2[trees[part].numbers], part_of[trees[part].numbers] = trees[part].core2, part
    drops = [found.drop for found in trees]
    tree = joined_trees([trees.pop().edges for _ in drops], n)  # large: nobody else holds them
    (pairs, gap2), at_once, worked = _pairs(held, task), 2 * len(held), 0
    while len(pairs):
        now = [(int(i), int(j)) for i, j in pairs[:at_once]]
        more = collect_pairs(X, drops, now, edges_between, np.array(held), task, strict=strict)
        tree = joined_trees([tree, *more], n)
        pairs, gap2, at_once, worked = pairs[at_once:], gap2[at_once:], 2 * at_once, worked + len(now)
        waiting = ~settled_pairs(tree, part_of, pairs, gap2)
        pairs, gap2 = pairs[waiting], gap2[waiting]
    _log.info("%d bins, %d of %d pairs", len(held), worked, len(held) * (len(held) - 1) // 2)
    return tree, core2


def _pairs(held: list[int], task: TreeTask) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of bins, by their places among those that hold rows, and the squared distances of their boxes, ascending."""
    first, second = np.triu_indices(len(held), 1)
    gap2 = np.array(
        [box_gap(held[i], held[j], task.low, task.high) for i, j in zip(first, second, strict=True)], task.low.dtype
    )
    order = np.argsort(gap2, kind="stable")
    return np.stack([first, second], axis=1)[order], gap2[order]
