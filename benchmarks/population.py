"""What it costs that every cluster has 5% of the rows: ``python -m benchmarks.population [FOLDER]`` prints a table.

FOLDER, by default the data beside the repository, holds the sets of clustering-data-v1 (``fcps/hepta.data.gz``, ...). Columns: clusters
and smallest cluster before and after, rows of noise before, sum of squares within clusters before and after, and the clusterer's own
inertia where it has one.
"""

import sys
import warnings
from pathlib import Path

import numpy as np

import coterie
from coterie.catalog import CATALOG

SETS = (
    "fcps/hepta", "fcps/target", "fcps/twodiamonds", "graves/zigzag_noisy", "other/iris",
    "other/square", "uci/ecoli", "uci/glass", "uci/ionosphere", "wut/x2",
)  # fmt: skip
CLUSTERERS = {
    "KMeans": {"n_clusters": 20, "random_state": 0},
    "HDBSCAN": {"min_cluster_size": 5},
    "CLARANS": {"n_clusters": 20, "random_state": 0},
    "AgglomerativeClustering": {"n_clusters": 20},
    "WaveCluster": {},
}
HEADER = ("data", "clusterer", "clusters", "smallest", "noise", "within", "within after", "inertia", "after")


def line(data: str, name: str, X: np.ndarray) -> list[str]:
    """Return one line of the table."""
    clusterer = getattr(coterie, name)(**CLUSTERERS[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = coterie.Population(clusterer, 0.05, outliers="nearest").fit(X).report_
    before, after, cost = report["sizes_before"], report["sizes_after"], report["objective"]
    inertia = ["-" if cost[key] is None else f"{cost[key]:.4g}" for key in ("inertia_before", "inertia_after")]
    return [
        data, name, f"{len(before)} > {len(after)}", f"{min(before, default=0)} > {min(after, default=0)}",
        f"{report['noise_before']} > {report['noise_after']}", f"{cost['within_before']:.4g}", f"{cost['within_after']:.4g}", *inertia,
    ]  # fmt: skip


def main() -> int:
    """Print the table."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parents[2] / "shared" / "data" / "clustering"
    print("| " + " | ".join(HEADER) + " |\n" + "|---" * len(HEADER) + "|")
    for data in SETS:
        X = np.loadtxt(folder / f"{data}.data.gz", ndmin=2)
        for name in CLUSTERERS:
            if any(line.name == name for line in CATALOG):
                print("| " + " | ".join(line(data, name, X)) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
