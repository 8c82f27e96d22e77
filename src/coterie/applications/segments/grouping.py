"""From what customers did to segments: logarithms, one scale for all columns, k-means with a least share, whales apart on request.

Money and purchases spread over orders of magnitude; without logarithms k-means spends its segments on a few customers. How many
segments there are, where nobody says it, is the most that random parts of the customers agree about.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...metrics import stability
from ...partition.kmeans import KMeans
from ...tables import Table, read

__all__ = ["CustomerCoding", "Grouping", "fit_coding", "group", "on_part", "sampled"]

FEWEST_CUSTOMERS = 20
MOST_SEGMENTS = 8  # that "auto" tries: more, and nobody writes a letter of their own to each
STABLE = 0.9
_STABILITY_ROWS = 4_000
_STABILITY_SHARE = 0.8  # as Ben-Hur, Elisseeff and Guyon (2002) draw
_RESAMPLES = 20
_STARTS = 10


@dataclass(frozen=True)
class CustomerCoding:
    """How customers become rows of numbers.

    Parameters
    ----------
    kind : {"transactions", "subscriptions"}
    features : tuple of str
        What the columns are made of.
    mean, scale : (d,) float64 arrays
        Of the logarithms, over the customers of the fit.
    names : tuple of str
        Of the segments.
    whales_from : float or None
        Customers from this total on are a segment of their own, the last.
    """

    kind: str
    features: tuple[str, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    names: tuple[str, ...] = ()
    whales_from: float | None = None

    def rows(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return logarithms on the scale of the fit of what customers did, (n, d)."""
        return np.ascontiguousarray((_logs(values) - self.mean) / self.scale)

    def is_whale(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say who spends so much as to be set apart."""
        return np.zeros(len(values), bool) if self.whales_from is None else values[:, -1] >= self.whales_from

    @staticmethod
    def read(source: Any) -> Table:
        """Read new purchases as `coterie.tables.read` does."""
        return read(source)

    def transform(self, table: Any) -> NDArray[np.float64]:
        """Refuse rows: a customer is many of them.

        Raises
        ------
        InputError
        """
        raise InputError(
            "this is a model of segments of customers, who have many rows each; use coterie segment FILE --model FOLDER, or "
            "MarketSegmentation.load(FOLDER).assign(table)"
        )

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return plain values and arrays for a model file."""
        plain = asdict(self)
        arrays = {name: plain.pop(name) for name in ("mean", "scale")}
        return {"customers": {**plain, "features": list(self.features), "names": list(self.names)}}, arrays

    @classmethod
    def from_state(cls, json: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> "CustomerCoding":
        """Build it again from `state`.

        Raises
        ------
        ValueError, KeyError, TypeError
            If the state is damaged.
        """
        plain = dict(json["customers"])
        features, names = tuple(map(str, plain.pop("features"))), tuple(map(str, plain.pop("names")))
        mean, scale = (np.asarray(arrays[name], np.float64) for name in ("mean", "scale"))
        if (
            plain["kind"] not in ("transactions", "subscriptions")
            or mean.shape != (len(features),)
            or scale.shape != mean.shape
        ):
            raise ValueError("the coding of customers is damaged")
        if not (np.isfinite(mean).all() and (scale > 0).all()):
            raise ValueError("the coding of customers is damaged")
        return cls(features=features, names=names, mean=mean, scale=scale, **plain)


class Grouping(NamedTuple):
    """Segments as found.

    Attributes
    ----------
    estimator : KMeans
        Fitted to the customers who are no whales.
    own : (n,) int64 array
        Its labels of all customers, -1 for whales.
    candidates : list of dict
        ``k`` and ``stability``, where k was sought.
    """

    estimator: KMeans
    own: NDArray[np.int64]
    candidates: list[dict[str, float]]


def fit_coding(
    kind: str, features: tuple[str, ...], values: NDArray[np.float64], whale_share: float | None
) -> CustomerCoding:
    """Learn the scale from customers, and from which total on the given share of them are whales.

    Parameters
    ----------
    kind : {"transactions", "subscriptions"}
    features : tuple of str
    values : (n, d) float64 array
        The last column is money.
    whale_share : float or None
        None sets nobody apart.

    Returns
    -------
    CustomerCoding

    Raises
    ------
    InputError
        If there are too few customers, or all of them are equal.
    """
    n = len(values)
    if n < FEWEST_CUSTOMERS:
        raise InputError(
            f"expected {FEWEST_CUSTOMERS} customers or more to find segments of, got {n}; give a longer history or a later cut-off"
        )
    whales_from = None
    if whale_share is not None:
        whales_from = float(np.sort(values[:, -1])[-max(round(whale_share * n), 1)])
    rest = values if whales_from is None else values[values[:, -1] < whales_from]
    if len(rest) < FEWEST_CUSTOMERS:
        raise InputError(
            f"setting whales apart leaves {len(rest)} customers, fewer than {FEWEST_CUSTOMERS}; set fewer apart"
        )
    logs = _logs(rest)
    mean, scale = logs.mean(axis=0), logs.std(axis=0)
    if not (scale > 0).any():
        raise InputError(
            f"all {n:,} customers did the same, so there are no segments among them; check the columns of date and amount"
        )
    return CustomerCoding(kind, features, mean, np.where(scale > 0, scale, 1.0), whales_from=whales_from)


def group(rows: NDArray[np.float64], apart: NDArray[np.bool_], k: int | str, min_share: float, seed: int) -> Grouping:
    """Find the segments.

    Parameters
    ----------
    rows : (n, d) float64 array
        From `CustomerCoding.rows`.
    apart : (n,) bool array
        Who is set apart.
    k : int or "auto"
        Segments among the others.
    min_share : float
        Least share of all customers in a segment.
    seed : int

    Returns
    -------
    Grouping

    Raises
    ------
    InputError
        If so many segments of this share cannot be.
    """
    rest = rows[~apart]
    least = int(np.ceil(min_share * len(rows)))
    distinct = len(np.unique(rest, axis=0))
    # Parts of the customers, on which it is tried whether segments come back, must hold as many.
    most = min(distinct, len(rest) // max(least, 1), int(_STABILITY_SHARE * len(rest)) // 2)
    if distinct < 2 or most < 2:
        raise InputError(_too_few(len(rest), distinct, least))
    if k != "auto" and int(k) > most:
        by_share = most == len(rest) // max(least, 1)
        reason = (
            f"each shall have {min_share:.1%} of the customers"
            if by_share
            else f"there are {len(rest):,} customers, {distinct:,} of them different"
        )
        raise InputError(f"expected at most {most} segments, since {reason}, got k={k}; lower k or min_share")
    tried = range(2, min(MOST_SEGMENTS, most) + 1) if k == "auto" else [int(k)]
    found: list[tuple[KMeans, float]] = []
    candidates = []
    for count in tried:
        estimator = _fitted(rest, count, least, seed)
        again = _stability(estimator, rest, seed)
        found.append((estimator, again))
        candidates.append({"k": count, "stability": round(again, 4), "inertia": float(estimator.inertia_)})
    best = _best([again for _, again in found])
    own = np.full(len(rows), -1, np.int64)
    own[~apart] = found[best][0].labels_
    return Grouping(found[best][0], own, candidates)


def _too_few(n: int, distinct: int, least: int) -> str:
    if distinct < 2:
        return f"all {n:,} customers to be grouped did the same, so there are no segments among them; check the columns of date and amount"
    return f"two segments of {least:,} customers or more each cannot be made of {n:,}; lower min_share"


def _best(stabilities: list[float]) -> int:
    """Return the last that comes back, or the one that comes back most where none does."""
    stable = [i for i, value in enumerate(stabilities) if value >= STABLE]
    return stable[-1] if stable else int(np.argmax(stabilities))


def _fitted(rows: NDArray[np.float64], k: int, least: int, seed: int) -> KMeans:
    """Return k-means as it is, or with a bound where it would leave a segment too small."""
    free = KMeans(k, n_init=_STARTS, random_state=seed).fit(rows)
    if np.bincount(free.labels_, minlength=k).min() >= least:
        return free
    return KMeans(k, n_init=_STARTS, random_state=seed, min_cluster_size=least).fit(rows)


def on_part(estimator: KMeans, n: int, part: int) -> KMeans:
    """Return the same k-means for a part of the rows: fewer starts, and a bound that is smaller as the part is."""
    bound = estimator.min_cluster_size
    least = None if bound is None else max(bound * part // n, 1)
    return KMeans(estimator.n_clusters, n_init=3, random_state=estimator.random_state, min_cluster_size=least)


def sampled(n: int, seed: int) -> NDArray[np.int64]:
    """Return the rows on which it is tried whether segments come back: all, or some thousands."""
    if n <= _STABILITY_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, _STABILITY_ROWS, replace=False))


def _stability(estimator: KMeans, rows: NDArray[np.float64], seed: int) -> float:
    tried = sampled(len(rows), seed)
    again = on_part(estimator, len(rows), round(_STABILITY_SHARE * len(tried)))
    return stability(again, rows[tried], n_resamples=_RESAMPLES, sample_share=_STABILITY_SHARE, random_state=seed)


def _logs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    # Who returned more than they bought spent nothing.
    return np.log1p(np.maximum(values, 0.0))
