"""What a preset asks of an encoder, said in one sentence where it is missing."""

from collections.abc import Sequence

from torch import nn

from ..errors import InputError
from .encoders import ModuleEncoder

__all__ = ["require"]


def require(coder: nn.Module, methods: Sequence[str], preset: str, why: str) -> None:
    """Raise where an encoder lacks one of the methods that a preset calls.

    Parameters
    ----------
    coder : torch.nn.Module
    methods : sequence of str
        Names of methods.
    preset : str
        Name of the clusterer.
    why : str
        What it needs them for, and what else can be done: the end of the sentence.

    Raises
    ------
    InputError
    """
    given = coder.module if isinstance(coder, ModuleEncoder) else coder
    missing = [f"{name}()" for name in methods if not hasattr(given, name)]
    if missing:
        raise InputError(
            f"{preset} calls {' and '.join(missing)} of its encoder, and {type(given).__name__} has none; {why}"
        )
