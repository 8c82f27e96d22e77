"""How alarms agree with anomalies that are known."""

from typing import NamedTuple

import numpy as np

from ...errors import InputError
from ...tables import Column
from ...tables.convert import as_levels

__all__ = ["Checked", "checked"]

_ANOMALOUS = {
    "1",
    "true",
    "yes",
    "y",
    "anomaly",
    "anomalous",
    "abnormal",
    "outlier",
    "attack",
    "fraud",
    "bad",
    "fault",
    "-1",
}


class Checked(NamedTuple):
    """Agreement with known anomalies.

    Attributes
    ----------
    column, value : str
        Which value of which column means an anomaly.
    n_anomalies : int
    auc : float
        Chance that an anomaly is farther from history than a normal row.
    average_precision : float
    found : float
        Share of the anomalies that are alarms.
    right : float or None
        Share of the alarms that are anomalies.
    false_alarms : float
        Share of the normal rows that are alarms.
    """

    column: str
    value: str
    n_anomalies: int
    auc: float
    average_precision: float
    found: float
    right: float | None
    false_alarms: float


def checked(column: Column, scores: np.ndarray, alarms: np.ndarray) -> Checked:
    """Compare scores and alarms with a column that says which rows are anomalies.

    Parameters
    ----------
    column : Column
        Of two values: the one that reads as an anomaly ("1", "yes", "fraud"), else the rarer one, means one.
    scores : (n,) float64 array
        The lower, the less normal.
    alarms : (n,) bool array

    Returns
    -------
    Checked

    Raises
    ------
    InputError
        If the column does not hold two values.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    levels = as_levels(column)
    if len(levels.values) != 2:
        shown = f"{len(levels.values)} different value{'s' * (len(levels.values) != 1)}" if levels.values else "none"
        raise InputError(
            f"{column.name} is to say which rows are anomalies and must hold two values, such as 0 and 1, got {shown}; give another "
            "column, or leave --label out"
        )
    known = levels.codes >= 0
    reads = [value.casefold() in _ANOMALOUS for value in levels.values]
    which = int(np.argmin(levels.counts)) if sum(reads) != 1 else reads.index(True)
    truth, scores, alarms = (levels.codes == which)[known], scores[known], alarms[known]
    return Checked(
        column.name, levels.values[which], int(truth.sum()), float(roc_auc_score(truth, -scores)),
        float(average_precision_score(truth, -scores)), float(alarms[truth].mean()),
        float(truth[alarms].mean()) if alarms.any() else None, float(alarms[~truth].mean()),
    )  # fmt: skip
