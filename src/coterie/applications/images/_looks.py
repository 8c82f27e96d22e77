"""What the regions of a picture look like, kept so that they can be found in another picture."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelFileError
from ...primitives.region_merges import N_BINS, Measure, Regions, most_alike_of
from ._colours import Colours

__all__ = ["Looks", "most_alike", "refuse_damaged"]


class Looks(NamedTuple):
    """Colours and textures of regions, and how those of a picture are found."""

    space: Colours
    textons: NDArray[np.float32]  # (t, 10) kinds of patterns
    side: float  # pixels of a superpixel of the picture of the fit
    area: NDArray[np.float64]  # (k,)
    colour: NDArray[np.float64]  # (k, b)
    words: NDArray[np.float64]  # (k, 16 b + t)


def most_alike(found: Regions, looks: Looks, measure: Measure) -> NDArray[np.int64]:
    """Return the region that each superpixel looks most like, by colour and texture; size and borders do not count."""
    return most_alike_of(found, (looks.area, looks.colour, looks.words), measure._replace(exponent=0.0))


def refuse_damaged(looks: Looks, bands: int, k: int) -> None:
    """Raise where the parts of a kept model do not fit one another.

    Raises
    ------
    ModelFileError
    """
    n_bands = len(looks.space.limits)
    sizes = (
        looks.space.limits.shape == (n_bands, 2),
        looks.textons.ndim == 2 and looks.textons.shape[1] == 10 and len(looks.textons) > 0,
        looks.area.shape == (k,) and bool((looks.area > 0).all()),
        looks.colour.shape == (k, n_bands),
        looks.words.shape == (k, N_BINS * n_bands + len(looks.textons)),
        n_bands == (min(bands, 3) if looks.space.is_lab else looks.space.turn.shape[1]),
        looks.space.is_lab or looks.space.turn.shape[0] == bands == len(looks.space.center),
    )
    if not all(sizes):
        raise ModelFileError("the model is damaged: what its regions look like does not fit together")
