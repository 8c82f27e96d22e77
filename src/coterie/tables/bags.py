"""Texts as bags of words: which words of a shared vocabulary each row says, and how often."""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from .table import Column
from .word_counts import MOST_COUNTED, first_words, without_rarest, word_counts

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

    Memory is bounded as in `word_counts`: while words are counted, the rarest are forgotten.

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
    rows_with: Counter[str] = Counter()
    for text, rows in zip(levels.values, levels.counts.tolist(), strict=True):
        rows_with.update(dict.fromkeys(first_words(text), rows))
        if len(rows_with) > MOST_COUNTED:
            rows_with = without_rarest(rows_with)
    shared = sorted((word for word, rows in rows_with.items() if rows > 1), key=lambda word: (-rows_with[word], word))
    terms = tuple(shared[:MOST_TERMS])
    known = levels.codes >= 0
    counts = vstack([word_counts(levels.values, terms), csr_array((1, len(terms)))], format="csr")
    return Bag(column.name, terms, csr_array(counts[np.where(known, levels.codes, len(levels.values))]), known)
