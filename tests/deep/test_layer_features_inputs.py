"""What may come in and what is refused; batches, memory, files."""

import tracemalloc

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from coterie.deep import LayerFeatures
from coterie.deep import _batches as batches
from coterie.errors import InputError, OutputError, ResourceError
from deep.networks import HiddenStates, ResNet

RAW = {"norm": None, "reduce": None}


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6))


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)


class Items(Dataset):
    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i], 7


# ---- what may come in


def test_all_kinds_of_input_give_the_same_features(network, X):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    expected = LayerFeatures(network, ["1", "2"]).fit_transform(X)
    tensor = torch.from_numpy(X)
    kinds = {
        "double": X.astype(np.float64),
        "lists": X.tolist(),
        "sparse": csr_array(X),
        "tensor": tensor,
        "pandas": pandas.DataFrame(X, columns=list("abcd")),
        "polars": polars.DataFrame(X, schema=list("abcd")),
        "batches": [X[:20], X[20:21], X[21:]],
        "tensors": (tensor[:20], tensor[20:]),
        "data set": Items(X),
        "tensor data set": TensorDataset(tensor, torch.zeros(50)),
        "loader": DataLoader(TensorDataset(tensor, torch.zeros(50)), batch_size=13),
        "named": {"input": X},
        "named batches": [{"input": X[:30]}, {"input": X[30:]}],
        "read-only": np.broadcast_to(X, X.shape),
        "column order": np.asfortranarray(X),
    }
    for kind, given in kinds.items():
        model = LayerFeatures(network, ["1", "2"])
        found = model.fit_transform(given)
        np.testing.assert_allclose(np.asarray(found), expected, atol=2e-6, err_msg=kind)
        np.testing.assert_allclose(np.asarray(model.transform(given)), expected, atol=2e-6, err_msg=kind)


def test_batches_that_can_be_read_once_are_read_once(network, X):
    expected = LayerFeatures(network, ["1", "2"]).fit_transform(X)
    model = LayerFeatures(network, ["1", "2"]).fit(part for part in (X[:20], X[20:]))
    np.testing.assert_allclose(model.transform(part for part in (X[:33], X[33:])), expected, atol=2e-6)


def test_a_second_pass_over_batches_that_can_be_read_once_is_refused(network, X):
    model = LayerFeatures(network, ["1", "2"], combine="weighted", max_memory=10_000)
    with pytest.raises(InputError, match="X can be read only once, and these features need a second pass"):
        model.fit(part for part in (X[:20], X[20:]))


def test_a_large_batch_of_a_loader_is_divided(network, X):
    seen = []
    network[0].register_forward_hook(lambda part, inputs, output: seen.append(len(output)))
    LayerFeatures(network, batch_size=8).fit([X])
    assert max(seen) == 8


def test_whole_numbers_are_tokens_where_the_module_has_embeddings_and_numbers_elsewhere(network):
    tokens = np.random.default_rng(0).integers(0, 50, (20, 7))
    assert LayerFeatures(HiddenStates(), "embedding", **RAW).fit_transform(tokens).shape == (20, 8)
    whole = np.arange(80).reshape(20, 4)
    found = LayerFeatures(network, **RAW).fit_transform(whole)
    np.testing.assert_allclose(found, LayerFeatures(network, **RAW).fit_transform(whole.astype(float)))


def test_a_module_in_double_precision_computes_in_it(network, X):
    X = X.astype(np.float64)
    expected = network.double()(torch.from_numpy(X)).detach()
    np.testing.assert_allclose(LayerFeatures(network, dtype="float64", **RAW).fit_transform(X), expected, rtol=1e-14)


def test_the_rows_are_not_written_to(X):
    module = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 2))
    given = X.copy()
    LayerFeatures(module, **RAW).fit_transform(given)
    np.testing.assert_array_equal(given, X)


# ---- what is refused, in a sentence


