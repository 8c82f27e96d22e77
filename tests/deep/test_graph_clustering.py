"""DeepGraphClustering: planted groups, both objectives, resumption, files, other graphs, and what it refuses."""

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

import coterie
from coterie.deep import DeepGraphClustering
from coterie.errors import InputError, ModelFileError

GROUPS = np.repeat(np.arange(4), 30)


def planted(seed, inside=0.35, across=0.02):
    """Return links and attributes of 120 nodes in four groups that both tell apart."""
    random = np.random.default_rng(seed)
    chance = np.where(GROUPS[:, None] == GROUPS[None, :], inside, across)
    upper = np.triu(random.random(chance.shape) < chance, 1)
    return sp.csr_array((upper + upper.T).astype(float)), random.normal(size=(120, 5)) + 3 * np.eye(4, 5)[GROUPS]


def make(objective="modularity", **settings):
    return DeepGraphClustering(4, **{"objective": objective, "epochs": 200, "random_state": 0, **settings})


both = pytest.mark.parametrize("objective", ["modularity", "mincut"])


@pytest.fixture(scope="module", params=["modularity", "mincut"])
def fitted(request):
    return make(request.param, epochs=500).fit(*planted(0))


def test_planted_groups_are_found(fitted):
    assert adjusted_rand_score(GROUPS, fitted.labels_) > 0.9
    assert fitted.occupancy_.min() > 20


@both
def test_planted_groups_are_found_by_links_alone(objective):
    model = make(objective, epochs=500).fit(planted(0)[0])
    assert adjusted_rand_score(GROUPS, model.labels_) > 0.9


def test_two_convolutions_find_them_too():
    assert adjusted_rand_score(GROUPS, make(hidden=(32, 16), epochs=500).fit(*planted(0)).labels_) > 0.9


def test_predict_repeats_the_labels_and_applies_the_network_to_another_graph(fitted):
    np.testing.assert_array_equal(fitted.predict(*planted(0)), fitted.labels_)
    np.testing.assert_array_equal(fitted.predict_proba(*planted(0)), fitted.soft_labels_)
    other = fitted.predict(*planted(1))
    assert adjusted_rand_score(GROUPS, other) > 0.8


def test_what_is_fitted_has_its_shapes(fitted):
    assert fitted.labels_.dtype == np.int64
    assert fitted.soft_labels_.shape == (120, 4)
    assert fitted.embedding_.shape == (120, 64)
    np.testing.assert_allclose(fitted.soft_labels_.sum(1), 1, rtol=1e-5)
    assert len(fitted.history_) == fitted.n_iter_ == 500
    assert fitted.score_ == pytest.approx(coterie.metrics.modularity(planted(0)[0], fitted.labels_))


def test_words_may_be_sparse_or_dense_with_the_same_labels():
    links, rows = planted(0)
    words = (np.tile(rows, 5) > 1).astype(float)
    sparse = make(epochs=100).fit(links, sp.csr_array(words))
    dense = make(epochs=100).fit(links, words)
    np.testing.assert_array_equal(sparse.labels_, dense.labels_)


def test_the_same_seed_gives_the_same_labels_and_leaves_the_callers_generator(fitted):
    before = torch.get_rng_state()
    again = clone(fitted).fit(*planted(0))
    np.testing.assert_array_equal(again.soft_labels_, fitted.soft_labels_)
    assert torch.equal(before, torch.get_rng_state())


def test_edges_networkx_and_tensors_are_read_alike():
    links, rows = planted(0)
    graph = nx.from_scipy_sparse_array(links)
    expected = make(epochs=30).fit(links, rows).labels_
    np.testing.assert_array_equal(make(epochs=30).fit(graph, rows).labels_, expected)
    np.testing.assert_array_equal(make(epochs=30).fit(np.array(graph.edges), rows, n_nodes=120).labels_, expected)
    found = make(epochs=30).fit(torch.from_numpy(links.toarray()), rows).labels_
    assert isinstance(found, torch.Tensor)
    np.testing.assert_array_equal(found.numpy(), expected)


