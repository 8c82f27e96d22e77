"""Clusters of nodes by their links and their attributes together.

Attributes are *smoothed* over the links: ``order`` times over, every node takes half of its row from itself and its neighbours. Beside
these coordinates stand those of the links alone, and ``alpha`` weighs the two. Both are chosen without labels: part of the
links and of the attribute values is held out, and the setting whose clusters predict it best wins. Many partitions, from all
settings that predict nearly as well, are merged into one. A step of smoothing costs O(m k), and nothing of n x n or of the
attributes' size is ever dense: O(m + nnz + n k) memory.
"""

import logging
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from ..arrays import Graph, like_input, to_numpy
from ..base import Interval, StrOptions
from ..errors import InputError, ResourceError
from ..primitives.memory import free_bytes
from ..tables.attribute_rows import AttributeCoder, AttributeRows, coded, fit_coder
from ._attributed_parts import (
    Coordinates,
    Judged,
    Setting,
    by_first_appearance,
    consensus,
    coordinates,
    heard,
    judged,
    k_means,
    partitions,
    refined,
    settings_for,
    width_of,
)  # fmt: skip
from ._base import GraphClusterer
from ._held_out import AttributeProfiles, attribute_profiles, attribute_scores, link_profiles, member, split
from ._node_keys import labels_of_keys, row_keys_of
from ._smoothing import adjacency

__all__ = ["AttributedGraphClustering", "attributed_clusters"]

_log = logging.getLogger("coterie.graph")
_TELLING = 0.01  # nats for each link and value, below which clusters tell nothing
_NEAR = 0.9  # settings that predict this share of what the best does take part


def attributed_clusters(
    links: csr_array,
    attributes: AttributeRows | None,
    k: int,
    settings: tuple[Setting, ...],
    n_partitions: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, dict[Setting, Judged], Coordinates]:
    """Choose settings by what they predict, merge many partitions into one, and let nodes move where they are likeliest.

    Parameters
    ----------
    links : (n, n) csr_array
        Symmetric, no self-loops, weights 1 on average.
    attributes : AttributeRows or None
    k : int
    settings : tuple of Setting
        To choose from.
    n_partitions : int
    rng : Generator

    Returns
    -------
    labels : (n,) int64 array
    embedding : (n, k + 1) array
    verdicts : dict of Setting to Judged
    space : Coordinates
        Of the settings that took part, and of each side alone.
    """
    shown = split(links, attributes, rng)
    verdicts, found = judged(shown, settings, k, rng)
    leading = best_of(verdicts)
    best = verdicts[leading] = heard(shown, found, k, verdicts[leading], rng)
    chosen = near_best(verdicts)
    alone = [setting for setting in settings if setting.alpha in (0, 1)]
    space = coordinates(links, attributes, [*chosen, *alone], width_of(k, 4), rng)
    embedding = consensus(partitions(space, chosen, k, n_partitions, rng), k, rng)
    labels = k_means(embedding, k, rng, n_init=10, max_iter=300)
    if attributes is not None and len(np.unique(attributes.groups)) == 1 and leading.alpha > 0:
        return labels, embedding, verdicts, space  # nothing could be held out: it is not known how far to trust
    trusted = best._replace(
        links_trust=best.links_trust * any(setting.alpha < 1 for setting in chosen),
        attributes_trust=best.attributes_trust * any(setting.alpha > 0 for setting in chosen),
    )
    return refined(links, attributes, labels, k, trusted, rng), embedding, verdicts, space


def best_of(verdicts: dict[Setting, Judged]) -> Setting:
    """Return the setting that saves most nats, the first of equals."""
    return max(verdicts, key=lambda setting: verdicts[setting].total)


def near_best(verdicts: dict[Setting, Judged]) -> list[Setting]:
    """Return the best setting, then those that save nearly as much; all where nothing saves anything."""
    best = best_of(verdicts)
    least = _NEAR * verdicts[best].total
    return [best] + [s for s, verdict in verdicts.items() if s != best and verdict.total >= least]


