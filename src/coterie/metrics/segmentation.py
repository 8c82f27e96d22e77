"""How well the regions of a picture agree with those that people drew: covering, Rand index, variation of information.

Several people draw several pictures of regions. Each is compared with the found one by the table of counts of region and region, and
the mean over the people is returned.
"""

from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from .external import contingency_table

__all__ = ["SegmentationScores", "segmentation_scores"]


class SegmentationScores(NamedTuple):
    """Agreement with what people drew."""

    covering: float  # 0 to 1: mean over the pixels of the largest overlap of their true region with a found one
    rand: float  # 0 to 1: share of the pairs of pixels that are together in both or apart in both
    information: float  # bits, 0 is best: what each says that the other doesn't


def segmentation_scores(labels_true: Any, labels: Any) -> SegmentationScores:
    """Compare the regions of a picture with those that people drew.

    Parameters
    ----------
    labels_true : (h, w) int array, or sequence of such
        What one person drew, or each of several.
    labels : (h, w) int array
        What was found.

    Returns
    -------
    SegmentationScores
        ``covering``: over true regions, the area times the best overlap with a found one (intersection over union), divided by the
        area of the picture. ``rand``: the probabilistic Rand index, the Rand index averaged over the people. ``information``:
        variation of information, H(true | found) + H(found | true), in bits. Means over the people.

    Raises
    ------
    InputError
        If the pictures differ in size.

    References
    ----------
    Arbelaez, Maire, Fowlkes, Malik (2011). Contour detection and hierarchical image segmentation. IEEE PAMI 33(5), 898-916.
    doi:10.1109/TPAMI.2010.161
    Meila (2007). Comparing clusterings: an information based distance. J. Multivariate Analysis 98(5), 873-895.
    doi:10.1016/j.jmva.2006.11.013

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.metrics import segmentation_scores
    >>> drawn = np.array([[0, 0, 1, 1]])
    >>> segmentation_scores(drawn, np.array([[5, 5, 5, 5]])).covering
    0.5
    """
    found = np.asarray(labels)
    one_person = isinstance(labels_true, np.ndarray) and labels_true.ndim == 2
    drawn = [labels_true] if one_person else [np.asarray(one) for one in labels_true]
    if not drawn:
        raise InputError("labels_true holds no pictures of regions; give at least one")
    for one in drawn:
        if one.shape != found.shape or found.ndim != 2:
            raise InputError(
                f"labels_true and labels must be pictures of one size, (h, w), got {one.shape} and {found.shape}; bring them to one size"
            )
    scores = np.array([_of_table(contingency_table(one.ravel(), found.ravel())[0]) for one in drawn])
    return SegmentationScores(*scores.mean(axis=0).tolist())


def _of_table(table: np.ndarray) -> tuple[float, float, float]:
    """Return the three scores of an (areas of true regions, areas of found ones) table of counts."""
    counts = table.astype(np.float64)
    true, found = counts.sum(axis=1), counts.sum(axis=0)
    n = counts.sum()
    overlap = counts / (true[:, None] + found - counts)
    covering = float(true @ overlap.max(axis=1)) / n
    apart = (true**2).sum() + (found**2).sum() - 2 * (counts**2).sum()
    rand = 1.0 - float(apart) / (n * (n - 1)) if n > 1 else 1.0
    return covering, rand, max(0.0, 2 * _bits(counts, n) - _bits(true, n) - _bits(found, n))


def _bits(counts: np.ndarray, n: float) -> float:
    shares = counts[counts > 0] / n
    return float(-(shares * np.log2(shares)).sum())
