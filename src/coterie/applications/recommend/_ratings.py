"""Predicted ratings: a baseline, blocks of users and items, and similar items, weighted by ratings that were held out.

    rating of u for i = mean + leaning of u + standing of i + a * blocks(u, i) + b * similar items(u, i)

Blocks and similar items are learnt from what the baseline leaves over. The weights a and b, how strongly leanings and standings are shrunk,
and how far off predictions are, come from a tenth of the ratings that was held out, or from several tenths in turn where one holds few;
then everything is fitted to all of them. How far off predictions are is judged with weights that come from other held-out ratings.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import nnls
from scipy.sparse import csr_array

from ...primitives.coclusters import CoClusters, co_cluster_means, co_clusters
from ...primitives.item_neighbors import neighbor_means
from ._interactions import Interactions, table_of

__all__ = ["PARTS", "Baseline", "Ratings", "errors_of", "expected", "fit_ratings", "parts_of", "spread_of"]

PARTS = ("baseline", "co-clustering", "similar items", "blended")
_DAMPING = ((2.0, 2.0), (5.0, 5.0), (10.0, 10.0), (25.0, 25.0))  # ratings at the mean that a user, an item starts with
_ROUNDS = 15
_GROUPS = 8  # of users, and of items: more change little where draws are averaged
_HELD_OUT, _LEAST_HELD_OUT, _MOST_HELD_OUT = 0.1, 500, 50_000
_WEIGHT_PARTS = 5
_FEW_CHAINS, _MANY_RATINGS = 6, 300_000
_BINS, _LEAST_IN_BIN = 5, 50
_COVERED = 0.9


class Baseline(NamedTuple):
    """The mean, and how far users and items are from it."""

    mean: float
    leanings: np.ndarray  # (n,)
    standings: np.ndarray  # (m,)

    def of(self, user: Any, item: Any) -> np.ndarray:
        """Return the baseline of pairs."""
        return self.mean + self.leanings[user] + self.standings[item]


class Ratings(NamedTuple):
    """A fitted model of ratings."""

    baseline: Baseline
    rest: csr_array  # (n, m), what the baseline leaves over
    blocks: CoClusters
    weights: np.ndarray  # (2,) of blocks and of similar items
    alone: np.ndarray  # (2,) the weight of each of them without the other
    limits: tuple[float, float]
    support_edges: np.ndarray  # (b - 1,) ratings of an item that part the bins of support
    spreads: np.ndarray  # (b,) distance from the prediction within which 90 % of the held-out ratings lay
    held_out: dict[str, np.ndarray]  # truth, predicted, support, of held-out ratings


def fit_ratings(lines: Interactions, *, n_chains: int, seed: int) -> Ratings:
    """Fit the model to all ratings.

    Parameters
    ----------
    lines : Interactions
        With ratings.
    n_chains : int
        Of the co-clustering; at most half as many from 300,000 ratings on.
    seed : int
    """
    n_chains = min(n_chains, _FEW_CHAINS) if len(lines.user) >= _MANY_RATINGS else n_chains
    random = np.random.default_rng(seed)
    order = random.permutation(len(lines.user))
    n_held = max(1, min(int(_HELD_OUT * len(order)), _MOST_HELD_OUT))
    turns = [order[start : start + n_held] for start in range(0, min(_LEAST_HELD_OUT, len(order)), n_held)]
    pairs = [(lines.take(np.sort(np.setdiff1d(order, turn))), lines.take(np.sort(turn))) for turn in turns]
    damping = min(_DAMPING, key=lambda pair: sum(_error(_fit_baseline(rest, pair), held) for rest, held in pairs))
    limits = float(lines.rating.min()), float(lines.rating.max())
    parts, left, support = _held_out_parts(pairs, damping, limits, n_chains, seed)
    weights, alone = _weights(parts, left), np.array([_weights(part[:, None], left)[0] for part in parts.T])
    truth = np.concatenate([held.rating for _, held in pairs])
    predicted = np.clip(truth - left + _cross_weighted(parts, left), *limits)
    edges, spreads = _spreads(np.abs(truth - predicted), support)
    told = {"truth": truth, "predicted": predicted, "support": support}
    final = _fit_parts(lines, damping, limits, n_chains, seed)
    return final._replace(weights=weights, alone=alone, support_edges=edges, spreads=spreads, held_out=told)


def _held_out_parts(
    pairs: Sequence[tuple[Interactions, Interactions]], damping: Any, limits: Any, n_chains: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what blocks and similar items say of ratings held out (p, 2), what the baseline leaves of them, and their items' ratings."""
    told, left, support = [], [], []
    for rest, held in pairs:
        base, *parts = parts_of(_fit_parts(rest, damping, limits, n_chains, seed), held.user, held.item)
        told.append(np.column_stack(parts))
        left.append(held.rating - base)
        support.append(np.bincount(rest.item, minlength=rest.shape[1])[held.item])
    return np.concatenate(told), np.concatenate(left), np.concatenate(support)


