"""Leiden: known optima, brute force, planted groups, and real networks."""

import networkx as nx
import numpy as np
import pytest

from coterie import Leiden
from coterie.graphs import as_graph, to_scipy
from graph.community_graphs import assert_well_formed, edges_of, modularity, partitions, potts, random_links


def test_karate_club_reaches_its_known_optimum():
    model = Leiden(n_iterations=None, random_state=0).fit(edges_of(nx.karate_club_graph()))
    assert model.modularity_ == pytest.approx(0.41979, abs=1e-5)
    assert model.n_clusters_ == 4


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("objective", ["modularity", "cpm"])
def test_small_graphs_reach_the_optimum_of_all_partitions(seed, objective):
    n = 4 + seed % 5
    graph = random_links(n, 2 * n, seed)
    matrix = to_scipy(graph).toarray()
    resolution = 1.0 if objective == "modularity" else 0.4
    worth = modularity if objective == "modularity" else (lambda m, la, r=1.0: potts(m, la, resolution, np.ones(n)))
    best = max(worth(matrix, labels) for labels in partitions(n))
    found = max(
        Leiden(resolution, objective=objective, n_iterations=None, random_state=s).fit(graph).quality_ for s in range(8)
    )
    assert found == pytest.approx(best, abs=1e-9)


def test_more_iterations_are_never_worse():
    graph = random_links(300, 900, 3)
    reached = [Leiden(n_iterations=i, random_state=0).fit(graph).quality_ for i in (1, 2, 5, None)]
    assert reached == sorted(reached)


def test_planted_groups_are_found():
    network = nx.planted_partition_graph(20, 30, 0.5, 0.01, seed=0)
    model = Leiden(random_state=0).fit(edges_of(network), n_nodes=600)
    np.testing.assert_array_equal(model.labels_, np.repeat(np.arange(20), 30))


@pytest.mark.parametrize("seed", range(3))
def test_ego_facebook_reaches_the_best_known(shared_data, seed):
    edges = np.loadtxt(shared_data / "graphs/snap-facebook/facebook_combined.txt.gz", dtype=np.int64)
    model = Leiden(random_state=seed).fit(edges)
    assert model.modularity_ >= 0.8356
    assert_well_formed(model, as_graph(edges))


def test_musae_facebook_reaches_what_others_do(shared_data):
    edges = np.loadtxt(shared_data / "graphs/musae/facebook_edges.csv.gz", dtype=np.int64, delimiter=",", skiprows=1)
    model = Leiden(random_state=0).fit(edges)
    assert model.modularity_ >= 0.8186  # igraph and leidenalg, two iterations: .8104 to .8183
    assert_well_formed(model, as_graph(edges))
