"""Spectral clustering: shapes, graphs in pieces, objectives against all partitions, landmarks, new rows and new nodes."""

import itertools

import numpy as np
import pytest
from scipy.sparse import block_diag, csr_array
from sklearn.cluster import SpectralClustering as Reference
from sklearn.datasets import make_blobs, make_circles, make_moons
from sklearn.metrics import adjusted_rand_score

from coterie import Graph, SpectralClustering
from coterie.arrays import to_numpy
from coterie.errors import InputError, ResourceError
from coterie.graph import _affinity
from coterie.graph._pieces import crumbs_and_pieces, packed, shares_of
from coterie.graphs import as_graph, from_edges, to_scipy
from coterie.primitives.engine import threads

OBJECTIVES = ("normalized_cut", "ratio_cut", "modularity")
CUTS = OBJECTIVES[:2]
every_objective = pytest.mark.parametrize("objective", OBJECTIVES)
every_cut = pytest.mark.parametrize("objective", CUTS)


def clique(n, weight=1.0):
    return weight * (np.ones((n, n)) - np.eye(n))


def of_graph(k, **parameters):
    return SpectralClustering(k, affinity="precomputed", random_state=0, **parameters)


def objective_of(A, labels, objective):
    """Compute what is to be small, by its definition."""
    degree = A.sum(axis=1)
    total = 0.0
    for cluster in np.unique(labels):
        inside = labels == cluster
        leaving = A[inside][:, ~inside].sum()
        if objective == "modularity":
            total -= A[inside][:, inside].sum() / degree.sum() - (degree[inside].sum() / degree.sum()) ** 2
        else:
            total += leaving / (degree[inside].sum() if objective == "normalized_cut" else inside.sum())
    return total


# ---- rows


@pytest.mark.parametrize("objective", CUTS)
@pytest.mark.parametrize("affinity", ["nearest_neighbors", "rbf"])
@pytest.mark.parametrize(
    ("X", "truth"),
    [
        pytest.param(*make_moons(400, noise=0.05, random_state=0), id="moons"),
        pytest.param(*make_circles(400, factor=0.4, noise=0.04, random_state=0), id="rings"),
    ],
)
def test_bent_groups_are_found(objective, affinity, X, truth):
    labels = SpectralClustering(2, affinity=affinity, objective=objective, random_state=0).fit_predict(X)
    assert adjusted_rand_score(truth, labels) == 1.0


@pytest.mark.parametrize("assign", ["kmeans", "cluster_qr"])
def test_overlapping_groups_are_found_as_scikit_learn_finds_them(assign):
    X, truth = make_blobs(900, 5, centers=6, cluster_std=2.6, random_state=3)
    ours = SpectralClustering(6, assign_labels=assign, random_state=0).fit_predict(X)
    theirs = Reference(6, affinity="nearest_neighbors", assign_labels=assign, random_state=0).fit_predict(X)
    assert adjusted_rand_score(truth, ours) >= adjusted_rand_score(truth, theirs) - 0.02


def test_the_graph_of_neighbours_is_that_of_scikit_learn():
    from sklearn.neighbors import kneighbors_graph

    X = make_blobs(300, 3, random_state=0)[0]
    directed = kneighbors_graph(X, 8, include_self=True).toarray()
    expected = (directed + directed.T) / 2
    np.fill_diagonal(expected, 0.0)
    graph = SpectralClustering(3, n_neighbors=8, random_state=0).fit(X).affinity_graph_
    np.testing.assert_array_equal(to_scipy(graph).toarray(), expected)


