"""A model file gives back an equal model, or one sentence: never a wrong answer, never code that runs."""

import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from typing import NamedTuple

import numpy as np
import pytest

from common.cases import make
from coterie import catalog, models
from coterie.errors import InputError, ModelFileError
from coterie.models import _format, _values

# The full lane tries the 10,000 mutated files of the fault table.
MUTATIONS = 10_000 if os.environ.get("COTERIE_FULL") else 1_000


def _blobs(seed=0):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(center, 0.3, (40, 2)) for center in ((0, 0), (5, 0), (0, 5))])


class Nearest:
    """The least an estimator must be for a model file: nearest of two centres."""

    _state_attributes = ("_shift",)

    def __init__(self, n_clusters=2, init="first", random_state=None):
        self.n_clusters, self.init, self.random_state = n_clusters, init, random_state

    def get_params(self, deep=True):
        return {"n_clusters": self.n_clusters, "init": self.init, "random_state": self.random_state}

    def fit(self, X):
        self.cluster_centers_ = np.array(X[: self.n_clusters], dtype=float)
        self.n_features_in_ = X.shape[1]
        self._shift = np.zeros(X.shape[1])
        self.labels_ = self.predict(X)
        return self

    def predict(self, X):
        return np.argmin(((np.asarray(X)[:, None] - self.cluster_centers_) ** 2).sum(axis=2), axis=1)

    def _fitted_state(self):
        names = ("cluster_centers_", "n_features_in_", "labels_", "_shift")
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    def _restore(self, state):
        for name, value in state.items():
            setattr(self, name, value)
        return self

    def danger(self):
        raise AssertionError("never called")


@pytest.fixture
def nearest(monkeypatch):
    line = catalog.Entry("Nearest", f"{__name__}:Nearest", "test", "for tests", True, False, ("numba",))
    monkeypatch.setattr(catalog, "ALL", (*catalog.ALL, line))
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or sys.modules[Nearest.__module__])
    return Nearest(random_state=7).fit(np.array([[0.0, 0.0], [4.0, 4.0], [0.5, 0.0], [4.0, 5.0]]))


@pytest.fixture
def saved(nearest, tmp_path):
    return models.save(nearest, tmp_path / "model.coterie", label_map=[1, 0], card={"note": "für Test"})


REAL = [line.name for line in catalog.CATALOG]


# --- round trips ---------------------------------------------------------------------------------------------------------


def test_a_loaded_model_predicts_the_final_labels_of_the_run(nearest, saved):
    loaded = models.load(saved)
    assert type(loaded.estimator) is Nearest
    assert loaded.predict([[0.1, 0.0], [4.1, 4.0]]).tolist() == [1, 0]
    assert np.array_equal(loaded.estimator.labels_, nearest.labels_)


def test_the_card_says_what_the_model_was_made_from(saved):
    card = models.load(saved).card
    assert card["seed"] == 7
    assert card["n_rows"] == 4
    assert card["clusters"] == {"0": 2, "1": 2}
    assert card["versions"]["numpy"] == np.__version__
    assert card["note"] == "für Test"
    assert card["created"].endswith("Z")


def test_a_loaded_model_can_be_saved_again_and_stays_the_same(saved, tmp_path):
    again = models.save(models.load(saved), tmp_path / "again.coterie")
    assert again.read_bytes() == saved.read_bytes()


def test_safetensors_itself_reads_the_file(saved):
    from safetensors.numpy import load_file

    assert load_file(saved)["state.cluster_centers_"].tolist() == [[0.0, 0.0], [4.0, 4.0]]


def test_a_result_folder_stands_for_the_model_in_it(saved):
    assert models.load(saved.parent).card["seed"] == 7


@pytest.fixture(scope="module")
def fitted():
    """Every estimator of the catalog, fitted once."""
    return {name: make(name).fit(_blobs()) for name in REAL}


