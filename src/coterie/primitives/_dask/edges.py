"""Edges in blocks: links that differ, their weights, and where they lead, as sums that are exact in any order of blocks."""

from collections.abc import Callable, Iterator
from copy import copy
from math import frexp, fsum, ldexp
from typing import Any, NamedTuple

import numpy as np
from distributed.comm.core import CommClosedError

from ...arrays import Graph
from ...errors import ClusterError, InputError
from ...graphs.checks import check_ends, check_size, check_weights, node_numbers
from ...graphs.edges import from_links
from ..blocks import says
from ..edges import EdgeBlocks
from .cluster import Crew
from .here import Here
from .passes import Block, each, fold, room_for
from .rows import BlockRows, Part

__all__ = [
    "edge_blocks", "ends_of", "group_graph", "inner_weight", "links_of_nodes", "n_group_links", "n_parts", "node_degrees", "room", "shared",
    "whole_graph",
]  # fmt: skip

_SKETCH = 1 << 14  # least hashes that are kept: the number of all is then known to 0.8%
_SAFE = 1.03  # four times that
_LAY_SECONDS = 20.0
_MOST_LOSSES = 3
_LINK_BYTES = 24
_WORKING_COPIES = 8  # of links, while they are joined
_SUM_BITS = 52  # that a sum of weights may have


class _Look(NamedTuple):
    """What a look at a block of edges finds."""

    n_links: int
    total: float
    unit: float  # greatest power of two that all weights are multiples of
    hashes: np.ndarray  # (at most _SKETCH,) uint64: the least of those of the links


class _Links(NamedTuple):
    keys: np.ndarray  # (p,) int64, ascending
    weights: np.ndarray  # (p,) float64


def edge_blocks(rows: BlockRows, n_nodes: int | None, dtype: np.dtype) -> EdgeBlocks:
    """See `coterie.primitives.edges.edge_blocks`."""
    if rows.shape[1] not in (2, 3):
        raise InputError(
            f"expected blocks of edges in 2 or 3 columns (two node numbers and perhaps a weight), got {rows.shape[1]} columns; "
            "a matrix in blocks is not taken"
        )
    n = _n_nodes(rows, n_nodes)
    looks = each(rows, _look_at, n)
    totals, unit = [look.total for look in looks], min((look.unit for look in looks), default=1.0)
    total = fsum(totals)
    finest = ldexp(1.0, frexp(2 * total)[1] - _SUM_BITS)  # loops count twice
    sizes = np.array([look.n_links for look in looks], np.int64)
    n_links = min(_estimated(_least([look.hashes for look in looks])), int(sizes.sum()))
    return EdgeBlocks(rows, n, sizes, n_links, max(unit, finest) if total else 1.0, unit >= finest, total, dtype)


def _n_nodes(rows: BlockRows, n_nodes: int | None) -> int:
    if n_nodes is None:
        highest = max(float(seen.high[:2].max()) for seen in rows.surveys if seen.n_rows)
        if highest < 0:
            return 1  # the look at the blocks says which edge is wrong
        n = int(min(highest, 2.0**62)) + 1
        check_size(n, 2 * len(rows))
        return n
    if isinstance(n_nodes, bool) or not hasattr(n_nodes, "__index__"):
        raise InputError(f"n_nodes must be a whole number of at least 1, got {n_nodes!r}")
    check_size(int(n_nodes))
    return int(n_nodes)


def room() -> float:
    """See `coterie.primitives.edges.room`."""
    return Here().memory()


