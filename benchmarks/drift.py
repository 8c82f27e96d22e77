"""How often drift is a false alarm, how often it is found, and whether groups keep their numbers: ``python -m benchmarks.drift``.

Eight populations with 3 to 8 planted groups and mixed columns (plain, skewed and whole numbers, two categories, missing values). Of each
a model is made from OLD rows (first argument, default 2000), then compared with batches drawn anew:

- 200 batches of the same population, 200 to 5,000 rows: an alarm is false;
- 100 batches whose planted shares have a population stability index of 0.2: an alarm that names the shares is right; so for more sizes;
- 100 refits on new rows: of those that find the same groups, as rows that neither has seen tell it, how many keep every number.

Each is measured against all old rows, and against the 300 that a record keeps.
"""

import sys
import time
from typing import Any, NamedTuple

import numpy as np

import coterie
from coterie.metrics import jaccard_by_cluster
from coterie.models import Model
from coterie.study.drift import drift
from coterie.study.drift_shares import visible_index
from coterie.study.identity import keep_identity

KEPT = 300
SIZES = (200, 300, 500, 1000, 2000, 5000)
LEVEL = 0.01
SAME = (
    0.5  # Jaccard similarity on further rows that every group has with one of the refit, where the groups are the same
)


class Population(NamedTuple):
    """Planted groups: shares, middles of four numbers, shares of the levels of one category and of the yes of another."""

    shares: np.ndarray
    middles: np.ndarray
    levels: np.ndarray
    paper: np.ndarray

    def rows(
        self, n: int, rng: np.random.Generator, shares: np.ndarray | None = None
    ) -> tuple[dict[str, Any], np.ndarray]:
        """Draw a table, and the planted group of each row."""
        group = rng.choice(len(self.shares), n, p=self.shares if shares is None else shares)
        X = self.middles[group] + rng.normal(size=(n, 4))
        cumulative = np.cumsum(self.levels, axis=1)[group]
        region = np.minimum((rng.random((n, 1)) > cumulative).sum(axis=1), 4)
        spend = np.exp(4 + 0.5 * X[:, 1])
        spend[rng.random(n) < 0.02] = np.nan
        table = {
            "age": 40 + 5 * X[:, 0], "spend": spend, "visits": np.floor(np.maximum(10 + 3 * X[:, 2], 0)), "score": X[:, 3],
            "region": np.array(["north", "south", "east", "west", "abroad"], dtype=object)[region].tolist(),
            "paper": np.where(rng.random(n) < self.paper[group], "yes", "no").tolist(), "luck": rng.random(n),
        }  # fmt: skip
        return table, group

    def shifted(self, psi: float, rng: np.random.Generator) -> np.ndarray:
        """Return shares at this stability index from the population's own, in a random direction."""
        direction = rng.normal(size=len(self.shares))

        def moved(step: float) -> np.ndarray:
            weights = self.shares * np.exp(step * direction)
            return weights / weights.sum()

        low, high = 0.0, 10.0
        for _ in range(60):
            middle = (low + high) / 2
            far = float(((moved(middle) - self.shares) * np.log(moved(middle) / self.shares)).sum())
            low, high = (middle, high) if far < psi else (low, middle)
        return moved(low)


class Fitted(NamedTuple):
    """A model and the rows it is from."""

    population: Population
    model: Model
    table: Any
    labels: np.ndarray
    planted: np.ndarray


def population(k: int, seed: int) -> Population:
    """Return a population of k groups, the smallest of 5% or more."""
    rng = np.random.default_rng(seed)
    shares = 0.05 + (1 - 0.05 * k) * rng.dirichlet(np.full(k, 3.0))
    while True:
        middles = rng.normal(0, 4, (k, 4))
        gaps = np.sqrt(((middles[:, None] - middles[None]) ** 2).sum(axis=2)) + 99 * np.eye(k)
        if gaps.min() > 5:
            return Population(shares, middles, rng.dirichlet(np.full(5, 0.5), k), rng.choice([0.05, 0.95], k))


