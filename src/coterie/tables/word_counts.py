"""How often each text says each of the words that texts share, and how much that weighs (TF-IDF).

Memory is bounded: of each text the first 500 words are looked at, 2,000 words are kept, and while words are counted the rarest are forgotten
whenever there are more than 200,000, as in lossy counting.

Manku G. S., Motwani R. (2002), Approximate frequency counts over data streams, VLDB, 346-357.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .words import words_of

__all__ = [
    "MOST_COUNTED",
    "MOST_TERMS",
    "MOST_WORDS",
    "first_words",
    "shared_words",
    "shuffled",
    "weighted",
    "without_rarest",
    "word_counts",
]

MOST_TERMS = 2_000
MOST_WORDS = 500  # of a text, from its beginning
MOST_COUNTED = 200_000


def shared_words(texts: Sequence[str], share: NDArray[np.float64]) -> list[str]:
    """Return the words that some but not all texts say, those first that the largest share of the rows says."""
    held: dict[str, float] = {}
    texts_with: Counter = Counter()
    for text, weight in zip(texts, share.tolist(), strict=True):
        for word in set(first_words(text)):
            texts_with[word] += 1
            held[word] = held.get(word, 0.0) + weight
        if len(texts_with) > MOST_COUNTED:
            texts_with = without_rarest(texts_with)
            held = {word: held[word] for word in texts_with}
    shared = [word for word, count in texts_with.items() if 1 < count < len(texts)]
    return sorted(shared, key=lambda word: (-held[word], word))[:MOST_TERMS]


def without_rarest(texts_with: Counter) -> Counter:
    """Return the counts without the words of the fewest texts, until at most half of what may be counted is left."""
    counts = np.sort(np.fromiter(texts_with.values(), np.int64, len(texts_with)))
    rarest = counts[-(MOST_COUNTED // 2) - 1]
    return Counter({word: count for word, count in texts_with.items() if count > rarest})


def first_words(text: str) -> list[str]:
    """Return the words of a text that are looked at."""
    return words_of(text)[:MOST_WORDS]


def word_counts(texts: Sequence[str], terms: Sequence[str]) -> Any:
    """Count the words of each text as a sparse (n, t) matrix."""
    from scipy.sparse import csr_array

    place = {term: i for i, term in enumerate(terms)}
    rows = (np.array([place[word] for word in first_words(text) if word in place], np.int64) for text in texts)
    each = [np.unique(row, return_counts=True) for row in rows]
    indptr = np.concatenate([[0], np.cumsum([len(found) for found, _ in each])])
    indices = np.concatenate([np.empty(0, np.int64), *(found for found, _ in each)])
    data = np.concatenate([np.empty(0), *(times for _, times in each)])
    return csr_array((data, indices, indptr), shape=(len(texts), len(terms)))


def weighted(counts: Any, weights: NDArray[np.float64]) -> Any:
    """Return (1 + log count) times the weight of the word, each row of length 1."""
    from scipy.sparse import csr_array

    data = (1 + np.log(counts.data)) * weights[counts.indices]
    owner = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    length = np.sqrt(np.bincount(owner, data**2, minlength=counts.shape[0]))
    return csr_array(
        (data / np.where(length > 0, length, 1.0)[owner], counts.indices, counts.indptr), shape=counts.shape
    )


def shuffled(counts: Any, seed: int) -> Any:
    """Deal the words anew: texts keep how many they say, words how often they are said."""
    from scipy.sparse import csr_array

    times = counts.data.astype(np.int64)
    words = np.random.default_rng(seed).permutation(np.repeat(counts.indices, times))
    ends = np.append(0, np.cumsum(times))[counts.indptr]
    dealt = csr_array((np.ones(len(words)), words, ends), shape=counts.shape)
    dealt.sum_duplicates()
    return dealt
