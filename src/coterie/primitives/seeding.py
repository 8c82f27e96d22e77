"""Drawing starting centers in one call: from few rows all of them by k-means++, from rows in blocks those of one round of k-means||."""

from typing import Any

import numpy as np

from .engine import engine_of

__all__ = ["draw_far_rows", "few_enough", "seed_few"]

_MOST_ROWS, _MOST_VALUES, _MOST_WORK = 1 << 15, 1 << 18, 1 << 25  # rows; values; values times centers: 30 ms


def few_enough(X: Any, n_clusters: int) -> bool:
    """Return whether `seed_few` is for these rows: dense ones on the CPU that fit into its caches."""
    if not isinstance(X, np.ndarray):
        return False
    return len(X) <= _MOST_ROWS and X.size <= _MOST_VALUES and X.size * n_clusters <= _MOST_WORK


def seed_few(X: np.ndarray, order: np.ndarray, weight: np.ndarray, aim: float, aims: np.ndarray) -> np.ndarray:
    """Choose starting centers: each from some draws by weight times squared distance, the one that lowers the total most.

    The composition of drawing and `coterie.primitives.assign.seeding_step`, up to the rounding of the totals that are compared.

    Parameters
    ----------
    X : (n, d) float array
        See `few_enough`.
    order : (n,) int64 array
        In which order the masses are added up for drawing.
    weight : (n,) float64 array
    aim : float
        Where in the total mass the first center is drawn, 0 to 1.
    aims : (k - 1, t) float64 array
        Where the candidates for each of the others are.

    Returns
    -------
    (k,) int64 array
        Rows.

    Notes
    -----
    O(n d k t) time on one thread, O(n (d + t)) memory.
    """
    return engine_of(X, "seeding").seed_few(X, order, weight, aim, aims)


def draw_far_rows(X: Any, n: int, seed: int, drawn: tuple[np.ndarray, ...]) -> np.ndarray:
    """Draw rows at random, each with chances in proportion to its weight times its squared distance to the nearest row drawn so far.

    Parameters
    ----------
    X : rows in blocks
        From `coterie.primitives.blocks.block_rows`, with their weights; conditioned.
    n : int
        How many; fewer where there are fewer rows of another place.
    seed : int
    drawn : tuple of (m, d) float64 arrays
        What earlier rounds have drawn; in the first round rows are drawn by their weight.

    Returns
    -------
    (n, d) float64 array
        The same rows whatever the order of the blocks and the number of workers.

    Notes
    -----
    One pass, O(n d) values from each block.
    """
    return engine_of(X, "seeding").draw_far_rows(X, n, seed, drawn)
