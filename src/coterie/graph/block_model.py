"""The block model: classes of nodes that link alike, whoever they link to.

Two nodes are of one class when they link to the same classes in the same shares: to each other (a community), to anyone but
each other (the sides of a market), to a core, or to the next stage of a chain. How much a node links at all is its own (*degree
correction*). The best classes are those by which the graph is said in the fewest nats: the classes of the nodes, the links
between classes, and then the graph itself. That decides how many classes there are, too; noise has one.

A pass over the nodes takes O(m + n k min(k, degree)) time; memory is O(m + k^2 + n).
"""

from numbers import Integral
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from sklearn.utils import check_random_state

from ..arrays import Graph, is_tensor, like_input
from ..base import Interval, StrOptions
from ..errors import InputError
from ..graphs import to_scipy
from ..primitives.block_counts import block_counts
from ..primitives.components import number_sets
from ._base import GraphClusterer
from ._block_classes import whole_length
from ._block_links import Links, links_of
from ._block_search import search
from ._expected import between_nodes
from ._relations import relations

__all__ = ["BlockModel", "Model", "block_model"]

_WAYS: dict[Any, tuple[bool, ...]] = {True: (True,), False: (False,), "auto": (False, True)}


class Model(NamedTuple):
    """The classes that make a graph shortest to describe."""

    labels: (
        np.ndarray
    )  # (n,) int64: numbered by first appearance; nodes without links to others are in the largest class
    length: float  # nats of the description; with correction of degrees, once these are known
    lengths: np.ndarray  # (t, 2) float64: numbers of classes that were looked at, and the least nats found for each
    corrected: bool  # whether nodes of one class may have any degrees


_DECISIVE = (
    10.0  # nats, odds of 20,000 to one: in small real networks correction is the better guess where lengths are near
)


def block_model(
    graph: Graph,
    n_clusters: int | None,
    *,
    degree_corrected: bool | str,
    directed: bool,
    n_init: int,
    seed: int,
) -> Model:
    """Find the classes that make a graph shortest to describe.

    Parameters
    ----------
    graph : Graph
        On the host; symmetric unless directed.
    n_clusters : int or None
        How many classes; None finds out.
    degree_corrected : bool or "auto"
        "auto" looks for classes either way, and takes those with the shorter description, degrees included.
    directed : bool
    n_init : int
        Starts for each number of classes.
    seed : int

    Returns
    -------
    Model
    """
    n, adjacency = graph.n_nodes, to_scipy(between_nodes(graph)[0])
    linked = np.flatnonzero(np.diff(adjacency.indptr) + np.bincount(adjacency.indices, minlength=n))
    if len(linked) < n:
        adjacency = adjacency[linked][:, linked].tocsr()
        graph = Graph(adjacency.indptr.astype(np.int64), adjacency.indices.astype(np.int64), adjacency.data)
    if not len(linked):
        labels = _with_unlinked(np.zeros(1, np.int64), linked, n, n_clusters)
        return Model(labels, 0.0, np.array([[1.0, 0.0]]), degree_corrected is True)
    wanted = n_clusters and min(n_clusters, len(linked))
    ways = [links_of(graph, directed, way) for way in _WAYS[degree_corrected]]
    models = [_best(links, wanted, n_init, np.random.default_rng(seed)) for links in ways]
    best = models[-1]
    if len(models) == 2 and models[0].length < whole_length(ways[0], ways[1], best.labels) - _DECISIVE:
        best = models[0]
    return best._replace(labels=_with_unlinked(best.labels, linked, n, n_clusters))


