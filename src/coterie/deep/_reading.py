"""A module made ready for reading: on its device, its layers found, its batches pooled one after the other."""

import copy
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..arrays import to_device
from ..errors import InputError
from ._batches import guarded, passes, rows_for
from ._capture import OUTPUT, Capture, Layer, trace
from ._delegates import delegate_of
from ._guard import untouched, unwrapped
from ._inputs import Rows, Size, Stream, rows_in, source_of
from ._layers import Request, resolve

__all__ = ["Plan", "Reading"]


class Plan(NamedTuple):
    """What was found out about a module from its first rows."""

    layers: list[Layer]
    widths: list[int]
    row_bytes: int  # of all activations of a row
    entry: str  # what rows are passed to: "forward", "encode", or "delegate"


class Reading:
    """A module on its device.

    Parameters
    ----------
    module : Module
        Not modified; where it lies on another device, a copy is moved.
    device : str
    seed : int
        For modules that draw while they compute.
    requests : list of Request
    stop_early : bool
    autocast : {"bfloat16", "float16"} or None
    """

    def __init__(
        self, module: nn.Module, device: str, seed: int, requests: list[Request], stop_early: bool, autocast: Any
    ):
        self.module, self.device = _on_device(unwrapped(module), device)
        self.seed, self.stop_early, self.requests = seed, stop_early, requests
        self.delegate = delegate_of(self.module, requests)
        self.autocast = None
        if autocast is not None:
            self.autocast = torch.autocast(self.device.type, dtype=getattr(torch, autocast))

    def source(self, X: Any) -> Rows | Stream:
        """Return where batches come from."""
        return source_of(X, self.module, self.device)

    def plan(self, source: Rows | Stream, pool: Any) -> Plan:
        """Find the layers by passes with one row and with two."""
        first = source.first(1)
        with untouched(self.module, self.device, self.seed):
            if self.delegate is not None:
                layers, n_bytes = guarded(lambda batch: self._require().layers(self.requests, batch, pool), first[0])
                plan = Plan(layers, [], n_bytes, "delegate")
            else:
                plan = self._plan_by_hooks(first, pool)
            with self._reader(plan) as read:
                widths = [z.shape[1] for z in self._with_precision(read, first[0])]
        return plan._replace(widths=widths, row_bytes=max(1, plan.row_bytes // (rows_in(first[0]) or 1)))

    def _plan_by_hooks(self, first: list[Any], pool: Any) -> Plan:
        # What stands behind an embedding rebuilds the input; it is run only where a layer of it is wanted.
        entries = ["encode", "forward"] if callable(getattr(self.module, "encode", None)) else ["forward"]
        for entry in entries:
            run = self._entry(entry)
            try:
                traces = [self._with_precision(partial(trace, self.module, run), batch) for batch in first]
                one, two = traces[0], traces[1] if len(traces) > 1 else None
                layers = resolve(self.requests, self.module, one, two, rows_in(first[0]) or 1, pool)
            except InputError:
                if entry == "forward":
                    raise
                continue
            return Plan(layers, [], sum(event.n_bytes for event in one.events if event.innermost), entry)
        raise AssertionError("forward either gives a plan or raises")

    def pooled(self, source: Rows | Stream, plan: Plan, size: Size) -> Generator[list[Tensor], None, None]:
        """Yield one (b, d) tensor for each layer, batch by batch; the module is as it was between the first and the last."""
        with untouched(self.module, self.device, self.seed), self._reader(plan) as read:
            yield from passes(source, size, lambda batch: _checked(read(batch), batch, plan), self.autocast)

    def size(self, batch_size: Any, plan: Plan, max_memory: int) -> Size:
        """Return how many rows a batch has."""
        return Size(rows_for(plan.row_bytes, max_memory, self.device) if batch_size == "auto" else batch_size)

    @contextmanager
    def _reader(self, plan: Plan) -> Iterator[Callable[[Any], list[Tensor]]]:
        if plan.entry == "delegate":
            yield self._require().reader(plan.layers)
            return
        with Capture(self.module, self._entry(plan.entry), plan.layers, self.stop_early) as capture:
            yield capture

    def _require(self) -> Any:
        assert self.delegate is not None
        return self.delegate

    def _entry(self, name: str) -> Callable[..., Any]:
        return getattr(self.module, "encode") if name == "encode" else self.module  # noqa: B009 - typed as a tensor

    def _with_precision(self, run: Callable[[Any], Any], batch: Any) -> Any:
        if self.autocast is None:
            return guarded(run, batch)
        with self.autocast:
            return guarded(run, batch)


def _checked(found: list[Tensor], batch: Any, plan: Plan) -> list[Tensor]:
    """Refuse outputs that don't have one row for each that went in."""
    wanted = rows_in(batch)
    wanted = len(found[0]) if wanted is None else wanted
    for z, layer in zip(found, plan.layers, strict=True):
        if len(z) != wanted:
            where = "the output" if layer.module == OUTPUT else f"layer {layer.label!r}"
            raise InputError(
                f"{where} gave {len(z)} rows where {wanted} were expected; name a layer that gives one each"
            )
    return found


def _on_device(module: nn.Module, device: str) -> tuple[nn.Module, torch.device]:
    """Return the module where it shall compute: itself, or a copy."""
    weights = [*module.parameters(), *module.buffers()]
    lies = {weight.device for weight in weights}
    if device == "auto":
        wanted = next(iter(lies)) if lies and torch.device("cpu") not in lies else None
        if wanted is not None:
            return module, wanted
        device = "cuda" if torch.cuda.is_available() else "cpu"
    placed = to_device(np.zeros(1, np.float32), device)  # refuses a device that is not there
    target = placed.device if isinstance(placed, Tensor) else torch.device("cpu")
    if not lies or lies == {target}:
        return module, target
    if target.type == "cpu":
        raise InputError(
            f"the module lies on {', '.join(sorted(map(str, lies)))} and device='cpu' was asked for; pass"
            " device='auto' to compute where it lies, or module.cpu()"
        )
    return copy.deepcopy(module).to(target), target
