"""Texts as bags of words: which words of a shared vocabulary each row says, and how often."""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from .table import Column
from .word_counts import MOST_WORDS
from .words import words_of

__all__ = ["Bag", "bag_of"]

MOST_TERMS = 50_000


class Bag(NamedTuple):
    """The words of a column of texts."""

    column: str
    terms: tuple[str, ...]  # those that at least two rows say, the most frequent first
    counts: Any  # (n, terms) csr_array: how often a row says each; nothing where the text is missing
    known: np.ndarray  # (n,) bool: where a text is


def bag_of(column: Column) -> Bag:
    """Count the words that rows share, of each text the first 500, and at most the 50,000 most frequent words.

    Parameters
    ----------
    column : Column
        Of texts.

    Returns
    -------
    Bag

    Examples
    --------
    >>> from coterie.tables import read
    >>> column = read({"about": ["red wine", "red beer", "old beer, red"]}).column("about")
    >>> found = bag_of(column)
    >>> found.terms, found.counts.toarray().astype(int).tolist()
    (('red', 'beer'), [[1, 0], [1, 1], [1, 1]])
    """
    from scipy.sparse import csr_array, vstack

    levels = column.levels
    said = [words_of(text)[:MOST_WORDS] for text in levels.values]
    rows_with: Counter[str] = Counter()
    for words, rows in zip(said, levels.counts.tolist(), strict=True):
        rows_with.update(dict.fromkeys(words, rows))
    shared = sorted((word for word, rows in rows_with.items() if rows > 1), key=lambda word: (-rows_with[word], word))
    place = {word: i for i, word in enumerate(shared[:MOST_TERMS])}
    each = [Counter(place[word] for word in words if word in place) for words in said]
    texts = csr_array(
        (
            np.array([times for one in each for times in one.values()], np.float64),
            np.array([term for one in each for term in one], np.int64),
            np.append(0, np.cumsum([len(one) for one in each])),
        ),
        shape=(len(each), len(place)),
    )
    known = levels.codes >= 0
    nothing = csr_array((1, len(place)), dtype=np.float64)
    counts = vstack([texts, nothing], format="csr")[np.where(known, levels.codes, len(each))]
    counts.sort_indices()
    return Bag(column.name, tuple(place), csr_array(counts), known)