@pytest.mark.parametrize("name", REAL)
def test_a_saved_estimator_loads_with_equal_parameters_and_state(name, fitted, tmp_path):
    loaded = models.load(models.save(fitted[name], tmp_path / "m.coterie")).estimator
    assert loaded.get_params() == fitted[name].get_params()
    before, after = fitted[name]._fitted_state(), loaded._fitted_state()
    assert before.keys() == after.keys()
    np.testing.assert_equal(after, before)


def test_models_load_in_a_new_process_and_predict_the_training_labels(fitted, tmp_path):
    np.save(tmp_path / "X.npy", _blobs())
    for name in REAL:
        models.save(fitted[name], tmp_path / f"{name}.coterie")
    expected = {name: fitted[name].labels_.tolist() for name in REAL}
    script = (
        "import coterie, json, numpy as np, sys; X = np.load('X.npy');"
        "print(json.dumps({n: coterie.load(n + '.coterie').predict(X).tolist() for n in sys.argv[1:]}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *REAL], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == expected


class Pair(NamedTuple):
    left: object
    right: object


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**70),
        "text \x00 ünï 💥",
        [1, [2.5, "x"]],
        (1, (2, None)),
        {"a": {"b": [1]}},
        float("nan"),
        float("-inf"),
        np.float32(0.1),
        np.arange(6).reshape(2, 3)[:, ::-1],
        np.asfortranarray(np.ones((3, 2), dtype=np.float32)),
        np.array(3.5),
        np.empty((0, 4)),
        np.array([1, 2], dtype=">i4"),
        np.array([True, False]),
        np.array(["a", "bcd"]),
        np.array(["a", None, "c"], dtype=object),
        np.array(["2020-01-01", "NaT"], dtype="datetime64[us]"),
        np.array([(1, 2.5), (3, 4.5)], dtype=[("parent", np.int64), ("lambda_val", np.float64)]),
        Pair(np.arange(3), "x"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_kind_of_value_comes_back_as_it_was(value, tmp_path):
    arrays = {}
    packed = _values.pack(value, "v", arrays)
    _format.write(tmp_path / "f", _format.dump_json([packed]), arrays)
    document, read = _format.read(tmp_path / "f")
    back = _values.unpack(json.loads(document)[0], read, lambda name: {"Pair": Pair}[name])
    np.testing.assert_equal(back, value)
    assert type(back) is type(value) or isinstance(value, np.floating)
    if isinstance(value, np.ndarray) and value.dtype.kind not in "OU":
        assert back.dtype == value.dtype.newbyteorder("=")
    assert not read


def test_sparse_rows_come_back_as_they_were():
    from scipy.sparse import csr_array

    rows = csr_array(np.array([[0.0, 2.0], [0.0, 0.0], [3.0, 0.0]]))
    arrays = {}
    back = _values.unpack(_values.pack(rows, "v", arrays), arrays, lambda name: None)
    assert isinstance(back, csr_array)
    assert back.toarray().tolist() == rows.toarray().tolist()


# --- refusals when saving ------------------------------------------------------------------------------------------------


def test_saving_what_is_not_fitted_says_so(nearest, tmp_path):
    with pytest.raises(InputError, match="not fitted"):
        models.save(Nearest(), tmp_path / "m.coterie")
    assert not list(tmp_path.iterdir())


def test_saving_a_class_that_is_not_on_the_list_says_what_is(tmp_path):
    with pytest.raises(InputError, match=r"KMeans.*DBSCAN, HDBSCAN.*; got builtins\.dict"):
        models.save({}, tmp_path / "m.coterie")


def test_a_function_as_a_parameter_is_refused_by_name(nearest, tmp_path):
    nearest.init = len
    with pytest.raises(InputError, match="init is a builtin_function_or_method"):
        models.save(nearest, tmp_path / "m.coterie")


def test_endless_nesting_is_refused_when_saving(nearest, tmp_path):
    loop: list = []
    loop.append(loop)
    nearest.init = loop
    with pytest.raises(InputError, match="nested"):
        models.save(nearest, tmp_path / "m.coterie")


# --- damage --------------------------------------------------------------------------------------------------------------


def _mutated(data, rng):
    """Return ``data`` with one to three accidents: flipped bits, cut ends, copied, removed or inserted stretches."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(0, max(len(changed), 1)))
        length = int(rng.integers(1, 40))
        match int(rng.integers(0, 7)):
            case 0 if changed:
                changed[at] ^= 1 << int(rng.integers(0, 8))
            case 1:
                del changed[at:]
            case 2:
                del changed[at : at + length]
            case 3:
                changed[at:at] = rng.bytes(length)
            case 4:
                changed[at : at + length] = bytes(length)
            case 5:
                changed[at:at] = changed[:length]
            case _ if len(changed) > 8:
                changed[:8] = struct.pack("<Q", int(rng.integers(0, 2**63)) >> int(rng.integers(0, 63)))
    return bytes(changed)


@pytest.mark.parametrize("seed", range(10))
def test_a_mutated_file_is_refused_or_equals_the_original(saved, tmp_path, seed):
    original = saved.read_bytes()
    expected = _format.read(saved)
    rng = np.random.default_rng(seed)
    target = tmp_path / "mutated.coterie"
    refused = 0
    for _ in range(MUTATIONS // 10):
        target.write_bytes(_mutated(original, rng))
        try:
            models.load(target)
        except ModelFileError:
            refused += 1
        else:
            np.testing.assert_equal(_format.read(target), expected)
    assert refused > MUTATIONS // 20


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 100, 600])
def test_a_file_cut_short_is_refused(saved, length):
    saved.write_bytes(saved.read_bytes()[:length])
    with pytest.raises(ModelFileError):
        models.load(saved)


def test_one_flipped_bit_in_an_array_is_found(saved):
    data = bytearray(saved.read_bytes())
    data[-1] ^= 1
    saved.write_bytes(data)
    with pytest.raises(ModelFileError, match="do not match their seal"):
        models.load(saved)


# --- hostility -----------------------------------------------------------------------------------------------------------


def _with_header(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


_GOOD = {"format": _format.FORMAT, "document": "{}", "sha256": "0" * 64}


def _array(shape, offsets, dtype="F64"):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


HOSTILE = {
    "billions of elements": _with_header({"__metadata__": _GOOD, "a": _array([2**33], [0, 2**36])}, b"x" * 64),
    "a product that wraps round": _with_header({"__metadata__": _GOOD, "a": _array([2**32, 2**32], [0, 0])}),
    "nothing times a lot": _with_header({"__metadata__": _GOOD, "a": _array([2**61, 0], [0, 0])}),
    "more room than the file": _with_header({"__metadata__": _GOOD, "a": _array([2], [0, 16])}, b"x" * 8),
    "overlapping offsets": _with_header(
        {"__metadata__": _GOOD, "a": _array([1], [0, 8]), "b": _array([1], [4, 12])}, b"x" * 12
    ),
    "a gap": _with_header({"__metadata__": _GOOD, "a": _array([1], [8, 16])}, b"x" * 16),
    "bytes left over": _with_header({"__metadata__": _GOOD, "a": _array([1], [0, 8])}, b"x" * 16),
    "negative offsets": _with_header({"__metadata__": _GOOD, "a": _array([1], [-8, 0])}),
    "offsets as text": _with_header({"__metadata__": _GOOD, "a": _array([1], ["0", "8"])}, b"x" * 8),
    "a shape of truth values": _with_header({"__metadata__": _GOOD, "a": _array([True], [0, 8])}, b"x" * 8),
    "many dimensions": _with_header({"__metadata__": _GOOD, "a": _array([1] * 70, [0, 8])}, b"x" * 8),
    "objects": _with_header({"__metadata__": _GOOD, "a": _array([1], [0, 8], "O")}, b"x" * 8),
    "deep JSON": _with_header(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
    "an endless number": _with_header(b'{"a":' + b"9" * 10_000 + b"}"),
    "repeated keys": _with_header(b'{"a":1,"a":2}'),
    "NaN": _with_header(b'{"a":NaN}'),
    "a list": _with_header(b"[1]"),
    "a header as long as 2**63": struct.pack("<Q", 2**63) + b"{}",
    "a foreign safetensors file": _with_header({"a": _array([1], [0, 8])}, b"x" * 8),
    "a later version": _with_header({"__metadata__": {**_GOOD, "format": "coterie.model/2"}}),
    "a wrong seal": _with_header({"__metadata__": _GOOD}),
    "not UTF-8": _with_header(b'{"\xff":1}'),
    "text": b"row,label\n0,1\n" * 20,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_header_is_refused_in_one_sentence(case, tmp_path):
    path = tmp_path / "hostile.coterie"
    path.write_bytes(HOSTILE[case])
    with pytest.raises(ModelFileError) as caught:
        models.load(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_claim_of_billions_of_elements_allocates_nothing(tmp_path):
    import tracemalloc

    path = tmp_path / "hostile.coterie"
    path.write_bytes(HOSTILE["billions of elements"])
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError):
            models.load(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


class Bomb:
    """Pickled, it creates the canary file when it is loaded."""

    def __init__(self, canary):
        self.canary = str(canary)

    def __reduce__(self):
        return os.mkdir, (self.canary,)


def _bomb_bytes(kind, canary, path):
    if kind == "npy":
        with open(path, "wb") as file:
            np.save(file, np.array([Bomb(canary)], dtype=object), allow_pickle=True)
    elif kind == "npz":
        with open(path, "wb") as file:
            np.savez(file, a=np.array([Bomb(canary)], dtype=object))
    elif kind == "pt":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(Bomb(canary)))
    else:
        path.write_bytes(pickle.dumps(Bomb(canary), protocol=int(kind)))


def test_a_header_of_any_length_is_read(nearest, tmp_path):
    # The first byte of the file is the length's lowest: 0x80 is also how a pickle begins.
    for extra in range(64):
        path = models.save(nearest, tmp_path / "m.coterie", card={"note": "x" * 8 * extra})
        assert models.load(path).card["note"] == "x" * 8 * extra


@pytest.mark.parametrize("kind", ["0", "2", "5", "npy", "npz", "pt"])
def test_a_pickle_renamed_to_coterie_is_never_run(kind, tmp_path):
    canary, path = tmp_path / "canary", tmp_path / "model.coterie"
    _bomb_bytes(kind, canary, path)
    with pytest.raises(ModelFileError):
        models.load(path)
    assert not canary.exists()


def _forged(saved, change):
    """Write the model anew with a changed document and a seal that fits: what a forger, not an accident, would do."""
    text, arrays = _format.read(saved)
    document = json.loads(text)
    change(document, arrays)
    _format.write(saved, json.dumps(document), arrays)
    return saved


def _set(*keys_and_value):
    *keys, last, value = keys_and_value

    def change(document, arrays):
        for key in keys:
            document = document[key]
        document[last] = value

    return change


FORGERIES = {
    "a class outside the list": _set("class", "os.system"),
    "a module as class": _set("class", "coterie.models:load"),
    "a class that is no text": _set("class", ["KMeans"]),
    "an unknown parameter": _set("parameters", "__class__", 1),
    "a method as state": _set("state", "danger", "x"),
    "a dunder as state": _set("state", "__dict__", {"dict": {}}),
    "a private name as state": _set("state", "_restore", 1),
    "another private name": _set("state", "_evil", 1),
    "features that are none": _set("state", "n_features_in_", -3),
    "more features than the centres have": _set("state", "n_features_in_", 3),
    "centres that are text": _set("state", "cluster_centers_", "x"),
    "labels below -1": _set("state", "labels_", {"objects": [[1], [-5], "O"]}),
    "an unknown kind": _set("state", "labels_", {"pickle": "gASV"}),
    "a named tuple outside the list": _set("state", "labels_", {"named": ["os.system", {}]}),
    "an array that is not there": _set("state", "labels_", {"array": "gone"}),
    "one array twice": _set("state", "labels_", {"array": "state.cluster_centers_"}),
    "two keys": _set("state", "labels_", {"array": "state.labels_", "float": "nan"}),
    "objects of another length": _set("card", {"objects": [[2**40], ["a"], "O"]}),
    "a label map that is no array": _set("label_map", {"tuple": [1]}),
    "deep values": _set("card", json.loads("[" * 100 + "]" * 100)),
    "a card that is no card": _set("card", 3),
    "state that is a list": _set("state", []),
    "preparation from nowhere": _set("prepared", [1]),
    "a key of the format too many": _set("more", 1),
}


@pytest.mark.parametrize("case", FORGERIES)
def test_a_forgery_with_a_valid_seal_is_refused_in_one_sentence(case, saved):
    with pytest.raises(ModelFileError) as caught:
        models.load(_forged(saved, FORGERIES[case]))
    assert "\n" not in str(caught.value)


def test_an_array_that_nothing_refers_to_is_refused(saved):
    with pytest.raises(ModelFileError, match="nothing refers to"):
        models.load(_forged(saved, lambda document, arrays: arrays.update(extra=np.ones(3))))


def test_a_label_map_shorter_than_the_labels_is_refused(saved):
    with pytest.raises(ModelFileError, match="label map"):
        models.load(_forged(saved, lambda document, arrays: arrays.update(label_map=np.zeros(1, np.int64))))


def test_centres_that_are_not_finite_are_refused(saved):
    def change(document, arrays):
        arrays["state.cluster_centers_"][0, 0] = np.nan

    with pytest.raises(ModelFileError, match="NaN or infinity"):
        models.load(_forged(saved, change))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("KMeans", "_centers"),
        ("KMeans", "_shift"),
        ("KMeans", "cluster_centers_"),
        ("DBSCAN", "components_"),
        ("DBSCAN", "core_sample_indices_"),
        ("HDBSCAN", "_rows"),
        ("HDBSCAN", "_births"),
        ("HDBSCAN", "_leaving"),
        ("HDBSCAN", "core_distances_"),
        ("HDBSCAN", "labels_"),
    ],
)
@pytest.mark.parametrize("change", ["short", "long", "deep", "narrow", "text"])
def test_arrays_that_do_not_belong_together_are_refused_before_a_kernel_sees_them(name, key, change, small_models):
    path, text, arrays = small_models(name)
    array = arrays[f"state.{key}"]
    changed = {
        "short": array[:-1],
        "long": np.concatenate([array, array]),
        "deep": array[None],
        "narrow": array[:, :1].copy() if array.ndim == 2 else array[:0],
        "text": array.astype(bool),
    }[change]
    _format.write(path, text, {**arrays, f"state.{key}": changed})
    with pytest.raises(ModelFileError, match="damaged"):
        models.load(path)


@pytest.fixture
def small_models(fitted, tmp_path):
    """Return a function that gives path, document and arrays of a saved estimator."""

    def save(name):
        path = models.save(fitted[name], tmp_path / "m.coterie")
        return path, *_format.read(path)

    return save


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "there is no model file"),
        (lambda path: path.mkdir(), "is not a file; the model inside"),
        (os.mkfifo, "is not a file"),
    ],
    ids=["absent", "folder", "pipe"],
)
def test_what_is_no_file_is_refused_without_reading_it(make, message, tmp_path):
    path = tmp_path / "model.coterie"
    make(path)
    with pytest.raises(ModelFileError, match=message):
        models.load(path)


def test_a_name_with_a_nul_in_it_is_refused():
    with pytest.raises(ModelFileError, match="not a file name"):
        models.load("a\0b")
