"""N2D: the mixture is that of its formula, rows keep their places, and groups come out that K-means does not see."""

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score

import coterie
from coterie.deep import N2D, AEKMeans

IMAGES, DIGITS = (part[:600] for part in (load_digits().images / 16, load_digits().target))
SMALL = {"hidden": (64, 32), "pretrain_epochs": 25, "random_state": 0}


@pytest.fixture(scope="module")
def fitted():
    return N2D(10, manifold_dim=4, **SMALL).fit(IMAGES)


def test_the_clusters_are_better_than_those_of_k_means_in_the_same_embedding(fitted):
    plain = AEKMeans(10, encoder="mlp", **SMALL).fit(IMAGES)
    np.testing.assert_allclose(plain.embedding_, fitted.embedding_, atol=1e-5)
    assert normalized_mutual_info_score(DIGITS, fitted.labels_) > normalized_mutual_info_score(DIGITS, plain.labels_)


def test_the_probabilities_are_those_of_the_mixture_at_the_places(fitted):
    model = fitted._model
    joint = []
    for log_share, mean, factor in zip(model.log_shares, model.centers, model.factors, strict=True):
        factor = factor.double().numpy()
        covariance = np.linalg.inv(factor @ factor.T)
        density = multivariate_normal(mean.double().numpy(), covariance).logpdf(fitted.positions_)
        joint.append(float(log_share) + density)
    joint = np.column_stack(joint)
    expected = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    np.testing.assert_allclose(fitted.soft_labels_, expected, atol=2e-3)  # single precision
    assert float(model.log_shares.exp().sum()) == pytest.approx(1, abs=1e-5)


def test_some_rows_of_the_fit_alone_keep_their_labels(fitted):
    np.testing.assert_array_equal(fitted.predict(IMAGES[37:90]), fitted.labels_[37:90])


def test_new_rows_join_the_cluster_of_their_kind(fitted):
    new, kinds = load_digits().images[600:1000] / 16, load_digits().target[600:1000]
    inside = normalized_mutual_info_score(DIGITS, fitted.labels_)
    assert normalized_mutual_info_score(kinds, fitted.predict(new)) > inside - 0.15


def test_places_are_kept_in_a_file(fitted, tmp_path):
    loaded = coterie.load(coterie.save(fitted, tmp_path / "n2d.coterie")).estimator
    np.testing.assert_array_equal(loaded.positions_, fitted.positions_)
    np.testing.assert_array_equal(loaded.predict(IMAGES), fitted.labels_)


def test_several_layers_are_laid_out_together():
    model = N2D(4, layers=["encoder.1", "encoder.3"], manifold_dim=2, **{**SMALL, "pretrain_epochs": 2}).fit(IMAGES)
    assert model.embedding_.shape == (600, 82)  # 50 axes of 64, and 32
    np.testing.assert_array_equal(model.predict(IMAGES), model.labels_)


def test_clusters_that_are_given_up_leave_the_mixture():
    model = N2D(10, min_cluster_size=60, manifold_dim=3, **{**SMALL, "pretrain_epochs": 2}).fit(IMAGES)
    assert model.occupancy_.min() >= 60
    assert len(model._model.log_shares) == len(model._model.factors) == len(model.occupancy_)
    assert torch.is_tensor(model._model.places)