class AttributedGraphClustering(GraphClusterer):
    """Clusters of nodes that are linked among themselves and alike in their attributes.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups, at most the number of nodes.
    alpha : "auto" or float, default="auto"
        Weight of the attributes, from 0 (links alone) to 1. "auto" chooses without labels. At 1, links count only by
        smoothing, and not at all unless ``order`` is given.
    order : "auto" or int, default="auto"
        How often the attributes are smoothed over the links; 0 leaves them as they are. "auto" chooses without labels.
    attribute_kind : {"auto", "words", "numbers"}, default="auto"
        How an array is read. "auto": sparse ones, and tables of zeros and ones with at least 20 columns, as bags of words; others
        as numbers. Frames are coded column by column.
    n_init : int, default=24
        How many partitions are merged.
    random_state : int, RandomState or None, default=None
        Seed of what is held out and of the partitions.

    Attributes
    ----------
    labels_ : (n,) int64 array
        0, 1, ... in order of first appearance.
    embedding_ : (n, n_clusters + 1) array
        Nodes that the partitions keep together are close.
    alpha_, order_ : float, int
        The setting that predicts best; others that do nearly as well took part.
    settings_ : (n_settings, 5) array
        Of each setting tried: alpha, order, nats saved on unseen links and on unseen attribute values, and whether it took part.
    contributions_ : dict of str to float
        How much each side contributed. "links", "attributes": shares of the nats that the clusters of the best setting save on links and
        attribute values that they have not seen; they add up to 1, or to 0 where nothing is predicted. "links_nats",
        "attributes_nats": the nats. "links_alone", "attributes_alone": how far the clusters of one side alone are these
        clusters (adjusted mutual information; 1 the same, 0 no more than by chance, NaN where that side was not looked at).
    advice_ : tuple of str
        What to know of the answer; empty where all is well.
    n_features_in_ : int
        Number of nodes.

    See Also
    --------
    KMeans : For attributes without links.

    Notes
    -----
    Self-loops are left out, and a directed graph is made undirected with a warning. Weights count relative to their mean. Words count by
    TF-IDF, and a node with few of them says less to its neighbours. Numbers are scaled to unit variance; a missing one (NaN) stands at
    the mean and is not predicted.
    Columns of a frame are coded as by `coterie.tables.prepare`: medians or a value of their own stand in for what is missing. A node
    without links goes by its attributes, one without attributes by its links.

    A setting's clusters are found with 15% of links and values out of sight. What they save there is the log-likelihood of
    a degree-corrected block model for links, of a multinomial for words and a normal distribution for numbers, over the
    same without clusters. Where links and attributes tell different stories, the one that predicts more wins.

    Cost: some 100 (m + nnz) k operations for smoothing and O(n k^2) for each partition; memory O(m + nnz + n k). The same
    bits on any number of threads.

    References
    ----------
    Zhang, X., Liu, H., Li, Q., & Wu, X.-M. (2019). Attributed graph clustering via adaptive graph convolution. IJCAI, 4327-4333.
    https://doi.org/10.24963/ijcai.2019/601

    Binkiewicz, N., Vogelstein, J. T., & Rohe, K. (2017). Covariate-assisted spectral clustering. Biometrika, 104(2), 361-377.
    https://doi.org/10.1093/biomet/asx008

    Fern, X. Z., & Brodley, C. E. (2004). Solving cluster ensemble problems by bipartite graph partitioning. ICML.
    https://doi.org/10.1145/1015330.1015414

    Karrer, B., & Newman, M. E. J. (2011). Stochastic blockmodels and community structure in networks. Physical Review E, 83,
    016107. https://doi.org/10.1103/PhysRevE.83.016107

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import AttributedGraphClustering
    >>> edges = np.array([[0, 1], [1, 2], [0, 2], [3, 4], [4, 5], [3, 5], [2, 3]])
    >>> ages = np.array([[31.0], [30.0], [29.0], [64.0], [66.0], [65.0]])
    >>> AttributedGraphClustering(2, random_state=0).fit(edges, ages).labels_
    array([0, 0, 0, 1, 1, 1])
    """

    _state_attributes: ClassVar = (
        "_graph",
        "_coder",
        "_keys",
        "_link_profiles",
        "_profiles",
        "_trust",
        "_spread2",
        "_mean_weight",
    )
    _coder: AttributeCoder | None
    _profiles: AttributeProfiles | None
    _parameter_constraints: ClassVar = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "alpha": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="both")],
        "order": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
        "attribute_kind": [StrOptions({"auto", "words", "numbers"})],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        alpha="auto",
        order="auto",
        attribute_kind="auto",
        n_init=24,
        random_state=None,
    ):
        self.n_clusters = n_clusters
        self.alpha = alpha
        self.order = order
        self.attribute_kind = attribute_kind
        self.n_init = n_init
        self.random_state = random_state

    def fit(self, graph, attributes=None, y=None, *, n_nodes=None):
        """Find the clusters.

        Parameters
        ----------
        graph : Graph, (n, n) matrix, (m, 2) or (m, 3) edges, networkx or igraph graph
            See `coterie.graphs.as_graph`.
        attributes : (n, d) array, sparse matrix or frame, optional
            A row for each node. Without, the clusters are of the links alone, and ``advice_`` says so.
        y : ignored
        n_nodes : int, optional
            How many nodes an array of edges has.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If the graph or the attributes cannot be read, or there are more clusters than nodes.
        ResourceError
            If the coordinates would not fit into memory.
        """
        self._validate_params()
        given = self._graph_in(graph, n_nodes)
        n, k = given.n_nodes, self.n_clusters
        if n < k:
            raise InputError(f"n_samples={n} should be >= n_clusters={k}; lower n_clusters or add nodes")
        self._coder = None if attributes is None else fit_coder(attributes, n, self.attribute_kind)
        rows = None if self._coder is None else coded(self._coder, attributes)
        links, self._mean_weight = adjacency(given)
        settings = settings_for(self.alpha, self.order, has_attributes=rows is not None)
        self._check_memory(n, settings)
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))
        with threadpool_limits(1, user_api="blas"):  # sums in one order: the same bits on any number of threads
            labels, self.embedding_, verdicts, space = attributed_clusters(links, rows, k, settings, self.n_init, rng)
            labels = by_first_appearance(labels)
            self._keep_choice(verdicts, space, labels, rng)
        self._keep_profiles(links, rows, labels, verdicts[best_of(verdicts)].pulls)
        self._keys = row_keys_of(self._graph, rows)
        self.advice_ = self._advise(rows, verdicts, labels)
        self.labels_ = like_input(labels, given.indptr)
        return self

    def fit_predict(self, graph, attributes=None, y=None, *, n_nodes=None):
        """Find the clusters and return ``labels_``.

        Parameters
        ----------
        graph, attributes, y, n_nodes
            As for `fit`.

        Returns
        -------
        (n,) int64 array
        """
        return self.fit(graph, attributes, y, n_nodes=n_nodes).labels_

    def predict(self, links, attributes=None):
        """Return the cluster that each node's links and attributes are likeliest in.

        A node with the links (and attributes) of a fitted node has that node's label. Any other goes where the logarithms of
        the probabilities of its links and of its attribute values add up to most, each side weighed as in the fit; the
        lowest of equals, and the largest cluster where it has neither.

        Parameters
        ----------
        links : (m, n) array or sparse matrix, or Graph
            Weights of the links from each node to the n fitted nodes.
        attributes : (m, d) array, sparse matrix or frame, optional
            The columns of the fit. Without, the links alone decide.

        Returns
        -------
        (m,) int64 array
        """
        check_is_fitted(self)
        if attributes is None:
            return super().predict(links)
        if self._coder is None:
            raise InputError("the fit had no attributes; leave them out of predict")
        rows, values = self._links_in(links), coded(self._coder, attributes)
        if values.rows.shape[0] != rows.shape[0]:
            raise InputError(
                f"attributes must have a row for each of the {rows.shape[0]} nodes, got {values.rows.shape[0]} rows"
            )
        labels = to_numpy(self.labels_)
        keys = row_keys_of(Graph(rows.indptr, rows.indices, rows.data), values)
        found = labels_of_keys(self._keys, labels, keys)
        new = np.flatnonzero(found < 0)
        if len(new):
            part = AttributeRows(values.rows[new], values.known[new], values.groups)
            found[new] = self._likeliest(rows[new], part, labels)
        return like_input(found, self.labels_)

    def _predict_new(self, rows, labels):
        return self._likeliest(rows, None, labels)

    def _likeliest(self, rows, values, labels):
        k = len(self._link_profiles)
        weight = max(self._trust[0], 0.0 if values is not None else 1.0)
        gain = weight / self._mean_weight * (rows @ member(labels, k)) @ self._link_profiles
        if values is not None and self._profiles is not None:
            gain = gain + self._trust[1] * attribute_scores(values, self._profiles)
        largest = int(np.bincount(labels, minlength=k).argmax())
        return np.where((gain != 0).any(axis=1), gain.argmax(axis=1), largest)

    def _check_memory(self, n, settings):
        width = width_of(self.n_clusters, 4)
        n_spaces = 1 + len({setting.order for setting in settings})
        asked = 8.0 * n * (n_spaces * width + 4 * (width + 10)) + 24.0 * n * self.n_init
        if asked > free_bytes():
            raise ResourceError(
                f"the coordinates of {n:,} nodes need {asked / 1e9:.1f} GB and {free_bytes() / 1e9:.1f} GB are free; "
                "give alpha and order, or lower n_clusters or n_init"
            )

    def _keep_choice(self, verdicts, space, labels, rng):
        best = best_of(verdicts)
        took_part = set(near_best(verdicts))
        self.alpha_, self.order_ = best.alpha, best.order
        self.settings_ = np.array([[*s, v.links, v.attributes, s in took_part] for s, v in verdicts.items()])
        judged_best = verdicts[best]
        trust = judged_best.links_trust, judged_best.attributes_trust
        self._trust = trust if max(trust) > 0 else (1.0, 1.0)  # of new nodes something must be said
        self._spread2 = judged_best.spread2
        total = judged_best.total
        self.contributions_ = {
            "links": judged_best.links / total if total > 0 else 0.0,
            "attributes": judged_best.attributes / total if total > 0 else 0.0,
            "links_nats": judged_best.links,
            "attributes_nats": judged_best.attributes,
        }
        for name, alpha in (("links_alone", 0), ("attributes_alone", 1)):
            alone = [s for s in verdicts if s.alpha == alpha and (alpha == 0 or s.order == 0)]
            self.contributions_[name] = float("nan")
            if alone:
                rows = space.rows(alone[0], width_of(self.n_clusters, 2))
                other = k_means(rows, self.n_clusters, rng, n_init=3)
                self.contributions_[name] = float(adjusted_mutual_info_score(labels, other))

    def _keep_profiles(self, links, rows, labels, pulls):
        k = int(labels.max()) + 1
        self._link_profiles = link_profiles(links, labels, k, pulls[0])
        self._profiles = None if rows is None else attribute_profiles(rows, labels, k, pulls[1], self._spread2)

    def _advise(self, rows, verdicts, labels):
        advice = []
        if rows is None:
            advice.append("no attributes were given: the clusters are of the links alone")
        best = verdicts[best_of(verdicts)]
        n_told = len(self._graph.indices) / 2 + (0 if rows is None else rows.known.sum())
        if self.n_clusters > 1 and not best.total > _TELLING * n_told:
            advice.append(
                "the clusters predict neither links nor attributes that they have not seen: they may be noise"
            )
        n_found = int(labels.max()) + 1
        if n_found < self.n_clusters:
            advice.append(f"{n_found} of n_clusters={self.n_clusters} clusters hold nodes: fewer can be told apart")
        for sentence in advice:
            _log.info("%s", sentence)
        return tuple(advice)
