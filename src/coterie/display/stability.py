"""Which groups come back when rows are left out (Hennig 2007): the similarity of each with its best match in many refits."""

from typing import Any

import numpy as np

from ..errors import InputError
from ..metrics import jaccard_by_cluster
from ._base import Display, labels_of, look, sizes_of

__all__ = ["StabilityDisplay"]

STABLE, DISSOLVED = 0.75, 0.5  # Hennig's marks


class StabilityDisplay(Display):
    """A bar for each group, its mean similarity; a dot for each refit. Above 0.75 a group is stable, below 0.5 it dissolves.

    Parameters
    ----------
    similarity : (k, r) float array
        Jaccard similarity of each group with its best match in each refit, 0 to 1; NaN where none of its rows was drawn.
    groups : (k,) int array
    sizes : (k,) int array
        Rows of each group.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    References
    ----------
    Hennig C. (2007), Cluster-wise assessment of cluster stability, Computational Statistics & Data Analysis 52, 258-271,
    doi:10.1016/j.csda.2006.11.025.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMeans
    >>> from coterie.display import StabilityDisplay
    >>> X = np.r_[np.zeros((20, 1)), np.ones((20, 1))] + np.linspace(0, 0.1, 40)[:, None]
    >>> StabilityDisplay.from_estimator(KMeans(2, random_state=0).fit(X), X, n_resamples=3).similarity.mean(axis=1).tolist()
    [1.0, 1.0]
    """

    def __init__(self, similarity, groups, sizes):
        self.similarity = similarity
        self.groups = groups
        self.sizes = sizes

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, n_resamples=20, sample_share=0.7, random_state=0, ax=None):
        """Fit clones of the estimator to random parts of the rows, and draw how well each group comes back.

        Parameters
        ----------
        estimator : estimator
            Fitted on ``X``; it is cloned, not changed.
        X : (n, d) array or frame
        n_resamples : int, default=20
            Refits.
        sample_share : float, default=0.7
            Share of the rows in each part.
        random_state : int, default=0
            Draws the parts.
        ax : matplotlib Axes, default=None

        Returns
        -------
        StabilityDisplay
        """
        from sklearn.base import clone
        from sklearn.utils import _safe_indexing

        labels = labels_of(estimator, X)
        n = len(labels)
        size = int(sample_share * n) if 0 < sample_share <= 1 else 0
        if n_resamples < 1 or size < 2:
            raise InputError(
                f"refits need n_resamples of at least 1 and a sample_share that leaves two rows, got {n_resamples} and {sample_share}"
            )
        rng = np.random.default_rng(random_state)
        refits = []
        for _ in range(n_resamples):
            rows = np.sort(rng.choice(n, size, replace=False))
            refits.append((rows, np.asarray(clone(estimator).fit_predict(_safe_indexing(X, rows)))))
        return cls.from_predictions(labels, refits, ax=ax)

    @classmethod
    def from_predictions(cls, labels: Any, refits: Any, *, ax=None):
        """Draw how well each group comes back in given refits.

        Parameters
        ----------
        labels : (n,) int array
        refits : list of (rows, labels)
            Which rows each refit saw, and what it called them.
        ax : matplotlib Axes, default=None

        Returns
        -------
        StabilityDisplay
        """
        labels = np.asarray(labels)
        groups, sizes = sizes_of(labels)
        similarity = np.full((len(groups), len(refits)), np.nan)
        for j, (rows, found) in enumerate(refits):
            names, values = jaccard_by_cluster(labels[rows], found)
            similarity[np.searchsorted(groups, names), j] = values
        return cls(similarity, groups, sizes).plot(ax)

    def _draw(self, ax: Any) -> None:
        for place, group in enumerate(self.groups.tolist()):
            style = look(group)
            known = self.similarity[place][np.isfinite(self.similarity[place])]
            if not known.size:
                continue
            ax.barh(place, known.mean(), height=0.7, facecolor=style.color, hatch=style.hatch, edgecolor="white")
            offsets = np.linspace(-0.25, 0.25, len(known)) if len(known) > 1 else np.zeros(1)
            ax.plot(known, place + offsets, ".", color="black", markersize=3)
        for mark in (STABLE, DISSOLVED):
            ax.axvline(mark, color="black", linestyle="--" if mark == STABLE else ":", linewidth=1)
        names = [f"{group} ({size:,})" for group, size in zip(self.groups, self.sizes, strict=True)]
        ax.set_yticks(range(len(names)), names)
        ax.set(
            xlabel="similarity with the refits (0.75 stable, below 0.5 dissolved)",
            ylabel="group (rows)",
            xlim=(0, 1.03),
        )
        ax.invert_yaxis()
