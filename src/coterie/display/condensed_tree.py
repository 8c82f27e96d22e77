"""The condensed tree of HDBSCAN as icicles: groups split off on the way down, and grow narrower as they lose rows."""

from typing import Any

import numpy as np

from ..errors import InputError
from ..study.shapes import condensed_tree
from ._base import Display, add_legend, labels_of, look

__all__ = ["CondensedTreeDisplay"]

_NO_GROUP = "#D8D8D8"


class CondensedTreeDisplay(Display):
    """Each cluster is as wide as it has rows; its top is the distance at which it split off.

    Parameters
    ----------
    clusters : list of dict
        A parent before its children: ``parent`` (its place, None for the root), ``birth`` (a distance, None for the root), ``rows``
        then, ``steps`` (distances, falling, and rows left), ``group`` where the cluster is one.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Notes
    -----
    Distances are the inverse of the paper's lambda. At most some 60 clusters are drawn, those that are groups first.

    References
    ----------
    Campello R. J. G. B., Moulavi D., Zimek A., Sander J. (2015), Hierarchical density estimates for data clustering, visualization
    and outlier detection, ACM TKDD 10(1), doi:10.1145/2733381.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import HDBSCAN
    >>> from coterie.display import CondensedTreeDisplay
    >>> model = HDBSCAN(min_cluster_size=2).fit(np.array([[0.0], [1.0], [7.0], [9.0]]))
    >>> [one["rows"] for one in CondensedTreeDisplay.from_estimator(model).clusters]
    [4, 2, 2]
    """

    def __init__(self, clusters):
        self.clusters = clusters

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any = None, *, ax=None):
        """Draw the tree of a fitted `coterie.HDBSCAN`.

        Parameters
        ----------
        estimator : estimator
            With ``condensed_tree_``.
        X : ignored
        ax : matplotlib Axes, default=None

        Returns
        -------
        CondensedTreeDisplay
        """
        found = condensed_tree(estimator, labels_of(estimator, None))
        if found is None:
            raise InputError(
                f"{type(estimator).__name__} has no condensed tree of all its rows; draw that of a fitted HDBSCAN"
            )
        return cls(found["clusters"]).plot(ax)

    def _draw(self, ax: Any) -> None:
        births = [one["birth"] for one in self.clusters if one["birth"] is not None]
        steps = [distance for one in self.clusters for distance in one["steps"]["distance"] if distance is not None]
        top = 1.1 * max([*births, *steps], default=1.0)
        for middle, one in zip(_middles(self.clusters), self.clusters, strict=True):
            birth = top if one["birth"] is None else one["birth"]
            distance = np.array([birth, *(birth if step is None else step for step in one["steps"]["distance"])])
            rows = np.array([one["rows"], *one["steps"]["left"]])
            style = look(-1)._replace(color=_NO_GROUP) if one["group"] is None else look(one["group"])
            # Between two steps the width is what the upper one has left.
            ax.fill_betweenx(
                distance, middle - rows / 2, middle + rows / 2, step="post", facecolor=style.color, hatch=style.hatch, edgecolor="white",
                linewidth=0.5, label=None if one["group"] is None else f"group {one['group']}",
            )  # fmt: skip
            if one["group"] is not None:
                ax.annotate(str(one["group"]), (middle, birth), ha="center", va="bottom", fontweight="bold")
        ax.set(xlabel="width: number of rows", ylabel="distance", ylim=(0, top), xticks=[])
        add_legend(ax)


def _middles(clusters: list[dict[str, Any]]) -> list[float]:
    """Place children side by side within their parent."""
    used = [sum(one["rows"] for one in clusters if one["parent"] == i) for i in range(len(clusters))]
    middles: list[float] = []
    free: list[float] = []
    for one, children in zip(clusters, used, strict=True):
        middle = 0.0
        if one["parent"] is not None:
            middle = free[one["parent"]] + one["rows"] / 2
            free[one["parent"]] += one["rows"]
        middles.append(middle)
        free.append(middle - children / 2)
    return middles
