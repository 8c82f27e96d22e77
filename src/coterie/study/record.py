"""Turn what the steps found into one dict of plain JSON values."""

from typing import Any

import numpy as np

__all__ = ["plain", "sample_rows"]


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
