"""What a fit on blocks takes beside what was forecast for it: K-means on Parquet files, six sizes, two processes.

``python -m benchmarks.scale [FOLDER]`` writes the files, some 16 bytes a row, into a folder of its own and removes it, or takes those
that lie in FOLDER; the workers have so little memory that the larger sizes are read anew in each pass.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

MILLIONS = (1, 2, 4, 8, 16, 32)
ROWS, N_CLUSTERS, N_ITER = 1_000_000, 12, 10


def write(folder: Path, n_files: int) -> None:
    """Write files of a million rows in four columns, around twelve places."""
    import pyarrow
    import pyarrow.parquet

    places = np.random.default_rng(0).uniform(0, 100, (12, 4)).astype(np.float32)
    for i in range(n_files):
        random = np.random.default_rng(i + 1)
        X = random.standard_normal((ROWS, 4), dtype=np.float32) * np.float32(2) + places[random.integers(12, size=ROWS)]
        columns = {name: X[:, j] for j, name in enumerate("abcd")}
        pyarrow.parquet.write_table(
            pyarrow.table(columns), folder / f"part-{i:03d}.parquet", compression="none", use_dictionary=False
        )
    os.sync()  # what is still to be written to the disk would be written while fits are timed


def compare(folder: Path) -> None:
    """Print forecast and measured seconds for each size."""
    from distributed import Client, LocalCluster

    from coterie import KMeans
    from coterie.primitives.rates import kmeans_rates
    from coterie.study.scale import forecast_kmeans
    from coterie.tables import row_files

    files = sorted(folder.glob("*.parquet"))
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit="700MB"
        ) as cluster,
        Client(cluster),
    ):
        few = row_files(files[:2], rows=ROWS // 2)
        model = KMeans(N_CLUSTERS, random_state=0, max_iter=N_ITER, tol=0)
        model.fit(few)  # kernels are compiled now
        rates = kmeans_rates(few, N_CLUSTERS)
        print("seconds a million rows and thread:", {name: round(1e6 * s, 4) for name, s in rates[0].items()})
        print(f"latency of a pass {rates[2]:.4f} s")
        for millions in MILLIONS:
            X = row_files(files[:millions], rows=ROWS // 2)
            began = time.perf_counter()
            model.fit(X)
            measured = time.perf_counter() - began
            plan = forecast_kmeans(
                X,
                N_CLUSTERS,
                X.shape[0],
                n_iter=model.n_iter_,
                tol=False,
                memory=2 * (0.75 * 700e6 - 200 * 2**20),
                rates=rates,
            )
            how = "kept" if plan.kept else "read anew"
            print(
                f"{millions:3d}M rows, {how}: forecast {plan.seconds:6.2f} s, measured {measured:6.2f} s, {measured / plan.seconds - 1:+.0%}",
                flush=True,
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        compare(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory(prefix="scale-") as name:
            write(Path(name), max(MILLIONS))
            compare(Path(name))
