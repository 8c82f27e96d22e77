"""Degenerate graphs through every line of `coterie.catalog.GRAPHS`: an answer by a stated rule, or one clear sentence."""

import numpy as np
import pytest
import scipy.sparse as sp

import coterie
from common.cases import quietly, same_partition
from common.degenerate_graphs import ANSWERED, DEGENERATE, NO_CHOICE, REFUSED, clique, nodes_of
from common.graph_cases import (
    NEEDS_K,
    every_graph_algorithm,
    fit_graph,
    graph_settings,
    make_graph,
    planted,
)
from coterie.graphs import from_edges, to_scipy

N = 160


@every_graph_algorithm
@pytest.mark.parametrize("kind", ANSWERED)
def test_degenerate_graphs_give_the_same_labels_twice_and_from_predict(name, kind):
    source, n, few = DEGENERATE[kind][0], nodes_of(kind), graph_settings(name).few
    estimator, warned = quietly(lambda: fit_graph(name, source, n, **few))
    labels = estimator.labels_
    assert labels.shape == (n,)
    assert list(dict.fromkeys(labels.tolist())) == list(range(len(set(labels.tolist()))))
    assert not [str(w.message) for w in warned if issubclass(w.category, RuntimeWarning)]
    assert all(len(str(w.message)) > 15 for w in warned)
    np.testing.assert_array_equal(quietly(lambda: fit_graph(name, source, n, **few))[0].labels_, labels)
    matrix = to_scipy(coterie.graphs.as_graph(source))
    np.testing.assert_array_equal(quietly(estimator.predict, matrix)[0], labels)


@every_graph_algorithm
@pytest.mark.parametrize("kind", [kind for kind, (_, groups) in DEGENERATE.items() if groups is REFUSED])
def test_what_is_no_graph_is_refused_in_one_clear_sentence(name, kind):
    estimator = make_graph(name, **graph_settings(name).few)
    with pytest.raises((ValueError, TypeError, MemoryError)) as raised:
        estimator.fit(DEGENERATE[kind][0], *graph_settings(name).beside(3))
    assert len(str(raised.value)) > 15
    assert not hasattr(estimator, "labels_")


@every_graph_algorithm
@pytest.mark.parametrize("kind", NO_CHOICE)
def test_graphs_that_leave_no_choice_are_parted_where_they_must(name, kind):
    source, groups = DEGENERATE[kind]
    labels = quietly(lambda: fit_graph(name, source, len(groups), **graph_settings(name).few).labels_)[0]
    assert same_partition(labels, groups)


@every_graph_algorithm
def test_one_node_is_a_cluster(name):
    for source in (np.zeros((1, 1)), np.ones((1, 1)), sp.csr_array((1, 1))):
        few = {"n_clusters": 1} if name in NEEDS_K else {}
        try:
            labels = quietly(lambda source=source, few=few: fit_graph(name, source, 1, **few).labels_)[0]
        except ValueError as error:
            assert "1" in str(error)
            continue
        assert labels.tolist() == [0]


@pytest.mark.parametrize("name", NEEDS_K)
def test_more_clusters_than_nodes_are_refused_with_both_numbers(name):
    with pytest.raises(ValueError, match=r"(?s)(3.*8|8.*3)"):
        fit_graph(name, from_edges([[0, 1], [1, 2]]), 3, n_clusters=8)


@pytest.mark.parametrize("name", NEEDS_K)
def test_as_many_clusters_as_nodes_are_a_cluster_each(name):
    for source in (from_edges(clique(5)), from_edges(np.empty((0, 2)), 5), from_edges([[0, 1], [1, 2]], 5)):
        labels = quietly(lambda source=source: fit_graph(name, source, 5, n_clusters=5).labels_)[0]
        assert labels.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", NEEDS_K)
def test_one_cluster_holds_all_nodes(name):
    for source in (planted(), from_edges(np.empty((0, 2)), N), from_edges(np.arange(N).reshape(-1, 2))):
        labels, warned = quietly(lambda source=source: fit_graph(name, source, N, n_clusters=1).labels_)
        assert set(labels.tolist()) == {0}
        assert not [w for w in warned if issubclass(w.category, RuntimeWarning)]


@pytest.mark.parametrize("name", NEEDS_K)
def test_as_many_clusters_as_were_asked_for_are_found(name):
    for kind in ("1,000 components", "many isolated nodes", "a star", "a ring", "two cliques with isolated nodes"):
        source = DEGENERATE[kind][0]
        for k in (2, 3, 10):
            labels = quietly(lambda source=source, k=k: fit_graph(name, source, source.n_nodes, n_clusters=k).labels_)[
                0
            ]
            assert len(set(labels.tolist())) == k, (kind, k)
