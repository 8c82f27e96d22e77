"""Agglomerative clustering against SciPy, against a plain greedy loop where pairs tie or a graph decides, and by its promises."""

import numpy as np
import pytest
import sklearn.cluster
from scipy.cluster.hierarchy import dendrogram, fcluster, is_valid_linkage, linkage
from scipy.spatial.distance import pdist, squareform
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from common.cases import quietly, same_partition
from common.test_degenerate import DEGENERATE
from coterie import AgglomerativeClustering
from coterie.errors import InputError, ResourceError
from coterie.hierarchy import _agglomerative_distances
from coterie.primitives.engine import threads
from hierarchy.greedy import greedy_linkage, partitions

LINKAGES = ["ward", "single", "complete", "average", "weighted", "centroid", "median"]
ALONG = ["ward", "single", "complete", "average", "centroid", "median"]
REAL = ["fcps/hepta", "fcps/atom", "fcps/tetra", "fcps/target", "graves/dense", "graves/ring_outliers", "other/iris"]
every_linkage = pytest.mark.parametrize("how", LINKAGES)


def random_rows(seed):
    random = np.random.default_rng(seed)
    n, d = int(random.integers(2, 90)), int(random.integers(1, 8))
    return random.normal(size=(n, d)) * random.choice([1e-3, 1.0, 1e3]) + random.choice([0.0, 100.0])


def fitted(X, how, n_clusters=1, **parameters):
    return AgglomerativeClustering(n_clusters, linkage=how, **parameters).fit(X)


# ---- against SciPy


@every_linkage
def test_the_tree_is_that_of_scipy_on_two_hundred_random_inputs(how):
    differ = []
    for seed in range(200):
        X = random_rows(seed)
        ours, theirs = fitted(X, how).linkage_matrix_, linkage(X, how)
        near = np.allclose(ours[:, 2], theirs[:, 2], rtol=1e-10, atol=0)
        if not near or not np.array_equal(ours[:, [0, 1, 3]], theirs[:, [0, 1, 3]]):
            differ.append(seed)
    assert differ == []


@every_linkage
@pytest.mark.parametrize("name", REAL)
def test_real_data_give_the_heights_and_clusters_of_scipy(shared_data, name, how):
    path = shared_data / "clustering" / f"{name}.data.gz"
    X = np.loadtxt(path, ndmin=2)
    X = np.unique(X, axis=0)  # equal distances merge in another order in SciPy
    X = X[np.random.default_rng(0).permutation(len(X))[:400]]
    X += np.random.default_rng(1).normal(size=X.shape) * 1e-6 * X.std(axis=0)
    ours, theirs = fitted(X, how), linkage(X, how)
    np.testing.assert_allclose(ours.distances_, theirs[:, 2], rtol=1e-10)
    for k in (2, 3, 7):
        assert adjusted_rand_score(ours.cut(k), fcluster(theirs, k, "maxclust")) == 1.0 or how in ("centroid", "median")
        assert adjusted_rand_score(ours.cut(k), cut_of(theirs, k)) == 1.0


def cut_of(tree, k):
    """Undo the last k - 1 merges of a SciPy hierarchy."""
    n = len(tree) + 1
    sets = {i: [i] for i in range(n)}
    for i in range(n - k):
        sets[n + i] = sets.pop(int(tree[i, 0])) + sets.pop(int(tree[i, 1]))
    labels = np.empty(n, int)
    for number, rows in enumerate(sets.values()):
        labels[rows] = number
    return labels


@every_linkage
def test_single_precision_gives_the_same_clusters(how):
    X = random_rows(3).astype(np.float32)
    single, double = fitted(X, how, 4), fitted(X.astype(np.float64), how, 4)
    np.testing.assert_array_equal(single.labels_, double.labels_)
    np.testing.assert_allclose(single.distances_, double.distances_, rtol=1e-6)


@pytest.mark.parametrize(
    ("metric", "name"),
    [("manhattan", "cityblock"), ("cosine", "cosine"), ("chebyshev", "chebyshev"), ("l1", "cityblock")],
)
@pytest.mark.parametrize("how", ["single", "complete", "average", "weighted"])
def test_other_metrics_give_the_tree_of_scipy(metric, name, how):
    X = np.random.default_rng(5).normal(size=(60, 3))
    ours, theirs = fitted(X, how, 3, metric=metric), linkage(X, how, metric=name)
    np.testing.assert_allclose(ours.distances_, theirs[:, 2], rtol=1e-10)
    np.testing.assert_array_equal(ours.children_, theirs[:, :2])
    np.testing.assert_array_equal(ours.predict(X), ours.labels_)


@pytest.mark.parametrize("how", ["single", "complete", "average", "weighted"])
def test_precomputed_distances_are_as_good_as_rows_and_stay_as_they_are(how):
    X = random_rows(11)
    distances = squareform(pdist(X))
    before = distances.copy()
    ours = fitted(distances, how, 3, metric="precomputed")
    np.testing.assert_allclose(ours.distances_, fitted(X, how, 3).distances_, rtol=1e-12)
    np.testing.assert_array_equal(ours.labels_, fitted(X, how, 3).labels_)
    np.testing.assert_array_equal(ours.predict(distances), ours.labels_)
    np.testing.assert_array_equal(distances, before)


