"""ImageSegmenter: the regions of a picture, as a tree that can be cut at any number of regions.

The picture becomes some hundred superpixels. From these a tree is built, by merging neighbours that differ least or by balanced
cuts from above, and the tree is cut: at a number of regions, or at the height that fitted photographs that people divided by hand.
"""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ...base import Estimator, Interval, StrOptions
from ...errors import InputError
from ...primitives.superpixels import borders_of, full_size, superpixels, tallied
from ...tables.picture_whole import Picture, read_picture
from ...trees.cuts import cut_at_height, cut_into
from ._colours import Colours, colours_of, shrunk
from ._description import SIDE, contrasts, described, textons
from ._layers import layers_of
from ._trees import HEIGHT, divided, heights_between, measure_for, merged

__all__ = ["ImageSegmenter"]

_NOISE = 0.7  # pixels of smoothing where superpixels have SIDE a side
_PIXELS_A_PIECE = 25  # of a small picture, at least, in a superpixel


class ImageSegmenter(Estimator):
    """The regions of a picture.

    Parameters
    ----------
    mode : {"merge", "divide"}, default="merge"
        Merge neighbouring superpixels that differ least, or cut the picture where the normalised cut is least.
    n_regions : int or "auto", default="auto"
        How many regions; "auto" cuts the tree at ``height``.
    height : float, default=0.41
        Difference above which two regions stay apart where ``n_regions`` is "auto"; the default fitted photographs that people
        divided. Lower gives more regions.
    min_area : float, default=0
        Smallest area of a region: pixels, or a share of the picture where it is below 1. Smaller ones join the neighbour that they
        differ least from.
    n_superpixels : int, default=800
        How many superpixels, about: the finest that can be told apart. Small pictures get fewer.
    compactness : float, default=10
        Of the superpixels: how many units of lightness (0 to 100) the side of one counts as.
    max_pixels : int, default=400_000
        A larger picture is looked at at a size of no more than this, and borders are then drawn at its full size.
    features_weight : float, default=0.05
        What a difference of ``features`` counts, where ``fit`` is given any; colours count 0.3 and texture 0.2.
    random_state : int, RandomState or None, default=0
        Seed of the k-means that finds textons.

    Attributes
    ----------
    labels_ : (h, w) int32 array
        Region of each pixel, 0 the largest; -1 where the picture is transparent or masked. Each region hangs together by the sides
        of its pixels.
    n_regions_ : int
    leaves_ : (n,) int64 array
        Region of each superpixel.
    superpixels_ : (h, w) int32 array
        Leaf of the tree of each pixel, -1 outside.
    tree_ : (n - 1, 4) float64 array
        The tree over the superpixels in SciPy's layout. Heights never fall, so that it is an ultrametric.
    ucm_ : (h, w) float32 array
        The height at which each pixel and its right or lower neighbour come together: how strong the border is there.
    n_superpixels_ : int
    factor_ : int
        How many pixels a side became one where the picture was looked at; 1 up to ``max_pixels``.
    picture_ : Picture
        What was read.

    Notes
    -----
    The difference of two neighbours is a weighted sum of differences of mean colour (CIELAB), colour histograms and textons, and of the
    contrast along their border at three scales, times a small power of their size. Cost: for a photograph of 0.15 million
    pixels about a quarter of a second; for one of 12 million a few seconds and about 0.7 GB.

    References
    ----------
    Arbelaez, Maire, Fowlkes, Malik (2011). Contour detection and hierarchical image segmentation. IEEE PAMI 33(5), 898-916.
    doi:10.1109/TPAMI.2010.161
    Ren, Malik (2003). Learning a classification model for segmentation. ICCV, 10-17. doi:10.1109/ICCV.2003.1238308

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import ImageSegmenter
    >>> picture = np.zeros((40, 60, 3), np.uint8)
    >>> picture[:, 25:] = 200, 60, 20
    >>> model = ImageSegmenter().fit(picture)
    >>> model.n_regions_, model.labels_[0, 24:26]
    (2, array([1, 0], dtype=int32))
    """

    _parameter_constraints: ClassVar[dict] = {
        "mode": [StrOptions({"merge", "divide"})],
        "n_regions": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "height": [Interval(Real, 0.0, None, closed="left")],
        "min_area": [Interval(Real, 0.0, None, closed="left")],
        "n_superpixels": [Interval(Integral, 2, 20_000, closed="both")],
        "compactness": [Interval(Real, 0.0, None, closed="neither")],
        "max_pixels": [Interval(Integral, 1000, None, closed="left")],
        "features_weight": [Interval(Real, 0.0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        mode: str = "merge",
        n_regions: int | str = "auto",
        *,
        height: float = HEIGHT,
        min_area: float = 0,
        n_superpixels: int = 800,
        compactness: float = 10.0,
        max_pixels: int = 400_000,
        features_weight: float = 0.05,
        random_state: Any = 0,
    ) -> None:
        self.mode = mode
        self.n_regions = n_regions
        self.height = height
        self.min_area = min_area
        self.n_superpixels = n_superpixels
        self.compactness = compactness
        self.max_pixels = max_pixels
        self.features_weight = features_weight
        self.random_state = random_state

    def fit(self, image: Any, y: Any = None, *, mask: Any = None, features: Any = None) -> "ImageSegmenter":
        """Find the regions of a picture.

        Parameters
        ----------
        image : path, array or Picture
            A picture file, an ``.npy`` file, or an array of shape (h, w), (h, w, bands) or (bands, h, w): bytes, two-byte numbers or
            floats. Three bands are red, green and blue.
        y : ignored
            Present by convention.
        mask : path or (h, w) array, optional
            Where it is 0 or False the picture is left out.
        features : (h', w', d) array or transformer, optional
            More to compare regions by: numbers for each pixel, at any coarser size too; or an object such as
            `coterie.deep.LayerFeatures`, whose ``fit_transform`` is given the (n, 3, 32, 32) patches around the superpixels.

        Returns
        -------
        ImageSegmenter
            This one.

        Raises
        ------
        InputError
            If the picture cannot be read, or a parameter does not fit it.
        """
        self._validate_params()
        picture = image if isinstance(image, Picture) else read_picture(image, mask=mask)
        self._refuse_too_many(picture)
        self.picture_ = picture
        self._cut_up(picture, features)
        area = float(self._regions.area.sum())
        measure = measure_for(area, self.features_weight)
        least = self.min_area * area if self.min_area < 1 else float(self.min_area)
        if self.mode == "merge":
            self.tree_ = merged(self._regions, measure, least)
        else:
            wanted = 1 if self.n_regions == "auto" else int(self.n_regions)
            self.tree_ = divided(self._regions, measure, least, wanted)
        if self.n_regions == "auto":
            self.leaves_ = self.leaves(height=self.height)
        else:
            self.leaves_ = self.leaves(int(self.n_regions))
        self.labels_ = self._painted(self.leaves_)
        self.n_regions_ = int(self.leaves_.max()) + 1
        if self._is_plain:
            warnings.warn("the picture has one colour only, so that it is one region", UserWarning, stacklevel=2)
        return self

    def cut(self, n_regions: int | None = None, *, height: float | None = None) -> NDArray[np.int32]:
        """Cut the tree anew, in no time.

        Parameters
        ----------
        n_regions : int, optional
            How many regions; more, with a warning, where the picture falls into more parts that do not touch.
        height : float, optional
            Difference above which regions stay apart; one of the two must be given.

        Returns
        -------
        (h, w) int32 array
            As ``labels_``.
        """
        check_is_fitted(self)
        return self._painted(self.leaves(n_regions, height=height))

    def _painted(self, leaves: NDArray[np.int64]) -> NDArray[np.int32]:
        return np.append(leaves, -1).astype(np.int32)[self.superpixels_]

    def leaves(self, n_regions: int | None = None, *, height: float | None = None) -> NDArray[np.int64]:
        """Return the region of each superpixel for a cut; see `cut`."""
        check_is_fitted(self)
        if (n_regions is None) == (height is None):
            raise InputError("a cut needs either a number of regions or a height; give one of the two")
        if height is not None:
            labels = cut_at_height(self.tree_, height)
        else:
            labels = cut_into(self.tree_, self._possible(n_regions))
        area = np.bincount(labels, self._regions.area)
        place = np.empty(len(area), np.int64)
        place[np.argsort(-area, kind="stable")] = np.arange(len(area))
        return place[labels]

    def totals(self, leaves: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Add up the pixels of each region.

        Parameters
        ----------
        leaves : (n,) int64 array
            Region of each superpixel; see `leaves`.

        Returns
        -------
        sums : (k, c + 3) float64 array
            Of the values in each band, of rows, of columns, and the number of pixels.
        box : (k, 4) int64 array
            First and last row, first and last column.
        """
        k = int(leaves.max()) + 1
        sums = np.stack([np.bincount(leaves, one, k) for one in self._sums.T], axis=1).astype(np.float64)
        box = np.empty((k, 4), np.int64)
        order = np.argsort(leaves, kind="stable")
        starts = np.searchsorted(leaves[order], np.arange(k))
        for side in range(4):
            box[:, side] = (np.maximum if side % 2 else np.minimum).reduceat(self._box[order, side], starts)
        return sums, box

    @property
    def ucm_(self) -> NDArray[np.float32]:
        """Border strength at each pixel, made each time that it is asked for."""
        check_is_fitted(self)
        edges = borders_of(self.superpixels_)
        strength = heights_between(self.tree_, edges.low, edges.high)
        strength = np.where(np.isfinite(strength), strength, 0.0).astype(np.float32)
        found = np.zeros(self.superpixels_.size, np.float32)
        np.maximum.at(found, edges.first, strength[edges.pair])
        return found.reshape(self.superpixels_.shape)

    def _possible(self, n_regions: Any) -> int:
        n = len(self.tree_) + 1
        if not isinstance(n_regions, int | np.integer) or n_regions < 1:
            raise InputError(f"n_regions must be a whole number of at least 1, got {n_regions!r}")
        if self._is_plain:
            return 1
        if n_regions > n:
            raise InputError(
                f"n_regions must be at most the number of superpixels, {n} in this picture, got {n_regions}; lower it or raise "
                "n_superpixels"
            )
        parts = int((~np.isfinite(self.tree_[:, 2])).sum()) + 1
        if n_regions < parts:
            warnings.warn(
                f"the picture falls into {parts} parts that do not touch, so that there are {parts} regions and not {n_regions}; "
                "give another mask",
                UserWarning,
                stacklevel=3,
            )
        return max(int(n_regions), parts)

    def _refuse_too_many(self, picture: Picture) -> None:
        pixels = int(picture.inside.sum())
        if self.n_regions != "auto" and int(self.n_regions) > pixels:
            raise InputError(
                f"n_regions must be at most the number of pixels, {pixels:,} in {picture.name}, got {self.n_regions:,}; lower it"
            )
        if self.min_area > pixels:
            raise InputError(
                f"min_area must be at most the area of the picture, {pixels:,} pixels, got {self.min_area:,.0f}; lower it"
            )

    def _cut_up(self, picture: Picture, features: Any) -> None:
        """Cut the picture into superpixels and describe them."""
        values, inside = picture.values, picture.inside
        factor = int(np.ceil((inside.size / self.max_pixels) ** 0.5)) if inside.size > self.max_pixels else 1
        space = colours_of(picture)
        small = np.ascontiguousarray(space.of(shrunk(values, factor)))
        seen = inside if factor == 1 else shrunk(inside[:, :, None].astype(np.float32), factor)[:, :, 0] > 0.5
        if not seen.any():
            seen = shrunk(inside[:, :, None].astype(np.float32), factor)[:, :, 0] > 0
        self._is_plain = bool((values[inside] == values[inside][:1]).all())
        wanted = max(1, min(self.n_superpixels, int(seen.sum()) // _PIXELS_A_PIECE))
        side = float((seen.sum() / wanted) ** 0.5)
        coarse = superpixels(_smoothed(small, side), seen, wanted, self.compactness)
        labels = coarse
        if factor > 1:
            labels = full_size(
                coarse, small, lambda start, end: space.of(values[start:end]), inside, factor, self.compactness
            )  # fmt: skip
        self._describe(space, small, seen, coarse, labels, factor, features)

    def _describe(
        self,
        space: Colours,
        small: NDArray,
        seen: NDArray,
        coarse: NDArray,
        labels: NDArray,
        factor: int,
        features: Any,
    ) -> None:
        values = self.picture_.values
        kept = np.unique(labels[labels >= 0])
        if len(kept) <= coarse.max() or kept[-1] > coarse.max():
            coarse, labels = _numbered(coarse, labels, kept, factor)
        n = len(kept)
        sums, box = tallied(labels, values, n)
        edges = borders_of(labels)
        width = labels.shape[1]
        row, column = edges.first // width // factor, edges.first % width // factor
        other_row, other_column = edges.second // width // factor, edges.second % width // factor
        side = float((seen.sum() / n) ** 0.5)
        contrast = contrasts(small, side)
        along = 0.5 * (contrast[:, row, column].astype(np.float64) + contrast[:, other_row, other_column])
        seed = int(check_random_state(self.random_state).randint(2**31))
        kinds = textons(space.lightness(small), seen, side, seed)
        layers = layers_of(features, small, coarse, space)
        self.superpixels_, self.n_superpixels_, self.factor_ = labels, n, factor
        self._sums, self._box = sums, box
        self._regions = described(small, kinds, space.limits, coarse, sums[:, -1], edges, along, layers)


def _smoothed(colours: NDArray[np.float32], side: float) -> NDArray[np.float32]:
    """Take off the noise of single pixels, which would fray the superpixels."""
    scale = _NOISE * side / SIDE
    return np.stack([gaussian_filter(band, scale) for band in np.moveaxis(colours, 2, 0)], axis=2)


def _numbered(coarse: NDArray, labels: NDArray, kept: NDArray, factor: int) -> tuple[NDArray, NDArray]:
    """Number the superpixels that are left at full size, in both sizes; each has a coarse pixel where it has one at all."""
    table = np.full(max(int(kept[-1]), int(coarse.max())) + 2, -1, np.int32)  # the last one is for -1
    table[kept] = np.arange(len(kept))
    labels, coarse = table[labels], table[coarse].copy()
    at = np.full(len(kept), -1)
    flat = labels.reshape(-1)
    held = np.flatnonzero(flat >= 0)
    at[flat[held]] = held
    missing = np.setdiff1d(np.arange(len(kept)), coarse)
    coarse[at[missing] // labels.shape[1] // factor, at[missing] % labels.shape[1] // factor] = missing
    return coarse, labels
