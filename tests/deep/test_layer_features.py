"""Networks of every kind: the same features in any batch, equal to a plain pass, and the network as it was."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from coterie.deep import ConvAutoencoder, LayerFeatures, MLPAutoencoder
from coterie.errors import InputError
from deep.networks import (
    Careless,
    ControlFlow,
    GraphNetwork,
    HiddenStates,
    Intermediates,
    PackedRecurrent,
    Recurrent,
    ResNet,
    VisionTransformer,
    same,
    state_of,
)

RAW = {"norm": None, "reduce": None}


def images(n=65, side=16, channels=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, channels, side, side)).astype(np.float32)


def rows(n=65, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def sequences(n=65, length=9, d=6):
    return np.random.default_rng(1).normal(size=(n, length, d)).astype(np.float32)


def graphs(n=65):
    rng = np.random.default_rng(2)
    links = rng.random((n, 7, 7)) < 0.4
    return {
        "x": rng.normal(size=(n, 7, 6)).astype(np.float32),
        "adjacency": (links | links.transpose(0, 2, 1)).astype("f4"),
    }


def texts(n=65):
    rng = np.random.default_rng(3)
    lengths = rng.integers(2, 12, n)
    return {
        "input_ids": rng.integers(0, 50, (n, 11)),
        "attention_mask": (np.arange(11) < lengths[:, None]).astype(np.int64),
    }


def packed(n=65):
    return {"x": sequences(n), "lengths": np.random.default_rng(4).integers(1, 10, n)}


CASES = {
    "conv autoencoder": (lambda: ConvAutoencoder((3, 16, 16), 5), images, "all"),
    "mlp autoencoder": (lambda: MLPAutoencoder((6,), 3, hidden=(16, 8)), rows, "all"),
    "autoencoder's decoder": (lambda: MLPAutoencoder((6,), 3, hidden=(16, 8)), rows, "decoder.*"),
    "resnet": (ResNet, images, "all"),
    "resnet's blocks": (ResNet, images, ["layer1.0", "layer2.0", "last"]),
    "vision transformer": (VisionTransformer, images, "all"),
    "vision transformer's blocks": (VisionTransformer, images, ["patches", "blocks.?"]),
    "encoder stack": (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 16), 2, enable_nested_tensor=False),
        sequences,
        ["layers.0", "layers.1"],
    ),
    "control flow": (ControlFlow, rows, ["cell#0", "cell#1", "out"]),
    "lstm": (Recurrent, sequences, ["lstm", "lstm[1]", "last"]),
    "packed gru": (PackedRecurrent, packed, ["gru"]),
    "graph network": (GraphNetwork, graphs, ["first", "second", "last"]),
    "hidden states": (HiddenStates, texts, "all"),
    "layers inside such a model": (HiddenStates, texts, ["blocks.0", "blocks.1.linear1"]),
    "intermediates": (Intermediates, images, "all"),
}
every_network = pytest.mark.parametrize("case", CASES)


def made(case):
    torch.manual_seed(0)
    network, data, layers = CASES[case]
    if case == "encoder stack":  # time first: rows are the second axis
        network_, data_ = network(), data()
        return TimeFirst(network_), data_, [f"stack.{name}" for name in layers]
    return network(), data(), layers


class TimeFirst(nn.Module):
    def __init__(self, stack):
        super().__init__()
        self.stack = stack

    def forward(self, x):
        return self.stack(x.transpose(0, 1)).transpose(0, 1)


@every_network
@pytest.mark.parametrize("settings", [RAW, {}], ids=["raw", "whitened"])
def test_features_are_the_same_in_batches_of_1_7_and_64(case, settings):
    network, X, layers = made(case)
    model = LayerFeatures(network, layers, batch_size=64, **settings).fit(X)
    found = model.transform(X)
    assert found.std() > 1e-3
    for size in (1, 7):
        np.testing.assert_allclose(model.set_params(batch_size=size).transform(X), found, atol=1e-5, rtol=1e-5)


@every_network
@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_left_as_it_was(case, training):
    network, X, layers = made(case)
    network.train(training)
    for i, (part, weight) in enumerate(zip(network.modules(), network.parameters(), strict=False)):
        part.training = bool(i % 2) == training  # flags that no single train() or eval() restores
        weight.requires_grad = bool(i % 3)
        weight.grad = torch.ones_like(weight) if i % 3 else None
    before = state_of(network)
    LayerFeatures(network, layers).fit(X).transform(X)
    assert same(before, state_of(network))


@every_network
def test_fit_transform_equals_fit_and_transform(case):
    network, X, layers = made(case)
    one = LayerFeatures(network, layers, batch_size=16).fit_transform(X)
    model = LayerFeatures(network, layers, batch_size=16).fit(X)
    np.testing.assert_allclose(one, model.transform(X), atol=1e-6)
    assert len(model.get_feature_names_out()) == one.shape[1]


def test_a_layer_is_what_a_plain_pass_gives_there():
    network, X, _ = made("resnet")
    network.eval()
    with torch.no_grad():
        x = torch.from_numpy(X)
        x = network.maxpool(torch.relu(network.bn1(network.conv1(x))))
        block = network.layer1[0]
        inner = torch.relu(block.bn1(block.conv1(x)))
        out = torch.relu(block.bn2(block.conv2(inner)) + block.downsample(x))
        logits = network(torch.from_numpy(X))
    model = LayerFeatures(network, ["layer1.0.relu", "layer1.0", "last"], **RAW)
    found = model.fit_transform(X)
    assert model.layer_names_ == ["layer1.0.relu#0", "layer1.0.relu#1", "layer1.0", "last"]
    expected = np.c_[inner.mean((2, 3)), out.mean((2, 3)), out.mean((2, 3)), logits]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_tokens_are_averaged_over_positions_and_channels_stand_last():
    network, X, _ = made("vision transformer")
    network.eval()
    with torch.no_grad():
        patches = network.patches(torch.from_numpy(X))
        x = patches.flatten(2).transpose(1, 2)
        x = torch.cat([network.token.expand(len(x), -1, -1), x], 1) + network.positions
        for block in network.blocks:
            x = block(x)
    found = LayerFeatures(network, ["patches", "blocks.2"], **RAW).fit_transform(X)
    np.testing.assert_allclose(found, np.c_[patches.mean((2, 3)), x.mean(1)], atol=1e-5)


def test_rows_of_a_recurrent_layer_are_found_behind_time():
    network, X, _ = made("lstm")
    with torch.no_grad():
        states, (last, _) = network.lstm(torch.from_numpy(X).transpose(0, 1))
    found = LayerFeatures(network, ["lstm", "lstm[1]"], **RAW).fit_transform(X)
    np.testing.assert_allclose(found, np.c_[states.mean(0), last.mean(0)], atol=1e-6)


def test_a_packed_sequence_gives_its_last_valid_token():
    network, X, _ = made("packed gru")
    with torch.no_grad():
        expected = network(torch.from_numpy(X["x"]), torch.from_numpy(X["lengths"]))[0]
    np.testing.assert_allclose(LayerFeatures(network, "gru", **RAW).fit_transform(X), expected, atol=1e-6)


def test_padding_is_left_out_where_the_batch_has_a_mask():
    network, X, _ = made("hidden states")
    found = LayerFeatures(network, "hidden_states.0", **RAW).fit_transform(X)
    with torch.no_grad():
        x = network.embedding(torch.from_numpy(X["input_ids"])).numpy()
    expected = np.stack([row[mask == 1].mean(0) for row, mask in zip(x, X["attention_mask"], strict=True)])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    inside = LayerFeatures(network, "embedding", **RAW).fit_transform(X)
    np.testing.assert_allclose(inside, expected, atol=1e-6)


def test_what_stands_at_padding_does_not_matter():
    network, X, _ = made("layers inside such a model")
    other = {**X, "input_ids": np.where(X["attention_mask"] == 1, X["input_ids"], 7)}
    model = LayerFeatures(network, ["blocks.0", "blocks.1"], **RAW).fit(X)
    np.testing.assert_allclose(model.transform(X), model.transform(other), atol=1e-6)


def test_a_model_that_gives_its_hidden_states_is_asked_for_them():
    network, X, _ = made("hidden states")
    model = LayerFeatures(network, "all").fit(X)
    assert model.layer_names_ == ["hidden_states.0", "hidden_states.1", "hidden_states.2"]
    assert LayerFeatures(network, "last").fit(X).layer_names_ == ["hidden_states.2"]
    with pytest.raises(InputError, match=r"no layer is called 'hidden_states.7'; the model gives hidden_states.0 to"):
        LayerFeatures(network, "hidden_states.7").fit(X)
    with pytest.raises(InputError, match="cannot be mixed"):
        LayerFeatures(network, ["hidden_states.1", "blocks.0"]).fit(X)


def test_a_model_that_gives_its_intermediates_is_asked_for_them():
    network, X, _ = made("intermediates")
    model = LayerFeatures(network, ["intermediates.0", "intermediates.2"], **RAW).fit(X)
    with torch.no_grad():
        maps = network.forward_intermediates(torch.from_numpy(X), intermediates_only=True)
    np.testing.assert_allclose(model.transform(X), np.c_[maps[0].mean((2, 3)), maps[2].mean((2, 3))], atol=1e-6)


def test_nodes_of_one_whole_graph_are_rows_and_stay_as_they_are():
    torch.manual_seed(0)
    network, n = GraphNetwork(), 30
    edges = np.random.default_rng(0).integers(0, n, (2, 90))
    batch = {"x": rows(n), "edges": torch.from_numpy(edges)}
    found = [LayerFeatures(network, ["first", "last"], batch_size=b, **RAW).fit_transform([batch]) for b in (1, 7, 64)]
    with torch.no_grad():
        x = torch.from_numpy(batch["x"])
        expected = np.c_[network.first(x), network(x, edges=torch.from_numpy(edges))]
    for features in found:
        np.testing.assert_allclose(features, expected, atol=1e-5)


def test_an_embedding_is_read_without_running_the_decoder():
    network, X, _ = made("mlp autoencoder")
    network.decoder.register_forward_hook(lambda *_: pytest.fail("the decoder ran"))
    with torch.no_grad():
        expected = network.encode(torch.from_numpy(X))
    np.testing.assert_allclose(LayerFeatures(network, **RAW).fit_transform(X), expected, atol=1e-6)


def test_a_module_that_changes_itself_is_put_back():
    torch.manual_seed(0)
    network = Careless()
    network.hooked = []
    before, buffers = state_of(network), (network.runs, network.mean)
    LayerFeatures(network, ["linear", "last"]).fit(rows())
    assert same(before, state_of(network))
    assert network.runs is buffers[0]
    assert network.mean is buffers[1]
    assert network.steps == 0
    assert not hasattr(network, "kept")


def test_a_module_that_draws_gives_the_same_features_again():
    network = Careless()
    model = LayerFeatures(network, random_state=0, **RAW)
    np.testing.assert_array_equal(model.fit_transform(rows()), model.fit_transform(rows()))


def test_the_module_can_be_trained_after_its_features_were_read():
    class Keeps(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.table = nn.Linear(6, 3), {}

        def forward(self, x):
            if "scale" not in self.table:
                self.table["scale"] = torch.ones(3) * 2
            return self.linear(x) * self.table["scale"]

    network = Keeps()
    LayerFeatures(network).fit(rows())
    network(torch.from_numpy(rows())).sum().backward()  # refused where the table is an inference tensor
    assert network.linear.weight.grad is not None


def test_the_module_is_put_back_where_it_fails():
    network, X, _ = made("resnet")
    network.train()
    before = state_of(network)
    with pytest.raises(InputError):
        LayerFeatures(network, "layer1.0").fit(X[:, :2])
    assert same(before, state_of(network))


def test_the_module_is_put_back_where_reading_is_interrupted():
    network, X, _ = made("resnet")
    model = LayerFeatures(network, "layer1.0", batch_size=8).fit(X)
    network.train()

    def stop(*_):
        raise KeyboardInterrupt

    handle = network.layer1[0].conv1.register_forward_hook(stop)
    before = state_of(network)
    with pytest.raises(KeyboardInterrupt):
        model.transform(X)
    assert same(before, state_of(network))
    handle.remove()


def test_it_can_be_cloned_and_put_into_a_pipeline():
    from sklearn.pipeline import make_pipeline

    from coterie import KMeans

    network, X, _ = made("mlp autoencoder")
    pipe = make_pipeline(LayerFeatures(network, "all"), KMeans(3, random_state=0))
    labels = clone(pipe).fit_predict(X)
    np.testing.assert_array_equal(labels, pipe.fit_predict(X))


def test_frames_come_out_with_the_names_of_the_layers():
    network, X, _ = made("control flow")
    frame = LayerFeatures(network, ["cell#0", "last"], reduce=2).set_output(transform="pandas").fit_transform(X)
    assert list(frame.columns) == ["cell#0_0", "cell#0_1", "last_0", "last_1"]


def test_tensors_in_give_a_tensor_out():
    network, X, _ = made("control flow")
    found = LayerFeatures(network).fit_transform(torch.from_numpy(X))
    assert isinstance(found, torch.Tensor)
    np.testing.assert_allclose(found.numpy(), LayerFeatures(network).fit_transform(X), atol=1e-6)
