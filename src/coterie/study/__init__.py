"""The study of a table: prepare, plan, choose, cluster, population, judge, describe.

``study(table)`` runs the steps and returns a ``Study``; each step is a file here, a pure function of arrays and tables. What comes
after a study stands beside it: ``explain_rows`` says why rows are in their groups, ``compare_labels`` sets groupings side by side.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .comparing import compare_labels
    from .explaining import explain_rows
    from .steps import Step, Study, study

__all__ = ["Step", "Study", "compare_labels", "explain_rows", "study"]

_HOMES = {
    "Step": "steps",
    "Study": "steps",
    "compare_labels": "comparing",
    "explain_rows": "explaining",
    "study": "steps",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'coterie.study' has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
