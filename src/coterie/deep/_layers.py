"""Which layers are meant: "last", "all", names, patterns, and the calls and outputs of a layer.

A name may be followed by the number of the call, for layers that run several times (``relu#1``), and by the output that is
meant, for layers that give several (``lstm[1]``, ``block[hidden]``). What runs, how often and in what order is known only
when rows pass through; so is the axis along which rows lie. Both are read off two passes, with one row and with two.
"""

import difflib
import re
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from torch import nn

from ..errors import InputError
from ._capture import OUTPUT, Event, Layer, Leaf, Trace, place_of, varying_calls
from ._pooling import POOLS, Form

__all__ = ["SPEC_KEYS", "Request", "check_pool", "requested", "resolve"]

SPEC_KEYS = {"pool", "norm", "reduce", "weight", "channels"}
_NAME = re.compile(r"^(?P<name>.*?)(?:#(?P<call>\d+))?(?:\[(?P<selector>[^\[\]]+)\])?$")
_PASSING = (nn.Flatten, nn.Unflatten)  # no features of their own, and a map that is flattened cannot be pooled
_NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.LocalResponseNorm,
)  # fmt: skip
_CHANNELS_FIRST = (
    nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase, nn.GroupNorm,
    nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd,
    nn.modules.pooling._AdaptiveAvgPoolNd, nn.modules.pooling._AdaptiveMaxPoolNd,
)  # fmt: skip
_CHANNELS_LAST = (nn.Linear, nn.LayerNorm, nn.RMSNorm, nn.MultiheadAttention, nn.RNNBase, nn.Embedding)


class Request(NamedTuple):
    """A name or pattern, and what is said of the layers that it stands for."""

    pattern: str
    spec: dict[str, Any]


class _Read(NamedTuple):
    """An event of the pass with one row, beside the same event of the pass with two, and the channels known so far."""

    event: Event
    two: Event | None
    channels: tuple[str, int, int] | None  # where, how many, number of axes


def requested(layers: Any) -> list[Request]:
    """Return the wanted layers as pairs of a name or pattern and what is said of it."""
    if isinstance(layers, str):
        return [Request(layers, {})]
    if isinstance(layers, Mapping):
        return [Request(_checked_name(name), _checked_spec(name, spec)) for name, spec in layers.items()]
    if isinstance(layers, list | tuple) and layers:
        return [Request(_checked_name(name), {}) for name in layers]
    raise InputError(f"layers must be 'last', 'all', a name, a pattern, or a list or dict of names, got {layers!r}")


def _checked_name(name: Any) -> str:
    if not isinstance(name, str):
        raise InputError(f"a layer is named by a string, as in dict(module.named_modules()), got {name!r}")
    return name


def _checked_spec(name: str, spec: Any) -> dict[str, Any]:
    if spec is None:
        return {}
    if isinstance(spec, str) or callable(spec):
        spec = {"pool": spec}
    if not isinstance(spec, Mapping) or not set(spec) <= SPEC_KEYS:
        raise InputError(
            f"what is said of layer {name!r} must be a pool or a dict with keys of {', '.join(sorted(SPEC_KEYS))},"
            f" got {spec!r}"
        )
    if spec.get("channels", "first") not in ("first", "last"):
        raise InputError(f"channels of layer {name!r} must be 'first' or 'last', got {spec['channels']!r}")
    weight = spec.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
        raise InputError(f"weight of layer {name!r} must be a number greater than 0, got {weight!r}")
    return {"pool": check_pool(spec.get("pool", "auto")), **{k: v for k, v in spec.items() if k != "pool"}}


def check_pool(pool: Any) -> Any:
    """Return the pool, or refuse it."""
    if not callable(pool) and pool not in POOLS and pool != "flatten":
        names = ", ".join(sorted([*POOLS, "flatten"]))
        raise InputError(f"pool must be a function or one of {names}; got {pool!r}")
    return pool


def resolve(
    requests: list[Request], module: nn.Module, one: Trace, two: Trace | None, n_rows: int, pool: Any
) -> list[Layer]:
    """Return the wanted layers, in the order of the requests, those of one pattern in the order in which they run.

    Parameters
    ----------
    requests : list
        From `requested`.
    module : Module
    one, two : Trace
        Of a pass with ``n_rows`` rows, and of one with twice as many; None where there is but one row.
    n_rows : int
    pool : str or callable
        Of layers of which nothing is said.
    """
    found: dict[str, Layer] = {}
    reader = _Reader(module, one, two, n_rows, pool)
    for pattern, spec in requests:
        for layer in reader.layers(pattern, spec):
            found.setdefault(layer.label, layer)
    return list(found.values())


