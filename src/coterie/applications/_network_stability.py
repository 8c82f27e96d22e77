"""Would the classes be found again: what remains of them when a few links are left out.

The method runs again on the network with a tenth of its links left out at random, with another seed each time; a class is as stable
as its best match in those runs is like it (Jaccard), on average.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph
from ..graphs import from_edges, to_scipy
from ..metrics import adjusted_mutual_info_score
from ..metrics.resampling import jaccard_by_cluster
from ._network_check import links_of
from ._network_settle import join_small

__all__ = ["Stability", "stability_of"]

LEFT_OUT = 0.1
# Runs, by the number of links up to which so many are made; the slow methods take tens of times as long as the quick ones.
_RUNS = ((50_000, 10), (300_000, 4), (3_000_000, 1))
_SLOW_RUNS = ((10_000, 4), (300_000, 1))
_SLOW = {"attributed", "block_model", "spectral"}


class Stability(NamedTuple):
    """How firmly the classes stand."""

    runs: int
    classes: list[float]  # of each class, 0 to 1; empty without runs
    agreement: float | None  # mean adjusted mutual information of the whole
    sentence: str


def stability_of(
    found: Any, network: Any, one_way: Graph, attributes: Any, min_share: float | None, seed: int
) -> Stability:
    """Run the method again without some of the links.

    Parameters
    ----------
    found : Found
    network : Network
    one_way : Graph
        The network without directions.
    attributes : (n, m) array, csr_array or None
        What took part beside the links.
    min_share : float or None
        Below which a class joins another, there as here.
    seed : int

    Returns
    -------
    Stability
    """
    directed = network.directed and found.method == "block_model"
    ends, weights = links_of(network.graph if directed else one_way, directed=directed)
    table = _SLOW_RUNS if found.method in _SLOW else _RUNS
    runs = next((times for most, times in table if len(ends) <= most), 0) if found.k > 1 and len(ends) > 1 else 0
    if not runs:
        why = "so large a network was not run again" if found.k > 1 else ""
        return Stability(0, [], None, why)
    rng = np.random.default_rng((seed, 1))
    likeness, agreement = np.zeros(found.k), 0.0
    for run in range(runs):
        kept = np.sort(rng.permutation(len(ends))[: max(1, round((1 - LEFT_OUT) * len(ends)))])
        graph = from_edges(ends[kept], one_way.n_nodes, weights=weights[kept], directed=directed)
        again = _again(found, graph, attributes, seed + 1 + run)
        if min_share:
            again = join_small(again, to_scipy(one_way), int(np.ceil(min_share * len(again))))[0]
        likeness += jaccard_by_cluster(found.labels, again)[1]
        placed = found.labels >= 0
        agreement += float(adjusted_mutual_info_score(found.labels[placed], again[placed]))
    likeness, agreement = likeness / runs, agreement / runs
    return Stability(runs, likeness.tolist(), agreement, _sentence(likeness, agreement, runs))


def _again(found: Any, graph: Graph, attributes: Any, seed: int) -> np.ndarray:
    from sklearn.base import clone

    estimator = clone(found.estimator).set_params(random_state=seed)
    if found.method == "attributed":
        estimator.fit(graph, attributes)
    else:
        estimator.fit(to_scipy(graph) if found.method == "spectral" else graph)
    return np.asarray(estimator.labels_, np.int64)


def _sentence(likeness: np.ndarray, agreement: float, runs: int) -> str:
    shaky = np.flatnonzero(likeness < 0.5)
    times = f"in {runs} runs without a tenth of the links" if runs > 1 else "in a run without a tenth of the links"
    how = "come back" if agreement >= 0.9 else "mostly come back" if agreement >= 0.75 else "partly change"
    named = (
        f"; class{'es' if len(shaky) > 1 else ''} {', '.join(map(str, shaky[:5]))} did not"
        if 0 < len(shaky) <= 5
        else ""
    )
    many = f"; {len(shaky):,} of the {len(likeness):,} did not" if len(shaky) > 5 else ""
    return f"The classes {how} {times} (agreement {agreement:.2f}){named or many}."
