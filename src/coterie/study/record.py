"""Put what the steps found into one dict of plain JSON values."""

from typing import Any

import numpy as np

__all__ = ["even_rows", "plain", "record_of", "sample_rows"]

# The rows drawn evenly, for the map to tell of and for later comparison; fewer where the columns are so many that the record would swell.
HOVER_ROWS = 300
# Ids of all rows travel up to here; beyond, the file of labels alone has them.
MOST_IDS, MOST_ID_LETTERS = 20_000, 400_000
HOVER_CELLS = 100_000
FEWEST_HOVER_ROWS = 20


def record_of(
    table, prepared, plan, choice, structure, estimator, people, verdicts, told, answer, seed
) -> dict[str, Any]:
    """Put together what the steps of a study found, but for the map, the steps and the warnings."""
    best = choice.candidates[choice.winner]
    for cluster in told.clusters:
        i = cluster["id"]
        for name in ("stability", "separation", "certainty"):
            cluster[name] = float(verdicts[name][i])
    mentioned = [row for cluster in told.clusters for row in cluster["exemplars"] + cluster["border"]]
    mentioned += [line["row"] for line in answer.outliers["top"]]
    mentioned += [line["row"] for line in answer.purpose.get("representatives", ())]
    return {
        "seed": seed,
        "purpose": answer.purpose,
        "columns": [coding.to_json() for coding in prepared.codings],
        "plan": plan._asdict() | {"candidates": [line._asdict() for line in plan.candidates]},
        "candidates": choice.record,
        "chosen": {
            "method": type(estimator).__name__,
            "params": {name: value for name, value in estimator.get_params().items() if name in best.params},
            "why": choice.why,
            "exact": True,
            "engine": "numba",
        },
        "structure": structure,
        "population": people.record,
        "clusters": told.clusters,
        "profile": told.profile,
        "outliers": answer.outliers,
        "judge": verdicts["judge"],
        "rows": {
            "sample": sample_rows(table, [*mentioned, *even_rows(table.n_rows, len(table.columns))]),
            "ids": _ids(table, prepared),
        },
    }


def even_rows(n_rows: int, n_columns: int) -> list[int]:
    """Return the numbers of the rows that a record keeps for no reason of their own, which makes them a fair sample."""
    most = min(HOVER_ROWS, max(HOVER_CELLS // max(n_columns, 1), FEWEST_HOVER_ROWS))
    return np.linspace(0, max(n_rows - 1, 0), min(most, n_rows)).astype(np.int64).tolist()


def plain(value: Any) -> Any:
    """Return ``value`` with NumPy numbers, tuples and NaN as JSON has them; floats keep eight figures."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.8g}") if np.isfinite(value) else None
    return value


def sample_rows(table, rows) -> dict[str, dict[str, Any]]:
    """Return the original values of the given rows, by row number and column name."""
    from .values import cell

    columns = [(column.name, column.values) for column in table.columns]
    return {str(int(row)): {name: cell(values, int(row)) for name, values in columns} for row in sorted(set(rows))}


def _ids(table, prepared) -> dict[str, Any] | None:
    """Return the ids of all rows, in their order, where there are some and they are not too many."""
    from .values import cell

    name = next((coding.column for coding in prepared.codings if coding.role == "id"), None)
    if name is None or table.n_rows > MOST_IDS:
        return None
    values = table.column(name).values
    ids = [cell(values, row) for row in range(table.n_rows)]
    return {"column": name, "values": ids} if sum(len(str(one)) for one in ids) <= MOST_ID_LETTERS else None
