"""What every line of `coterie.catalog.DEEP` promises: what comes out, seeds, files, interruption, bad input."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

import coterie
from common.deep_cases import NAMES, deep_class, every_deep_algorithm, fitted_deep, images, make_deep
from coterie.deep.encoders import MLPAutoencoder, VariationalAutoencoder
from coterie.errors import InputError, ModelFileError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@parametrize_with_checks([make_deep(name) for name in NAMES])
def test_passes_the_check_of_scikit_learn(estimator, check):
    assert check(estimator) is None  # a check raises where it fails


# ---- what comes out


@every_deep_algorithm
def test_shapes_and_kinds_of_what_is_fitted(name):
    model = fitted_deep(name)
    n, k = len(images()), len(model.occupancy_)
    assert model.labels_.shape == (n,)
    assert model.labels_.dtype == np.int64
    assert model.soft_labels_.shape == (n, k)
    assert model.embedding_.shape[0] == n
    assert model.row_shape_ == (8, 8)
    assert model.n_features_in_ == 64
    np.testing.assert_array_equal(model.occupancy_, np.bincount(model.labels_, minlength=k))
    np.testing.assert_allclose(model.soft_labels_.sum(1), 1, rtol=1e-5)
    assert -0.5 <= model.score_ <= 1


@every_deep_algorithm
def test_predict_repeats_the_labels_and_agrees_with_the_probabilities(name):
    model = fitted_deep(name)
    np.testing.assert_array_equal(model.predict(images()), model.labels_)
    np.testing.assert_array_equal(model.predict_proba(images()), model.soft_labels_)
    np.testing.assert_array_equal(model.transform(images()), model.embedding_)


@every_deep_algorithm
def test_rows_of_images_may_come_flat(name):
    model = fitted_deep(name)
    np.testing.assert_array_equal(model.predict(images().reshape(-1, 64)), model.labels_)


@every_deep_algorithm
def test_the_same_seed_gives_the_same_labels(name):
    np.testing.assert_array_equal(make_deep(name).fit_predict(images()), fitted_deep(name).labels_)


@every_deep_algorithm
def test_the_generators_of_the_caller_are_left_as_they_were(name):
    before, state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 - the old global one
    make_deep(name).fit(images()[:40])
    assert torch.equal(before, torch.get_rng_state())
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002


@every_deep_algorithm
def test_an_offset_and_a_unit_change_no_label(name):
    moved = images().astype(np.float64) * 1024 + 4096  # exact in binary
    agree = np.mean(make_deep(name).fit_predict(moved) == fitted_deep(name).labels_)
    assert agree > 0.95  # rounding of the standard deviation is all that differs


@every_deep_algorithm
def test_tensors_come_back_as_tensors(name):
    model = make_deep(name).fit(torch.from_numpy(images()))
    assert isinstance(model.labels_, torch.Tensor)
    assert isinstance(model.transform(torch.from_numpy(images())), torch.Tensor)
    np.testing.assert_array_equal(model.labels_.numpy(), fitted_deep(name).labels_)


@every_deep_algorithm
def test_frames_give_their_names(name):
    frame = pd.DataFrame(images().reshape(-1, 64)[:, 20:30], columns=[f"p{i}" for i in range(10)])
    model = make_deep(name).fit(frame)
    assert model.feature_names_in_.tolist() == frame.columns.tolist()
    np.testing.assert_array_equal(model.predict(frame), model.labels_)


@every_deep_algorithm
def test_no_cluster_is_below_the_least_size(name):
    model = make_deep(name, n_clusters=10, min_cluster_size=20).fit(images())
    assert model.occupancy_.min() >= 20
    np.testing.assert_array_equal(model.predict(images()), model.labels_)


@every_deep_algorithm
def test_of_several_trainings_the_best_by_score_is_kept(name):
    one, three = fitted_deep(name), make_deep(name, n_init=3).fit(images())
    assert three.score_ >= one.score_


# ---- a module of the user's own


class Own(nn.Module):
    """A network without a loss."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 5)

    def forward(self, x):
        return self.layer(x.flatten(1)).relu()


KINDS = {
    "plain": Own,
    "autoencoder": lambda: MLPAutoencoder((8, 8), 3, hidden=(16,)),
    "variational": lambda: VariationalAutoencoder((8, 8), 3, hidden=(16,)),
}


def taken(name):
    """Return which of the modules have all methods that the algorithm says it calls."""
    needs = getattr(deep_class(name), "_needs", ())
    return [kind for kind, make in KINDS.items() if all(hasattr(make(), method) for method in needs)]


def state_of(module):
    return {key: value.clone() for key, value in module.state_dict().items()}


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in NAMES for kind in taken(name)])
def test_a_module_that_is_given_is_left_as_it_was(name, kind):
    torch.manual_seed(0)
    module = KINDS[kind]()
    module.train()
    before = state_of(module)
    model = make_deep(name, encoder=module).fit(images())
    assert module.training
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in module.parameters())
    np.testing.assert_array_equal(model.predict(images()), model.labels_)


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name in NAMES for kind in KINDS if kind not in taken(name)]
)
def test_a_module_without_what_the_algorithm_calls_is_refused_in_one_sentence(name, kind):
    module = KINDS[kind]()
    with pytest.raises(
        InputError, match=rf"{name} calls .*\(\) of its encoder, and {type(module).__name__} has none; "
    ):
        make_deep(name, encoder=module).fit(images())