# ---- ties


TIED = {
    "lattice": np.stack(np.meshgrid(np.arange(5.0), np.arange(4.0)), -1).reshape(-1, 2),
    "simplex": np.eye(9),
    "repeated rows": np.repeat(np.random.default_rng(2).normal(size=(6, 2)), 3, axis=0),
    "a line": np.arange(14.0)[:, None],
    "a lattice in disorder": np.random.default_rng(4).permutation(
        np.stack(np.meshgrid(np.arange(4.0), np.arange(4.0), np.arange(2.0)), -1).reshape(-1, 3)
    ),
    "a square and its middle": np.array([[0.0, 0], [2, 0], [0, 2], [2, 2], [1, 1]]),
}


@every_linkage
@pytest.mark.parametrize("kind", TIED)
def test_of_equally_near_pairs_the_lowest_rows_merge_first(how, kind):
    X = TIED[kind]
    ours, plain = fitted(X, how).linkage_matrix_, greedy_linkage(X, how)
    np.testing.assert_allclose(ours[:, 2], plain[:, 2], rtol=1e-12, atol=1e-14)
    if how != "single":  # there the edge with the lowest rows comes first, whatever clusters they are in
        assert partitions(ours) == partitions(plain)


# ---- cuts and coefficient


def test_the_textbook_example_has_its_published_coefficient():
    # Kaufman and Rousseeuw (1990), agriculture in the European Union; the figure is that of R's cluster::agnes.
    countries = np.array(
        [[16.8, 2.7], [21.3, 5.7], [18.7, 3.5], [5.9, 22.2], [11.4, 10.9], [17.8, 6.0], [10.9, 14.0], [16.6, 8.5],
         [21.0, 3.5], [16.4, 4.3], [7.8, 17.4], [14.0, 2.3]]
    )  # fmt: skip
    assert fitted(countries, "average").coefficient_ == pytest.approx(0.7818932, abs=1e-7)


def test_heights_of_wards_linkage_are_roots_of_twice_the_growth_of_the_sum_of_squares():
    model = fitted(np.array([[0.0], [2.0], [10.0]]), "ward")
    # {0, 2} has sum of squares 2; with 10 it is 56.
    np.testing.assert_allclose(model.distances_**2 / 2, [2.0, 54.0])


@every_linkage
def test_scipy_accepts_and_draws_the_tree(how):
    model = fitted(random_rows(5), how)
    assert is_valid_linkage(model.linkage_matrix_)
    assert len(dendrogram(model.linkage_matrix_, no_plot=True)["leaves"]) == model.n_leaves_


@every_linkage
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_by_height_is_that_of_fcluster(how, share):
    model = fitted(random_rows(21), how)
    height = float(np.quantile(model.distances_, share, method="nearest"))
    theirs = fcluster(model.linkage_matrix_, height, "distance")
    assert adjusted_rand_score(model.cut(height=height), theirs) == 1.0


@pytest.mark.parametrize("how", ["ward", "single", "complete", "average"])
def test_the_threshold_means_what_it_means_in_scikit_learn(how):
    X = random_rows(17)
    free = sklearn.cluster.AgglomerativeClustering(None, distance_threshold=0, linkage=how).fit(X)
    # At the threshold itself nothing merges any more. The two sets of heights differ in the last bits.
    ours = fitted(X, how, None, distance_threshold=fitted(X, how).distances_[-4])
    theirs = free.set_params(distance_threshold=free.distances_[-4]).fit(X)
    assert ours.n_clusters_ == theirs.n_clusters_ == 5
    assert adjusted_rand_score(ours.labels_, theirs.labels_) == 1.0


def test_cuts_into_more_clusters_only_split():
    model = fitted(random_rows(21), "average")
    for k in range(1, 8):
        assert len({(a, b) for a, b in zip(model.cut(k), model.cut(k + 1), strict=True)}) == k + 1


@pytest.mark.parametrize("arguments", [{}, {"n_clusters": 2, "height": 1.0}])
def test_a_cut_needs_one_of_number_and_height(arguments):
    with pytest.raises(InputError, match="either"):
        fitted(random_rows(1), "ward").cut(**arguments)


def test_a_cut_into_more_clusters_than_rows_is_refused():
    with pytest.raises(InputError, match="n_samples=3 should be >= n_clusters=4"):
        fitted(np.eye(3), "ward").cut(4)


@pytest.mark.parametrize(("k", "threshold"), [(None, None), (2, 1.0)])
def test_exactly_one_of_number_and_threshold_is_given(k, threshold):
    with pytest.raises(InputError, match="exactly one"):
        AgglomerativeClustering(k, distance_threshold=threshold).fit(np.eye(4))