def fitted(made: Population, n: int, seed: int, method: str) -> Fitted:
    """Make a model of n rows."""
    table, planted = made.rows(n, np.random.default_rng(seed))
    given = {"n_clusters": len(made.shares)} if method in ("KMeans", "Genie") else {}
    found = coterie.run(table, method=method, **given)
    return Fitted(made, Model(found.estimator, found.prepared, found.label_map), found.table, found.labels, planted)


def kept_rows(fit: Fitted) -> tuple[Any, dict[int, int]]:
    """Return the rows that a record keeps, and the counts of all."""
    rows = np.linspace(0, fit.table.n_rows - 1, min(KEPT, fit.table.n_rows)).astype(np.int64)
    names, counts = np.unique(fit.labels, return_counts=True)
    return fit.table.take(rows), dict(zip(names.tolist(), counts.tolist(), strict=True))


def findings(fit: Fitted, batch: dict[str, Any], *, all_rows: bool) -> list[str]:
    """Return what drift finds in a batch."""
    then, counts = (fit.table, None) if all_rows else kept_rows(fit)
    return drift(fit.model, then, batch, counts=counts, level=LEVEL).record["findings"]


def alarms(fits: list[Fitted], batches: int, sizes: tuple[int, ...], psi: float, *, all_rows: bool) -> dict[str, int]:
    """Count alarms by kind over batches dealt evenly to models and sizes."""
    counts: dict[str, int] = {"any": 0}
    for i in range(batches):
        fit, size, rng = fits[i % len(fits)], sizes[(i // len(fits)) % len(sizes)], np.random.default_rng(10_000 + i)
        shares = fit.population.shifted(psi, rng) if psi else None
        found = findings(fit, fit.population.rows(size, rng, shares)[0], all_rows=all_rows)
        counts["any"] += bool(found)
        for name in found:
            counts[name] = counts.get(name, 0) + 1
    return counts


def refits_kept(fits: list[Fitted], refits: int, method: str) -> tuple[int, int, int]:
    """Count the refits in which every group has its old number, those that found the same groups, and all; as further rows tell it."""
    kept = same = 0
    for i in range(refits):
        fit = fits[i % len(fits)]
        again = fitted(fit.population, fit.table.n_rows, 20_000 + i, method)
        further = fit.population.rows(fit.table.n_rows, np.random.default_rng(30_000 + i))[0]
        old, new = fit.model.predict(further), again.model.predict(further)
        if min(jaccard_by_cluster(*pair)[1].min() for pair in ((old, new), (new, old))) < SAME:
            continue
        same += 1
        numbers = keep_identity(fit.model.predict(again.table), again.labels).numbers
        named = np.array([*(numbers.get(label, -2) for label in range(new.max() + 1)), -1])[new]
        kept += all((named[old == label] == label).mean() > 0.5 for label in np.unique(old[old >= 0]))
    return kept, same, refits


def main() -> int:
    """Print the figures."""
    n = int(sys.argv[1]) if sys.argv[1:] else 2000
    methods = sys.argv[2:] or ["KMeans"]
    for method in methods:
        began = time.perf_counter()
        fits = [fitted(population(k, seed), n, seed, method) for seed, k in enumerate((3, 4, 5, 6, 7, 8, 4, 6))]
        print(
            f"{method}, models of {n:,} rows, level {LEVEL:.0%}; fitted in {time.perf_counter() - began:.0f} s",
            flush=True,
        )
        for all_rows, words in ((True, "all old rows"), (False, f"{KEPT} kept rows")):
            print(f"  {words}", flush=True)
            print(
                "    200 unchanged batches:",
                alarms(fits, 200, (200, 500, 1000, 5000), 0.0, all_rows=all_rows),
                flush=True,
            )
            print("    100 batches at PSI 0.2:", alarms(fits, 100, (500, 1000), 0.2, all_rows=all_rows), flush=True)
            for size in SIZES if all_rows else ():
                seen = visible_index(n, size, 6, LEVEL / 3)
                print(
                    f"    48 at PSI 0.2, {size:,} rows (visible from {seen:.2f}):",
                    alarms(fits, 48, (size,), 0.2, all_rows=all_rows),
                    flush=True,
                )
        print(
            "  refits kept whole, of; groups kept, of:",
            refits_kept(fits, 100, method),
            f"in {time.perf_counter() - began:.0f} s",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
