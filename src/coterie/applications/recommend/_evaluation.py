"""What suggestions and predicted ratings are worth, by the protocols that the field uses."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import stats

from ...errors import InputError
from ...metrics import adjusted_rand_score
from ...tables.table import unknown_name
from ._interactions import Interactions
from ._learning import Way
from ._lists import coverage, gini, novelty, overlap, variety
from ._ranking import Ranker, Setting, fit_ranker, ranked, recent, rows_of
from ._ratings import PARTS, errors_of, expected, fit_ratings
from ._suggesting import Learnt
from ._taste import fit_taste
from ._windows import TOP, Outcome, Trial, Tried, best_popularity, progressive, split_outcome

__all__ = ["DROPPED", "by_protocol", "calibration", "consistency", "figures", "folds", "gain", "rolling", "sparsity"]

DROPPED = (0.0, 0.5, 0.8, 0.9)
_N_FOLDS, _HELD_OUT, _N_BINS = 5, 0.1, 8
_MOST_USERS = 1_000
_REPORTED = ("ndcg", "recall", "precision", "coverage", "gini", "novelty", "variety", "new_user_ndcg", "new_item_share")


def by_protocol(protocol: str, learnt: Learnt, tried: Any, way: Way, assignment: Any = None) -> dict[str, Any]:
    """Return what `ClusterRecommender.evaluate` does.

    Raises
    ------
    InputError
        If there is no such protocol, or the lines do not allow it.
    """
    lines = learnt.lines
    if protocol == "rolling":
        if not tried.has_windows:
            raise InputError(
                "there is no window in which users who were known before liked anything; give lines over a longer time"
            )
        return rolling(learnt, tried)
    if protocol == "folds":
        if learnt.ratings is None:
            raise InputError("folds are for ratings, and there are none; use rolling")
        return folds(lines, n_chains=way.n_chains, seed=way.seed, assignment=assignment)
    if protocol == "sparsity":
        return sparsity(lines, learnt.setting, n_groups=way.n_groups, n_chains=way.n_chains, seed=way.seed)
    if protocol == "consistency":
        return consistency(learnt, n_groups=way.n_groups, seed=way.seed)
    raise unknown_name(protocol, ("rolling", "folds", "sparsity", "consistency"), "protocol")


def figures(learnt: Learnt, tried: Tried) -> dict[str, float]:
    """Return the figures that every fit reports, by name."""
    found = {"group_stability": float(learnt.groups.stability)}
    if learnt.ratings is not None:
        found |= errors_of(learnt.ratings)
    if tried.has_windows:
        told = rolling(learnt, tried)
        found |= {name: told[name] for name in _REPORTED}
        found |= {f"popularity_{name}": told["popularity"][name] for name in ("ndcg", "coverage")}
    elif tried.outcomes and tried.outcomes[0].start is None:  # no window: likes were drawn
        one = tried.outcomes[0]
        found["drawn_ndcg"] = _mean(one.worth[tried.setting]["ndcg"])
        found["drawn_popularity_ndcg"] = _mean(one.popular[tried.setting.half_life][1])
    return found


def rolling(learnt: Learnt, tried: Tried) -> dict[str, Any]:
    """Report the windows after those that only served to settle, each with the setting that had served best before it."""
    shares = learnt.ranker.seen.sum(axis=0) / len(learnt.lines.users)
    m = len(shares)
    settled = progressive(tried.outcomes, tried.settings, m)[tried.n_settle :]
    shown = tried.outcomes[tried.n_settle :]
    windows = [
        {
            "start": one.start, "end": one.end, "users": int(one.known.sum()), "new_users": int((~one.known).sum()),
            "half_life": setting.half_life, "ndcg": _mean(one.worth[setting]["ndcg"][one.known]),
            "new_item_share": one.n_new / max(one.n_wanted, 1),
        }
        for one, setting in zip(shown, settled, strict=True)
    ]  # fmt: skip
    pairs = list(zip(shown, settled, strict=True))
    lists = np.concatenate([one.lists[setting][one.known] for one, setting in pairs])
    worth = {
        name: np.concatenate([one.worth[setting][name][one.known] for one, setting in pairs])
        for name in ("ndcg", "recall", "precision")
    }
    popular = best_popularity(shown, m)
    for line, one in zip(windows, shown, strict=True):
        line["popularity_ndcg"] = _mean(one.popular[popular["half_life"]][1][one.known])
    new = np.concatenate([one.worth[setting]["ndcg"][~one.known] for one, setting in pairs])
    theirs = np.concatenate([one.popular[popular["half_life"]][1][one.known] for one in shown])
    users = np.concatenate([one.users[one.known] for one in shown])
    of_window = np.repeat(np.arange(len(shown)), [one.known.sum() for one in shown])
    return {
        **{name: _mean(values) for name, values in worth.items()}, **_moves(shown),
        "gain": gain(worth["ndcg"] - theirs, (users, of_window), len(shown[0].popular)),
        "ndcg_error": float(worth["ndcg"].std() / max(len(lists), 1) ** 0.5),
        "user_windows": len(lists), "coverage": coverage(lists, m), "gini": gini(lists, m), "novelty": novelty(lists, shares),
        "variety": variety(lists, learnt.likeness), "new_user_ndcg": _mean(new), "new_user_windows": len(new),
        "new_item_share": sum(one.n_new for one in shown) / max(sum(one.n_wanted for one in shown), 1),
        "popularity": popular, "windows": windows,
    }  # fmt: skip


def gain(more: np.ndarray, origins: Sequence[np.ndarray], n_rivals: int) -> dict[str, float]:
    """Return a mean difference with the ends of its range: 95 times of 100 the true one lies within.

    Parameters
    ----------
    more : (p,) float64 array
        Differences of pairs.
    origins : sequence of (p,) int arrays
        What pairs have in common, such as a user or a window. Pairs of one origin are not independent, so it is origins that are
        counted; of several kinds, the kind that leaves most uncertain.
    n_rivals : int
        The other side is the best of so many in hindsight, which flatters it: the upper end allows for that (Bonferroni).
    """
    mean = float(more.mean())
    low, high = mean, mean
    for origin in origins:
        sums = np.bincount(np.unique(origin, return_inverse=True)[1], more - mean)
        n = len(sums)
        if n < 2:
            continue
        error = (n / (n - 1) * (sums**2).sum()) ** 0.5 / len(more)
        low = min(low, mean - float(stats.t.ppf(0.975, n - 1)) * error)
        high = max(high, mean + float(stats.t.ppf(1 - 0.025 / n_rivals, n - 1)) * error)
    return {"mean": mean, "low": low, "high": high}


def _moves(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Return how much taste groups agree from one window to the next, and between two seeds at the start of one."""
    drift = [_agreement(one.groups[0], later.groups[0]) for one, later in pairwise(outcomes)]
    seeds = [_agreement(*one.groups) for one in outcomes]
    return {"group_drift": _mean(np.array(drift)) if drift else None, "group_seeds": _mean(np.array(seeds))}