@every_linkage
@pytest.mark.parametrize("seed", range(5))
def test_equal_rows_are_never_parted(how, seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(8, 3))[random.integers(8, size=90)]
    distinct, group = np.unique(X, axis=0, return_inverse=True)
    model = AgglomerativeClustering(len(distinct) + 1, linkage=how)
    with pytest.warns(ConvergenceWarning, match=f"{len(distinct)} distinct rows for n_clusters={len(distinct) + 1}"):
        model.fit(X)
    assert model.distances_[90 - len(distinct) - 1] == 0.0 < model.distances_[90 - len(distinct)]
    assert adjusted_rand_score(model.labels_, group.ravel()) == 1.0
    np.testing.assert_array_equal(model.predict(X), model.labels_)


@every_linkage
def test_one_row_is_a_tree_without_merges(how):
    model = fitted(np.array([[3.0, 4.0]]), how)
    assert model.linkage_matrix_.shape == (0, 4)
    assert (model.labels_.tolist(), model.coefficient_, model.n_leaves_) == ([0], 0.0, 1)


# ---- limits


@pytest.mark.parametrize("how", LINKAGES[1:])  # Ward's are among the common tests
@pytest.mark.parametrize("kind", [kind for kind, (_, groups) in DEGENERATE.items() if groups is not None])
def test_degenerate_data_have_a_finite_tree_and_predict_their_labels(how, kind):
    X, groups = DEGENERATE[kind]
    model, warned = quietly(fitted, X, how, 2)
    assert np.isfinite(model.distances_).all()
    assert not [str(w.message) for w in warned if issubclass(w.category, RuntimeWarning)]
    np.testing.assert_array_equal(quietly(model.predict, X)[0], model.labels_)
    assert not isinstance(groups, np.ndarray) or same_partition(model.labels_, groups)


@pytest.mark.parametrize("how", ["ward", "centroid", "median"])
def test_linkages_by_centers_want_straight_lines(how):
    with pytest.raises(InputError, match="needs metric='euclidean', got 'manhattan'"):
        fitted(random_rows(1), how, metric="manhattan")


@pytest.mark.parametrize("how", ["complete", "average", "weighted"])
def test_what_does_not_fit_is_refused_with_the_figure_before_it_is_allocated(how, monkeypatch):
    monkeypatch.setattr(_agglomerative_distances, "free_bytes", lambda: 2.0**20)
    X = np.random.default_rng(0).normal(size=(3000, 2))
    with pytest.raises(ResourceError, match=r"4498500 distances.*0\.0 GiB.*linkage='ward'"):
        fitted(X, how)
    assert fitted(X, "ward", 2).n_clusters_ == 2
    if how != "weighted":
        assert fitted(X, how, 2, connectivity=5).n_clusters_ == 2


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        pytest.param(np.ones((4, 3)), "square", id="not square"),
        pytest.param(np.ones((3, 3)), "diagonal", id="diagonal"),
        pytest.param(np.eye(3) - 1.0, "negative", id="negative"),
        pytest.param(np.triu(np.ones((3, 3)), 1), "symmetric", id="one half"),
    ],
)
def test_a_matrix_that_holds_no_distances_is_refused(matrix, says):
    with pytest.raises(InputError, match=says):
        fitted(matrix, "average", metric="precomputed")


@every_linkage
def test_the_tree_is_the_same_on_any_number_of_threads(how):
    X = np.random.default_rng(0).normal(size=(3000, 3))
    with threads(1):
        one = fitted(X, how).linkage_matrix_
    with threads(4):
        np.testing.assert_array_equal(fitted(X, how).linkage_matrix_, one)


@pytest.mark.parametrize(("how", "connectivity"), [*((how, None) for how in LINKAGES), *((how, 5) for how in ALONG)])
def test_tensors_give_the_tree_and_the_labels_of_arrays(how, connectivity):
    torch = pytest.importorskip("torch", reason="the second engine is PyTorch's")
    X = np.random.default_rng(2).normal(size=(120, 3))
    array = fitted(X, how, 4, connectivity=connectivity)
    model = fitted(torch.from_numpy(X), how, 4, connectivity=connectivity)
    assert isinstance(model.labels_, torch.Tensor)
    np.testing.assert_array_equal(model.labels_.numpy(), array.labels_)
    np.testing.assert_array_equal(model.children_, array.children_)
    np.testing.assert_allclose(model.distances_, array.distances_, rtol=1e-12)
    assert torch.equal(model.predict(torch.from_numpy(X)), model.labels_)


@pytest.mark.parametrize("how", ["ward", "centroid", "median", "single"])
def test_rows_in_another_order_give_the_same_heights(how):
    X = np.random.default_rng(1).normal(size=(400, 4))
    order = np.random.default_rng(2).permutation(400)
    np.testing.assert_allclose(fitted(X[order], how).distances_, fitted(X, how).distances_, rtol=1e-12)


@every_linkage
@pytest.mark.parametrize("factor", [2.0**-1000, 2.0**960])
def test_the_unit_of_the_rows_scales_the_heights(how, factor):
    X = random_rows(13)
    X -= X.mean(axis=0)
    np.testing.assert_allclose(fitted(X * factor, how).distances_ / factor, fitted(X, how).distances_, rtol=1e-12)
