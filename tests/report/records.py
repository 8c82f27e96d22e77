"""Records of analyses made by hand, for tests of what is shown: customers in synthetic clusters."""

import base64

import numpy as np

from report.shapes import make_shapes

NAMES = (
    "Middle income, average spending",
    "High income, high spending",
    "High income, low spending",
    "Low income, high spending",
    "Low income, low spending",
)
COLUMNS = ("Age", "Annual Income (k$)", "Spending Score (1-100)")
UNITS = (None, "k$", None)


def make_record(n=200, k=5, *, map_points=None, noise=0.03, seed=0, n_sample=400, verdict="clusters", extra_columns=0):
    """Return a complete record of ``n`` customers in ``k`` clusters."""
    rng = np.random.default_rng(seed)
    labels, values = _customers(rng, n, k, noise)
    gender = rng.choice(["Female", "Male"], n)
    names = [*COLUMNS, *(f"measure {i}" for i in range(extra_columns))]
    units = [*UNITS, *[None] * extra_columns]
    values = np.column_stack([values, rng.gamma(2, 10, (n, extra_columns))]) if extra_columns else values
    shown = [_cluster(i, labels, values, gender, names, units, rng) for i in range(k)]
    top = np.flatnonzero(labels == -1)[:12]
    outliers = [
        {
            "row": int(r),
            "score": round(0.99 - 0.01 * i, 3),
            "why": f"Annual Income (k$) of {values[r, 1]:.0f} is far above its neighbours",
        }
        for i, r in enumerate(top)
    ]
    wanted = {int(r) for c in shown for r in c["exemplars"] + c["border"]} | {int(r) for r in top}
    wanted |= {int(r) for r in rng.choice(n, min(n, n_sample), replace=False)}
    sample = {
        str(r): {"CustomerID": f"C{r:05d}", "Gender": str(gender[r])}
        | {name: round(float(v), 1) for name, v in zip(names, values[r], strict=True)}
        for r in sorted(wanted)
    }
    n_noise = int((labels == -1).sum())
    return {
        "schema": "coterie.run/1",
        "coterie": "0.1.0",
        "created": "2026-11-24T12:00:00Z",
        "seed": 0,
        "versions": {"coterie": "0.1.0", "python": "3.11.2", "numpy": "2.4.6"},
        "input": {
            "name": "customers.csv",
            "rows": n,
            "columns": len(names) + 3,
            "bytes": 41 * n,
            "fingerprint": "xx64:93b1f0",
            "notes": ["UTF-8, separated by commas", "The first line holds the names of the columns"],
        },
        "steps": [
            {"name": name, "text": sentence, "seconds": seconds}
            for name, sentence, seconds in (
                ("read", f"{n:,} rows and 6 columns from customers.csv", 0.02),
                ("prepare", "4 columns used, 2 left out", 0.01),
                ("plan", "compare 9 candidates on all rows", 0.001),
                ("choose", f"K-means with {k} groups scored best", 1.2),
                ("cluster", f"{k} groups", 0.04),
                ("population", f"{n_noise} rows fit no group", 0.01),
                ("judge", "clear structure", 0.4),
                ("describe", "names and rules", 0.2),
            )
        ],
        "options": {},
        "columns": _columns(names, units),
        "plan": {"memory_limit": 2**31, "seconds": 2.1, "bytes": 48_000_000, "sample_rows": None, "candidates": []},
        "candidates": [
            {
                "method": "KMeans",
                "params": {"n_clusters": i},
                "n_clusters": i,
                "noise_share": 0.0,
                "stability": round(0.95 - 0.06 * abs(i - k), 2),
                "validity": round(0.55 - 0.05 * abs(i - k), 2),
                "score": round(0.75 - 0.055 * abs(i - k), 3),
                "chosen": i == k,
                "reason": "best score" if i == k else "less stable",
            }
            for i in range(2, 9)
        ]
        + [
            {
                "method": "HDBSCAN",
                "params": {"min_cluster_size": 10},
                "n_clusters": 3,
                "noise_share": 0.41,
                "stability": 0.7,
                "validity": 0.2,
                "score": None,
                "chosen": False,
                "reason": "leaves 41 % of the rows without a group",
            }
        ],
        "chosen": {
            "method": "KMeans",
            "params": {"n_clusters": k},
            "why": "it came back almost unchanged on resampled rows, and its groups lie furthest apart",
            "exact": True,
            "engine": "numba",
        },
        "structure": {
            "verdict": verdict,
            "sentence": {
                "clusters": "The groups are real: data of the same spread without groups score far lower.",
                "weak": "The groups overlap: another draw of rows could give somewhat different ones.",
                "none": "There is no cluster structure here: the groups are no clearer than in data without groups.",
                "one": "All rows form one group.",
            }[verdict],
            "statistic": 0.55,
            "null_mean": 0.31,
            "null_sd": 0.012,
            "null_draws": [0.3, 0.31, 0.32, 0.29, 0.33],
            "p_value": 0.005,
        },
        "population": {
            "min_rows": 10,
            "min_share": 0.01,
            "noise_rows": n_noise,
            "noise_share": n_noise / n,
            "noise_why": "they lie far from every group",
            "actions": [
                "One group of 3 rows was below the least size of 10 rows; its rows now count as fitting no group."
            ],
            "small_clusters": [],
        },
        "clusters": shown,
        "profile": {"columns": _profile(labels, values, gender, names, units, k)},
        "outliers": {
            "rows": n_noise,
            "share": n_noise / n,
            "sentence": f"{n_noise} rows are unlike all others.",
            "top": outliers,
        },
        "judge": {
            "silhouette": 0.55,
            "stability": 0.94,
            "separation": 0.62,
            "sure_share": 0.91,
            "sentence": "91 % of the rows sit clearly inside their group, and the groups come back when rows are redrawn.",
            "truth": {
                "column": "Segment",
                "ari": 0.91,
                "ami": 0.9,
                "accuracy": 0.97,
                "table": {"classes": ["gold", "silver"], "clusters": [-1, 0, 1], "counts": [[4, 80, 1], [5, 2, 108]]},
            },
        },
        "rows": {"sample": sample},
        "shapes": make_shapes(k, seed),
        "map": make_map(labels, values, rng) if map_points is None else make_crowd(map_points, k, rng),
        "warnings": [
            {"text": "Age is missing in 12 rows", "remedy": "they were given the median, 36; check that this is fair"}
        ],
        "files": {"labels": "labels.csv", "model": "model.coterie", "record": "run.json", "report": "report.html"},
        "next": ["open customers.coterie/report.html", "coterie predict customers.coterie/model.coterie new.csv"],
    }


