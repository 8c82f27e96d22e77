"""What becomes of a method's labels: which nodes have no links, what small classes join, and the largest class first."""

import heapq

import numpy as np
from scipy.sparse import csr_array

from ._network_members import class_indicator

__all__ = ["has_others", "join_small", "largest_first"]


def has_others(both_ways: csr_array) -> np.ndarray:
    """Return where a node has a link to another; one to itself joins it to nobody."""
    return np.diff(both_ways.indptr) > (both_ways.diagonal() != 0)


def join_small(labels: np.ndarray, both_ways: csr_array, least: int) -> tuple[np.ndarray, list[str]]:
    """Let classes below ``least`` nodes join the one that they link to most, smallest first; returns labels and what was done.

    One without links to any other class has none to join: its nodes get no class.
    """
    labels, k = largest_first(labels)
    sizes = np.bincount(labels[labels >= 0], minlength=k).tolist()
    indicator = class_indicator(labels, k)
    table = csr_array(indicator.T @ both_ways @ indicator)
    links = [
        {int(j): float(w) for j, w in zip(table.indices[a:b], table.data[a:b], strict=True) if j != i}
        for i, (a, b) in enumerate(zip(table.indptr[:-1], table.indptr[1:], strict=True))
    ]
    into = list(range(k))
    waiting = [(size, i) for i, size in enumerate(sizes) if size < least]
    heapq.heapify(waiting)
    joined = left = 0
    while waiting:
        size, i = heapq.heappop(waiting)
        if into[i] != i or sizes[i] != size:
            continue  # it has joined another, or grown since
        if not links[i]:
            into[i] = -1
            left += size
            continue
        target = min(links[i], key=lambda j: (-links[i][j], j))
        into[i], joined = target, joined + 1
        sizes[target] += size
        _move_links(links, i, target)
        if sizes[target] < least:
            heapq.heappush(waiting, (sizes[target], target))
    return _followed(labels, into), _said(joined, left, least)


def _move_links(links: list[dict[int, float]], source: int, target: int) -> None:
    for other, weight in links[source].items():
        del links[other][source]
        if other != target:
            links[target][other] = links[other][target] = links[target].get(other, 0.0) + weight
    links[source] = {}


def _followed(labels: np.ndarray, into: list[int]) -> np.ndarray:
    final = []
    for i in range(len(into)):
        at = i
        while at >= 0 and into[at] != at:
            at = into[at]
        final.append(at)
    return np.append(np.array(final, dtype=np.int64), -1)[labels]


def _said(joined: int, left: int, least: int) -> list[str]:
    said = []
    if joined:
        one = joined == 1
        said.append(
            f"{joined:,} class{'' if one else 'es'} of fewer than {least:,} nodes joined the one "
            f"{'it' if one else 'each'} links to most."
        )
    if left:
        said.append(
            f"{left:,} node{'s' if left != 1 else ''} in parts of fewer than {least:,} nodes that link to nothing else: no class."
        )
    return said


def largest_first(labels: np.ndarray) -> tuple[np.ndarray, int]:
    """Number the classes by decreasing size, ties by first appearance; -1 stays."""
    inside = labels >= 0
    if not inside.any():
        return labels, 0
    names, first, own, sizes = np.unique(labels[inside], return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    number = np.empty(len(names), dtype=np.int64)
    number[order] = np.arange(len(names))
    final = np.full(len(labels), -1, dtype=np.int64)
    final[inside] = number[own]
    return final, len(names)
