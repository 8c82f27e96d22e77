"""The class graph: one circle for each class, placed so that classes with many links between them lie close together.

Not a drawing of the nodes, which above some thousand is a hairball. Distances on the drawing follow the shortest paths of the
class graph, a link being shorter the more of the smaller class's links it carries; stress majorisation (Gansner, Koren and
North, 2005, doi:10.1007/978-3-540-31843-9_25) finds the places, and circles that overlap are then pushed apart. There is no
random start: the same classes give the same drawing.
"""

from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree, shortest_path

__all__ = ["HEIGHT", "MOST_CLASSES", "WIDTH", "draw_classes"]

WIDTH, HEIGHT = 1000.0, 620.0
MOST_CLASSES = 30
LINKS_A_CLASS = 1  # beside the tree that holds the drawing together; more would be a hairball again
_LARGEST, _SMALLEST, _GAP, _NAME = 66.0, 9.0, 22.0, 24.0
_COVERED = 0.13  # share of the frame that circles may cover
_STEPS = 300


def draw_classes(between: np.ndarray, sizes: np.ndarray, *, directed: bool = False) -> dict[str, Any]:
    """Return places, radii and the links worth drawing.

    Parameters
    ----------
    between : (k, k) float array
        Weight of the links from class to class; the diagonal is not looked at.
    sizes : (k,) int array
        Nodes of each class, by which the circles' areas go. At most `MOST_CLASSES`.
    directed : bool, default=False

    Returns
    -------
    dict
        ``width, height``; ``nodes``: ``id, x, y, r`` each; ``links``: ``from, to, weight, share`` each, where the share is of
        the heaviest link; ``left_out``: pairs of linked classes that are not drawn.
    """
    k = len(sizes)
    radii = _LARGEST * np.sqrt(sizes / max(sizes.max(), 1))
    radii *= min(1.0, np.sqrt(_COVERED * WIDTH * HEIGHT / (np.pi * (radii**2).sum())))
    radii = np.maximum(radii, _SMALLEST)
    weights = between * (1 - np.eye(k))
    both = weights + weights.T
    places = _fit(_places(both), radii)
    pairs, left_out = _worth_drawing(both)
    heaviest = float(both.max()) if k > 1 else 0.0
    links = []
    for i, j in pairs:
        for a, b in ((i, j), (j, i)) if directed else ((i, j),):
            weight = float(weights[a, b]) if directed else float(both[a, b]) / 2
            if weight > 0:
                share = weight / (heaviest if directed else heaviest / 2)
                links.append({"from": int(a), "to": int(b), "weight": weight, "share": round(share, 4)})
    nodes = [
        {"id": i, "x": round(float(x), 1), "y": round(float(y), 1), "r": round(float(r), 1)}
        for i, ((x, y), r) in enumerate(zip(places, radii, strict=True))
    ]
    return {"width": WIDTH, "height": HEIGHT, "nodes": nodes, "links": links, "left_out": left_out}


def _worth_drawing(both: np.ndarray) -> tuple[list[tuple[int, int]], int]:
    """Choose the heaviest spanning forest, then the heaviest links."""
    k = len(both)
    upper = np.triu(both, 1)
    i, j = np.nonzero(upper)
    if not len(i):
        return [], 0
    weight = upper[i, j]
    # The tree wants its lightest edges, so heavy links become light; ties go to the lowest pair.
    tree = minimum_spanning_tree(csr_array((1.0 / weight, (i, j)), shape=(k, k)))
    chosen = set(zip(*(part.tolist() for part in tree.nonzero()), strict=True))
    for at in np.lexsort((j, i, -weight)).tolist():
        if len(chosen) >= max((LINKS_A_CLASS + 1) * k, 10):
            break
        chosen.add((int(i[at]), int(j[at])))
    return sorted(chosen), len(i) - len(chosen)


def _places(both: np.ndarray) -> np.ndarray:
    k = len(both)
    if k == 1:
        return np.zeros((1, 2))
    wanted = _distances(both)
    if k == 2:
        return np.array([[-0.5, 0.0], [0.5, 0.0]]) * wanted[0, 1]
    return _stress(wanted, _classical(wanted))


