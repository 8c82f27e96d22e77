"""How much memory do features take? ``python -m benchmarks.layer_memory``: 60,000 images, six layers, ``max_memory="500MB"``.

Prints by how much the resident memory of the process rose at most, in ``fit`` and in ``transform``, over what it was with the
images, the module and the libraries loaded. Needs Linux, which can set the mark back.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

CASES: dict[str, dict[str, Any]] = {
    "4 x 4 fields a map": {"1": "grid", "3": "grid", "5": "grid", "8": None, "10": None, "11": None},
    "every position": {"1": "flatten", "3": "flatten", "5": "flatten", "8": None, "10": None, "11": None},
}


def main() -> None:
    """Print a line for each case."""
    import torch
    from torch import nn

    from coterie.deep import LayerFeatures

    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 16, 5, 2, 2), nn.ReLU(), nn.Conv2d(16, 32, 5, 2, 2), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    X = np.random.default_rng(0).random((60_000, 1, 28, 28), dtype=np.float32)
    LayerFeatures(module, "all").fit(X[:600]).transform(X[:600])
    for name, layers in CASES.items():
        for cache in (None, Path(tempfile.gettempdir()) / "layer_memory.npy"):
            model = LayerFeatures(module, layers, max_memory="500MB", random_state=0, cache=cache)
            fitting = rise(lambda model=model: model.fit(X))
            using = rise(lambda model=model: model.transform(X))
            where = "memory" if cache is None else "a file"
            print(f"{name}, to {where}: fit {fitting}, transform {using}, {model.layer_slices_}", flush=True)
            for path in (cache, Path(f"{cache}.json")) if cache else ():
                path.unlink(missing_ok=True)


def rise(run: Callable[[], Any]) -> str:
    """Return by how much the resident memory rose at most, and the seconds."""
    before, began = memory("VmRSS"), time.perf_counter()
    Path("/proc/self/clear_refs").write_text("5")
    result = run()
    text = f"+{(memory('VmHWM') - before) / 1e6:.0f} MB in {time.perf_counter() - began:.0f} s"
    del result
    return text


def memory(name: str) -> int:
    """Return a line of the process's status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()
