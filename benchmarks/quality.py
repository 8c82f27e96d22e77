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
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "clustering"
KEPT = ROOT / "build" / "quality"
PAGE = ROOT / "docs" / "quality.md"
MAIN = ("wut", "sipu", "fcps", "graves", "other", "uci")
REST = ("g2mg", "h2mg")
SECONDS = 60  # a fit that takes longer is stopped and counts as no answer
TOLERANCE = 0.01  # that much below the published mean is flagged


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


QUADRATIC = 12_000
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
    *_grid("OPTICS, xi", "OPTICS", rows=QUADRATIC, min_samples=(5, 15), xi=(0.02, 0.05, 0.1)),
    *_grid("WaveCluster", "WaveCluster", columns=4, n_cells=(16, 32, 64, 128), level=(1, 2)),
    *_grid("STING", "STING", columns=4, n_cells=(8, 16, 32, 64), min_points=(1, 2, 4, 8)),
    *_grid(
        "CLIQUE, full space", "CLIQUE", columns=4, n_intervals=(8, 16, 32), density_threshold=(0.0005, 0.002, 0.008),
        full_space=(True,),
    ),
]  # fmt: skip


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


def run(settings: list[Setting], sets: list[Set], fresh: bool) -> dict[str, dict[str, dict]]:
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
        began = time.perf_counter()
        new = 0
        for data in sets:
            name = f"{data.battery}/{data.name}"
            if name not in scores and len(data.X) <= setting.most_rows and data.X.shape[1] <= setting.most_columns:
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


# --- writing ---------------------------------------------------------------------------------------------------------


def page(results: dict[str, dict[str, dict]], published: dict) -> str:
    """Return docs/quality.md."""
    given = [setting for setting in GIVEN_K if setting.key in results]
    grids: dict[str, list[Setting]] = {}
    for setting in GRIDS:
        if setting.key in results:
            grids.setdefault(setting.title, []).append(setting)
    below = [title for setting in given for title in _below(setting, results[setting.key], published)]
    flagged = (
        f"Below the published run of the same algorithm by more than {TOLERANCE}: {'; '.join(below)}."
        if below
        else f"No algorithm is below the published run of the same algorithm by more than {TOLERANCE} in the mean of the 50 sets."
    )
    return TEXT.format(
        given="\n".join(_given_row(setting, results[setting.key], published) for setting in given),
        flagged=flagged,
        grids="\n".join(_grid_row(title, settings, results) for title, settings in grids.items()),
        values="\n".join(f"- {title}: {_values(settings)}" for title, settings in grids.items()),
        seconds=SECONDS,
        rows=f"{QUADRATIC:,}",
    )


def _mean(scores: dict[str, dict], names: Any, what: str) -> float:
    return float(np.mean([scores[name][what] for name in names])) if names else float("nan")


def _answered(scores: dict[str, dict], batteries: tuple[str, ...]) -> list[str]:
    return [name for name, found in scores.items() if "ARI" in found and name.split("/")[0] in batteries]


def _shared(
    setting: Setting, scores: dict, published: dict, batteries: tuple[str, ...], what: str
) -> tuple[list, dict]:
    """Return the sets on which both have a score, and the published scores by name."""
    theirs = published.get(setting.published, {})
    return [name for name in _answered(scores, batteries) if what in theirs.get(name, {})], theirs


def _given_row(setting: Setting, scores: dict, published: dict) -> str:
    cells = [setting.title]
    for batteries in (MAIN, REST):
        mine = _answered(scores, batteries)
        cells.append(str(len(mine)))
        for what in ("ARI", "NCA"):
            both, theirs = _shared(setting, scores, published, batteries, what)
            pair = f"{_figure(_mean(scores, both, what))} / {_figure(_mean(theirs, both, what))} ({len(both)})"
            cells += [_figure(_mean(scores, mine, what)), pair if both else ""]
    total = sum(scores[name]["seconds"] for name in _answered(scores, MAIN + REST))
    return "| " + " | ".join([*cells, f"{total:.0f}"]) + " |"