def test_self_loops_and_the_unit_of_the_weights_change_nothing():
    links, rows = planted(0)
    moved = sp.csr_array(8 * links + sp.eye_array(120) * 5)
    np.testing.assert_array_equal(make(epochs=30).fit(moved, rows).labels_, make(epochs=30).fit(links, rows).labels_)


class Stopped(Exception):
    """Stands for a process that is killed."""


@pytest.mark.parametrize("stop_at", [0, 7, 19])
@both
def test_a_fit_that_was_killed_goes_on_to_the_same_labels(objective, stop_at, tmp_path, monkeypatch):
    from coterie.deep import _training

    path = tmp_path / "state"
    whole = make(objective, epochs=20).fit(*planted(0))
    keep = _training.Checkpoint.keep

    def killed(self, phase, epoch, *state):
        keep(self, phase, epoch, *state)
        if epoch == stop_at + 1:
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(_training.Checkpoint, "keep", killed)
        with pytest.raises(Stopped):
            make(objective, epochs=20, checkpoint=path).fit(*planted(0))
    resumed = make(objective, epochs=20, checkpoint=path).fit(*planted(0))
    np.testing.assert_array_equal(resumed.soft_labels_, whole.soft_labels_)
    assert resumed.history_ == whole.history_
    assert not path.exists()


def test_a_saved_model_gives_the_same_labels(fitted, tmp_path):
    loaded = coterie.load(coterie.save(fitted, tmp_path / "graph.coterie")).estimator
    np.testing.assert_array_equal(loaded.predict(*planted(0)), fitted.labels_)


def test_weights_of_another_size_are_refused(fitted):
    state = fitted._fitted_state()
    state["_weights"] = {key: value[:1] for key, value in state["_weights"].items()}
    with pytest.raises(ModelFileError, match="the model is damaged"):
        clone(fitted)._restore(state)


def test_no_cluster_is_below_the_least_size():
    model = DeepGraphClustering(12, epochs=60, min_cluster_size=15, random_state=0).fit(*planted(0))
    assert model.occupancy_.min() >= 15
    np.testing.assert_array_equal(model.predict(*planted(0)), model.labels_)


def test_of_several_trainings_the_most_modular_is_kept():
    assert make(epochs=20, n_init=3).fit(*planted(0)).score_ >= make(epochs=20).fit(*planted(0)).score_


def test_without_attributes_only_the_fitted_graph_has_labels():
    model = make(epochs=20).fit(planted(0)[0])
    np.testing.assert_array_equal(model.predict(planted(0)[0]), model.labels_)
    with pytest.raises(InputError, match="only the fitted graph has labels"):
        model.predict(planted(1)[0])


@pytest.mark.parametrize(
    ("settings", "graph", "attributes", "words"),
    [
        ({}, sp.csr_array((6, 6)), None, "no link"),
        ({}, planted(0)[0][:3, :3], None, "should be >= n_clusters=4"),
        ({}, planted(0)[0], np.zeros((7, 2)), "a row for each of the 120 nodes"),
        ({}, planted(0)[0], np.full((120, 2), np.inf), "infinity"),
        ({"device": "cuda"}, planted(0)[0], None, "device='cuda' is not usable here"),
    ],
    ids=["no links", "k > n", "rows", "infinity", "no GPU"],
)
def test_what_cannot_be_used_is_said_in_one_sentence(settings, graph, attributes, words):
    with pytest.raises(InputError, match=words) as caught:
        make(**settings).fit(graph, attributes)
    assert "\n" not in str(caught.value)


def test_attributes_are_given_to_predict_as_to_fit(fitted):
    with pytest.raises(InputError, match="the fit had attributes; give them"):
        fitted.predict(planted(0)[0])
    with pytest.raises(InputError, match="a row for each of the 120 nodes"):
        fitted.predict(planted(0)[0], np.zeros((3, 5)))


def test_a_directed_graph_is_made_undirected_with_a_warning():
    links, rows = planted(0)
    with pytest.warns(UserWarning, match="the graph is directed"):
        model = make(epochs=30).fit(sp.triu(links, format="csr"), rows)
    np.testing.assert_array_equal(model.labels_, make(epochs=30).fit(links, rows).labels_)
