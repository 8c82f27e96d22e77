"""Agreement with known classes against scikit-learn, brute force and published figures."""

import itertools

import numpy as np
import pytest
import sklearn.metrics

from coterie import metrics
from coterie.errors import InputError
from coterie.metrics import of_table

SKLEARN = [
    "adjusted_rand_score",
    "adjusted_mutual_info_score",
    "normalized_mutual_info_score",
    "homogeneity_score",
    "completeness_score",
    "v_measure_score",
    "fowlkes_mallows_score",
]


@pytest.mark.parametrize("name", SKLEARN)
@pytest.mark.parametrize("seed", range(200))
def test_scores_equal_those_of_scikit_learn(name, seed):
    rng = np.random.default_rng(seed)
    n = rng.integers(2, 60)
    a, b = rng.integers(0, rng.integers(1, 6), n), rng.integers(-1, rng.integers(0, 5), n)
    assert getattr(metrics, name)(a, b) == pytest.approx(getattr(sklearn.metrics, name)(a, b), abs=1e-12)


@pytest.mark.parametrize("name", [*SKLEARN[:-1], "pair_f1_score"])
@pytest.mark.parametrize(("a", "b"), [([0, 0], [5, 5]), ([0, 1, 2], [2, 0, 1]), ([], []), ([0], [3])])
def test_equal_partitions_score_one(name, a, b):
    assert getattr(metrics, name)(a, b) == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_pair_f1_counts_ordered_pairs_and_each_row_with_itself(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(-1, 3, 30), rng.integers(-1, 4, 30)
    first, second = a[:, None] == a, b[:, None] == b
    both = (first & second).sum()
    precision, recall = both / second.sum(), both / first.sum()
    assert metrics.pair_f1_score(a, b) == pytest.approx(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize("seed", range(5))
def test_accuracies_equal_the_best_of_all_matchings(seed):
    rng = np.random.default_rng(seed)
    truth, found = rng.integers(0, 4, 50), rng.integers(0, 4, 50)
    table = metrics.contingency_table(truth, found)[0]
    matchings = [table[np.arange(4), list(p)] for p in itertools.permutations(range(4))]
    assert metrics.clustering_accuracy(truth, found) == pytest.approx(max(m.sum() for m in matchings) / 50)
    best = max((m / table.sum(axis=1)).mean() for m in matchings)
    assert metrics.normalized_clustering_accuracy(truth, found) == pytest.approx((best - 0.25) / 0.75)


@pytest.mark.parametrize(("found", "expected"), [([0] * 6, 0.0), ([0, 1, 2, 3, 4, 5], 0.25), ([0, 0, 1, 1, 0, 1], 0.5)])
def test_classes_without_a_cluster_and_clusters_without_a_class_count_nothing(found, expected):
    # Three classes of two rows; by hand: shares 1, then three halves, then two whole ones.
    assert metrics.normalized_clustering_accuracy([0, 0, 1, 1, 2, 2], found) == pytest.approx(expected)


def test_normalised_accuracy_counts_small_classes_as_much_as_large_ones():
    truth, found = [0] * 98 + [1, 1], [0] * 100
    assert metrics.clustering_accuracy(truth, found) == 0.98
    assert metrics.normalized_clustering_accuracy(truth, found) == 0.0


@pytest.mark.parametrize("labels", [[3, -1, 3, 10**9], [-5, -5, 7, 0], [True, False, True, True], ["b", "a", "b", "c"]])
def test_any_labels_are_numbered_in_ascending_order(labels):
    table, classes, clusters = metrics.contingency_table(labels, labels)
    names, counts = np.unique(labels, return_counts=True)
    assert classes.tolist() == clusters.tolist() == names.tolist()
    np.testing.assert_array_equal(table, np.diag(counts))


def test_tensors_and_frames_are_labellings_too():
    pandas, torch = pytest.importorskip("pandas"), pytest.importorskip("torch")
    a, b = [0, 0, 1, 2], [1, 1, 1, 0]
    assert metrics.adjusted_rand_score(torch.tensor(a), pandas.Series(b)) == metrics.adjusted_rand_score(a, b)


def test_labellings_of_different_rows_are_refused():
    with pytest.raises(InputError, match="equal length"):
        metrics.adjusted_rand_score([0, 1], [0, 1, 1])


def test_chance_of_many_rows_from_a_series_is_that_of_all_counts(monkeypatch):
    table = np.array([[40_000, 21_000, 9_000], [20_000, 61_000, 30_000]])
    found, cell = of_table.adjusted_mutual_info_of(table), of_table._of_cell(60_000, 500_000, 1_000_000)
    monkeypatch.setattr(of_table, "_MANY", np.inf)
    assert found == pytest.approx(of_table.adjusted_mutual_info_of(table), abs=1e-12)
    assert cell == pytest.approx(of_table._of_cell(60_000, 500_000, 1_000_000), rel=1e-7)


def test_a_table_of_a_billion_rows_takes_no_time():
    table = np.array([[400_000_000, 100_000_000], [1_000_000, 499_000_000]])
    small = of_table.adjusted_mutual_info_of(table // 100_000)
    assert of_table.adjusted_mutual_info_of(table) == pytest.approx(small, abs=1e-3)
