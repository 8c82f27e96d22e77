"""The silhouette plot (Rousseeuw 1987): how well each row lies in its group, group by group."""

from typing import Any

import numpy as np

from ..metrics import silhouette_samples
from ._base import Display, labels_of, look, rows_and_names, sizes_of

__all__ = ["SilhouetteDisplay"]


class SilhouetteDisplay(Display):
    """Silhouettes of all rows, sorted within their group; the dashed line is the mean.

    Parameters
    ----------
    values : (n,) float array
        Silhouette of each row, -1 to 1.
    labels : (n,) int array
        Its group; rows of no group (-1) are not drawn.

    Attributes
    ----------
    score : float
        Mean silhouette of the rows in groups.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Notes
    -----
    Exact: O(n² d). Of very many rows, pass a sample.

    References
    ----------
    Rousseeuw P. J. (1987), Silhouettes: a graphical aid to the interpretation and validation of cluster analysis, Journal of
    Computational and Applied Mathematics 20, 53-65, doi:10.1016/0377-0427(87)90125-7.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMeans
    >>> from coterie.display import SilhouetteDisplay
    >>> X = np.array([[0.0], [1.0], [9.0], [10.0]])
    >>> round(SilhouetteDisplay.from_estimator(KMeans(2, random_state=0).fit(X), X).score, 2)
    0.89
    """

    def __init__(self, values, labels):
        self.values = values
        self.labels = labels
        self.score = float(values[labels >= 0].mean())

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, ax=None):
        """Draw silhouettes by the labels of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
        X : (n, d) array, frame or dict of columns
        ax : matplotlib Axes, default=None

        Returns
        -------
        SilhouetteDisplay
        """
        return cls.from_predictions(X, labels_of(estimator, X), ax=ax)

    @classmethod
    def from_predictions(cls, X: Any, labels: Any, *, ax=None):
        """Draw silhouettes of given labels.

        Parameters
        ----------
        X : (n, d) array, frame or dict of columns
        labels : (n,) int array
            Two groups at least; noise is -1.
        ax : matplotlib Axes, default=None

        Returns
        -------
        SilhouetteDisplay
        """
        rows, labels, _ = rows_and_names(X, labels)
        return cls(silhouette_samples(rows, labels), labels).plot(ax)

    def _draw(self, ax: Any) -> None:
        groups, sizes = sizes_of(self.labels)
        gap = max(int(sizes.sum()) // 50, 1)
        begin, middles = 0, []
        for group, size in zip(groups.tolist(), sizes.tolist(), strict=True):
            style = look(group)
            values = np.sort(self.values[self.labels == group])[::-1]
            edges = begin + np.arange(size + 1)
            ax.fill_betweenx(
                edges,
                0,
                np.append(values, values[-1]),
                step="post",
                facecolor=style.color,
                hatch=style.hatch,
                edgecolor="white",
                linewidth=0,
            )
            middles.append(begin + size / 2)
            begin += size + gap
        ax.axvline(self.score, linestyle="--", color="black", linewidth=1)
        ax.set_yticks(middles, [f"{group} ({size:,})" for group, size in zip(groups, sizes, strict=True)])
        ax.set(xlabel=f"silhouette (mean {self.score:.2f})", ylabel="group (rows)", ylim=(begin - gap, 0))
        ax.set_xlim(min(-0.05, float(self.values.min())), 1)
