"""What a stopped training needs to go on: one file, whole or not at all, that holds numbers and JSON and never code."""

import hashlib
import json
import os
from collections.abc import Iterable
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from ..arrays import to_numpy
from ..errors import InputError, ModelFileError
from ..files import write_bytes

__all__ = ["Checkpoint", "checkpoints_of"]

_FORMAT = "coterie-checkpoint-1"
_OWN = {"format", "fingerprint", "phase", "epoch", "reason", "history"}


class Checkpoint:
    """The newest state of a training, in a file.

    Parameters
    ----------
    path : str or path-like
        By custom ends in ``.safetensors``; its folder must exist.
    fingerprint : str
        Of the data and the parameters. A file with another one is refused rather than overwritten.
    """

    def __init__(self, path: str | os.PathLike, fingerprint: str):
        self.path = Path(path)
        self.fingerprint = fingerprint
        self.also: dict[str, Any] = {}  # what a training notes beside its state
        self._notes: dict[str, Any] | None = None
        self._tensors: dict[str, Tensor] = {}
        if self.path.exists():
            self._read()

    @property
    def notes(self) -> dict[str, Any]:
        """Return what the file says beside its tensors; empty where there is no file yet."""
        return self._notes or {}

    def keep(
        self,
        phase: str,
        epoch: int,
        reason: str | None,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        history: list[dict[str, Any]],
    ) -> None:
        """Replace the file by the state after an epoch."""
        tensors = {f"module.{name}": value for name, value in module.state_dict().items()}
        described = optimizer.state_dict()
        for number, values in described["state"].items():
            tensors.update({f"optimizer.{number}.{name}": value for name, value in values.items() if value is not None})
        notes = {"format": _FORMAT, "fingerprint": self.fingerprint, "phase": phase, "epoch": epoch, "reason": reason}
        text = {"notes": json.dumps({**notes, **self.also, "history": history})}
        write_bytes(self.path, to_bytes({name: _plain(value) for name, value in tensors.items()}, text))

    def restore(
        self, phase: str, module: nn.Module, optimizer: torch.optim.Optimizer, history: list[dict[str, Any]]
    ) -> tuple[int, str | None]:
        """Fill module, optimizer and history with the kept state, where it is of this phase.

        Returns
        -------
        epoch : int
            The next one; 0 where the phase was not begun.
        reason : str or None
            Why the phase had ended, if it had.
        """
        notes = self.notes
        if notes.get("phase") != phase:
            return 0, None
        try:
            module.load_state_dict(self._part("module."))
            described = optimizer.state_dict()
            for name, value in self._part("optimizer.").items():
                number, _, field = name.partition(".")
                described["state"].setdefault(int(number), {})[field] = value
            optimizer.load_state_dict(described)
        except (RuntimeError, ValueError, KeyError) as error:
            raise ModelFileError(f"{self.path} does not fit this encoder: {str(error).splitlines()[0]}") from error
        history[:] = notes["history"]
        return int(notes["epoch"]), notes["reason"]

    def done(self) -> None:
        """Remove the file: the training is over."""
        self.path.unlink(missing_ok=True)
        self._notes, self._tensors = None, {}

    def _part(self, prefix: str) -> dict[str, Tensor]:
        return {name[len(prefix) :]: value for name, value in self._tensors.items() if name.startswith(prefix)}

    def _read(self) -> None:
        try:
            with safe_open(self.path, framework="pt") as file:
                notes = json.loads((file.metadata() or {})["notes"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            raise ModelFileError(
                f"{self.path} is not a checkpoint of coterie; remove it or name another file"
            ) from error
        if notes.get("format") != _FORMAT:
            raise ModelFileError(f"{self.path} is a checkpoint of another version; remove it or name another file")
        if notes["fingerprint"] != self.fingerprint:
            raise InputError(
                f"{self.path} belongs to a training on other data or with other parameters; remove it or name another file"
            )
        self._notes, self._tensors = notes, tensors
        self.also = {name: value for name, value in notes.items() if name not in _OWN}


def checkpoints_of(estimator: Any, told: dict[str, str], data: Iterable[Tensor]) -> list[Checkpoint | None]:
    """Return where each start of an estimator keeps its state: None where it keeps none.

    Parameters
    ----------
    estimator : Clusterer
        With ``checkpoint``, ``n_init`` and ``random_state``.
    told : dict of str to str
        The parameters that decide what is learnt.
    data : iterable of tensor
        What it is learnt from.

    Raises
    ------
    InputError
        If there is a file, but no seed.
    """
    if estimator.checkpoint is None:
        return [None] * estimator.n_init
    if not isinstance(estimator.random_state, Integral):
        raise InputError("a training that can be taken up again needs a seed; set random_state to a whole number")
    digest = hashlib.sha256(json.dumps([type(estimator).__name__, told], sort_keys=True).encode())
    for part in data:
        digest.update(repr(tuple(part.shape)).encode())
        digest.update(to_numpy(part).tobytes())
    path = Path(estimator.checkpoint)
    others = (path.with_name(f"{path.stem}.{i}{path.suffix}") for i in range(1, estimator.n_init))
    return [Checkpoint(each, digest.hexdigest()) for each in (path, *others)]


def _plain(value: Any) -> Tensor:
    """Return a tensor that shares no memory with another: the file format wants each to stand alone."""
    return torch.as_tensor(value).detach().cpu().clone().contiguous()
