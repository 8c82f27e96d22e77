"""Free text as a few numbers: words weighted by how rare they are (TF-IDF), and the directions in which the texts differ most.

The words that texts share are counted, weighted by the logarithm of how rare they are, and each text brought to length 1. Of the centered
rows the leading singular vectors are kept, as in latent semantic analysis: only those that stand out from texts whose words were
shuffled, and ten at most. Memory is bounded: words and directions are learnt from 20,000 texts at most, of each text the first 500 words
are looked at, and while words are counted the rarest are forgotten whenever there are more than 200,000, as in lossy counting.

Deerwester S. et al. (1990), Indexing by latent semantic analysis, JASIS 41(6), 391-407; Horn J. L. (1965), A rationale and test for the
number of factors in factor analysis, Psychometrika 30, 179-185; Manku G. S., Motwani R. (2002), Approximate frequency counts over data streams, VLDB,
346-357.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .table import Levels
from .words import words_of

__all__ = ["TextCoding", "code_texts", "fit_texts", "says"]

MOST_TEXTS = 20_000
MOST_TERMS = 2_000
MOST_WORDS = 500  # of a text, from its beginning
MOST_COUNTED = 200_000
MOST_DIRECTIONS = 10
_ITERATED = 50  # a smaller side of the matrix is decomposed whole
_BLOCK = 5_000
_TOLD = 20
# A direction must hold so much more than the one of its rank in each of as many shuffles: 3 of 75 sets of texts without themes kept one.
_SHUFFLES = 3
_MARGIN = 1.1


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
        """What tells the directions apart: the two words furthest to either side of each."""
        found = []
        for direction in self.directions.T:
            order = np.argsort(-direction, kind="stable")
            high = [self.terms[i] for i in order[:2] if direction[i] > 0]
            low = [self.terms[i] for i in order[::-1][:2] if direction[i] < 0]
            found.append(" or ".join(high) + (" against " + " or ".join(low) if low else ""))
        return found

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
    step = -(-len(levels.values) // MOST_TEXTS)
    texts, rows = levels.values[::step], levels.counts[::step].astype(np.float64)
    share = rows / max(rows.sum(), 1.0)
    terms = _shared_words(texts, share)
    if len(terms) < 2:
        return None, 0.0
    counts = _counts(texts, terms)
    weights = -np.log(share @ (counts > 0))
    values, directions, total = _directions(_weighted(counts, weights), share)
    shuffles = (_weighted(_shuffled(counts, seed), weights) for seed in range(_SHUFFLES))
    chance = np.max([_directions(rows, share)[0] for rows in shuffles], axis=0)
    stand_out = int(np.argmin(np.append(values > _MARGIN * chance, False)))  # the first that does not
    kept = max(stand_out, 2) if always else stand_out
    values, directions = values[:kept], directions[:, :kept]
    if not kept or not values.sum() > 0:
        return None, 0.0
    order = np.argsort(-(directions**2 @ values), kind="stable")
    center = share @ (_weighted(counts, weights) @ directions)
    coding = TextCoding(
        tuple(terms[i] for i in order), weights[order], np.ascontiguousarray(directions[order]), center, float(values.sum() / total)
    )  # fmt: skip
    return coding, float(values.sum())


def code_texts(coding: TextCoding, levels: Levels) -> NDArray[np.float64]:
    """Return where each text lies, (n, m): 0 is the mean; NaN where it is missing, or says none of the words."""
    places = np.full((len(levels.values) + 1, coding.directions.shape[1]), np.nan)
    for start in range(0, len(levels.values), _BLOCK):
        block = _counts(levels.values[start : start + _BLOCK], coding.terms)
        says_any = np.diff(block.indptr) > 0
        found = _weighted(block, coding.weights) @ coding.directions - coding.center
        places[start : start + block.shape[0]] = np.where(says_any[:, None], found, np.nan)
    return places[levels.codes]


def says(terms: Sequence[str], levels: Levels) -> NDArray[np.bool_]:
    """Return which of the words each text says, (n, t) bool; a missing text says none."""
    found = np.zeros((len(levels.values) + 1, len(terms)), bool)
    place = {term: i for i, term in enumerate(terms)}
    for i, text in enumerate(levels.values):
        found[i, [place[term] for term in words_of(text) if term in place]] = True
    return found[levels.codes]


def _shared_words(texts: Sequence[str], share: NDArray[np.float64]) -> list[str]:
    """Return the words that some but not all texts say, those first that the largest share of the rows says."""
    held: dict[str, float] = {}
    texts_with: Counter = Counter()
    for text, weight in zip(texts, share.tolist(), strict=True):
        for word in set(_first_words(text)):
            texts_with[word] += 1
            held[word] = held.get(word, 0.0) + weight
        if len(texts_with) > MOST_COUNTED:
            texts_with = _without_rarest(texts_with)
            held = {word: held[word] for word in texts_with}
    shared = [word for word, count in texts_with.items() if 1 < count < len(texts)]
    return sorted(shared, key=lambda word: (-held[word], word))[:MOST_TERMS]


def _without_rarest(texts_with: Counter) -> Counter:
    """Forget the words that the fewest texts say, all that are equally rare, until half of what may be counted is left at most."""
    counts = np.sort(np.fromiter(texts_with.values(), np.int64, len(texts_with)))
    rarest = counts[-(MOST_COUNTED // 2) - 1]
    return Counter({word: count for word, count in texts_with.items() if count > rarest})


def _first_words(text: str) -> list[str]:
    return words_of(text)[:MOST_WORDS]


def _counts(texts: Sequence[str], terms: Sequence[str]) -> Any:
    """Count the words of each text as a sparse (n, t) matrix."""
    from scipy.sparse import csr_array

    place = {term: i for i, term in enumerate(terms)}
    rows = (np.array([place[word] for word in _first_words(text) if word in place], np.int64) for text in texts)
    each = [np.unique(row, return_counts=True) for row in rows]
    indptr = np.concatenate([[0], np.cumsum([len(found) for found, _ in each])])
    indices = np.concatenate([np.empty(0, np.int64), *(found for found, _ in each)])
    data = np.concatenate([np.empty(0), *(times for _, times in each)])
    return csr_array((data, indices, indptr), shape=(len(texts), len(terms)))


def _weighted(counts: Any, weights: NDArray[np.float64]) -> Any:
    """Return (1 + log count) times the weight of the word, each row of length 1."""
    from scipy.sparse import csr_array

    data = (1 + np.log(counts.data)) * weights[counts.indices]
    owner = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    length = np.sqrt(np.bincount(owner, data**2, minlength=counts.shape[0]))
    return csr_array(
        (data / np.where(length > 0, length, 1.0)[owner], counts.indices, counts.indptr), shape=counts.shape
    )


def _shuffled(counts: Any, seed: int) -> Any:
    """Deal the words anew: texts keep how many they say, words how often they are said."""
    from scipy.sparse import csr_array

    times = counts.data.astype(np.int64)
    words = np.random.default_rng(seed).permutation(np.repeat(counts.indices, times))
    ends = np.append(0, np.cumsum(times))[counts.indptr]
    dealt = csr_array((np.ones(len(words)), words, ends), shape=counts.shape)
    dealt.sum_duplicates()
    return dealt


def _directions(rows: Any, share: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return the largest variances of the centered rows, the directions they lie in (t, m), and the total variance."""
    from scipy.sparse.linalg import LinearOperator, svds
    from threadpoolctl import threadpool_limits

    root = np.sqrt(share)
    mean = share @ rows
    scaled = rows.multiply(root[:, None]).tocsr()
    total = float(scaled.power(2).sum() - mean @ mean)
    with threadpool_limits(1, user_api="blas"):  # sums in one order: the same bits on any number of threads
        if min(rows.shape) <= _ITERATED:
            _, sizes, right = np.linalg.svd(scaled.toarray() - root[:, None] * mean, full_matrices=False)
        else:
            centered = LinearOperator(
                rows.shape,
                matvec=lambda x: scaled @ x.ravel() - root * (mean @ x.ravel()),
                rmatvec=lambda y: scaled.T @ y.ravel() - mean * (root @ y.ravel()),
                dtype=np.float64,
            )
            start = np.random.default_rng(0).standard_normal(min(rows.shape))
            _, sizes, right = svds(centered, k=MOST_DIRECTIONS, v0=start, return_singular_vectors="vh")
    order = np.argsort(-sizes, kind="stable")[:MOST_DIRECTIONS]
    right = right[order]
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    return sizes[order] ** 2, (right * signs[:, None]).T, max(total, np.finfo(float).tiny)
