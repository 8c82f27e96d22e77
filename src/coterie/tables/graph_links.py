"""What every parser of a graph file gives: numbered links, names of nodes, and what the file says beside them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays import Graph
from ..errors import InputError

__all__ = ["Links", "check_link_weights"]


@dataclass
class Links:
    """The links of a file.

    Attributes
    ----------
    names : list of str
        Of the nodes, in order.
    sources, targets : (m,) int64 arrays
        Positions in ``names``.
    weights : (m,) float64 array or None
        None where the file gives none.
    directed : bool or None
        None where the kind of file does not say.
    attributes : list of (name, values)
        Of the nodes, a value each.
    graph : Graph or None
        Where the file is a matrix: taken as it is.
    n_comments : int
    notes : list of str
    """

    names: list[str]
    sources: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None = None
    directed: bool | None = None
    attributes: list[tuple[str, Any]] = field(default_factory=list)
    graph: Graph | None = None
    n_comments: int = 0
    notes: list[str] = field(default_factory=list)


def check_link_weights(weights: np.ndarray, name: str, lines: Any) -> None:
    """Refuse weights that are negative, missing or infinite; ``lines[i]`` is the line of the i-th link."""
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        i = int(bad[0])
        what = f"the negative weight {weights[i]:g}" if weights[i] < 0 else f"the weight {weights[i]}"
        raise InputError(
            f"line {lines[i]:,} of {name} gives a link {what}; weights must be finite and at least 0: "
            "shift them or drop such links"
        )
