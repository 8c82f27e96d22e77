"""Run a module and read what its layers give: once to learn what there is, then batch after batch.

A layer that runs several times in one pass has several outputs, ``name#0``, ``name#1``, ... Where nothing behind a layer is
wanted the pass is left there by an exception that no module catches.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from ..errors import InputError
from ._pooling import Form, pooled

__all__ = [
    "OUTPUT", "Capture", "Event", "Layer", "Leaf", "Trace", "called", "described", "mask_of", "place_of", "read",
    "trace", "varying_calls",
]  # fmt: skip

OUTPUT = ""
"""Stands for the module's own output, in place of the name of a layer."""


class Layer(NamedTuple):
    """One of the wanted layers: where to read it, and how."""

    label: str
    module: str  # name in the module, or OUTPUT
    call: int
    selector: str | None
    n_calls: int | None  # how often the layer ran, where that must not change; None where one call of several was named
    pool: Any
    form: Form
    spec: dict[str, Any]  # norm, reduce, weight of this layer alone


class Leaf(NamedTuple):
    """One tensor of an output."""

    name: str
    shape: tuple[int, ...]
    floating: bool
    packed: bool


class Event(NamedTuple):
    """One run of one layer."""

    name: str
    call: int
    module: nn.Module
    innermost: bool  # no layer ran inside it
    leaves: tuple[Leaf, ...]
    n_bytes: int


class Trace(NamedTuple):
    """The runs of one pass, in the order in which they ended, and the module's own output."""

    events: list[Event]
    output: tuple[Leaf, ...]


class _Enough(BaseException):
    """Everything that is wanted has been read."""


def leaves_of(output: Any) -> list[tuple[str, Any]]:
    """Return the tensors of an output, through tuples, mappings and dataclasses, each with its name where it has one."""
    if isinstance(output, Tensor | PackedSequence):
        return [("", output)]
    if isinstance(output, Mapping):
        inner = [(str(name), value) for name, value in output.items()]
    elif hasattr(output, "_fields"):
        inner = [(name, getattr(output, name)) for name in output._fields]
    elif isinstance(output, tuple | list):
        inner = [("", value) for value in output]
    elif is_dataclass(output) and not isinstance(output, type):
        inner = [(field.name, getattr(output, field.name)) for field in fields(output)]
    else:
        return []
    return [(name or below, leaf) for name, value in inner for below, leaf in leaves_of(value)]


def place_of(names: list[str], floating: list[bool], selector: str | None) -> int | None:
    """Return which tensor of an output is meant: by its number or its name; without either, the first of real numbers."""
    if selector is not None and selector.isdigit():
        return int(selector) if int(selector) < len(names) else None
    fitting = [i for i, name in enumerate(names) if selector in (None, name)]
    real = [i for i in fitting if floating[i]]
    return real[0] if real else fitting[0] if fitting and selector is not None else None


def _floating(leaf: Any) -> bool:
    leaf = leaf.data if isinstance(leaf, PackedSequence) else leaf
    return leaf.is_floating_point() or leaf.is_complex()


def _chosen(output: Any, layer: Layer) -> Any:
    leaves = leaves_of(output)
    place = place_of([name for name, _ in leaves], [_floating(leaf) for _, leaf in leaves], layer.selector)
    if place is None:
        raise InputError(f"layer {layer.label!r} gave no tensor for these rows, as it did for the first")
    return leaves[place][1]


def called(entry: Callable[..., Any], payload: Any) -> Any:
    """Call with a batch: a mapping holds arguments by their names, anything else is the only argument."""
    return entry(**payload) if isinstance(payload, Mapping) else entry(payload)


def mask_of(payload: Any) -> Tensor | None:
    """Return which tokens of a batch are real, (b, positions) bool, where the batch says so."""
    if not isinstance(payload, Mapping):
        return None
    mask = payload.get("attention_mask")
    if isinstance(mask, Tensor) and mask.ndim == 2:
        return mask != 0
    for name in ("src_key_padding_mask", "key_padding_mask", "padding_mask"):
        mask = payload.get(name)
        if isinstance(mask, Tensor) and mask.ndim == 2:
            return ~mask if mask.dtype == torch.bool else mask == 0
    return None


def trace(module: nn.Module, entry: Callable[..., Any], payload: Any) -> Trace:
    """Run one batch and note every layer that ran."""
    events: list[Event] = []
    calls: Counter[str] = Counter()
    running: list[list[Any]] = []  # [name, whether a layer ran inside]
    handles = []

    def before(name: str) -> Any:
        def hook(part: nn.Module, inputs: Any) -> None:
            if running:
                running[-1][1] = True
            running.append([name, False])

        return hook

    def after(name: str) -> Any:
        def hook(part: nn.Module, inputs: Any, output: Any) -> None:
            _, inside = running.pop()
            n_bytes = sum(_bytes(leaf) for _, leaf in leaves_of(output))
            events.append(Event(name, calls[name], part, not inside, described(output), n_bytes))
            calls[name] += 1

        return hook

    try:
        for name, part in module.named_modules():
            if name:
                handles += [part.register_forward_pre_hook(before(name)), part.register_forward_hook(after(name))]
        output = called(entry, payload)
    finally:
        for handle in handles:
            handle.remove()
    return Trace(events, described(output))