def nan_in(X):
    X = X.copy()
    X[37, 2] = np.nan
    return X


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda X: X[:, :3],
            r"could not compute rows of shape \(3,\) and type float32: mat1 and mat2 shapes cannot be",
        ),
        (lambda X: X.reshape(2, 5, 5, 4)[:, :, :, :2], r"could not compute rows of shape \(5, 5, 2\) and type float32"),
        (nan_in, "X contains NaN or infinity in row 37; fill or drop such rows first"),
        (lambda X: (X * 255).astype(np.uint8), r"got uint8 from 0 to 255; divide by 255 first"),
        (lambda X: torch.from_numpy((X * 255).astype(np.uint8)), r"got uint8 from 0 to 255; divide by 255 first"),
        (lambda X: X[:0], "expected at least one row, got none"),
        (lambda X: np.array(["a", "b"]), "expected numbers, got <U1"),
        (lambda X: np.float64(3), "X must be an array|got a single number"),
        (lambda X: "rows", "X must be an array, a tensor, a dict of them, or batches of rows, got str"),
        (lambda X: {"input": X, "other": X[:3]}, r"must have the same number of rows, got {'input': 50, 'other': 3}"),
        (lambda X: iter(()), "X holds no batch"),
        (lambda X: X[:1], "learns variances and needs at least 2 rows, got 1"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*complex:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_rows_that_cannot_be_used_are_refused(spoil, message, network, X):
    with pytest.raises(InputError, match=message) as caught:
        LayerFeatures(network).fit(spoil(X))
    assert "\n" not in str(caught.value)


def test_another_number_of_columns_than_in_fit_is_refused(network, X):
    model = LayerFeatures(network).fit(X)
    with pytest.raises(ValueError, match="X has 3 features, but LayerFeatures is expecting 4 features as input"):
        model.transform(X[:, :3])


def test_maps_of_another_size_than_in_fit_are_refused_where_they_are_flattened():
    torch.manual_seed(0)
    model = LayerFeatures(ResNet(), {"conv1": "flatten"}).fit(np.random.default_rng(0).normal(size=(9, 3, 8, 8)))
    with pytest.raises(
        InputError, match=r"layer 'conv1' gives 2048 columns and gave 512 in fit; pass rows of the same shape"
    ):
        model.transform(np.zeros((2, 3, 16, 16)))


@pytest.mark.parametrize("settings", [{}, RAW, {"norm": "standard", "reduce": None}])
@pytest.mark.parametrize("method", ["fit_transform", "transform"])
def test_activations_that_are_not_finite_are_refused_with_their_layer_and_row(settings, method, network, X):
    big = X.copy()
    big[43] = 3e38
    network[0].weight.data *= 10
    model = LayerFeatures(network, ["0", "2"], batch_size=8, **settings)
    if method == "transform":
        model.fit(X)
    with pytest.raises(InputError, match=r"layer '0' gave NaN or infinity for row 43"):
        getattr(model, method)(big)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_memory": "much"}, r"max_memory must be a number of bytes or a text such as '500MB'"),
        ({"max_memory": -5}, "max_memory must be"),
        ({"pool": "median"}, "pool must be a function or one of"),
        ({"sparse_output": True}, "sparse_output is for raw activations"),
        ({"cache": "features.txt"}, r"cache must be the path of a .npy file"),
        ({"device": "cuda"}, r"device='cuda' is not usable here"),
        ({"device": "abacus"}, r"device='abacus' is not usable here"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(settings, message, network, X):
    if settings.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(InputError, match=message):
        LayerFeatures(network, **settings).fit(X)


def test_what_is_no_module_is_refused(X):
    with pytest.raises(InputError, match=r"module must be a torch.nn.Module, got function"):
        LayerFeatures(lambda x: x).fit(X)
    with pytest.raises(InputError, match=r"layer '0' has no weights yet \(it is lazy\)"):
        LayerFeatures(nn.Sequential(nn.LazyLinear(3))).fit(X)
    with pytest.raises(InputError, match=r"layer '0' has no weights \(they are on the meta device\)"):
        LayerFeatures(nn.Sequential(nn.Linear(4, 3, device="meta"))).fit(X)
    with pytest.raises(InputError, match='missing the required "forward" function'):
        LayerFeatures(nn.Module()).fit(X)


def test_a_loader_that_shuffles_is_refused_where_rows_must_keep_their_place(network, X):
    loader = DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=10, shuffle=True)
    model = LayerFeatures(network).fit(loader)
    with pytest.raises(InputError, match="nobody knows which features belong to which row; pass shuffle=False"):
        model.transform(loader)


# ---- pitfall 8: memory


@pytest.mark.parametrize(
    ("text", "expected"), [("500MB", 500 * 10**6), ("1.5 GiB", 3 * 2**29), (7, 7), ("20kB", 20000)]
)
def test_amounts_of_memory(text, expected):
    assert batches.bytes_of(text) == expected


def test_a_batch_that_does_not_fit_is_halved_and_those_after_it_too(network, X):
    class Small(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner, self.seen = inner, []

        def forward(self, x):
            self.seen.append(len(x))
            if len(x) > 6:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return self.inner(x)

    module = Small(network)
    seen = module.seen
    expected = LayerFeatures(network, **RAW).fit_transform(X)
    np.testing.assert_allclose(LayerFeatures(module, batch_size=32, **RAW).fit_transform(X), expected, atol=1e-6)
    assert seen[seen.index(32) :].count(32) == 1
    assert max(seen[seen.index(4) :]) <= 16


def test_a_single_row_that_does_not_fit_is_refused(X):
    class Full(nn.Module):
        def forward(self, x):
            raise RuntimeError(
                "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: not enough memory: you tried to ..."
            )

    with pytest.raises(ResourceError):
        LayerFeatures(Full()).fit(X)


def test_the_size_of_a_batch_follows_the_memory_allowed():
    cpu = torch.device("cpu")
    assert batches.rows_for(10**6, 80 * 10**6, cpu) == 10
    assert batches.rows_for(10**6, 10**5, cpu) == 1
    assert batches.rows_for(10, 10**9, cpu) == 256


def test_features_that_do_not_fit_are_refused_with_the_figure_before_they_are_made(network):
    X = np.zeros((400_000, 4), np.float32)
    X[:, 0] = np.arange(400_000) % 7
    model = LayerFeatures(network, max_memory="4MB", **RAW).fit(X[:100])
    with pytest.raises(
        ResourceError, match=r"6 features of 400,000 rows take 10 MB, and 3 MB of memory are left for them; pass"
    ):
        model.transform(X)


def test_blocks_that_cannot_be_learnt_in_the_memory_allowed_are_refused():
    X = np.random.default_rng(0).normal(size=(10, 3, 32, 32)).astype(np.float32)
    with pytest.raises(
        ResourceError, match=r"layer 'conv1' alone has 8,192 columns, and 0 MB are left for it; pool it with 'mean'"
    ):
        LayerFeatures(ResNet(), {"conv1": "flatten"}, max_memory="1MB").fit(X)


def test_fitting_does_not_hold_the_activations_of_all_rows():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 4))
    X = np.random.default_rng(0).normal(size=(20_000, 8)).astype(np.float32)
    tracemalloc.start()  # NumPy's memory; what PyTorch takes is measured by benchmarks.layer_memory
    LayerFeatures(module, ["1", "3"], max_memory="16MB").fit(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16e6  # all activations of the two layers are 64 MB


# ---- pitfall 9: files


def test_features_go_to_a_file_that_is_mapped(network, X, tmp_path):
    path = tmp_path / "features.npy"
    model = LayerFeatures(network, ["1", "2"], cache=path).fit(X)
    found = model.transform(X)
    assert isinstance(found, np.memmap)
    assert not found.flags.writeable
    expected = LayerFeatures(network, ["1", "2"]).fit(X).transform(X)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.load(path), expected)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["features.npy", "features.npy.json"]


