"""Which layers are meant, how far a pass goes, and what a network may do to what was read."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from coterie.deep import LayerFeatures
from coterie.errors import InputError
from deep.networks import ControlFlow, ResNet, VisionTransformer

RAW = {"norm": None, "reduce": None}


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(inplace=True), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 2))


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)


def names(module, layers, X, **settings):
    return LayerFeatures(module, layers, **settings).fit(X).layer_names_


# ---- which layers


def test_all_is_one_layer_for_each_with_weights_behind_its_activation(network, X):
    assert names(network, "all", X) == ["1", "3", "4"]


def test_all_reads_a_residual_network_behind_norm_and_activation():
    torch.manual_seed(0)
    found = names(ResNet(), "all", np.zeros((4, 3, 16, 16), np.float32), norm=None, reduce=None)
    assert found[:4] == ["maxpool", "layer1.0.relu#0", "layer1.0.bn2", "layer1.0.relu#1"]
    assert found[-1] == "fc"


def test_a_pattern_takes_every_layer_that_matches_in_the_order_in_which_they_run(network, X):
    assert names(network, "[024]", X) == ["0", "2", "4"]
    assert names(network, ["3", "*"], X) == ["3", "0", "1", "2", "4"]


def test_a_pattern_reaches_into_blocks():
    found = names(VisionTransformer(), "blocks.*.mlp", np.zeros((4, 3, 16, 16), np.float32), **RAW)
    assert found == ["blocks.0.mlp", "blocks.1.mlp", "blocks.2.mlp"]


def test_a_dict_says_what_each_layer_is_pooled_and_reduced_by():
    torch.manual_seed(0)
    X = np.random.default_rng(0).normal(size=(20, 3, 16, 16)).astype(np.float32)
    spec = {"conv1": "pyramid", "layer1": {"pool": "max", "norm": None, "reduce": None}, "fc": {"reduce": 2}}
    model = LayerFeatures(ResNet(), spec).fit(X)
    raw = LayerFeatures(ResNet(), {"conv1": "pyramid"}, **RAW).fit_transform(X)
    assert raw.shape == (20, 40)  # 8 channels at 1 + 4 places
    assert list(model.layer_slices_.values())[1:] == [slice(19, 27), slice(27, 29)]  # 20 rows have 19 axes


def test_a_layer_of_the_name_last_is_that_layer(X):
    module = nn.Sequential()
    module.add_module("last", nn.Linear(4, 3))
    module.add_module("after", nn.Linear(3, 7))
    assert LayerFeatures(module, "last", **RAW).fit_transform(X).shape == (20, 3)


def test_a_module_that_is_one_layer_has_it_as_its_last(X):
    assert names(nn.Linear(4, 3), "all", X) == ["last"]


def test_a_shared_layer_answers_to_both_of_its_names(X):
    module = nn.Module()
    module.one = nn.Linear(4, 4)
    module.two = module.one
    module.forward = lambda x: module.two(torch.relu(module.one(x)))
    assert names(module, "two#1", X) == ["two#1"]
    assert names(module, ["one"], X) == ["one#0", "one#1"]


# ---- pitfall 2: a layer that runs several times


def test_a_layer_that_runs_several_times_has_several_outputs(X):
    module = ControlFlow()
    X = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    assert names(module, "cell", X) == ["cell#0", "cell#1"]
    both = LayerFeatures(module, "cell", **RAW).fit_transform(X)
    second = LayerFeatures(module, "cell#1", **RAW).fit_transform(X)
    np.testing.assert_allclose(both[:, 6:], second, atol=1e-6)
    assert not np.allclose(both[:, :6], second)


class Repeats(nn.Module):
    """Runs its cell as often as the first value of the batch says."""

    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        for _ in range(int(x[0, 0].item())):
            x = x + 0.0 * self.cell(x)
        return self.out(x)


def test_a_layer_that_runs_a_varying_number_of_times_is_refused():
    X = np.ones((8, 4), np.float32)
    X[4:] = 3
    with pytest.raises(InputError, match=r"layer 'cell' ran 3 times for some rows and 1 times for others"):
        LayerFeatures(Repeats(), "cell", batch_size=4, stop_early=False, **RAW).fit_transform(X)
    X[:4], X[4:] = 3, 2
    with pytest.raises(InputError, match="name the calls that every row has, such as 'cell#0'"):
        LayerFeatures(Repeats(), "cell", batch_size=4, **RAW).fit_transform(X)
    assert LayerFeatures(Repeats(), "cell#1", batch_size=4, **RAW).fit_transform(X).shape == (8, 4)


def test_a_call_that_does_not_happen_is_refused(X):
    module = ControlFlow()
    with pytest.raises(InputError, match=r"layer 'cell' runs 2 times, so its last call is 'cell#1'"):
        LayerFeatures(module, "cell#2").fit(np.zeros((5, 6), np.float32))


# ---- pitfall 1: in place


def test_an_activation_that_is_overwritten_in_place_was_read_before(network, X):
    found = LayerFeatures(network, ["0", "2"], **RAW).fit_transform(X)
    assert found[:, :8].min() < 0  # the layer behind it cuts negative values off
    with torch.no_grad():
        np.testing.assert_allclose(found[:, :8], network[0](torch.from_numpy(X)), atol=1e-6)


@pytest.mark.parametrize("pool", ["flatten", "cls", "last", "mean"])
def test_no_pool_returns_memory_that_the_network_goes_on_writing_to(pool):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 5), nn.ReLU(inplace=True))
    X = np.random.default_rng(0).normal(size=(10, 3, 4)).astype(np.float32)
    assert LayerFeatures(module, {"0": pool, "1": "mean"}, **RAW).fit_transform(X)[:, :5].min() < 0


# ---- pitfall 3: leaving early


def test_the_pass_is_left_behind_the_last_wanted_layer(network, X):
    ran = []
    network[4].register_forward_hook(lambda *_: ran.append(1))
    model = LayerFeatures(network, ["1", "3"]).fit(X)
    ran.clear()
    model.transform(X)
    assert ran == []
    model.set_params(stop_early=False).transform(X)
    assert ran


def test_leaving_early_is_not_caught_by_a_module_that_catches_everything(X):
    class Catches(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, x):
            try:
                return self.one(x)
            except Exception:
                return self.two(x)

    module = Catches()
    expected = module.one(torch.from_numpy(X)).detach()
    np.testing.assert_allclose(LayerFeatures(module, "one", **RAW).fit_transform(X), expected, atol=1e-6)


# ---- pitfall 4: compiled modules


def test_the_layers_of_a_compiled_module_are_those_of_the_module_itself(network, X):
    wrapped = torch.compile(network, backend="eager")
    expected = LayerFeatures(network, ["1", "last"], **RAW).fit_transform(X)
    np.testing.assert_array_equal(LayerFeatures(wrapped, ["1", "last"], **RAW).fit_transform(X), expected)


def test_a_module_compiled_in_place_is_read_uncompiled_and_stays_compiled(network, X):
    expected = LayerFeatures(network, ["1"], **RAW).fit_transform(X)
    network.compile(backend="eager")
    compiled = network._compiled_call_impl
    np.testing.assert_array_equal(LayerFeatures(network, ["1"], **RAW).fit_transform(X), expected)
    assert network._compiled_call_impl is compiled


def test_a_scripted_module_is_refused(X):
    with pytest.warns(DeprecationWarning, match="torch.jit.script"):
        scripted = torch.jit.script(nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)))
    with pytest.raises(InputError, match="layers of a scripted module cannot be read; pass the module"):
        LayerFeatures(scripted).fit(X)


# ---- pitfall 5: modes


def test_features_are_read_in_evaluation_mode_whatever_the_mode(X):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(6, 2))
    module.train()
    found = LayerFeatures(module, **RAW).fit_transform(X)
    assert module[1].num_batches_tracked == 0
    with torch.no_grad():
        np.testing.assert_allclose(found, module.eval()(torch.from_numpy(X)), atol=1e-6)


def test_a_norm_by_the_statistics_of_the_batch_is_refused(X):
    module = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6, track_running_stats=False))
    with pytest.raises(InputError, match=r"layer '1' normalises by the statistics of each batch"):
        LayerFeatures(module).fit(X)


# ---- pitfall 6: outputs that are no tensor


@dataclass
class Pair:
    numbers: torch.Tensor
    hidden: torch.Tensor


class Gives(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind, self.linear = kind, nn.Linear(4, 3)

    def forward(self, x):
        y = self.linear(x)
        whole = torch.ones(len(x), 2, dtype=torch.int64)
        return {"tuple": (whole, (y, 2 * y)), "dict": {"numbers": whole, "hidden": y}, "dataclass": Pair(whole, y)}[
            self.kind
        ]


@pytest.mark.parametrize("kind", ["tuple", "dict", "dataclass"])
def test_of_several_outputs_the_first_of_real_numbers_is_taken(kind, X):
    module = nn.Sequential(Gives(kind))
    expected = module[0].linear(torch.from_numpy(X)).detach()
    np.testing.assert_allclose(LayerFeatures(module, "0", **RAW).fit_transform(X), expected, atol=1e-6)
    np.testing.assert_allclose(LayerFeatures(module, "last", **RAW).fit_transform(X), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "selector", "factor"), [("tuple", "2", 2), ("dict", "hidden", 1), ("dataclass", "hidden", 1)]
)
def test_one_of_several_outputs_can_be_named(kind, selector, factor, X):
    module = nn.Sequential(Gives(kind))
    expected = factor * module[0].linear(torch.from_numpy(X)).detach()
    model = LayerFeatures(module, f"0[{selector}]", **RAW)
    np.testing.assert_allclose(model.fit_transform(X), expected, atol=1e-6)
    assert model.layer_names_ == [f"0[{selector}]"]


def test_an_output_that_is_not_there_is_refused(X):
    with pytest.raises(
        InputError, match=r"layer '0\[logits\]' gives no such tensor: its output holds 2, called numbers, hidden"
    ):
        LayerFeatures(nn.Sequential(Gives("dict")), "0[logits]").fit(X)


# ---- names that are not there


def test_a_wrong_name_is_answered_with_the_nearest(X):
    module = nn.ModuleDict({"encoder": nn.Linear(4, 3), "decoder": nn.Linear(3, 4)})
    module.forward = lambda x: module["decoder"](module["encoder"](x))
    with pytest.raises(
        InputError, match=r"no layer is called 'encodr', nor matches it; near it are 'encoder', 'decoder'"
    ):
        LayerFeatures(module, "encodr").fit(X)


def test_a_layer_that_no_row_passes_through_is_said_so(X):
    module = nn.Sequential(nn.Linear(4, 3))
    module[0].spare = nn.Linear(3, 3)
    module[0].blocks = nn.ModuleList([nn.Linear(2, 2)])
    with pytest.raises(InputError, match=r"layer '0.spare' exists, but no row passes through it"):
        LayerFeatures(module, "0.spare").fit(X)


def test_a_list_of_layers_is_not_a_layer():
    with pytest.raises(InputError, match=r"name what is inside it, such as 'blocks.0"):
        LayerFeatures(VisionTransformer(), "blocks").fit(np.zeros((3, 3, 16, 16), np.float32))


def test_a_module_without_layers_is_said_so(X):
    class Doubles(nn.Module):
        def forward(self, x):
            return 2 * x

    with pytest.raises(
        InputError, match="the module has no layers with weights that rows pass through; use layers='last'"
    ):
        LayerFeatures(Doubles(), "all").fit(X)
    with pytest.raises(InputError, match=r"there is no layer 'fc': the module has none; use layers='last'"):
        LayerFeatures(Doubles(), "fc").fit(X)
    np.testing.assert_array_equal(LayerFeatures(Doubles(), **RAW).fit_transform(X), 2 * X)


def test_a_layer_that_says_nothing_of_each_row_is_refused(X):
    class Shares(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.linear = nn.Linear(3, 3), nn.Linear(4, 3)

        def forward(self, x):
            return self.linear(x) + self.table(torch.ones(5, 3)).sum()

    with pytest.raises(InputError, match=r"layer 'table' gives the same shape \(5, 3\) for any rows"):
        LayerFeatures(Shares(), "table").fit(X)
    assert names(Shares(), "all", X) == ["linear"]


def test_a_layer_of_several_rows_for_each_is_refused(X):
    class Windows(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 3)

        def forward(self, x):
            return self.linear(x.reshape(-1, 2)).reshape(len(x), -1)

    with pytest.raises(InputError, match=r"layer 'linear' gives 2 rows for each row that goes in"):
        LayerFeatures(Windows(), "linear").fit(X)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "layers must be 'last', 'all', a name"),
        ([3], "a layer is named by a string"),
        ({"0": {"pol": "mean"}}, "must be a pool or a dict with keys of channels, norm, pool, reduce, weight"),
        ({"0": "median"}, "pool must be a function or one of auto, cls"),
        ({"0": {"weight": 0}}, "weight of layer '0' must be a number greater than 0"),
        ({"0": {"channels": "middle"}}, "channels of layer '0' must be 'first' or 'last'"),
    ],
)
def test_what_cannot_be_meant_is_refused(layers, message, network, X):
    with pytest.raises(InputError, match=message):
        LayerFeatures(network, layers).fit(X)
