"""What of an encoder is clustered: white embeddings, blocks of layers, and the clusterers on both."""

import numpy as np
import pytest
import torch

from coterie.deep import DEC, AEKMeans, LayerFeatures
from coterie.deep._representation import Representation
from coterie.deep.encoders import ConvAutoencoder, MLPAutoencoder
from coterie.errors import InputError

ROWS = torch.rand(300, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def coder():
    torch.manual_seed(0)
    return MLPAutoencoder((8, 8), 4, hidden=(32, 16)).eval().requires_grad_(False)


def fitted(coder, layers, whiten=True):
    found = Representation(coder, layers, whiten, ROWS[:2])
    found.fit(ROWS)
    return found


def test_a_white_embedding_has_equal_variance_along_axes_that_do_not_vary_together(coder):
    z = fitted(coder, None)(ROWS).numpy()
    covariance = np.cov(z.T)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-3
    assert (np.diag(covariance) < 1.01).all()  # the floor makes thin axes thinner, never wider
    assert np.diag(covariance).max() > 0.95
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-4)


def test_without_whitening_the_embedding_is_as_it_is(coder):
    found = fitted(coder, None, whiten=False)
    np.testing.assert_array_equal(found(ROWS).numpy(), coder.encode(ROWS).numpy())
    assert found.width == 4


def test_blocks_of_layers_have_equal_total_variance_and_the_rows_of_layer_features(coder):
    names = ["encoder.1", "encoder.3", "encoder.5"]
    z = fitted(coder, names)(ROWS).numpy()
    widths = [32, 16, 4]
    assert z.shape == (300, sum(widths))
    parts = np.split(z, np.cumsum(widths)[:-1], axis=1)
    totals = [part.var(0).sum() for part in parts]
    assert max(totals) < 1.7 * min(totals)  # thin axes of a wide layer fall below the floor
    raw = LayerFeatures(coder, names, norm=None, reduce=None).fit_transform(ROWS.numpy())
    for part, layer in zip(parts, np.split(raw, np.cumsum(widths)[:-1], axis=1), strict=True):
        left = layer - layer.mean(0)
        explained = part @ np.linalg.lstsq(part, left, rcond=None)[0]
        np.testing.assert_allclose(explained, left, atol=1e-3 * np.abs(left).max())


def test_gradients_pass_through_the_blocks():
    own = ConvAutoencoder((8, 8), 3, channels=(4, 8))
    found = Representation(own, "all", True, ROWS[:2])
    found.fit(ROWS)
    found(ROWS[:5]).square().sum().backward()
    assert all(layer.weight.grad is not None for layer in own.encoder if hasattr(layer, "weight"))
    assert not any(module._forward_hooks for module in own.modules())


@pytest.mark.parametrize("kind", [AEKMeans, DEC])
def test_clusterers_take_several_layers(kind):
    settings = {"encoder": "mlp", "hidden": (16, 8), "pretrain_epochs": 4, "random_state": 0, "layers": "all"}
    model = kind(3, **settings, **({"epochs": 2} if kind is DEC else {})).fit(ROWS.numpy())
    assert model.embedding_.shape == (300, 16 + 8 + 10)
    np.testing.assert_array_equal(model.predict(ROWS.numpy()), model.labels_)


def test_a_layer_that_is_not_there_is_said_with_the_nearest_names():
    with pytest.raises(InputError, match=r"encoder\.1"):
        AEKMeans(3, encoder="mlp", hidden=(16,), layers=["encoder.11"], pretrain_epochs=1, random_state=0).fit(
            ROWS.numpy()
        )
