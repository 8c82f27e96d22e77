"""The reachability plot of OPTICS (Ankerst et al. 1999): valleys are groups, peaks part them."""

from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..errors import InputError
from ._base import Display, add_legend, labels_of, look

__all__ = ["ReachabilityDisplay"]


class ReachabilityDisplay(Display):
    """How far each row was reached, in the order of the walk.

    Parameters
    ----------
    reachability : (n,) float array
        In the order of the walk; infinite where one starts.
    labels : (n,) int array
        Group of each of these rows, -1 for noise.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    References
    ----------
    Ankerst M., Breunig M. M., Kriegel H.-P., Sander J. (1999), OPTICS: ordering points to identify the clustering structure,
    SIGMOD, doi:10.1145/304182.304187.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import OPTICS
    >>> from coterie.display import ReachabilityDisplay
    >>> model = OPTICS(min_samples=2).fit(np.array([[0.0], [1.0], [1.5], [9.0]]))
    >>> ReachabilityDisplay.from_estimator(model).reachability.tolist()
    [inf, 1.0, 0.5, 7.5]
    """

    def __init__(self, reachability, labels):
        self.reachability = reachability
        self.labels = labels

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any = None, *, ax=None):
        """Draw the walk of a fitted `coterie.OPTICS`.

        Parameters
        ----------
        estimator : estimator
            With ``ordering_`` and ``reachability_``.
        X : ignored
        ax : matplotlib Axes, default=None

        Returns
        -------
        ReachabilityDisplay
        """
        if not hasattr(estimator, "ordering_"):
            raise InputError(f"{type(estimator).__name__} has no ordering_; a reachability plot is of a fitted OPTICS")
        order = np.asarray(to_numpy(estimator.ordering_))
        return cls.from_predictions(
            np.asarray(to_numpy(estimator.reachability_))[order], labels_of(estimator, None)[order], ax=ax
        )

    @classmethod
    def from_predictions(cls, reachability: Any, labels: Any, *, ax=None):
        """Draw given heights.

        Parameters
        ----------
        reachability : (n,) float array
            In the order of the walk.
        labels : (n,) int array
            In the same order.
        ax : matplotlib Axes, default=None

        Returns
        -------
        ReachabilityDisplay
        """
        return cls(np.asarray(reachability, np.float64), np.asarray(labels)).plot(ax)

    def _draw(self, ax: Any) -> None:
        known = self.reachability[np.isfinite(self.reachability)]
        top = 1.05 * float(known.max()) if known.size else 1.0
        heights = np.minimum(self.reachability, top)
        edges = np.arange(len(heights) + 1) - 0.5
        for group in np.unique(self.labels).tolist():
            style, mine = look(group), np.append(self.labels == group, False)
            # A bar of every row of the group; between them nothing.
            ax.fill_between(
                edges, np.where(mine, np.append(heights, 0.0), 0.0), step="post", facecolor=style.color, hatch=style.hatch,
                edgecolor="white", linewidth=0, label="no group" if group < 0 else f"group {group}",
            )  # fmt: skip
        ax.set(
            xlabel="rows in the order of the walk", ylabel="reachability distance", ylim=(0, top), xlim=edges[[0, -1]]
        )
        add_legend(ax)
