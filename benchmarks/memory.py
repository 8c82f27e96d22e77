"""Memory: the peak of a whole process, and a plan that cannot fit, refused before anything is allocated.

The bound asked is four times the input and 500 MB, libraries and interpreter included (the column "peak MB").
"""

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from . import dbscan, hdbscan
from .harness import Case


def with_bound(quality: Any, data: tuple, result: Any) -> dict:
    """Add the bound to the figures."""
    return quality(data, result) | {"bound": f"{4 * data[0].nbytes / 2**20 + 500:.0f} MB"}


def refuse(data: tuple) -> Any:
    """The command line with a limit that the data alone exceed."""
    folder = tempfile.mkdtemp()
    source = Path(folder) / "rows.npy"
    np.save(source, data[0])
    command = [sys.executable, "-m", "coterie", "run", str(source), "--memory-limit", "20MB", "-o", f"{folder}/out"]
    return lambda: subprocess.run(command, capture_output=True, text=True, check=False)


def refusal(data: tuple, done: Any) -> dict:
    """Return the exit code and the sentence."""
    sentence = (done.stderr.strip().splitlines() or [""])[-1]
    return {"exit": done.returncode, "says": sentence.replace("|", "/")[:300]}


CASES = [
    Case("memory-dbscan-1Mx2", dbscan.CASES[0].make, {"coterie": dbscan.coterie}, partial(with_bound, dbscan.quality)),
    Case(
        "memory-hdbscan-1Mx2", hdbscan.CASES[2].make, {"coterie": hdbscan.coterie}, partial(with_bound, hdbscan.quality)
    ),
    Case("memory-refused-1Mx2", dbscan.CASES[0].make, {"coterie": refuse}, refusal),
]
