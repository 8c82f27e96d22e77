"""Population: no cluster below the least size, none above the greatest, for any clusterer, and new rows follow the same rule."""

import warnings

import numpy as np
import pytest
from sklearn import cluster as theirs
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.estimator_checks import parametrize_with_checks

import coterie
from common.cases import scatter
from coterie import DBSCAN, HDBSCAN, KMeans, Population
from coterie.catalog import CATALOG
from coterie.errors import InputError, UnsupportedError
from coterie.study.divide import divide, part_of

CLUSTERERS = {
    "KMeans": KMeans(12, random_state=0),
    "HDBSCAN": HDBSCAN(min_cluster_size=5),
    "DBSCAN": DBSCAN(eps=0.8, min_samples=3),
    "scikit-learn's KMeans": theirs.KMeans(12, random_state=0, n_init=1),
    "scikit-learn's Ward": theirs.AgglomerativeClustering(15),
    "scikit-learn's DBSCAN": theirs.DBSCAN(eps=0.8, min_samples=3),
}
SMALL = ("merge", "noise", "split", "keep")
every_clusterer = pytest.mark.parametrize("name", CLUSTERERS)
every_small = pytest.mark.parametrize("small", SMALL)


def fitted(*arguments, X=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Population(*arguments, **options).fit(scatter() if X is None else X)


@parametrize_with_checks(
    [
        Population(KMeans(3, random_state=0)),
        Population(KMeans(3, random_state=0), 0.1, 0.5, outliers="nearest"),
        Population(theirs.AgglomerativeClustering(3), small="split"),
    ]
)
def test_passes_the_check_of_scikit_learn(estimator, check):
    assert check(estimator) is None


@every_clusterer
@every_small
@pytest.mark.parametrize("outliers", ["keep", "nearest"])
@pytest.mark.parametrize("max_size", [None, 0.3])
def test_predict_repeats_the_labels_and_sizes_are_kept(name, small, outliers, max_size):
    model = fitted(CLUSTERERS[name], 0.1, max_size, small=small, outliers=outliers)
    np.testing.assert_array_equal(model.predict(scatter()), model.labels_)
    labels = model.labels_
    sizes = np.bincount(labels[labels >= 0])
    assert model.report_["sizes_after"] == sizes.tolist()
    assert model.report_["noise_after"] == int((labels == -1).sum())
    if small != "keep":
        assert sizes.min() >= 24
        assert model.report_["satisfied"]
    if max_size is not None:
        assert sizes.max() <= 72
    found, first = np.unique(labels[labels >= 0], return_index=True)
    assert found.tolist() == list(range(len(found)))
    assert (np.diff(first) > 0).all()


@every_clusterer
def test_a_row_gets_the_same_label_alone_and_among_others(name):
    model = fitted(CLUSTERERS[name], 0.1, 0.3, outliers="nearest")
    new = scatter() + 0.03
    alone = np.concatenate([model.predict(row[None]) for row in new[:60]])
    np.testing.assert_array_equal(alone, model.predict(new)[:60])


def test_the_smallest_joins_where_the_squares_rise_least():
    # Of the two neighbours of the small group the nearer one is the larger: Ward's rise prefers the smaller.
    X = np.r_[np.zeros((50, 1)), np.full((3, 1), 10.0), np.full((12, 1), 21.0)]
    model = fitted(theirs.KMeans(3, n_init=1, init=[[0.0], [10.0], [21.0]]), 5, X=X)
    rise = {0: 50 * 3 / 53 * 100, 2: 3 * 12 / 15 * 121}
    assert min(rise, key=rise.get) == model.report_["actions"][0]["into"]
    assert sorted(model.report_["sizes_after"]) == sorted([50, 15] if rise[2] < rise[0] else [53, 12])


def test_small_clusters_that_are_set_aside_are_noise_for_new_rows_too():
    X = np.r_[np.zeros((20, 1)), np.full((2, 1), 9.0)] + np.linspace(0, 0.1, 22)[:, None]
    model = fitted(KMeans(2, random_state=0), 5, small="noise", X=X)
    assert set(model.labels_[20:].tolist()) == {-1}
    assert model.predict([[9.3], [0.0]]).tolist() == [-1, 0]


def test_the_rows_of_a_dissolved_cluster_go_each_to_the_nearest():
    X = np.array([[0.0], [0.1], [0.2], [4.0], [6.0], [9.8], [9.9], [10.0]])
    labels = Given([0, 0, 0, 1, 1, 2, 2, 2])
    model = fitted(labels, 3, small="split", X=X)
    assert model.labels_.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert model.predict([[4.9], [5.1]]).tolist() == [0, 1]


def test_outliers_count_before_clusters_are_judged():
    X = np.array([[0.0], [0.1], [0.3], [5.0], [5.1], [5.2]])
    model = fitted(Given([0, 0, -1, 1, 1, 1]), 3, outliers="nearest", X=X)
    assert model.labels_.tolist() == [0, 0, 0, 1, 1, 1]
    assert [action["action"] for action in model.report_["actions"]] == ["sent to the nearest"]


class Given(ClusterMixin, BaseEstimator):
    """A clusterer with given labels and no predict."""

    def __init__(self, labels=()):
        self.labels = labels

    def fit(self, X, y=None):
        self.labels_ = np.array(self.labels)
        return self


# ---- what cannot be


def test_one_cluster_below_the_size_is_reported_with_a_remedy():
    X = np.arange(40.0)[:, None]
    with pytest.warns(UserWarning, match=r"1 of 1 clusters still have fewer than 20 rows; .*outliers='nearest'"):
        model = Population(Given([0] * 4 + [-1] * 36), 0.5).fit(X)
    assert not model.report_["satisfied"]
    assert model.labels_.tolist() == [0] * 4 + [-1] * 36


def test_no_cluster_at_all_is_reported_with_a_remedy():
    with pytest.warns(UserWarning, match="no cluster"):
        model = Population(Given([-1] * 40)).fit(np.arange(40.0)[:, None])
    assert set(model.labels_.tolist()) == {-1}


def test_clusters_that_are_all_small_become_one_not_none():
    X = np.arange(30.0)[:, None]
    labels = np.repeat(np.arange(10), 3).tolist()
    for small in ("merge", "split"):
        assert fitted(Given(labels), 20, small=small, X=X).report_["sizes_after"] == [30]


def test_equal_rows_stay_together_and_that_is_said():
    X = np.r_[np.zeros((30, 2)), np.eye(2)[np.arange(10) % 2] + np.arange(10)[:, None]]
    with pytest.warns(UserWarning, match="equal rows stay together"):
        model = Population(KMeans(1, random_state=0), 5, 12).fit(X)
    assert len(set(model.labels_[:30].tolist())) == 1
    assert model.predict(X).tolist() == model.labels_.tolist()


@pytest.mark.parametrize(
    ("sizes", "says"), [((0.4, 0.5), "twice"), ((400, None), "n_samples=240"), ((10, 15), "twice")]
)
def test_sizes_that_cannot_be_kept_are_refused(sizes, says):
    with pytest.raises(InputError, match=says):
        Population(KMeans(3), *sizes).fit(scatter())


@pytest.mark.parametrize("min_size", [0, 1.0, -0.1, 0.0, 1.5, "five"])
def test_a_size_is_a_number_of_rows_or_a_share(min_size):
    with pytest.raises(ValueError, match="min_size"):
        Population(KMeans(3), min_size).fit(scatter())


def test_distances_instead_of_rows_are_refused():
    with pytest.raises(UnsupportedError, match="distances"):
        Population(DBSCAN(metric="precomputed")).fit(np.zeros((5, 5)))


# ---- the report


def test_the_objective_is_that_of_the_clusterer_before_and_of_the_result_after():
    model = fitted(KMeans(12, random_state=0), 0.1)
    found = model.report_["objective"]
    X, labels = scatter(), model.labels_
    after = sum(((X[labels == c] - X[labels == c].mean(axis=0)) ** 2).sum() for c in np.unique(labels))
    assert found["inertia_before"] == pytest.approx(model.clusterer_.inertia_)
    assert found["within_before"] == pytest.approx(model.clusterer_.inertia_, rel=1e-6)
    assert found["within_after"] == pytest.approx(after)
    assert found["inertia_after"] == pytest.approx(after)
    assert found["within_after"] > found["within_before"]


def test_the_report_says_who_joined_whom():
    report = fitted(KMeans(12, random_state=0), 0.1).report_
    merged = [action for action in report["actions"] if action["action"] == "merged"]
    assert len(merged) == len(report["sizes_before"]) - len(report["sizes_after"])
    assert all(action["rows"] < report["min_rows"] for action in merged)
    assert report["sentence"].endswith("rows.")


def test_the_clusterer_given_is_not_fitted():
    clusterer = KMeans(3, random_state=0)
    fitted(clusterer)
    assert not hasattr(clusterer, "labels_")


def test_more_arguments_of_fit_reach_the_clusterer():
    weight = np.where(np.arange(240) < 120, 5.0, 1.0)
    model = Population(KMeans(4, random_state=0)).fit(scatter(), sample_weight=weight)
    expected = KMeans(4, random_state=0).fit(scatter(), sample_weight=weight)
    np.testing.assert_allclose(model.clusterer_.cluster_centers_, expected.cluster_centers_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_far_from_zero_and_in_single_precision_sizes_hold(dtype, offset):
    X = (scatter() + offset).astype(dtype)
    model = fitted(KMeans(12, random_state=0), 0.1, 0.3, X=X)
    assert model.report_["satisfied"]
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_tensors_come_back_as_tensors():
    torch = pytest.importorskip("torch", reason="the second engine is PyTorch's")
    X = torch.from_numpy(scatter().copy())
    model = fitted(KMeans(12, random_state=0), 0.1, X=X)
    assert isinstance(model.labels_, torch.Tensor)
    assert torch.equal(model.predict(X), model.labels_)


# ---- dividing


@pytest.mark.parametrize("seed", range(12))
def test_parts_have_the_sizes_asked_for_and_are_as_few_as_can_be(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(20, 400))
    least = int(random.integers(1, n // 4 + 1))
    most = int(random.integers(2 * least - 1, max(2 * least, n // 2) + 1))
    X = random.normal(size=(n, int(random.integers(1, 6))))
    cuts, parts = divide(X, least, most)
    sizes = np.bincount(parts)
    assert sizes.min() >= least
    assert sizes.max() <= most
    assert len(sizes) == -(-n // most)
    np.testing.assert_array_equal(part_of(X, cuts), parts)


def test_a_cut_goes_through_the_gap():
    X = np.r_[np.random.default_rng(0).normal(0, 0.1, (40, 2)), np.random.default_rng(1).normal(9, 0.1, (60, 2))]
    _, parts = divide(X, 20, 80)
    assert len(set(parts[:40].tolist())) == len(set(parts[40:].tolist())) == 1


# ---- acceptance: ten real sets, five clusterers, no cluster below 5 %

TEN = (
    "fcps/hepta", "fcps/target", "fcps/twodiamonds", "graves/zigzag_noisy", "other/iris",
    "other/square", "uci/ecoli", "uci/glass", "uci/ionosphere", "wut/x2",
)  # fmt: skip
FIVE = {
    "KMeans": {"n_clusters": 20, "random_state": 0},
    "HDBSCAN": {"min_cluster_size": 5},
    "CLARANS": {"n_clusters": 20, "random_state": 0, "num_local": 1},
    "AgglomerativeClustering": {"n_clusters": 20},
    "WaveCluster": {},
}


@pytest.mark.parametrize("data", TEN)
@pytest.mark.parametrize("name", [name for name in FIVE if name in {line.name for line in CATALOG}])
def test_no_cluster_of_real_data_is_below_five_percent(shared_data, data, name):
    X = np.loadtxt(shared_data / "clustering" / f"{data}.data.gz", ndmin=2)[:800]
    model = fitted(getattr(coterie, name)(**FIVE[name]), 0.05, outliers="nearest", X=X)
    sizes = np.array(model.report_["sizes_after"])
    assert sizes.min() >= 0.05 * len(X)
    assert sizes.sum() == len(X)
    assert model.report_["satisfied"]
    assert model.report_["objective"]["within_after"] > 0
    np.testing.assert_array_equal(model.predict(X), model.labels_)