# ---- files


@every_deep_algorithm
def test_a_saved_model_gives_the_same_labels(name, tmp_path):
    model = fitted_deep(name)
    path = coterie.save(model, tmp_path / "deep.coterie")
    loaded = coterie.load(path).estimator
    np.testing.assert_array_equal(loaded.predict(images()), model.labels_)
    np.testing.assert_array_equal(loaded.soft_labels_, model.soft_labels_)
    assert loaded.history_ == model.history_


@every_deep_algorithm
def test_copies_and_pickles_predict_the_same(name):
    model = pickle.loads(pickle.dumps(fitted_deep(name)))
    np.testing.assert_array_equal(model.predict(images()), model.labels_)
    assert clone(model).get_params(deep=False) == model.get_params(deep=False)


@every_deep_algorithm
def test_a_model_around_a_module_of_the_user_is_not_written(name, tmp_path):
    module = KINDS[taken(name)[0]]()
    model = make_deep(name, encoder=module).fit(images())
    with pytest.raises(InputError, match=f"encoder is a {type(module).__name__}, which a model file cannot hold"):
        coterie.save(model, tmp_path / "deep.coterie")
    assert not list(tmp_path.iterdir())


@every_deep_algorithm
def test_weights_of_another_size_are_refused(name):
    model = fitted_deep(name)
    state = model._fitted_state()
    state["_weights"] = {key: np.atleast_1d(value)[:1] for key, value in state["_weights"].items()}
    with pytest.raises(ModelFileError, match="the model is damaged"):
        make_deep(name)._restore(state)


# ---- interruption


class Stopped(Exception):
    """Stands for a process that is killed."""


@every_deep_algorithm
@pytest.mark.parametrize("moments", ["some", pytest.param("all", marks=pytest.mark.thorough)])
def test_a_fit_that_was_killed_goes_on_to_the_same_labels(name, moments, tmp_path, monkeypatch):
    from coterie.deep import _training

    whole = make_deep(name, checkpoint=tmp_path / "whole").fit(images())
    n_epochs = len(whole.history_)
    for stop_at in range(n_epochs) if moments == "all" else sorted({0, n_epochs // 2, n_epochs - 1}):
        path = tmp_path / f"state{stop_at}"
        keep, count = _training.Checkpoint.keep, iter(range(n_epochs))

        def killed(self, *state, keep=keep, count=count, stop_at=stop_at):
            keep(self, *state)
            if next(count) == stop_at:
                raise Stopped

        with monkeypatch.context() as patch:
            patch.setattr(_training.Checkpoint, "keep", killed)
            with pytest.raises(Stopped):
                make_deep(name, checkpoint=path).fit(images())
        assert path.exists()
        resumed = make_deep(name, checkpoint=path).fit(images())
        np.testing.assert_array_equal(resumed.labels_, whole.labels_)
        np.testing.assert_array_equal(resumed.soft_labels_, whole.soft_labels_)
        assert resumed.history_ == whole.history_
        assert not path.exists()


@every_deep_algorithm
def test_a_checkpoint_needs_a_seed(name, tmp_path):
    with pytest.raises(InputError, match="set random_state to a whole number"):
        make_deep(name, checkpoint=tmp_path / "state", random_state=None).fit(images())


# ---- bad input


@every_deep_algorithm
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (lambda X: (X * 255).astype(np.uint8), "divide by 255"),
        (lambda X: torch.from_numpy((X * 255).astype(np.uint8)), "divide by 255"),
        (lambda X: np.where(X[5, 2, 3] == X, np.nan, X), "NaN"),
        (lambda X: X[:1], "minimum of 2|n_samples=1"),
        (lambda X: X[:3], "n_samples=3 should be >= .*n_clusters=4"),
        (lambda X: X[:0], "0 sample|at least one row"),
        (lambda X: X.astype(np.float64) * 1e300, "beyond single precision"),
        (lambda X: X[:, None, None, None], "rows of"),
    ],
    ids=["uint8", "uint8 tensor", "NaN", "one image", "k > n", "none", "1e300", "too many sides"],
)
def test_rows_that_cannot_be_used_are_said_in_one_sentence(name, rows, words):
    model = make_deep(name, encoder="conv")
    with pytest.raises(ValueError, match=words) as caught:
        model.fit(rows(images()))
    assert "\n" not in str(caught.value)
    assert not hasattr(model, "labels_")


@every_deep_algorithm
def test_rows_of_another_shape_than_those_of_the_fit_are_refused(name):
    with pytest.raises(InputError, match=r"64 features|shape \(8, 8\)"):
        fitted_deep(name).predict(np.zeros((3, 8, 9), np.float32))


@every_deep_algorithm
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error_and_no_change_to_the_cpu(name):
    with pytest.raises(InputError, match="device='cuda' is not usable here"):
        make_deep(name, device="cuda").fit(images())


@every_deep_algorithm
def test_equal_rows_fall_into_one_cluster_and_break_nothing(name):
    model = make_deep(name, n_clusters=2).fit(np.ones((20, 8, 8), np.float32))
    assert len(np.unique(model.labels_)) == 1
