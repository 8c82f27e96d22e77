"""Is there structure at all, and is the answer only a copy of a column? Two checks before anybody relies on the classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import Graph
from ..graphs import from_edges, to_scipy
from ..metrics import adjusted_mutual_info_score
from ..study.values import View
from ._network_quality import Quality, quality_of
from ._network_settle import has_others

__all__ = ["LEAK", "agreement", "examine", "links_of"]

LEAK = 0.95
# Rewired networks to compare with, by the number of links; each costs another run of the method.
_REPEATS = ((50_000, 5), (300_000, 2), (3_000_000, 1))
_SURE = 3.0


def agreement(views: Sequence[View], labels: np.ndarray) -> dict[str, float]:
    """Return the adjusted mutual information of each category with the classes, over nodes that have both."""
    found = {}
    for view in views:
        if view.kind != "category":
            continue
        known = (labels >= 0) & (view.codes >= 0)
        if known.sum() > 1 and len(np.unique(view.codes[known])) > 1:
            found[view.name] = float(adjusted_mutual_info_score(view.codes[known], labels[known]))
    return found


def examine(found: Any, quality: Quality, one_way: Graph, seed: int) -> dict[str, Any]:
    """Compare the modularity with what the same method reaches on networks of the same degrees, linked at random.

    Parameters
    ----------
    found : Found
    quality : Quality
        Of the classes found.
    one_way : Graph
        The network without directions.
    seed : int

    Returns
    -------
    dict
        ``verdict`` ("clusters", "none" or "unchecked"), ``sentence``, ``modularity``, ``null_mean``, ``null_sd``, ``repeats``.
    """
    if found.method == "block_model":
        return _by_description(found, quality)
    ends, weights = links_of(one_way)
    if found.k == 0 and has_others(to_scipy(one_way)).any():
        return _said("none", quality, "No clear classes: none is as large as asked for.")
    by_modularity = (
        found.method in ("leiden", "louvain") and found.params.get("objective", "modularity") == "modularity"
    )
    repeats = next((times for most, times in _REPEATS if len(ends) <= most), 0) if by_modularity and len(ends) else 0
    said = _said("unchecked", quality, _unchecked(found, quality, len(ends)))
    if not repeats:
        return said
    rng = np.random.default_rng(seed)
    null = np.array([_reached(found.estimator, _rewired(ends, weights, one_way.n_nodes, rng)) for _ in range(repeats)])
    mean, sd = float(null.mean()), float(null.std(ddof=1)) if repeats > 1 else None
    clear = quality.modularity > mean + max(_SURE * (sd or 0.0), 0.02)
    said |= {"verdict": "clusters" if clear else "none", "null_mean": mean, "null_sd": sd, "repeats": repeats}
    if clear:
        said["sentence"] = (
            f"The classes are more than chance: modularity {quality.modularity:.2f}, where networks of the same degrees "
            f"linked at random reach {mean:.2f}."
        )
    else:
        said["sentence"] = (
            f"No clear classes: networks of the same degrees linked at random divide as well (modularity {mean:.2f}, "
            f"here {quality.modularity:.2f})."
        )
    return said


def _by_description(found: Any, quality: Quality) -> dict[str, Any]:
    """Read the verdict off the block model: it has found classes where they make the network shorter to describe."""
    clear = found.k > 1 and found.params["n_clusters"] == "auto"
    tested = (
        "these classes make the network shorter to describe"
        if clear
        else "whether chance would do as well was not tested"
    )
    if found.k < 2:
        return _said("none", quality, "No classes: no division of the nodes makes the network shorter to describe.")
    return _said(
        "clusters" if clear else "unchecked", quality, f"Nodes of a class link alike, to whichever classes; {tested}."
    )


def _said(verdict: str, quality: Quality, sentence: str) -> dict[str, Any]:
    return {
        "verdict": verdict, "modularity": quality.modularity, "null_mean": None, "null_sd": None, "repeats": 0,
        "sentence": sentence,
    }  # fmt: skip


def _unchecked(found: Any, quality: Quality, n_links: int) -> str:
    if not n_links:
        return "There are no links, so there is nothing to tell classes by."
    if found.method in ("leiden", "louvain") and n_links > _REPEATS[-1][0]:
        return f"Modularity {quality.modularity:.2f}; so large a network was not compared with random ones."
    return (
        f"{percent(quality.coverage)} of the links stay inside the classes (modularity {quality.modularity:.2f}); "
        "whether chance would do as well was not tested."
    )


def percent(share: float) -> str:
    """Write a share in percent."""
    return f"{100 * share:.0f}%"


def links_of(graph: Graph, *, directed: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return the two ends and the weight of every link to another node, once."""
    sources = np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr))
    once = sources != graph.indices if directed else sources < graph.indices
    return np.column_stack([sources[once], graph.indices[once]]), graph.weights[once]


def _reached(estimator: Any, graph: Graph) -> float:
    from sklearn.base import clone

    labels = np.asarray(clone(estimator).fit(graph).labels_)
    return quality_of(to_scipy(graph), labels, int(labels.max()) + 1).modularity


def _rewired(ends: np.ndarray, weights: np.ndarray, n_nodes: int, rng: np.random.Generator) -> Graph:
    """Pair the ends of all links anew; links from a node to itself that arise are left out."""
    stubs = rng.permutation(ends.ravel()).reshape(-1, 2)
    keep = stubs[:, 0] != stubs[:, 1]
    return from_edges(stubs[keep], n_nodes, weights=weights[keep])
