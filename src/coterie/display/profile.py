"""What sets groups apart: the mean of each column in each group, beside all rows, as a table of colours and numbers."""

from typing import Any

import numpy as np

from ..errors import InputError
from ..report.palette import PALETTE
from ._base import Display, group_names, labels_of, rows_and_names, sizes_of

__all__ = ["ProfileDisplay"]


class ProfileDisplay(Display):
    """A cell for each group and column: the number is the mean, the colour how many standard deviations it lies from all rows.

    Parameters
    ----------
    means : (k, m) float array
        Mean of each column in each group, in the units of the rows.
    effects : (k, m) float array
        The same less the mean of all rows, in standard deviations of all rows.
    feature_names : sequence of m str
    names : sequence of k str

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.display import ProfileDisplay
    >>> shown = ProfileDisplay.from_predictions(np.array([[1.0, 5.0], [3.0, 5.0]]), [0, 1], feature_names=["age", "size"])
    >>> shown.means.tolist(), shown.effects.tolist()
    ([[1.0, 5.0], [3.0, 5.0]], [[-1.0, 0.0], [1.0, 0.0]])
    """

    def __init__(self, means, effects, *, feature_names, names):
        self.means = means
        self.effects = effects
        self.feature_names = feature_names
        self.names = names

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, feature_names=None, max_features=20, ax=None):
        """Draw the profile of the groups of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
        X : (n, d) array, frame or dict of columns
        feature_names, max_features, ax
            As for `from_predictions`.

        Returns
        -------
        ProfileDisplay
        """
        return cls.from_predictions(
            X, labels_of(estimator, X), feature_names=feature_names, max_features=max_features, ax=ax
        )

    @classmethod
    def from_predictions(cls, X: Any, labels: Any, *, feature_names=None, max_features=20, ax=None):
        """Draw the profile of given labels.

        Parameters
        ----------
        X : (n, d) array, frame or dict of columns
        labels : (n,) int array
            Noise (-1) counts among all rows and is no group.
        feature_names : sequence of str, default=None
            Names of the columns; a frame brings its own.
        max_features : int, default=20
            Of more columns those that differ most are drawn, in their order.
        ax : matplotlib Axes, default=None

        Returns
        -------
        ProfileDisplay
        """
        rows, labels, names = rows_and_names(X, labels, feature_names)
        groups, sizes = sizes_of(labels)
        if not len(groups):
            raise InputError("there is no group to draw: every label is -1")
        means = np.array([rows[labels == group].mean(axis=0) for group in groups])
        spread = rows.std(axis=0)
        effects = (means - rows.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        kept = np.sort(np.argsort(-np.abs(effects).max(axis=0), kind="stable")[:max_features])
        chosen = [names[i] for i in kept]
        return cls(means[:, kept], effects[:, kept], feature_names=chosen, names=group_names(groups, sizes)).plot(ax)

    def _draw(self, ax: Any) -> None:
        from matplotlib.colors import LinearSegmentedColormap

        low_to_high = LinearSegmentedColormap.from_list("effects", [PALETTE[0], "#FFFFFF", PALETTE[5]])
        image = ax.imshow(self.effects.T, cmap=low_to_high, vmin=-2, vmax=2, aspect="auto")
        for (group, column), mean in np.ndenumerate(self.means):
            strong = abs(self.effects[group, column]) > 1.3
            ax.text(
                group,
                column,
                f"{mean:.3g}",
                ha="center",
                va="center",
                fontsize="small",
                color="white" if strong else "black",
            )
        ax.set_xticks(range(len(self.names)), self.names, rotation=30, ha="right")
        ax.set_yticks(range(len(self.feature_names)), self.feature_names)
        bar = self.ax_.get_figure().colorbar(image, ax=ax, extend="both")
        bar.set_label("standard deviations from all rows")
