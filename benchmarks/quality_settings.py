"""What the quality benchmark runs: algorithms given the number of clusters, and grids for those that find it themselves."""

from itertools import product
from typing import Any, NamedTuple

__all__ = ["GIVEN_K", "GRIDS", "MAIN", "QUADRATIC", "REST", "SECONDS", "TOLERANCE", "Setting"]

MAIN = ("wut", "sipu", "fcps", "graves", "other", "uci")
REST = ("g2mg", "h2mg")
SECONDS = 60  # a fit that takes longer is stopped and counts as no answer
TOLERANCE = 0.01  # that much below the published mean is flagged
QUADRATIC = 12_000  # most rows for methods of quadratic time or memory


class Setting(NamedTuple):
    """One algorithm with its parameters; the number of clusters comes with the set."""

    title: str
    name: str  # in the catalog
    params: dict[str, Any]
    published: str | None = None  # column "algorithm" of the published scores
    most_rows: int = 1_000_000  # for methods of quadratic time or memory
    most_columns: int = 1_000

    @property
    def key(self) -> str:
        """Name the file of its scores."""
        words = [self.name, *(f"{key}={value}" for key, value in sorted(self.params.items()))]
        return "-".join(words).replace("/", "_").replace(" ", "")


GIVEN_K = [
    Setting("K-means, 10 starts", "KMeans", {"n_init": 10, "random_state": 0}, "sklearn_kmeans"),
    Setting("Mini-batch K-means", "MiniBatchKMeans", {"random_state": 0}),
    Setting("Bisecting K-means", "BisectingKMeans", {"random_state": 0}),
    Setting("K-medoids (FasterPAM)", "KMedoids", {"random_state": 0}, "FCPS_PAM", QUADRATIC),
    Setting("CLARA", "CLARA", {"random_state": 0}, "FCPS_Clara"),
    Setting("CLARANS", "CLARANS", {"random_state": 0}, None, QUADRATIC),
    Setting("Ward", "AgglomerativeClustering", {"linkage": "ward"}, "fastcluster_ward"),
    Setting("Average linkage", "AgglomerativeClustering", {"linkage": "average"}, "fastcluster_average", QUADRATIC),
    Setting("Complete linkage", "AgglomerativeClustering", {"linkage": "complete"}, "fastcluster_complete", QUADRATIC),
    Setting("Weighted linkage", "AgglomerativeClustering", {"linkage": "weighted"}, "fastcluster_weighted", QUADRATIC),
    Setting("Centroid linkage", "AgglomerativeClustering", {"linkage": "centroid"}, "fastcluster_centroid"),
    Setting("Median linkage", "AgglomerativeClustering", {"linkage": "median"}, "fastcluster_median"),
    Setting("Single linkage", "AgglomerativeClustering", {"linkage": "single"}, "Genie_G1.0"),
    Setting("Genie, as it comes", "Genie", {}, "Genie_G0.3"),
    *(
        Setting(f"Genie, Gini {gini}", "Genie", {"gini_threshold": gini, "min_samples": 1}, f"Genie_G{gini}")
        for gini in (0.1, 0.3, 0.5, 0.7, 1.0)
    ),
    Setting("DIANA", "DIANA", {}, "FCPS_Diana", QUADRATIC),
    Setting("PDDP", "PDDP", {}),
    *(
        Setting(
            f"BIRCH, radius {radius}",
            "Birch",
            {"threshold": radius, "branching_factor": 50},
            f"sklearn_birch_T{radius}_BF50",
        )
        for radius in (0.01, 0.1)
    ),
    # The suite's HDBSCAN runs cut the hierarchy at k, which is single linkage by mutual reachability.
    *(
        Setting(
            f"HDBSCAN's hierarchy cut at k, min_samples {rows}",
            "Genie",
            {"gini_threshold": 1.0, "min_samples": rows},
            f"FCPS_HDBSCAN_{rows}",
        )
        for rows in (2, 4, 8)
    ),
    Setting(
        "Spectral clustering", "SpectralClustering", {"random_state": 0}, "sklearn_spectral_Alaplacian_G5", QUADRATIC
    ),
]


def _grid(title: str, name: str, columns: int = 1_000, rows: int = 1_000_000, **values: tuple) -> list[Setting]:
    settings = [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]
    return [Setting(title, name, params, None, rows, columns) for params in settings]


# "share" is turned into a radius: that quantile of the distances to the min_samples-th neighbour.
GRIDS = [
    *_grid("DBSCAN", "DBSCAN", min_samples=(5, 10), share=(0.5, 0.75, 0.9, 0.95, 0.98)),
    *_grid("HDBSCAN", "HDBSCAN", min_cluster_size=(5, 15, 50), min_samples=(2, 5, 10)),
    *_grid("OPTICS, xi", "OPTICS", rows=QUADRATIC, min_samples=(5, 15), xi=(0.05, 0.1), min_cluster_size=(None, 0.05)),
    *_grid("WaveCluster", "WaveCluster", columns=4, n_cells=(16, 32, 64, 128), level=(1, 2)),
    *_grid("STING", "STING", columns=4, n_cells=(8, 16, 32, 64), min_points=(1, 2, 4, 8)),
    *_grid(
        "CLIQUE, full space", "CLIQUE", columns=4, n_intervals=(8, 16, 32), density_threshold=(0.0005, 0.002, 0.008),
        full_space=(True,),
    ),
]  # fmt: skip
