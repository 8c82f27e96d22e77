"""Blocks against plain formulas on all rows at once; graphs and partitions of layers; groups found again."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from torch import nn

from coterie import KMeans
from coterie.deep import LayerFeatures
from coterie.deep._blocks import Moments, Sketch, block_of

RAW = {"norm": None, "reduce": None}
CPU = torch.device("cpu")


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 30), nn.Tanh(), nn.Linear(30, 12), nn.Tanh(), nn.Linear(12, 4))


@pytest.fixture
def groups():
    return np.repeat(np.arange(4), 60)


@pytest.fixture
def X(groups):
    rng = np.random.default_rng(0)
    return (3 * rng.normal(size=(4, 6))[groups] + 0.4 * rng.normal(size=(240, 6))).astype(np.float32)


# ---- blocks


def test_a_whitened_block_is_that_of_principal_component_analysis(network, X):
    raw = LayerFeatures(network, "1", **RAW).fit_transform(X).astype(np.float64)
    found = LayerFeatures(network, "1", reduce=5, batch_size=17).fit(X).transform(X)
    pca = PCA(5, svd_solver="full").fit(raw)
    values = pca.explained_variance_ * (len(X) - 1) / len(X)
    least = max(1e-5 * values[0], 3e-4 * (raw**2).mean())
    expected = pca.transform(raw) / np.sqrt(values + least)
    expected /= np.sqrt((values / (values + least)).sum())
    expected *= np.sign((expected * found).sum(0))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found.astype(np.float64).var(0).sum(), 1, rtol=1e-5)


@pytest.mark.parametrize("norm", ["whiten", "scale", "standard"])
@pytest.mark.parametrize("reduce", [None, 3, 50])
def test_every_block_has_the_same_total_variance(norm, reduce, network, X):
    model = LayerFeatures(network, ["1", "3", "4"], norm=norm, reduce=reduce)
    found = model.fit_transform(X).astype(np.float64)
    for part in model.layer_slices_.values():
        np.testing.assert_allclose(found[:, part].var(0).sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-6)


def test_scaling_keeps_the_shape_of_a_layer(network, X):
    raw = LayerFeatures(network, "3", **RAW).fit_transform(X).astype(np.float64)
    found = LayerFeatures(network, "3", norm="scale", reduce=None).fit_transform(X)
    np.testing.assert_allclose(found, (raw - raw.mean(0)) / np.sqrt(raw.var(0).sum()), atol=1e-6)


def test_standard_columns_and_rows_of_length_one(network, X):
    raw = LayerFeatures(network, "3", **RAW).fit_transform(X).astype(np.float64)
    found = LayerFeatures(network, "3", norm="standard", reduce=None).fit_transform(X)
    np.testing.assert_allclose(found, (raw - raw.mean(0)) / raw.std(0) / np.sqrt(12), atol=1e-6)
    found = LayerFeatures(network, "3", norm="l2", reduce=None).fit_transform(X)
    np.testing.assert_allclose(found, raw / np.linalg.norm(raw, axis=1, keepdims=True), atol=1e-6)


def test_a_weight_is_that_of_squared_distances(network, X):
    plain = LayerFeatures(network, ["1", "3"]).fit_transform(X)
    model = LayerFeatures(network, {"1": {"weight": 4}, "3": None})
    found = model.fit_transform(X)
    first = model.layer_slices_["1"]
    np.testing.assert_allclose(found[:, first], 2 * plain[:, first], atol=1e-6)
    np.testing.assert_allclose(found[:, first.stop :], plain[:, first.stop :], atol=1e-6)
    np.testing.assert_allclose(model.layer_weights_, [0.8, 0.2])


def test_a_layer_that_never_changes_is_warned_about_and_adds_zeros(network, X):
    network[2].weight.data.zero_()
    with pytest.warns(
        UserWarning, match="layer '3' gives the same values for every row and adds nothing; leave it out"
    ):
        found = LayerFeatures(network, ["1", "3"]).fit_transform(X)
    assert np.isfinite(found).all()
    assert (found[:, -1] == 0).all()


def test_the_leading_axes_of_a_wide_layer_are_those_of_all():
    z = torch.from_numpy(np.random.default_rng(0).normal(size=(900, 300)) * np.linspace(3, 0.1, 300) + 2)
    some, every = Moments(300, CPU), Moments(300, CPU)
    for moments in (some, every):
        moments.add(z)
    (mean, values, vectors, total), (mean2, values2, vectors2, total2) = some.finish(20), every.finish(None)
    np.testing.assert_allclose(values, values2[:20], rtol=1e-10)
    np.testing.assert_allclose(vectors, vectors2[:, :20], atol=1e-8)
    np.testing.assert_allclose([total, *mean], [total2, *mean2])


def test_large_offsets_do_not_eat_the_digits():
    rng = np.random.default_rng(0)
    z = torch.from_numpy(rng.normal(size=(500, 3)) * [1, 0.1, 0.01] + 1e6)
    moments = Moments(3, CPU)
    for part in z.split(64):
        moments.add(part)
    np.testing.assert_allclose(moments.covariance(), np.cov(z.numpy().T, ddof=0), rtol=1e-6, atol=1e-10)


def test_sums_do_not_depend_on_how_rows_are_divided(network, X):
    found = [LayerFeatures(network, ["1", "4"], batch_size=b, reduce=4).fit(X).transform(X) for b in (1, 7, 240)]
    np.testing.assert_allclose(found[0], found[2], atol=1e-5)
    np.testing.assert_allclose(found[1], found[2], atol=1e-5)


def test_a_sketch_of_wide_rows_finds_their_leading_axes():
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(300, 6)))[0]
    z = torch.from_numpy(
        rng.normal(size=(2000, 6)) * [9, 7, 5, 4, 3, 2] @ axes.T + 0.05 * rng.normal(size=(2000, 300)) + 5
    )

    def added_up():
        both = Moments(300, CPU), Sketch(300, CPU, 6, np.random.RandomState(0))
        for moments in both:
            for part in z.split(128):
                moments.add(part)
        return both

    exact, sketch = added_up()
    (mean, values, vectors, total), (mean2, values2, vectors2, total2) = exact.finish(6), sketch.finish(6)
    np.testing.assert_allclose(mean2, mean, rtol=1e-10)
    np.testing.assert_allclose(
        values2, values, rtol=0.02
    )  # what lies outside the axes, 0.7, is spread over spare directions
    np.testing.assert_allclose(total2, total, rtol=1e-10)
    np.testing.assert_allclose(np.linalg.svd(vectors.T @ vectors2)[1], 1, atol=1e-3)  # cosines of the angles between
    for moments in added_up():
        block = block_of(moments, 300, "whiten", 6, 1.0).placed(CPU)
        np.testing.assert_allclose(block(z, "wide").var(0, correction=0).sum(), 1, rtol=1e-2)


def test_a_very_wide_layer_is_sketched_and_its_groups_stay(groups):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 5000), nn.Tanh())
    X = np.random.default_rng(0).normal(size=(4, 6))[groups] * 3 + 0.3 * np.random.default_rng(1).normal(size=(240, 6))
    model = LayerFeatures(network, "1", norm="scale", reduce=10, random_state=0)
    found = model.fit_transform(X)
    assert found.shape == (240, 10)
    assert adjusted_rand_score(groups, KMeans(4, random_state=0).fit_predict(found)) == 1


# ---- weighted by agreement


def test_a_layer_of_noise_is_weighted_less(groups):
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.noise = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x):
            y = self.b(torch.tanh(self.a(x[:, :6])))
            return y + self.noise(x[:, 6:])

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    X = np.c_[3 * rng.normal(size=(4, 6))[groups] + 0.3 * rng.normal(size=(240, 6)), rng.normal(size=(240, 8))]
    model = LayerFeatures(Noisy(), ["a", "b", "noise"], combine="weighted", reduce=3).fit(X.astype(np.float32))
    assert model.layer_weights_[2] < model.layer_weights_[:2].min()
    np.testing.assert_allclose(model.layer_weights_.sum(), 1)


def test_weights_are_the_alignments_of_the_kernels(network, X):
    plain = LayerFeatures(network, ["1", "3", "4"], norm="scale").fit(X)
    blocks = [plain.transform(X)[:, part].astype(np.float64) for part in plain.layer_slices_.values()]
    kernels = [block @ block.T for block in blocks]
    mean = sum(kernels)
    scores = [(k * mean).sum() / np.linalg.norm(k) / np.linalg.norm(mean) for k in kernels]
    model = LayerFeatures(network, ["1", "3", "4"], norm="scale", combine="weighted", batch_size=32).fit(X)
    np.testing.assert_allclose(model.layer_weights_, np.array(scores) / sum(scores), rtol=1e-5)
    found = model.transform(X)
    for part, block, weight in zip(model.layer_slices_.values(), blocks, model.layer_weights_, strict=True):
        np.testing.assert_allclose(found[:, part], block * np.sqrt(3 * weight), atol=1e-6)


# ---- graphs and partitions


@pytest.mark.parametrize("combine", ["mean_graph", "consensus"])
def test_groups_are_apart_in_the_coordinates_of_graphs_and_partitions(combine, network, X, groups):
    model = LayerFeatures(network, ["1", "3", "4"], combine=combine, n_components=4, random_state=0)
    found = model.fit_transform(X)
    assert found.shape == (240, 4)
    assert list(model.get_feature_names_out()) == [f"{combine}_{i}" for i in range(4)]
    labels = KMeans(4, n_init=5, random_state=0).fit_predict(found)
    assert adjusted_rand_score(groups, labels) == 1


@pytest.mark.parametrize("combine", ["mean_graph", "consensus"])
@pytest.mark.parametrize("batch_size", [16, 240])
def test_rows_of_the_fit_keep_their_coordinates_and_new_ones_lie_with_their_group(
    combine, batch_size, network, X, groups
):
    model = LayerFeatures(network, ["1", "3", "4"], combine=combine, n_components=4, random_state=0)
    found = model.fit_transform(X)
    np.testing.assert_allclose(model.set_params(batch_size=batch_size).transform(X), found, atol=1e-5)
    clusters = KMeans(4, n_init=5, random_state=0).fit(found)
    new = X + 0.1 * np.random.default_rng(5).normal(size=X.shape).astype(np.float32)
    assert adjusted_rand_score(groups, clusters.predict(model.transform(new))) > 0.98


def test_the_mean_graph_of_one_layer_is_spectral_clustering_on_it(network, X, groups):
    from coterie import SpectralClustering

    one = LayerFeatures(network, "3").fit_transform(X)
    spectral = SpectralClustering(4, n_neighbors=10, random_state=0).fit(one)
    model = LayerFeatures(network, "3", combine="mean_graph", n_components=4, random_state=0)
    labels = KMeans(4, n_init=5, random_state=0).fit_predict(model.fit_transform(X))
    assert adjusted_rand_score(spectral.labels_, labels) == 1


def test_coordinates_by_partitions_are_singular_vectors_of_belonging(network, X):
    model = LayerFeatures(network, ["1", "4"], combine="consensus", n_components=3, random_state=0)
    found = model.fit_transform(X)
    partitions = model._composite.state.models
    members = np.concatenate([np.eye(m.n_clusters)[m.labels_] for m in partitions], axis=1) / len(partitions)
    scaled = members / np.sqrt(np.maximum(members.sum(0), 1e-300))
    vectors, values, _ = np.linalg.svd(scaled, full_matrices=False)
    np.testing.assert_allclose(values[0], 1)
    skipped = 1 if values[1] < 1 - 1e-9 else 0
    overlap = vectors[:, skipped : skipped + 3].T @ (found / np.linalg.norm(found, axis=0))
    np.testing.assert_allclose(np.abs(np.linalg.svd(overlap)[1]), 1, atol=1e-6)


def test_equal_rows_and_few_rows_have_coordinates():
    network = nn.Sequential(nn.Linear(2, 3))
    X = np.repeat(np.array([[0.0, 1.0], [5.0, 2.0], [1.0, 9.0]], np.float32), 5, axis=0)
    for combine in ("mean_graph", "consensus"):
        found = LayerFeatures(network, "0", combine=combine, n_components=2, random_state=0).fit_transform(X)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found[:5], found[:1].repeat(5, 0), atol=1e-6)


def test_the_seed_decides_the_partitions(network, X):
    def fitted(seed):
        return LayerFeatures(network, ["1", "4"], combine="consensus", random_state=seed).fit_transform(X)

    np.testing.assert_array_equal(fitted(1), fitted(1))
