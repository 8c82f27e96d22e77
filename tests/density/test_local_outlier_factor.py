"""The local outlier factor against scikit-learn, a worked example and the definition."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import pairwise_distances, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor as Theirs
from sklearn.utils.estimator_checks import parametrize_with_checks

import coterie
from coterie import LocalOutlierFactor
from coterie.errors import InputError
from coterie.primitives.engine import threads


# Some checks give a handful of rows, and are not about the advice that this brings.
@pytest.mark.filterwarnings("ignore:n_neighbors")
@parametrize_with_checks([LocalOutlierFactor(), LocalOutlierFactor(novelty=True)])
def test_passes_the_check_of_scikit_learn(estimator, check):
    assert check(estimator) is None  # a check raises where it fails


@pytest.mark.filterwarnings("ignore:n_neighbors")
@pytest.mark.parametrize("seed", range(200))
def test_factors_are_scikit_learns(seed):
    random = np.random.default_rng(seed)
    n, d, k = int(random.integers(5, 200)), int(random.integers(1, 6)), int(random.integers(1, 25))
    X, queries = random.normal(size=(n, d)), random.normal(size=(9, d))
    ours, theirs = (kind(n_neighbors=k, novelty=True).fit(X) for kind in (LocalOutlierFactor, Theirs))
    np.testing.assert_allclose(ours.negative_outlier_factor_, theirs.negative_outlier_factor_, rtol=1e-12)
    np.testing.assert_allclose(ours.score_samples(queries), theirs.score_samples(queries), rtol=1e-12)
    np.testing.assert_array_equal(ours.predict(queries), theirs.predict(queries))
    share = {"n_neighbors": k, "contamination": 0.1}
    np.testing.assert_array_equal(LocalOutlierFactor(**share).fit_predict(X), Theirs(**share).fit_predict(X))


def by_definition(X, k):
    distances = np.sqrt(((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2))
    np.fill_diagonal(distances, np.inf)
    near = np.argsort(distances, axis=1, kind="stable")[:, :k]
    straight = np.take_along_axis(distances, near, axis=1)
    density = 1.0 / (np.maximum(straight, straight[:, -1][near]).mean(axis=1) + 1e-10)
    return density[near].mean(axis=1) / density


@pytest.mark.filterwarnings("ignore:more than 6 rows coincide")
@pytest.mark.parametrize("seed", range(20))
def test_ties_go_to_the_lowest_rows(seed):
    X = np.random.default_rng(seed).integers(0, 5, size=(70, 2)).astype(float)
    model = LocalOutlierFactor(n_neighbors=6).fit(X)
    np.testing.assert_allclose(-model.negative_outlier_factor_, by_definition(X, 6), rtol=1e-9)


@pytest.mark.parametrize("metric", ["manhattan", "chebyshev", "cosine", "precomputed"])
def test_other_metrics_are_scikit_learns(metric):
    random = np.random.default_rng(3)
    X, queries = random.normal(size=(120, 4)), random.normal(size=(15, 4))
    if metric == "precomputed":
        X, queries = pairwise_distances(X), pairwise_distances(queries, X)
    ours, theirs = (kind(8, metric=metric, novelty=True).fit(X) for kind in (LocalOutlierFactor, _theirs))
    np.testing.assert_allclose(ours.negative_outlier_factor_, theirs.negative_outlier_factor_, rtol=1e-9)
    np.testing.assert_allclose(ours.score_samples(queries), theirs.score_samples(queries), rtol=1e-9)


def _theirs(n_neighbors, **parameters):
    return Theirs(n_neighbors=n_neighbors, **parameters)


def test_sparse_rows_are_dense_rows():
    X = np.random.default_rng(0).normal(size=(60, 8)) * (np.random.default_rng(1).random((60, 8)) < 0.5)
    dense, sparse = LocalOutlierFactor(5).fit(X), LocalOutlierFactor(5).fit(csr_array(X))
    np.testing.assert_allclose(sparse.negative_outlier_factor_, dense.negative_outlier_factor_, rtol=1e-9)


def test_strays_are_found_beside_groups_of_different_densities():
    random = np.random.default_rng(0)
    X = np.concatenate(
        [random.normal(size=(300, 2)), 0.05 * random.normal(size=(300, 2)) + 8, [[8.0, 9.0], [8.6, 7.4]]]
    )
    model = LocalOutlierFactor().fit(X)
    assert roc_auc_score(np.arange(602) >= 600, -model.negative_outlier_factor_) == 1.0
    assert (model.fit_predict(X)[600:] == -1).all()


@pytest.mark.parametrize("factor", [1e-30, 1e-9, 1e6, 1e30])
def test_the_unit_does_not_matter(factor):
    X = np.random.default_rng(5).normal(size=(200, 3))
    plain, scaled = LocalOutlierFactor().fit(X), LocalOutlierFactor().fit(X * factor)
    np.testing.assert_allclose(scaled.negative_outlier_factor_, plain.negative_outlier_factor_, rtol=1e-8)


def test_many_equal_rows_warn_with_a_remedy():
    X = np.concatenate([np.zeros((30, 2)), np.random.default_rng(0).normal(size=(30, 2))])
    with pytest.warns(UserWarning, match="raise n_neighbors"):
        model = LocalOutlierFactor(5).fit(X)
    np.testing.assert_allclose(model.negative_outlier_factor_[:30], -1.0)
    assert np.isfinite(model.negative_outlier_factor_).all()


@pytest.mark.parametrize("n", [2, 3])
def test_few_rows_use_all_others(n):
    with pytest.warns(UserWarning, match="all [12] others"):
        assert LocalOutlierFactor().fit(np.arange(n)[:, None]).n_neighbors_ == n - 1


def test_one_row_is_refused():
    with pytest.raises(InputError, match="at least 2"):
        LocalOutlierFactor().fit([[1.0]])


@pytest.mark.parametrize(
    ("novelty", "missing"), [(False, ("predict", "score_samples", "decision_function")), (True, ("fit_predict",))]
)
def test_methods_exist_for_the_rows_they_are_meant_for(novelty, missing):
    model = LocalOutlierFactor(novelty=novelty)
    assert not [name for name in missing if hasattr(model, name)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_change_no_bit(dtype):
    X = np.random.default_rng(2).normal(size=(6000, 3)).astype(dtype)
    with threads(1):
        one = LocalOutlierFactor().fit(X).negative_outlier_factor_
    with threads(4):
        four = LocalOutlierFactor().fit(X).negative_outlier_factor_
    assert one.tobytes() == four.tobytes()


def test_tensors_give_the_factors_of_arrays():
    torch = pytest.importorskip("torch")
    X = np.random.default_rng(7).normal(size=(150, 3))
    model, plain = (LocalOutlierFactor(novelty=True).fit(rows) for rows in (torch.as_tensor(X), X))
    assert isinstance(model.negative_outlier_factor_, torch.Tensor)
    np.testing.assert_allclose(model.negative_outlier_factor_.numpy(), plain.negative_outlier_factor_, rtol=1e-12)
    assert isinstance(model.predict(torch.as_tensor(X[:5])), torch.Tensor)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_a_model_file_judges_new_rows_as_the_detector_does(metric, tmp_path):
    random = np.random.default_rng(3)
    model = LocalOutlierFactor(n_neighbors=5, novelty=True, metric=metric, contamination=0.1).fit(
        random.normal(size=(60, 3))
    )
    loaded = coterie.load(coterie.save(model, tmp_path / "strays.coterie"))
    new = random.normal(size=(20, 3)) * 2.0
    np.testing.assert_array_equal(loaded.estimator.score_samples(new), model.score_samples(new))
    np.testing.assert_array_equal(loaded.predict(new), model.predict(new))
    np.testing.assert_array_equal(loaded.estimator.negative_outlier_factor_, model.negative_outlier_factor_)


def test_a_model_file_of_another_number_of_densities_than_rows_is_refused(tmp_path):
    model = LocalOutlierFactor(n_neighbors=5, novelty=True).fit(np.random.default_rng(3).normal(size=(60, 3)))
    model._densities = model._densities[:-1]
    with pytest.raises(coterie.errors.ModelFileError, match="does not match the rest in size"):
        coterie.load(coterie.save(model, tmp_path / "strays.coterie"))
