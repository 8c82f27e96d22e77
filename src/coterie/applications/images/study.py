"""From a picture file to its regions, how sure they are, and what should be known about them."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...metrics.segmentation import SegmentationScores, segmentation_scores
from ...study.plan import parse_bytes
from ...study.steps import Diary, Step
from ...tables.picture_whole import Picture, read_picture
from ._colours import colours_of, shrunk
from ._table import RegionTable, region_table
from .segmenter import ImageSegmenter

__all__ = ["ImageStudy", "study_image"]

_OTHER_SIZES = (0.75, 0.9, 1.2)  # times the superpixels, in runs that say how sure the regions are
_SHAKY = 0.6  # a region that comes back with less overlap depends on chance


class ImageStudy(NamedTuple):
    """A picture and its regions.

    Attributes
    ----------
    model : ImageSegmenter
    table : RegionTable
    stability : (k,) float64 array
        How much each region overlaps the most similar region of runs with other superpixels, 0 to 1.
    again : float
        The mean of that over the pixels.
    unexplained : float
        Variance of colour inside regions, divided by that of the whole picture.
    truth : SegmentationScores or None
        Agreement with regions that were given.
    warnings : list of dict
    steps : list of Step
    """

    model: ImageSegmenter
    table: RegionTable
    stability: NDArray[np.float64]
    again: float
    unexplained: float
    truth: SegmentationScores | None
    warnings: list[dict[str, str]]
    steps: list[Step]


def study_image(
    source: Any,
    *,
    mask: Any = None,
    truth: Any = None,
    memory_limit: int | str | None = None,
    on_step: Callable[[Step], None] | None = None,
    **parameters: Any,
) -> ImageStudy:
    """Find the regions of a picture, describe them, and say how sure they are.

    Parameters
    ----------
    source : path or array
        See `coterie.tables.picture_whole.read_picture`.
    mask : path or array, optional
        Where it is 0 the picture is left out.
    truth : path or array, optional
        A picture of known regions, one value or colour each: compared with the result.
    memory_limit : int or str, optional
        Bytes.
    on_step : callable, optional
        Told of each finished step.
    **parameters
        Of `ImageSegmenter`.

    Returns
    -------
    ImageStudy
    """
    diary = Diary(on_step)
    with diary.step("read"):
        picture = read_picture(source, mask=mask, memory_limit=parse_bytes(memory_limit))
        drawn = None if truth is None else _drawn(truth, picture)
        diary.text = _read_text(picture)
    model = ImageSegmenter(**parameters)
    with diary.step("regions"), warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        model.fit(picture)
        diary.text = _regions_text(model)
    for one in heard:
        if not issubclass(one.category, UserWarning):  # NumPy's are for programmers
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
            continue
        text, _, remedy = str(one.message).partition("; ")
        diary.warn(_sentence(text), _sentence(remedy))
    with diary.step("check"):
        stability, again = _stability(model, parameters)
        unexplained = _unexplained(model)
        diary.text = f"with other superpixels the regions come back with {again:.0%} overlap"
    with diary.step("describe"):
        sums, box = model.totals(model.leaves_)
        table = region_table(model.labels_, sums, box, picture)
        scores = (
            None
            if drawn is None
            else segmentation_scores(drawn[None, picture.inside], model.labels_[None, picture.inside])
        )
        diary.text = "colour, place and neighbours of each region"
    _warn(diary, model, again)
    return ImageStudy(model, table, stability, again, unexplained, scores, diary.warnings, diary.steps)


def _drawn(truth: Any, picture: Picture) -> NDArray[np.int64]:
    known = read_picture(truth)
    if known.values.shape[:2] != picture.values.shape[:2]:
        raise InputError(
            f"the known regions must be of the picture's size, {picture.values.shape[0]} x {picture.values.shape[1]} pixels (height x "
            f"width), and {known.name} is {known.values.shape[0]} x {known.values.shape[1]}; cut or enlarge it"
        )
    flat = known.values.reshape(-1, known.values.shape[2])
    return np.unique(flat, axis=0, return_inverse=True)[1].reshape(picture.inside.shape)


def _stability(model: ImageSegmenter, parameters: dict[str, Any]) -> tuple[NDArray[np.float64], float]:
    """Return how well each region comes back where the superpixels are others, and the mean over the pixels."""
    picture = model.picture_
    factor = model.factor_
    few = picture
    labels = model.labels_
    if factor > 1:  # at the size at which the picture was looked at
        values = shrunk(picture.values, factor).astype(picture.values.dtype)
        labels = _thinned(labels, factor)
        few = Picture(picture.name, values, labels >= 0, picture.unit, picture.is_colour)
    best = []
    for share in _OTHER_SIZES:
        given = {**parameters, "n_superpixels": max(2, int(share * model.n_superpixels_))}
        if given.get("min_area", 0) >= 1:  # as a share, which other sizes leave as it is
            given["min_area"] = min(given["min_area"] / picture.inside.sum(), 1 - 1e-9)
        if given.get("n_regions", "auto") != "auto":
            given["n_regions"] = min(given["n_regions"], given["n_superpixels"] // 2, model.n_regions_)
        with warnings.catch_warnings(action="ignore"):
            best.append(_overlaps(labels, ImageSegmenter(**given).fit(few).labels_, model.n_regions_))
    stability = np.mean(best, axis=0)
    area = np.bincount(labels[labels >= 0], minlength=model.n_regions_)
    return stability, float(stability @ area / area.sum())


def _thinned(labels: NDArray[np.int32], factor: int) -> NDArray[np.int32]:
    """Return the label in the middle of each square of ``factor`` pixels a side; where a mask leaves no middle, any in the square."""
    starts = [np.arange(0, n, factor) for n in labels.shape]
    middles = [np.minimum(start + factor // 2, n - 1) for start, n in zip(starts, labels.shape, strict=True)]
    found = labels[np.ix_(*middles)]
    if (found >= 0).any():
        return found
    return np.maximum.reduceat(np.maximum.reduceat(labels, starts[0], axis=0), starts[1], axis=1)


def _overlaps(labels: NDArray, other: NDArray, k: int) -> NDArray[np.float64]:
    """Return the intersection over union of each region with the most similar other one."""
    held = (labels >= 0) & (other >= 0)
    n = int(other.max()) + 1
    both = np.bincount(labels[held].astype(np.int64) * n + other[held], minlength=k * n).reshape(k, n)
    mine, others = both.sum(axis=1, keepdims=True), both.sum(axis=0)
    return (both / np.maximum(mine + others - both, 1)).max(axis=1)


def _unexplained(model: ImageSegmenter) -> float:
    """Return the variance of colour inside regions as a share of the whole."""
    picture = model.picture_
    factor = model.factor_
    colours = colours_of(picture).of(shrunk(picture.values, factor))
    labels = _thinned(model.labels_, factor)
    held = labels >= 0
    label, pixels = labels[held], colours[held].astype(np.float64)
    count = np.maximum(np.bincount(label, minlength=model.n_regions_), 1)
    means = np.stack([np.bincount(label, band, model.n_regions_) / count for band in pixels.T], axis=1)
    total = ((pixels - pixels.mean(axis=0)) ** 2).sum()
    return float(((pixels - means[label]) ** 2).sum() / total) if total > 0 else 0.0


def _warn(diary: Diary, model: ImageSegmenter, again: float) -> None:
    if model.n_regions_ > 1 and again < _SHAKY:
        diary.warn(
            f"With other superpixels the regions overlap by {again:.0%} only: they depend on chance.",
            "Ask for fewer regions, or for a larger least area.",
        )
    if model.n_regions_ == 1 and model.n_regions == "auto" and not diary.warnings:
        if model.most_regions_ == 1:
            diary.warn("No two regions are large enough.", "Give a smaller least area.")
        else:
            diary.warn(
                "No border is strong enough to part two regions.", "Give a number of regions, or a lower height."
            )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "." if text else ""


def _read_text(picture: Picture) -> str:
    height, width, bands = picture.values.shape
    kind = "colour" if picture.is_colour else "grey" if bands == 1 else f"{bands} bands"
    return f"{picture.name}, {width:,} x {height:,} pixels (width x height), {kind}, {picture.values.dtype}"


def _regions_text(model: ImageSegmenter) -> str:
    how = "merging" if model.mode == "merge" else "balanced cuts of"
    parts = f"{model.n_regions_:,} region{'s' if model.n_regions_ != 1 else ''}"
    return f"{parts} by {how} {model.n_superpixels_:,} superpixels"
