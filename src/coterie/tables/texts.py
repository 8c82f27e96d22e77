"""Free text as a few numbers: words weighted by how rare they are (TF-IDF), and the directions in which the texts differ most.

The words that texts share are counted, weighted by the logarithm of how rare they are, and each text brought to length 1; of these rows the
leading directions are kept. Words and directions are learnt from 20,000 texts at most.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .table import Levels
from .text_directions import SHUFFLES, direction_names, leading_directions, standing_out
from .word_counts import shared_words, shuffled, weighted, word_counts
from .words import words_of

__all__ = ["MOST_TEXTS", "TextCoding", "code_texts", "fit_texts", "learnt_from", "says"]

MOST_TEXTS = 20_000
_BLOCK = 5_000
_TOLD = 20


@dataclass(frozen=True, eq=False)
class TextCoding:
    """How texts become a few numbers.

    Attributes
    ----------
    terms : tuple of str
        The words, those first that tell most about the directions.
    weights : (t,) float64 array
        Logarithm of how rare each is.
    directions : (t, m) float64 array
        Orthonormal columns.
    center : (m,) float64 array
        Where the mean text lies.
    share : float
        Of the variance of the weighted words, what the directions hold.
    """

    terms: tuple[str, ...]
    weights: NDArray[np.float64] = field(repr=False)
    directions: NDArray[np.float64] = field(repr=False)
    center: NDArray[np.float64] = field(repr=False)
    share: float

    @property
    def names(self) -> list[str]:
        """What tells the directions apart."""
        return direction_names(self.terms, self.directions)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "TextCoding":
        """Return the coding of a model file, checked.

        Raises
        ------
        ValueError
            If its parts do not fit each other.
        """
        weights, directions, center = (
            np.asarray(state[name], np.float64) for name in ("weights", "directions", "center")
        )
        terms = tuple(str(term) for term in state["terms"])
        if weights.shape != (len(terms),) or directions.shape != (len(terms), len(center)) or not len(center):
            raise ValueError("the words of a text do not fit its directions")
        return cls(terms, weights, directions, center, float(state["share"]))

    def state(self) -> dict[str, Any]:
        """Return what a model file keeps."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    def to_json(self) -> dict[str, Any]:
        """Return what a reader of run.json may want to know."""
        return {
            "words": len(self.terms),
            "telling": list(self.terms[:_TOLD]),
            "numbers": len(self.center),
            "share": self.share,
        }


def fit_texts(levels: Levels, *, always: bool = False) -> tuple[TextCoding | None, float]:
    """Learn the words and the directions.

    Parameters
    ----------
    levels : Levels
        The different texts; each counts as often as rows have it.
    always : bool, default=False
        Whether to keep directions that do not stand out from shuffled words.

    Returns
    -------
    coding : TextCoding or None
        None where texts share no words, or their words go together no more than by chance.
    variance : float
        Of the rows that were looked at, along all kept directions.
    """
    texts, share = learnt_from(levels, MOST_TEXTS)
    terms = shared_words(texts, share)
    if len(terms) < 2:
        return None, 0.0
    counts = word_counts(texts, terms)
    weights = -np.log(share @ (counts > 0))
    values, directions, total = leading_directions(weighted(counts, weights), share)
    stand_out = standing_out(values, (weighted(shuffled(counts, seed), weights) for seed in range(SHUFFLES)), share)
    kept = max(stand_out, 2) if always else stand_out
    values, directions = values[:kept], directions[:, :kept]
    if not kept or not values.sum() > 0:
        return None, 0.0
    order = np.argsort(-(directions**2 @ values), kind="stable")
    center = share @ (weighted(counts, weights) @ directions)
    coding = TextCoding(
        tuple(terms[i] for i in order), weights[order], np.ascontiguousarray(directions[order]), center, float(values.sum() / total)
    )  # fmt: skip
    return coding, float(values.sum())


def learnt_from(levels: Levels, most: int) -> tuple[list[str], NDArray[np.float64]]:
    """Return different texts, as many at most, spread over the table, and the share of the rows that has each."""
    step = max(-(-len(levels.values) // most), 1)
    rows = levels.counts[::step].astype(np.float64)
    return levels.values[::step], rows / max(rows.sum(), 1.0)


def code_texts(coding: TextCoding, levels: Levels) -> NDArray[np.float64]:
    """Return where each text lies, (n, m): 0 is the mean; NaN where it is missing, or says none of the words."""
    places = np.full((len(levels.values) + 1, coding.directions.shape[1]), np.nan)
    for start in range(0, len(levels.values), _BLOCK):
        block = word_counts(levels.values[start : start + _BLOCK], coding.terms)
        says_any = np.diff(block.indptr) > 0
        found = weighted(block, coding.weights) @ coding.directions - coding.center
        places[start : start + block.shape[0]] = np.where(says_any[:, None], found, np.nan)
    return places[levels.codes]


def says(terms: Sequence[str], levels: Levels) -> NDArray[np.bool_]:
    """Return which of the words each text says, (n, t) bool; a missing text says none."""
    found = np.zeros((len(levels.values) + 1, len(terms)), bool)
    place = {term: i for i, term in enumerate(terms)}
    for i, text in enumerate(levels.values):
        found[i, [place[term] for term in words_of(text) if term in place]] = True
    return found[levels.codes]
