"""The loop that trains: seeds, stops, checkpoints, and what it says when a loss breaks."""

import numpy as np
import pytest
import torch
from torch import nn

from coterie.deep._checkpoint import Checkpoint
from coterie.deep._training import Phase, Run, encoded, seeded, train
from coterie.errors import InputError, ModelFileError

ROWS = torch.randn(53, 4, generator=torch.Generator().manual_seed(0))


class Fit(Phase):
    """Learn to add up four numbers, with some of them left out at random."""

    name = "fit"

    def loss(self, x, index):
        guess = self.module(nn.functional.dropout(x, 0.2)).squeeze(1)
        return {"error": (guess - x.sum(1)).square().mean(), "size": 1e-3 * self.module.weight.square().sum()}


class Stopped(Exception):
    """Stands for a process that is killed."""


def run(checkpoint=None, show=None, seed=3):
    return Run(seed, 8, checkpoint, [], show)


def trained(epochs=12, seed=3, checkpoint=None, show=None):
    with seeded(seed, "build"):
        phase = Fit(nn.Linear(4, 1), epochs, 0.05)
    one = run(checkpoint, show, seed)
    reason = train(phase, ROWS, one)
    return phase.module.weight.detach().numpy().copy(), one.history, reason


def test_the_loss_falls_and_the_history_has_each_term():
    _, history, reason = trained(60)
    assert history[-1]["error"] < history[0]["error"] / 4
    assert set(history[0]) == {"phase", "epoch", "error", "size"}
    assert reason == "epochs"


def test_the_same_seed_gives_the_same_bits_and_another_gives_others():
    np.testing.assert_array_equal(trained()[0], trained()[0])
    assert (trained()[0] != trained(seed=4)[0]).any()


def test_the_generator_of_the_caller_is_left_as_it_was():
    before = torch.get_rng_state()
    trained(2)
    assert torch.equal(before, torch.get_rng_state())


def test_a_seed_made_of_words_depends_on_each_of_them():
    def draw(*words):
        with seeded(*words):
            return float(torch.rand(()))

    assert len({draw(0, "a", 0), draw(0, "a", 1), draw(0, "b", 0), draw(1, "a", 0)}) == 4
    assert draw(0, "a", 0) == draw(0, "a", 0)


@pytest.mark.parametrize("stop_at", range(11))
def test_a_training_that_was_stopped_goes_on_to_the_same_bits(tmp_path, stop_at):
    path = tmp_path / "state.safetensors"

    def show(record, epochs):
        if record["epoch"] == stop_at:
            raise Stopped

    with pytest.raises(Stopped):
        trained(checkpoint=Checkpoint(path, "same"), show=show)
    weight, history, _ = trained(checkpoint=Checkpoint(path, "same"))
    expected, expected_history, _ = trained()
    np.testing.assert_array_equal(weight, expected)
    assert history == expected_history


def test_a_phase_that_had_ended_is_not_run_again(tmp_path):
    path = tmp_path / "state.safetensors"
    weight, history, _ = trained(checkpoint=Checkpoint(path, "same"))
    again, again_history, reason = trained(checkpoint=Checkpoint(path, "same"))
    np.testing.assert_array_equal(weight, again)
    assert again_history == history
    assert reason == "epochs"


def test_a_checkpoint_of_other_data_is_refused_and_left(tmp_path):
    path = tmp_path / "state.safetensors"
    trained(2, checkpoint=Checkpoint(path, "these"))
    before = path.read_bytes()
    with pytest.raises(InputError, match="other data or with other parameters"):
        Checkpoint(path, "those")
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x80\x04cposix\nsystem\n(S'true'\ntR."])
def test_a_file_that_is_no_checkpoint_is_said_so(tmp_path, content):
    path = tmp_path / "state.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="is not a checkpoint of coterie"):
        Checkpoint(path, "any")


def test_a_checkpoint_of_another_network_is_said_so(tmp_path):
    path = tmp_path / "state.safetensors"
    trained(2, checkpoint=Checkpoint(path, "same"))
    phase = Fit(nn.Linear(4, 3), 2, 0.05)
    with pytest.raises(ModelFileError, match="does not fit this encoder"):
        train(phase, ROWS, run(Checkpoint(path, "same")))


def test_a_loss_that_is_no_number_is_said_with_its_name_and_epoch():
    class Broken(Fit):
        def loss(self, x, index):
            return {"error": self.module(x).sum() * float("nan")}

    with pytest.raises(InputError, match="the term 'error' of the loss became nan in epoch 0 of the phase 'fit'"):
        train(Broken(nn.Linear(4, 1), 3, 0.1), ROWS, run())


@pytest.mark.parametrize("n", [2, 7, 8, 9, 16, 17])
def test_every_row_is_used_once_an_epoch_and_no_batch_is_a_single_row(n):
    seen = []

    class Watch(Fit):
        def loss(self, x, index):
            seen.append(index.tolist())
            return super().loss(x, index)

    train(Watch(nn.Linear(4, 1), 1, 0.1), ROWS[:n], run())
    assert sorted(i for batch in seen for i in batch) == list(range(n))
    assert min(map(len, seen)) >= 2
    assert max(map(len, seen)) <= 9


def test_encoding_in_batches_is_encoding_at_once():
    layer = nn.Linear(4, 3)
    np.testing.assert_allclose(encoded(layer, ROWS, 7).numpy(), layer(ROWS).detach().numpy(), rtol=1e-6, atol=1e-6)
