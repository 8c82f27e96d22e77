"""Was this file of features made from these rows by this module? A fingerprint beside the file says so."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..arrays import is_tensor, to_numpy

__all__ = ["fingerprint", "found_again", "remember"]


def fingerprint(module: nn.Module, parts: Any, X: Any) -> str | None:
    """Return what changes whenever the features would, or None where the rows cannot be read for it without using them up.

    Parameters
    ----------
    module : Module
    parts : nested tuples and arrays
        Layers, blocks and settings.
    X : array, tensor, or mapping of them
    """
    digest = hashlib.sha256(f"{torch.__version__} {type(module).__qualname__}".encode())
    if not _add(digest, X) or not _add(digest, parts):
        return None
    _add(digest, repr(module))
    for name, value in module.state_dict().items():
        _add(digest, name)
        _add(digest, value.view(torch.uint8) if is_tensor(value) and value.dtype == torch.bfloat16 else value)
    return digest.hexdigest()


def _add(digest: Any, value: Any) -> bool:
    """Add a value; False where its content cannot be seen: a function, a loader."""
    if is_tensor(value) or isinstance(value, np.ndarray):
        array = np.ascontiguousarray(to_numpy(value))
        if array.dtype.hasobject:
            return False
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(array.data if array.ndim else array.tobytes())
        return True
    if isinstance(value, dict):
        value = tuple(value.items())
    if isinstance(value, tuple | list):
        digest.update(f"{type(value).__name__} {len(value)}".encode())
        return all(_add(digest, part) for part in value)
    if value is None or isinstance(value, str | int | float | bool):
        digest.update(repr(value).encode() + b"\0")
        return True
    return False


def _beside(path: Any) -> Path:
    return Path(f"{path}.json")


def found_again(path: Any, key: str | None) -> np.ndarray | None:
    """Return the features that stand at a path, where they are those of the fingerprint."""
    if key is None:
        return None
    try:
        kept = json.loads(_beside(path).read_text(encoding="utf-8"))
        return np.load(path, mmap_mode="r", allow_pickle=False) if kept == {"features of": key} else None
    except (OSError, ValueError):
        return None


def remember(path: Any, key: str | None) -> None:
    """Write the fingerprint beside a file that is complete."""
    if key is None:
        _beside(path).unlink(missing_ok=True)
    else:
        _beside(path).write_text(json.dumps({"features of": key}), encoding="utf-8")
