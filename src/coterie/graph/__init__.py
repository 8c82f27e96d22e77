"""Clustering the nodes of a graph: balanced cuts, spectral, communities, links with attributes, and blocks."""

__all__: list[str] = []
