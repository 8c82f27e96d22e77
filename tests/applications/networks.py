"""Networks with known classes, as files and as what the reader makes of them."""

import numpy as np

from coterie.graphs import from_edges
from coterie.tables import read
from coterie.tables.graph_files import Network


def planted_links(sizes, rates, seed=0, *, directed=False):
    """Return the class of each node and the links drawn at the rate of their two classes."""
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(len(sizes)), sizes)
    drawn = rng.random((len(classes), len(classes))) < np.asarray(rates)[classes][:, classes]
    np.fill_diagonal(drawn, False)
    if not directed:
        drawn = np.triu(drawn)
    return classes, np.argwhere(drawn)


def assortative(k, inside, outside):
    """Return rates for ``k`` classes that link within."""
    return np.full((k, k), outside) + np.eye(k) * (inside - outside)


def network_of(links, n_nodes, *, directed=False, nodes=None, weights=None):
    """Return a network as if it had been read."""
    graph = from_edges(links, n_nodes, directed=directed, weights=weights)
    names = tuple(f"n{i}" for i in range(n_nodes))
    table = None if nodes is None else read(nodes)
    return Network("made.csv", graph, names, directed, weights is not None, table, len(links))


def write_links(path, links, names=None, header="source,target"):
    """Write links as CSV."""
    lines = [",".join(names[i] if names else str(i) for i in link) for link in links]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path
