"""Where a cluster of a grid lies, exactly: the fewest boxes that cover its dense cells (Agrawal et al. 1998), in the units of the table."""

from typing import Any

import numpy as np

from .in_units import decoded
from .values import View, number_text

__all__ = ["regions"]

# More boxes than these are no description that a reader could keep in mind.
MOST_BOXES = 3
DAY = 86_400.0


def regions(estimator: Any, prepared: Any, views: list[View], label_map: np.ndarray) -> list[str | None]:
    """Describe the clusters of CLIQUE.

    Parameters
    ----------
    estimator : estimator
        Fitted; one without boxes has no regions.
    prepared : Prepared
        Says which column each of its features is.
    views : list of View
        The columns, for how their values are written.
    label_map : (k,) int array
        Final label of each of the estimator's.

    Returns
    -------
    list of str or None
        By final label; None where a region takes more than three boxes, or columns that are neither numbers nor dates.
    """
    found: list[str | None] = [None] * (int(np.max(label_map, initial=-1)) + 1)
    boxed = [one for one in getattr(estimator, "clusters_", ()) if hasattr(one, "boxes") and one.label >= 0]
    if not boxed:
        return found
    # Of clusters that became one, the largest tells where it lies.
    sizes = np.bincount(estimator.labels_[estimator.labels_ >= 0], minlength=len(label_map))
    boxed.sort(key=lambda one: -sizes[one.label])
    told: set[int] = set()
    by_name = {view.name: view for view in views}
    codings = [coding for coding in prepared.codings if coding.used for _ in coding.feature_names]
    for one in boxed:
        final = int(label_map[one.label])
        columns = [(codings[j], by_name.get(codings[j].column)) for j in one.dimensions]
        plain = all(view is not None and view.kind in ("number", "date") for _, view in columns)
        if final in told:
            continue
        told.add(final)
        if final >= 0 and plain and len(one.boxes) <= MOST_BOXES:
            ends = [estimator.edges_[j][[0, -1]] for j in one.dimensions]
            boxes = [_box(box, columns, ends) for box in one.boxes]
            found[final] = boxes[0] if len(boxes) == 1 else " or ".join(f"({box})" for box in boxes)
    return found


def _box(box: np.ndarray, columns: list[tuple[Any, Any]], ends: list[np.ndarray]) -> str:
    parts = []
    for (low, high), (coding, view), (first, last) in zip(box, columns, ends, strict=True):
        start, stop = (number_text(_shown(coding, view, end), view) for end in (low, high))
        if low <= first and high >= last:
            parts.append(f"any {view.name}")
        elif low <= first:
            parts.append(f"{view.name} below {stop}")
        elif high >= last:
            parts.append(f"{view.name} from {start}")
        else:
            parts.append(f"{view.name} from {start} to {stop}")
    return " and ".join(parts)


def _shown(coding: Any, view: View, value: float) -> float:
    there = float(decoded(coding, np.array([value])))
    return there * DAY if view.kind == "date" else there
