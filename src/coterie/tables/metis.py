"""METIS files: a header with the numbers of nodes and edges, then a line for each node with its neighbours, from 1."""

import re

import numpy as np

from ..errors import InputError
from ..graphs import from_edges, is_directed
from .graph_links import Links, check_link_weights, numbers_of

__all__ = ["read_metis"]

_LAYOUT = "the header of a METIS file is: nodes edges [format [weights of a node]]"


def read_metis(data: bytes, name: str) -> Links:
    """Read the text of a METIS file.

    Parameters
    ----------
    data : bytes
    name : str
        Of the file, for messages.

    Returns
    -------
    Links
        Each edge once; sizes and weights of the nodes are attributes.

    Raises
    ------
    InputError
        If a line is not what the header promises; the message names the line.
    """
    lines, numbers, n_comments = _lines(data)
    if not lines:
        raise InputError(f"{name} is empty; {_LAYOUT}")
    n, m, sizes, n_weights, weighted = _header(lines[0], name, numbers[0])
    body, numbers = lines[1:], numbers[1:]
    while len(body) > n and not body[-1].strip():
        body.pop()
    if len(body) != n:
        raise InputError(f"the header of {name} promises {n:,} nodes, but {len(body):,} lines follow; a line a node")
    values, counts = numbers_of(body, numbers, name)
    starts = np.concatenate([[0], np.cumsum(counts)])
    lead, width = sizes + n_weights, 1 + weighted
    wrong = np.flatnonzero((counts < lead) | ((counts - lead) % width != 0))
    if len(wrong):
        i = int(wrong[0])
        per = "neighbour and weight in turns" if weighted else "its neighbours"
        raise InputError(
            f"line {numbers[i]:,} of {name} has {counts[i]:,} numbers, which are not {lead} for the node and then {per}"
        )
    degree = (counts - lead) // width
    rows = np.repeat(np.arange(n), degree)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(degree) - degree, degree)
    at = np.repeat(starts[:-1] + lead, degree) + width * places
    found, weights = values[at], values[at + 1] if weighted else None
    line_of = np.asarray(numbers)[rows]
    wrong = np.flatnonzero((found < 1) | (found > n) | (found != np.floor(found)))
    if len(wrong):
        i = int(wrong[0])
        raise InputError(f"line {line_of[i]:,} of {name} names node {found[i]:g}, but the nodes are 1 ... {n:,}")
    if weights is not None:
        check_link_weights(weights, name, line_of)
    columns = found.astype(np.int64) - 1
    _check_both_ways(rows, columns, weights, n, name, numbers)
    once = rows <= columns
    if int(once.sum()) != m:
        raise InputError(
            f"the header of {name} promises {m:,} edges, but its lines list {int(once.sum()):,}; correct the header"
        )
    weights = weights[once] if weights is not None else None
    attributes = [("size", values[starts[:-1]])] if sizes else []
    attributes += [
        (f"weight_{j + 1}" if n_weights > 1 else "weight", values[starts[:-1] + sizes + j]) for j in range(n_weights)
    ]
    names = [str(i + 1) for i in range(n)]
    return Links(names, rows[once], columns[once], weights, False, attributes, n_comments=n_comments)


def _lines(data: bytes) -> tuple[list[bytes], list[int], int]:
    """Return the lines that are no comments, their numbers, and how many comments there are; blank lines are nodes."""
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    kept = [i for i, line in enumerate(lines) if not line.lstrip().startswith(b"%")]
    n_comments = len(lines) - len(kept)
    first = next((j for j, i in enumerate(kept) if lines[i].strip()), len(kept))
    return [lines[i] for i in kept[first:]], [i + 1 for i in kept[first:]], n_comments


def _header(line: bytes, name: str, number: int) -> tuple[int, int, int, int, int]:
    """Return nodes, edges, whether nodes have sizes, how many weights they have, and whether edges have one."""
    parts = line.split()
    good = 2 <= len(parts) <= 4 and all(re.fullmatch(rb"\d{1,18}", part) for part in parts)
    if not good or (len(parts) > 2 and not re.fullmatch(rb"[01]{1,3}", parts[2])):
        raise InputError(f"line {number:,} of {name} is {line.decode('utf-8', 'replace')[:40]!r}, but {_LAYOUT}")
    n, m = int(parts[0]), int(parts[1])
    if n < 1:
        raise InputError(f"{name} has no nodes; at least 1 is needed")
    code = parts[2].zfill(3) if len(parts) > 2 else b"000"
    n_weights = int(parts[3]) if len(parts) > 3 else 1
    return n, m, int(code[0:1]), n_weights if code[1:2] == b"1" else 0, int(code[2:3])


def _check_both_ways(rows, columns, weights, n: int, name: str, numbers: list[int]) -> None:
    """Refuse a link that only one of its ends lists, or with another weight."""
    values = np.ones(len(rows)) if weights is None else weights + 1.0  # a weight of 0 is listed too
    matrix = from_edges(np.c_[rows, columns], n, weights=values, directed=True)
    if not is_directed(matrix):
        return
    listed = dict(zip(zip(rows.tolist(), columns.tolist(), strict=True), values.tolist(), strict=True))
    for (i, j), weight in listed.items():
        other = listed.get((j, i))
        if other != weight:
            how = "does not list" if other is None else "gives another weight to"
            raise InputError(
                f"line {numbers[i]:,} of {name} links node {i + 1} to node {j + 1}, but line {numbers[j]:,}, "
                f"of node {j + 1}, {how} node {i + 1}; an edge stands in the lines of both its ends"
            )
    raise InputError(f"{name} lists a link several times in one line but not in the other; correct it")
