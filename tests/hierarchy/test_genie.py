"""Genie against its definition in plain loops, the published scores, single linkage, and its own promises."""

import csv
import gzip

import numpy as np
import pytest
from scipy.cluster.hierarchy import cut_tree, dendrogram, is_valid_linkage
from scipy.cluster.hierarchy import linkage as scipy_linkage
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from common.cases import same_partition
from coterie import Genie
from coterie.hierarchy.genie import genie, separation
from coterie.primitives.spanning_tree import mutual_reachability_tree, spanning_tree


def gini(sizes):
    """The paper's formula, pair by pair."""
    m, n = len(sizes), sum(sizes)
    return sum(abs(a - b) for a in sizes for b in sizes) / (2 * (m - 1) * n) if m > 1 else 0.0


def by_definition(tree, n_clusters, threshold):
    """Merge one edge after another, counting everything anew each time."""
    clusters = np.arange(len(tree.weights) + 1)
    edges = list(range(len(tree.weights)))
    while len(np.unique(clusters)) > n_clusters:
        names, sizes = np.unique(clusters, return_counts=True)
        size = dict(zip(names, sizes, strict=True))
        uneven = gini(sizes.tolist()) > threshold
        for edge in edges:
            a, b = clusters[tree.left[edge]], clusters[tree.right[edge]]
            if tree.weights[edge] == 0 or not uneven or sizes.min() in (size[a], size[b]):
                break
        edges.remove(edge)
        clusters[clusters == b] = a
    return clusters


@pytest.mark.parametrize("seed", range(200))
@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.4, 1.0])
def test_clusters_are_those_of_the_definition(seed, threshold):
    random = np.random.default_rng(seed)
    X = random.standard_normal((int(random.integers(5, 60)), int(random.integers(1, 5))))
    if seed % 3 == 0:
        X = X.round(0)  # equal rows, equal distances
    tree = spanning_tree(X) if seed % 2 else mutual_reachability_tree(X, 3)[0]
    k = int(random.integers(1, 5))
    distinct = len(X) - int((tree.weights == 0).sum())
    expected = by_definition(tree, min(k, distinct), threshold)
    assert same_partition(genie(tree, k, threshold).labels, expected)


@pytest.mark.parametrize("threshold", ["0.1", "0.3", "0.5", "0.7", "1.0"])
def test_published_scores_are_met(shared_data, threshold):
    folder = shared_data / "clustering"
    # Sets with neither equal rows nor ties: with these the published labels depend on the order of the rows.
    names = ["fcps/atom", "fcps/hepta", "wut/x1", "wut/mk1", "sipu/jain", "sipu/aggregation", "uci/ecoli",
             "graves/zigzag", "other/square", "uci/glass", "wut/smile"]  # fmt: skip
    with gzip.open(folder / "published_scores.csv.gz", "rt") as file:
        published = {
            (f"{row['battery']}/{row['dataset']}", int(row["labels"])): float(row["ARI"])
            for row in csv.DictReader(file)
            if row["algorithm"] == f"Genie_G{threshold}"
        }
    ours = {}
    for name in names:
        X, k, truth = read(folder, name)
        labels = Genie(k, gini_threshold=float(threshold), min_samples=1).fit(X).labels_
        ours[name] = adjusted_rand_score(truth[truth > 0], labels[truth > 0])
    assert ours == pytest.approx({name: published[name, 0] for name in names}, abs=1e-3)


def test_the_default_is_better_on_real_sets_than_the_published_runs(shared_data):
    folder = shared_data / "clustering"
    names = ["wut/z3", "sipu/aggregation", "other/hdbscan", "fcps/engytime", "uci/ecoli", "sipu/a1", "sipu/d31"]
    published = (0.6601, 0.5741, 0.7144, 0.8383, 0.4585, 0.9023, 0.8983)  # Genie_G0.3
    ours = []
    for name in names:
        X, k, truth = read(folder, name)
        ours.append(adjusted_rand_score(truth[truth > 0], Genie(k).fit(X).labels_[truth > 0]))
    assert np.mean(ours) > np.mean(published) + 0.1
    assert min(np.subtract(ours, published)) > -0.05


def read(folder, name):
    """Return rows, the number of clusters and the first reference labels (0: noise)."""
    truth = np.loadtxt(folder / f"{name}.labels0.gz", dtype=int)
    return np.loadtxt(folder / f"{name}.data.gz", ndmin=2), int(truth.max()), truth


@pytest.mark.parametrize("seed", range(5))
def test_threshold_one_is_single_linkage(seed):
    X = np.random.default_rng(seed).standard_normal((80, 3))
    model = Genie(4, gini_threshold=1.0, min_samples=1).fit(X)
    expected = scipy_linkage(X, "single")
    np.testing.assert_allclose(model.linkage_matrix_[:, 2:], expected[:, 2:], rtol=1e-12)
    assert same_partition(model.labels_, cut_tree(expected, 4)[:, 0])


