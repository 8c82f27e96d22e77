"""Models that give the outputs of their layers themselves: the transformers library, and timm.

Both are known by what they offer, not by their type: a ``config`` with ``output_hidden_states``, or ``forward_intermediates``.
Asked for "last" or "all", or for ``hidden_states.3`` or ``intermediates.3``, such a model is asked in its own way, which knows
which outputs are blocks, where channels stand, and which tokens are prefixes. Any other name is that of a layer inside it.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from torch import Tensor, nn

from ..errors import InputError
from ._capture import OUTPUT, Layer, called, mask_of, read
from ._layers import Request
from ._pooling import Form

__all__ = ["Delegate", "delegate_of"]


class Delegate(NamedTuple):
    """How a model is asked for the outputs of its layers."""

    prefix: str  # of their names
    ask: Callable[[Any, list[int] | None], list[Tensor]]  # batch, which (None: all) -> outputs

    def layers(self, requests: list[Request], batch: Any, pool: Any) -> tuple[list[Layer], int]:
        """Return the wanted layers, and the bytes of all outputs of a batch."""
        outputs = self.ask(batch, None)
        found: dict[str, Layer] = {}
        for pattern, spec in requests:
            for i in self._meant(pattern, len(outputs)):
                label = f"{self.prefix}.{i}"
                channels = spec.get("channels", "first" if outputs[i].ndim > 3 else "last")
                layer = Layer(label, OUTPUT, i, None, None, spec.get("pool", pool), Form(0, channels), spec)
                found.setdefault(label, layer)
        return list(found.values()), sum(values.numel() * values.element_size() for values in outputs)

    def _meant(self, pattern: str, count: int) -> list[int]:
        if pattern in ("last", "all"):
            return [count - 1] if pattern == "last" else list(range(count))
        hits = [i for i in range(count) if fnmatchcase(f"{self.prefix}.{i}", pattern)]
        if not hits:
            raise InputError(
                f"no layer is called {pattern!r}; the model gives {self.prefix}.0 to {self.prefix}.{count - 1} itself"
            )
        return hits

    def reader(self, layers: list[Layer]) -> Callable[[Any], list[Tensor]]:
        """Return what reads the layers of a batch."""
        numbers = sorted({layer.call for layer in layers})

        def run(batch: Any) -> list[Tensor]:
            outputs = dict(zip(numbers, self.ask(batch, numbers), strict=True))
            mask = mask_of(batch)
            return [read(outputs[layer.call], layer, mask) for layer in layers]

        return run


def delegate_of(module: nn.Module, requests: list[Request]) -> Delegate | None:
    """Return how to ask the model itself, or None where it offers nothing or layers inside it are meant."""
    if hasattr(getattr(module, "config", None), "output_hidden_states"):
        found = Delegate("hidden_states", lambda batch, numbers: _hidden_states(module, batch, numbers))
    elif callable(getattr(module, "forward_intermediates", None)):
        found = Delegate("intermediates", lambda batch, numbers: _intermediates(module, batch, numbers))
    else:
        return None
    own = [pattern in ("last", "all") or pattern.startswith(f"{found.prefix}.") for pattern, _ in requests]
    if any(own) and not all(own):
        raise InputError(
            f"layers that the model gives itself ({found.prefix}.*, 'last', 'all') and layers inside it cannot be mixed;"
            " make two LayerFeatures and put them side by side with sklearn.pipeline.make_union"
        )
    return found if all(own) else None


def _hidden_states(module: nn.Module, batch: Any, numbers: list[int] | None) -> list[Tensor]:
    """Ask a model of the transformers library: one (b, tokens, d) for the embeddings and each block."""
    arguments = dict(batch) if hasattr(batch, "keys") else {_main_input(module): batch}
    output = called(module, {**arguments, "output_hidden_states": True, "return_dict": True})
    states = getattr(output, "hidden_states", None)
    if states is None:
        states = getattr(output, "encoder_hidden_states", None)
    if not states:
        raise InputError("the model was asked for its hidden states and gave none; name a layer inside it")
    return [states[i] for i in (range(len(states)) if numbers is None else numbers)]


def _main_input(module: nn.Module) -> str:
    return str(getattr(module, "main_input_name", "input_ids"))


def _intermediates(module: nn.Module, batch: Any, numbers: list[int] | None) -> list[Tensor]:
    """Ask a model of timm: one (b, c, h, w) for each of its stages or blocks, the pass left behind the last wanted."""
    if hasattr(batch, "keys"):
        (batch,) = batch.values()
    ask: Any = module.forward_intermediates
    found = ask(batch, indices=numbers, stop_early=True, intermediates_only=True)
    return list(found)
