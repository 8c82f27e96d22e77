"""The rows as points in the plane, each with the colour and the marker of its group."""

from typing import Any

import numpy as np

from ..study.map import draw_map, unpack
from ._base import Display, add_legend, group_names, labels_of, look, rows_and_names, sizes_of

__all__ = ["ClusterMapDisplay"]


class ClusterMapDisplay(Display):
    """A map of the rows: two columns as they are, more on the plane that shows the groups best.

    Parameters
    ----------
    points : (n, 2) float array
        Where each row is drawn.
    labels : (n,) int array
        Its group, -1 for noise.
    rows : (n,) int array
        Its number in the table that was given.
    axis_names : sequence of str
        What the two axes mean.
    method : {"columns", "pca", "discriminant"}
        Two columns, principal axes, or the plane that sets groups apart.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMeans
    >>> from coterie.display import ClusterMapDisplay
    >>> X = np.r_[np.random.default_rng(0).normal(size=(60, 2)), np.random.default_rng(1).normal(size=(60, 2)) + 6]
    >>> shown = ClusterMapDisplay.from_estimator(KMeans(2, random_state=0).fit(X), X)
    >>> shown.ax_.get_xlabel(), len(shown.ax_.collections)
    ('feature 0', 2)
    """

    def __init__(self, points, labels, *, rows, axis_names, method):
        self.points = points
        self.labels = labels
        self.rows = rows
        self.axis_names = axis_names
        self.method = method

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, feature_names=None, max_rows=5_000, random_state=0, ax=None):
        """Draw the rows with the labels of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted; rows that are not those of the fit are labelled by ``predict``.
        X : (n, d) array, frame or dict of columns
        feature_names, max_rows, random_state, ax
            As for `from_predictions`.

        Returns
        -------
        ClusterMapDisplay
        """
        return cls.from_predictions(
            X, labels_of(estimator, X), feature_names=feature_names, max_rows=max_rows, random_state=random_state, ax=ax
        )

    @classmethod
    def from_predictions(cls, X: Any, labels: Any, *, feature_names=None, max_rows=5_000, random_state=0, ax=None):
        """Draw rows with given labels.

        Parameters
        ----------
        X : (n, d) array, frame or dict of columns
        labels : (n,) int array
            Noise is -1.
        feature_names : sequence of str, default=None
            Names of the columns; a frame brings its own.
        max_rows : int, default=5_000
            Of more rows so many are drawn; small groups keep a fair share.
        random_state : int, default=0
            Draws them.
        ax : matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        ClusterMapDisplay
        """
        values, labels, names = rows_and_names(X, labels, feature_names)
        two: dict[str, Any] = {"plain": values, "plain_names": tuple(names)} if values.shape[1] == 2 else {}
        codes = np.unique(np.append(labels, -1), return_inverse=True)[1]  # the map takes groups without gaps
        found = draw_map(
            values, codes[:-1] - 1, feature_names=tuple(names), seed=random_state, max_rows=max_rows, **two
        )
        rows = unpack(found["row"], "<u4").astype(np.int64)
        low_x, high_x, low_y, high_y = found["scale"]
        x, y = (unpack(found[axis], "<u2") / 65535 for axis in "xy")
        points = np.column_stack([low_x + x * (high_x - low_x), low_y + y * (high_y - low_y)])
        shown = cls(points, labels[rows], rows=rows, axis_names=found["axes"], method=found["method"])
        return shown.plot(ax)

    def _draw(self, ax: Any) -> None:
        if (self.labels < 0).any():
            noise = self.points[self.labels < 0]
            ax.scatter(
                *noise.T, s=10, marker="x", color=look(-1).color, label=f"no group ({len(noise):,})", linewidths=0.7
            )
        groups, sizes = sizes_of(self.labels)
        for group, name in zip(groups.tolist(), group_names(groups, sizes), strict=True):
            points, style = self.points[self.labels == group], look(group)
            ax.scatter(
                *points.T,
                s=16,
                marker=style.marker,
                color=style.color,
                label=name,
                alpha=0.75,
                edgecolors="white",
                linewidths=0.3,
            )
        for group in groups.tolist():
            middle = np.median(self.points[self.labels == group], axis=0)
            box = {"boxstyle": "round,pad=0.2", "fc": "white", "ec": look(group).color, "alpha": 0.9}
            ax.annotate(str(group), middle, ha="center", va="center", fontweight="bold", bbox=box)
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        add_legend(ax)
