"""Runs of the same rows side by side: what `coterie.study.compare_labels` tells of the groups that they found."""

from collections.abc import Sequence
from typing import Any

from ..errors import InputError
from ..study.comparing import Grouping, compare_labels
from .stored import StoredRun

__all__ = ["COMPARISON", "compare_runs", "refuse_other_rows"]

COMPARISON = "coterie.compare/1"


def refuse_other_rows(runs: Sequence[StoredRun]) -> None:
    """Refuse runs that are not all of the same rows.

    Raises
    ------
    InputError
    """
    first = runs[0]
    for run in runs[1:]:
        if run.fingerprint != first.fingerprint:
            a, b = (
                f"{r.folder} ({r.record['input']['name']}, {r.record['input']['rows']:,} rows)" for r in (first, run)
            )
            raise InputError(f"{a} and {b} are of different rows; compare runs of the same data")


def compare_runs(
    runs: Sequence[StoredRun], X: Any = None, *, names: Sequence[str] | None = None, seed: int = 0
) -> dict[str, Any]:
    """Set runs of the same rows side by side.

    Parameters
    ----------
    runs : sequence of StoredRun
        Two or more.
    X : (n, m) float array, optional
        Their rows, prepared, on which all are scored.
    names : sequence of str, optional
        What the runs are called; by default as their folders, numbered where two are called alike.
    seed : int, default=0
        Of the samples on which they are scored.

    Returns
    -------
    dict
        ``schema``, ``data``, ``seed``, and what `coterie.study.compare_labels` returns.
    """
    called = _different([run.name for run in runs]) if names is None else names
    groupings = [_grouping(name, run) for name, run in zip(called, runs, strict=True)]
    head = {"schema": COMPARISON, "data": str(runs[0].record["input"]["name"]), "seed": seed}
    return head | compare_labels(groupings, X, seed=seed)


def _grouping(name: str, run: StoredRun) -> Grouping:
    judge = run.record.get("judge") or {}
    return Grouping(
        name,
        run.labels,
        method=(run.record.get("chosen") or {}).get("method"),
        groups=[*run.names.values()],
        stability=judge.get("stability"),
        silhouette=judge.get("silhouette"),
        structure=run.record["structure"].get("verdict"),
    )


def _different(names: list[str]) -> list[str]:
    """Number names that come twice."""
    return [f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name for i, name in enumerate(names)]
