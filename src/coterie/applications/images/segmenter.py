"""ImageSegmenter: the regions of a picture, as a tree that can be cut at any number of regions.

The picture becomes some hundred superpixels. From these a tree is built, by merging neighbours that differ least or by balanced
cuts from above, and the tree is cut: at a number of regions, or at the height that fitted photographs that people divided by hand.
"""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ...base import Estimator, Interval, StrOptions
from ...errors import InputError
from ...primitives.region_merges import Regions, united
from ...primitives.superpixels import borders_of, tallied
from ...tables.picture_whole import Picture, read_picture
from ...trees.cuts import cut_at_height, cut_into
from ._colours import colours_of
from ._description import answers_of, described, nearest_texton, texton_centers
from ._layers import layers_of
from ._looks import Looks, most_alike, refuse_damaged, space_for, with_bands
from ._pieces import cut_into_pieces
from ._trees import HEIGHT, divided, heights_between, measure_for, merged, without_small

__all__ = ["ImageSegmenter"]


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
    most_regions_ : int
        Into how many regions of at least ``min_area`` the tree can be cut.
    ucm_ : (h, w) float32 array
        The height at which each pixel and its right or lower neighbour come together: how strong the border is there.
    n_superpixels_ : int
    n_features_in_ : int
        Number of bands.
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

    _state_attributes = ("_looks",)
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
        self._regions = self._cut_up(picture, features)
        area = float(self._regions.area.sum())
        measure = measure_for(area, self.features_weight)
        least = self.min_area * area if self.min_area < 1 else float(self.min_area)
        if self.mode == "merge":
            tree = merged(self._regions, measure)
        else:
            tree = divided(self._regions, measure, 1 if self.n_regions == "auto" else int(self.n_regions))
        self.tree_, self.most_regions_ = without_small(tree, self._regions, measure, least)
        if self.n_regions == "auto":
            self.leaves_ = self.leaves(height=self.height)
        else:
            self.leaves_ = self.leaves(int(self.n_regions))
        self.labels_ = self._painted(self.leaves_)
        self.n_regions_ = int(self.leaves_.max()) + 1
        self.n_features_in_ = picture.values.shape[2]
        whole = united(self._regions, self.leaves_)
        self._looks = Looks(self._space, self._textons, whole.area, whole.colour, whole.words)
        if self._is_plain:
            warnings.warn("the picture has one colour only, so that it is one region", UserWarning, stacklevel=2)
        return self

    def predict(self, image: Any, *, mask: Any = None) -> NDArray[np.int32]:
        """Find the regions of this picture in another one, such as the next frame: each superpixel gets the region it looks most like.

        Place does not count, nor that regions hang together. On the picture of the fit that is near to ``labels_``, not equal.

        Parameters
        ----------
        image : path, array or Picture
            With the same bands; a grey one serves for three too.
        mask : path or (h, w) array, optional
            Where it is 0 or False the picture is left out.

        Returns
        -------
        (h, w) int32 array
            Regions as in ``labels_``, -1 outside.

        Raises
        ------
        InputError
            If the picture cannot be read, or has other bands.
        """
        check_is_fitted(self, "_looks")
        picture = image if isinstance(image, Picture) else read_picture(image, mask=mask)
        picture = with_bands(picture, self.n_features_in_)
        space = space_for(self._looks, picture)
        pieces = cut_into_pieces(picture, space, self.n_superpixels, self.compactness, self.max_pixels)
        kinds = nearest_texton(answers_of(space.lightness(pieces.colours), pieces.side), self._looks.textons)
        area = tallied(pieces.labels, picture.values, pieces.n)[0][:, -1]
        found = described(pieces, kinds, len(self._looks.textons), space.limits, area, np.zeros((pieces.n, 0)))
        leaves = most_alike(found, self._looks, measure_for(float(area.sum())))
        return np.append(leaves, -1).astype(np.int32)[pieces.labels]

    def _fitted_state(self) -> dict[str, Any]:
        return {"n_features_in_": self.n_features_in_, "n_regions_": self.n_regions_, "_looks": self._looks}

    def _restore(self, state: dict[str, Any]) -> "ImageSegmenter":
        super()._restore(state)
        refuse_damaged(self._looks, self.n_features_in_, self.n_regions_)
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
        self._refuse_without_picture()
        return self._painted(self.leaves(n_regions, height=height))

    def _painted(self, leaves: NDArray[np.int64]) -> NDArray[np.int32]:
        return np.append(leaves, -1).astype(np.int32)[self.superpixels_]

    def leaves(self, n_regions: int | None = None, *, height: float | None = None) -> NDArray[np.int64]:
        """Return the region of each superpixel for a cut; see `cut`."""
        self._refuse_without_picture()
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
        self._refuse_without_picture()
        edges = borders_of(self.superpixels_)
        strength = heights_between(self.tree_, edges.low, edges.high)
        strength = np.where(np.isfinite(strength), strength, 0.0).astype(np.float32)
        found = np.zeros(self.superpixels_.size, np.float32)
        np.maximum.at(found, edges.first, strength[edges.pair])
        return found.reshape(self.superpixels_.shape)

    def _refuse_without_picture(self) -> None:
        if not hasattr(self, "superpixels_"):
            check_is_fitted(self, "_looks")
            raise InputError(
                "a model from a file finds its regions in other pictures only, by predict; the tree of its own picture is in tree.json"
            )

    def _possible(self, n_regions: Any) -> int:
        n = len(self.tree_) + 1
        if not isinstance(n_regions, int | np.integer) or n_regions < 1:
            raise InputError(f"a cut gives a whole number of regions from 1 on, got {n_regions!r}")
        if self._is_plain:
            return 1
        if n_regions > n:
            more = " or raise n_superpixels" if n >= self.n_superpixels // 2 else ""
            raise InputError(
                f"{self.picture_.name} was cut into {n:,} superpixels and so has at most as many regions, got {n_regions:,}; lower "
                f"n_regions{more}"
            )
        parts = int((~np.isfinite(self.tree_[:, 2])).sum()) + 1
        if n_regions < parts:
            warnings.warn(
                f"the picture falls into {parts} parts that do not touch, so that there are {parts} regions and not {n_regions}; "
                "give another mask",
                UserWarning,
                stacklevel=3,
            )
        if n_regions > max(self.most_regions_, parts):
            regions, are = ("region", "is") if self.most_regions_ == 1 else ("regions", "are")
            warnings.warn(
                f"only {self.most_regions_:,} {regions} of {self.picture_.name} {are} large enough, and not {n_regions:,}; lower min_area",
                UserWarning,
                stacklevel=3,
            )
        return max(min(int(n_regions), self.most_regions_), parts)

    def _refuse_too_many(self, picture: Picture) -> None:
        pixels = int(picture.inside.sum())
        if self.n_regions != "auto" and int(self.n_regions) > pixels:
            raise InputError(
                f"{picture.name} has {pixels:,} pixels and so at most as many regions, got {self.n_regions:,}; lower n_regions"
            )
        if self.min_area > pixels:
            raise InputError(
                f"a region of {picture.name} can have at most its {pixels:,} pixels, got {self.min_area:,.0f}; lower min_area"
            )

    def _cut_up(self, picture: Picture, features: Any) -> Regions:
        """Cut the picture into superpixels and describe them."""
        space = colours_of(picture)
        pieces = cut_into_pieces(picture, space, self.n_superpixels, self.compactness, self.max_pixels)
        self._is_plain = bool((picture.values[picture.inside] == picture.values[picture.inside][:1]).all())
        seed = int(check_random_state(self.random_state).randint(2**31))
        answers = answers_of(space.lightness(pieces.colours), pieces.side)
        centers = texton_centers(answers, pieces.seen, seed)
        layers = layers_of(features, pieces, space)
        self.superpixels_, self.n_superpixels_, self.factor_ = pieces.labels, pieces.n, pieces.factor
        self._sums, self._box = tallied(pieces.labels, picture.values, pieces.n)
        self._space, self._textons = space, centers
        return described(
            pieces, nearest_texton(answers, centers), len(centers), space.limits, self._sums[:, -1], layers
        )
