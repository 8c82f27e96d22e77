"""Checks of a study of pictures, and what it is expected to need, before anything is computed."""

from typing import Any

import numpy as np

from ..errors import InputError, ResourceError
from ..study import plan as planning
from ..study.estimators import parameters
from ..tables.pictures import Pictures
from . import _picture_encoder as encoding

__all__ = ["check_options", "check_pictures", "make_plan", "read_text"]

# Copies of the stack that a fit makes: as read, for the gate, scaled, and what the judge of the labels takes.
_COPIES = 5
# Seconds of a step of training, and of one value of one picture in it, on one core; measured on 1,000 pictures of 8 x 8 and of
# 32 x 32 x 3: 8.7 s and 20 s, of which 2.5 s are for PyTorch to load and for the layout.
_SECONDS_A_STEP, _SECONDS_A_VALUE = 6e-3, 6e-8
_SECONDS_FIRST, _SECONDS_A_PICTURE = 4.0, 2e-3


def _method_words(method: str) -> str:
    """Return what a method does, in a few words."""
    if method in encoding.DEEP_METHODS:
        return f"a network learns the pictures without labels, then {method} groups them"
    return "pixels are projected on their main directions, " + (
        "then methods are compared" if method == "auto" else f"then {method} groups them"
    )


def check_options(method: str, n_clusters: int | None, size: int, seed: int) -> None:
    if n_clusters is not None and (isinstance(n_clusters, bool) or int(n_clusters) != n_clusters or n_clusters < 1):
        raise InputError(f"n_clusters must be a whole number of at least 1, got {n_clusters!r}")
    if (
        n_clusters is not None
        and method not in ("auto", *encoding.DEEP_METHODS)
        and "n_clusters" not in parameters(method)
    ):
        raise InputError(f"{method} finds the number of groups itself; leave n_clusters out or use method='KMeans'")
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 4 <= size <= 512:
        raise InputError(f"size must be a whole number of pixels from 4 to 512, got {size!r}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise InputError(f"seed must be a whole number from 0 to 4294967295, got {seed!r}")


def check_pictures(pictures: Pictures, n_clusters: int | None, truth: str | None) -> None:
    n = pictures.n_rows
    if n < 2:
        left = f" ({len(pictures.left_out)} could not be read)" if pictures.left_out else ""
        raise InputError(f"{pictures.name} holds one picture{left}; grouping needs at least 2")
    if n_clusters is not None and n_clusters > n:
        raise InputError(f"n_clusters must be at most the {n} pictures, got {n_clusters}")
    if truth is not None and truth not in pictures.known:
        known = f"there is {', '.join(pictures.known)}" if pictures.known else "nothing is known of these pictures"
        raise InputError(f"truth must name what is known of each picture, got {truth!r}; {known}")


def read_text(pictures: Pictures) -> str:
    height, width = pictures.kind.size
    colour = "in colour" if pictures.kind.colour else "in grey"
    left = f", {len(pictures.left_out):,} left out as unreadable" if pictures.left_out else ""
    return f"{pictures.n_rows:,} pictures from {pictures.name}, compared at {height} x {width} pixels {colour}{left}"


def make_plan(
    pictures: Pictures, method: str, given: bool, limit: int, time_limit: float | None
) -> tuple[str, dict[str, Any]]:
    """Return what is expected to be needed, in words and figures, and refuse what does not fit.

    Raises
    ------
    ResourceError
    """
    n, values = pictures.n_rows, int(np.prod(pictures.kind.row_shape))
    deep = method in encoding.DEEP_METHODS
    needed = (_COPIES if deep else 3) * pictures.values.nbytes + 4_000 * n
    seconds = _SECONDS_FIRST + _SECONDS_A_PICTURE * n
    if deep:
        epochs, batch = encoding.training(n)
        once = epochs * (max(1, n // batch) * _SECONDS_A_STEP + n * values * _SECONDS_A_VALUE)
        # Where the groups take part, training goes on with them.
        seconds += once * ((not given) + (method not in ("N2D", "AEKMeans")))
    n_text = f"{n:,} pictures of {pictures.kind.size[0]} x {pictures.kind.size[1]} pixels"
    if needed > limit:
        raise ResourceError(
            f"grouping {n_text} needs about {planning.readable_bytes(needed)}, above the limit of {planning.readable_bytes(limit)}; "
            "lower the size, raise the limit, or give fewer pictures"
        )
    if time_limit is not None and seconds > time_limit:
        raise ResourceError(
            f"grouping {n_text} takes about {planning.readable_seconds(seconds)}, above the limit of "
            f"{planning.readable_seconds(time_limit)}; lower the size, or take method='KMeans', which trains no network"
        )
    text = f"{_method_words(method)}; about {planning.readable_seconds(seconds)} and {planning.readable_bytes(needed)}"
    return text, {"memory_limit": limit, "seconds": seconds, "bytes": needed, "sample_rows": None, "candidates": []}
