"""Pictures: which groups they form, which pictures stand for each, and which are unlike all others.

The steps: read the pictures and bring them to one size; make a few numbers of each, by a network trained on them without labels;
find the number of groups where nobody said it; group; settle small groups; judge; describe by brightness, contrast and colour.
Without PyTorch the numbers are projections on directions of pixels, and the record says so.
"""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..study import judge as judging
from ..study import plan as planning
from ..study.describe import Description, describe
from ..study.population import Settled, cluster_means, settle
from ..study.record import plain
from ..study.steps import Diary, Step
from ..tables.picture_coding import PictureCoding
from ..tables.picture_looks import thumbnails
from ..tables.picture_values import LARGEST
from ..tables.pictures import Pictures, read_pictures
from . import _picture_encoder as encoding
from ._picture_groups import Found, by_directions, by_network
from ._picture_plan import check_options, check_pictures, make_plan, read_text
from ._picture_record import in_pictures, map_of, names_shown, outliers_of, shown_of
from ._picture_traits import named, traits_of

__all__ = ["PictureStudy", "study_pictures"]


class PictureStudy(NamedTuple):
    """A finished study of pictures.

    Attributes
    ----------
    pictures : Pictures
        As read.
    prepared : PictureCoding
        How pictures become what the estimator takes.
    estimator : estimator
        Fitted; its own labels become the final ones through ``label_map``.
    labels : (n,) int64 array
        0..k-1 by decreasing size, -1 none.
    strengths, distances, outlier_scores : (n,) float64 arrays
        How surely a picture belongs, 0 to 1; how far it lies from the middle of its group; how unusual it is, from 0.5 on an outlier.
    label_map : (k_estimator,) int64 array
    record : dict
        Everything of use to a reader as plain JSON values (the body of ``run.json``).
    """

    pictures: Pictures
    prepared: PictureCoding
    estimator: Any
    labels: np.ndarray
    strengths: np.ndarray
    distances: np.ndarray
    outlier_scores: np.ndarray
    label_map: np.ndarray
    record: dict[str, Any]


