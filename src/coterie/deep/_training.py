"""Training by mini-batches: the one loop that every deep clusterer runs, stretch by stretch.

A `Phase` says what is trained, by which loss, and when it ends; `train` runs it. All that a phase changes lies in the
parameters and buffers of its module and in the optimizer, and every epoch draws from a seed of its own. So a state written
after an epoch is enough to go on as if nothing had happened.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import InputError
from ._checkpoint import Checkpoint

__all__ = ["Phase", "Run", "encoded", "seeded", "train"]

_MANY = 1 << 20  # parameters: from here a step in one pass over them saves a fifth of the training on the CPU


class Run(NamedTuple):
    """What is the same for every phase of one start."""

    seed: int
    batch_size: int
    checkpoint: Checkpoint | None
    history: list[dict[str, Any]]
    show: Any  # called with the newest record of the history and the number of epochs, or None


class Phase:
    """One stretch of training.

    Parameters
    ----------
    module : torch.nn.Module
        Holds every parameter and buffer that the phase changes.
    epochs : int
        How many at most.
    learning_rate : float
    """

    name = "train"
    has_loss = True

    def __init__(self, module: nn.Module, epochs: int, learning_rate: float):
        self.module = module
        self.epochs = epochs
        self.learning_rate = learning_rate

    def optimizer(self) -> torch.optim.Optimizer:
        """Return what takes the steps."""
        wanted = [parameter for parameter in self.module.parameters() if parameter.requires_grad]
        kinds = {parameter.device.type for parameter in wanted}
        fused = kinds == {"cuda"} or (kinds == {"cpu"} and sum(parameter.numel() for parameter in wanted) >= _MANY)
        return torch.optim.Adam(wanted, lr=self.learning_rate, fused=fused)

    def begin(self, rows: Tensor) -> None:
        """Set the module up, once; a phase that is taken up again has this in its state."""

    def before_epoch(self, rows: Tensor, optimizer: torch.optim.Optimizer) -> dict[str, float]:
        """Bring up to date what depends on all rows; return what the history shall keep of it."""
        return {}

    def loss(self, x: Tensor, index: Tensor) -> dict[str, Tensor]:
        """Return the terms, by name, whose sum a step makes smaller, for the rows ``x`` with the numbers ``index``."""
        raise NotImplementedError

    def after_step(self, x: Tensor, index: Tensor) -> None:
        """Follow a step with what no gradient does."""

    def stop(self, record: dict[str, Any]) -> str | None:
        """Return why to end before ``epochs``, given the newest record of the history, or None to go on."""
        return None


def train(phase: Phase, rows: Tensor, run: Run) -> str:
    """Run one phase, from its start or from where the checkpoint left it.

    Parameters
    ----------
    phase : Phase
    rows : (n, ...) float tensor
        On the device of the phase's module.
    run : Run
        Its history grows by a record an epoch.

    Returns
    -------
    str
        Why it ended: "epochs", or what `Phase.stop` said.

    Raises
    ------
    InputError
        If the loss is not finite.
    """
    optimizer = phase.optimizer()
    first, reason = _take_up(phase, optimizer, run)
    if first == 0 and reason is None:
        with seeded(run.seed, phase.name, "begin"):
            phase.begin(rows)
    for epoch in range(first, phase.epochs):
        if reason is not None:
            break
        with seeded(run.seed, phase.name, epoch):
            record = {"phase": phase.name, "epoch": epoch, **_epoch(phase, rows, optimizer, run.batch_size, epoch)}
        run.history.append(record)
        reason = phase.stop(record)
        if run.checkpoint is not None:
            run.checkpoint.keep(phase.name, epoch + 1, reason, phase.module, optimizer, run.history)
        if run.show is not None:
            run.show(record, phase.epochs)
    phase.module.eval()
    return reason or "epochs"


def encoded(encode: Any, rows: Tensor, batch_size: int = 1024) -> Tensor:
    """Return ``encode`` of all rows, without gradients, a batch at a time: always the same batches, so the same bits.

    Parameters
    ----------
    encode : callable
        From (b, ...) rows to (b, p).
    rows : (n, ...) tensor
    batch_size : int

    Returns
    -------
    (n, p) tensor
    """
    out = None
    with torch.no_grad():
        for start in range(0, len(rows), batch_size):
            part = encode(rows[start : start + batch_size])
            if out is None:
                out = part.new_empty((len(rows), *part.shape[1:]))
            out[start : start + len(part)] = part
    assert out is not None  # the gate lets no empty data in
    return out


@contextlib.contextmanager
def seeded(*words: Any) -> Iterator[None]:
    """Draw from a seed made of ``words`` inside the block, and leave PyTorch's own generators as they were."""
    text = "/".join(map(str, words)).encode()
    seed = int(np.random.SeedSequence(list(text)).generate_state(2, np.uint32).view(np.uint64)[0] >> 1)
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def _take_up(phase: Phase, optimizer: torch.optim.Optimizer, run: Run) -> tuple[int, str | None]:
    """Return the epoch to begin with, and why the phase has already ended, if it has."""
    if run.checkpoint is None:
        return 0, None
    return run.checkpoint.restore(phase.name, phase.module, optimizer, run.history)


def _epoch(
    phase: Phase, rows: Tensor, optimizer: torch.optim.Optimizer, batch_size: int, epoch: int
) -> dict[str, float]:
    """Go through all rows once in a drawn order; return the mean of each term of the loss."""
    phase.module.eval()
    facts = phase.before_epoch(rows, optimizer)
    phase.module.train()
    order = torch.randperm(len(rows), device=rows.device)
    sums: dict[str, Tensor] = {}
    # One row is no batch: some layers need two. The last batch takes what would be left over.
    ends = [*range(batch_size, len(rows) - 1, batch_size), len(rows)]
    start = 0
    for end in ends:
        index = order[start:end]
        x = rows[index]
        terms = phase.loss(x, index)
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        optimizer.step()
        phase.after_step(x, index)
        for name, term in terms.items():
            sums[name] = sums.get(name, 0) + term.detach() * (end - start)
        start = end
    means = {name: float(total) / len(rows) for name, total in sums.items()}
    for name, mean in means.items():
        if not np.isfinite(mean):
            raise InputError(
                f"the term {name!r} of the loss became {mean} in epoch {epoch} of the phase {phase.name!r}; "
                f"lower learning_rate ({phase.learning_rate}) or look for values far outside the rest of the data"
            )
    return {**means, **facts}
