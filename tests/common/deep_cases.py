"""What the battery of the deep clusterers needs: small images, small networks, few epochs."""

from functools import cache
from importlib import import_module

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from coterie.catalog import DEEP
from coterie.deep._base import DeepClusterer

SMALL = {"hidden": (16,), "embedding_dim": 3, "pretrain_epochs": 3, "epochs": 2, "batch_size": 32, "encoder": "mlp"}
OF_ONE = {"IMSAT": {"epochs": 40}}  # begins with no clusters of K-means

torch.set_num_threads(1)  # several test processes share the cores, and threads that wait for one another stand still


def deep_class(name):
    """Return the class of a line."""
    module, _, attribute = next(line.target for line in DEEP if line.name == name).partition(":")
    return getattr(import_module(module), attribute)


# What clusters the nodes of a graph has tests of its own: the battery is about rows.
NAMES = tuple(line.name for line in DEEP if issubclass(deep_class(line.name), DeepClusterer))
every_deep_algorithm = pytest.mark.parametrize("name", NAMES)


def make_deep(name, **settings):
    """Return an unfitted estimator with a small network; settings that the class does not have are left out."""
    kind = deep_class(name)
    known = kind().get_params(deep=False)
    small = {"n_clusters": 4, "random_state": 0, **SMALL, **OF_ONE.get(name, {}), **settings}
    return kind(**{key: value for key, value in small.items() if key in known or key in settings})


@cache
def images():
    """Return 120 digits 0 to 3 of 8 x 8 pixels."""
    digits = load_digits()
    return (digits.images[digits.target < 4][:120] / 16).astype(np.float32)


@cache
def fitted_deep(name):
    """Return the estimator fitted on `images`; not to be changed."""
    return make_deep(name).fit(images())
