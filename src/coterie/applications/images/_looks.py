"""What the regions of a picture look like, kept so that they can be found in another picture."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, ModelFileError
from ...primitives.region_merges import N_BINS, Measure, Regions, most_alike_of
from ...tables.picture_whole import Picture
from ._colours import Colours

__all__ = ["Looks", "most_alike", "refuse_damaged", "space_for", "with_bands"]

_OF_A_KIND = ((0.0, 255.0), (0.0, 1.0))  # black and full of bytes and of floats, whatever a picture shows


class Looks(NamedTuple):
    """Colours and textures of regions, and how those of a picture are found."""

    space: Colours
    textons: NDArray[np.float32]  # (t, 10) kinds of patterns
    area: NDArray[np.float64]  # (k,)
    colour: NDArray[np.float64]  # (k, b)
    words: NDArray[np.float64]  # (k, 16 b + t)


def with_bands(picture: Picture, bands: int) -> Picture:
    """Return a picture as one of so many bands: a grey one as three of the same, since files without colour are read as one band.

    Raises
    ------
    InputError
        If it has others.
    """
    found = picture.values.shape[2]
    if found == bands:
        return picture
    if found == 1 and bands == 3:
        return replace(picture, values=np.repeat(picture.values, 3, axis=2), is_colour=picture.unit[0] == 0)
    raise InputError(
        f"{picture.name} has {found} band{'s' if found != 1 else ''}, and the regions were found in a picture of {bands}; give one of the "
        "same kind"
    )


def space_for(looks: Looks, picture: Picture) -> Colours:
    """Return how the values of another picture become colours: by its own black and full, or by those of the fit where both were found.

    Raises
    ------
    InputError
        If the regions were found in colours, and the picture has none.
    """
    space = looks.space
    if not space.is_lab or (picture.unit not in _OF_A_KIND and space.unit not in _OF_A_KIND):
        return space
    if picture.values.shape[2] == 3 and not picture.is_colour:
        raise InputError(
            f"{picture.name} holds values below 0, which are no colours, and the regions were found in colours; give one of the same kind"
        )
    return space._replace(unit=picture.unit)


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
