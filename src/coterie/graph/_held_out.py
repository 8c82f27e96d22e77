"""How well clusters predict what they have not seen: links and attribute values that are held out of the fit.

The unit is the nat: by how much the logarithm of the probability of what was held out rises once the clusters of the nodes are
known. Clusters that were fitted to noise predict nothing, so overfitting earns nothing, and links and attributes are weighed
in one unit. Links follow the degree-corrected block model, words a multinomial, numbers a normal distribution of each cluster.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array, issparse

from ..tables.attribute_rows import AttributeRows, inverse_frequencies, tf_idf

__all__ = [
    "AttributeProfiles", "Gain", "Split", "attribute_fit", "attribute_gain", "attribute_profiles", "attribute_scores", "link_fit", "link_gain",
    "link_profiles", "member", "split", "unseen_spread2",
]  # fmt: skip

SHARE = 0.15  # of links and of values that are held out
# The weaker the signal, the stronger the pull that predicts best; without strong ones, faint clusters would seem to predict nothing.
_LINK_PULLS = tuple(
    10.0**i for i in range(5)
)  # of a pair of clusters towards the links that its degrees give, in links
_LEAST_VARIANCE = (
    1e-3  # of a column within clusters, of its variance: what is written in whole numbers is not that exact
)
_FEW = 5.0  # unseen values of a column that weigh as much as not knowing any
_VALUE_PULLS = tuple(10.0**i for i in range(1, 6))  # of a cluster's profile towards that of all nodes, in values


class Split(NamedTuple):
    """What the fit may see, and what it may not."""

    links: csr_array  # (n, n) symmetric
    attributes: AttributeRows | None
    unseen_links: csr_array  # (n, n) symmetric
    unseen: Any  # words: (n, d) csr_array of ones; numbers: (n, d) float64, NaN but for what is held out


class Gain(NamedTuple):
    """What clusters save on unseen links or values, at the pull that predicts best."""

    nats: float  # at least 0
    pull: float


class AttributeProfiles(NamedTuple):
    """What is typical of each cluster."""

    center: np.ndarray  # words: (d, k) log-ratios; numbers: (k, d) means
    spread2: np.ndarray  # numbers: (d,) variance around the mean of the own cluster
    overall: np.ndarray  # numbers: (3, d) mean and variance of all, and what a column counts


def split(links: csr_array, attributes: AttributeRows | None, rng: np.random.Generator) -> Split:
    """Hold out a share of the links and of the attribute values, each drawn by itself.

    Parameters
    ----------
    links : (n, n) csr_array
        Symmetric, without self-loops.
    attributes : AttributeRows or None
    rng : Generator

    Returns
    -------
    Split
    """
    entries = links.tocoo()
    row, column = entries.coords
    upper = row < column
    row, column, weight = row[upper], column[upper], entries.data[upper]
    out = rng.random(len(weight)) < SHARE
    seen, unseen_links = (_symmetric(row[part], column[part], weight[part], links.shape) for part in (~out, out))
    if attributes is None:
        return Split(seen, None, unseen_links, None)
    kept, unseen = (_split_words if issparse(attributes.known) else _split_numbers)(attributes, rng)
    return Split(seen, kept, unseen_links, unseen)


def link_profiles(links: csr_array, labels: np.ndarray, k: int, pull: float = 1.0) -> np.ndarray:
    """Return, for each pair of clusters, the logarithm of links found over links that the degrees alone would give.

    Parameters
    ----------
    links : (n, n) csr_array
        Symmetric; weights are 1 on average.
    labels : (n,) int64 array
    k : int
    pull : float
        Links as the degrees would have them, added to what is found.

    Returns
    -------
    (k, k) array
    """
    found = between(links, labels, k)
    total = found.sum()
    degree = found.sum(axis=1)
    expected = np.outer(degree, degree) / total if total > 0 else np.zeros((k, k))
    return np.log((found + pull) / (expected + pull))


def link_gain(seen: csr_array, unseen: csr_array, labels: np.ndarray, k: int) -> Gain:
    """Return the nats that the clusters save on the unseen links, scaled up to all links.

    How far found counts are trusted is chosen where it predicts best; not to trust them at all gives 0.

    Parameters
    ----------
    seen, unseen : (n, n) csr_array
    labels : (n,) int64 array
    k : int

    Returns
    -------
    Gain
    """
    counts = between(unseen, labels, k)
    each = (counts * link_profiles(seen, labels, k, pull) for pull in _LINK_PULLS)
    return _best([float(one.sum()) / 2 for one in each], _LINK_PULLS)  # a link is counted at both its ends


def link_fit(links: csr_array, labels: np.ndarray, k: int, pull: float) -> float:
    """Return the nats that the clusters save on the very links they were found from, scaled up to all links."""
    return float((between(links, labels, k) * link_profiles(links, labels, k, pull)).sum()) / (2 * (1 - SHARE))


def attribute_fit(attributes: AttributeRows, labels: np.ndarray, k: int, pull: float) -> float:
    """Return the nats that the clusters save on the very values they were found from, scaled up to all values."""
    scores = attribute_scores(attributes, attribute_profiles(attributes, labels, k, pull))
    return float(scores[np.arange(len(labels)), labels].sum()) / (1 - SHARE)


def unseen_spread2(attributes: AttributeRows, unseen: Any, labels: np.ndarray, k: int) -> np.ndarray:
    """Return, for each column of numbers, how far unseen values are from the mean of their cluster, in the mean square.

    Within clusters that were fitted to a column its own values are closer, down to 0 for a category, and say nothing.

    Parameters
    ----------
    attributes : AttributeRows
        Seen.
    unseen : array
        As in `Split`.
    labels : (n,) int64 array
    k : int

    Returns
    -------
    (d,) array
        Drawn towards the variance of the column where little is unseen; empty for words.
    """
    if issparse(unseen):
        return np.zeros(0)
    profiles = attribute_profiles(attributes, labels, k)
    known = np.isfinite(unseen)
    errors = np.where(known, (np.where(known, unseen, 0.0) - profiles.center[labels]) ** 2, 0.0).sum(axis=0)
    return (errors + _FEW * profiles.overall[1]) / (known.sum(axis=0) + _FEW)


def attribute_profiles(
    attributes: AttributeRows, labels: np.ndarray, k: int, pull: float = 10.0, least2: np.ndarray | None = None
) -> AttributeProfiles:
    """Return what the attributes of each cluster are like.

    Parameters
    ----------
    attributes : AttributeRows
    labels : (n,) int64 array
    k : int
    pull : float
        Values of the average node that are added to each cluster.
    least2 : (d,) array, optional
        From `unseen_spread2`: numbers are not taken for closer to their cluster's mean than this.

    Returns
    -------
    AttributeProfiles
    """
    belongs = member(labels, k)
    if issparse(attributes.known):
        counts = np.asarray((belongs.T @ attributes.known).toarray())
        total = counts.sum(axis=0) + 0.5
        share = total / total.sum()
        inside = (counts + pull * share) / (counts.sum(axis=1, keepdims=True) + pull)
        return AttributeProfiles(np.log(inside / share).T, np.ones(0), np.ones((3, 0)))
    known = attributes.known.astype(np.float64)
    n_known = np.maximum(known.sum(axis=0), 1.0)
    mean = attributes.rows.sum(axis=0) / n_known
    variance = _mean_square(attributes, mean, n_known)
    means = (belongs.T @ attributes.rows + pull * mean) / (belongs.T @ known + pull)
    spread2 = np.maximum(_mean_square(attributes, means[labels], n_known), _LEAST_VARIANCE * variance)
    if least2 is not None:
        spread2 = np.maximum(spread2, np.minimum(least2, variance))
    return AttributeProfiles(means, spread2, np.stack([mean, variance, _weights(attributes.groups)]))


def attribute_gain(attributes: AttributeRows, unseen: Any, labels: np.ndarray, k: int) -> Gain:
    """Return the nats that the clusters save on the unseen values, scaled up to all values.

    Parameters
    ----------
    attributes : AttributeRows
        Seen.
    unseen : csr_array or array
        As in `Split`.
    labels : (n,) int64 array
    k : int

    Returns
    -------
    Gain
    """
    gains = []
    words = (member(labels, k).T @ unseen).T if issparse(unseen) else None
    for pull in _VALUE_PULLS:
        profiles = attribute_profiles(attributes, labels, k, pull)
        if words is not None:
            gains.append(float(words.multiply(profiles.center).sum()))
            continue
        known = np.isfinite(unseen)
        each = _normal_gain(np.where(known, unseen, 0.0), profiles, labels)
        gains.append(float(np.where(known, each, 0.0).sum()))
    return _best(gains, _VALUE_PULLS)


def attribute_scores(attributes: AttributeRows, profiles: AttributeProfiles) -> np.ndarray:
    """Return by how much each row's logarithm of probability rises in each cluster, over the average node's.

    Parameters
    ----------
    attributes : AttributeRows
    profiles : AttributeProfiles

    Returns
    -------
    (n, k) array
    """
    if issparse(attributes.known):
        return attributes.known @ profiles.center
    every = np.zeros(len(attributes.rows), np.int64)
    gains = (
        np.where(attributes.known, _normal_gain(attributes.rows, profiles, every + c), 0.0).sum(axis=1)
        for c in range(len(profiles.center))
    )
    return np.column_stack(list(gains))


def between(links: csr_array, labels: np.ndarray, k: int) -> np.ndarray:
    """Return the (k, k) sums of weights between clusters; the diagonal counts each link twice."""
    belongs = member(labels, k)
    return (belongs.T @ (links @ belongs)).toarray()


def member(labels: np.ndarray, k: int) -> csr_array:
    """Return the (n, k) matrix of who belongs where."""
    n = len(labels)
    return csr_array((np.ones(n), labels, np.arange(n + 1)), shape=(n, k))


def _best(gains: list[float], pulls: tuple[float, ...]) -> Gain:
    """Return the largest gain, scaled up to all links or values, and its pull; the strongest where nothing is gained."""
    place = int(np.argmax(gains))
    if not gains[place] > 0:
        return Gain(0.0, pulls[-1])
    return Gain(gains[place] / SHARE, pulls[place])


def _normal_gain(values: np.ndarray, profiles: AttributeProfiles, labels: np.ndarray) -> np.ndarray:
    """Return log N(value; mean and variance of the cluster) - log N(value; those of all)."""
    mean, variance, weight = profiles.overall
    some = np.where(variance > 0, variance, 1.0)
    spread2 = np.where(variance > 0, profiles.spread2, 1.0)
    apart2 = (values - mean) ** 2 / some - (values - profiles.center[labels]) ** 2 / spread2
    return np.where(variance > 0, 0.5 * weight * (apart2 - np.log(spread2 / some)), 0.0)


def _weights(groups: np.ndarray) -> np.ndarray:
    """Return 1 for a number and 1/2 for each level of a category: rows that differ in it do so in two places."""
    _, place, count = np.unique(groups, return_inverse=True, return_counts=True)
    return np.where(count[place] > 1, 0.5, 1.0)


def _mean_square(attributes: AttributeRows, center: np.ndarray, n_known: np.ndarray) -> np.ndarray:
    """Return the mean squared distance of the known values of each column to a center."""
    return np.where(attributes.known, (attributes.rows - center) ** 2, 0.0).sum(axis=0) / n_known


def _symmetric(row: np.ndarray, column: np.ndarray, weight: np.ndarray, shape: tuple[int, int]) -> csr_array:
    both = np.concatenate([row, column]), np.concatenate([column, row])
    return coo_array((np.tile(weight, 2), both), shape=shape).tocsr()


def _split_words(attributes: AttributeRows, rng: np.random.Generator) -> tuple[AttributeRows, csr_array]:
    """Take single words out of the rows; what is left is weighted and scaled anew."""
    words = attributes.known
    out = rng.random(words.nnz) < SHARE
    seen, unseen = (_entries(words, part) for part in (~out, out))
    ratio = _entries(attributes.rows, ~out)
    seen_rows = tf_idf(ratio, inverse_frequencies(seen) / np.maximum(inverse_frequencies(words), 1e-12))
    return AttributeRows(seen_rows, seen, attributes.groups), unseen


def _split_numbers(attributes: AttributeRows, rng: np.random.Generator) -> tuple[AttributeRows, np.ndarray]:
    """Replace single values by the mean; the features that code one category go together. A single column is left as it is."""
    columns, place = np.unique(attributes.groups, return_inverse=True)
    if len(columns) < 2:
        return attributes, np.full(attributes.rows.shape, np.nan)
    out = (rng.random((len(attributes.rows), len(columns))) < SHARE)[:, place]
    kept = AttributeRows(np.where(out, 0.0, attributes.rows), attributes.known & ~out, attributes.groups)
    return kept, np.where(out & attributes.known, attributes.rows, np.nan)


def _entries(matrix: csr_array, part: np.ndarray) -> csr_array:
    before = np.concatenate([[0], np.cumsum(part)])
    return csr_array((matrix.data[part], matrix.indices[part], before[matrix.indptr]), shape=matrix.shape)
