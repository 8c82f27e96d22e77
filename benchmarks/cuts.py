"""Ratio, normalised and min-max cut beside spectral clustering: ``python -m benchmarks.cuts [GRAPH ...] [--parts 2 4 8 16]``.

One run, one process, one core (set OMP_NUM_THREADS=1). For every graph of the folder of real graphs, every number of parts and every
objective: ours without a bound on sizes, the least that a peer reaches by any of its ways to label, and processor seconds. A peer that
returns fewer parts than asked for, or fails, is left out and counted.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "graphs"
FILES = {
    "karate": "karate_club.gml",
    "dolphins": "dolphins.gml",
    "polbooks": "polbooks.gml",
    "ego-facebook": "snap-facebook/facebook_combined.txt.gz",
    "musae": "musae/facebook_edges.csv.gz",
    **{
        name: f"walshaw/{name}.graph.gz"
        for name in ("uk", "add20", "add32", "data", "3elt", "whitaker3", "crack", "fe_4elt2", "bcsstk33")
    },
}
OBJECTIVES = ("ratio_cut", "normalized_cut", "min_max_cut")
RESULTS = Path(__file__).parent / "results"


def peers() -> dict[str, Callable[[Any, int], np.ndarray]]:
    """Return who else divides graphs, by name: functions of an adjacency matrix and a number of parts."""
    from sklearn.cluster import KMeans, SpectralClustering
    from sknetwork.embedding import Spectral

    def sklearn(assign: str) -> Callable:
        def call(matrix: Any, k: int) -> np.ndarray:
            solver = "lobpcg" if matrix.shape[0] > 20_000 else None
            return SpectralClustering(
                k, affinity="precomputed", assign_labels=assign, eigen_solver=solver, random_state=0
            ).fit_predict(matrix)

        return call

    def sknetwork(decomposition: str) -> Callable:
        def call(matrix: Any, k: int) -> np.ndarray:
            rows = Spectral(k, decomposition=decomposition).fit_transform(matrix)
            return KMeans(k, n_init=10, random_state=0).fit_predict(rows)

        return call

    found = {f"scikit-learn {assign}": sklearn(assign) for assign in ("kmeans", "discretize", "cluster_qr")}
    return found | {f"scikit-network {way}": sknetwork(way) for way in ("rw", "laplacian")}


def compare(name: str, parts: list[int]) -> list[dict[str, Any]]:
    """Return a record for each number of parts and objective."""
    from scipy.sparse import csr_matrix

    from coterie import BalancedCut
    from coterie.graph._objectives import objective_value
    from coterie.tables import read_graph

    graph = read_graph(FOLDER / FILES[name]).graph
    matrix = csr_matrix((graph.weights, graph.indices.astype(np.int32), graph.indptr.astype(np.int32)))
    records = []
    for k in parts:
        theirs = {}
        for peer, call in peers().items():
            started = time.process_time()
            try:
                labels = call(matrix, k)
            except Exception as error:
                print(f"{name} {k} {peer}: {type(error).__name__}", file=sys.stderr)
                continue
            if len(np.unique(labels)) == k:
                theirs[peer] = (labels, time.process_time() - started)
        for objective in OBJECTIVES:
            record: dict[str, Any] = {"graph": name, "parts": k, "objective": objective}
            for method in ("multilevel", "spectral"):
                started = time.process_time()
                model = BalancedCut(k, imbalance=1.0, objective=objective, method=method, random_state=0).fit(matrix)
                record[method] = model.objective_
                record[f"{method} seconds"] = time.process_time() - started
            values = {peer: objective_value(graph, labels, objective) for peer, (labels, _) in theirs.items()}
            best = min(values, key=lambda peer: values[peer])
            record |= {"peer": best, "least": values[best], "peer seconds": theirs[best][1], "values": values}
            records.append(record)
            print(row(record), flush=True)
    return records


def row(record: dict[str, Any]) -> str:
    """Return a line of the table."""
    ours, least = record["multilevel"], record["least"]
    ratio = "1.000" if ours == least else f"{ours / least:.3f}"
    return (
        f"| {record['graph']} | {record['parts']} | {record['objective']} | **{ours:.5g}** | {record['spectral']:.5g} | {least:.5g} "
        f"| {record['peer']} | {ratio} | {record['multilevel seconds']:.2f} | {record['peer seconds']:.2f} |"
    )


def main() -> int:
    """Compare, print a table, and keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cuts", description=__doc__)
    parser.add_argument("graphs", nargs="*", default=list(FILES), metavar="GRAPH", help=", ".join(FILES))
    parser.add_argument("--parts", type=int, nargs="+", default=[2, 4, 8, 16])
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    compare("karate", [2])  # compiles
    print("| graph | parts | objective | multilevel | spectral | least of peers | by | ratio | s | peer s |")
    print("|---" * 10 + "|")
    records = [record for name in given.graphs for record in compare(name, given.parts)]
    worse = [record for record in records if record["multilevel"] > record["least"] * (1 + 1e-9)]
    equal = [record for record in records if abs(record["multilevel"] - record["least"]) <= 1e-9 * record["least"]]
    print(f"\n{len(records)} comparisons: {len(equal)} equal, {len(worse)} worse than a peer")
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / time.strftime("cuts-%Y-%m-%d-%H%M%S.json")
    target.write_text(json.dumps(records, indent=1))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