def _agreement(first: np.ndarray, second: np.ndarray) -> float:
    both = (first >= 0) & (second >= 0)
    return float(adjusted_rand_score(first[both], second[both])) if both.sum() > 1 else 1.0


def folds(
    lines: Interactions, *, n_chains: int, seed: int, assignment: np.ndarray | None = None
) -> dict[str, dict[str, float]]:
    """Return RMSE and MAE of each part of the model of ratings, the mean of five random folds.

    Parameters
    ----------
    lines : Interactions
        With ratings.
    n_chains, seed : int
    assignment : (e,) int array, optional
        Fold of each line; by default drawn.
    """
    if assignment is None:
        assignment = np.random.default_rng(seed).permutation(len(lines.user)) % _N_FOLDS
    assignment = np.asarray(assignment)
    if assignment.shape != (len(lines.user),) or len(np.unique(assignment)) < 2:
        raise InputError(
            f"folds must name two folds or more, one for each of the {len(lines.user):,} lines that were learnt from, got an array of shape "
            f"{assignment.shape} with {len(np.unique(assignment)):,} different values"
        )
    errors: dict[str, list[np.ndarray]] = {part: [] for part in PARTS}
    for fold in np.unique(assignment):
        held = lines.take(assignment == fold)
        model = fit_ratings(lines.take(assignment != fold), n_chains=n_chains, seed=seed)
        for part in PARTS:
            errors[part].append(held.rating - expected(model, held.user, held.item, part))
    return {
        part: {
            "rmse": float(np.mean([np.sqrt(np.mean(one**2)) for one in found])),
            "mae": float(np.mean([np.mean(np.abs(one)) for one in found])),
        }
        for part, found in errors.items()
    }