def test_pieces_beyond_the_number_of_clusters_are_joined_to_the_nearest():
    centers = np.array([[0, 0], [3, 0], [50, 0], [53, 0], [0, 90], [3, 90.0]])
    X, group = make_blobs(240, 2, centers=centers, cluster_std=0.2, random_state=0)
    labels = SpectralClustering(3, random_state=0).fit_predict(X)
    assert adjusted_rand_score(group // 2, labels) == 1.0


def test_equal_rows_are_one_node_and_share_their_label():
    X = make_blobs(40, 2, centers=3, random_state=1)[0]
    model = SpectralClustering(3, random_state=0).fit(np.repeat(X, 30, axis=0))
    assert model.affinity_graph_.n_nodes == 40
    assert model.embedding_.shape == (1200, 3)
    np.testing.assert_array_equal(model.labels_[::30], SpectralClustering(3, random_state=0).fit_predict(X))


def test_a_kernel_of_too_many_rows_is_refused_before_it_is_computed(monkeypatch):
    monkeypatch.setattr(_affinity, "free_bytes", lambda: 1e6)
    with pytest.raises(ResourceError, match="nearest_neighbors"):
        SpectralClustering(2, affinity="rbf").fit(make_moons(300)[0])


def test_the_unit_of_the_rows_does_not_change_the_kernel():
    X = make_moons(300, noise=0.05, random_state=0)[0]
    one, other = (SpectralClustering(2, affinity="rbf", random_state=0).fit(X * f) for f in (1.0, 1e200))
    np.testing.assert_array_equal(one.labels_, other.labels_)
    np.testing.assert_allclose(one.eigenvalues_, other.eigenvalues_, rtol=1e-6, atol=1e-12)


# ---- graphs


@every_objective
@pytest.mark.parametrize("seed", range(4))
def test_no_other_partition_of_a_small_graph_is_much_better(objective, seed):
    # All 2^11 halvings of two random dense groups with a few links between.
    random = np.random.default_rng(seed)
    A = np.triu(random.random((12, 12)) * (random.random((12, 12)) < 0.15), 1)
    A[:5, :5] += np.triu(random.random((5, 5)), 1)
    A[5:, 5:] += np.triu(random.random((7, 7)), 1)
    A = A + A.T
    labels = of_graph(2, objective=objective).fit_predict(A)
    every = (np.array((0, *rest)) for rest in itertools.product((0, 1), repeat=11) if any(rest))
    best = min(objective_of(A, given, objective) for given in every)
    found = objective_of(A, labels, objective)
    # The relaxation is no search for the optimum: it must come near.
    assert found <= best + 0.15 * abs(best) + 1e-12


@every_objective
def test_planted_groups_of_a_graph_are_found(objective, on):
    random = np.random.default_rng(0)
    group = np.repeat([0, 1, 2, 3], [100, 150, 200, 250])
    likely = np.where(group[:, None] == group, 0.2, 0.01)
    A = np.triu(random.random((700, 700)) < likely, 1).astype(float)
    graph = Graph(*(on(part) for part in as_graph(A + A.T)))
    model = of_graph(4, objective=objective).fit(graph)
    assert adjusted_rand_score(group, to_numpy(model.labels_)) == 1.0
    assert type(model.labels_) is type(graph.indices)


@every_cut
@pytest.mark.parametrize("sizes", [(5, 5), (30, 4, 9), (3, 3, 3, 50)])
def test_as_many_pieces_as_clusters_are_the_clusters(objective, sizes):
    A = block_diag([clique(n) for n in sizes])
    model = of_graph(len(sizes), objective=objective).fit(csr_array(A))
    np.testing.assert_array_equal(model.labels_, np.repeat(np.arange(len(sizes)), sizes))
    np.testing.assert_allclose(model.eigenvalues_, 0.0, atol=1e-12)


@every_cut
def test_fewer_pieces_than_clusters_are_divided_where_it_costs_least(objective):
    dumbbell = block_diag([clique(20), clique(20)]).toarray()
    dumbbell[0, 20] = dumbbell[20, 0] = 0.1
    A = block_diag([clique(25), dumbbell, clique(9)])
    labels = of_graph(4, objective=objective).fit_predict(csr_array(A))
    np.testing.assert_array_equal(labels, np.repeat([0, 1, 2, 3], [25, 20, 20, 9]))


@every_cut
def test_isolated_nodes_are_put_aside(objective):
    dumbbell = block_diag([clique(20), clique(20)]).toarray()
    dumbbell[0, 20] = dumbbell[20, 0] = 0.1
    A = block_diag([dumbbell, np.zeros((4, 4))])
    labels = of_graph(2, objective=objective).fit_predict(csr_array(A))
    np.testing.assert_array_equal(labels[:40], np.repeat([0, 1], 20))
    assert np.bincount(labels).tolist() == [22, 22]


@every_cut
def test_a_thousand_pieces_are_packed_into_clusters_of_even_size(objective):
    A = block_diag([clique(3)] * 1000, format="csr")
    labels = of_graph(8, objective=objective).fit_predict(csr_array(A))
    assert np.bincount(labels).tolist() == [375] * 8
    assert (labels.reshape(1000, 3) == labels[::3, None]).all()


@every_objective
@pytest.mark.parametrize("k", [1, 2, 5])
def test_a_graph_without_links_is_answered(objective, k):
    model = of_graph(k, objective=objective).fit(np.zeros((5, 5)))
    assert np.isfinite(model.embedding_).all()
    assert len(np.unique(model.labels_)) == k


@every_objective
def test_as_many_clusters_as_nodes_are_a_cluster_each(objective):
    labels = of_graph(6, objective=objective).fit_predict(clique(6))
    np.testing.assert_array_equal(labels, np.arange(6))


@every_objective
def test_one_node_is_one_cluster(objective):
    assert of_graph(1, objective=objective).fit_predict(np.zeros((1, 1))).tolist() == [0]


@every_objective
@pytest.mark.parametrize("factor", [1e-300, 1.0, 1e300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_unit_of_the_weights_does_not_matter(objective, factor, dtype):
    dumbbell = block_diag([clique(20), clique(15)]).toarray()
    dumbbell[0, 20] = dumbbell[20, 0] = 0.1
    if dtype is np.float32:
        factor = {1e-300: 1e-30, 1.0: 1.0, 1e300: 1e30}[factor]
    labels = of_graph(2, objective=objective).fit_predict((dumbbell * factor).astype(dtype))
    np.testing.assert_array_equal(labels, np.repeat([0, 1], [20, 15]))


@every_objective
def test_loops_alone_are_no_links(objective):
    model = of_graph(2, objective=objective).fit(np.eye(6))
    assert set(model.labels_.tolist()) <= {0, 1}
    assert np.isfinite(model.embedding_).all()


def test_more_clusters_than_nodes_are_refused():
    with pytest.raises(InputError, match=r"3.*8"):
        of_graph(8).fit(clique(3))


def test_landmarks_of_a_graph_are_refused():
    with pytest.raises(InputError, match="landmarks"):
        of_graph(2, landmarks=3).fit(clique(5))


def test_a_directed_graph_is_said_to_be_taken_for_undirected():
    with pytest.warns(UserWarning, match="directed"):
        of_graph(2).fit(from_edges([[0, 1], [1, 2], [3, 4], [4, 5]], 6, directed=True))


def test_an_array_of_edges_is_a_graph():
    edges = np.r_[np.argwhere(np.triu(clique(5))), 5 + np.argwhere(np.triu(clique(4)))]
    labels = of_graph(2).fit(edges, n_nodes=9).labels_
    np.testing.assert_array_equal(labels, np.repeat([0, 1], [5, 4]))


def test_a_graph_of_neighbours_gives_what_the_rows_give():
    X = make_moons(300, noise=0.06, random_state=0)[0]
    rows = SpectralClustering(3, random_state=0).fit(X)
    graph = of_graph(3).fit(rows.affinity_graph_)
    np.testing.assert_array_equal(graph.labels_, rows.labels_)
    assert graph.embedding_.tobytes() == rows.embedding_.tobytes()


# ---- predict


@pytest.mark.parametrize("affinity", ["nearest_neighbors", "rbf"])
@every_objective
def test_rows_of_the_fit_get_their_labels_in_any_order(affinity, objective):
    X, _ = make_blobs(300, 3, centers=4, cluster_std=2.0, random_state=0)
    X = np.r_[X, X[:50]]
    model = SpectralClustering(4, affinity=affinity, objective=objective, random_state=0).fit(X)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(model.predict(X[order]), model.labels_[order])


@pytest.mark.parametrize("affinity", ["nearest_neighbors", "rbf"])
@pytest.mark.parametrize("objective", CUTS)
def test_new_rows_of_a_moon_join_it(affinity, objective):
    X, truth = make_moons(600, noise=0.05, random_state=0)
    model = SpectralClustering(2, affinity=affinity, objective=objective, random_state=0).fit(X[:400])
    assert adjusted_rand_score(truth[400:], model.predict(X[400:])) == 1.0


@every_objective
def test_new_nodes_join_the_cluster_that_they_are_linked_to(objective):
    A = block_diag([clique(12), clique(8)]).toarray()
    A[0, 12] = A[12, 0] = 0.2
    model = of_graph(2, objective=objective).fit(A)
    np.testing.assert_array_equal(model.predict(A), model.labels_)
    links = np.zeros((3, 20))
    links[0, [1, 2, 3]], links[1, [14, 15]] = 1.0, 1.0
    np.testing.assert_array_equal(model.predict(links), [0, 1, 0])


def test_the_formula_of_the_extension_holds_for_the_nodes_of_the_fit():
    from coterie.graph._spectral_embedding import extended

    X = make_moons(500, noise=0.08, random_state=0)[0]
    for objective in OBJECTIVES:
        model = SpectralClustering(3, objective=objective, eigen_tol=1e-8, random_state=0).fit(X)
        again = extended(
            to_scipy(model.affinity_graph_), model.embedding_, model.eigenvalues_, model._axis_means, objective
        )
        np.testing.assert_allclose(again, model.embedding_, atol=1e-6)


# ---- landmarks


def test_landmarks_find_the_groups_of_many_rows_and_say_how_well():
    X, truth = make_moons(6000, noise=0.06, random_state=1)
    model = SpectralClustering(2, landmarks=400, random_state=0).fit(X)
    assert adjusted_rand_score(truth, model.labels_) > 0.99
    assert model.affinity_graph_.n_nodes == 400
    assert 0 <= model.landmark_error_ < 0.2
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_few_landmarks_have_a_larger_error():
    X = make_blobs(4000, 2, centers=1, random_state=0)[0]
    errors = [
        SpectralClustering(4, landmarks=m, random_state=0).fit(X).landmark_error_ for m in (40, 400, 2000)
    ]  # fmt: skip
    assert errors[0] > errors[1] > errors[2] > 0


def test_as_many_landmarks_as_rows_are_all_rows():
    X = make_moons(200, noise=0.05, random_state=0)[0]
    model = SpectralClustering(2, landmarks=500, random_state=0).fit(X)
    np.testing.assert_array_equal(model.labels_, SpectralClustering(2, random_state=0).fit_predict(X))
    assert model.landmark_error_ is None


def test_fewer_landmarks_than_clusters_are_refused():
    with pytest.raises(InputError, match=r"landmarks=3.*n_clusters=4"):
        SpectralClustering(4, landmarks=3).fit(make_moons(50)[0])


# ---- rules


@every_objective
def test_the_number_of_threads_changes_no_bit(objective):
    X = make_blobs(3000, 4, centers=5, cluster_std=2.5, random_state=0)[0]
    models = []
    for count in (1, 2, 4):
        with threads(count):
            models.append(SpectralClustering(5, objective=objective, random_state=0).fit(X))
    for model in models[1:]:
        assert model.embedding_.tobytes() == models[0].embedding_.tobytes()
        assert model.labels_.tobytes() == models[0].labels_.tobytes()


@pytest.mark.parametrize("objective", CUTS)
def test_a_tensor_gives_the_objective_of_an_array(objective):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    X = make_blobs(1500, 4, centers=5, cluster_std=2.0, random_state=0)[0]
    ours = SpectralClustering(5, objective=objective, random_state=0).fit(X)
    other = SpectralClustering(5, objective=objective, random_state=0).fit(torch.from_numpy(X))
    assert isinstance(other.embedding_, torch.Tensor)
    A = to_scipy(ours.affinity_graph_).toarray()
    values = [objective_of(A, to_numpy(model.labels_), objective) for model in (ours, other)]
    assert values[1] == pytest.approx(values[0], rel=0.01)


def test_cluster_qr_needs_no_seed():
    X = make_blobs(500, 3, centers=4, cluster_std=2.0, random_state=0)[0]
    one, other = (SpectralClustering(4, assign_labels="cluster_qr").fit_predict(X) for _ in range(2))
    np.testing.assert_array_equal(one, other)


# ---- pieces


@pytest.mark.parametrize(
    ("sizes", "k", "pieces", "own"),
    [
        ((5, 5, 1), 3, [0, 1, 2], 0),
        ((50, 50, 1, 1), 3, [0, 1], 0),
        ((50, 50, 1), 4, [0, 1], 0),
        ((60, 1, 1, 1), 2, [0], 0),
        ((30, 30, 10, 10, 10, 10), 3, [0, 1], 1),
        ((10,) * 10, 8, [], 8),
        ((1,) * 9, 2, [], 2),
        ((30, 30, *(1,) * 90), 3, [0, 1], 0),
        ((2, 2, *(1,) * 9), 6, [0, 1], 2),
    ],
)
def test_small_pieces_are_crumbs_only_where_there_are_too_many(sizes, k, pieces, own):
    found = crumbs_and_pieces(np.repeat(np.arange(len(sizes)), sizes), k)
    assert found[0] == pieces
    assert sorted(found[0] + found[1]) == list(range(len(sizes)))
    assert found[2] == own


def test_clusters_go_to_the_smallest_values():
    values = [np.array([0.5, 0.6]), np.array([0.1, 0.2, 0.9]), np.array([])]
    assert shares_of(values, 3) == [1, 1, 1]
    assert shares_of(values, 5) == [1, 3, 1]
    assert shares_of(values, 6) == [2, 3, 1]


def test_packing_evens_out_what_is_there():
    assert packed(np.array([3, 5, 1]), np.array([4, 0])).tolist() == [0, 1, 1]