def make_map(labels, values, rng, limit=1_000_000):
    """Return the ``map`` entry for points in the plane of income and score."""
    shown = np.arange(len(labels)) if len(labels) <= limit else np.sort(rng.choice(len(labels), limit, replace=False))
    x, y = values[shown, 1], values[shown, 2]
    return {
        "method": "pca",
        "axes": ["more Annual Income (k$)", "more Spending Score (1-100)"],
        "explained": [0.44, 0.33],
        "n_shown": len(shown),
        "n_total": len(labels),
        "row": _b64(shown, "<u4"),
        "x": _b64(_unit(x) * 65535, "<u2"),
        "y": _b64(_unit(y) * 65535, "<u2"),
        "label": _b64(labels[shown], "<i2"),
        "scale": [float(x.min()), float(x.max()), float(y.min()), float(y.max())],
    }


def make_crowd(n, k, rng):
    """Return a ``map`` entry of ``n`` points in ``k`` round groups, quickly."""
    labels = rng.integers(-1, k, n).astype("<i2")
    centers = rng.uniform(10_000, 55_000, (k + 1, 2))
    points = np.clip(centers[labels] + rng.normal(0, 2500, (n, 2)), 0, 65535)
    entry = {
        "method": "pca",
        "axes": ["more of one", "more of the other"],
        "explained": [0.5, 0.3],
        "n_shown": n,
        "n_total": n,
    }
    entry |= {"row": _b64(np.arange(n), "<u4"), "x": _b64(points[:, 0], "<u2"), "y": _b64(points[:, 1], "<u2")}
    return entry | {"label": _b64(labels, "<i2"), "scale": [0.0, 1.0, 0.0, 1.0]}


def _customers(rng, n, k, noise):
    centers = np.array([[43, 55, 50], [33, 87, 82], [41, 88, 17], [25, 26, 79], [45, 26, 21]], float)
    if k > 5:
        centers = np.column_stack([rng.uniform(20, 70, k), rng.uniform(15, 135, k), rng.uniform(1, 99, k)])
    weights = np.linspace(2.2, 1, k)
    labels = np.sort(rng.choice(k, n, p=weights / weights.sum()))
    values = centers[labels] + rng.normal(0, [8, 9 if k <= 5 else 4, 8 if k <= 5 else 3], (n, 3))
    odd = rng.random(n) < noise
    values[odd] = rng.uniform([18, 10, 0], [75, 150, 100], (int(odd.sum()), 3))
    labels[odd] = -1
    order = rng.permutation(n)
    return labels[order], values[order]


