"""The record of a study of pictures: plain JSON values, with the sentences that every reader shows."""

import re
from typing import Any

import numpy as np

from ..primitives.neighbor_embedding import neighbor_embedding
from ..study.judge import OUTLIER_THRESHOLD
from ..study.map import draw_map
from ..tables.pictures import Pictures

__all__ = ["in_pictures", "map_of", "names_shown", "outliers_of", "shown_of"]

TYPICAL, UNUSUAL, BORDER, TOP = 12, 6, 6, 12
# Beyond, the map shows two directions of the numbers instead of a layout of its own.
_MOST_LAID_OUT = 20_000
_HOVER = 400


def in_pictures(value: Any) -> Any:
    """Return sentences of the study, which speak of rows, as sentences about pictures; any nesting of lists and dicts."""
    if isinstance(value, str):
        return re.sub(r"\brow(s?)\b", r"picture\1", value)
    if isinstance(value, dict):
        return {key: in_pictures(item) for key, item in value.items()}
    return [in_pictures(item) for item in value] if isinstance(value, list) else value


def shown_of(labels: np.ndarray, distances: np.ndarray, strengths: np.ndarray) -> list[dict[str, list[int]]]:
    """Return which pictures stand for each group: the nearest to its middle, the furthest from it, the least sure.

    Parameters
    ----------
    labels : (n,) int array
    distances : (n,) float array
        Of each picture from the middle of its group.
    strengths : (n,) float array

    Returns
    -------
    list of dict
        ``exemplars``, ``unusual`` and ``border``, each a list of row numbers, none in two lists; ties to the lowest row.
    """
    found = []
    for cluster in range(int(labels.max(initial=-1)) + 1):
        own = np.flatnonzero(labels == cluster)
        near = own[np.argsort(distances[own], kind="stable")]
        typical = near[:TYPICAL]
        rest = near[TYPICAL:]
        unusual = rest[::-1][:UNUSUAL]
        left = np.setdiff1d(rest, unusual)
        border = left[np.argsort(strengths[left], kind="stable")][:BORDER]
        border = border[strengths[border] < 1.0]
        found.append({"exemplars": typical.tolist(), "unusual": unusual.tolist(), "border": border.tolist()})
    return found


def outliers_of(scores: np.ndarray, labels: np.ndarray, distances: np.ndarray) -> dict[str, Any]:
    """Return how many pictures lie far from all others of their group, and the most unusual ones.

    Parameters
    ----------
    scores : (n,) float array
        From `study.judge.outlier_scores`.
    labels : (n,) int array
    distances : (n,) float array
    """
    unusual = np.flatnonzero(scores >= OUTLIER_THRESHOLD)
    order = unusual[np.argsort(-scores[unusual], kind="stable")][:TOP]
    usual = {int(i): float(np.median(distances[labels == i])) for i in np.unique(labels[order])}
    top = []
    for row in order.tolist():
        middle = usual[int(labels[row])]
        times = (
            f"{distances[row] / middle:.1f} times as far from the middle of its group as usual"
            if middle > 0
            else "unlike all others of its group, which are the same"
        )
        top.append({"row": row, "label": int(labels[row]), "score": round(float(scores[row]), 4), "why": times})
    count = len(unusual)
    share = count / max(len(labels), 1)
    sentence = (
        "No picture lies far outside its group."
        if not count
        else f"{count:,} picture{'s lie' if count != 1 else ' lies'} ({share:.1%}) far outside what is usual; the most unusual come first."
    )
    return {"rows": count, "share": share, "sentence": sentence, "top": top}


def map_of(rows: np.ndarray, labels: np.ndarray, seed: int) -> dict[str, Any]:
    """Return the map: a layout by who is near whom, or, of very many pictures, the plane of two directions.

    Parameters
    ----------
    rows : (n, p) float array
    labels : (n,) int array
    seed : int
    """
    if len(rows) < 10 or len(rows) > _MOST_LAID_OUT or not (rows[0] != rows).any():
        return draw_map(rows, labels, seed=seed) | {"axes": []}
    places = np.asarray(neighbor_embedding(rows, 2, min_dist=0.3, start="pca", seed=seed), dtype=np.float64)
    return draw_map(rows, labels, plain=places, plain_names=("", ""), seed=seed) | {
        "method": "neighbours", "axes": [], "explained": None,
    }  # fmt: skip


def names_shown(pictures: Pictures, rows: list[int]) -> dict[str, dict[str, str]]:
    """Return the names of some pictures and of others spread evenly, by row number as text, for the page to show."""
    even = np.linspace(0, pictures.n_rows - 1, min(_HOVER, pictures.n_rows)).astype(np.int64).tolist()
    return {str(row): {"picture": pictures.names[row]} for row in sorted({*rows, *even})}
