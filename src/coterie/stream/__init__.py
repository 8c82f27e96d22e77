"""Algorithms that read their rows once, in chunks: every state can be begun, continued, merged and finished."""
