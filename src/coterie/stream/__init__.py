"""Algorithms that read their rows once, in chunks: every state can be begun, continued, merged and finished."""

from .chunks import fit_chunks, predict_chunks

__all__ = ["fit_chunks", "predict_chunks"]