def _cluster(i, labels, values, gender, names, units, rng):
    mine = np.flatnonzero(labels == i)
    spread = values.std(0)
    effects = (np.median(values[mine], 0) - np.median(values[labels != i], 0)) / spread
    order = np.argsort(-np.abs(effects))[:3]
    features = [
        {
            "column": names[j],
            "kind": "number",
            "unit": units[j],
            "here": _typical(values[mine, j]),
            "elsewhere": _typical(values[labels != i, j]),
            "overall": _typical(values[:, j]),
            "effect": round(float(effects[j]), 2),
            "text": f"{names[j]} is {'higher' if effects[j] > 0 else 'lower'}: {np.median(values[mine, j]):.0f} against {np.median(values[labels != i, j]):.0f}",
        }
        for j in order
    ]
    here, elsewhere = (gender[mine] == "Female").mean(), (gender[labels != i] == "Female").mean()
    features.append(
        {
            "column": "Gender",
            "kind": "category",
            "unit": None,
            "level": "Female",
            "here": float(here),
            "elsewhere": float(elsewhere),
            "overall": float((gender == "Female").mean()),
            "effect": float(here - elsewhere),
            "text": f"Gender is Female in {100 * here:.0f} % against {100 * elsewhere:.0f} %",
        }
    )
    name = NAMES[i] if i < len(NAMES) else f"Group like no other, number {i}"
    return {
        "id": i,
        "name": name,
        "rows": len(mine),
        "share": len(mine) / len(labels),
        "stability": round(0.98 - 0.05 * (i % 5), 2),
        "separation": round(0.7 - 0.05 * (i % 5), 2),
        "certainty": round(0.93 - 0.04 * (i % 5), 2),
        "sentence": f"{len(mine):,} customers with {name.lower()}.",
        "features": features,
        "rule": {
            "text": "Annual Income (k$) > 70.5 and Spending Score (1-100) <= 40.2",
            "coverage": 0.92,
            "precision": 0.96,
        }
        if i != 3
        else None,
        "exemplars": [int(r) for r in mine[:3]],
        "border": [int(r) for r in mine[-2:]],
        "color": i,
    }


def _columns(names, units):
    base = {"missing": 0, "fill": None, "center": None, "spread": None, "unit": None, "categories": None}
    left_out = {"used": False, "coding": "dropped"}
    columns = [
        base
        | {"name": "CustomerID", "role": "id", "why": "every value is different and the name ends in ID"}
        | left_out,
        base
        | {
            "name": "Gender",
            "role": "category",
            "why": "2 different values",
            "used": True,
            "coding": "one-hot",
            "categories": ["Female", "Male"],
        },
    ]
    for name, unit in zip(names, units, strict=True):
        columns.append(
            base
            | {
                "name": name,
                "role": "number",
                "why": "numbers with many different values",
                "used": True,
                "coding": "as is",
                "center": 50.0,
                "spread": 12.5,
                "unit": unit,
            }
        )
    columns[2]["missing"] = 12
    columns[2]["fill"] = 36.0
    columns.append(base | {"name": "Country", "role": "constant", "why": "the same value in every row"} | left_out)
    return columns


def _profile(labels, values, gender, names, units, k):
    columns = [
        {
            "name": name,
            "kind": "number",
            "unit": unit,
            "overall": _typical(values[:, j]),
            "by_cluster": [_typical(values[labels == i, j]) for i in range(k)],
        }
        for j, (name, unit) in enumerate(zip(names, units, strict=True))
    ]

    def top(chosen):
        share = float((chosen == "Female").mean())
        return [{"level": "Female", "share": share}, {"level": "Male", "share": 1 - share}]

    return [
        *columns,
        {
            "name": "Gender",
            "kind": "category",
            "unit": None,
            "overall": top(gender),
            "by_cluster": [top(gender[labels == i]) for i in range(k)],
        },
    ]


def _typical(values):
    q25, median, q75 = np.quantile(values, [0.25, 0.5, 0.75])
    return {
        "median": float(median),
        "q25": float(q25),
        "q75": float(q75),
        "mean": float(values.mean()),
        "min": float(values.min()),
        "max": float(values.max()),
    }


def _unit(values):
    return (values - values.min()) / max(np.ptp(values), 1e-300)


def _b64(values, kind):
    return base64.b64encode(np.asarray(values).round().astype(kind).tobytes()).decode("ascii")
