"""How good are the groups? Every algorithm over the sets of ``shared/data/clustering``, beside published runs.

``python -m benchmarks.quality`` runs what the catalog has, keeps each score in ``build/quality/`` and writes ``docs/quality.md``.
A second run computes only what is new or whose source has changed. The rules are those of the benchmark suite: the number of
clusters is given, rows that the reference calls noise are left out when scoring, and the best reference labelling counts.
"""

import argparse
import csv
import gzip
import hashlib
import inspect
import json
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .quality_page import page
from .quality_settings import GIVEN_K, GRIDS, MAIN, REST, SECONDS, Setting

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "clustering"
KEPT = ROOT / "build" / "quality"
PAGE = ROOT / "docs" / "quality.md"


class Set(NamedTuple):
    """Rows and their reference labellings; 0 marks noise."""

    battery: str
    name: str
    X: np.ndarray
    truths: list[np.ndarray]


def load_sets() -> Iterator[Set]:
    """Read all sets, columns centered, divided by their common standard deviation: no shape changes, but radii compare."""
    for battery in MAIN + REST:
        for path in sorted((DATA / battery).glob("*.data.gz")):
            stem = path.name.removesuffix(".data.gz")
            X = np.loadtxt(path, ndmin=2)
            X = (X - X.mean(axis=0)) / X.std(ddof=1)
            labels = sorted(path.parent.glob(f"{stem}.labels*.gz"))
            yield Set(battery, stem, X, [np.loadtxt(file, dtype=np.int64) for file in labels])


def read_published() -> dict[str, dict[str, dict[str, float]]]:
    """Return, by algorithm and "battery/set", the published scores of the best labelling."""
    best: dict[str, dict[str, dict[str, float]]] = {}
    with gzip.open(DATA / "published_scores.csv.gz", "rt") as lines:
        for row in csv.DictReader(lines):
            into = best.setdefault(row["algorithm"], {}).setdefault(f"{row['battery']}/{row['dataset']}", {})
            # NCA is missing where noise was all that kept one of the k clusters.
            for score in ("ARI", "NCA"):
                if row[score]:
                    into[score] = max(into.get(score, -1.0), float(row[score]))
    return best


# --- running ---------------------------------------------------------------------------------------------------------


def run(settings: list[Setting], sets: list[Set], fresh: bool, retry: bool) -> dict[str, dict[str, dict]]:
    """Score every setting on every set, except what is kept from an earlier run.

    Returns
    -------
    dict
        By setting's key and "battery/set": ARI, NCA, seconds, or the reason why there is no answer.
    """
    from coterie.catalog import CATALOG, entry

    there = {line.name for line in CATALOG}
    KEPT.mkdir(parents=True, exist_ok=True)
    results = {}
    for setting in settings:
        if setting.name not in there:
            continue
        line = entry(setting.name)
        module, _, attribute = line.target.partition(":")
        estimator = getattr(import_module(module), attribute)
        mark = hashlib.sha256(inspect.getsource(sys.modules[module]).encode()).hexdigest()[:12]
        file = KEPT / f"{setting.key}.json"
        kept = json.loads(file.read_text()) if file.exists() and not fresh else {}
        scores = kept["scores"] if kept.get("mark") == mark else {}
        scores = {name: found for name, found in scores.items() if "ARI" in found or not retry}
        began = time.perf_counter()
        new = 0
        for data in sets:
            name = f"{data.battery}/{data.name}"
            if (
                "ARI" not in scores.get(name, {})
                and len(data.X) <= setting.most_rows
                and data.X.shape[1] <= setting.most_columns
            ):
                scores[name] = _score(estimator, setting, line.needs_k, data)
                new += 1
        file.write_text(json.dumps({"mark": mark, "scores": scores}, indent=0))
        results[setting.key] = scores
        print(f"{setting.key}: {new} new, {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
    return results


def _score(estimator: Callable, setting: Setting, needs_k: bool, data: Set) -> dict[str, Any]:
    """Fit once for each number of clusters among the references, and keep the best agreement."""
    from coterie.metrics import adjusted_rand_score, normalized_clustering_accuracy

    best: dict[str, Any] = {"ARI": -1.0, "NCA": -1.0, "seconds": 0.0}
    found: dict[int, np.ndarray] = {}
    params = _with_radius(setting.params, data.X)
    for truth in data.truths:
        k = int(truth.max()) if needs_k else 0
        if k not in found:
            started = time.perf_counter()
            try:
                with _limit(SECONDS), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found[k] = estimator(**params, **({"n_clusters": k} if needs_k else {})).fit_predict(data.X)
            except Exception as error:
                return {"failed": f"{type(error).__name__}: {error}"[:200]}
            best["seconds"] += round(time.perf_counter() - started, 3)
        real = truth > 0
        best["ARI"] = max(best["ARI"], adjusted_rand_score(truth[real], found[k][real]))
        best["NCA"] = max(best["NCA"], normalized_clustering_accuracy(truth[real], found[k][real]))
    return best


def _with_radius(params: dict[str, Any], X: np.ndarray) -> dict[str, Any]:
    if "share" not in params:
        return params
    from coterie.primitives.neighbors import k_nearest

    reach = k_nearest(X, min(params["min_samples"], len(X)))[0][:, -1]
    eps = float(np.quantile(reach, params["share"])) or float(np.min(reach[reach > 0], initial=1.0))
    return {"min_samples": params["min_samples"], "eps": eps}


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the main thread when the time is over."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def main() -> int:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="ALGORITHM", help="run only these; the page is written from all that is kept"
    )
    parser.add_argument("--fresh", action="store_true", help="run again what is kept")
    parser.add_argument("--retry", action="store_true", help="run again what failed or took too long")
    given = parser.parse_args()
    if not DATA.is_dir():
        print(f"nothing to do: the benchmark sets are not laid beside this checkout ({DATA})", file=sys.stderr)
        return 0
    sets = list(load_sets())
    settings = GIVEN_K + GRIDS
    chosen = [setting for setting in settings if not given.names or setting.name in given.names]
    results = run(chosen, sets, given.fresh, given.retry)
    for setting in settings:
        file = KEPT / f"{setting.key}.json"
        if setting.key not in results and file.exists():
            results[setting.key] = json.loads(file.read_text())["scores"]
    PAGE.write_text(page(results, read_published()))
    print(f"wrote {PAGE.relative_to(ROOT)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
