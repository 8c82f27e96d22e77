"""Louvain: the known optimum of a small network, and communities that never fall apart."""

import networkx as nx

from coterie import Louvain
from graph.community_graphs import assert_well_formed, edges_of, random_links


def test_karate_club_comes_near_its_optimum():
    found = max(
        Louvain(n_iterations=None, random_state=seed).fit(edges_of(nx.karate_club_graph())).modularity_
        for seed in range(8)
    )
    assert 0.4188 <= found <= 0.41979 + 1e-5


def test_louvain_divides_a_community_that_fell_apart():
    # On sparse random graphs plain Louvain leaves such communities again and again.
    for seed in range(30):
        graph = random_links(60, 66, seed)
        assert_well_formed(Louvain(random_state=seed, resolution=0.5).fit(graph), graph)
