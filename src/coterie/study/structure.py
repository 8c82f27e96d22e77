"""Is there any structure at all? The answer may be no."""

from typing import Any

import numpy as np

__all__ = ["examine"]


def examine(X: np.ndarray, choice, *, seed: int = 0) -> dict[str, Any]:
    """Return the ``structure`` part of the record."""
    best = choice.candidates[choice.winner]
    verdict = "clusters" if best.score > 0.25 else "weak" if best.score > 0.1 else "none"
    return {
        "verdict": verdict,
        "sentence": "",
        "statistic": best.score,
        "null_mean": None,
        "null_sd": None,
        "p_value": None,
    }
