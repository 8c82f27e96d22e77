"""Several groupings of the same rows side by side: sizes, scores, agreement, and which group of one became which of another.

Rows of no group count as a group of their own where two groupings are compared. Groups are paired one to one by the rows that they
share (`matched_groups`); a row is *kept* where its two groups are a pair, or where it is in no group twice, and *moved* elsewhere.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..metrics.density import dbcv_score
from ..metrics.external import contingency_table
from ..metrics.of_table import adjusted_mutual_info_of, adjusted_rand_of
from .comparing_words import pair_sentence, verdict
from .judge import separation
from .matching import matched_groups
from .record import plain

__all__ = ["Grouping", "compare_labels"]

DBCV_ROWS = 3_000
MOST_MOVES = 5
EXAMPLES = 3


class Grouping(NamedTuple):
    """One grouping of n rows, and what is known of it."""

    name: str
    labels: np.ndarray  # (n,) int, -1 for no group
    method: str | None = None
    groups: Sequence[str] = ()  # what the groups are called
    stability: float | None = None
    silhouette: float | None = None  # as its own run told it
    structure: str | None = None  # the verdict of its run: "clusters", "one", "weak" or "none"


def compare_labels(
    groupings: Mapping[str, Any] | Sequence[Grouping], X: Any = None, *, seed: int = 0
) -> dict[str, Any]:
    """Set groupings of the same rows side by side.

    Parameters
    ----------
    groupings : mapping of str to (n,) int array, or sequence of Grouping
        Two or more.
    X : (n, m) float array, optional
        The rows, prepared, on which all are scored; without them scores are those that came with the groupings.
    seed : int, default=0
        Draws the samples on which silhouettes (3,000 rows) and DBCV (3,000 rows) are measured.

    Returns
    -------
    dict
        Plain JSON values:

        - ``groupings``: ``name``, ``method``, ``groups`` (``id``, ``name``, ``rows``, ``share``), ``none_rows``, ``none_share``,
          ``silhouette``, ``dbcv``, ``stability`` (None where not known);
        - ``same_rows``: whether silhouette and DBCV are measured on the same prepared rows;
        - ``pairs``: ``a``, ``b``, ``ari``, ``ami``, ``kept_share``, ``matched`` (``a``, ``b``, ``rows``, ``jaccard``), ``moves``
          (the largest: ``a``, ``b``, ``rows``, ``examples``), ``table`` (``a``, ``b``, ``counts``), ``sentence``;
        - ``verdict``: a paragraph.

    Raises
    ------
    InputError
        If there are fewer than two groupings, or they are of different numbers of rows.

    Examples
    --------
    >>> found = compare_labels({"one": [0, 0, 1, 1, -1], "two": [1, 1, 0, 0, 0]})
    >>> found["pairs"][0]["matched"][0], found["pairs"][0]["kept_share"]
    ({'a': 0, 'b': 1, 'rows': 2, 'jaccard': 1.0}, 0.8)
    """
    given = _checked(groupings)
    rows = None if X is None else np.asarray(X, dtype=np.float64)
    told = [_told(grouping, rows, seed) for grouping in given]
    pairs = [_pair(a, b) for a, b in combinations(given, 2)]
    structures = [grouping.structure for grouping in given]
    found = {"rows": len(given[0].labels), "groupings": told, "same_rows": rows is not None, "pairs": pairs}
    return plain(found | {"verdict": verdict(told, pairs, structures, same_rows=rows is not None)})


def _checked(groupings: Mapping[str, Any] | Sequence[Grouping]) -> list[Grouping]:
    if isinstance(groupings, Mapping):
        groupings = [Grouping(str(name), np.asarray(labels)) for name, labels in groupings.items()]
    given = [grouping._replace(labels=np.asarray(grouping.labels).astype(np.int64)) for grouping in groupings]
    if len(given) < 2:
        raise InputError(f"a comparison takes two groupings or more, got {len(given)}; add another")
    for grouping in given[1:]:
        if len(grouping.labels) != len(given[0].labels):
            raise InputError(
                f"groupings must be of the same rows, but {given[0].name} has {len(given[0].labels):,} and {grouping.name} "
                f"{len(grouping.labels):,}; compare groupings of the same data"
            )
    return given


def _told(grouping: Grouping, X: np.ndarray | None, seed: int) -> dict[str, Any]:
    labels, n = grouping.labels, len(grouping.labels)
    sizes = np.bincount(labels[labels >= 0])
    none = int((labels < 0).sum())
    silhouette, dbcv = grouping.silhouette, None
    if X is not None:
        silhouette = separation(X, labels, seed=seed)[0] if len(sizes) > 1 else None
        dbcv = _dbcv(X, labels, seed)
    return {
        "name": grouping.name,
        "method": grouping.method,
        "groups": [
            {"id": i, "name": _name(grouping, i), "rows": int(size), "share": size / n} for i, size in enumerate(sizes)
        ],
        "none_rows": none,
        "none_share": none / max(n, 1),
        "silhouette": silhouette if len(sizes) > 1 else None,
        "dbcv": dbcv,
        "stability": grouping.stability if len(sizes) > 1 else None,
    }


def _name(grouping: Grouping, i: int) -> str | None:
    return grouping.groups[i] if 0 <= i < len(grouping.groups) else None


def _dbcv(X: np.ndarray, labels: np.ndarray, seed: int) -> float | None:
    rows = np.arange(len(X))
    if len(X) > DBCV_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(len(X), DBCV_ROWS, replace=False))
    sizes = np.unique(labels[rows][labels[rows] >= 0], return_counts=True)[1]
    return float(dbcv_score(X[rows], labels[rows])) if (sizes >= 2).sum() >= 2 else None


def _pair(a: Grouping, b: Grouping) -> dict[str, Any]:
    table, of_a, of_b = contingency_table(a.labels, b.labels)
    place_a, place_b = ({int(label): i for i, label in enumerate(labels)} for labels in (of_a, of_b))
    matched = []
    for i, j in matched_groups(a.labels, b.labels).items():
        both = int(table[place_a[i], place_b[j]])
        either = int(table[place_a[i]].sum() + table[:, place_b[j]].sum()) - both
        matched.append({"a": i, "b": j, "rows": both, "jaccard": both / either})
    same = {(line["a"], line["b"]) for line in matched} | {(-1, -1)}
    moves = [
        {"a": int(i), "b": int(j), "rows": int(table[p, q])}
        for p, i in enumerate(of_a)
        for q, j in enumerate(of_b)
        if table[p, q] and (int(i), int(j)) not in same
    ]
    moves.sort(key=lambda move: (-move["rows"], move["a"], move["b"]))
    for move in moves[:MOST_MOVES]:
        move["examples"] = np.flatnonzero((a.labels == move["a"]) & (b.labels == move["b"]))[:EXAMPLES].tolist()
    found = {
        "a": a.name,
        "b": b.name,
        "ari": float(adjusted_rand_of(table)),
        "ami": float(adjusted_mutual_info_of(table)),
        "kept_share": 1.0 - sum(move["rows"] for move in moves) / max(len(a.labels), 1),
        "matched": matched,
        "moves": moves[:MOST_MOVES],
        "table": {"a": list(place_a), "b": list(place_b), "counts": table.tolist()},
    }
    return found | {"sentence": pair_sentence(found, len(a.labels))}
