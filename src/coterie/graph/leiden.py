"""Leiden: communities of densely linked nodes, as many as there are, each of them connected.

A partition of the nodes is good when links fall within communities more often than they would by chance (*modularity*), or more
often than a given density (the *constant Potts model*, CPM). Leiden moves single nodes to communities of their neighbours,
divides what came out into well connected *parts*, makes each part a node of a smaller graph that begins with the communities
reached so far, and goes on there: nodes that were joined too early can part again. An iteration costs a few passes over the
links of some levels; the next one begins with its result. Memory: about 40 bytes for each of the 2 m stored links.
"""

from typing import Any

import numpy as np

from ..primitives.communities import CommunityGraph, well_connected_parts
from ._communities import CommunityClusterer, Partition, best_partition

__all__ = ["Leiden", "leiden"]


def leiden(
    graph: CommunityGraph,
    resolution: float,
    n_iterations: int | None,
    rng: Any,
    spare: list[np.ndarray] | None = None,
) -> Partition:
    """Find communities; see `coterie.primitives.communities` for the objective.

    Parameters
    ----------
    graph : CommunityGraph
    resolution : float
        In the graph's own unit.
    n_iterations : int or None
        At most so many; None goes on until an iteration gains nothing.
    rng : RandomState
    spare : list of int32 arrays, optional
        Memory that nobody needs any longer, for the graphs of the levels.

    Returns
    -------
    Partition
        Its levels are (n,) int64 arrays. Every community is connected, and numbered by its lowest node.
    """

    def parts_of(level: CommunityGraph, labels: Any, seed: int) -> Any:
        return well_connected_parts(level, labels, resolution, seed)

    return best_partition(graph, resolution, parts_of, n_iterations, rng, spare)


class Leiden(CommunityClusterer):
    """Communities of densely linked nodes, as many as there are; every one of them is connected.

    Parameters
    ----------
    resolution : float, default=1.0
        Higher: more and smaller communities. For "cpm", the density that communities exceed inside and stay below in between.
    objective : {"modularity", "cpm"}, default="modularity"
        "cpm", the constant Potts model, has no resolution limit: what it finds in a part of a graph doesn't depend on the rest.
    n_iterations : int, "auto" or None, default="auto"
        Iterations at most; it ends earlier where one gains less than a hundred-thousandth. None: only then. "auto": 10 for up
        to half a million links, where they are cheap, else 2.
    random_state : int, RandomState or None, default=None
        For the order in which nodes are looked at.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where to compute. Tensors are computed on where they are.

    Attributes
    ----------
    labels_ : (n,) int64 array
        0, 1, ... in order of first appearance. A node without links is a community of its own.
    n_clusters_ : int
        Number of communities.
    modularity_ : float
        Share of the links within communities, less the share expected by chance (resolution 1, whatever was optimised).
    quality_ : float
        What was made large: the modularity with this resolution; or, for "cpm", the weight of the links within communities
        less the resolution times the number (with ``node_weights``: sum of products of sizes) of pairs of nodes within them.
    hierarchy_ : tuple of (n,) int64 arrays
        The nodes of each level of the last iteration, finest first, as labels; each lies within one of the next level. The last
        is ``labels_``.
    coarsened_ : int or None
        Number of groups of nodes that were clustered where edges in blocks were too many for one machine, else None.
    n_features_in_ : int
        Number of nodes.

    See Also
    --------
    Louvain : the same without dividing communities again; somewhat faster, less good.
    BalancedCut : a given number of parts of equal size.
    BlockModel : classes that need not hold together inside.

    Notes
    -----
    The same bits on any number of threads: batches of nodes choose their communities at the same time, from what was before the
    batch, and where few nodes are left they are moved one by one. O(m) time for each iteration and level. Refinement draws among
    parts whose gains differ by less than a hundredth of a mean link. ``predict`` gives a new node the community that its links
    weigh most to.

    References
    ----------
    Traag, Waltman, van Eck (2019). From Louvain to Leiden: guaranteeing well-connected communities. Scientific Reports 9, 5233.
    doi:10.1038/s41598-019-41695-z
    Traag, Van Dooren, Nesterov (2011). Narrow scope for resolution-limit-free community detection. Physical Review E 84, 016114.
    doi:10.1103/PhysRevE.84.016114

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Leiden
    >>> links = np.array([[0, 1], [1, 2], [2, 0], [3, 4], [4, 5], [5, 3], [2, 3]])
    >>> model = Leiden(random_state=0).fit(links)
    >>> model.labels_
    array([0, 0, 0, 1, 1, 1])
    >>> round(model.modularity_, 4)
    0.3571
    """

    def _partition(self, *given: Any) -> Partition:
        return leiden(*given)