def _weights(parts: np.ndarray, left: np.ndarray) -> np.ndarray:
    return nnls(parts, left)[0]


def _cross_weighted(parts: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return what parts add to the baseline, (p,), each place with weights from the other fifths of them."""
    fifth, added = np.arange(len(left)) % _WEIGHT_PARTS, np.zeros(len(left))
    for one in range(min(_WEIGHT_PARTS, len(left))):
        here = fifth == one
        added[here] = parts[here] @ _weights(parts[~here], left[~here]) if not here.all() else 0.0
    return added


def parts_of(model: Ratings, user: Any, item: Any) -> list[np.ndarray]:
    """Return baseline, blocks and similar items of pairs, (p,) each."""
    near, _ = neighbor_means(model.rest, user, item)
    return [model.baseline.of(user, item), co_cluster_means(model.blocks, user, item), near]


def expected(model: Ratings, user: Any, item: Any, part: str = "blended") -> np.ndarray:
    """Return predicted ratings of pairs, (p,), within the range of the ratings."""
    base, blocks, near = parts_of(model, user, item)
    told = {
        "baseline": base,
        "co-clustering": base + model.alone[0] * blocks,
        "similar items": base + model.alone[1] * near,
        "blended": base + model.weights[0] * blocks + model.weights[1] * near,
    }
    return np.clip(told[part], *model.limits)


def errors_of(model: Ratings) -> dict[str, float]:
    """Return ``rmse`` and ``mae`` of the ratings that were held out."""
    errors = model.held_out["truth"] - model.held_out["predicted"]
    return {"rmse": float(np.sqrt(np.mean(errors**2))), "mae": float(np.mean(np.abs(errors)))}


def spread_of(model: Ratings, support: Any) -> np.ndarray:
    """Return how far from its prediction nine of ten ratings lie, for items with so many ratings."""
    return model.spreads[np.searchsorted(model.support_edges, support, side="right")]


def _fit_parts(lines: Interactions, damping: tuple[float, float], limits: Any, n_chains: int, seed: int) -> Ratings:
    baseline = _fit_baseline(lines, damping)
    rest = table_of(lines, lines.rating - baseline.of(lines.user, lines.item))
    blocks = co_clusters(rest, _GROUPS, _GROUPS, n_chains=n_chains, seed=seed)
    return Ratings(baseline, rest, blocks, np.ones(2), np.ones(2), limits, np.empty(0), np.zeros(1), {})


def _fit_baseline(lines: Interactions, damping: tuple[float, float]) -> Baseline:
    """Fit leanings and standings in turns, each a mean of what the other leaves over, shrunk towards 0."""
    user, item, rating = lines.user, lines.item, lines.rating
    n, m = lines.shape
    mean = float(rating.mean())
    leanings, standings = np.zeros(n), np.zeros(m)
    n_user, n_item = np.bincount(user, minlength=n) + damping[0], np.bincount(item, minlength=m) + damping[1]
    for _ in range(_ROUNDS):
        standings = np.bincount(item, rating - mean - leanings[user], m) / n_item
        leanings = np.bincount(user, rating - mean - standings[item], n) / n_user
    return Baseline(mean, leanings, standings)


def _error(baseline: Baseline, held: Interactions) -> float:
    return float(np.mean((held.rating - baseline.of(held.user, held.item)) ** 2))


def _spreads(errors: np.ndarray, support: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return edges between bins of support, and the distance that the next error is within nine times of ten, for each bin."""
    n_bins = max(1, min(_BINS, len(errors) // _LEAST_IN_BIN))
    edges = np.unique(np.quantile(support, np.arange(1, n_bins) / n_bins)) if n_bins > 1 else np.empty(0)
    bins = np.searchsorted(edges, support, side="right")
    return edges, np.array([_reach(errors[bins == b] if (bins == b).any() else errors) for b in range(len(edges) + 1)])


def _reach(errors: np.ndarray) -> float:
    """Return the distance that the next error is within nine times of ten: the k-th smallest, k = 0.9 (n + 1) rounded up."""
    k = min(int(np.ceil(_COVERED * (len(errors) + 1))), len(errors))
    return float(np.partition(errors, k - 1)[k - 1])
