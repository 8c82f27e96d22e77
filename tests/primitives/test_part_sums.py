"""Weights by part against the matrix of the graph."""

import numpy as np
import pytest

from coterie.graphs import from_edges, to_scipy
from coterie.primitives.engine import threads
from coterie.primitives.part_sums import part_sums


def drawn(n, m, k, *, directed=True):
    random = np.random.default_rng([n, m, k])
    graph = from_edges(random.integers(0, n, (m, 2)), n, weights=random.random(m), directed=directed)
    return graph, random.integers(-1, k, n)


@pytest.mark.parametrize(("n", "m"), [(1, 0), (30, 90), (2_000, 300_000)])
@pytest.mark.parametrize("k", [1, 4, 40])
def test_links_within_out_of_and_into_parts_are_added_up(n, m, k):
    graph, codes = drawn(n, m, k)
    member = (codes[:, None] == np.arange(k)).astype(float)
    between = member.T @ (to_scipy(graph) @ member)
    inside = np.diag(between)
    expected = [inside, between.sum(axis=1) - inside, between.sum(axis=0) - inside]
    np.testing.assert_allclose(part_sums(graph, codes, k), expected, rtol=1e-12, atol=1e-9)


def test_the_number_of_threads_changes_no_bit():
    graph, codes = drawn(2_000, 300_000, 7, directed=False)
    with threads(1):
        one = part_sums(graph, codes, 7)
    with threads(4):
        assert part_sums(graph, codes, 7).tobytes() == one.tobytes()
