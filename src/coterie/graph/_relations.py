"""How classes relate: which link to each other more than they should, which less, and which feed which.

The classes may come from any method, or from outside. What two classes *should* link is what the degrees of their nodes
would make them by chance (the configuration model), or what their sizes would. The ratio of what is there to that is judged
by a z-score whose variance is measured from how unevenly the single nodes link, and all pairs are judged together at one rate
of false discoveries. Cost: two passes over the links (four where directed) and k^2.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph, to_numpy
from ..errors import InputError
from ..graphs import as_graph, to_scipy, undirected
from ..primitives.block_counts import block_counts
from ._block_classes import Classes
from ._block_links import links_of
from ._expected import alike, between_nodes, degree_null, size_null
from ._verdicts import feeds, judge

__all__ = ["Relations", "image_matrix", "relations"]

_NULLS = ("auto", "degrees", "sizes")


class Relations(NamedTuple):
    """One row for each pair of classes: unordered pairs, with the pairs of a class and itself; ordered ones where directed."""

    source: np.ndarray  # (p,) int64: a class
    target: np.ndarray  # (p,) int64: the other; not below the first where undirected
    count: np.ndarray  # type: ignore[assignment]  # (p,) float64: weight of the links, each once; no method of tuples here
    expected: np.ndarray  # (p,) float64: under the null
    density: np.ndarray  # (p,) float64: weight for each pair of nodes; nan where there is no pair
    log_ratio: np.ndarray  # (p,) float64: log2 of count over expected; -inf where there is no link, nan for 0 of 0
    z: np.ndarray  # (p,) float64: standard deviations above what is expected
    p_value: np.ndarray  # (p,) float64: two-sided; nan where there is too little to judge
    verdict: np.ndarray  # (p,) str: "attracts", "repels", "neutral" or "feeds"
    expected_by_size: np.ndarray  # (p,) float64: if all nodes were alike
    verdict_by_size: np.ndarray  # (p,) str: by that
    sizes: np.ndarray  # (k,) int64: nodes of each class
    names: tuple[str, ...]  # of the classes
    directed: bool
    null: str  # "degrees" or "sizes": what was taken
    dispersion: float  # weight that counts as one link
    left_out: int  # nodes of no class
    beyond_chance: bool  # False: classes found in these links that say no more than chance would; all is neutral then

    def columns(self) -> dict[str, np.ndarray]:
        """Return the table as columns: what ``pandas.DataFrame`` or ``polars.DataFrame`` take."""
        names = np.array(self.names, dtype=object)
        numbers = (
            *("count", "expected", "density", "log_ratio", "z", "p_value", "verdict"),
            *("expected_by_size", "verdict_by_size"),
        )
        return {"source": names[self.source], "target": names[self.target]} | {
            name: getattr(self, name) for name in numbers
        }

    def matrix(self, column: str) -> np.ndarray:
        """Return a column as a (k, k) array: sources in rows, targets in columns; symmetric where undirected."""
        values = getattr(self, column)
        k = len(self.sizes)
        table = np.empty((k, k), values.dtype)
        table[self.source, self.target] = values
        if not self.directed:
            table[self.target, self.source] = values
        return table

    def text(self) -> str:
        """Return the table for people, the strongest relations first."""
        arrow = "->" if self.directed else "-"
        order = np.argsort(-np.abs(self.z), kind="stable")
        head = ("classes", "links", "expected", "times", "z", "verdict")
        rows = [head] + [
            (
                f"{self.names[self.source[i]]} {arrow} {self.names[self.target[i]]}",
                f"{self.count[i]:.6g}",
                f"{self.expected[i]:.4g}",
                f"{self.count[i] / self.expected[i]:.3g}" if self.expected[i] else "",
                f"{self.z[i]:+.1f}",
                str(self.verdict[i]),
            )
            for i in order
        ]
        widths = [max(len(row[c]) for row in rows) for c in range(len(head))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if c in (0, 5) else cell.rjust(width)
                for c, (cell, width) in enumerate(zip(row, widths))
            ).rstrip()
            for row in rows
        )


def image_matrix(graph: Any, labels: Any, directed: bool = False, *, n_nodes: int | None = None) -> np.ndarray:
    """Return how much links which class to which.

    Parameters
    ----------
    graph : Graph, sparse or dense matrix, edges, networkx or igraph graph
        Whatever `coterie.graphs.as_graph` takes.
    labels : (n,) int array
        Class of each node from 0, by any method; -1 for none.
    directed : bool, default=False
        Whether a link leads from its source to its target only. A directed graph is made undirected, with a warning, if not.
    n_nodes : int, optional
        How many nodes an array of edges has.

    Returns
    -------
    (k, k) float64 array
        Sums of weights. Undirected: symmetric, and the diagonal holds twice what is inside a class, so that a row adds up to
        the degrees of its class. Nodes of no class and their links are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graph import image_matrix
    >>> image_matrix(np.array([[0, 1], [1, 2]]), [0, 0, 1], n_nodes=3)
    array([[2., 1.],
           [1., 0.]])
    """
    graph, labels = _taken_in(graph, labels, directed, n_nodes)
    return block_counts(graph, labels).weights


def relations(
    graph: Any,
    labels: Any,
    directed: bool = False,
    *,
    null: str = "auto",
    alpha: float = 0.05,
    min_links: float = 5.0,
    min_log_ratio: float = 0.07,
    found_in_links: bool = False,
    names: Sequence[str] | None = None,
    n_nodes: int | None = None,
) -> Relations:
    """Judge how each two classes relate.

    Parameters
    ----------
    graph : Graph, sparse or dense matrix, edges, networkx or igraph graph
        Whatever `coterie.graphs.as_graph` takes.
    labels : (n,) int array
        Class of each node from 0, by any method; nodes labelled -1 and their links are left out, and so are links of nodes to
        themselves: they would say of every class that it attracts itself.
    directed : bool, default=False
        Whether a link leads from its source to its target only.
    null : {"auto", "degrees", "sizes"}, default="auto"
        What is expected. "degrees": links fall at random on nodes of these degrees, so that a class of busy nodes is not said
        to attract everyone. "sizes": all pairs of nodes are alike, so that more means denser. "auto": sizes where it takes
        fewer nats to say that the nodes of a class are alike than how they differ in degree, so that classes are all there is
        to explain degrees; else degrees, which is nearly always so in real networks. The verdicts by size stand beside.
    alpha : float, default=0.05
        Share of false ones among the verdicts that are not neutral (Benjamini, Krieger and Yekutieli), and the largest p-value
        of any of them.
    min_links : float, default=5
        A pair is judged where at least so many links are there or expected.
    min_log_ratio : float, default=0.07
        Smaller differences are neutral however certain: 0.07 is one part in twenty.
    found_in_links : bool, default=False
        Whether the classes were found in these very links: they then attract themselves by their making, even in noise. With
        True, all is neutral unless the classes make the whole graph shorter to describe.
    names : sequence of k str, optional
        Names of the classes; default "0", "1", ...
    n_nodes : int, optional
        How many nodes an array of edges has.

    Returns
    -------
    Relations

    See Also
    --------
    coterie.BlockModel : finds the classes that relate most clearly.

    Notes
    -----
    The variance is that of the null times an overdispersion, the largest of: 1; the scatter of the weights; and how much more
    the nodes of either class differ in what they link to the other than chance allows. "feeds" is said of r -> s where links
    from r to s outnumber those from s to r significantly.

    References
    ----------
    Karrer, Newman (2011). Stochastic blockmodels and community structure in networks. Physical Review E 83, 016107.
    doi:10.1103/PhysRevE.83.016107
    Benjamini, Krieger, Yekutieli (2006). Adaptive linear step-up procedures that control the false discovery rate. Biometrika
    93, 491-507. doi:10.1093/biomet/93.3.491

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graph import relations
    >>> sides = np.repeat([0, 1], 10)
    >>> found = relations(np.not_equal.outer(sides, sides).astype(float), sides)
    >>> found.verdict.tolist()
    ['repels', 'attracts', 'repels']
    """
    if null not in _NULLS:
        raise InputError(f"null must be one of {', '.join(map(repr, _NULLS))}, got {null!r}")
    if not 0 < alpha < 1:
        raise InputError(f"alpha must be between 0 and 1, got {alpha!r}")
    graph, labels = _taken_in(graph, labels, directed, n_nodes)
    graph, power = between_nodes(graph)
    counts = block_counts(graph, labels)
    names = _names(names, len(counts.sizes))
    nulls = {
        "degrees": degree_null(graph, labels, counts, directed),
        "sizes": size_null(graph, labels, counts, directed),
    }
    if null == "auto":
        null = "sizes" if alike(graph, labels, nulls["sizes"].dispersion, directed) else "degrees"
    beyond = not found_in_links or _shortens(graph, labels, directed, corrected=null == "degrees")
    limits = alpha, min_links, min_log_ratio
    judged = {name: judge(one, *limits, beyond=beyond) for name, one in nulls.items()}
    chosen, (z, p_value, verdict, log_ratio), by_density = nulls[null], judged[null], judged["sizes"][2]
    if directed and beyond:
        outnumbered = feeds(nulls["sizes"], *limits)
        verdict[outnumbered] = by_density[outnumbered] = "feeds"
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        count, expected, by_size = (
            np.ldexp(x, power) for x in (chosen.count, chosen.expected, nulls["sizes"].expected)
        )
        density = np.where(chosen.node_pairs > 0, count / chosen.node_pairs, np.nan)
    return Relations(
        *chosen.pairs, count, expected, density, log_ratio, z, p_value, verdict, by_size, by_density,
        counts.sizes, names, directed, null, float(np.ldexp(chosen.dispersion, power)), int((labels < 0).sum()), beyond,
    )  # fmt: skip


def _taken_in(graph: Any, labels: Any, directed: bool, n_nodes: int | None) -> tuple[Graph, Any]:
    labels = to_numpy(labels)
    if labels.ndim != 1 or (labels.dtype.kind not in "iu" and not np.array_equal(labels, np.floor(labels))):
        raise InputError("labels must be whole numbers, one for each node; -1 stands for no class")
    labels = labels.astype(np.int64)
    shape: tuple[int, ...] = () if isinstance(graph, Graph) else np.shape(graph)
    if n_nodes is None and len(shape) == 2 and shape[0] != shape[1]:
        n_nodes = len(labels)  # edges; what is square is a matrix unless n_nodes says otherwise
    graph = as_graph(graph, n_nodes)
    if len(labels) != graph.n_nodes:
        raise InputError(f"labels must have one entry for each of the {graph.n_nodes} nodes, got {len(labels)}")
    if len(labels) and labels.min() < -1:
        raise InputError(f"labels must be at least 0, or -1 for nodes of no class; got {labels.min()}")
    if labels.max() < 0:
        raise InputError("labels put every node in no class (-1); there is nothing to relate")
    return graph if directed else undirected(graph, warn_as="relations"), labels


def _names(names: Sequence[str] | None, k: int) -> tuple[str, ...]:
    if names is None:
        return tuple(map(str, range(k)))
    if len(names) != k:
        raise InputError(f"names must have one name for each of the {k} classes, got {len(names)}")
    return tuple(map(str, names))


def _shortens(graph: Graph, labels: np.ndarray, directed: bool, *, corrected: bool) -> bool:
    """Say whether the classes make the links shorter to describe than one class does."""
    inside = np.flatnonzero(labels >= 0)
    adjacency = to_scipy(graph)[inside][:, inside].tocsr()
    part = Graph(adjacency.indptr.astype(np.int64), adjacency.indices.astype(np.int64), adjacency.data)
    links = links_of(part, directed, corrected)
    rng = np.random.default_rng(0)
    one = np.zeros(len(inside), np.int64)
    return Classes(links, labels[inside], rng).length() < Classes(links, one, rng).length()
