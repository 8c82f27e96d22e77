"""How well rows that are not normal are found, how often alarms are false, and whether the reasons given are right.

``python -m benchmarks.anomaly sets [SEEDS]``: the sets of ``shared/data/anomaly`` (16 of ADBench, at most 5,000 rows of each, stratified) beside KNN,
LOF, CBLOF, IForest and ECOD of PyOD at their defaults (which the run says are missing, where it is not installed). Three protocols: *clean*
trains on half of the normal rows and tests on the rest and all anomalies; *contaminated* trains on as many and 5 % anomalies, and
tests on the other normal rows and the other anomalies; *unsupervised* trains and scores the whole set. Peers get columns scaled by mean and
standard deviation of the training rows; ours scales by itself. Only "known clean" is told anything: that history is clean.

``rate [SEEDS]``: false alarms among the normal test rows of *clean*, at the rates asked for. ``columns``: how often the column is named first of which a
value was moved by six standard deviations. ``features``: what distances to clusters add to a supervised model. ``speed [ROWS]``: a million rows of 20 columns.
"""

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "anomaly"
MOST_ROWS = 5_000
CONTAMINATION = 0.05
PROTOCOLS = ("clean", "contaminated", "unsupervised")
RATES = (0.01, 0.02, 0.05)
PEERS = {
    "KNN": ("knn", {"n_neighbors": 5}), "LOF": ("lof", {}), "CBLOF": ("cblof", {"random_state": 0}),
    "IForest": ("iforest", {"random_state": 0}), "ECOD": ("ecod", {}),
}  # fmt: skip

Split = tuple[np.ndarray, np.ndarray, np.ndarray]  # training rows, test rows, which of these are anomalies


