"""Customers: segments and forecasts beside RFM cells, scikit-learn and lifetimes, judged on what customers did later.

``python -m benchmarks.segments`` prints two tables for each file of purchases that is there: CDNOW, all customers, from the folder that
COTERIE_CUSTOMERS names (by default ../shared/data/customers beside the checkout), the UCI shop from the same, and the CDNOW sample,
which the package lifetimes ships. Customers are learnt from up to a day and judged by what came after; nothing was chosen by it but the
published settings of each row. A package that is not installed is said to be missing.
"""

import contextlib
import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from coterie import MarketSegmentation
from coterie.applications.segments import expected_purchases, expected_spending, fit_purchases, fit_spending
from coterie.applications.segments.held_out import spending_r2, top_share

from .harness import ROOT

FOLDER = Path(os.environ.get("COTERIE_CUSTOMERS", ROOT.parent / "shared" / "data" / "customers"))
SEED = 0


def files() -> Iterator[tuple[str, Path, dict]]:
    """Yield name, path and options of every file that is there."""
    package = importlib.util.find_spec("lifetimes")
    if package is None:
        print("lifetimes is not installed: no CDNOW sample, and no peer for the forecasts")
    else:
        path = Path(next(iter(package.submodule_search_locations or ()))) / "datasets" / "CDNOW_sample.txt"
        columns = {"id": "column_2", "date": "column_3", "amount": "column_5"}
        yield "CDNOW sample", path, {**columns, "cutoff": "1997-09-30"}
    yield "CDNOW", FOLDER / "CDNOW_master.txt.gz", {"cutoff": "1997-09-30"}
    yield "UCI shop", FOLDER / "online_retail_2010-12_2011-08.csv.gz", {"cutoff": "2011-05-31"}


def quantile_cells(values: np.ndarray, parts: int) -> np.ndarray:
    """Return RFM cells: each column cut into so many parts of about equal size, ties together."""
    label = np.zeros(len(values), np.int64)
    for column in values.T:
        cuts = np.unique(np.quantile(column, np.linspace(0, 1, parts + 1)[1:-1]))
        label = label * parts + np.searchsorted(cuts, column, side="left")
    return np.unique(label, return_inverse=True)[1]


def segmentations(seg: MarketSegmentation) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """Yield the rivals on the same customers."""
    from sklearn.cluster import KMeans
    from sklearn.mixture import GaussianMixture

    rows, values = seg.found_.segments.rows, seg.found_.segments.values
    raw = (values - values.mean(axis=0)) / values.std(axis=0)
    yield "RFM 2x2x2", lambda: quantile_cells(values, 2)
    yield "RFM 5x5x5", lambda: quantile_cells(values, 5)
    yield "scikit-learn, logarithms, k=8", lambda: KMeans(8, n_init=10, random_state=SEED).fit_predict(rows)
    yield "scikit-learn, no logarithms, k=8", lambda: KMeans(8, n_init=10, random_state=SEED).fit_predict(raw)
    yield "Gaussian mixture, k=8", lambda: GaussianMixture(8, n_init=3, random_state=SEED).fit_predict(rows)


def segment_line(name: str, labels: np.ndarray, rows: np.ndarray, spent: np.ndarray, seconds: float) -> str:
    """Return a line of the table of segments."""
    sizes = np.bincount(labels)
    means = np.column_stack([np.bincount(labels, column) / sizes for column in rows.T])
    within = ((rows - means[labels]) ** 2).sum() / ((rows - rows.mean(axis=0)) ** 2).sum()
    return f"| {name} | {len(sizes)} | {within:.4f} | {sizes.min() / len(labels):.2%} | {spending_r2(spent, labels):.3f} | {seconds:.2f} |"


def forecast_line(name: str, purchases: np.ndarray, value: np.ndarray, after, seconds: float | None) -> str:
    """Return a line of the table of forecasts."""
    error = purchases - after.purchases
    figures = (np.corrcoef(purchases, after.purchases)[0, 1], np.abs(error).mean(), np.sqrt((error**2).mean()))
    told = " | ".join(f"{figure:.4f}" for figure in figures)
    spent = "" if seconds is None else f"{seconds:.3f}"
    return f"| {name} | {told} | {error.sum() / after.purchases.sum():+.1%} | {top_share(value, after.spent):.2%} | {spent} |"


def forecasts(seg: MarketSegmentation) -> Iterator[str]:
    """Yield the lines of forecasts."""
    found = seg.found_
    seen, after = found.seen, found.after
    x, t, T = seen.frequency, seen.active / 7, seen.age / 7
    weeks = after.days / 7
    start = time.perf_counter()
    model, spending = fit_purchases(x, t, T), fit_spending(x, seen.mean)
    seconds = time.perf_counter() - start
    purchases = expected_purchases(model, [weeks], x, t, T)[:, 0]
    yield forecast_line("coterie", purchases, purchases * expected_spending(spending, x, seen.mean), after, seconds)
    if importlib.util.find_spec("lifetimes") is not None:
        yield of_lifetimes(seen, after)
    rate = x / np.maximum(seen.age, 1) * after.days
    yield forecast_line("rate so far, and past spending", rate, seen.total, after, None)


def of_lifetimes(seen, after) -> str:
    """Return the line of the package lifetimes, with its own defaults."""
    import lifetimes
    from lifetimes.utils import ConvergenceError

    x, t, T, weeks = seen.frequency, seen.active / 7, seen.age / 7, after.days / 7
    paid = (x > 0) & (seen.mean > 0)
    start = time.perf_counter()
    try:
        with contextlib.redirect_stdout(None):
            theirs = lifetimes.BetaGeoFitter().fit(x, t, T)
            money = lifetimes.GammaGammaFitter().fit(x[paid], seen.mean[paid])
    except ConvergenceError:
        return "| lifetimes | does not converge | | | | | |"
    seconds = time.perf_counter() - start
    told = np.asarray(theirs.conditional_expected_number_of_purchases_up_to_time(weeks, x, t, T))
    worth = np.asarray(money.conditional_expected_average_profit(x, seen.mean))
    return forecast_line("lifetimes", told, told * worth, after, seconds)


def main() -> None:
    """Print the tables."""
    for name, path, options in files():
        if not path.is_file():
            print(f"{name}: {path} is not there")
            continue
        print(
            f"\n## {name}\n\n| segments | k | within / total | smallest | R2 of later spending | seconds |\n|---|---|---|---|---|---|"
        )
        for k in (8, "auto"):
            start = time.perf_counter()
            seg = MarketSegmentation(k, random_state=SEED, **options).fit(path)
            seconds = time.perf_counter() - start
            rows, spent = seg.found_.segments.rows, seg.found_.after.spent
            print(segment_line(f"coterie, k={k}", seg.labels_, rows, spent, seconds))
        for rival, labelled in segmentations(seg):
            start = time.perf_counter()
            labels = labelled()
            print(segment_line(rival, labels, rows, spent, time.perf_counter() - start))
        print(
            "\n| forecast | correlation | MAE | RMSE | all purchases | top tenth | seconds |\n|---|---|---|---|---|---|---|"
        )
        for line in forecasts(seg):
            print(line)


if __name__ == "__main__":
    main()