class BlockModel(GraphClusterer):
    """Classes of nodes that link alike, as many as the graph has, and how these classes relate.

    Parameters
    ----------
    n_clusters : int or "auto", default="auto"
        Number of classes; "auto" takes the number with the shortest description, 1 in noise.
    degree_corrected : bool or "auto", default="auto"
        Whether nodes of one class may have any degrees. Without it, how much a node links is part of what its class is, and a
        core stands out from its periphery by that. "auto" looks both ways, in twice the time, and takes the shorter
        description, degrees included: hubs call for correction, and classes whose nodes are alike are said without.
    directed : bool, default=False
        Whether a link leads from its source to its target only; links out and links in then both tell the class of a node.
    n_init : int, default=2
        Starts by eigenvectors and by chance for each number of classes that is looked at closely.
    random_state : int, RandomState or None, default=None
        For the starts and the order in which nodes are looked at.

    Attributes
    ----------
    labels_ : (n,) int64 array
        0, 1, ... in order of first appearance. Nodes without links to others are in the largest class.
    n_clusters_ : int
        Number of classes.
    degree_corrected_ : bool
        Whether the classes were found with correction of degrees.
    image_matrix_ : (k, k) float64 array
        Weight of the links from class r to class s; see `coterie.graph.image_matrix`.
    relations_ : Relations
        Which classes attract, repel or feed each other; see `coterie.graph.relations`.
    description_length_ : float
        Nats that it takes to say the graph by its classes; with correction of degrees, once these are known.
    description_lengths_ : (t, 2) float64 array
        Numbers of classes that were looked at, and the nats of the shortest description found with each.
    n_features_in_ : int
        Number of nodes.

    See Also
    --------
    Leiden : communities, that is, classes that link inside; far faster on large graphs.

    Notes
    -----
    Links of nodes to themselves say nothing about classes and are not looked at; the image matrix counts them.

    The likelihood is that of Karrer and Newman in its exact form for counts, so that a weight of 3 is three links where weights
    are whole and scatter like counts; otherwise, so much weight is one link as makes them scatter like counts. In a graph
    without multiple links, those that chance would have put between busy nodes are allowed for. The labels of nodes are
    priced for nodes of like degrees together where that is shorter, so that a core of busy nodes is found.

    Starts are eigenvectors of either sign, degrees, and chance; nodes move, classes merge and divide as long as that shortens
    the description. Up to 8 classes, or 16 that are asked for, nodes are also drawn into classes as likely as these make the
    description short, which finds classes that are too weak for moves alone. The best found is no proof of the best there is: more starts may find better. ``predict`` gives a new node
    the class whose shares of links to the classes make its own links most likely; one without links joins the largest class.

    References
    ----------
    Karrer, Newman (2011). Stochastic blockmodels and community structure in networks. Physical Review E 83, 016107.
    doi:10.1103/PhysRevE.83.016107
    Peixoto (2014). Hierarchical block structures and high-resolution model selection in large networks. Physical Review X 4,
    011047. doi:10.1103/PhysRevX.4.011047
    Peixoto (2017). Nonparametric Bayesian inference of the microcanonical stochastic block model. Physical Review E 95, 012317.
    doi:10.1103/PhysRevE.95.012317

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import BlockModel
    >>> sides = np.repeat([0, 1], 12)
    >>> model = BlockModel(random_state=0).fit(np.not_equal.outer(sides, sides).astype(float))
    >>> model.labels_
    array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    >>> model.relations_.verdict.tolist()
    ['repels', 'attracts', 'repels']
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "degree_corrected": ["boolean", StrOptions({"auto"})],
        "directed": ["boolean"],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_clusters: int | str = "auto",
        *,
        degree_corrected: bool | str = "auto",
        directed: bool = False,
        n_init: int = 2,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.degree_corrected = degree_corrected
        self.directed = directed
        self.n_init = n_init
        self.random_state = random_state

    def fit(self, graph: Any, y: Any = None, *, n_nodes: int | None = None) -> "BlockModel":
        """Find the classes.

        Parameters
        ----------
        graph : Graph, sparse or dense matrix, edges, networkx or igraph graph
            Whatever `coterie.graphs.as_graph` takes.
        y : ignored
            Present by convention.
        n_nodes : int, optional
            How many nodes an array of edges has.

        Returns
        -------
        BlockModel
            This one.
        """
        self._validate_params()
        found = self._graph_in(graph, n_nodes, directed=self.directed)
        given = found.indptr
        found = Graph(*(part.cpu().numpy() if is_tensor(part) else part for part in found))
        wanted = None if self.n_clusters == "auto" else int(self.n_clusters)
        if wanted is not None and wanted > found.n_nodes:
            raise InputError(
                f"n_clusters must be at most the number of nodes, got n_clusters={wanted} with {found.n_nodes} nodes; "
                "lower n_clusters"
            )
        corrected = self.degree_corrected if self.degree_corrected == "auto" else bool(self.degree_corrected)
        model = block_model(
            found,
            wanted,
            degree_corrected=corrected,
            directed=bool(self.directed),
            n_init=int(self.n_init),
            seed=check_random_state(self.random_state).randint(2**31),
        )
        labels, self.description_length_, self.description_lengths_, self.degree_corrected_ = model
        self.n_clusters_ = int(labels.max()) + 1
        self.image_matrix_ = block_counts(found, labels).weights
        null = "auto" if self.degree_corrected_ else "sizes"
        self.relations_ = relations(found, labels, self.directed, null=null, found_in_links=True)
        self.labels_ = like_input(labels, given)
        return self

    def _predict_new(self, rows: csr_array, labels: np.ndarray) -> np.ndarray:
        """Return the class under which each row of links is most likely."""
        k = self.n_clusters_
        sizes = np.bincount(labels, minlength=k).astype(np.float64)
        unit = self.relations_.dispersion
        counts = self.image_matrix_ / unit + 1 / k  # no link yet is not a link never
        member = csr_array((np.ones(len(labels)), (np.arange(len(labels)), labels)), shape=(len(labels), k))
        found = np.full(rows.shape[0], int(sizes.argmax()))
        for start in np.arange(0, rows.shape[0], 4096):
            to = (rows[start : start + 4096] @ member).toarray() / unit
            if self.degree_corrected_:
                likelihood = to @ np.log(counts / counts.sum(axis=1, keepdims=True)).T
            else:
                rate = counts / np.outer(sizes, sizes)
                likelihood = to @ np.log(rate).T - rate @ sizes
            linked = to.any(axis=1)
            found[start : start + 4096][linked] = likelihood[linked].argmax(axis=1)
        return found


def _best(links: Links, wanted: int | None, n_init: int, rng: np.random.Generator) -> Model:
    """Return the shortest description found in these links, of as many classes as wanted, or of any number."""
    found = search(links, wanted, n_init, rng)
    lengths = np.array([[k, found[k].length()] for k in sorted(found)])
    best = wanted or int(lengths[np.argmin(lengths[:, 1]), 0])
    return Model(found[best].labels.astype(np.int64), found[best].length(), lengths, links.corrected)


def _with_unlinked(labels: np.ndarray, linked: np.ndarray, n: int, n_clusters: int | None) -> np.ndarray:
    """Return labels of all nodes: those without links join the largest class, or are classes where some are missing."""
    full = np.full(n, int(np.bincount(labels).argmax()))
    full[linked] = labels[: len(linked)]
    missing = (n_clusters or 0) - int(labels.max()) - 1
    if missing > 0:
        without = np.setdiff1d(np.arange(n), linked, assume_unique=True)
        if not len(linked):
            without = without[1:]
        full[without[:missing]] = labels.max() + 1 + np.arange(missing)
    return number_sets(full)
