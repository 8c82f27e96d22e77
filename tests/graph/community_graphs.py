"""Graphs, plain figures and what must hold for every answer, for the tests of communities."""

from itertools import pairwise

import networkx as nx
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from coterie.graphs import from_edges, to_scipy


def edges_of(graph):
    return np.array(list(graph.edges()), dtype=np.int64).reshape(-1, 2)


def ring_of_cliques(n_cliques, size):
    return edges_of(nx.ring_of_cliques(n_cliques, size))


def random_links(n, m, seed):
    rng = np.random.default_rng(seed)
    return from_edges(rng.integers(n, size=(m, 2)), n, weights=rng.random(m) + 0.1)


def partitions(n):
    """Give every partition of n nodes as labels by first appearance."""
    labels = np.zeros(n, int)

    def rest(i, used):
        if i == n:
            yield labels.copy()
            return
        for label in range(used + 1):
            labels[i] = label
            yield from rest(i + 1, max(used, label + 1))

    yield from rest(1, 1)


def modularity(matrix, labels, resolution=1.0):
    degrees, same = matrix.sum(axis=1), labels[:, None] == labels
    return (matrix[same].sum() - resolution * np.outer(degrees, degrees)[same].sum() / degrees.sum()) / degrees.sum()


def potts(matrix, labels, resolution, sizes):
    same = np.triu(labels[:, None] == labels, 1)
    loops = np.diag(matrix).sum() / 2
    return matrix[same].sum() + loops - resolution * np.outer(sizes, sizes)[same].sum()


def assert_well_formed(model, graph):
    """Every community is connected; labels are numbered by first appearance; levels lie within each other."""
    links = to_scipy(graph).tocoo()
    for level in model.hierarchy_:
        assert level.dtype == np.int64
        firsts = np.unique(level, return_index=True)[1]
        assert (np.diff(firsts) > 0).all()
        assert len(firsts) == level.max() + 1
        within = level[links.row] == level[links.col]
        inner = coo_array((links.data[within], (links.row[within], links.col[within])), shape=links.shape)
        assert connected_components(inner)[0] == len(firsts)
    for fine, coarse in pairwise(model.hierarchy_):
        assert fine.max() > coarse.max()
        assert len(np.unique(np.stack([fine, coarse]), axis=1).T) == fine.max() + 1
    np.testing.assert_array_equal(model.labels_, model.hierarchy_[-1])
    assert model.n_clusters_ == model.labels_.max() + 1
