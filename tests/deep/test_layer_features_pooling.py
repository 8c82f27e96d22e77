"""Pitfall 7: positions to one vector, for maps, tokens, volumes, and numbers that are not real."""

import numpy as np
import pytest
import torch
from torch import nn

from coterie.deep import LayerFeatures
from coterie.deep._pooling import Form, pooled
from coterie.errors import InputError

RAW = {"norm": None, "reduce": None}
MAPS = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 3, 6, 8)))
TOKENS = torch.from_numpy(np.random.default_rng(1).normal(size=(4, 5, 3)))
MASK = torch.arange(5) < torch.tensor([5, 1, 3, 4])[:, None]
LAST = Form(0, "last")


def masked(function):
    return np.stack([function(row[keep].numpy()) for row, keep in zip(TOKENS, MASK, strict=True)])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("auto", MAPS.mean((2, 3))),
        ("mean", MAPS.mean((2, 3))),
        ("max", MAPS.amax((2, 3))),
        ("gem", (MAPS.clamp(min=1e-6) ** 3).mean((2, 3)) ** (1 / 3)),
        ("flatten", MAPS.flatten(1)),
        ("grid", nn.functional.adaptive_avg_pool2d(MAPS, 4).flatten(1)),
    ],
)
def test_maps(how, expected):
    np.testing.assert_allclose(pooled(MAPS, how, Form()), expected, rtol=1e-12)
    np.testing.assert_allclose(
        pooled(MAPS.movedim(1, -1), how, LAST) if how != "flatten" else expected, expected, rtol=1e-12
    )


def test_a_pyramid_is_the_mean_and_the_means_of_the_quarters():
    quarters = [MAPS[:, :, 3 * i : 3 * i + 3, 4 * j : 4 * j + 4].mean((2, 3)) for i in range(2) for j in range(2)]
    expected = torch.cat([MAPS.mean((2, 3)), torch.stack(quarters, 2).flatten(1)], 1)
    np.testing.assert_allclose(pooled(MAPS, "pyramid", Form()), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("auto", masked(lambda x: x.mean(0))),
        ("max", masked(lambda x: x.max(0))),
        ("gem", masked(lambda x: (np.maximum(x, 1e-6) ** 3).mean(0) ** (1 / 3))),
        ("cls", masked(lambda x: x[0])),
        ("cls+mean", masked(lambda x: np.r_[x[0], x.mean(0)])),
        ("last", masked(lambda x: x[-1])),
        ("flatten", (TOKENS * MASK[:, :, None]).flatten(1)),
    ],
)
def test_tokens_that_are_padding_are_left_out(how, expected):
    np.testing.assert_allclose(pooled(TOKENS, how, LAST, MASK), expected, rtol=1e-12)


def test_padding_that_is_not_finite_does_not_reach_the_mean():
    tokens = TOKENS.where(MASK[:, :, None], TOKENS.new_tensor(torch.nan))
    np.testing.assert_allclose(pooled(tokens, "mean", LAST, MASK), masked(lambda x: x.mean(0)), rtol=1e-12)


def test_rows_along_another_axis():
    np.testing.assert_allclose(pooled(TOKENS.transpose(0, 1), "mean", Form(1, "last")), TOKENS.mean(1), rtol=1e-12)


def test_volumes_and_signals():
    volume = torch.randn(2, 3, 4, 4, 4)
    np.testing.assert_allclose(pooled(volume, "auto", Form()), volume.mean((2, 3, 4)), rtol=1e-5, atol=1e-6)
    assert pooled(volume, "pyramid", Form()).shape == (2, 27)
    assert pooled(volume[:, :, :, 0, 0], "pyramid", Form()).shape == (2, 9)


def test_numbers_of_one_column_and_of_none():
    assert pooled(torch.arange(4.0), "auto", Form()).tolist() == [[0.0], [1.0], [2.0], [3.0]]


def test_complex_numbers_become_their_length():
    np.testing.assert_allclose(pooled(torch.tensor([[3 + 4j, 1j]]), "auto", Form()), [[5.0, 1.0]])


def test_half_precision_is_pooled_in_single():
    many = torch.full((1, 1, 300, 300), 1.0, dtype=torch.float16)
    many[0, 0, 0, 0] = 1000
    found = pooled(many, "mean", Form())
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, [[1 + 999 / 90000]], rtol=1e-6)


def test_sparse_activations_are_read_as_any_other():
    np.testing.assert_allclose(pooled(MAPS[:, :, 0, 0].to_sparse(), "auto", Form()), MAPS[:, :, 0, 0])


def test_a_function_can_pool():
    np.testing.assert_allclose(pooled(MAPS, lambda maps: maps.std((2, 3)), Form()), MAPS.std((2, 3)))
    with pytest.raises(InputError, match="must return a tensor with one row for each of 4 rows"):
        pooled(MAPS, lambda maps: maps.mean(), Form())


@pytest.mark.parametrize("how", ["cls", "last", "cls+mean"])
def test_a_pool_that_picks_a_token_refuses_maps(how):
    with pytest.raises(InputError, match=r"picks a token, and layer 'conv' gives maps"):
        pooled(MAPS, how, Form(), None, "conv")


@pytest.mark.parametrize("how", ["grid", "pyramid"])
def test_a_pool_by_place_refuses_padding(how):
    with pytest.raises(InputError, match="knows no padding"):
        pooled(TOKENS, how, LAST, MASK, "block")


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(InputError, match=r"layer 'block' gives each row \(5,\) positions and the mask has 4"):
        pooled(TOKENS, "mean", LAST, MASK[:, :4], "block")


class ToSequence(nn.Module):
    """A signal by convolution, then tokens; the container's own output stands the other way round again."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.linear = nn.Conv1d(2, 6, 3, padding=1), nn.ReLU(), nn.Linear(6, 7)

    def forward(self, x):
        y = self.relu(self.conv(x))
        return self.linear(y.transpose(1, 2)).transpose(1, 2)


def test_channels_are_found_by_the_layer_that_ran_last():
    torch.manual_seed(0)
    module, X = ToSequence(), np.random.default_rng(0).normal(size=(9, 2, 11)).astype(np.float32)
    with torch.no_grad():
        y = torch.relu(module.conv(torch.from_numpy(X)))
        z = module.linear(y.transpose(1, 2))
    found = LayerFeatures(module, ["conv", "relu", "linear", "last"], **RAW)
    values = found.fit_transform(X)
    assert [part.stop - part.start for part in found.layer_slices_.values()] == [6, 6, 7, 7]
    np.testing.assert_allclose(values[:, 6:], np.c_[y.mean(2), z.mean(1), z.mean(1)], atol=1e-6)


def test_where_channels_stand_can_be_said():
    module, X = nn.Sequential(nn.Identity()), np.random.default_rng(0).normal(size=(9, 4, 5)).astype(np.float32)
    for channels, axis in (("first", 2), ("last", 1)):
        found = LayerFeatures(module, {"0": {"channels": channels}}, **RAW).fit_transform(X)
        np.testing.assert_allclose(found, X.mean(axis), atol=1e-6)
