"""Cluster features: columns by a stated rule, made from the training rows only."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse
from scipy.spatial.distance import cdist
from sklearn import cluster as theirs
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from common.cases import scatter
from coterie import CLIQUE, DBSCAN, HDBSCAN, ClusterFeatures, KMeans, Population
from coterie.errors import InputError, UnsupportedError

KINDS = ("distance", "membership", "one_hot", "outlier")
CLUSTERERS = {
    "KMeans": KMeans(4, random_state=0),
    "KMeans by cosine": KMeans(4, random_state=0, metric="cosine"),
    "HDBSCAN": HDBSCAN(min_cluster_size=8),
    "DBSCAN": DBSCAN(eps=1.0, min_samples=5),
    "CLIQUE": CLIQUE(6, full_space=True, density_threshold=0.03),
    "Population": Population(KMeans(9, random_state=0), 0.1),
    "scikit-learn's KMeans": theirs.KMeans(4, n_init=1, random_state=0),
    "scikit-learn's mixture": GaussianMixture(4, random_state=0),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
every_clusterer = pytest.mark.parametrize("name", CLUSTERERS)


@parametrize_with_checks([ClusterFeatures(KMeans(3, random_state=0), kind) for kind in KINDS])
def test_passes_the_check_of_scikit_learn(estimator, check):
    assert check(estimator) is None


@every_kind
@every_clusterer
def test_every_clusterer_makes_every_kind_of_column(kind, name):
    features = ClusterFeatures(CLUSTERERS[name], kind).fit(scatter())
    columns = features.transform(scatter())
    assert columns.shape == (240, len(features.get_feature_names_out()))
    assert columns.shape[1] == (1 if kind == "outlier" else features.n_clusters_)
    assert np.isfinite(columns).all()
    assert (columns >= 0).all()
    assert len(features.rule_) > 20


@every_kind
def test_only_the_rows_of_fit_are_seen(kind):
    X, new = scatter()[:150], scatter()[150:]
    features = ClusterFeatures(KMeans(4, random_state=0), kind)
    alone = np.concatenate([features.fit(X).transform(row[None]) for row in new[:5]])
    np.testing.assert_allclose(features.transform(new)[:5], alone, rtol=1e-12)
    assert features.clusterer_ is not features.clusterer
    np.testing.assert_array_equal(
        features.clusterer_.cluster_centers_, KMeans(4, random_state=0).fit(X).cluster_centers_
    )


def test_distances_are_those_to_the_centers():
    features = ClusterFeatures(KMeans(4, random_state=0)).fit(scatter())
    expected = cdist(scatter() + 0.5, features.clusterer_.cluster_centers_)
    np.testing.assert_allclose(features.transform(scatter() + 0.5), expected, rtol=1e-9)


def test_without_centers_distances_are_those_to_the_nearest_row():
    features = ClusterFeatures(HDBSCAN(min_cluster_size=8)).fit(scatter())
    labels, new = features.clusterer_.labels_, scatter() + 0.5
    expected = np.column_stack([cdist(new, scatter()[labels == c]).min(axis=1) for c in range(features.n_clusters_)])
    np.testing.assert_allclose(features.transform(new), expected, rtol=1e-9)


def test_another_metric_is_measured_by_the_clusterer():
    features = ClusterFeatures(CLUSTERERS["KMeans by cosine"]).fit(scatter())
    np.testing.assert_allclose(features.transform(scatter()), features.clusterer_.transform(scatter()))


def test_membership_is_that_of_hdbscan():
    features = ClusterFeatures(HDBSCAN(min_cluster_size=8), "membership").fit(scatter())
    columns = features.transform(scatter())
    np.testing.assert_allclose(columns.sum(axis=1), features.clusterer_.probabilities_)
    inside = features.clusterer_.labels_ >= 0
    np.testing.assert_array_equal(columns[inside].argmax(axis=1), features.clusterer_.labels_[inside])


def test_membership_of_a_mixture_is_its_probability():
    features = ClusterFeatures(CLUSTERERS["scikit-learn's mixture"], "membership").fit(scatter())
    np.testing.assert_array_equal(features.transform(scatter()), features.clusterer_.predict_proba(scatter()))


def test_membership_is_one_over_the_squared_distance_else():
    X = np.array([[0.0], [10.0]])
    features = ClusterFeatures(KMeans(2, init=X, n_init=1), "membership").fit(X)
    np.testing.assert_allclose(
        features.transform([[2.0], [0.0], [5.0]]), [[64 / 68, 4 / 68], [1, 0], [0.5, 0.5]], rtol=1e-12
    )


def test_one_hot_is_predict_and_noise_has_no_column():
    features = ClusterFeatures(DBSCAN(eps=1.0, min_samples=5), "one_hot").fit(scatter())
    columns, labels = features.transform(scatter()), features.clusterer_.labels_
    np.testing.assert_array_equal(columns.sum(axis=1), labels >= 0)
    np.testing.assert_array_equal(columns[labels >= 0].argmax(axis=1), labels[labels >= 0])


def test_one_hot_is_sparse_where_it_pays_unless_a_frame_is_asked_for():
    def made(k, **options):
        return ClusterFeatures(KMeans(k, random_state=0), "one_hot", **options)

    assert issparse(made(40).fit_transform(scatter()))
    assert not issparse(made(4).fit_transform(scatter()))
    assert issparse(made(4, sparse_output=True).fit_transform(scatter()))
    assert not issparse(made(40, sparse_output=False).fit_transform(scatter()))
    frame = made(40).set_output(transform="pandas").fit_transform(scatter())
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns)[:2] == ["cluster_0", "cluster_1"]


@pytest.mark.parametrize("name", ["KMeans", "HDBSCAN"])
def test_outliers_score_higher_than_members(name):
    features = ClusterFeatures(CLUSTERERS[name], "outlier").fit(scatter())
    score = features.transform([[0.2, 0.0, 0.0], [3.0, 3.0, 30.0]])[:, 0]
    assert score[0] < 3
    assert score[1] > 5


def test_the_mean_square_of_the_outlier_score_within_a_cluster_is_one():
    X = np.random.default_rng(0).normal(size=(500, 2))
    score = ClusterFeatures(KMeans(1), "outlier").fit(X).transform(X)[:, 0]
    assert (score**2).mean() == pytest.approx(1.0)


def test_a_pipeline_is_scored_by_cross_validation():
    X = scatter()
    y = (np.hypot(X[:, 0], X[:, 1]) < 3).astype(int)
    plain = make_pipeline(StandardScaler(), LogisticRegression())
    more = make_pipeline(
        make_union(StandardScaler(), ClusterFeatures(KMeans(6, random_state=0), "membership")), LogisticRegression()
    )
    assert cross_val_score(more, X, y).mean() > cross_val_score(plain, X, y).mean()


@every_kind
def test_poison_in_the_fold_that_is_held_back_reaches_no_fit(kind):
    """Rows that are held back become huge and all one class: what is learned from the others stays the same to the last bit."""
    X, y = make_blobs(120, 3, centers=4, random_state=3)
    folds = list(KFold(4, shuffle=True, random_state=0).split(X))
    for train, held in folds:
        poisoned, classes = X.copy(), y % 2
        poisoned[held] = 1e6 * (1 + np.arange(len(held)))[:, None]
        classes[held] = 1
        learned = []
        for rows, known in ((X, y % 2), (poisoned, classes)):
            model = make_pipeline(ClusterFeatures(KMeans(4, random_state=0), kind), LogisticRegression())
            found = cross_validate(model, rows, known, cv=[(train, held)], return_estimator=True)["estimator"][0]
            learned.append((found[0].transform(X[train]).tobytes(), found[1].coef_.tobytes()))
        assert learned[0] == learned[1]


def test_frames_are_named():
    X = pd.DataFrame(scatter(), columns=["a", "b", "c"])
    features = ClusterFeatures(KMeans(2, random_state=0)).set_output(transform="pandas")
    assert features.fit_transform(X).columns.tolist() == ["distance_cluster_0", "distance_cluster_1"]
    assert features.feature_names_in_.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("kind", ["distance", "membership", "outlier"])
def test_single_precision_stays_single(kind):
    X = scatter().astype(np.float32)
    assert ClusterFeatures(KMeans(2, random_state=0), kind).fit_transform(X).dtype == np.float32


def test_one_hot_needs_predict_and_says_who_gives_it():
    with pytest.raises(UnsupportedError, match="Population"):
        ClusterFeatures(theirs.DBSCAN(), "one_hot").fit(scatter())
    wrapped = ClusterFeatures(Population(theirs.DBSCAN(eps=1.0), min_size=1), "one_hot").fit(scatter())
    assert wrapped.transform(scatter()).max() == 1


def test_no_cluster_is_refused():
    with pytest.raises(InputError, match="noise"):
        ClusterFeatures(DBSCAN(eps=0.1, min_samples=200)).fit(scatter())


def test_a_missing_value_is_named_with_its_place():
    X = scatter().copy()
    X[7, 1] = np.nan
    with pytest.raises(InputError, match="NaN at row 7, column 1"):
        ClusterFeatures(KMeans(2)).fit(X)