def study_pictures(
    source: str | os.PathLike,
    *,
    method: str = "auto",
    n_clusters: int | None = None,
    encoder: str | os.PathLike | None = None,
    array: str | None = None,
    size: int = LARGEST,
    min_share: float | None = None,
    truth: str | None = None,
    memory_limit: int | str | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    show: bool = False,
    on_step: Callable[[Step], None] | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> PictureStudy:
    """Find the groups in a folder or a stack of pictures, judge them, and say which pictures stand for each.

    Parameters
    ----------
    source : path
        See `coterie.tables.read_pictures`.
    method : str, default="auto"
        "N2D", "AEKMeans", "DEC", "IDEC", "DCN", "DKM", "VaDE" or "IMSAT", which train a network; or a method for tables, on directions
        of pixels. "auto" is N2D on a convolutional autoencoder; without PyTorch, the study's choice on directions of pixels.
    n_clusters : int, optional
        How many groups; None finds out.
    encoder : path, optional
        A model file whose network is applied instead of training one.
    array : str, optional
        Name of the array, where an ``.npz`` file holds several stacks.
    size : int, default=32
        Pixels of the longer side at most; larger pictures are shrunk.
    min_share : float, optional
        Smallest share of the pictures that a group may have.
    truth : str, optional
        What is known of each picture, to compare with: an array of the file, or "folder".
    memory_limit : int or str, optional
        Bytes, or a size such as "2GB". None is 80% of the memory that is free.
    time_limit : float, optional
        Seconds that training may be expected to take.
    seed : int, default=0
    show : bool, default=False
        Show the progress of training on the error stream.
    on_step, on_progress : callable, optional
        Told of each finished step, and of progress in reading.

    Returns
    -------
    PictureStudy

    Raises
    ------
    InputError
        If the pictures or an option cannot be used.
    ResourceError
        If the plan does not fit the limits.
    MissingExtraError
        If a package is not installed that the pictures or the method need.
    """
    method = encoding.apply_to(method, None if encoder is None else str(encoder))
    check_options(method, n_clusters, size, seed)
    limit = planning.parse_bytes(memory_limit)
    limit = planning.available_memory() if limit is None else limit
    diary = Diary(on_step)
    given, kind = (None, None) if encoder is None else encoding.from_file(encoder)
    with diary.step("read"):
        pictures = read_pictures(
            source, kind=kind, largest=size, array=array, memory_limit=limit, on_progress=on_progress
        )
        check_pictures(pictures, n_clusters, truth)
        diary.text = read_text(pictures)
    with diary.step("plan"):
        diary.text, plan = make_plan(pictures, method, given is not None, limit, time_limit)
    if method in encoding.DEEP_METHODS:
        found = by_network(pictures, method, n_clusters, diary, given=given, seed=seed, show=show)
    else:
        found = by_directions(pictures, method, n_clusters, diary, seed=seed)
    with diary.step("population"):
        people = settle(
            found.rows, found.own, min_share=min_share, method=type(found.estimator).__name__, joined=found.joined
        )
        diary.text = in_pictures(" ".join(people.record["actions"]) or "Every group is large enough.")
    with diary.step("judge"):
        verdicts = _judge(found, people.labels, pictures, truth, seed)
        diary.text = verdicts["judge"]["sentence"]
    with diary.step("describe"):
        shown = shown_of(people.labels, verdicts["distances"], verdicts["strengths"])
        told = describe(traits_of(pictures), found.rows, people.labels, verdicts["strengths"], seed=seed)
        outliers = outliers_of(verdicts["scores"], people.labels, verdicts["distances"])
        diary.text = f"{len(told.clusters)} group{'s' if len(told.clusters) != 1 else ''} with {sum(len(one['exemplars']) for one in shown):,} exemplars"
    _warn(diary, found, verdicts, pictures, fallback=method == "auto")
    record = {"plan": plan, **_record(pictures, found, people, verdicts, told, shown, outliers)}
    mentioned = [row for part in shown for rows in part.values() for row in rows] + [
        one["row"] for one in outliers["top"]
    ]
    record["rows"] = {"sample": names_shown(pictures, mentioned)}
    record["thumbnails"] = thumbnails(pictures, source, mentioned)
    record["map"] = map_of(found.rows, people.labels, seed)
    record["steps"] = [step.plain() for step in diary.steps]
    record["warnings"] = diary.warnings
    return PictureStudy(
        pictures, found.prepared, found.estimator, people.labels, verdicts["strengths"], verdicts["distances"],
        verdicts["scores"], people.label_map, plain(record),
    )  # fmt: skip


def _judge(found: Found, labels: np.ndarray, pictures: Pictures, truth: str | None, seed: int) -> dict[str, Any]:
    k = int(labels.max(initial=-1)) + 1
    rows = found.rows
    centers = cluster_means(rows, labels, k) if k else rows.mean(axis=0, keepdims=True)
    silhouette, by_cluster, looked = judging.separation(rows, labels, seed=seed)
    strengths = judging.row_strengths(found.estimator, rows, labels, centers)
    scores = judging.outlier_scores(found.estimator, rows, labels, centers)
    gaps = np.sqrt(((rows - centers[np.maximum(labels, 0)]) ** 2).sum(axis=1))
    stability, jaccard, sentence = (
        None,
        np.full(k, np.nan),
        "There are too few pictures to tell how far to trust the groups.",
    )
    few = 0.6 * len(labels) < 2 * max(k, 2)  # a refit sees so many
    if k < 2 or not few:
        stability, jaccard = (
            (1.0, np.ones(k)) if k < 2 else judging.cluster_stability(found.refit, rows, labels, k, seed=seed)
        )
    inside = labels >= 0
    # A share of neighbours is a margin once those in other groups are taken off.
    margins = 2 * strengths - 1 if type(found.estimator).__name__ in encoding.DEEP_METHODS else strengths
    sure = float((margins[inside] >= judging.SURE).mean()) if inside.any() else 0.0
    sizes = np.maximum(np.bincount(labels[inside], minlength=k), 1)
    judge = {
        "silhouette": silhouette, "silhouette_rows": looked, "stability": stability,
        "separation": float(by_cluster.min(initial=1.0)) if k > 1 else 0.0, "sure_share": sure,
        "sentence": sentence if stability is None else in_pictures(judging.sentence(k, silhouette, stability, sure)),
        "truth": None if truth is None else judging.against_truth(truth, pictures.known[truth], labels),
    }  # fmt: skip
    return {
        "judge": judge, "strengths": strengths, "scores": scores, "distances": gaps, "stability": jaccard,
        "separation": by_cluster, "certainty": np.bincount(labels[inside], strengths[inside], k) / sizes,
    }  # fmt: skip


def _warn(diary: Diary, found: Found, verdicts: dict[str, Any], pictures: Pictures, fallback: bool) -> None:
    k = len(verdicts["stability"])
    if fallback:
        diary.warn(
            "PyTorch is not installed, so pixels were compared instead of what a network learns from them.",
            'For a trained network: pip install "coterie[deep]".',
        )
    if pictures.left_out:
        names = ", ".join(name for name, _ in pictures.left_out[:5]) + (", ..." if len(pictures.left_out) > 5 else "")
        count = len(pictures.left_out)
        diary.warn(
            f"{count:,} file{'s' if count != 1 else ''} could not be read and {'were' if count != 1 else 'was'} left out: {names}.",
            "Write them again, or take them out of the folder; run.json says why for each.",
        )
    diary.doubt(found.structure, k, verdicts["judge"]["stability"], "Ask for fewer groups with -k.", "pictures")


def _record(
    pictures: Pictures,
    found: Found,
    people: Settled,
    verdicts: dict[str, Any],
    told: Description,
    shown: list[dict[str, list[int]]],
    outliers: dict[str, Any],
) -> dict[str, Any]:
    for cluster, rows in zip(told.clusters, shown, strict=True):
        i = cluster["id"]
        cluster |= {name: float(verdicts[name][i]) for name in ("stability", "separation", "certainty")}
        cluster |= {**rows, "rule": None}
    named(told.clusters)
    network = type(found.estimator).__name__ in encoding.DEEP_METHODS
    height, width = pictures.kind.size
    return {
        "pictures": {
            "height": height,
            "width": width,
            "colour": pictures.kind.colour,
            "from_files": pictures.from_files,
            "left_out": [{"name": name, "why": why} for name, why in pictures.left_out],
            "known": sorted(pictures.known),
        },
        "encoder": {
            "words": found.words,
            "kind": "network" if network else "directions",
            "numbers": found.rows.shape[1],
        },
        "candidates": found.candidates,
        "chosen": {
            "method": type(found.estimator).__name__,
            "params": found.params,
            "why": found.why,
            "exact": True,
            "engine": "torch" if network else "numba",
        },
        "structure": found.structure,
        "population": in_pictures(people.record),
        "clusters": told.clusters,
        "profile": told.profile,
        "outliers": outliers,
        "judge": verdicts["judge"],
    }