def test_batches_of_unknown_number_go_to_a_file_too(network, X, tmp_path):
    model = LayerFeatures(network, cache=tmp_path / "features.npy").fit(X)
    found = model.transform(part for part in (X[:20], X[20:]))
    np.testing.assert_array_equal(found, LayerFeatures(network).fit(X).transform(X))


def test_a_file_of_the_same_rows_and_module_is_found_again(network, X, tmp_path):
    runs = []
    network[0].register_forward_hook(lambda *_: runs.append(1))
    model = LayerFeatures(network, cache=tmp_path / "features.npy").fit(X)
    first = np.array(model.transform(X))
    runs.clear()
    np.testing.assert_array_equal(model.transform(X), first)
    assert runs == []


@pytest.mark.parametrize("change", ["rows", "weights", "settings", "file", "fit"])
def test_a_file_of_other_rows_weights_or_settings_is_made_anew(change, network, X, tmp_path):
    path = tmp_path / "features.npy"
    model = LayerFeatures(network, ["1", "2"], cache=path).fit(X)
    model.transform(X)
    if change == "rows":
        X = X + 1
    elif change == "weights":
        network[2].weight.data[0, 0] += 1
    elif change == "settings":
        model.set_params(dtype="float64")
    elif change == "fit":
        model = LayerFeatures(network, ["1", "2"], norm="scale", cache=path).fit(X)
    else:
        path.unlink()
    found = model.transform(X)
    np.testing.assert_array_equal(found, model.set_params(cache=None).transform(X))


