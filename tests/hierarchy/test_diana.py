"""DIANA against its definition in plain loops, a published example, and by its promises."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import dendrogram, is_valid_linkage
from scipy.spatial.distance import cdist, pdist, squareform
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from coterie import DIANA
from coterie.errors import InputError, ResourceError
from coterie.hierarchy import _agglomerative_distances
from coterie.hierarchy.diana import diana
from hierarchy.greedy import partitions

ROUNDING = 1e-12  # of the diameter


def by_definition(D):
    """Return (diameter, rows that stay, rows that leave) of each split, every sum anew; the largest diameter first."""
    clusters, splits = [list(range(len(D)))], []
    while clusters:
        cluster = max(clusters, key=lambda rows: (D[np.ix_(rows, rows)].max(), -rows[0]))
        clusters.remove(cluster)
        if len(cluster) == 1:
            continue
        stay, gone = list(cluster), []
        diameter = D[np.ix_(cluster, cluster)].max()
        gone.append(stay.pop(int(np.argmax([D[i, cluster].sum() for i in cluster]))))
        while len(stay) > 1:
            gain = [D[i, stay].sum() / (len(stay) - 1) - D[i, gone].mean() for i in stay]
            if max(gain) <= ROUNDING * diameter:
                break
            gone.append(stay.pop(int(np.argmax(gain))))
        splits.append((diameter, frozenset(stay), frozenset(gone)))
        clusters += [stay, sorted(gone)]
    return splits


def splits_of(tree):
    """Return the two parts of each split of a SciPy hierarchy."""
    sets = [frozenset([i]) for i in range(len(tree) + 1)]
    for line in tree:
        sets.append(sets[int(line[0])] | sets[int(line[1])])
    return {frozenset((sets[int(line[0])], sets[int(line[1])])) for line in tree}


def test_splits_are_those_of_the_definition_on_two_hundred_random_inputs():
    differ = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        X = random.normal(size=(int(random.integers(2, 45)), int(random.integers(1, 5))))
        D = squareform(pdist(X))
        tree, expected = diana(D), by_definition(D)
        heights = np.allclose(tree[::-1, 2], sorted((split[0] for split in expected), reverse=True))
        if not heights or splits_of(tree) != {frozenset(split[1:]) for split in expected}:
            differ.append(seed)
    assert differ == []


@pytest.mark.parametrize("name", ["fcps/hepta", "fcps/tetra", "other/iris", "graves/ring"])
def test_splits_are_those_of_the_definition_on_real_data(shared_data, name):
    X = np.unique(np.loadtxt(shared_data / "clustering" / f"{name}.data.gz", ndmin=2), axis=0)
    X = X[np.random.default_rng(0).permutation(len(X))[:120]]
    D = squareform(pdist(X + np.random.default_rng(1).normal(size=X.shape) * 1e-6))
    assert splits_of(diana(D)) == {frozenset(split[1:]) for split in by_definition(D)}


def test_the_textbook_example_has_its_published_figures():
    # Kaufman and Rousseeuw (1990), agriculture in the European Union; the figures are those of R's cluster::diana.
    countries = np.array(
        [[16.8, 2.7], [21.3, 5.7], [18.7, 3.5], [5.9, 22.2], [11.4, 10.9], [17.8, 6.0], [10.9, 14.0], [16.6, 8.5],
         [21.0, 3.5], [16.4, 4.3], [7.8, 17.4], [14.0, 2.3]]
    )  # fmt: skip
    model = DIANA(2).fit(countries)
    assert model.coefficient_ == pytest.approx(0.8711061, abs=1e-6)
    assert model.distances_[-1] == pytest.approx(24.035, abs=1e-3)
    # Greece, Spain, Ireland and Portugal against the rest.
    assert np.flatnonzero(model.labels_ == 1).tolist() == [3, 4, 6, 10]


def test_a_line_of_four_is_split_by_hand():
    # Sums: 0: 18, 1: 15, 4: 12, 9: 22, so 9 leaves; 4 is 3.5 from the rest and 5 from 9: it stays. Then 4 leaves.
    model = DIANA(3).fit(np.array([[0.0], [1.0], [4.0], [9.0]]))
    assert model.labels_.tolist() == [0, 0, 1, 2]
    assert model.distances_.tolist() == [1.0, 4.0, 9.0]


def test_heights_are_diameters():
    X = np.random.default_rng(3).normal(size=(80, 3))
    model, D = DIANA(2).fit(X), squareform(pdist(X))
    found = sorted(D[np.ix_(list(rows), list(rows))].max() for rows in partitions(model.linkage_matrix_))
    np.testing.assert_allclose(model.distances_, found)


def test_scipy_accepts_and_draws_the_tree():
    model = DIANA(2).fit(np.random.default_rng(0).normal(size=(50, 2)))
    assert is_valid_linkage(model.linkage_matrix_)
    assert len(dendrogram(model.linkage_matrix_, no_plot=True)["leaves"]) == 50


@pytest.mark.parametrize("metric", ["manhattan", "cosine", "chebyshev"])
def test_other_metrics_are_as_good_as_their_matrix(metric):
    X = np.random.default_rng(5).normal(size=(60, 3))
    name = {"manhattan": "cityblock"}.get(metric, metric)
    ours, matrix = DIANA(4, metric=metric).fit(X), DIANA(4, metric="precomputed").fit(cdist(X, X, name).round(12))
    np.testing.assert_array_equal(ours.labels_, matrix.labels_)
    np.testing.assert_allclose(ours.distances_, matrix.distances_, atol=1e-11)
    np.testing.assert_array_equal(ours.predict(X), ours.labels_)


def test_precomputed_distances_stay_as_they_are_and_predict():
    X = np.random.default_rng(6).normal(size=(60, 2))
    D = squareform(pdist(X))
    before = D.copy()
    model = DIANA(5, metric="precomputed").fit(D)
    np.testing.assert_array_equal(model.labels_, DIANA(5).fit(X).labels_)
    np.testing.assert_array_equal(model.predict(D), model.labels_)
    np.testing.assert_array_equal(D, before)


@pytest.mark.parametrize("seed", range(20))
def test_equal_rows_are_never_parted(seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(9, 2))[random.integers(9, size=60)]
    distinct, group = np.unique(X, axis=0, return_inverse=True)
    model = DIANA(len(distinct)).fit(X)
    assert adjusted_rand_score(model.labels_, group.ravel()) == 1.0
    for k in range(2, len(distinct)):
        labels = model.cut(k)
        assert len(set(zip(group.ravel().tolist(), labels.tolist(), strict=True))) == len(distinct)


def test_more_clusters_than_distinct_rows_give_as_many_and_a_warning():
    with pytest.warns(ConvergenceWarning, match="2 distinct rows for n_clusters=3"):
        model = DIANA(3).fit(np.repeat([[0.0], [1.0]], 4, axis=0))
    assert model.labels_.tolist() == [0] * 4 + [1] * 4


def test_rows_that_are_all_equally_far_are_split_off_in_their_order():
    model = DIANA(3).fit(np.eye(5))
    assert model.labels_.tolist() == [0, 1, 2, 2, 2]
    np.testing.assert_allclose(model.distances_, np.sqrt(2.0))


def test_a_cut_by_height_bounds_the_diameters():
    X = np.random.default_rng(8).normal(size=(120, 2))
    model = DIANA(2).fit(X)
    labels = model.cut(height=1.5)
    assert max(pdist(X[labels == k]).max(initial=0.0) for k in range(labels.max() + 1)) <= 1.5
    assert labels.max() > 3


def test_what_does_not_fit_is_refused_with_the_figure(monkeypatch):
    monkeypatch.setattr(_agglomerative_distances, "free_bytes", lambda: 1e6)
    with pytest.raises(ResourceError, match=r"1000000 distances.*BisectingKMeans"):
        DIANA(2).fit(np.zeros((1000, 1)))


def test_a_matrix_with_twins_that_are_far_apart_ends_all_the_same():
    # No metric: two rows at distance 0 of a third one, but not of each other.
    D = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 5.0], [0.0, 5.0, 0.0]])
    assert DIANA(2, metric="precomputed").fit(D).distances_.max() == 5.0


def test_more_clusters_than_rows_are_refused():
    with pytest.raises(InputError, match="n_samples=3 should be >= n_clusters=4"):
        DIANA(4).fit(np.eye(3))


def test_tensors_give_the_labels_of_arrays():
    torch = pytest.importorskip("torch", reason="the second engine is PyTorch's")
    X = np.random.default_rng(2).normal(size=(90, 3))
    model = DIANA(5).fit(torch.from_numpy(X))
    assert isinstance(model.labels_, torch.Tensor)
    np.testing.assert_array_equal(model.labels_.numpy(), DIANA(5).fit(X).labels_)
    assert torch.equal(model.predict(torch.from_numpy(X)), model.labels_)