def sets() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Give name, rows and anomalies of each set."""
    if not FOLDER.is_dir():
        raise SystemExit(f"the sets are not here: {FOLDER} is missing")
    for path in sorted(FOLDER.glob("*.npz")):
        with np.load(path) as file:
            yield path.stem.partition("_")[2], file["X"].astype(float), file["y"].ravel().astype(bool)


def split(X: np.ndarray, y: np.ndarray, protocol: str, seed: int) -> Split:
    """Divide a set by a protocol."""
    random = np.random.RandomState(seed)
    normal, bad = random.permutation(np.flatnonzero(~y)), random.permutation(np.flatnonzero(y))
    if len(X) > MOST_ROWS:
        n_bad = max(1, round(MOST_ROWS * len(bad) / len(X)))
        normal, bad = normal[: MOST_ROWS - n_bad], bad[:n_bad]
    if protocol == "unsupervised":
        train = test = np.sort(np.concatenate([normal, bad]))
    elif protocol == "clean":
        train, test = normal[: len(normal) // 2], np.concatenate([normal[len(normal) // 2 :], bad])
    else:
        half = len(normal) // 2
        n_bad = min(max(1, round(half * CONTAMINATION / (1 - CONTAMINATION))), len(bad) // 2)
        train = random.permutation(np.concatenate([normal[:half], bad[:n_bad]]))
        test = np.concatenate([normal[half:], bad[len(bad) // 2 :]])
    return X[train], X[test], y[test]


def ours(seed: int, **options: Any) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return the function that learns from rows and scores others, larger for less normal."""
    from coterie import NormalcyModel

    def scores(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        return -NormalcyModel(random_state=seed, **options).fit(train).score_samples(test)

    return scores


def peer(name: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return the same for a detector of PyOD."""
    module, options = PEERS[name]
    kind = getattr(import_module(f"pyod.models.{module}"), name)

    def scores(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        spread = train.std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        fitted = kind(**options).fit((train - train.mean(axis=0)) / scale)
        return (
            fitted.decision_scores_ if test is train else fitted.decision_function((test - train.mean(axis=0)) / scale)
        )

    return scores


def compare(n_seeds: int) -> None:
    """Print mean area under the ROC curve and mean average precision by detector and protocol."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    found: dict[str, dict[str, list]] = {}
    for seed in range(n_seeds):
        detectors: dict[str, Any] = {"ours": ours(seed), "ours, known clean": ours(seed, contamination=0)}
        for name in PEERS:
            try:
                detectors[name] = peer(name)
            except ImportError:
                print(f"{name} is missing: pip install pyod")
        for _, X, y in sets():
            for protocol in PROTOCOLS:
                train, test, truth = split(X, y, protocol, seed)
                test = train if protocol == "unsupervised" else test
                for name, scores in detectors.items():
                    if name.endswith("clean") and protocol != "clean":
                        continue
                    values = scores(train, test)
                    line = roc_auc_score(truth, values), average_precision_score(truth, values)
                    found.setdefault(name, {}).setdefault(protocol, []).append(line)
    print("detector             " + "".join(f"{protocol:>22s}" for protocol in PROTOCOLS) + "   (AUC / AP)")
    for name, lines in found.items():
        means = [np.mean(lines[protocol], axis=0) if protocol in lines else (np.nan, np.nan) for protocol in PROTOCOLS]
        print(f"{name:21s}" + "".join(f"        {auc:.4f} / {ap:.4f}"[-22:].rjust(22) for auc, ap in means), flush=True)


def rate(n_seeds: int) -> None:
    """Print the share of normal test rows that are alarms, beside the rate asked for."""
    from coterie import NormalcyModel

    for name, options in (("ours", {}), ("ours, known clean", {"contamination": 0})):
        shares = []
        for seed in range(n_seeds):
            for _, X, y in sets():
                train, test, truth = split(X, y, "clean", seed)
                p = NormalcyModel(random_state=seed, **options).fit(train).p_values(test[~truth])
                shares.append([(p <= asked).mean() for asked in RATES])
        told = ", ".join(
            f"asked {asked:.0%}: {share:.2%}" for asked, share in zip(RATES, np.mean(shares, axis=0), strict=True)
        )
        print(f"{name}: {told}", flush=True)


def columns() -> None:
    """Print how often the column that was moved is named first."""
    from coterie import NormalcyModel

    right = []
    for name, X, y in sets():
        train, test, truth = split(X, y, "clean", 0)
        random = np.random.RandomState(0)
        moved = test[~truth][:300].copy()
        usable = np.flatnonzero(train.std(axis=0) > 0)
        which = random.choice(usable, len(moved))
        moved[np.arange(len(moved)), which] += random.choice([-6.0, 6.0], len(moved)) * train.std(axis=0)[which]
        for known in ("auto", 0):
            named = NormalcyModel(contamination=known, random_state=0).fit(train).explain(moved, top=1).columns[:, 0]
            right.append((known, float((named == which).mean())))
            print(f"{name:18s} contamination={known}: {right[-1][1]:.1%}", flush=True)
    for known in ("auto", 0):
        print(f"mean, contamination={known}: {np.mean([share for one, share in right if one == known]):.1%}")


def features() -> None:
    """Print what distances to clusters add to a logistic regression, by five-fold cross-validation."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    from coterie import ClusterFeatures, KMeans

    gains = []
    for name, X, y in sets():
        keep = np.random.RandomState(0).permutation(len(X))[:MOST_ROWS]
        X, y = X[keep], y[keep]
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        both = FeatureUnion(
            [("as they are", FunctionTransformer()), ("distances", ClusterFeatures(KMeans(10, random_state=0)))]
        )
        models = [
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
            make_pipeline(StandardScaler(), both, StandardScaler(), LogisticRegression(max_iter=2000)),
        ]
        scores = [cross_val_score(model, X, y, cv=folds, scoring="roc_auc").mean() for model in models]
        gains.append(scores)
        print(f"{name:18s} columns {scores[0]:.4f}, with distances {scores[1]:.4f}", flush=True)
    print("mean: columns {:.4f}, with distances {:.4f}".format(*np.mean(gains, axis=0)))


def speed(n_rows: int) -> None:
    """Print seconds to learn from and to score many rows."""
    from coterie import NormalcyModel

    random = np.random.default_rng(0)
    rows = random.normal(size=(8, 20))[random.integers(8, size=n_rows)] * 4 + random.normal(size=(n_rows, 20))
    for known in ("auto", 0):
        began = time.perf_counter()
        model = NormalcyModel(contamination=known, random_state=0).fit(rows)
        learnt = time.perf_counter()
        model.p_values(rows)
        print(
            f"contamination={known}: fit {learnt - began:.1f} s, score {time.perf_counter() - learnt:.1f} s", flush=True
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    what, number = (*sys.argv[1:], "sets")[0], int((*sys.argv[2:], 0)[0])
    tasks: dict[str, Callable[[], None]] = {
        "sets": lambda: compare(number or 3), "rate": lambda: rate(number or 3), "columns": columns, "features": features,
        "speed": lambda: speed(number or 1_000_000),
    }  # fmt: skip
    tasks[what]()
