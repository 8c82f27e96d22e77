"""What every parser of a graph file gives: numbered links, names of nodes, and what the file says beside them."""

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays import Graph
from ..errors import InputError
from .link_times import TimedLinks

__all__ = ["Links", "check_link_weights", "numbers_of"]


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
    timed : TimedLinks or None
        The links one by one, where the file gives their times.
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
    timed: TimedLinks | None = None


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


def numbers_of(lines: list[bytes], line_numbers: list[int], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Read lines of numbers between blanks.

    Parameters
    ----------
    lines : list of bytes
    line_numbers : list of int
        Of each of them, for messages.
    name : str
        Of the file.

    Returns
    -------
    values : float64 array
        Of all lines, one after the other.
    counts : (len(lines),) int64 array
        How many each line has.

    Raises
    ------
    InputError
        If a word is no number; the message names the line.
    """
    counts = np.fromiter((len(line.split()) for line in lines), np.int64, len(lines))
    text = b" ".join(lines)
    if not re.search(rb"[^0-9\s]", text):  # many times faster, and nothing in it can be misread
        return np.fromstring(text, np.float64, sep=" ") if counts.any() else np.empty(0), counts
    try:
        if b"_" in text:
            raise ValueError("Python would pass over it")
        return np.array([float(word) for word in text.split()]), counts
    except ValueError:
        for line, number in zip(lines, line_numbers, strict=True):
            for word in line.split():
                if not _is_number(word):
                    shown = word.decode("utf-8", "replace")[:30]
                    raise InputError(f"line {number:,} of {name} holds {shown!r}, which is no number") from None
        raise


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return b"_" not in word
