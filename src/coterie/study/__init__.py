"""The study of a table: prepare, plan, choose, cluster, population, judge, describe.

``study(table)`` runs the steps and returns a ``Study``; each step is a file here, a pure function of arrays and tables.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .steps import Step, Study, study

__all__ = ["Step", "Study", "study"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'coterie.study' has no attribute {name!r}")
    from . import steps

    value = getattr(steps, name)
    globals()[name] = value
    return value
