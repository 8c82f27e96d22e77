"""``python -m benchmarks.first_call [NAME...] [--rows N] [--columns D]``: seconds of the first fit of a new process.

"cold" finds no compiled kernels, "warm" those that "cold" left. Goals: 4 s and 0.7 s, for the fit and for the predict.
"""

import argparse
import os
import subprocess
import sys
import tempfile

from coterie.catalog import ALL

GOALS = (4.0, 0.7)
# What a user tries first: a small table of numbers, the defaults, and the number of groups where it is needed.
PROGRAM = """
import sys, time
import numpy as np, sklearn.base, numba, scipy.sparse.csgraph, sklearn.metrics
import coterie
name, k, n, d = sys.argv[1], *map(int, sys.argv[2:])
kind = getattr(coterie if hasattr(coterie, name) else coterie.deep, name)
random = np.random.default_rng(0)
X = np.vstack([random.normal(c, 0.5, (n // 3, d)) for c in (0, 4, 8)])
of_graphs = {"DeepGraphClustering", *(line.name for line in coterie.catalog.GRAPHS)}
if name in of_graphs:  # each node with three of its own group and one of any
    own, any = np.arange(len(X)) // (n // 3), random.integers(0, len(X), len(X))
    ends = [*(own * (n // 3) + random.integers(0, n // 3, len(X)) for _ in range(3)), any]
    X = coterie.graphs.from_edges(np.column_stack([np.tile(np.arange(len(X)), 4), np.concatenate(ends)]), len(X))
settings = {"n_clusters": k} if k else {}
if name == "LocalOutlierFactor":
    settings["novelty"] = True
if name == "DBSCAN":
    settings["eps"] = 0.5 * (d / 3) ** 0.5
for word in kind().get_params():
    if word.endswith("epochs"):  # a training takes what it takes: one epoch of it shows the first call
        settings[word] = 1
started, cpu = time.perf_counter(), time.process_time()
model = kind(**settings).fit(X)
print(time.perf_counter() - started, time.process_time() - cpu)
started = time.perf_counter()
model.predict(X)
print(time.perf_counter() - started)
"""


def main() -> int:
    """Print a row for each algorithm; exit 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_call")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of an algorithm; default: all")
    parser.add_argument("--rows", type=int, default=1200)
    parser.add_argument("--columns", type=int, default=3)
    options = parser.parse_args()
    missed = False
    print(f"{options.rows} x {options.columns}\n")
    print("| algorithm | cold s (goal 4) | CPU | then predict | warm s (goal 0.7) | CPU |\n|---|---|---|---|---|---|")
    for line in ALL:
        if options.names and line.name not in options.names:
            continue
        shape = (3 if line.needs_k else 0, options.rows, options.columns)
        with tempfile.TemporaryDirectory() as folder:
            cold, warm = (first_fit(line.name, *shape, folder) for _ in range(2))
        print(
            f"| {line.name} | {cold[0]:.1f} | {cold[1]:.1f} | {cold[2]:.1f} | {warm[0]:.2f} | {warm[1]:.2f} |",
            flush=True,
        )
        missed |= max(cold[0], cold[2]) > GOALS[0] or warm[0] > GOALS[1]
    return int(missed)


def first_fit(name: str, k: int, n: int, d: int, folder: str) -> list[float]:
    """Return seconds and processor seconds of the first fit, and seconds of the first predict, of a new process."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name, str(k), str(n), str(d)],
        env=os.environ | {"COTERIE_CACHE_DIR": folder}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [float(word) for word in done.stdout.split()]


if __name__ == "__main__":
    sys.exit(main())
