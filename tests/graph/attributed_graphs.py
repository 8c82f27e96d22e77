"""Links, words and numbers of nodes in planted groups."""

import numpy as np
import scipy.sparse as sp

from coterie.graphs import from_edges

N, K = 320, 4


def links_of(groups, inside, seed=0, degree=10):
    """Return links of which a share, beside those that chance puts there, stays inside the groups."""
    random = np.random.default_rng(seed)
    n = len(groups)
    one, other = random.integers(n, size=(2, n * degree // 2))
    for group in np.unique(groups):
        own = np.flatnonzero((random.random(len(one)) < inside) & (groups[one] == group))
        other[own] = random.choice(np.flatnonzero(groups == group), len(own))
    edges = np.column_stack([one, other])[one != other]
    return from_edges(np.unique(np.sort(edges, axis=1), axis=0), n)


def numbers_of(groups, apart, seed=1, d=5):
    random = np.random.default_rng(seed)
    return apart * random.normal(size=(groups.max() + 1, d))[groups] + random.normal(size=(len(groups), d))


def words_of(groups, share, seed=2, d=150):
    """Return bags of words; a share of each is drawn from words of the own group."""
    random = np.random.default_rng(seed)
    rows = np.repeat(np.arange(len(groups)), 14)
    words = random.integers(d, size=len(rows))
    own = random.random(len(rows)) < share
    words[own] = (words[own] % (d // K)) + (d // K) * groups[rows[own]]
    bags = sp.csr_array((np.ones(len(rows)), (rows, words)), shape=(len(groups), d))
    bags.data[:] = 1.0
    return bags


def groups_of(seed=0, n=N):
    return np.random.default_rng(seed).integers(K, size=n)


TRUTH = groups_of()
OTHER = groups_of(seed=5)


def both_sides():
    """Return links, words and numbers that all tell of the same groups."""
    return links_of(TRUTH, 0.6), words_of(TRUTH, 0.5), numbers_of(TRUTH, 1.3)
