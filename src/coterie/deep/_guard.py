"""A network is lent to us: whatever happens while features are read, it is given back as it was.

Besides flags and hooks, a forward pass may move counters, keep a table of positions, or write to a buffer; so every attribute
of every module is put back, and every buffer that was written to. Gradients are switched off by ``no_grad`` and not by
``inference_mode``: a tensor that a module keeps for later would be an inference tensor, which training refuses ever after.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ..errors import InputError

__all__ = ["check_usable", "untouched", "unwrapped"]


def unwrapped(module: Any) -> nn.Module:
    """Return what ``torch.compile`` wrapped: hooks on compiled code are not called reliably, and the layers are the same."""
    return getattr(module, "_orig_mod", module)


def check_usable(module: Any) -> None:
    """Refuse a module whose features would be undefined, or would depend on which rows share a batch."""
    if not isinstance(module, nn.Module):
        raise InputError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    if isinstance(unwrapped(module), torch.jit.ScriptModule):
        raise InputError("the layers of a scripted module cannot be read; pass the module that it was made from")
    for name, part in unwrapped(module).named_modules():
        own = [*part._parameters.values(), *part._buffers.values()]
        if any(nn.parameter.is_lazy(value) for value in own if value is not None):
            raise InputError(
                f"layer {name!r} has no weights yet (it is lazy): pass one batch through the module before reading features"
            )
        if any(value.is_meta for value in own if value is not None):
            raise InputError(f"layer {name!r} has no weights (they are on the meta device); load them first")
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is None:
            raise InputError(
                f"layer {name!r} normalises by the statistics of each batch (track_running_stats=False), so the features"
                " of a row would depend on the rows beside it; train it with running statistics"
            )


@contextmanager
def untouched(module: nn.Module, device: torch.device, seed: int) -> Iterator[None]:
    """Put the module into the state for reading features, and back into its own.

    Parameters
    ----------
    module : Module
    device : device
        Where it computes; the random state of this device and of the CPU are put back too.
    seed : int
        Of the random state while features are read, for modules that draw even when they don't train.
    """
    kept = [(part, dict(vars(part)), dict(part._parameters), _buffers(part)) for part in module.modules()]
    fast_path = torch.backends.mha.get_fastpath_enabled()
    drawn_on = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=drawn_on), torch.no_grad():
            _seed(device, seed)
            # The fused transformer layer calls none of the layers inside it.
            torch.backends.mha.set_fastpath_enabled(False)
            for part in module.modules():
                part.training = False  # not eval(): some classes override train() to change more than the flag
                if "_compiled_call_impl" in vars(part):
                    part._compiled_call_impl = None
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
        for part, attributes, parameters, buffers in kept:
            _put_back(part, attributes, parameters, buffers)


def _seed(device: torch.device, seed: int) -> None:
    """Seed the generators that are put back, and no others: ``torch.manual_seed`` would reach those of every GPU."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


def _buffers(part: nn.Module) -> dict[str, tuple[Any, Any]]:
    """Return each buffer itself, and a copy of its values."""
    return {name: (value, None if value is None else value.clone()) for name, value in part._buffers.items()}


def _put_back(
    part: nn.Module, attributes: dict[str, Any], parameters: dict[str, Any], buffers: dict[str, tuple[Any, Any]]
) -> None:
    own = vars(part)
    for name in [name for name in own if name not in attributes]:
        del own[name]
    own.update(attributes)
    part._parameters.clear()
    part._parameters.update(parameters)
    for name in [name for name in part._buffers if name not in buffers]:
        del part._buffers[name]
    for name, (value, copy) in buffers.items():
        part._buffers[name] = value
        if value is not None and not torch.equal(value, copy):
            with torch.no_grad():
                value.copy_(copy)
