"""How often the automatic choice is right: tables without groups, and the labelled sets of ``shared/data/clustering``.

``python -m benchmarks.automatic none [N] [KIND ...]`` or ``sets [N] [METHOD ...]``. "none": uniform, normal, heavy-tailed and correlated tables of 2 to 50 columns, N seeds of each
kind; asked is the answer "none". "sets": every labelled set, at most N rows of it; asked are groups, their number and the adjusted Rand
index of the best labelling, with nothing given. With methods named, each of them alone chooses its number of groups on the small
sets, which is what the automatic choice has to beat. Sets are answered once and kept in ``build/automatic`` while the sources of the study stay
the same.
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from .quality import Set, load_sets

KINDS = ("uniform", "normal", "heavy-tailed", "correlated")
COLUMNS = (2, 3, 5, 8, 12, 20, 35, 50)
SMALL = ("wut", "sipu", "fcps", "graves", "other", "uci")
SOURCES = Path(__file__).parents[1] / "src" / "coterie" / "study"
KEPT = Path(__file__).parents[1] / "build" / "automatic"


def without_groups(kind: str, seed: int) -> np.ndarray:
    """Return a table in which no group is."""
    random = np.random.default_rng((KINDS.index(kind), seed))
    n, m = int(random.integers(200, 2_000)), COLUMNS[seed % len(COLUMNS)]
    if kind == "uniform":
        return random.uniform(size=(n, m))
    X = random.standard_normal((n, m))
    if kind == "heavy-tailed":
        return X / np.sqrt(random.chisquare(3, size=(n, 1)) / 3)
    return X @ random.standard_normal((m, m)) if kind == "correlated" else X


def none(n_seeds: int, *kinds: str) -> None:
    """Print how often tables without groups, of all kinds or of some, are said to have none."""
    from coterie.study.structure import examine

    all_right = 0
    for kind in kinds or KINDS:
        answers = [examine(_scaled(without_groups(kind, seed)))["verdict"] for seed in range(n_seeds)]
        right = answers.count("none")
        wrong = [(seed, answer) for seed, answer in enumerate(answers) if answer != "none"]
        print(f"{kind:14s} none {right} of {n_seeds}  {wrong}", flush=True)
        all_right += right
    print(f"none {all_right / (n_seeds * len(kinds or KINDS)):.1%}")


def sets(most_rows: int, *methods: str) -> None:
    """Print what is found in each set, and how that agrees with the labellings; with methods, the mean of each on the small sets."""
    for method in methods:
        found = [_answer(one, most_rows, method) for one in load_sets() if one.battery in SMALL]
        print(f"{method}: mean ARI {np.mean([line['ari'] for line in found]):.3f} on {len(found)} sets", flush=True)
    if methods:
        return
    found = [_answer(one, most_rows) for one in load_sets()]
    said_none = [line["name"] for line in found if line["verdict"] == "none"]
    near = np.mean([line["k_off"] <= 1 for line in found])
    ari = np.mean([line["ari"] for line in found if line["name"].split("/")[0] in SMALL])
    print(
        f"{len(found)} sets: none {len(said_none) / len(found):.1%} {said_none}; k within one {near:.0%}; mean ARI {ari:.3f}"
    )


def _answer(one: Set, most_rows: int, method: str = "auto") -> dict[str, Any]:
    from sklearn.metrics import adjusted_rand_score

    from coterie.study import study

    source = b"".join(path.read_bytes() for path in sorted(SOURCES.glob("*.py")))
    name = f"{one.battery}/{one.name}"
    kept = KEPT / f"{one.battery}-{one.name}-{most_rows}-{method}-{hashlib.sha256(source).hexdigest()[:12]}.json"
    if kept.exists():
        return json.loads(kept.read_text())
    rows = np.random.default_rng(0).permutation(len(one.X))[:most_rows]
    with warnings.catch_warnings(action="ignore"):
        result = study(one.X[rows], method=method)
    k = int(result.labels.max(initial=-1)) + 1
    line = {"name": name, "verdict": result.record["structure"]["verdict"], "k": k, "k_off": np.inf, "ari": -1.0}
    for truth in (labels[rows] for labels in one.truths):
        known = truth > 0
        line["k_off"] = min(line["k_off"], abs(k - len(np.unique(truth[known]))))
        line["ari"] = max(line["ari"], float(adjusted_rand_score(truth[known], result.labels[known])))
    print(f"{name:24s} {line['verdict']:9s} k {k:3d}, off by {line['k_off']:3.0f}, ARI {line['ari']:.3f}", flush=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(line))
    return line


def _scaled(X: np.ndarray) -> np.ndarray:
    return (X - X.mean(axis=0)) / X.std(axis=0)


def main(arguments: list[str]) -> None:
    """Run what is asked for."""
    what, number, names = arguments[0], arguments[1:2], arguments[2:]
    {"none": none, "sets": sets}[what](int(number[0]) if number else {"none": 25, "sets": 4_000}[what], *names)


if __name__ == "__main__":
    main(sys.argv[1:])
