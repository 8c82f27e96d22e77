"""Superpixels: a picture in some hundred small pieces of like colour that hang together (SLIC), and which of them touch.

Centers start on a grid. Each pixel joins the nearest of the nine centers around it, in colour and place together, and centers move
to the means of their pixels, some times over. Pieces that are cut off or too small join the neighbour of the most similar colour.
A large picture is cut into superpixels at a coarser size; their borders are then drawn anew at its full size, where only pixels near
a border have a choice. Cost: about ten passes over the coarse picture and one over the full one.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ._numba import superpixels as on_cpu
from ._numba.blocks import run_blocks, run_kernel

__all__ = ["Borders", "borders_of", "full_size", "superpixels", "tallied"]

_ROUNDS = 8
_ROWS = 16  # of a strip that one thread takes
_SMALLEST = 0.25  # of the mean area: a smaller piece joins a neighbour
_STRIP = 4_000_000  # pixels of the full picture that are coloured at a time


class Borders(NamedTuple):
    """Where labels meet, and which do."""

    first: np.ndarray  # (m,) int64: a pixel, y * w + x
    second: np.ndarray  # (m,) int64: its right or lower neighbour, of another label
    low: np.ndarray  # (e,) int64: the lower label of each pair that touches
    high: np.ndarray  # (e,) int64: the other
    pair: np.ndarray  # (m,) int64: which pair of labels each pair of pixels belongs to


def superpixels(image: np.ndarray, inside: np.ndarray, n: int, compactness: float) -> np.ndarray:
    """Cut a picture into about ``n`` superpixels.

    Parameters
    ----------
    image : (h, w, c) float32 array
        Colours in a space where equal distances look equally different.
    inside : (h, w) bool array
        Pixels that count.
    n : int
    compactness : float
        How many units of colour the side of a superpixel counts as: the higher, the rounder.

    Returns
    -------
    (h, w) int32 array
        Labels 0 ... k - 1, each of which hangs together by the sides of its pixels; -1 outside.

    References
    ----------
    Achanta, Shaji, Smith, Lucchi, Fua, Suesstrunk (2012). SLIC superpixels compared to state-of-the-art superpixel methods. IEEE
    PAMI 34(11), 2274-2282. doi:10.1109/TPAMI.2012.120

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.superpixels import superpixels
    >>> image = np.zeros((4, 8, 1), np.float32)
    >>> image[:, 3:] = 50
    >>> superpixels(image, np.ones((4, 8), bool), 2, 10.0)[0]
    array([0, 0, 0, 1, 1, 1, 1, 1], dtype=int32)
    """
    height, width = inside.shape
    side = max(1.0, (height * width / n) ** 0.5)
    down, across = max(1, round(height / side)), max(1, round(width / side))
    rows, columns = (np.arange(down) + 0.5) * height / down, (np.arange(across) + 0.5) * width / across
    places = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    at = places.astype(np.int64)
    centers = np.concatenate([image[at[:, 0], at[:, 1]].astype(np.float64), places], axis=1)
    place = compactness**2 * down * across / (height * width)
    labels = np.empty((height, width), np.int32)
    blocks = -(-height // _ROWS)
    for _ in range(_ROUNDS):
        run_blocks(on_cpu.assign_pixels, blocks, _ROWS, image, inside, centers, down, across, place, labels)
        sums = _sums(image, labels, len(centers))
        held = sums[:, -1] > 0
        centers[held] = sums[held, :-1] / sums[held, -1:]
    return _settled(labels, image, _SMALLEST * height * width / (down * across))


def _sums(image: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Return (k, c + 3) sums over the pixels of each label: of colour, row, column, and their number."""
    blocks = -(-len(labels) // _ROWS)
    sums = np.zeros((blocks, k, image.shape[2] + 3))
    run_blocks(on_cpu.sum_pixels, blocks, _ROWS, image, labels, sums)
    return sums.sum(axis=0)


def _settled(labels: np.ndarray, image: np.ndarray, least: float) -> np.ndarray:
    """Return pieces that hang together, small ones joined to the neighbour of the most similar colour."""
    piece, _, size = _pieces(labels)
    while True:
        sums = _sums(image, piece, len(size))
        colours, sizes = sums[:, :-3] / sums[:, -1:], sums[:, -1]
        edges = borders_of(piece)
        gaps = ((colours[edges.low] - colours[edges.high]) ** 2).sum(axis=1)
        target = _targets(edges, gaps, sizes < least)
        if (target == np.arange(len(target))).all():
            return piece
        piece, size = _renumbered(piece, target)


def _targets(edges: Borders, gaps: np.ndarray, leaves: np.ndarray) -> np.ndarray:
    """Return which label each one becomes: its own, or where it shall leave that of the nearest neighbour, stayers first."""
    a, b = np.concatenate([edges.low, edges.high]), np.concatenate([edges.high, edges.low])
    order = np.lexsort((b, np.concatenate([gaps, gaps]), leaves[b], a))
    a, b = a[order], b[order]
    first = np.flatnonzero(np.diff(a, prepend=-1))
    target = np.arange(len(leaves))
    mover = leaves[a[first]]
    target[a[first][mover]] = b[first][mover]
    # Two that would take each other's place: the lower stays.
    each = np.arange(len(leaves))
    swapped = (target[target] == each) & (target > each)
    target[swapped] = each[swapped]
    for _ in range(len(leaves)):
        further = target[target]
        if (further == target).all():
            break
        target = further
    return target


def _renumbered(labels: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kept, new = np.unique(target, return_inverse=True)
    table = np.append(new, -1).astype(np.int32)  # -1 stays what it is
    return table[labels], kept


def _pieces(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the piece of each pixel, and label and size of each piece."""
    piece = np.full(labels.shape, -1, np.int32)
    queue, label, size = (np.empty(labels.size, np.int32) for _ in range(3))
    count = run_kernel(on_cpu.pieces, labels, queue, piece, label, size)
    return piece, label[:count].copy(), size[:count].copy()


def full_size(
    coarse: np.ndarray,
    image: np.ndarray,
    colours: Callable[[int, int], np.ndarray],
    inside: np.ndarray,
    factor: int,
    compactness: float,
) -> np.ndarray:
    """Draw superpixels of a coarse picture at the size of the full one.

    Parameters
    ----------
    coarse : (ch, cw) int32 array
        Superpixels.
    image : (ch, cw, c) float32 array
        Colours of the coarse picture.
    colours : callable
        ``colours(start, end)`` returns the colours of these rows of the full picture.
    inside : (h, w) bool array
    factor : int
        Pixels of the full picture in a coarse one, along each side.
    compactness : float

    Returns
    -------
    (h, w) int32 array
        The same labels; one may have no pixel left. Each hangs together.
    """
    height, width = inside.shape
    count = int(coarse.max()) + 1
    sums = _sums(image, coarse, count)
    centers = sums[:, :-1] / sums[:, -1:]
    place = compactness**2 * count / coarse.size
    labels = np.empty((height, width), np.int32)
    strip = max(1, _STRIP // width)
    for start in range(0, height, strip):
        end = min(height, start + strip)
        run_blocks(
            on_cpu.redraw, -(-(end - start) // _ROWS), _ROWS, colours(start, end), start, inside[start:end], factor, coarse,
            centers, place, labels[start:end],
        )  # fmt: skip
    return _whole(labels, count)


def _whole(labels: np.ndarray, count: int) -> np.ndarray:
    """Return labels that hang together: pieces beside the largest of their label join the neighbour they touch most."""
    piece, label, size = _pieces(labels)
    largest = np.full(count, -1)
    order = np.lexsort((-np.arange(len(size)), size))  # of equal sizes the first piece comes last, and is kept
    largest[label[order]] = order
    stray = largest[label] != np.arange(len(label))
    while stray.any():
        edges = borders_of(piece)
        length = np.bincount(edges.pair, minlength=len(edges.low))
        target = _targets(edges, -length, stray)
        moved = target != np.arange(len(target))
        label = label[target]
        if not moved.any():  # a part of the picture that nothing else touches keeps a label of its own
            fresh = np.flatnonzero(stray)
            label[fresh] = count + np.arange(len(fresh))
            break
        stray = stray & ~moved
    return np.append(label, -1).astype(np.int32)[piece]


def borders_of(labels: np.ndarray) -> Borders:
    """Find where labels meet.

    Parameters
    ----------
    labels : (h, w) int32 array
        -1 is outside and meets nothing.

    Returns
    -------
    Borders

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.superpixels import borders_of
    >>> found = borders_of(np.array([[0, 0, 1], [0, 2, 1]], np.int32))
    >>> found.low, found.high, found.pair
    (array([0, 0, 1]), array([1, 2, 2]), array([0, 1, 1, 2]))
    """
    count = run_kernel(on_cpu.count_borders, labels)
    first, second = np.empty(count, np.int64), np.empty(count, np.int64)
    run_kernel(on_cpu.borders, labels, first, second)
    flat, n = labels.reshape(-1), int(labels.max(initial=-1)) + 1
    a, b = flat[first].astype(np.int64), flat[second].astype(np.int64)
    keys, pair = np.unique(np.minimum(a, b) * n + np.maximum(a, b), return_inverse=True)
    return Borders(first, second, keys // max(n, 1), keys % max(n, 1), pair)


def tallied(labels: np.ndarray, values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Add up values over the pixels of each label.

    Parameters
    ----------
    labels : (h, w) int32 array
    values : (h, w, c) array
    k : int
        Number of labels.

    Returns
    -------
    sums : (k, c + 3) float64 array
        Of the values, of rows, of columns, and the number of pixels.
    box : (k, 4) int64 array
        Lowest and highest row, lowest and highest column.
    """
    sums = np.zeros((k, values.shape[2] + 3))
    height, width = labels.shape
    box = np.tile(np.array([height, -1, width, -1]), (k, 1))
    run_kernel(on_cpu.tally, labels, values, sums, box)
    return sums, box