class _Reader:
    def __init__(self, module: nn.Module, one: Trace, two: Trace | None, n_rows: int, pool: Any):
        self.output, self.output2, self.n_rows, self.pool = one.output, two.output if two else None, n_rows, pool
        self.root_is_layer = not list(module.children()) and bool(list(module.parameters()))
        self.counts = Counter(event.name for event in one.events)
        self.counts2 = Counter(event.name for event in two.events) if two else self.counts
        self.runs = _beside(one, two)
        canonical = {id(part): name for name, part in reversed(list(module.named_modules()))}
        named = module.named_modules(remove_duplicate=False)
        self.names = {name: canonical[id(part)] for name, part in named if name}

    def layers(self, pattern: str, spec: dict[str, Any]) -> list[Layer]:
        """Return the layers that one name or pattern stands for."""
        if pattern in self.names:
            return self._named(pattern, None, None, spec)
        if pattern == "last":
            return [self._last(spec)]
        if pattern == "all":
            return self._all(spec)
        parts = _NAME.match(pattern)
        if parts is not None and parts["name"] in self.names:
            return self._named(parts["name"], parts["call"], parts["selector"], spec)
        if any(sign in pattern for sign in "*?["):
            hits = [run for run in self.runs if fnmatchcase(run.event.name, pattern) and self._usable(run)]
            if hits:
                return [self._layer(run, run.event.name, None, spec) for run in hits]
        raise self._no_such(pattern)

    def _named(self, name: str, call: str | None, selector: str | None, spec: dict[str, Any]) -> list[Layer]:
        own = self.names[name]
        runs = [run for run in self.runs if run.event.name == own]
        if not runs:
            inside = [other for other in self.counts if other.startswith(f"{own}.")]
            hint = f"name what is inside it, such as {inside[0]!r}" if inside else "name one that they pass through"
            raise InputError(f"layer {name!r} exists, but no row passes through it; {hint}")
        if call is not None:
            if int(call) >= len(runs):
                raise InputError(f"layer {name!r} runs {len(runs)} times, so its last call is '{name}#{len(runs) - 1}'")
            runs = [runs[int(call)]]
        elif self.counts2[own] != self.counts[own]:
            raise varying_calls(name, self.counts2[own], self.counts[own])
        for run in runs:
            problem = self._problem(run, selector)
            if problem is not None:
                raise problem
        return [self._layer(run, name, selector, spec, one_call=call is not None) for run in runs]

    def _layer(
        self, run: _Read, name: str, selector: str | None, spec: dict[str, Any], one_call: bool = False
    ) -> Layer:
        event = run.event
        times = self.counts[event.name]
        label = f"{name}#{event.call}" if times > 1 or one_call else name
        label += f"[{selector}]" if selector is not None else ""
        leaf = _leaf(event.leaves, selector)
        two = _leaf(run.two.leaves, selector) if run.two else None
        form = _form(leaf, two, self.n_rows, run.channels, spec) if leaf is not None else Form()
        count = None if one_call else times
        return Layer(label, event.name, event.call, selector, count, spec.get("pool", self.pool), form, spec)

    def _last(self, spec: dict[str, Any]) -> Layer:
        leaf, two = _leaf(self.output, None), _leaf(self.output2, None)
        problem = _leaf_problem("last", leaf, two, self.output, self.n_rows)
        if problem is not None or leaf is None:
            raise problem or InputError("the module returns no tensor of real numbers; name a layer")
        channels = self.runs[-1].channels if self.runs else None
        form = _form(leaf, two, self.n_rows, channels, spec)
        return Layer("last", OUTPUT, 0, None, None, spec.get("pool", self.pool), form, spec)

    def _all(self, spec: dict[str, Any]) -> list[Layer]:
        """Return one layer for each that has weights, read behind the normalisation and activation that follow it."""
        chosen: list[_Read] = []
        for run in self.runs:
            part = run.event.module
            if not run.event.innermost or isinstance(part, _PASSING) or not self._usable(run):
                continue
            if next(part.parameters(), None) is not None and not isinstance(part, _NORMS):
                chosen.append(run)
            elif chosen:
                chosen[-1] = run
        if chosen:
            # Of a layer that runs several times maybe only some calls are read.
            return [self._layer(run, run.event.name, None, spec, self.counts[run.event.name] > 1) for run in chosen]
        if self.root_is_layer:
            return [self._last(spec)]
        raise InputError("the module has no layers with weights that rows pass through; use layers='last', its output")

    def _usable(self, run: _Read) -> bool:
        return self._problem(run, None) is None and self.counts2[run.event.name] == self.counts[run.event.name]

    def _problem(self, run: _Read, selector: str | None) -> InputError | None:
        event, two = run.event, run.two
        label = event.name if selector is None else f"{event.name}[{selector}]"
        other = _leaf(two.leaves, selector) if two else None
        return _leaf_problem(label, _leaf(event.leaves, selector), other, event.leaves, self.n_rows)

    def _no_such(self, pattern: str) -> InputError:
        near = difflib.get_close_matches(pattern, self.names, n=3, cutoff=0.5) or list(self.counts)[:5]
        if not near:
            return InputError(f"there is no layer {pattern!r}: the module has none; use layers='last', its output")
        return InputError(
            f"no layer is called {pattern!r}, nor matches it; near it are {', '.join(map(repr, near))};"
            " dict(module.named_modules()) has all names"
        )