def described(output: Any) -> tuple[Leaf, ...]:
    """Return the shapes of the tensors of an output."""
    return tuple(_described(name, leaf) for name, leaf in leaves_of(output))


def _described(name: str, leaf: Any) -> Leaf:
    if isinstance(leaf, PackedSequence):
        rows = int(leaf.batch_sizes[0])
        return Leaf(name, (rows, len(leaf.batch_sizes), *leaf.data.shape[1:]), _floating(leaf), True)
    return Leaf(name, tuple(leaf.shape), _floating(leaf), False)


def _bytes(leaf: Any) -> int:
    leaf = leaf.data if isinstance(leaf, PackedSequence) else leaf
    return leaf.numel() * leaf.element_size()


class Capture:
    """The hooks on the wanted layers, from ``with`` to its end.

    Parameters
    ----------
    module : Module
    entry : callable
        What a batch is passed to: the module, or its ``encode``.
    layers : list of Layer
    stop_early : bool
        Leave the pass behind the last wanted layer.
    """

    def __init__(self, module: nn.Module, entry: Callable[..., Any], layers: list[Layer], stop_early: bool):
        self.module, self.entry, self.layers = module, entry, layers
        # A pass that is left early cannot show that a layer would have run once more.
        self.leave = stop_early and all(layer.module != OUTPUT and layer.n_calls in (None, 1) for layer in layers)
        self.found: dict[int, Tensor] = {}
        self.calls: Counter[str] = Counter()
        self.mask: Tensor | None = None
        self.handles: list[Any] = []

    def __enter__(self) -> "Capture":
        parts = dict(self.module.named_modules())
        for name in {layer.module for layer in self.layers} - {OUTPUT}:
            self.handles.append(parts[name].register_forward_hook(self._hook(name)))
        return self

    def __exit__(self, *_: Any) -> None:
        for handle in self.handles:
            handle.remove()

    def __call__(self, payload: Any) -> list[Tensor]:
        """Return one (b, d) tensor for each layer."""
        self.found, self.calls, self.mask = {}, Counter(), mask_of(payload)
        try:
            output = called(self.entry, payload)
        except _Enough:
            return self._in_order()
        for number, layer in enumerate(self.layers):
            if layer.module == OUTPUT:
                self.found[number] = read(output, layer, self.mask)
        for layer in self.layers:
            if layer.n_calls not in (None, self.calls[layer.module]) and layer.module != OUTPUT:
                raise varying_calls(layer.module, self.calls[layer.module], layer.n_calls)
        return self._in_order()

    def _hook(self, name: str) -> Any:
        wanted = [(number, layer) for number, layer in enumerate(self.layers) if layer.module == name]

        def hook(part: nn.Module, inputs: Any, output: Any) -> None:
            call = self.calls[name]
            self.calls[name] += 1
            for number, layer in wanted:
                if layer.call == call:
                    self.found[number] = read(output, layer, self.mask)
            if self.leave and len(self.found) == len(self.layers):
                raise _Enough

        return hook

    def _in_order(self) -> list[Tensor]:
        missing = [layer for number, layer in enumerate(self.layers) if number not in self.found]
        if missing:
            raise varying_calls(missing[0].module, self.calls[missing[0].module], missing[0].call + 1)
        found = [self.found[number] for number in range(len(self.layers))]
        self.found = {}
        return found


def read(output: Any, layer: Layer, mask: Tensor | None) -> Tensor:
    """Return the rows of one output of a layer."""
    values, how, form = _chosen(output, layer), layer.pool, layer.form
    if isinstance(values, PackedSequence):
        values, lengths = pad_packed_sequence(values, batch_first=True)
        mask = torch.arange(values.shape[1])[None, :] < lengths[:, None]
        mask = mask.to(values.device)
        how, form = "last" if how == "auto" else how, Form(0, "last")
    elif values.ndim != 3:
        mask = None
    return pooled(values, how, form, mask, layer.label)


def varying_calls(name: str, now: int, first: int | None) -> InputError:
    """Return the error for a layer that runs a different number of times for different rows."""
    return InputError(
        f"layer {name!r} ran {now} times for some rows and {first} times for others, so its outputs are not one feature"
        f" each; name the calls that every row has, such as '{name}#0', or another layer"
    )
