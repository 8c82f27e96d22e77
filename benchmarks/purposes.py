"""How well `purpose="outliers"` ranks and names unusual rows, and how few it names where there are none.

``python -m benchmarks.purposes [N]``. Known anomalies: the sets of ``shared/data/anomaly``, at most N (2,000) rows of each. Planted: uniform rows, far
from three normal groups of equal or different spread in 2 or 6 columns. None: one cloud of 1,000 rows.
"""

import sys
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score

from coterie.study import study

from .quality import DATA

ANOMALIES = DATA.parent / "anomaly"


class Asked(NamedTuple):
    """Rows (n, m), and which of them are anomalies (n,)."""

    name: str
    X: np.ndarray
    anomaly: np.ndarray


def known(most_rows: int) -> Iterator[Asked]:
    """Yield sets with known anomalies, where there are at least five in the rows drawn."""
    for path in sorted(ANOMALIES.glob("*.npz")):
        with np.load(path, allow_pickle=False) as held:
            X, anomaly = held["X"], held["y"].astype(bool)
        rows = np.random.default_rng(0).permutation(len(X))[:most_rows]
        if anomaly[rows].sum() >= 5:
            yield Asked(path.stem, X[rows], anomaly[rows])


def planted() -> Iterator[Asked]:
    """Yield three groups and some twenty rows that are far from all of them."""
    for seed in range(5):
        for m in (2, 6):
            for spreads in ((0.5, 0.5, 0.5), (0.2, 0.6, 1.5)):
                random = np.random.default_rng((seed, m))
                centers = random.uniform(-8, 8, (3, m))
                X = np.vstack([random.normal(c, s, (300, m)) for c, s in zip(centers, spreads, strict=True)])
                far = random.uniform(-12, 12, (20, m))
                gaps = np.linalg.norm(far[:, None] - centers, axis=2) / np.array(spreads) / np.sqrt(m)
                far = far[gaps.min(axis=1) > 3.5]
                yield Asked(
                    f"{m} columns, {spreads}, seed {seed}", np.vstack([X, far]), np.arange(len(X) + len(far)) >= len(X)
                )


def none() -> Iterator[Asked]:
    """Yield single clouds."""
    for m in (2, 5, 20):
        random = np.random.default_rng(m)
        for name in ("normal", "uniform"):
            yield Asked(f"{name}, {m} columns", getattr(random, name)(size=(1000, m)), np.zeros(1000, dtype=bool))
        yield Asked(f"t3, {m} columns", random.standard_t(3, size=(1000, m)), np.zeros(1000, dtype=bool))


def judged(one: Asked) -> tuple[float, float, float, float]:
    """Return the area under the ROC curve, the share named, and of these and of all anomalies the share that is right."""
    with warnings.catch_warnings(action="ignore"):
        found = study(one.X, purpose="outliers")
    named = np.zeros(len(one.X), dtype=bool)
    named[found.listing.rows] = True
    if not one.anomaly.any():
        return np.nan, named.mean(), np.nan, np.nan
    hits = (named & one.anomaly).sum()
    right = hits / named.sum() if named.any() else np.nan
    return roc_auc_score(one.anomaly, found.outlier_scores), named.mean(), right, hits / one.anomaly.sum()


def main() -> int:
    """Print a line for each set, and the means of each kind."""
    most_rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    line = "{:32s} AUC {:.3f}  named {:.2%}, of these right {:.2f}, of all known {:.2f}"
    for kind, sets in {"known": known(most_rows), "planted": planted(), "none": none()}.items():
        found = {one.name: judged(one) for one in sets}
        for name, figures in found.items():
            print(line.format(name, *figures))
        with warnings.catch_warnings(action="ignore"):  # where there are no anomalies, some means are of nothing
            print(line.format(f"mean of {kind}", *np.nanmean(list(found.values()), axis=0)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