def _beside(one: Trace, two: Trace | None) -> list[_Read]:
    """Put the two passes beside each other, and note where channels stand as far as it is known."""
    second = {(event.name, event.call): event for event in two.events} if two else {}
    reads, channels = [], None
    for event in one.events:
        leaf = _leaf(event.leaves, None)
        if leaf is not None and event.innermost and len(leaf.shape) >= 2:
            if isinstance(event.module, _CHANNELS_FIRST):
                channels = ("first", leaf.shape[1], len(leaf.shape))
            elif isinstance(event.module, _CHANNELS_LAST):
                channels = ("last", leaf.shape[-1], len(leaf.shape))
        reads.append(_Read(event, second.get((event.name, event.call)), channels))
    return reads


def _leaf(leaves: tuple[Leaf, ...] | None, selector: str | None) -> Leaf | None:
    if leaves is None:
        return None
    place = place_of([leaf.name for leaf in leaves], [leaf.floating for leaf in leaves], selector)
    return None if place is None else leaves[place]


def _leaf_problem(
    label: str, one: Leaf | None, two: Leaf | None, leaves: tuple[Leaf, ...], n_rows: int
) -> InputError | None:
    """Return why an output cannot be read as rows, or None."""
    if one is None:
        names = [leaf.name for leaf in leaves if leaf.name]
        called = f", called {', '.join(names)}" if names else ""
        return InputError(f"layer {label!r} gives no such tensor: its output holds {len(leaves)}{called}")
    if not one.shape:
        return InputError(f"layer {label!r} gives a single number for all rows; name a layer that gives one for each")
    if two is None or one.packed or _batch_axis(one, two, n_rows) is not None:
        return None
    if two.shape[0] == 2 * one.shape[0]:
        return InputError(
            f"layer {label!r} gives {one.shape[0] // n_rows} rows for each row that goes in; name a layer that gives one"
        )
    return InputError(
        f"layer {label!r} gives the same shape {one.shape} for any rows, so it says nothing of each of them"
    )


def _batch_axis(one: Leaf, two: Leaf | None, n_rows: int) -> int | None:
    """Return the axis that grew with the number of rows."""
    if two is None:
        return 0
    grown = [i for i, (a, b) in enumerate(zip(one.shape, two.shape)) if a == n_rows and b == 2 * n_rows]
    return grown[0] if grown else None


def _form(leaf: Leaf, two: Leaf | None, n_rows: int, known: tuple[str, int, int] | None, spec: dict[str, Any]) -> Form:
    """Return which axis rows lie along, and whether channels stand behind it or at the end."""
    axis = _batch_axis(leaf, two, n_rows) or 0
    if "channels" in spec:
        return Form(axis, spec["channels"])
    shape = (leaf.shape[axis], *leaf.shape[:axis], *leaf.shape[axis + 1 :])
    usual = "last" if len(shape) == 3 else "first"  # tokens; maps
    if known is None or len(shape) < 3:
        return Form(axis, usual)
    where, width, n_axes = known
    at_first, at_last = shape[1] == width, shape[-1] == width
    if at_first != at_last:
        return Form(axis, "first" if at_first else "last")
    return Form(axis, where if at_first and n_axes == len(shape) else usual)