def ends_of(block: Block) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return first and second ends of the edges of a block, and their weights as float64 or None for 1 each; weight 0 is no edge."""
    rows = block.rows
    a, b = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    if rows.shape[1] == 2:
        return a, b, None
    weights = rows[:, 2].astype(np.float64)
    if len(weights) and not weights.min() > 0:
        some = weights > 0
        return a[some], b[some], weights[some]
    return a, b, weights


@says("looking at the edges")
def _look_at(block: Block, n: int) -> _Look:
    rows = block.rows
    sources, targets = node_numbers(rows[:, 0]), node_numbers(rows[:, 1])
    for ends in (sources, targets):
        check_ends(ends, n, lambda i: f"edge {block.start + i} ({sources[i]}, {targets[i]})")
    if rows.shape[1] == 3:
        check_weights(rows[:, 2], lambda i: f"edge {block.start + i}, from node {sources[i]} to node {targets[i]}")
    a, b, weights = ends_of(block)
    keys = np.unique(_keys(a, b, n))
    if weights is None or not len(weights):
        return _Look(len(keys), float(len(a)), 1.0, _least([_hashed(keys)]))
    return _Look(len(keys), fsum(weights), _common_unit(weights), _least([_hashed(keys)]))


def _common_unit(weights: np.ndarray) -> float:
    """Return the greatest power of two that all weights are multiples of."""
    mantissas, exponents = np.frexp(weights)
    whole = np.ldexp(mantissas, 53).astype(np.int64)
    return float(np.ldexp((whole & -whole).astype(np.float64), exponents - 53).min())


def _keys(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    """Return a number for each pair, whichever is first."""
    return (np.minimum(a, b) << max(1, (n - 1).bit_length())) | np.maximum(a, b)


def _ends(keys: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    bits = max(1, (n - 1).bit_length())
    return keys >> bits, keys & ((1 << bits) - 1)


def _hashed(keys: np.ndarray) -> np.ndarray:
    x = keys.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return x ^ (x >> np.uint64(31))


def _least(parts: list[np.ndarray]) -> np.ndarray:
    return np.unique(np.concatenate(parts))[:_SKETCH]


def _least_of_two(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return _least([a, b])


def _estimated(least: np.ndarray) -> int:
    """Return how many different numbers there are, by the least of their hashes."""
    if len(least) < _SKETCH:
        return len(least)
    return int(_SAFE * (_SKETCH - 1) * 2.0**64 / float(least[-1]))


def whole_graph(edges: EdgeBlocks) -> Graph:
    """See `coterie.primitives.edges.whole_graph`."""
    n = edges.n_nodes
    if edges.exact:
        found = _gathered(edges, _block_links, n, edges.unit)
        unweighted = edges.rows.shape[1] == 2
        weights = None if unweighted and len(found.weights) == edges.total else found.weights
        return _of_type(from_links(*_ends(found.keys, n), weights, n, directed=False), edges.dtype)
    listed: list[Any] = [None] * len(edges.rows.sources)
    for view in _waves(edges):
        for number, part in enumerate(each(view, ends_of)):
            if part is not None:
                listed[number] = part
    a, b, weights = (np.concatenate(column) for column in zip(*listed, strict=True))
    del listed
    return from_links(a, b, weights.astype(edges.dtype, copy=False), n, directed=False)


def _of_type(graph: Graph, dtype: np.dtype) -> Graph:
    if graph.weights.dtype == dtype:
        return graph
    with np.errstate(over="ignore"):
        weights = graph.weights.astype(dtype)
    if not np.isfinite(weights).all():
        raise InputError(
            f"the weights of a link that is listed several times add up to more than {dtype} holds; scale them down"
        )
    return graph._replace(weights=weights)


def group_graph(edges: EdgeBlocks, groups: np.ndarray, n_groups: int) -> Graph:
    """See `coterie.primitives.edges.group_graph`."""
    found = _gathered(edges, _block_links, n_groups, edges.unit, groups)
    return from_links(*_ends(found.keys, n_groups), found.weights, n_groups, directed=False)


def _block_links(block: Block, n: int, unit: float, groups: np.ndarray | None = None) -> _Links:
    """Return the links that differ, of nodes or of groups, and the sums of their weights."""
    a, b, weights = ends_of(block)
    if groups is not None:
        a, b = groups[a], groups[b]
    return _summed(_keys(a.astype(np.int64, copy=False), b.astype(np.int64, copy=False), n), _in_units(weights, unit))


def _in_units(weights: np.ndarray | None, unit: float) -> np.ndarray | None:
    return None if weights is None else np.rint(weights / unit) * unit


def _summed(keys: np.ndarray, weights: np.ndarray | None) -> _Links:
    """Add up what belongs to the same key; nothing is rounded."""
    if weights is None:
        keys, counts = np.unique(keys, return_counts=True)
        return _Links(keys, counts.astype(np.float64))
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else order
    return _Links(keys[first], np.add.reduceat(weights[order], first) if len(keys) else weights)


def _joined(a: _Links, b: _Links) -> _Links:
    return _summed(np.concatenate([a.keys, b.keys]), np.concatenate([a.weights, b.weights]))


def _gathered(edges: EdgeBlocks, function: Callable, *arguments: Any) -> _Links:
    """Return the merged links of all blocks; only as many blocks at a time are worked on as leave room for what they give."""
    runs: list[_Links] = []
    for view in _waves(edges):
        runs.append(shared(view, fold, function, _joined, *arguments))
        while len(runs) > 1 and len(runs[-2].keys) <= 2 * len(runs[-1].keys):
            runs.append(_joined(runs.pop(), runs.pop()))
    while len(runs) > 1:
        runs.append(_joined(runs.pop(), runs.pop()))
    return runs[0]


def _waves(edges: EdgeBlocks) -> Iterator[BlockRows]:
    """Give views of the rows with some of the blocks each, whose links a worker has room for."""
    rows = edges.rows
    sizes = edges.sizes if edges.exact else rows.lengths
    most = _most_links(rows)
    shares = [_shares(part.blocks, sizes, most) for part in rows.parts]
    for i in range(max(len(share) for share in shares)):
        view = copy(rows)
        view.parts = [
            Part(part.home, share[i]) for part, share in zip(rows.parts, shares, strict=True) if i < len(share)
        ]
        yield view


def _most_links(rows: BlockRows) -> int:
    """Return how many links the result of a task may have: there is room for it on a worker, and for those of all tasks here."""
    return max(1, min(room_for(rows, _LINK_BYTES), int(room() / (_WORKING_COPIES * _LINK_BYTES * len(rows.parts)))))


def _shares(blocks: list[int], sizes: np.ndarray, most: int) -> list[list[int]]:
    shares: list[list[int]] = []
    taken = most + 1
    for block in blocks:
        if taken + sizes[block] > most:
            shares.append([])
            taken = 0
        shares[-1].append(block)
        taken += int(sizes[block])
    return shares


def n_parts(edges: EdgeBlocks) -> int:
    """See `coterie.primitives.edges.n_parts`: each link is one of both its ends."""
    largest = max(2 * int(edges.sizes[part.blocks].sum()) for part in edges.rows.parts)
    return -(-largest // _most_links(edges.rows))


def n_group_links(edges: EdgeBlocks, groups: np.ndarray) -> int:
    """See `coterie.primitives.edges.n_group_links`."""
    n_groups = int(groups.max()) + 1
    return _estimated(shared(edges.rows, fold, _hashed_links, _least_of_two, n_groups, groups))


def _hashed_links(block: Block, n_groups: int, groups: np.ndarray) -> np.ndarray:
    return _least([_hashed(_block_links(block, n_groups, 1.0, groups).keys)])


def node_degrees(edges: EdgeBlocks) -> np.ndarray:
    """See `coterie.primitives.edges.node_degrees`."""
    return fold(edges.rows, _block_degrees, np.add, edges.n_nodes, edges.unit)


@says("degrees of the nodes")
def _block_degrees(block: Block, n: int, unit: float) -> np.ndarray:
    a, b, weights = ends_of(block)
    weights = _in_units(weights, unit)
    return np.bincount(a, weights, n).astype(np.float64) + np.bincount(b, weights, n)


def inner_weight(edges: EdgeBlocks, labels: np.ndarray) -> float:
    """See `coterie.primitives.edges.inner_weight`."""
    return fsum(shared(edges.rows, each, _block_inner, edges.unit, labels))


def _block_inner(block: Block, unit: float, labels: np.ndarray) -> float:
    a, b, weights = ends_of(block)
    same = labels[a] == labels[b]
    return float(same.sum()) if weights is None else float(_in_units(weights[same], unit).sum())  # type: ignore[union-attr]


def links_of_nodes(
    edges: EdgeBlocks, groups: np.ndarray, labels: np.ndarray, part: int, n_parts: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """See `coterie.primitives.edges.links_of_nodes`."""
    n = max(len(labels), int(labels.max()) + 1)
    found = shared(edges.rows, fold, _block_parts, _joined, n, edges.unit, (part, n_parts), groups, labels)
    return *_ends(found.keys, n), found.weights


def _block_parts(
    block: Block, n: int, unit: float, wanted: tuple[int, int], groups: np.ndarray, labels: np.ndarray
) -> _Links:
    a, b, weights = ends_of(block)
    a, b = groups[a].astype(np.int64, copy=False), groups[b].astype(np.int64, copy=False)
    weights = _in_units(weights, unit)
    part, n_parts = wanted
    bits = max(1, (n - 1).bit_length())
    keys, values = [], []
    for one, other in ((a, b), (b, a)):
        mine = (one != other) & (_hashed(one) % np.uint64(n_parts) == part)
        keys.append((one[mine] << bits) | labels[other[mine]])
        values.append(np.ones(len(keys[-1])) if weights is None else weights[mine])
    return _summed(np.concatenate(keys), np.concatenate(values))


def _laid(client: Any, value: np.ndarray) -> Any:
    """Lay an array on a worker, where the others fetch it.

    Raises
    ------
    ClusterError
        If the worker dies meanwhile: either the scheduler ends the conversation, or it would be waited for without end.
    """
    try:
        return client.sync(client._scatter, value, hash=False, callback_timeout=_LAY_SECONDS)
    except (CommClosedError, TimeoutError) as error:
        raise ClusterError(f"a worker was lost while it was given an array: {error}") from error


def shared(rows: BlockRows, run: Callable, function: Callable, *arguments: Any) -> Any:
    """Run a pass with large arguments, which travel once; where they are lost with workers, again."""
    if not isinstance(rows.crew, Crew):
        return run(rows, function, *arguments)
    for attempt in range(_MOST_LOSSES):
        try:
            laid = [_laid(rows.crew.client, value) if isinstance(value, np.ndarray) else value for value in arguments]
            return run(rows, function, *laid)
        except ClusterError as error:
            if attempt == _MOST_LOSSES - 1:
                raise ClusterError(
                    f"workers were lost again and again ({error}); start others and fit again"
                ) from error
            rows.crew.places()  # raises if no worker comes
    raise AssertionError("unreachable")
