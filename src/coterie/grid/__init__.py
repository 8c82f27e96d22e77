"""Grid methods: rows are counted in cells once, and everything after that looks at cells only."""

from ._sting_cells import merge_cells

__all__ = ["merge_cells"]