def test_an_earlier_map_outlives_the_file_it_came_from(network, X, tmp_path):
    model = LayerFeatures(network, cache=tmp_path / "features.npy").fit(X)
    first = model.transform(X)
    kept = np.array(first)
    model.transform(X + 1)
    np.testing.assert_array_equal(first, kept)


def test_a_pass_that_fails_leaves_no_file(network, X, tmp_path):
    network[0].weight.data *= 10
    model = LayerFeatures(network, cache=tmp_path / "features.npy", batch_size=8).fit(X)
    big = X.copy()
    big[43] = 3e38
    with pytest.raises(InputError):
        model.transform(big)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_said_so(network, X, tmp_path):
    model = LayerFeatures(network, cache=tmp_path / "no" / "features.npy").fit(X)
    with pytest.raises(OutputError, match=r"cannot write .*features.npy: No such file or directory"):
        model.transform(X)


# ---- pitfalls 10 and 11: precision and zeros


def test_reduced_precision_of_the_pass_is_pooled_and_stored_in_single(network, X):
    model = LayerFeatures(network, ["1", "2"], autocast="bfloat16", **RAW)
    found = model.fit_transform(X)
    exact = LayerFeatures(network, ["1", "2"], **RAW).fit_transform(X)
    assert found.dtype == np.float32
    assert 1e-5 < np.abs(found - exact).max() < 0.05


def test_half_precision_is_stored_where_it_holds_the_features_and_refused_where_not(network, X):
    model = LayerFeatures(network, dtype="float16", **RAW)
    found = model.fit_transform(X)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, LayerFeatures(network, **RAW).fit_transform(X), rtol=1e-3, atol=1e-4)
    with pytest.raises(InputError, match="a feature is beyond 65504, the most that float16 holds"):
        model.transform(X * 1e6)


def test_raw_activations_can_be_sparse(network, X):
    model = LayerFeatures(network, "1", sparse_output=True, **RAW)
    found = model.fit_transform(X)
    dense = LayerFeatures(network, "1", **RAW).fit_transform(X)
    assert found.format == "csr"
    assert found.nnz == (dense > 0).sum()
    np.testing.assert_array_equal(found.toarray(), dense)
