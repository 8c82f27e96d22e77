"""Made texts of known themes among words that mean nothing."""

import numpy as np

COMMON = [
    "the",
    "and",
    "it",
    "was",
    "to",
    "of",
    "for",
    "this",
    "that",
    "my",
    "is",
    "on",
    "in",
    "with",
    "very",
    "had",
    "we",
    "they",
    "be",
    "not",
    "so",
    "but",
]
THEMES = (
    ["refund", "money", "charged", "invoice", "billing", "payment", "price", "bank"],
    ["late", "delivery", "courier", "parcel", "box", "damaged", "arrived", "shipping"],
    ["screen", "battery", "phone", "charger", "crash", "slow", "update", "button"],
)


def made_texts(n, *, strength=0.3, seed=0):
    """Return n texts, and the theme of each; ``strength`` is the share of words that are of the theme."""
    rng = np.random.default_rng(seed)
    themes = rng.integers(0, len(THEMES), n)
    texts = []
    for theme in themes:
        draws = rng.random(rng.integers(8, 25))
        words = [
            rng.choice(THEMES[theme])
            if u < strength
            else rng.choice(COMMON)
            if u < 0.75
            else f"word{rng.integers(800)}"
            for u in draws
        ]
        texts.append(" ".join(words))
    return texts, themes
