"""``python -m benchmarks.first_call [NAME...]``: seconds of the first fit of a new process, over what imports cost.

"cold" finds no compiled kernels, "warm" those that "cold" left. Goals: 4 s and 0.7 s.
"""

import os
import subprocess
import sys
import tempfile

from coterie.catalog import CATALOG

GOALS = (4.0, 0.7)
# What a user tries first: a small table of numbers, the defaults, and the number of groups where it is needed.
PROGRAM = """
import sys, time
import numpy as np, sklearn.base, numba, scipy.sparse.csgraph, sklearn.metrics
import coterie
name, k = sys.argv[1], int(sys.argv[2])
kind = getattr(coterie, name)
random = np.random.default_rng(0)
X = np.vstack([random.normal(c, 0.5, (400, 3)) for c in (0, 4, 8)])
started, cpu = time.perf_counter(), time.process_time()
model = kind(**({"n_clusters": k} if k else {})).fit(X)
print(time.perf_counter() - started, time.process_time() - cpu)
started = time.perf_counter()
model.predict(X)
print(time.perf_counter() - started)
"""


def main() -> int:
    """Print a row for each algorithm; exit 1 where a goal is missed."""
    wanted = sys.argv[1:]
    missed = False
    print("| algorithm | cold s (goal 4) | CPU | then predict | warm s (goal 0.7) | CPU |\n|---|---|---|---|---|---|")
    for line in CATALOG:
        if wanted and line.name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            cold, warm = (first_fit(line.name, 3 if line.needs_k else 0, folder) for _ in range(2))
        print(
            f"| {line.name} | {cold[0]:.1f} | {cold[1]:.1f} | {cold[2]:.1f} | {warm[0]:.2f} | {warm[1]:.2f} |",
            flush=True,
        )
        missed |= cold[0] > GOALS[0] or warm[0] > GOALS[1]
    return int(missed)


def first_fit(name: str, k: int, folder: str) -> list[float]:
    """Return seconds and processor seconds of the first fit, and seconds of the first predict, of a new process."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name, str(k)],
        env=os.environ | {"COTERIE_CACHE_DIR": folder}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [float(word) for word in done.stdout.split()]


if __name__ == "__main__":
    sys.exit(main())
