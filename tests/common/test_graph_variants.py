"""Degenerate graphs through the methods and objectives that are not the defaults."""

import numpy as np
import pytest

from common.cases import quietly
from common.degenerate_graphs import ANSWERED, DEGENERATE, nodes_of
from common.graph_cases import VARIANTS, fit_graph, graph_settings


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", ANSWERED)
def test_every_method_and_objective_answers_degenerate_graphs(variant, kind):
    (name, parameters), source, n = VARIANTS[variant], DEGENERATE[kind][0], nodes_of(kind)
    parameters = dict(graph_settings(name).few) | dict(parameters)
    estimator, warned = quietly(lambda: fit_graph(name, source, n, **parameters))
    assert estimator.labels_.shape == (n,)
    assert set(estimator.labels_.tolist()) == set(range(len(set(estimator.labels_.tolist()))))
    assert not [str(w.message) for w in warned if issubclass(w.category, RuntimeWarning)]
    again = quietly(lambda: fit_graph(name, source, n, **parameters))[0]
    np.testing.assert_array_equal(again.labels_, estimator.labels_)
    if "n_clusters" in parameters and name != "BlockModel":
        assert len(set(estimator.labels_.tolist())) == parameters["n_clusters"]
