"""Line by line what the block model is for: planted classes that modularity misses, their number, and noise that has none."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

import coterie
from graph.planted import KINDS, drawn, planted

CASES = range(20)  # of each kind: 300 ... 2000 nodes, 2 ... 5 classes, degrees alike and not
SOME = [CASES[:4], pytest.param(CASES[4:], marks=pytest.mark.thorough)]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("cases", SOME, ids=["some", "others"])
@pytest.mark.parametrize("kind", KINDS)
def test_planted_classes_and_their_number_are_found(kind, cases):
    agreement, found = [], []
    for seed in cases:
        graph, labels, _, directed = planted(kind, seed)
        model = coterie.BlockModel(directed=directed, random_state=0).fit(graph)
        agreement.append(adjusted_mutual_info_score(labels, model.labels_))
        found.append(model.n_clusters_ == labels.max() + 1)
    assert np.mean(agreement) >= 0.95
    assert (
        np.mean(np.array(agreement) >= 0.95) >= 0.75
    )  # hubs on either side of a border cannot be told apart by anyone
    assert np.mean(found) >= 0.95


@pytest.mark.parametrize("kind", ["disassortative", "core_periphery", "feed_forward"])
def test_modularity_misses_those_classes(kind):
    agreement = []
    for seed in range(6):
        graph, labels, _, _ = planted(kind, seed)
        whole = coterie.graphs.undirected(graph)
        agreement.append(adjusted_mutual_info_score(labels, coterie.Leiden(random_state=0).fit(whole).labels_))
    assert np.mean(agreement) < 0.6


@pytest.mark.parametrize("cases", SOME, ids=["some", "others"])
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("erdos-renyi", marks=pytest.mark.thorough),
        "hubs",
        pytest.param("multiple links", marks=pytest.mark.thorough),
        "directed",
    ],
)
def test_noise_has_one_class_and_no_relations(kind, cases):
    classes, verdicts = [], []
    for seed in cases:
        rng = np.random.default_rng(seed)
        spread = {"erdos-renyi": 0.0, "hubs": 1.2, "multiple links": 1.2, "directed": 0.8}[kind]
        graph, _ = drawn(
            [400], np.ones((1, 1)), 10, rng, spread=spread, directed=kind == "directed", single=kind != "multiple links"
        )
        model = coterie.BlockModel(directed=kind == "directed", random_state=seed).fit(graph)
        classes.append(model.n_clusters_)
        verdicts += model.relations_.verdict.tolist()
    assert classes.count(1) >= 0.95 * len(cases)
    assert verdicts.count("neutral") >= 0.95 * len(verdicts)
