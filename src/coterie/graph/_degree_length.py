"""How many nats the degrees take, once the links of each class are known: nodes of a class alike, or each with a share of its own.

Alike, every end of a link falls on any node of its class (a multinomial count). Otherwise the nodes of a class have shares of
its links that are Dirichlet distributed with one parameter for all, so that the degrees are a Pólya count; the parameter is
one of a few, said for each class. Alike is the limit in which it grows without bound. So the two ways to say a graph, without
and with correction of degrees, are two lengths of the same thing, and the shorter one says which of them it calls for.
"""

import numpy as np
from scipy.special import gammaln

__all__ = ["degrees_length", "uneven_length"]

_EVENNESS = 2.0 ** np.arange(-3, 7)  # Dirichlet parameters: shares vary by 2.8 ... 0.125 of their mean
_RANGES = (4, 8, 16, 32)


def uneven_length(degrees: np.ndarray, labels: np.ndarray) -> float:
    """Return by how many nats shares of their own lengthen (less than 0: shorten) the degrees of the nodes.

    Parameters
    ----------
    degrees : (n,) float64 array
        In links; whole where links are counts.
    labels : (n,) int array
        Classes from 0; -1 for none.

    Returns
    -------
    float
        At most ``ln 11`` for each class, where its nodes are alike.
    """
    sizes, ends, shared = _by_evenness(degrees, labels)
    alike = ends * np.log(np.maximum(sizes, 1))
    best = np.minimum(alike, shared.min(axis=0))
    return float((best - alike + np.log(len(_EVENNESS) + 1))[sizes > 0].sum())


def degrees_length(degrees: np.ndarray) -> float:
    """Return the nats of the degrees of all nodes as one class, but for ``sum ln degree!``, which no partition changes.

    The shorter of two ways: as shares of all links, or by how many nodes there are in each of some ranges of degrees, since
    real degrees, and those of graphs whose nodes without links were left out, need not be like those of any family.
    """
    sizes, ends, shared = _by_evenness(degrees, np.zeros(len(degrees), np.int64))
    best = min(float(ends[0] * np.log(max(sizes[0], 1))), float(shared.min()))
    as_shares = best - float(gammaln(ends[0] + 1)) + float(np.log(len(_EVENNESS) + 1))
    return min(as_shares, _by_ranges(degrees) - float(gammaln(degrees + 1).sum())) + float(np.log(2))


def _by_ranges(degrees: np.ndarray) -> float:
    """Return the nats of degrees that are said by their range, and then which degree of the range it is."""
    n, least, most = len(degrees), np.floor(degrees.min()), np.floor(degrees.max())
    lengths = []
    for asked in _RANGES:
        edges = np.unique(np.floor(np.geomspace(least + 1, most + 2, asked + 1)))  # of 1 + degree, lower ends
        counts = np.bincount(np.searchsorted(edges, degrees + 1, side="right") - 1, minlength=len(edges) - 1)
        ranges = len(edges) - 1
        which = gammaln(n + ranges) - gammaln(ranges) - gammaln(counts + 1).sum()
        lengths.append(which + (counts * np.log(np.diff(edges))).sum())
    return float(min(lengths) + np.log(len(_RANGES)) + 2 * np.log1p(most))


def _by_evenness(degrees: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the nodes of each class, their links, and the nats of the shares for each parameter (rows) and class."""
    kept = labels >= 0
    degrees, labels = degrees[kept], labels[kept]
    k = int(labels.max(initial=0)) + 1
    sizes, ends = np.bincount(labels, minlength=k), np.bincount(labels, degrees, minlength=k)
    values, member = np.unique(degrees, return_inverse=True)
    shared = np.empty((len(_EVENNESS), k))
    for row, a in enumerate(_EVENNESS):
        weights = np.bincount(labels, (gammaln(values + a) - gammaln(a))[member], minlength=k)
        shared[row] = gammaln(ends + sizes * a) - gammaln(np.maximum(sizes, 1) * a) - weights
    return sizes, ends, shared
