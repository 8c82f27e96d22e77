"""What all displays share: where they draw, how groups look, and how rows and labels come in.

A group has a colour and, since colour is never the only cue, a marker, a hatch and a line style as well, and its number beside it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..arrays import is_tensor, to_numpy
from ..errors import InputError, MissingExtraError
from ..report.palette import color

__all__ = ["Display", "Look", "add_legend", "group_names", "labels_of", "look", "rows_and_names", "sizes_of"]

_MARKERS = "osD^vP*Xh<>pd8H"
_HATCHES = ("", "//", "..", "\\\\", "xx", "--", "||", "oo", "++")
_LINES = ("-", "--", ":", "-.")


class Look(NamedTuple):
    """How a group is drawn."""

    color: str
    marker: str
    hatch: str
    line: str


class Display:
    """Holds the data of a picture; `plot` draws it."""

    ax_: Any
    figure_: Any

    def plot(self, ax: Any = None) -> Any:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure of its own, which no window or notebook keeps.

        Returns
        -------
        self
            With ``ax_`` and ``figure_``.
        """
        self.ax_ = _new_axes() if ax is None else ax
        self.figure_ = self.ax_.get_figure()
        self._draw(self.ax_)
        return self

    def _draw(self, ax: Any) -> None:
        raise NotImplementedError

    def _repr_png_(self) -> bytes:
        """Show the picture in a notebook."""
        from io import BytesIO

        if not hasattr(self, "figure_"):
            self.plot()
        file = BytesIO()
        self.figure_.savefig(file, format="png", dpi=110)
        return file.getvalue()


def _new_axes() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError('drawing needs Matplotlib; pip install "coterie[plot]"') from None
    # Without pyplot: nothing global remembers the figure, so nothing has to close it.
    return Figure(layout="constrained").subplots()


def look(group: int) -> Look:
    """Return how a group is drawn; noise (-1) is grey."""
    if group < 0:
        return Look(color(-1), "x", "", ":")
    return Look(
        color(group), _MARKERS[group % len(_MARKERS)], _HATCHES[group % len(_HATCHES)], _LINES[group % len(_LINES)]
    )


def add_legend(ax: Any) -> None:
    """Name what is drawn: groups by their numbers, then the rest; nothing where nothing has a name."""
    handles, names = ax.get_legend_handles_labels()
    if not names:
        return

    def place(i: int) -> tuple[int, int]:
        word, _, number = names[i].partition(" ")
        return (0, int(number.split()[0])) if word == "group" else (1, i)

    order = sorted(range(len(names)), key=place)
    ax.legend(
        [handles[i] for i in order], [names[i] for i in order], loc="best", fontsize="small", ncols=1 + len(names) // 13
    )


def labels_of(estimator: Any, X: Any) -> np.ndarray:
    """Return the labels that a fitted estimator has of the rows, or gives to them where they are not those of the fit."""
    labels = getattr(estimator, "labels_", None)
    if labels is None:
        raise InputError(f"{type(estimator).__name__} is not fitted; call fit first, then draw")
    labels = np.asarray(to_numpy(labels))
    if X is None or len(labels) == _length(X):
        return labels
    if not hasattr(estimator, "predict"):
        raise InputError(
            f"X has {_length(X):,} rows and the fit had {len(labels):,}, and {type(estimator).__name__} does not label new ones"
        )
    return np.asarray(to_numpy(estimator.predict(X)))


def rows_and_names(X: Any, labels: Any, feature_names: Any = None) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return rows as float64, labels as int64, and the names of the columns; refuse what does not fit together.

    Raises
    ------
    InputError
    """
    by_name = isinstance(X, Mapping)
    names = feature_names if feature_names is not None else list(X) if by_name else getattr(X, "columns", None)
    rows = (
        np.array(list(X.values())).T
        if by_name
        else X.toarray()
        if hasattr(X, "toarray")
        else to_numpy(X)
        if is_tensor(X)
        else X
    )
    try:
        rows = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"X must hold numbers to be drawn ({error}); code it first, for example with coterie.tables.prepare"
        ) from error
    labels = np.asarray(to_numpy(labels) if is_tensor(labels) else labels)
    if rows.ndim != 2 or labels.shape != (len(rows),) or labels.dtype.kind not in "iu":
        raise InputError(
            f"X must have a row for each label, and labels be whole numbers, got shapes {rows.shape} and {labels.shape}"
        )
    if not np.isfinite(rows).all():
        raise InputError("X holds NaN or infinity; fill or drop such rows before drawing")
    names = [f"feature {i}" for i in range(rows.shape[1])] if names is None else [str(name) for name in names]
    if len(names) != rows.shape[1]:
        raise InputError(f"feature_names must name the {rows.shape[1]} columns, got {len(names)} names")
    return rows, labels.astype(np.int64), names


def sizes_of(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the groups, ascending without noise, and how many rows each has."""
    return np.unique(labels[labels >= 0], return_counts=True)


def group_names(groups: np.ndarray, sizes: np.ndarray) -> list[str]:
    """Return "group 0 (120)" and so on."""
    return [f"group {group} ({size:,})" for group, size in zip(groups, sizes, strict=True)]


def _length(X: Any) -> int:
    return X.shape[0] if hasattr(X, "shape") else len(X)
