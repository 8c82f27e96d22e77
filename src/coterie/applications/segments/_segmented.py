"""The part of a segmentation that buyers and subscribers share: groups, how good they are, names and rules."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...clustering import map_by_size, relabel
from ...study.judge import cluster_stability, separation
from ...study.population import cluster_means, squares_within
from .grouping import CustomerCoding, Grouping, fit_coding, group, on_part, sampled
from .naming import Rules, rules_of

__all__ = ["Segmented", "doubts", "label_of", "segmented"]

_MOST_FOR_RULES = 100_000


class Segmented(NamedTuple):
    """Segments of customers and what is known of them.

    Attributes
    ----------
    coding : CustomerCoding
    grouping : Grouping
    label_map : (k_own,) int64 array
        The final label of each of the estimator's.
    labels : (n,) int64 array
        0, 1, ... by decreasing size; whales, if any, last.
    k : int
        Segments, whales among them.
    whales : int or None
        Their label.
    values : (n, d) float64 array
        What customers did.
    rows : (n, d) float64 array
        The same as the estimator sees it.
    distance : (n,) float64 array
        To the middle of the own segment.
    within, again : (k,) float64 arrays
        Share of the variance within each segment; how well it comes back on random parts of the customers, 0 to 1.
    rules : Rules
    figures : dict
        Names as in the metrics of the record.
    """

    coding: CustomerCoding
    grouping: Grouping
    label_map: NDArray[np.int64]
    labels: NDArray[np.int64]
    k: int
    whales: int | None
    values: NDArray[np.float64]
    rows: NDArray[np.float64]
    distance: NDArray[np.float64]
    within: NDArray[np.float64]
    again: NDArray[np.float64]
    rules: Rules
    figures: dict[str, float]


def segmented(kind: str, features: Sequence[str], values: NDArray[np.float64], options: Any) -> Segmented:
    """Find segments and judge them.

    Parameters
    ----------
    kind : {"transactions", "subscriptions"}
    features : sequence of str
        Names of the columns of ``values``; the last is money.
    values : (n, d) float64 array
    options : MarketSegmentation
        Its parameters count.

    Returns
    -------
    Segmented
    """
    seed = options.random_state
    coding = fit_coding(kind, tuple(features), values, options.whale_share if options.whales == "separate" else None)
    rows, apart = coding.rows(values), coding.is_whale(values)
    found = group(rows, apart, options.k, options.min_share, seed)
    label_map = map_by_size(found.own)
    labels = relabel(found.own, label_map)
    k = found.estimator.n_clusters
    whales = k if coding.whales_from is not None else None
    if whales is not None:
        labels[apart] = whales
        k += 1
    means = cluster_means(rows, labels, k)
    within = squares_within(rows, labels, means)
    total = float(((rows - rows.mean(axis=0)) ** 2).sum())
    again = _comes_back(found, rows[~apart], labels[~apart], seed)
    if whales is not None:
        again = np.append(again, np.nan)
    rules = rules_of(features, values[:_MOST_FOR_RULES], labels[:_MOST_FOR_RULES], k)
    figures = {
        "customers": float(len(rows)),
        "segments": float(k),
        "w_over_t": float(within.sum()) / total,
        "least_share": float(np.bincount(labels[~apart]).min() / len(labels)),
        "silhouette": separation(rows, labels, seed=seed)[0],
        "stability": next(line["stability"] for line in found.candidates if line["k"] == found.estimator.n_clusters),
        "rule_fidelity": rules.fidelity,
    }
    return Segmented(
        coding, found, label_map, labels, k, whales, values, rows,
        np.sqrt(((rows - means[labels]) ** 2).sum(axis=1)), within / total, again, rules, figures,
    )  # fmt: skip


def label_of(
    coding: CustomerCoding, estimator: Any, label_map: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the segments of customers by the rules of a fit."""
    labels = label_map[estimator.predict(coding.rows(values))] if len(values) else np.empty(0, np.int64)
    labels[coding.is_whale(values)] = len(label_map)
    return labels


def doubts(found: Segmented) -> list[dict[str, str]]:
    """Return what to warn of: segments that other customers would not give again."""
    stability = found.figures["stability"]
    if stability >= 0.75:
        return []
    return [
        {"text": f"Other customers of the same kind would give other segments: stability {stability:.2f} of 1.",
         "remedy": "Ask for fewer segments, or let k be found."}
    ]  # fmt: skip


def _comes_back(found: Grouping, rows: NDArray, labels: NDArray, seed: int) -> NDArray:
    """Refit on random parts; each segment is compared with the one that it overlaps most."""
    estimator, tried = found.estimator, sampled(len(rows), seed)

    def refit(part: NDArray[np.int64]) -> NDArray[np.int64]:
        return on_part(estimator, len(rows), len(part)).fit(rows[tried[part]]).labels_

    return cluster_stability(refit, rows[tried], labels[tried], estimator.n_clusters, seed=seed)[1]
