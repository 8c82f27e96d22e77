"""How good are the deep clusterings, and does training with clusters help? Every preset over three sets of images.

``python -m benchmarks.deep [NAME...] [--sets digits mnist fashion] [--seeds 5] [--rows N]`` prints, for each preset and set, mean and
standard deviation over the seeds of accuracy, NMI and ARI, the smallest cluster as a share of an equal one, in how many seeds the result
is no worse than the clusters it began with (NMI), and the processor seconds of one fit. Each fit is kept in ``build/deep/`` under
the hash of its code, and computed once. K-means on the pixels is the line to beat. The number of clusters is given.
"""

import argparse
import ast
import hashlib
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from coterie import KMeans, deep
from coterie.catalog import DEEP
from coterie.metrics import clustering_accuracy

from .layers import SETS, load

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "deep"
PIXELS = "K-means on pixels"
MEASURES = {
    "ACC": clustering_accuracy,
    "NMI": normalized_mutual_info_score,
    "ARI": adjusted_rand_score,
}


def main() -> None:
    """Print the table, a line as soon as it is known."""
    names = [PIXELS, *(line.name for line in DEEP if line.name != "DeepGraphClustering")]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deep")
    parser.add_argument("names", nargs="*", metavar="NAME", default=names)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, help="only the first so many of each set")
    options = parser.parse_args()
    print(
        "| preset | set | ACC | NMI | ARI | smallest | NMI of its start | no worse | CPU s |\n|---|---|---|---|---|---|---|---|---|"
    )
    for name in options.names or names:
        for which in options.sets:
            runs = [one(name, which, seed, options.rows) for seed in range(options.seeds)]
            print(f"| {name} | {which} | " + " | ".join(cells(runs)) + " |", flush=True)


def one(name: str, which: str, seed: int, rows: int | None) -> dict[str, Any]:
    """Return what one fit came to, from the disk where it is known."""
    path = KEPT / f"{sources(name)}-{name.replace(' ', '-')}-{which}-{rows or 'all'}-{seed}.json"
    if path.exists():
        return json.loads(path.read_text())
    X, y = load(which, rows)
    X, k = X[:, 0], len(np.unique(y))
    model = KMeans(k, random_state=seed) if name == PIXELS else getattr(deep, name)(k, random_state=seed)
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X.reshape(len(X), -1) if name == PIXELS else X)
    found: dict[str, Any] = {"seconds": time.process_time() - started}
    found["smallest"] = float(np.bincount(model.labels_, minlength=k).min() * k / len(y))
    found |= {measure: float(score(y, model.labels_)) for measure, score in MEASURES.items()}
    start = getattr(model, "start_labels_", None)
    found["start"] = None if start is None else {m: float(score(y, start)) for m, score in MEASURES.items()}
    KEPT.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found))
    return found


def cells(runs: list[dict[str, Any]]) -> list[str]:
    """Return the cells of one line."""
    shown = [f"{np.mean([run[m] for run in runs]):.3f} ± {np.std([run[m] for run in runs]):.3f}" for m in MEASURES]
    shown.append(f"{min(run['smallest'] for run in runs):.2f}")
    starts = [run for run in runs if run["start"] is not None]
    if starts:
        better = sum(run["NMI"] >= run["start"]["NMI"] for run in starts)
        shown += [f"{np.mean([run['start']['NMI'] for run in starts]):.3f}", f"{better} of {len(starts)}"]
    else:
        shown += ["", ""]
    return [*shown, f"{np.mean([run['seconds'] for run in runs]):.0f}"]


def sources(name: str) -> str:
    """Return a short hash of a preset's code in the room, but for docstrings: nothing kept is older than what computed it."""
    digest = hashlib.sha256()
    waiting, met = [] if name == PIXELS else [getattr(deep, name).__module__], set[str]()
    while waiting:
        module = waiting.pop()
        if module in met:
            continue
        met.add(module)
        tree = ast.parse(Path(str(sys.modules[module].__file__)).read_text())
        waiting += imported(tree)
        digest.update(code(tree).encode())
    return digest.hexdigest()[:8]


def imported(tree: ast.Module) -> list[str]:
    """Return the modules of the room that a module imports."""
    near = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module]
    return [f"{deep.__name__}.{node.module}" for node in near]


def code(tree: ast.Module) -> str:
    """Return what a module says without its docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


if __name__ == "__main__":
    main()
