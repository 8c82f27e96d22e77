"""The top of a hierarchy as a tree: its last merges, and the parts of the rows that they join."""

from typing import Any

from ..errors import InputError
from ..study.shapes import dendrogram
from ._base import Display, add_legend, labels_of, look

__all__ = ["DendrogramDisplay"]

_MOST_NAMED = 25  # leaves beyond which their names would overlap


class DendrogramDisplay(Display):
    """The last fifty merges of a hierarchy, or as many as part the groups.

    Parameters
    ----------
    leaves : list of dict
        Parts of the rows from left to right: ``rows``, ``group`` (of most of them) and ``share`` (that is in it).
    merges : list of dict
        From the lowest to the highest: ``left`` and ``right`` (a leaf by its place, or a merge, counted on after the leaves),
        ``height``, and ``group`` where all below is in one.
    cut : float or None
        Height below which groups were left together.
    height : str
        What heights are.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import AgglomerativeClustering
    >>> from coterie.display import DendrogramDisplay
    >>> model = AgglomerativeClustering(2, linkage="single").fit(np.array([[0.0], [1.0], [9.0]]))
    >>> [merge["height"] for merge in DendrogramDisplay.from_estimator(model).merges]
    [1.0, 8.0]
    """

    def __init__(self, leaves, merges, *, cut, height):
        self.leaves = leaves
        self.merges = merges
        self.cut = cut
        self.height = height

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any = None, *, ax=None):
        """Draw the tree of a fitted hierarchical method.

        Parameters
        ----------
        estimator : estimator
            With ``linkage_matrix_``, or a ``tree_`` of divisions: AgglomerativeClustering, Genie, DIANA, BisectingKMeans, PDDP.
        X : ignored
        ax : matplotlib Axes, default=None

        Returns
        -------
        DendrogramDisplay
        """
        found = dendrogram(estimator, labels_of(estimator, None))
        if found is None:
            raise InputError(
                f"{type(estimator).__name__} has no tree of merges to draw; take AgglomerativeClustering, Genie, DIANA, BisectingKMeans or PDDP"
            )
        return cls(found["leaves"], found["merges"], cut=found["cut"], height=found["height"]).plot(ax)

    def _draw(self, ax: Any) -> None:
        places = [(float(i), 0.0) for i in range(len(self.leaves))]
        told: set[int] = set()
        for merge in self.merges:
            (x, low), (x_right, low_right), height = places[merge["left"]], places[merge["right"]], merge["height"]
            group = merge["group"]
            style = look(-1)._replace(color="black", line="-") if group is None else look(group)
            ax.plot(
                [x, x, x_right, x_right], [low, height, height, low_right], color=style.color, linestyle=style.line, linewidth=1.3,
                label=f"group {group}" if group is not None and group >= 0 and group not in told else None,
            )  # fmt: skip
            told |= {group} if group is not None else set()
            places.append(((x + x_right) / 2, height))
        if self.cut is not None:
            ax.axhline(self.cut, color="grey", linestyle=(0, (1, 2)), label=f"cut at {self.cut:.3g}")
        names = ["noise" if leaf["group"] < 0 else str(leaf["group"]) for leaf in self.leaves]
        rows = [f"{name}\n{leaf['rows']:,}" for name, leaf in zip(names, self.leaves, strict=True)]
        few = len(rows) <= _MOST_NAMED
        ax.set_xticks(range(len(rows)) if few else [], rows if few else [], fontsize="x-small")
        parts = "parts of the rows: group and number of rows" if few else f"{len(rows)} parts of the rows"
        ax.set(xlabel=parts, ylabel=self.height)
        ax.set_ylim(bottom=min(0.0, *(merge["height"] for merge in self.merges)))
        add_legend(ax)
