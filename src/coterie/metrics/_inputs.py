"""What every score does first: number the labels, check the rows, bring both to a shape the primitives take."""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import NOISE, first_bad_value, is_tensor, to_numpy, unsealed
from ..errors import InputError, UnsupportedError
from ..primitives.block_labels import LabelCounts, in_range, label_counts, labelled
from ..primitives.blocks import block_rows, in_blocks

__all__ = ["Clusters", "as_rows", "blocks_of", "check_finite", "clusters_of", "comparable_clusters", "encode", "scaled"]


class Clusters(NamedTuple):
    """A labelling without its names."""

    codes: np.ndarray  # (n,) int64: 0 ... k - 1 in ascending order of the labels, -1 for noise
    names: np.ndarray  # (k,) the labels
    sizes: np.ndarray  # (k,) int64


def as_rows(X: Any) -> Any:
    """Return rows as a C-contiguous float32 or float64 array, or a tensor where they lie."""
    if is_tensor(X):
        rows = X.detach()
        if not rows.is_floating_point():
            rows = rows.double()
        rows = rows.float() if rows.dtype.itemsize < 4 else rows
        rows = rows.contiguous()
    elif in_blocks(X):
        raise UnsupportedError(
            f"this score needs all rows in memory and got blocks of them ({type(X).__name__}); X.compute() gives them if they fit, and "
            "davies_bouldin_score, calinski_harabasz_score, wb_score, xie_beni_score, simplified_silhouette_score and silhouette_score "
            "take blocks"
        )
    else:
        if hasattr(X, "tocsr"):
            raise UnsupportedError("validity scores need dense rows; reduce sparse ones first (e.g. TruncatedSVD)")
        rows = np.asarray(X)
        if rows.dtype.kind in "mMc":
            raise InputError(f"X must hold real numbers, got {rows.dtype}; subtract a start and divide by a unit first")
        if rows.dtype not in (np.float32, np.float64):
            try:
                rows = rows.astype(np.float32 if rows.dtype == np.float16 else np.float64)
            except (TypeError, ValueError) as error:
                raise InputError(f"X must hold numbers only: {error}; code the other columns first") from error
        rows = np.ascontiguousarray(rows)
    if rows.ndim != 2 or 0 in rows.shape:
        raise InputError(f"X must be 2-D with at least one row and one column, got shape {tuple(rows.shape)}")
    return rows


def check_finite(rows: Any) -> None:
    """Refuse NaN and infinity."""
    if is_tensor(rows):
        if not bool(rows.isfinite().all()):
            raise InputError("X contains NaN or infinity; fill or drop those rows first")
        return
    bad = first_bad_value(rows)
    if bad is not None:
        raise InputError(f"X contains {rows[bad]} at row {bad[0]}, column {bad[1]}; fill or drop such rows first")


def scaled(rows: Any) -> Any:
    """Return rows divided by a power of two near their largest value: no score changes, and no square overflows."""
    largest = float(abs(rows).max())
    exponent = int(np.frexp(largest)[1])
    # In two steps, since one factor may be out of range.
    return rows * 2.0 ** -(exponent // 2) * 2.0 ** -(exponent - exponent // 2) if largest > 0 else rows


def encode(labels: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number the distinct values of ``labels`` in ascending order.

    Parameters
    ----------
    labels : (n,) array-like

    Returns
    -------
    names : (k,) array
    codes : (n,) int64 array
        ``labels`` itself where these are 0, 1, ... already.
    counts : (k,) int64 array
        How often each occurs.
    """
    labels = to_numpy(labels)
    if labels.ndim != 1:
        raise InputError(f"labels must be 1-D, got shape {labels.shape}")
    if labels.dtype.kind in "biu" and labels.size:
        values = np.ascontiguousarray(unsealed(labels), np.int64)
        low = int(values.min())
        if int(values.max()) - low <= 4 * len(values) + 1000:
            # Counting instead of sorting: a tenth of the time.
            values = values - low if low else values
            counts = np.bincount(values)
            present = np.flatnonzero(counts)
            place = np.zeros(present[-1] + 1, np.int64)
            place[present] = np.arange(len(present))
            codes = values if len(place) == len(present) else place[values]
            return (present + low).astype(labels.dtype), codes, counts[present]
    return np.unique(labels, return_inverse=True, return_counts=True)


def clusters_of(labels: Any, n: int) -> Clusters:
    """Number the clusters of ``labels``, noise apart; ``n`` is how many rows there are."""
    names, codes, sizes = encode(labels)
    if len(codes) != n:
        raise InputError(f"X must have one label a row, got {n} rows and {len(codes)} labels")
    if len(names) and names[0] == NOISE:
        names, codes, sizes = names[1:], codes - 1, sizes[1:]
    return Clusters(codes, names, sizes)


def comparable_clusters(labels: Any, n: int) -> Clusters:
    """Number the clusters as `clusters_of` does, and refuse those that have nothing to be compared with."""
    clusters = clusters_of(labels, n)
    _refuse_incomparable(clusters.sizes)
    return clusters


def blocks_of(X: Any, labels: Any) -> tuple[Any, LabelCounts]:
    """Return rows in blocks with their labels, in a range in which no square overflows, and how many rows each cluster has."""
    rows = labelled(block_rows(X), labels)
    counts = label_counts(rows)
    _refuse_incomparable(counts.sizes)
    return in_range(rows), counts


def _refuse_incomparable(sizes: np.ndarray) -> None:
    k, kept = len(sizes), int(sizes.sum())
    if not 2 <= k < kept:
        raise InputError(
            f"a validity score needs at least 2 clusters and one with more than one row, got {k} clusters over {kept} rows "
            "that are not noise"
        )
