"""Is the plan right? Whole studies of 100 to 10 million rows and 2 to 5,000 columns, each in a process of its own.

``python -m benchmarks.plan [MOST_NUMBERS]``: the plan of `coterie.run`, made before anything is clustered, beside the seconds and the peak of
memory of the whole process once it is done. Asked: within 2 times of the seconds, within 1.3 times of the bytes. Where kernels are not
compiled yet, the first sizes compile them, and the plan says so.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROWS = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
COLUMNS = (2, 10, 50, 500, 5_000)
ONE = """
import json, re, sys, time, warnings
import numpy as np
import coterie
warnings.simplefilter("ignore")
def memory(name):
    return int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024

X = np.load(sys.argv[1])
took = []
def keep(step):
    took.append((step.name, round(step.seconds, 2), memory("VmRSS") >> 20, memory("VmHWM") >> 20))
began = time.perf_counter()
analysis = coterie.run(X, on_step=keep)
seconds = time.perf_counter() - began
plan = analysis.record["plan"]
print(json.dumps({"seconds": seconds, "peak": memory("VmHWM"), "plan": plan, "steps": took, "method": analysis.record["chosen"]["method"]}))
"""


def drawn(n: int, m: int) -> np.ndarray:
    """Return five clouds of unlike sizes in a few directions, and noise in all."""
    random = np.random.default_rng((n, m))
    centers = 4 * random.standard_normal((5, m)) / max(1.0, (m / 8) ** 0.5)
    labels = random.choice(5, size=n, p=[0.4, 0.25, 0.15, 0.12, 0.08])
    X = random.standard_normal((n, m))
    X += centers[labels]
    return X


def measured(path: Path) -> dict:
    """Study one file in a process of its own."""
    done = subprocess.run([sys.executable, "-c", ONE, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def _beside(least: float, most: float, found: float) -> float:
    """Return how many times too much was planned, below 1 too little; 1 between the cheapest and the dearest candidate."""
    return least / found if found < least else most / found if found > most else 1.0


def main(arguments: list[str]) -> None:
    """Print a line for each size of at most so many numbers."""
    most = int(float(arguments[0])) if arguments else 60_000_000
    right = [0, 0, 0]
    with tempfile.TemporaryDirectory() as folder:
        for m in COLUMNS:
            for n in ROWS:
                if n * m > most:
                    continue
                path = Path(folder) / "rows.npy"
                np.save(path, drawn(n, m))
                found = measured(path)
                plan = found["plan"]
                times = _beside(plan["seconds"], plan["most_seconds"], found["seconds"])
                size = _beside(plan["least_bytes"], plan["bytes"], found["peak"])
                right[0] += 1
                right[1] += 0.5 <= times <= 2
                right[2] += 1 / 1.3 <= size <= 1.3
                print(
                    f"{n:10,d} x {m:5d}  {found['method']:16s} plan {plan['seconds']:7.1f} to {plan['most_seconds']:7.1f} s, took "
                    f"{found['seconds']:7.1f} ({times:5.2f})  plan {plan['least_bytes'] / 2**20:7.0f} to {plan['bytes'] / 2**20:7.0f} MB, peak {found['peak'] / 2**20:7.0f} "
                    f"({size:5.2f})  {found['steps']}",
                    flush=True,
                )
    print(f"{right[0]} sizes: seconds within 2 times in {right[1]}, bytes within 1.3 times in {right[2]}")


if __name__ == "__main__":
    main(sys.argv[1:])
