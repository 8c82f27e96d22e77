"""Do clusters help a supervised model? Ten real sets, nested cross-validation, a linear model and trees, without and with `ClusterFeatures`.

``python -m benchmarks.features``: five outer folds give the score, three inner folds choose what is free: the penalty of the linear model, the
number of clusters, and whether distances or memberships are added to the columns. Clusters are found in the training part of each fold.
The score is the area under the ROC curve, the mean over pairs of classes where there are more than two.
"""

import csv
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

SHARED = Path(__file__).parents[2] / "shared" / "data"
ANOMALY = ("30_satellite", "6_cardio", "2_annthyroid", "20_letter", "18_Ionosphere", "7_Cardiotocography")
MOST_ROWS = 3_000
NUMBERS = (4, 12, 32)
PENALTIES = (0.03, 1.0, 30.0)


def bundled(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a set that scikit-learn ships."""
    from sklearn import datasets

    return getattr(datasets, f"load_{name}")(return_X_y=True)


def labelled(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a set of ``shared/data/anomaly``."""
    with np.load(SHARED / "anomaly" / f"{name}.npz") as file:
        return file["X"].astype(np.float64), file["y"]


def churn() -> tuple[np.ndarray, np.ndarray]:
    """Return customers of a telephone company, and whether they left."""
    with (SHARED / "customers" / "Telco-Customer-Churn.csv").open() as file:
        lines = list(csv.DictReader(file))
    columns = []
    for name in lines[0]:
        if name in ("customerID", "Churn"):
            continue
        values = [line[name].strip() for line in lines]
        try:
            columns.append(np.array([float(value or 0) for value in values]))
        except ValueError:
            columns += [np.array([value == level for value in values], float) for level in sorted(set(values))[1:]]
    return np.column_stack(columns), np.array([line["Churn"] == "Yes" for line in lines])


SETS: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
    **{name: partial(bundled, name) for name in ("breast_cancer", "wine", "digits")},
    **{name.split("_", 1)[1]: partial(labelled, name) for name in ANOMALY},
    "Telco churn": churn,
}


def model(last: Any, with_clusters: bool) -> Any:
    """Return a pipeline on scaled columns, and the columns of clusters beside them."""
    from coterie import ClusterFeatures, KMeans

    steps = [StandardScaler()]
    if with_clusters:
        clusters = make_pipeline(ClusterFeatures(KMeans(8, random_state=0)), StandardScaler())
        steps.append(make_union(FunctionTransformer(), clusters))
    return make_pipeline(*steps, last)


def choices(linear: bool, with_clusters: bool) -> dict[str, Any]:
    """Return what the inner folds choose among."""
    found: dict[str, Any] = {"logisticregression__C": PENALTIES} if linear else {}
    if with_clusters:
        within = "featureunion__pipeline__clusterfeatures__"
        found |= {f"{within}clusterer__n_clusters": NUMBERS, f"{within}kind": ("distance", "membership")}
    return found


def scores(X: np.ndarray, y: np.ndarray, linear: bool, with_clusters: bool) -> np.ndarray:
    """Return the score of each outer fold."""
    last = LogisticRegression(max_iter=2_000) if linear else HistGradientBoostingClassifier(random_state=0, max_iter=60)
    inner, outer = (StratifiedKFold(n, shuffle=True, random_state=seed) for n, seed in ((3, 1), (5, 2)))
    search = GridSearchCV(model(last, with_clusters), choices(linear, with_clusters), scoring="roc_auc_ovo", cv=inner)
    found = []
    for train, test in outer.split(X, y):
        search.fit(X[train], y[train])
        found.append(search.score(X[test], y[test]))
    return np.array(found)


def main(names: list[str]) -> None:
    """Print a line for each set."""
    warnings.simplefilter("ignore")
    gains: dict[bool, list[float]] = {True: [], False: []}
    print("| set | rows | linear | with clusters | | trees | with clusters | |\n|---|---|---|---|---|---|---|---|")
    for name in names or SETS:
        X, y = SETS[name]()
        rows = np.random.default_rng(0).permutation(len(X))[:MOST_ROWS]
        X, y, cells = X[rows], y[rows], []
        for linear in (True, False):
            alone, more = (scores(X, y, linear, with_clusters) for with_clusters in (False, True))
            gains[linear].append(float((more - alone).mean()))
            error = (more - alone).std(ddof=1) / len(alone) ** 0.5
            cells += [f"{alone.mean():.4f}", f"{more.mean():.4f}", f"{gains[linear][-1]:+.4f} ({error:.4f})"]
        print(f"| {name} | {len(X):,} | {' | '.join(cells)} |", flush=True)
    print(f"mean gain: linear {np.mean(gains[True]):+.4f}, trees {np.mean(gains[False]):+.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])
