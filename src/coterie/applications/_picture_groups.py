"""Groups of pictures, found in what a network makes of them or in directions of their pixels."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..study import choose as choosing
from ..study import plan as planning
from ..study.estimators import scaled
from ..study.steps import Diary
from ..study.structure import examine
from ..study.verdicts import FEWEST_ROWS
from ..tables.picture_coding import PictureCoding
from ..tables.pictures import Pictures
from . import _picture_encoder as encoding
from ._picture_record import in_pictures

__all__ = ["Found", "by_directions", "by_network"]


class Found(NamedTuple):
    """The outcome of the clustering, whichever way it was made."""

    estimator: Any
    prepared: PictureCoding
    rows: np.ndarray  # (n, p) what is judged
    own: np.ndarray  # (n,) the estimator's labels
    params: dict[str, Any]
    why: str
    candidates: list[dict[str, Any]]
    structure: dict[str, Any]
    refit: Callable[[np.ndarray], np.ndarray]
    joined: int
    words: str


def _alike(pictures: Pictures) -> bool:
    return not (pictures.values[1:] != pictures.values[0]).any()


def _structure(rows: np.ndarray, pictures: Pictures, seed: int) -> dict[str, Any]:
    if pictures.n_rows < FEWEST_ROWS or _alike(pictures):
        few = f"With {pictures.n_rows} pictures there is too little to tell groups from chance."
        sentence = "All pictures are the same; there is nothing to tell groups apart by." if _alike(pictures) else few
        nothing = dict.fromkeys(("statistic", "null_mean", "null_sd", "p_value"))
        return {"verdict": "none", "sentence": sentence, **nothing}
    return in_pictures(examine(rows, seed=seed))


def by_network(
    pictures: Pictures,
    method: str,
    k: int | None,
    diary: Diary,
    *,
    given: encoding.Encoder | None,
    seed: int,
    show: bool,
) -> Found:
    """Group what a network makes of the pictures: trained on them, or ``given``; ``k`` None finds the number of groups."""
    with diary.step("encode"):
        encoded = encoding.encode(pictures, given, seed=seed, show=show)
        diary.text = encoded.words
    with diary.step("choose"):
        structure = _structure(encoded.rows, pictures, seed)
        why = "It has the number of groups asked for."
        if k is None and structure["verdict"] == "none":
            k, why = 1, "Nothing stands out, so the pictures stay together."
        elif k is None:
            k, why = _count(encoded.rows, seed)
        diary.text = structure["sentence"]
    with diary.step("cluster"):
        with diary.hearing(method):
            estimator = encoding.fit_deep(pictures, method, k, encoded.encoder, seed=seed, show=show)
        own = np.asarray(estimator.labels_, dtype=np.int64)
        diary.text = f"{method} found {k} group{'s' if k != 1 else ''} of {len(own):,} pictures"
    rows = np.asarray(estimator.embedding_)
    places = np.asarray(getattr(estimator, "positions_", rows))
    mixture = hasattr(estimator, "positions_")
    return Found(
        estimator, PictureCoding(pictures.kind), rows, own, {"n_clusters": k}, why, [], structure,
        lambda some: _again(places[some], k, mixture, seed), 0, encoded.words,
    )  # fmt: skip


def _count(rows: np.ndarray, seed: int) -> tuple[int, str]:
    """Return how many groups there are in what the network makes of the pictures, and why."""
    from ..deep.counting import count_groups

    k = count_groups(rows, seed)
    found = f"{k} group{'s' if k != 1 else ''} with gaps between them"
    return k, f"Each picture was joined to the ten that are most alike: {found}."


def _some(rows: np.ndarray, seed: int) -> np.ndarray:
    """Return the rows on which methods and numbers of groups are compared."""
    size = planning.selection_rows(len(rows), rows.shape[1], "auto")
    return rows if size is None else rows[np.sort(np.random.default_rng(seed).choice(len(rows), size, replace=False))]


def _again(places: np.ndarray, k: int, mixture: bool, seed: int) -> np.ndarray:
    """Group some of the places anew, as the method did, the network left as it is."""
    if mixture:
        from sklearn.mixture import GaussianMixture

        return GaussianMixture(min(k, len(places)), n_init=3, random_state=seed).fit_predict(places)
    return np.asarray(choosing.fit(places, "KMeans", {"n_clusters": min(k, len(places))}, seed)[0].labels_)


def by_directions(pictures: Pictures, method: str, k: int | None, diary: Diary, *, seed: int) -> Found:
    """Group the pictures by their main directions of pixels; ``k`` None finds the number of groups."""
    with diary.step("encode"):
        prepared, rows, kept = encoding.directions_of(pictures, seed)
        words = (
            f"{rows.shape[1]} main directions of the pixels; they keep {kept:.0%} of the differences between pictures"
        )
        diary.text = words
    with diary.step("choose"):
        structure = _structure(rows, pictures, seed)
        some = _some(rows, seed)
        tried = choosing.candidates_for(some, len(some), method=method, n_clusters=k)
        judged = len(rows) >= FEWEST_ROWS and not _alike(pictures)
        choice = choosing.choose(some, tried, seed=seed) if judged else choosing.no_choice(some, tried)
        best = choice.candidates[choice.winner]
        diary.text = structure["sentence"]
    with diary.step("cluster"):
        alone = method == "auto" and k is None and structure["verdict"] == "none"
        name, params = best.method, scaled(best.method, best.params, len(some), len(rows))
        if alone:
            name, params = "KMeans", {"n_clusters": 1}
        estimator, joined = choosing.fit(rows, name, params, seed, fill=method == "auto")
        own = np.asarray(estimator.labels_, dtype=np.int64)
        count = int(own.max(initial=-1)) + 1
        diary.text = f"{name} found {count} group{'s' if count != 1 else ''} of {len(own):,} pictures"
    return Found(
        estimator, prepared, rows, own, dict(params), in_pictures(choice.why), in_pictures(choice.record), structure,
        choosing.refitter(rows, best, seed, fill=method == "auto"), joined, words,
    )  # fmt: skip
