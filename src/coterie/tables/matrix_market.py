"""Matrix Market files: a banner, the size, then row, column and value of each entry, from 1.

Parsed here, line by line: SciPy's reader is faster, and ends the process on some damaged files.
"""

import re

import numpy as np
from scipy.sparse import coo_array

from ..errors import InputError, UnsupportedError
from ..graphs import as_graph, is_directed
from ..graphs.checks import check_size
from .graph_links import Links, check_link_weights, numbers_of

__all__ = ["read_matrix_market"]

_BANNER = "%%MatrixMarket matrix coordinate real general"


def read_matrix_market(data: bytes, name: str) -> Links:
    """Read the text of a Matrix Market file as the matrix of a graph.

    Parameters
    ----------
    data : bytes
    name : str
        Of the file, for messages.

    Returns
    -------
    Links
        Directed where the matrix is not symmetric, whatever its banner says. Nodes are called "1", "2", ...

    Raises
    ------
    InputError
        If it is damaged, not square, or holds a weight that cannot be used; the message names the line.
    """
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    dense, pattern, symmetric = _banner(lines[0], name)
    kept = [i for i, line in enumerate(lines) if i and line.strip() and not line.lstrip().startswith(b"%")]
    n_comments = sum(line.lstrip().startswith(b"%") for line in lines[1:])
    if not kept:
        raise InputError(f"{name} ends after its banner; a line with the size of the matrix should follow")
    n, promised = _size(lines[kept[0]], dense, symmetric, kept[0] + 1, name)
    body, numbers = [lines[i] for i in kept[1:]], [i + 1 for i in kept[1:]]
    if len(body) != promised:
        raise InputError(f"the size line of {name} promises {promised:,} entries, but {len(body):,} lines follow")
    values, counts = numbers_of(body, numbers, name)
    width = 1 if dense else 2 if pattern else 3
    wrong = np.flatnonzero(counts != width)
    if len(wrong):
        i = int(wrong[0])
        raise InputError(f"line {numbers[i]:,} of {name} has {counts[i]:,} numbers where {width} are expected")
    entries = values.reshape(-1, width)
    if dense:
        # Column by column, of a symmetric matrix from the diagonal down.
        columns, rows = np.triu_indices(n) if symmetric else np.divmod(np.arange(n * n), n)
    else:
        rows, columns = _places(entries, n, numbers, name)
    weights = np.ones(len(rows)) if pattern else entries[:, -1]
    check_link_weights(weights, name, numbers)
    return _links(rows, columns, weights, n, symmetric, n_comments)


def _banner(line: bytes, name: str) -> tuple[bool, bool, bool]:
    """Return whether the matrix is written in full, without values, and by one half."""
    words = line.decode("latin-1").lower().split()
    if not words or words[0] != "%%matrixmarket":
        raise InputError(f"{name} does not begin with {_BANNER!r} or the like; it is damaged or of another kind")
    known = (["matrix"], ["coordinate", "array"], ["real", "double", "integer", "pattern", "complex"])
    symmetries = ["general", "symmetric", "skew-symmetric", "hermitian"]
    if len(words) != 5 or any(word not in some for word, some in zip(words[1:], (*known, symmetries), strict=True)):
        raise InputError(f"line 1 of {name} is {line.decode('latin-1')[:60]!r}, not {_BANNER!r} or the like")
    if words[3] == "complex" or words[4] in ("skew-symmetric", "hermitian"):
        raise UnsupportedError(
            f"{name} holds a {words[3]} {words[4]} matrix; weights of links are real and at least 0: give its absolute values"
        )
    return words[2] == "array", words[3] == "pattern", words[4] == "symmetric"


def _size(line: bytes, dense: bool, symmetric: bool, number: int, name: str) -> tuple[int, int]:
    """Return the number of nodes and that of the entries that follow."""
    words = line.split()
    if len(words) != (2 if dense else 3) or not all(re.fullmatch(rb"\d{1,18}", word) for word in words):
        raise InputError(
            f"line {number:,} of {name} is {line.decode('latin-1')[:40]!r}, but the size is written: rows columns"
            + ("" if dense else " entries")
        )
    rows, columns = int(words[0]), int(words[1])
    if rows != columns:
        raise InputError(
            f"an adjacency matrix must be square, but that of {name} has {rows:,} rows and {columns:,} columns"
        )
    if rows < 1:
        raise InputError(f"{name} has no nodes; at least 1 is needed")
    if not dense:
        check_size(rows, 2 * int(words[2]))
        return rows, int(words[2])
    return rows, rows * (rows + 1) // 2 if symmetric else rows * rows


def _places(entries: np.ndarray, n: int, numbers: list[int], name: str) -> tuple[np.ndarray, np.ndarray]:
    ends = entries[:, :2]
    wrong = np.argwhere(~((ends >= 1) & (ends <= n) & (ends == np.floor(ends))))
    if len(wrong):
        i, j = wrong[0]
        raise InputError(f"line {numbers[i]:,} of {name} names node {ends[i, j]:g}, but the nodes are 1 ... {n:,}")
    rows, columns = ends.astype(np.int64).T - 1
    return rows, columns


def _links(rows, columns, weights: np.ndarray, n: int, symmetric: bool, n_comments: int) -> Links:
    if symmetric:
        other = rows != columns
        below, left = columns[other], rows[other]
        matrix = coo_array((np.r_[weights, weights[other]], (np.r_[rows, below], np.r_[columns, left])), shape=(n, n))
    else:
        matrix = coo_array((weights, (rows, columns)), shape=(n, n))
    graph = as_graph(matrix)
    both = symmetric or not is_directed(graph)
    once = rows <= columns if both and not symmetric else np.ones(len(rows), bool)
    return Links(
        [str(i + 1) for i in range(n)],
        rows[once],
        columns[once],
        None if (weights == 1).all() else weights[once],
        not both,
        graph=graph,
        n_comments=n_comments,
        notes=["the matrix is symmetric: its links have no direction" if both else "the matrix is not symmetric"],
    )
