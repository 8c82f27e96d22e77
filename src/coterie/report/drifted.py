"""An earlier run beside new rows, or beside a newer run: what drifted, which group is which, and a refit that keeps their numbers."""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, UnsupportedError
from .analysis import Analysis, run
from .kept import with_kept_numbers
from .past_rows import PastRows, past_rows
from .record import now, without_credentials
from .stored import StoredRun

__all__ = ["DRIFT", "default_refit_folder", "drift_record", "identity_of", "refit", "rows_of_newer"]

DRIFT = "coterie.drift/1"


def drift_record(
    old: StoredRun, table: Any, then: PastRows, *, level: float, seed: int, newer: StoredRun | None = None
) -> dict[str, Any]:
    """Compare new rows with those of an earlier run.

    Parameters
    ----------
    old : StoredRun
    table : Table
        The new rows.
    then : PastRows
        The rows of ``old``.
    level : float
        Chance of a false alarm that is allowed.
    seed : int
    newer : StoredRun, optional
        The run that the new rows are from.

    Returns
    -------
    dict
        One versioned object of plain JSON values.
    """
    from .. import __version__
    from ..study.drift import drift

    found = drift(old.model, then.table, table, counts=_counts(old, then), names=old.names, level=level, seed=seed)
    return {
        "schema": DRIFT, "coterie": __version__, "created": now(), "seed": seed,
        "old": {"run": old.name, "data": old.record["input"].get("name"), "rows": old.record["input"].get("rows")},
        "new": {"run": None if newer is None else newer.name, "data": without_credentials(table.name), "rows": table.n_rows},
        "compared_with": {"rows": None if then.table is None else then.table.n_rows, "which": then.which, "sentence": then.words},
        **found.record, "migration": None, "identity": None,
    }  # fmt: skip


def identity_of(
    old: StoredRun, old_labels: np.ndarray, new_labels: np.ndarray, new_names: dict[int, str]
) -> tuple[Any, dict[str, Any]]:
    """Say which group of the newer clustering is which of the older.

    Parameters
    ----------
    old : StoredRun
    old_labels, new_labels : (n,) int arrays
        The same rows, as the old model and as the newer clustering labels them.
    new_names : dict of int to str
        What the newer groups are called.

    Returns
    -------
    Identity
    dict
        ``migration`` and ``identity``, parts of the record of a drift.
    """
    from ..study.identity import keep_identity, migration

    before = old.record.get("identity") or {}
    live = [cluster for cluster in old.record["clusters"] if cluster["id"] not in set(before.get("retired") or ())]
    found = keep_identity(
        old_labels, new_labels, known=[cluster["id"] for cluster in live], retired=before.get("retired") or ()
    )
    old_names = {cluster["id"]: old.names[cluster["id"]] for cluster in live}
    numbers = [
        {
            "new": label, "number": number, "status": "kept" if number in found.kept else "fresh",
            "name": new_names.get(label), "old_name": old_names.get(number), "rows": int((np.asarray(new_labels) == label).sum()),
        }
        for label, number in found.numbers.items()
    ]  # fmt: skip
    told = {"kept": list(found.kept), "fresh": list(found.fresh), "retired": list(found.retired), "groups": numbers}
    return found, {"migration": migration(old_labels, found.labels), "identity": told}


def refit(old: StoredRun, table: Any, *, seed: int, **options: Any) -> tuple[Analysis, dict[str, Any]]:
    """Make the groups anew from new rows, by the method and with the columns of an earlier run, and keep the numbers of the groups.

    Parameters
    ----------
    old : StoredRun
    table : Table
        The new rows.
    seed : int
    **options
        As for `coterie.run`.

    Returns
    -------
    Analysis
        Labels, model and record under the kept numbers.
    dict
        ``migration`` and ``identity``, parts of the record of a drift.

    Raises
    ------
    InputError
        If the rows do not carry the groups.
    UnsupportedError
        If the earlier run worked block by block.
    """
    from ..study.estimators import scaled

    if "blocks" in old.record:
        raise UnsupportedError(
            "a run that worked block by block is not refitted here; run coterie run on the new rows, then compare the two runs"
        )
    chosen = old.record["chosen"]
    params = scaled(chosen["method"], dict(chosen["params"]), old.record["input"]["rows"], table.n_rows)
    if params.get("n_clusters") is not None and params["n_clusters"] > table.n_rows:
        raise InputError(
            f"a refit needs at least the {params['n_clusters']} rows of its groups, got {table.n_rows}; collect more rows"
        )
    roles = {c.column: c.role if c.used or c.role == "id" else "ignored" for c in old.model.prepared.codings}
    roles = {name: role for name, role in roles.items() if name in table.names}
    purpose = (old.record.get("purpose") or {}).get("name", "natural")
    found = run(table, purpose=purpose, method=chosen["method"], params=params, roles=roles, seed=seed, **options)
    names = {cluster["id"]: cluster["name"] for cluster in found.record["clusters"]}
    identity, told = identity_of(old, old.model.predict(table), found.labels, names)
    return with_kept_numbers(found, identity, old), told


def rows_of_newer(newer: StoredRun, *, memory_limit: int | None = None) -> tuple[Any, np.ndarray]:
    """Return rows of a newer run, all or those its record keeps, and the groups it gave them.

    Raises
    ------
    InputError
        If neither its data nor any of its rows are at hand.
    """
    found = past_rows(newer, memory_limit=memory_limit)
    if found.table is None:
        raise InputError(
            f"the rows of {newer.name} are not at hand; put the file {newer.record['input'].get('name')} beside it"
        )
    if found.table.n_rows == newer.record["input"].get("rows"):
        return found.table, newer.labels
    return found.table, newer.model.predict(found.table)


def default_refit_folder(old: StoredRun) -> Path:
    """Return where a refit goes when nothing else is said."""
    return Path(f"{old.name}-refit.coterie")


def _counts(old: StoredRun, then: PastRows) -> dict[int, int] | None:
    """Return the rows of each group in the run, where not all of its rows are at hand."""
    if then.which == "all":
        return None
    counts = {cluster["id"]: cluster["rows"] for cluster in old.record["clusters"]}
    return counts | {-1: (old.record.get("population") or {}).get("noise_rows") or 0}
