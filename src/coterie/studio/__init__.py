"""The studio: one table, a page with controls, and runs in the background.

``serve`` opens a server on loopback for one person and one table. Every run and every comparison is a process of its own
(`work.py`, started by `child.py`), so that cancelling ends it at once and the page answers while all cores compute. What the page
shows is the state of a `Session`; `guard.py` lets in whoever holds the token, and nobody else.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .saving import Target
    from .serving import LOOPBACK, Address, serve
    from .source import Source

__all__ = ["LOOPBACK", "Address", "Source", "Target", "serve"]

_HOMES = {"LOOPBACK": "serving", "Address": "serving", "Source": "source", "Target": "saving", "serve": "serving"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'coterie.studio' has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
