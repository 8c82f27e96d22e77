"""Stability under resampling: known answers, and every kind of input."""

import numpy as np
import pytest

from coterie import KMeans, metrics
from coterie.errors import InputError


class Halves:
    """Cuts at a random row, or always at zero."""

    def __init__(self, random=False):
        self.random = random

    def get_params(self, deep=True):
        return {"random": self.random}

    def set_params(self, **params):
        self.__dict__.update(params)
        return self

    def fit_predict(self, X, y=None):
        cut = X[:, 0].sum() * 1e6 % 3 - 1.5 if self.random else 0.0
        return (X[:, 0] > cut).astype(int)


def test_stability_is_one_for_a_fixed_cut_and_lower_for_a_random_one():
    X = np.random.default_rng(0).normal(size=(200, 1))
    assert metrics.stability(Halves(), X) == 1.0
    assert metrics.stability(Halves(random=True), X) < 0.7


def test_frames_and_tensors_are_taken_apart_like_arrays():
    pandas, polars, torch = (pytest.importorskip(package) for package in ("pandas", "polars", "torch"))
    X = np.random.default_rng(0).normal(size=(60, 2))
    clusterer = KMeans(3, n_init=1, random_state=0)
    expected = metrics.stability(clusterer, X, n_resamples=3)
    assert 0.0 < expected < 1.0
    assert metrics.stability(clusterer, pandas.DataFrame(X, columns=["a", "b"]), n_resamples=3) == expected
    assert metrics.stability(clusterer, polars.DataFrame(X, schema=["a", "b"]), n_resamples=3) == expected
    assert 0.0 < metrics.stability(clusterer, torch.from_numpy(X), n_resamples=3) < 1.0
    assert not hasattr(clusterer, "labels_")


@pytest.mark.parametrize("wrong", [{"sample_share": 0.5}, {"sample_share": 1.2}, {"n_resamples": 0}])
def test_parts_that_cannot_overlap_are_refused(wrong):
    with pytest.raises(InputError, match="parts or more that overlap"):
        metrics.stability(Halves(), np.zeros((10, 1)), **wrong)


def test_jaccard_of_a_split_cluster_is_that_of_its_larger_part():
    names, similarity = metrics.jaccard_by_cluster([0] * 10 + [1] * 4 + [-1], [5] * 6 + [6] * 4 + [7] * 4 + [-1])
    assert names.tolist() == [0, 1]
    np.testing.assert_allclose(similarity, [0.6, 1.0])
