"""Links with attributes: which side is followed, invariances, kinds of columns, and what has no structure."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.metrics import adjusted_rand_score

import coterie
from coterie import AttributedGraphClustering
from coterie.errors import InputError, ResourceError
from coterie.graph import attributed
from coterie.graphs import from_edges, to_scipy
from graph.attributed_graphs import OTHER, TRUTH, K, N, both_sides, groups_of, links_of, numbers_of, words_of
from graph.citations import cora, musae


def agreement(groups, model):
    return adjusted_rand_score(groups, model.labels_)


def fitted(graph, attributes=None, **parameters):
    return AttributedGraphClustering(K, **({"random_state": 0} | parameters)).fit(graph, attributes)


# ---- which side is followed


@pytest.mark.parametrize("noise", [numbers_of(OTHER, 0.0), words_of(OTHER, 0.0)], ids=["numbers", "words"])
def test_links_are_followed_where_attributes_are_noise(noise):
    model = fitted(links_of(TRUTH, 0.7), noise)
    assert agreement(TRUTH, model) > 0.9
    assert model.contributions_["links"] > 0.9
    assert model.contributions_["links_alone"] > 0.8
    assert model.contributions_["attributes_alone"] < 0.1


@pytest.mark.parametrize("told", [numbers_of(TRUTH, 4.0), words_of(TRUTH, 0.7)], ids=["numbers", "words"])
def test_attributes_are_followed_where_links_are_noise(told):
    model = fitted(links_of(TRUTH, 0.0), told)
    assert agreement(TRUTH, model) > 0.9
    assert model.contributions_["attributes"] > 0.9
    assert model.order_ <= 1


def test_faint_attributes_are_followed_where_links_are_noise():
    # A third of the words of a node is of its group, among 1,000: with weak pulls alone they seemed to predict nothing, and noisy
    # links were followed.
    groups = groups_of(n=1200)
    model = fitted(links_of(groups, 0.0), words_of(groups, 0.35, d=1000))
    assert agreement(groups, model) > 0.25
    assert model.contributions_["attributes"] > 0.9


@pytest.mark.parametrize(
    ("graph", "attributes"),
    [(links_of(TRUTH, 0.4), numbers_of(TRUTH, 0.8)), (links_of(TRUTH, 0.4), words_of(TRUTH, 0.3))],
    ids=["numbers", "words"],
)
def test_both_sides_together_beat_each_alone(graph, attributes):
    both = fitted(graph, attributes)
    links, alone = fitted(graph, attributes, alpha=0), fitted(graph, attributes, alpha=1)
    assert agreement(TRUTH, both) > max(agreement(TRUTH, links), agreement(TRUTH, alone)) + 0.05
    assert min(both.contributions_["links"], both.contributions_["attributes"]) > 0.1


def test_of_two_stories_the_one_that_predicts_more_wins():
    model = fitted(links_of(TRUTH, 0.9), words_of(OTHER, 0.3))
    assert agreement(TRUTH, model) > 0.9
    model = fitted(links_of(TRUTH, 0.25), words_of(OTHER, 0.8))
    assert agreement(OTHER, model) > 0.9


def test_noise_on_both_sides_predicts_next_to_nothing():
    model = fitted(links_of(TRUTH, 0.0), numbers_of(TRUTH, 0.0))
    graph, X = links_of(TRUTH, 0.0), numbers_of(TRUTH, 0.0)
    total = model.contributions_["links_nats"] + model.contributions_["attributes_nats"]
    assert total < 0.03 * (len(graph.indices) / 2 + X.size)  # the best of 23 settings, each by chance a little above 0
    nothing = AttributedGraphClustering(2, random_state=0).fit(from_edges(np.zeros((0, 2), int), 30), np.zeros((30, 2)))
    assert "may be noise" in nothing.advice_[0]
    assert not any("may be noise" in line for line in fitted(links_of(TRUTH, 0.5), numbers_of(TRUTH, 1.0)).advice_)


def test_without_attributes_the_links_alone_decide_and_that_is_said():
    model = fitted(links_of(TRUTH, 0.8))
    assert agreement(TRUTH, model) > 0.9
    assert "no attributes were given" in model.advice_[0]
    assert model.alpha_ == 0
    assert model.contributions_["attributes"] == 0


def test_alpha_zero_does_not_look_at_the_attributes():
    graph = links_of(TRUTH, 0.7)
    one, other = (fitted(graph, X, alpha=0).labels_ for X in (numbers_of(TRUTH, 3.0), numbers_of(TRUTH, 3.0)[::-1]))
    assert adjusted_rand_score(one, other) > 0.95


def test_alpha_one_does_not_look_at_the_links_unless_an_order_is_given():
    X = numbers_of(TRUTH, 4.0)
    model = fitted(links_of(OTHER, 0.9), X, alpha=1)
    assert model.order_ == 0
    assert agreement(TRUTH, model) > 0.85
    smoothed = fitted(links_of(TRUTH, 0.6), numbers_of(TRUTH, 0.8), alpha=1, order=3)
    assert (smoothed.alpha_, smoothed.order_) == (1, 3)
    assert agreement(TRUTH, smoothed) > agreement(TRUTH, fitted(links_of(TRUTH, 0.6), numbers_of(TRUTH, 0.8), alpha=1))


def test_shares_of_the_contributions_add_up_to_one():
    given = fitted(links_of(TRUTH, 0.5), numbers_of(TRUTH, 1.0)).contributions_
    assert given["links"] + given["attributes"] == pytest.approx(1)
    assert given["links"] == pytest.approx(given["links_nats"] / (given["links_nats"] + given["attributes_nats"]))


@pytest.mark.parametrize("seed", [0, 2, 4])
def test_links_that_predict_by_chance_do_not_carry_nodes_away(seed):
    model = fitted(links_of(TRUTH, 0.0), words_of(TRUTH, 0.35), random_state=seed)
    assert agreement(TRUTH, model) > 0.5


# ---- invariances


@pytest.fixture(scope="module", name="both_sides")
def links_words_and_numbers():
    return both_sides()


def test_the_order_of_the_nodes_does_not_matter(both_sides):
    graph, words, _ = both_sides
    order = np.random.default_rng(3).permutation(N)
    matrix = to_scipy(graph)[order][:, order]
    shuffled = fitted(matrix, words[order])
    assert adjusted_rand_score(fitted(graph, words).labels_[order], shuffled.labels_) > 0.95


def test_the_order_and_the_scale_of_the_columns_do_not_matter(both_sides):
    graph, _, X = both_sides
    order = np.random.default_rng(4).permutation(X.shape[1])
    scale = 10.0 ** np.arange(-4, X.shape[1] - 4)
    other = fitted(graph, X[:, order] * scale - 7 * scale)
    assert adjusted_rand_score(fitted(graph, X).labels_, other.labels_) > 0.95


@pytest.mark.parametrize("factor", [1e-300, 1e-3, 1e300])
def test_the_scale_of_weights_and_columns_does_not_matter(both_sides, factor):
    graph, _, X = both_sides
    scaled = graph._replace(weights=graph.weights * factor)
    assert adjusted_rand_score(fitted(graph, X).labels_, fitted(scaled, X * factor).labels_) > 0.95


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(both_sides):
    from threadpoolctl import threadpool_limits

    graph, words, _ = both_sides
    found = []
    for count in (1, 2):
        with threadpool_limits(count):
            found.append(fitted(graph, words))
    np.testing.assert_array_equal(found[0].labels_, found[1].labels_)
    np.testing.assert_array_equal(found[0].embedding_, found[1].embedding_)


# ---- predict


def test_predict_repeats_the_labels_of_the_fit(both_sides):
    graph, words, X = both_sides
    for attributes in (words, X):
        model = fitted(graph, attributes)
        np.testing.assert_array_equal(model.predict(graph, attributes), model.labels_)
        np.testing.assert_array_equal(model.predict(graph), model.labels_)


def test_new_nodes_go_by_links_and_attributes():
    graph, X = links_of(TRUTH, 0.6), numbers_of(TRUTH, 1.5)
    model = fitted(graph, X)
    new = groups_of(seed=9)
    links, attributes = to_scipy(links_of(np.concatenate([TRUTH, new]), 0.6, seed=8)), numbers_of(new, 1.5, seed=1)
    links = links[N:, :N]
    profile = np.array([X[group == TRUTH].mean(axis=0) for group in range(K)])
    attributes = profile[new] + np.random.default_rng(3).normal(size=(N, X.shape[1]))
    table = np.array([np.bincount(model.labels_[group == TRUTH], minlength=K).argmax() for group in range(K)])
    by_both = (model.predict(links, attributes) == table[new]).mean()
    by_links = (model.predict(links) == table[new]).mean()
    assert by_both > max(by_links, 0.85)


def test_predict_refuses_attributes_that_the_fit_had_not(both_sides):
    graph, _, X = both_sides
    with pytest.raises(InputError, match="had no attributes"):
        fitted(graph).predict(graph, X)


@pytest.mark.parametrize("kind", ["words", "numbers", "frame"])
def test_a_saved_model_predicts_by_both_sides(both_sides, tmp_path, kind):
    graph, words, X = both_sides
    attributes = {"words": words, "numbers": X, "frame": pd.DataFrame(X, columns=list("abcde"))}[kind]
    model = fitted(graph, attributes)
    coterie.save(model, tmp_path / "nodes.coterie")
    loaded = coterie.load(tmp_path / "nodes.coterie").estimator
    links = to_scipy(graph)[:, :][::-1]
    turned = attributes[::-1] if kind != "frame" else attributes.iloc[::-1]
    np.testing.assert_array_equal(loaded.predict(links, turned), model.predict(links, turned))


# ---- kinds of attributes


def mixed_frame(groups, seed=6):
    random = np.random.default_rng(seed)
    unsure = random.random(len(groups)) < 0.3
    job = np.array(["nurse", "baker", "pilot", "clerk"])[np.where(unsure, random.integers(K, size=len(groups)), groups)]
    age = 30 + 6.0 * groups + random.normal(scale=4, size=len(groups))
    age[random.random(len(groups)) < 0.1] = np.nan
    return {"age": age, "job": job, "likes tea": random.random(len(groups)) < 0.5}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict], ids=["pandas", "polars", "dict"])
def test_frames_of_numbers_and_categories_are_coded(make):
    # One in four has another group's job: clusters that follow the jobs alone agree by 0.45.
    graph, columns = links_of(TRUTH, 0.5), mixed_frame(TRUTH)
    model = fitted(graph, make(columns))
    assert agreement(TRUTH, model) > 0.85
    np.testing.assert_array_equal(model.predict(graph, make(columns)), model.labels_)


def test_missing_numbers_cost_little():
    X = numbers_of(TRUTH, 1.5)
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    X[:, -1] = np.nan
    model = fitted(links_of(TRUTH, 0.6), X)
    assert agreement(TRUTH, model) > 0.85
    assert np.isfinite(model.embedding_).all()


def test_a_dense_table_of_zeros_and_ones_is_read_as_words(both_sides):
    graph, words, _ = both_sides
    np.testing.assert_array_equal(fitted(graph, words.toarray()).labels_, fitted(graph, words).labels_)


def test_one_value_for_each_node_is_enough():
    model = fitted(links_of(TRUTH, 0.4), 3.0 * TRUTH + np.random.default_rng(0).normal(scale=0.6, size=N))
    assert agreement(TRUTH, model) > 0.9


def test_text_is_a_category():
    model = fitted(links_of(TRUTH, 0.4), np.array(list("abcd"))[TRUTH])
    assert agreement(TRUTH, model) > 0.95


def test_tensors_are_attributes(both_sides):
    torch = pytest.importorskip("torch")
    graph, _, X = both_sides
    np.testing.assert_array_equal(fitted(graph, torch.from_numpy(X)).labels_, fitted(graph, X).labels_)


# ---- what is not there


def test_nodes_without_links_go_by_their_attributes_and_others_by_their_links():
    matrix = to_scipy(links_of(TRUTH, 0.7)).toarray()
    alone, silent = np.arange(0, 40), np.arange(40, 80)
    matrix[alone] = matrix[:, alone] = 0
    words = words_of(TRUTH, 0.7).toarray()
    words[silent] = 0
    model = fitted(matrix, sp.csr_array(words))
    assert adjusted_rand_score(TRUTH[alone], model.labels_[alone]) > 0.8
    assert adjusted_rand_score(TRUTH[silent], model.labels_[silent]) > 0.8


@pytest.mark.parametrize("k", [1, 2, 3])
def test_nothing_at_all_is_clustered_without_complaint(k):
    nothing = from_edges(np.zeros((0, 2), int), 30)
    for attributes in (None, np.zeros((30, 2)), sp.csr_array((30, 5)), np.full((30, 1), np.nan)):
        model = AttributedGraphClustering(k, random_state=0).fit(nothing, attributes)
        assert model.labels_.shape == (30,)
        assert np.isfinite(model.embedding_).all()
        np.testing.assert_array_equal(model.predict(nothing, attributes), model.labels_)


def test_each_node_can_be_a_cluster():
    model = AttributedGraphClustering(6, random_state=0).fit(np.array([[0, 1], [2, 3], [4, 5]]), np.arange(6.0))
    assert model.labels_.max() < 6
    assert AttributedGraphClustering(1).fit([[0, 0]], n_nodes=1).labels_.tolist() == [0]


def test_a_thousand_components_are_clustered_by_their_attributes():
    pairs = np.arange(2000).reshape(-1, 2)
    groups = np.repeat(groups_of(n=1000), 2)
    X = numbers_of(groups, 2.0)
    assert agreement(groups, fitted(pairs, X)) > agreement(groups, fitted(pairs, X, alpha=1)) + 0.05


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (np.zeros((7, 2)), "a row for each of the 320 nodes, got 7"),
        (sp.csr_array((7, 2)), "a row for each of the 320 nodes, got 7"),
        (pd.DataFrame({"a": [1.0, 2.0]}), "a row for each of the 320 nodes, got 2"),
        (np.full((N, 1), np.inf), "infinity"),
        (sp.csr_array(-np.eye(N)), "must not be negative"),
        (sp.csr_array(np.full((N, 1), np.nan)), "NaN or infinity"),
        (np.zeros((N, 2, 2)), "row for each node"),
        (np.zeros((N, 2), complex), "row for each node"),
    ],
)
def test_attributes_that_cannot_be_used_are_refused_in_a_sentence(attributes, message):
    with pytest.raises(InputError, match=message):
        fitted(links_of(TRUTH, 0.5), attributes)


def test_predict_refuses_other_columns(both_sides):
    graph, words, X = both_sides
    for attributes in (words, X):
        model = fitted(graph, attributes)
        with pytest.raises(InputError, match=r"columns of the fit"):
            model.predict(graph, attributes[:, :3])
        with pytest.raises(InputError, match="a row for each"):
            model.predict(graph, attributes[:3])


def test_what_would_not_fit_into_memory_is_refused_before_it_is_allocated(monkeypatch, both_sides):
    monkeypatch.setattr(attributed, "free_bytes", lambda: 1000.0)
    with pytest.raises(ResourceError, match="GB are free; give alpha and order"):
        fitted(both_sides[0], both_sides[1])


# ---- real data: well below what is measured, so that a lesser method is noticed


@pytest.mark.slow
def test_cora_with_the_defaults(shared_data):
    links, words, topics = cora(shared_data / "graphs" / "cora.tgz")
    found = [AttributedGraphClustering(7, random_state=seed).fit(links, words).labels_ for seed in range(3)]
    accuracy = np.mean([coterie.metrics.clustering_accuracy(topics, labels) for labels in found])
    information = np.mean([coterie.metrics.adjusted_mutual_info_score(topics, labels) for labels in found])
    assert accuracy > 0.67
    assert information > 0.52


@pytest.mark.thorough
def test_musae_with_the_defaults(shared_data):
    links, words, types = musae(shared_data / "graphs" / "musae")
    both, links_alone = (
        AttributedGraphClustering(4, alpha=alpha, random_state=0).fit(links, words).labels_ for alpha in ("auto", 0)
    )
    information = coterie.metrics.normalized_mutual_info_score
    assert information(types, both) > 0.31
    assert information(types, both) > information(types, links_alone) + 0.1