def _below(setting: Setting, scores: dict, published: dict) -> list[str]:
    words = []
    for what in ("ARI", "NCA"):
        both, theirs = _shared(setting, scores, published, MAIN, what)
        gap = _mean(scores, both, what) - _mean(theirs, both, what)
        if both and gap < -TOLERANCE:
            worst = sorted(both, key=lambda name: scores[name][what] - theirs[name][what])[:3]
            sets = ", ".join(f"{name} {scores[name][what]:.2f} for {theirs[name][what]:.2f}" for name in worst)
            words.append(f"{setting.title} {what} {gap:+.3f} ({sets})")
    return words


def _grid_row(title: str, settings: list[Setting], results: dict) -> str:
    cells = [title]
    for batteries in (MAIN, REST):
        names = sorted({name for setting in settings for name in _answered(results[setting.key], batteries)})
        cells.append(str(len(names)))
        for what in ("ARI", "NCA"):
            best = [
                max(results[s.key][name][what] for s in settings if what in results[s.key].get(name, {}))
                for name in names
            ]
            cells.append(_figure(float(np.mean(best)) if best else float("nan")))
        if batteries == MAIN:
            means = {s.key: _mean(results[s.key], _answered(results[s.key], MAIN), "ARI") for s in settings}
            chosen = max(settings, key=lambda s: np.nan_to_num(means[s.key], nan=-1.0))
            params = ", ".join(f"{key}={value}" for key, value in chosen.params.items())
            cells.append(f"{_figure(means[chosen.key])} with {params}")
    return "| " + " | ".join(cells) + " |"


def _values(settings: list[Setting]) -> str:
    names = list(settings[0].params)
    return "; ".join(
        f"`{name}` {', '.join(str(v) for v in dict.fromkeys(s.params[name] for s in settings))}" for name in names
    )


def _figure(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


TEXT = """# Quality: known groups found again

Every algorithm of the catalog over the 80 sets of Gagolewski's clustering benchmarks, beside published runs of the same
algorithm. `python -m benchmarks.quality` writes this page; the sets are not part of the repository.

Rules, as the suite has them: the number of clusters is the largest label of the reference; rows that the reference calls noise
are left out when scoring; of several reference labellings the best score counts. ARI is the adjusted Rand index, NCA the
normalised clustering accuracy ([definitions](guide/metrics.md)). Columns are centered and divided by one common standard
deviation, which changes no shape and makes radii comparable; nothing else is done to the rows. A method of quadratic cost is
given sets of up to {rows} rows; a fit of more than {seconds} s counts as no answer.

## The number of clusters given

"50 sets" are those of wut, sipu, fcps, graves, other and uci; "30 sets" are g2mg and h2mg (two Gaussian clouds in 1 to 128
columns). "Ours / published" are means over the sets that both have, whose number stands in brackets.

| algorithm | of 50 | ARI | ours / published | NCA | ours / published | of 30 | ARI | ours / published | NCA | ours / published | seconds |
|---|---|---|---|---|---|---|---|---|---|---|---|
{given}

{flagged}

## No number of clusters: the best of a grid

The references choose the best setting for each set, so these figures say what a method can do, not what it will do untuned;
the column "one setting" is the mean ARI over the 50 sets of the single setting that does best. Noise that a method reports is
scored as one more group.

| algorithm | of 50 | ARI | NCA | one setting | of 30 | ARI | NCA |
|---|---|---|---|---|---|---|---|
{grids}

The grids:

{values}
"""


def main() -> int:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="ALGORITHM", help="run only these; the page is written from all that is kept"
    )
    parser.add_argument("--fresh", action="store_true", help="run again what is kept")
    given = parser.parse_args()
    if not DATA.is_dir():
        print(f"nothing to do: the benchmark sets are not laid beside this checkout ({DATA})", file=sys.stderr)
        return 0
    sets = list(load_sets())
    settings = GIVEN_K + GRIDS
    chosen = [setting for setting in settings if not given.names or setting.name in given.names]
    results = run(chosen, sets, given.fresh)
    for setting in settings:
        file = KEPT / f"{setting.key}.json"
        if setting.key not in results and file.exists():
            results[setting.key] = json.loads(file.read_text())["scores"]
    PAGE.write_text(page(results, read_published()))
    print(f"wrote {PAGE.relative_to(ROOT)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