def _distances(both: np.ndarray) -> np.ndarray:
    volume = np.maximum(both.sum(axis=1), 1e-300)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        share = both / np.minimum(volume[:, None], volume[None, :])
    length = np.where(both > 0, 1.0 + np.sqrt(1.0 - np.clip(share, 0.0, 1.0)), 0.0)
    found = shortest_path(csr_array(length), directed=False)
    finite = np.isfinite(found)
    np.fill_diagonal(found, 0.0)
    far = 1.3 * float(found[finite].max(initial=1.0))
    return np.where(finite, found, max(far, 1.5))


def _classical(distances: np.ndarray) -> np.ndarray:
    """Return the plane that keeps most of the distances (Torgerson), turned so that it does not depend on signs."""
    k = len(distances)
    center = np.eye(k) - 1.0 / k
    values, vectors = np.linalg.eigh(-0.5 * center @ distances**2 @ center)
    plane = vectors[:, [-1, -2]] * np.sqrt(np.maximum(values[[-1, -2]], 1e-9))
    for axis in plane.T:
        at = int(np.argmax(np.abs(axis)))
        axis *= 1.0 if axis[at] >= 0 else -1.0
    # Classes at one and the same place would stay together for ever; a small spiral parts them.
    turn = np.arange(k) * 2.399963
    return plane + 0.02 * distances.max() * np.column_stack([np.cos(turn), np.sin(turn)]) * np.sqrt(
        (turn + 1)[:, None] / k
    )


def _stress(wanted: np.ndarray, places: np.ndarray) -> np.ndarray:
    k = len(wanted)
    weight = 1.0 / np.where(wanted > 0, wanted, 1.0) ** 2
    np.fill_diagonal(weight, 0.0)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    inverse = np.linalg.inv(laplacian + 1.0 / k) - 1.0 / k
    for _ in range(_STEPS):
        apart = np.linalg.norm(places[:, None] - places[None, :], axis=2)
        pull = -weight * wanted / np.maximum(apart, 1e-9)
        np.fill_diagonal(pull, 0.0)
        np.fill_diagonal(pull, -pull.sum(axis=1))
        moved = inverse @ (pull @ places)
        if np.abs(moved - places).max() < 1e-5 * wanted.max():
            return moved
        places = moved
    return places


def _fit(places: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Scale the places into the frame, wide side across, and push circles apart that overlap."""
    places = _turned(places)
    for share in (0.6, 0.8, 1.0):  # pushing apart grows the picture; growing it in steps keeps its shape
        places = _apart(_filled(places, radii, share), radii)
    return _filled(places, radii, 1.0) + np.array([WIDTH, HEIGHT]) / 2


def _turned(places: np.ndarray) -> np.ndarray:
    places = places - places.mean(axis=0)
    if len(places) < 3:
        return places
    _, _, turn = np.linalg.svd(places, full_matrices=False)
    turn *= np.where(turn[np.arange(2), np.abs(turn).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    return places @ turn.T


def _filled(places: np.ndarray, radii: np.ndarray, share: float) -> np.ndarray:
    """Scale to a share of the frame; neither direction is stretched more than half as much again as the other."""
    edge = radii[:, None] + np.array([_GAP, _GAP + _NAME / 2])
    low, high = (places - edge).min(axis=0), (places + edge).max(axis=0)
    extent = np.ptp(places, axis=0)
    room = share * np.array([WIDTH, HEIGHT]) - (high - low - extent)
    scale = np.where(extent > 1e-9, room / np.maximum(extent, 1e-9), np.inf)
    scale = np.minimum(scale, 1.5 * scale.min())
    scale = np.where(np.isfinite(scale), scale, 1.0)
    if len(places) == 2:
        scale = 0.45 * scale
    placed = places * scale
    return placed - ((placed - edge).min(axis=0) + (placed + edge).max(axis=0)) / 2


def _apart(places: np.ndarray, radii: np.ndarray) -> np.ndarray:
    k = len(radii)
    # A name stands below each circle, so that circles need more room above each other than side by side.
    stretch = np.array([1.0, 0.8])
    least = radii[:, None] + radii[None, :] + _GAP
    for _ in range(_STEPS):
        step = (places[:, None] - places[None, :]) * stretch
        apart = np.linalg.norm(step, axis=2)
        overlap = np.where(np.eye(k, dtype=bool), 0.0, np.maximum(least - apart, 0.0))
        if not overlap.any():
            break
        direction = np.where(apart[..., None] > 1e-6, step / np.maximum(apart, 1e-6)[..., None], [[[1.0, 0.0]]])
        places = places + 0.4 * (overlap[..., None] * direction).sum(axis=1) / stretch
    return places