@pytest.mark.parametrize("k", [1, 2, 5, 30])
def test_scipy_cuts_and_draws_the_tree(k):
    X = np.random.default_rng(k).standard_normal((60, 2))
    model = Genie(k).fit(X)
    assert is_valid_linkage(model.linkage_matrix_)
    assert (np.diff(model.linkage_matrix_[:, 2]) >= 0).all()
    assert same_partition(cut_tree(model.linkage_matrix_, k)[:, 0], model.labels_)
    assert sorted(dendrogram(model.linkage_matrix_, no_plot=True)["leaves"]) == list(range(60))


@pytest.mark.parametrize("k", [1, 3, 9])
@pytest.mark.parametrize("repeats", [1, 4])
def test_the_tree_is_cut_elsewhere_as_a_fit_would(k, repeats):
    X = np.repeat(np.random.default_rng(k).standard_normal((50, 2)), repeats, axis=0)
    model = Genie(4).fit(X)
    again = Genie(k, gini_threshold=model.gini_threshold_).fit(X)
    np.testing.assert_array_equal(model.cut(k), again.labels_)
    height = model.linkage_matrix_[-4, 2]
    np.testing.assert_array_equal(model.cut(height=height), model.cut(4))


def test_a_cut_needs_one_place_and_as_many_rows():
    model = Genie(2).fit([[0.0], [0.0], [1.0], [5.0]])
    with pytest.raises(ValueError, match="either"):
        model.cut(2, height=1.0)
    with pytest.raises(ValueError, match=r"n_samples=4.*n_clusters=9"):
        model.cut(9)
    with pytest.warns(ConvergenceWarning, match="3 distinct rows"):
        assert model.cut(4).tolist() == [0, 0, 1, 2]


def test_an_outlier_takes_no_cluster():
    X = np.r_[np.linspace(0, 1, 20), np.linspace(5, 6, 20), [100.0]][:, None]
    labels = Genie(2).fit(X).labels_
    assert len(set(labels[:20])) == len(set(labels[20:])) == 1
    assert labels[0] != labels[20]


def test_the_threshold_found_is_the_one_of_the_best_separation():
    X = np.random.default_rng(4).standard_normal((200, 2)) * [3, 1]
    model = Genie(3, min_samples=1).fit(X)
    tree = spanning_tree(X)
    found = {t / 10: separation(genie(tree, 3, t / 10)) for t in range(1, 8)}
    assert model.gini_threshold_ == max(found, key=found.get)
    again = Genie(3, min_samples=1, gini_threshold=model.gini_threshold_).fit(X)
    np.testing.assert_array_equal(model.labels_, again.labels_)


def test_separation_is_the_mean_cut_edge_times_the_evenness():
    tree = spanning_tree(np.array([[0.0], [1.0], [2.0], [5.0], [6.0], [20.0]]))
    merged = genie(tree, 3, 1.0)
    assert merged.labels.tolist() == [0, 0, 0, 1, 1, 2]
    assert np.exp(separation(merged)) == pytest.approx(np.sqrt(3.0 * 14.0) * (1 - gini([3, 2, 1])))


@pytest.mark.parametrize("min_samples", [1, 2, 5, 100])
def test_equal_rows_stay_together_and_keep_their_labels_in_predict(min_samples):
    random = np.random.default_rng(1)
    X = random.standard_normal((40, 2))[random.integers(40, size=300)]
    model = Genie(6, min_samples=min_samples).fit(X)
    _, same = np.unique(X, axis=0, return_inverse=True)
    for row in range(300):
        assert set(model.labels_[same == same[row]]) == {model.labels_[row]}
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_fewer_distinct_rows_than_clusters_are_a_cluster_each_with_a_warning():
    with pytest.warns(ConvergenceWarning, match="2 distinct rows for n_clusters=3"):
        labels = Genie(3).fit([[0.0], [0.0], [1.0], [1.0]]).labels_
    assert labels.tolist() == [0, 0, 1, 1]


def test_no_row_becomes_noise_whatever_min_samples():
    X = np.r_[np.random.default_rng(0).standard_normal((50, 2)), [[50.0, 50.0]]]
    assert Genie(2, min_samples=20).fit(X).labels_.min() == 0


@pytest.mark.parametrize("parameter", [{"gini_threshold": 1.5}, {"gini_threshold": "best"}, {"min_samples": 0}])
def test_parameters_out_of_range_are_refused(parameter):
    with pytest.raises(ValueError, match=next(iter(parameter))):
        Genie(2, **parameter).fit(np.eye(5))


def test_a_tensor_gives_the_labels_of_its_array():
    torch = pytest.importorskip("torch", reason="the second engine is PyTorch's")
    X = np.random.default_rng(2).standard_normal((300, 3))
    model = Genie(4).fit(torch.from_numpy(X))
    np.testing.assert_array_equal(model.labels_.numpy(), Genie(4).fit(X).labels_)
    assert torch.equal(model.predict(torch.from_numpy(X)), model.labels_)