def sparsity(
    lines: Interactions, setting: Setting, *, n_groups: int, n_chains: int, seed: int
) -> dict[str, list[float | None]]:
    """Return how predictions and suggestions suffer where lines are dropped: each tested on the same tenth of the lines.

    Parameters
    ----------
    lines : Interactions
    setting : Setting
    n_groups, n_chains, seed : int
    """
    order = np.random.default_rng(seed).permutation(len(lines.user))
    n_held = max(1, int(_HELD_OUT * len(order)))
    held, rest = lines.take(np.sort(order[:n_held])), order[n_held:]
    curve: dict[str, list[float | None]] = {
        "dropped": [],
        "rmse": [],
        "baseline_rmse": [],
        "ndcg": [],
        "popularity_ndcg": [],
    }
    still = Setting(None, setting.links)
    for share in DROPPED:
        kept = lines.take(np.sort(rest[: max(1, round((1 - share) * len(rest)))]))
        curve["dropped"].append(share)
        rmse: list[float | None] = [None, None]
        if lines.rating is not None and kept.rating.min() < kept.rating.max():
            model = fit_ratings(kept, n_chains=n_chains, seed=seed)
            rmse = [
                _rmse(held.rating - expected(model, held.user, held.item, part)) for part in ("blended", "baseline")
            ]
        curve["rmse"].append(rmse[0])
        curve["baseline_rmse"].append(rmse[1])
        outcome = split_outcome(kept, held, Trial([still], n_groups, seed))
        curve["ndcg"].append(None if outcome is None else _mean(outcome.worth[still]["ndcg"]))
        curve["popularity_ndcg"].append(None if outcome is None else _mean(outcome.popular[None][1]))
    return curve


def consistency(learnt: Learnt, *, n_groups: int, seed: int) -> dict[str, float | None]:
    """Return how much of a user's ten suggestions is the same with another seed, and with a tenth of the lines dropped."""
    lines, ranker = learnt.lines, learnt.ranker
    random = np.random.default_rng(seed)
    users = np.sort(random.permutation(lines.shape[0])[:_MOST_USERS])
    some = lines.take(np.sort(random.permutation(len(lines.user))[: round(0.9 * len(lines.user))]))
    now = None if lines.day is None else float(lines.day.max())

    def lists(one: Ranker) -> np.ndarray:
        return ranked(one, recent(one, learnt.setting.half_life), learnt.setting.links, rows_of(one, users), n=TOP)[0]

    first = lists(ranker)
    reseeded = ranker._replace(taste=fit_taste(ranker.liked, n_groups, seed + 1))  # nothing else hangs on the seed
    return {
        "seeds": overlap(first, lists(reseeded)),
        "lines": overlap(first, lists(fit_ranker(some, n_groups, seed, now))),
    }


def calibration(held_out: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Return predicted and true ratings in bins of what was predicted, of the ratings held out, with how many there are."""
    truth, predicted = held_out["truth"], held_out["predicted"]
    edges = np.unique(np.quantile(predicted, np.arange(1, _N_BINS) / _N_BINS))
    bins = np.searchsorted(edges, predicted, side="right")
    used = [b for b in range(len(edges) + 1) if (bins == b).any()]
    return {
        "predicted": [float(predicted[bins == b].mean()) for b in used],
        "rated": [float(truth[bins == b].mean()) for b in used],
        "count": [int((bins == b).sum()) for b in used],
    }


def _rmse(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else 0.0
