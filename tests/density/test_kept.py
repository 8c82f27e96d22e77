"""The index that predict keeps: used again, never out of date, and no part of the estimator's state."""

import gc
import pickle

import numpy as np
import pytest

from coterie import DBSCAN, HDBSCAN, OPTICS, LocalOutlierFactor
from coterie.density import _kept

X = np.random.default_rng(0).normal(size=(300, 2))
ESTIMATORS = {
    "DBSCAN": (lambda: DBSCAN(0.3), "coterie.density.dbscan.radius_index"),
    "HDBSCAN": (lambda: HDBSCAN(10), "coterie.density.hdbscan.neighbor_index"),
    "OPTICS": (lambda: OPTICS(extraction="dbscan", eps=0.3), "coterie.density.optics.neighbor_index"),
    "LocalOutlierFactor": (
        lambda: LocalOutlierFactor(novelty=True),
        "coterie.density.local_outlier_factor.neighbor_index",
    ),
}
each = pytest.mark.parametrize("name", ESTIMATORS)


@each
def test_the_second_predict_builds_no_index(name, monkeypatch):
    make, builder = ESTIMATORS[name]
    model = make().fit(X)
    before = model.predict(X[:20])
    monkeypatch.setattr(builder, None)
    np.testing.assert_array_equal(model.predict(X[:20]), before)


@each
def test_a_new_fit_replaces_the_index(name):
    make, _ = ESTIMATORS[name]
    model = make().fit(X)
    model.predict(X[:5])
    np.testing.assert_array_equal(model.fit(X + 9).predict(X[:50] + 9), make().fit(X + 9).predict(X[:50] + 9))


@each
def test_the_index_is_in_no_pickle_and_no_attribute(name):
    model = ESTIMATORS[name][0]().fit(X)
    state, size = dict(vars(model)), len(pickle.dumps(model))
    model.predict(X[:5])
    assert vars(model).keys() == state.keys()
    assert len(pickle.dumps(model)) == size


@each
def test_the_index_goes_with_the_estimator(name):
    gc.collect()
    before = len(_kept._INDEXES)
    model = ESTIMATORS[name][0]().fit(X)
    model.predict(X[:5])
    assert len(_kept._INDEXES) == before + 1
    del model
    gc.collect()
    assert len(_kept._INDEXES) == before


def test_another_radius_is_another_index():
    model = DBSCAN(0.3).fit(X)
    model.predict(X[:5])
    model.eps = 1e-9
    assert (model.predict(X[:50] + 1e-3) == -1).all()
