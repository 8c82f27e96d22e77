"""Rows that exceed the memory allowed, from Parquet on two processes of 700 MB: seconds, and the most memory of all processes together.

``python -m benchmarks.larger_than_memory KMeans|STING|DBSCAN MILLIONS [FOLDER]``: rows of four columns, twelve clumps and 2% noise.
Files of a million rows that are missing in FOLDER are written there, 16 bytes a row; without FOLDER they are removed after.
"""

import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

ROWS, LIMIT = 1_000_000, "700MB"
SECONDS_BETWEEN = 0.1


def write(path: Path, seed: int) -> None:
    """Write a file of a million rows, unless it is there."""
    import pyarrow
    import pyarrow.parquet

    if path.exists():
        return
    places = np.random.default_rng(0).uniform(0, 100, (12, 4)).astype(np.float32)
    random = np.random.default_rng(seed)
    X = random.standard_normal((ROWS, 4), dtype=np.float32) * np.float32(2) + places[random.integers(12, size=ROWS)]
    noise = random.integers(ROWS, size=ROWS // 50)
    X[noise] = random.uniform(-10, 110, (len(noise), 4)).astype(np.float32)
    table = pyarrow.table({name: X[:, j] for j, name in enumerate("abcd")})
    pyarrow.parquet.write_table(table, path, compression="none", use_dictionary=False, row_group_size=1 << 20)


class Watch:
    """The most memory of this process and all that it has started, shared pages counted once."""

    def __init__(self) -> None:
        self.peak = 0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        import psutil

        while True:
            total = 0
            for process in (me := psutil.Process(), *me.children(recursive=True)):
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:  # it has just ended
                    continue
            self.peak = max(self.peak, total)
            time.sleep(SECONDS_BETWEEN)


def measure(name: str, files: list[Path]) -> None:
    """Fit once and print what it took."""
    from distributed import Client, LocalCluster

    import coterie
    from coterie.tables import row_files

    models: dict[str, Any] = {
        "KMeans": coterie.KMeans(12, random_state=0, max_iter=10, tol=0),
        "STING": coterie.STING(n_cells=16),
        "DBSCAN": coterie.DBSCAN(eps=0.3, min_samples=10),
    }
    X = row_files(files, rows=ROWS // 2)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=LIMIT) as cluster,
        Client(cluster),
    ):
        models[name].fit(row_files(files[:1], rows=ROWS // 2))  # kernels are compiled now
        watch, began = Watch(), time.perf_counter()
        models[name].fit(X)
        print(
            f"{name}, {X.shape[0]:,} rows: {time.perf_counter() - began:.1f} s, {watch.peak / 1e9:.2f} GB", flush=True
        )


def main() -> None:
    """Write what is missing, and measure."""
    name, millions = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[3] if len(sys.argv) > 3 else scratch)
        files = [folder / f"part-{i:03d}.parquet" for i in range(millions)]
        for i, path in enumerate(files):
            write(path, i + 1)
        measure(name, files)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
