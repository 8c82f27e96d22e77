"""Free text as a few numbers by an embedding model, and told by the words that go with them.

Each text becomes a row of the model, of length 1; of these rows the leading directions are kept, those that stand out from the rows of the same
texts with their words shuffled. What a direction means is told by the words whose weight (TF-IDF) varies with it. Directions are learnt from
20,000 texts at most, and what chance makes is seen on 1,000 of them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .table import Levels
from .text_directions import SHUFFLES, direction_names, leading_directions, standing_out
from .text_models import TextModel
from .texts import MOST_TEXTS, learnt_from
from .word_counts import shared_words, weighted, word_counts
from .words import LONGEST_TEXT, UNSPACED

__all__ = ["EmbeddedCoding", "code_embedded", "fit_embedded"]

_MOST_SHUFFLED = 1_000
_BLOCK = 5_000
_TOLD = 20
_PIECES = re.compile(f"[{UNSPACED}]|[^\\s{UNSPACED}]+")


@dataclass(frozen=True, eq=False)
class EmbeddedCoding:
    """How texts become a few numbers by an embedding model.

    Attributes
    ----------
    model : TextModel
    terms : tuple of str
        The words that texts share, those first that vary most with the directions.
    names : tuple of str
        What tells the directions apart.
    directions : (d, m) float64 array
        Orthonormal columns.
    center : (m,) float64 array
        Where the mean text lies.
    share : float
        Of the variance of the rows of the model, what the directions hold.
    """

    model: TextModel
    terms: tuple[str, ...]
    names: tuple[str, ...]
    directions: NDArray[np.float64] = field(repr=False)
    center: NDArray[np.float64] = field(repr=False)
    share: float

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "EmbeddedCoding":
        """Return the coding of a model file, checked.

        Raises
        ------
        ValueError
            If its parts do not fit each other.
        """
        directions, center = (np.asarray(state[name], np.float64) for name in ("directions", "center"))
        terms, names = (tuple(str(word) for word in state[name]) for name in ("terms", "names"))
        if directions.ndim != 2 or center.shape != directions.shape[1:] or len(names) != len(center) or not names:
            raise ValueError("the numbers of a text do not fit its model")
        return cls(TextModel.from_state(state["model"]), terms, names, directions, center, float(state["share"]))

    def state(self) -> dict[str, Any]:
        """Return what a model file keeps."""
        arrays = {"directions": self.directions, "center": self.center, "share": self.share}
        return {"model": self.model.state(), "terms": self.terms, "names": self.names} | arrays

    def to_json(self) -> dict[str, Any]:
        """Return what a reader of run.json may want to know."""
        return {
            "words": len(self.terms),
            "telling": list(self.terms[:_TOLD]),
            "numbers": len(self.center),
            "share": self.share,
            "model": {"name": self.model.name, "library": self.model.library, "sha256": self.model.digest},
        }


def fit_embedded(levels: Levels, model: TextModel, *, always: bool = False) -> tuple[EmbeddedCoding | None, float]:
    """Learn the directions of the rows of a model.

    Parameters
    ----------
    levels : Levels
        The different texts; each counts as often as rows have it.
    model : TextModel
    always : bool, default=False
        Whether to keep directions that do not stand out from shuffled words.

    Returns
    -------
    coding : EmbeddedCoding or None
        None where the model tells the texts apart no more than by chance.
    variance : float
        Of the rows that were looked at, along all kept directions.
    """
    texts, share = learnt_from(levels, MOST_TEXTS)
    rows = model(texts).astype(np.float64)
    values, directions, total = leading_directions(rows, share)
    stand_out = _standing_out(texts, share, rows, model)
    kept = max(stand_out, 2) if always else stand_out
    values, directions = values[:kept], np.ascontiguousarray(directions[:, :kept])
    if not kept or not values.sum() > 1e-12:
        return None, 0.0
    places = rows @ directions
    center = share @ places
    terms, names = _told(texts, share, places - center)
    return EmbeddedCoding(model, terms, names, directions, center, float(values.sum() / total)), float(values.sum())


def code_embedded(coding: EmbeddedCoding, levels: Levels) -> NDArray[np.float64]:
    """Return where each text lies, (n, m): 0 is the mean; NaN where it is missing, or the model knows nothing of it.

    Raises
    ------
    InputError
        If the model is not there, or is another than the one of the fit.
    """
    places = np.full((len(levels.values) + 1, coding.directions.shape[1]), np.nan)
    for start in range(0, len(levels.values), _BLOCK):
        rows = coding.model(levels.values[start : start + _BLOCK])
        coding.model.require_width(rows.shape[1], len(coding.directions))
        # Row by row in one order of summation: where a text lies does not depend on those beside it.
        found = np.einsum("nd,dm->nm", rows.astype(np.float64), coding.directions) - coding.center
        places[start : start + len(rows)] = np.where(np.any(rows, axis=1, keepdims=True), found, np.nan)
    return places[levels.codes]


def _standing_out(texts: Sequence[str], share: NDArray[np.float64], rows: NDArray[np.float64], model: TextModel) -> int:
    step = -(-len(texts) // _MOST_SHUFFLED)
    some, share, rows = texts[::step], share[::step] / share[::step].sum(), rows[::step]
    shuffles = (model(_dealt(some, seed), keep=False).astype(np.float64) for seed in range(SHUFFLES))
    return standing_out(leading_directions(rows, share)[0], shuffles, share)


def _dealt(texts: Sequence[str], seed: int) -> list[str]:
    """Deal the words of all texts anew: each keeps how many it has."""
    pieces = [_PIECES.findall(text[:LONGEST_TEXT]) for text in texts]
    words = np.random.default_rng(seed).permutation(np.array([word for piece in pieces for word in piece], object))
    ends = np.cumsum([len(piece) for piece in pieces])
    return [" ".join(words[end - len(piece) : end]) for end, piece in zip(ends, pieces, strict=True)]


def _told(
    texts: Sequence[str], share: NDArray[np.float64], places: NDArray[np.float64]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the shared words, those first that vary most with the places, and names of the directions."""
    terms = shared_words(texts, share)
    counts = word_counts(texts, terms)
    heard = weighted(counts, -np.log(np.maximum(share @ (counts > 0), np.finfo(float).tiny)))
    together = heard.T @ (share[:, None] * places)  # covariance, since places are centered
    order = np.argsort(-(together**2).sum(axis=1), kind="stable")
    return tuple(terms[i] for i in order), tuple(direction_names(terms, together))
