"""The one gate in for graphs: whatever stands for a graph becomes a `Graph`, and nothing about it changes unsaid.

- Weights are finite and at least 0; a link of weight 0 is none.
- Links that are listed several times are one link with the sum of their weights.
- A node without links is a node.
- An undirected edge stands in the rows of both its ends. One from a node to itself has two ends there: it stands once, with
  twice its weight, and so the sum of a row is the degree that networkx and igraph count.
- A matrix is taken as it is: entry (i, j) is the weight of the link from i to j. It is directed where it is not symmetric.
"""

from .edges import from_edges
from .gate import as_graph
from .symmetry import is_directed, to_scipy, undirected

__all__ = ["as_graph", "from_edges", "is_directed", "to_scipy", "undirected"]
