"""Draw the picture of each algorithm's page: ``make pictures``. The data are seeded, and what is drawn is a real fit."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from drawing import Panel, page
from scipy.cluster.hierarchy import dendrogram
from scipy.spatial import Delaunay
from sklearn.datasets import load_digits, make_blobs, make_moons
from sklearn.decomposition import PCA

import coterie
from coterie.catalog import ALL
from coterie.report.palette import color

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "algorithms" / "images"
DRAWN: dict[str, Callable[[], str]] = {}


def picture(function: Callable[[], str]) -> Callable[[], str]:
    """Register a function under the name of its algorithm's page."""
    DRAWN[function.__name__] = function
    return function


def main() -> int:
    """Draw the pictures that are named, or all."""
    IMAGES.mkdir(exist_ok=True)
    for name in sys.argv[1:] or DRAWN:
        (IMAGES / f"{name}.svg").write_text(DRAWN[name]())
    pages = [line.target.partition(":")[0].rpartition(".")[2] for line in ALL]
    missing = [name for name in pages if not (IMAGES / f"{name}.svg").exists()]
    if missing:
        print("no picture of", ", ".join(missing), file=sys.stderr)
    return bool(missing)


def blobs(n: int = 360) -> np.ndarray:
    """Return five round groups of unequal width."""
    centers = [[0, 0], [5, 1], [1, 6], [8, 6], [4.5, 9]]
    return make_blobs(n, centers=np.array(centers), cluster_std=[0.7, 1.1, 0.8, 1.2, 0.6], random_state=3)[0]


def shapes() -> np.ndarray:
    """Return two moons, a dense blob and scattered rows."""
    moons = make_moons(520, noise=0.055, random_state=1)[0] * [3, 4]
    random = np.random.default_rng(0)
    return np.vstack([moons, random.normal([5.6, 4.6], 0.22, (90, 2)), random.uniform([-4, -3.5], [7.5, 6.5], (60, 2))])


@picture
def kmeans() -> str:
    """Show centers, and sizes without and with a bound."""
    X = make_blobs(
        [150, 110, 60, 25, 15], centers=np.array([[0, 0], [5, 1], [1, 6], [8, 6], [4.5, 9]]), random_state=3
    )[0]
    free = coterie.KMeans(5, n_init=10, random_state=0).fit(X)
    even = coterie.KMeans(5, n_init=10, random_state=0, min_cluster_size=60).fit(X)
    return page(
        Panel.around("five means", X).dots(X, free.labels_).crosses(free.cluster_centers_),
        Panel.around("at least 60 rows each", X).dots(X, even.labels_).crosses(even.cluster_centers_),
    )


@picture
def dbscan() -> str:
    """Show groups of any shape and noise, at two radii."""
    X = shapes()
    return page(
        *(
            Panel.around(f"eps = {eps}", X).dots(X, coterie.DBSCAN(eps=eps, min_samples=6).fit_predict(X))
            for eps in (0.5, 1.1)
        )
    )


@picture
def hdbscan() -> str:
    """Show groups at their own densities, and how sure each row is."""
    X = shapes()
    model = coterie.HDBSCAN(min_cluster_size=20).fit(X)
    sure = Panel.around("larger: surer", X)
    for low, radius in ((0.0, 1.2), (0.5, 2.0), (0.8, 2.9)):
        rows = (model.probabilities_ >= low) & (model.labels_ >= 0)
        sure.dots(X[rows], model.labels_[rows], radius)
    return page(Panel.around("groups and noise", X).dots(X, model.labels_), sure)


@picture
def kmedoids() -> str:
    """Show medoids, which are rows, beside means, which a few outliers pull away."""
    X = np.vstack([blobs(300), [[14.5, -1], [14, 0], [15, 0.5], [14.5, -2], [13.8, -1.4]]])
    medoids = coterie.KMedoids(5, random_state=0).fit(X)
    means = coterie.KMeans(5, random_state=0).fit(X)
    return page(
        Panel.around("medoids", X).dots(X, medoids.labels_).crosses(medoids.cluster_centers_),
        Panel.around("means", X).dots(X, means.labels_).crosses(means.cluster_centers_),
    )


@picture
def clara() -> str:
    """Show one sample and the clusters of all rows around the medoids found in samples."""
    X = blobs(1500)
    model = coterie.CLARA(5, random_state=0).fit(X)
    sample = np.random.default_rng(0).choice(len(X), 60, replace=False)
    return page(
        Panel.around("medoids are sought in samples", X)
        .dots(X, np.full(len(X), -1))
        .dots(X[sample], np.zeros(60), 3.0),
        Panel.around("every row joins its nearest", X).dots(X, model.labels_).crosses(model.cluster_centers_),
    )


@picture
def clarans() -> str:
    """Show the loss by the share of neighbours that are tried, and the clusters."""
    X = blobs(1500)
    tries = np.array([1, 2, 4, 8, 16, 32, 64, 128])
    loss = [coterie.CLARANS(5, num_local=1, max_neighbor=int(t), random_state=0).fit(X).inertia_ for t in tries]
    model = coterie.CLARANS(5, random_state=0).fit(X)
    curve = np.column_stack([np.log2(tries), np.array(loss) / model.inertia_])
    panel = Panel("loss by max_neighbor, the default is 1", [-0.5, 0.95], [7.5, 1.05 * curve[:, 1].max()])
    panel.lines(curve[:-1], curve[1:], color(0), 2.0).dots(curve, np.zeros(len(curve)), 3.5)
    for x, y, tried in zip(curve[:, 0], curve[:, 1], tries, strict=True):
        panel.words(str(tried), [x, y + 0.03 * curve[:, 1].max()])
    return page(Panel.around("clusters", X).dots(X, model.labels_).crosses(model.cluster_centers_), panel)


@picture
def kprototypes() -> str:
    """Show a number against a category: prototypes have a mean and a mode."""
    random = np.random.default_rng(2)
    group = random.choice(3, 300)
    number = random.normal(np.array([2.0, 5.0, 5.5])[group], 0.8)
    usual = np.array([0, 2, 1])[group]
    category = np.where(random.random(300) < 0.85, usual, random.choice(3, 300))
    labels = coterie.KPrototypes(3, categorical=[1], random_state=0).fit_predict(np.column_stack([number, category]))
    shown = np.column_stack([number, category + random.uniform(-0.3, 0.3, 300)])
    panel = Panel("a number (across) and a category (up)", [-1, -0.6], [9, 2.6]).dots(shown, labels)
    for y, word in enumerate(("red", "green", "blue")):
        panel.words(word, [-0.4, y])
    return page(panel)


@picture
def optics() -> str:
    """Show the reachability plot: valleys are clusters."""
    X = shapes()
    model = coterie.OPTICS(min_samples=12, xi=0.1, min_cluster_size=40).fit(X)
    reach, labels = model.reachability_[model.ordering_], model.labels_[model.ordering_]
    top = np.quantile(reach[np.isfinite(reach)], 0.99)
    panel = Panel("reachability in the order of the walk", [0, 0], [len(X), top])
    for label in np.unique(labels):
        at = np.flatnonzero(labels == label)
        foot = np.column_stack([at, np.zeros(len(at))])
        panel.lines(foot, foot + np.column_stack([np.zeros(len(at)), np.minimum(reach[at], top)]), color(label), 0.7)
    return page(Panel.around("clusters", X).dots(X, model.labels_), panel)


@picture
def local_outlier_factor() -> str:
    """Show each row's factor as a ring."""
    X = shapes()
    factor = -coterie.LocalOutlierFactor(n_neighbors=20).fit(X).negative_outlier_factor_
    panel = Panel.around("larger rings: sparser than their neighbours", X).dots(X, np.zeros(len(X)), 1.6)
    rows = np.argsort(factor)[-60:]
    return page(panel.rings(X[rows], 0.12 * np.minimum(factor[rows], 6), [color(5)] * len(rows)))


@picture
def agglomerative() -> str:
    """Show the tree of Ward's merges and one cut."""
    X = blobs(150)
    model = coterie.AgglomerativeClustering(5).fit(X)
    return page(Panel.around("five clusters", X).dots(X, model.labels_), tree("Ward's tree", model.linkage_matrix_, 5))


@picture
def diana() -> str:
    """Show the tree of divisions and one cut."""
    X = blobs(150)
    model = coterie.DIANA(5).fit(X)
    return page(
        Panel.around("five clusters", X).dots(X, model.labels_), tree("tree of diameters", model.linkage_matrix_, 5)
    )


def tree(title: str, linkage: np.ndarray, k: int) -> Panel:
    """Draw a dendrogram and the line that cuts it into k clusters."""
    drawn = dendrogram(linkage, no_plot=True)
    x, y = np.array(drawn["icoord"]) / 10, np.array(drawn["dcoord"])
    panel = Panel(title, [0, 0], [len(linkage) + 1, y.max()])
    for i in range(3):
        panel.lines(np.column_stack([x[:, i], y[:, i]]), np.column_stack([x[:, i + 1], y[:, i + 1]]))
    cut = linkage[-k : -k + 2, 2].mean()
    return panel.lines(np.array([[0, cut]]), np.array([[len(linkage) + 1, cut]]), color(5), 1.5)


@picture
def genie() -> str:
    """Show what the limit on inequality does against single linkage."""
    X = shapes()
    return page(
        *(
            Panel.around(title, X).dots(X, coterie.Genie(3, gini_threshold=limit).fit_predict(X))
            for title, limit in (("single linkage", 1.0), ("Gini index at most 0.3", 0.3))
        )
    )


@picture
def spectral() -> str:
    """Show shapes that no means can stand for."""
    moons = make_moons(400, noise=0.06, random_state=2)[0]
    random = np.random.default_rng(1)
    angle = random.uniform(0, 2 * np.pi, 600)
    radius = np.repeat([1.0, 2.2, 3.4], [100, 200, 300]) + random.normal(0, 0.09, 600)
    rings = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return page(
        *(
            Panel.around(f"{k} clusters", X).dots(X, coterie.SpectralClustering(k, random_state=0).fit_predict(X))
            for k, X in ((2, moons), (3, rings))
        )
    )


@picture
def bisecting_kmeans() -> str:
    """Show two and five clusters of one tree."""
    X = blobs()
    return page(*(bisected(X, coterie.BisectingKMeans(k, random_state=0)) for k in (2, 5)))


@picture
def pddp() -> str:
    """Show two and five clusters of one tree."""
    X = blobs()
    return page(*(bisected(X, coterie.PDDP(k)) for k in (2, 5)))


def bisected(X: np.ndarray, model: Any) -> Panel:
    """Draw a fit and its centers."""
    labels = model.fit_predict(X)
    return Panel.around(f"{model.n_clusters} clusters", X).dots(X, labels).crosses(model.cluster_centers_)


@picture
def minibatch_kmeans() -> str:
    """Show centers after one batch and after all."""
    X = blobs(1500)
    model = coterie.MiniBatchKMeans(5, batch_size=100, random_state=1)
    early = Panel.around("after 100 rows", X)
    model.partial_fit(X[:100])
    early.dots(X[:100], model.predict(X[:100])).crosses(model.cluster_centers_)
    model = coterie.MiniBatchKMeans(5, batch_size=100, random_state=1).fit(X)
    return page(early, Panel.around("after all", X).dots(X, model.labels_).crosses(model.cluster_centers_))


@picture
def birch() -> str:
    """Show subclusters, and the clusters made of them."""
    X = blobs(1500)
    model = coterie.Birch(threshold=0.5, n_clusters=5).fit(X)
    centers, labels = model.subcluster_centers_, model.subcluster_labels_
    rings = Panel.around(f"{len(centers)} subclusters", X).dots(X, np.full(len(X), -1))
    return page(
        rings.rings(centers, [0.35] * len(centers), [color(label) for label in labels]),
        Panel.around("five clusters", X).dots(X, model.labels_),
    )


@picture
def sting() -> str:
    """Show the relevant cells, and the rows in them."""
    X = shapes()
    return page(*celled(X, coterie.STING(n_cells=20, min_points=3).fit(X), 20))


@picture
def wavecluster() -> str:
    """Show the cells above the threshold after one transform, and the rows in them."""
    X = shapes()
    return page(*celled(X, coterie.WaveCluster(n_cells=32).fit(X), 16))


def celled(X: np.ndarray, model: Any, n_cells: int) -> tuple[Panel, Panel]:
    """Draw cells by the label that their middles get, and rows."""
    low, side = X.min(axis=0), np.ptp(X, axis=0) / n_cells
    corner = low + side * np.stack(np.meshgrid(np.arange(n_cells), np.arange(n_cells)), -1).reshape(-1, 2)
    labels = model.predict(corner + side / 2)
    corner, labels = corner[labels >= 0], labels[labels >= 0]
    cells = Panel.around("cells", X).dots(X, np.full(len(X), -1))
    cells.boxes(corner, corner + side, [color(label) for label in labels])
    return cells, Panel.around("rows in them", X).dots(X, model.labels_)


@picture
def clique() -> str:
    """Show dense units of two columns, and the boxes that describe them."""
    X = blobs(1500)
    model = coterie.CLIQUE(n_intervals=12, density_threshold=0.012).fit(X)
    panel = Panel.around("dense units", X).dots(X, np.full(len(X), -1))
    low, side = X.min(axis=0), np.ptp(X, axis=0) / 12
    for i, cluster in enumerate(c for c in model.clusters_ if len(c.dimensions) == 2):
        corner = low + side * np.asarray(cluster.units)
        panel.boxes(corner, corner + side, [color(i)] * len(corner))
    full = coterie.CLIQUE(n_intervals=12, density_threshold=0.012, full_space=True).fit(X)
    return page(panel, Panel.around("rows of the clusters of both columns", X).dots(X, full.labels_))


@picture
def attributed() -> str:
    """Show four groups that links and attributes each tell apart in part."""
    random = np.random.default_rng(4)
    groups = np.repeat(np.arange(4), 60)
    X = np.array([[0.0, 0], [2.4, 0], [0, 2.4], [2.4, 2.4]])[groups] + 0.9 * random.normal(size=(240, 2))
    pairs = random.integers(240, size=(9000, 2))
    one, other = groups[pairs].T
    graph = pairs[(one == other) | (random.random(9000) < 0.22)][:1100]
    panels = []
    for title, alpha in (("links alone", 0), ("attributes alone", 1), ("both", "auto")):
        model = coterie.AttributedGraphClustering(4, alpha=alpha, random_state=0).fit(graph, X, n_nodes=240)
        shown = graph[::6]
        panels.append(
            Panel.around(title, X).lines(X[shown[:, 0]], X[shown[:, 1]], "#9a9a9a55", 0.5).dots(X, model.labels_, 3)
        )
    return page(*panels)


@picture
def block_model() -> str:
    """Show a directed network in the order of its classes, and its classes with what they feed, attract and repel."""
    random = np.random.default_rng(4)
    truth = np.repeat([0, 1, 2, 3], [30, 22, 34, 24])
    chance = np.full((4, 4), 0.015)
    chance[0, 1] = chance[1, 2] = chance[3, 3] = 0.28
    chance[2, 3] = chance[3, 2] = 0.1
    links = random.random((110, 110)) < chance[truth][:, truth]
    np.fill_diagonal(links, False)
    model = coterie.BlockModel(directed=True, random_state=0).fit(links.astype(float))
    order = np.argsort(model.labels_, kind="stable")
    place = np.argsort(order)
    source, target = np.nonzero(links)
    ends = np.cumsum(np.bincount(model.labels_))
    matrix = Panel("links, nodes in the order of their classes", [-2, -2], [112, 112])
    corners = np.array([[a, 110 - b] for a in (0, *ends[:-1]) for b in ends])
    widths = np.array([[x, y] for x in np.diff([0, *ends]) for y in np.diff([0, *ends])])
    verdicts = model.relations_.matrix("verdict").T.ravel()
    fills = {"feeds": color(1), "attracts": color(2), "repels": color(0), "neutral": "none"}
    matrix.boxes(corners, corners + widths, [fills[one] for one in verdicts], 0.14)
    matrix.dots(np.column_stack([place[target] + 0.5, 109.5 - place[source]]), model.labels_[source], 1.1)
    return page(matrix, class_graph(model, fills))


def class_graph(model: Any, fills: dict[str, str]) -> Panel:
    """Draw the classes on a circle, as large as their nodes are many, and the relations above what chance would do."""
    k, found = model.n_clusters_, model.relations_
    angle = np.pi * (0.75 - 2 * np.arange(k) / k)
    middle = np.column_stack([np.cos(angle), np.sin(angle)])
    panel = Panel("classes and what they feed or attract", [-1.7, -1.7], [1.7, 1.7])
    for r, s, verdict, log_ratio in zip(found.source, found.target, found.verdict, found.log_ratio, strict=True):
        if verdict not in ("feeds", "attracts"):
            continue
        width = 1.5 + 2 * max(0.0, float(log_ratio))
        if r == s:
            panel.rings(1.3 * middle[[r]], [0.2], [fills[verdict]])
            continue
        along = (middle[s] - middle[r]) / np.linalg.norm(middle[s] - middle[r])
        side = 0.05 * np.array([-along[1], along[0]])
        start, end = middle[r] + 0.3 * along + side, middle[s] - 0.3 * along + side
        panel.lines(start[None], end[None], fills[verdict], width)
        barbs = end - 0.12 * along + np.array([2.2, -2.2])[:, None] * side
        panel.lines(barbs, np.stack([end, end]), fills[verdict], width)
    panel.rings(middle, 0.03 * np.sqrt(found.sizes) + 0.06, [color(c) for c in range(k)])
    for c in range(k):
        panel.words(f"{found.sizes[c]} nodes", middle[c] - [0, 0.38])
    return panel


@picture
def balanced_cut() -> str:
    """Show two and six parts of a mesh."""
    X = np.random.default_rng(4).random((240, 2))
    X = X[np.linalg.norm(X - [0.75, 0.3], axis=1) > 0.2]
    corners = Delaunay(X).simplices
    links = np.unique(np.sort(np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]), axis=1), axis=0)
    links = links[np.linalg.norm(X[links[:, 0]] - X[links[:, 1]], axis=1) < 0.18]
    models = [coterie.BalancedCut(k, random_state=0).fit(links, n_nodes=len(X)) for k in (2, 6)]
    return page(*(network(f"{m.n_clusters} parts, {m.edge_cut_:.0f} links cut", X, links, m.labels_) for m in models))


@picture
def leiden() -> str:
    """Show communities at two resolutions."""
    X, links = neighbourhoods()
    models = {
        "modularity": coterie.Leiden(random_state=0).fit(links, n_nodes=len(X)),
        "resolution 6": coterie.Leiden(6.0, random_state=0).fit(links, n_nodes=len(X)),
    }
    return page(*(network(f"{name}: {m.n_clusters_}", X, links, m.labels_) for name, m in models.items()))


@picture
def louvain() -> str:
    """Show the communities of the first and of the last level."""
    X, links = neighbourhoods()
    levels = coterie.Louvain(n_iterations=1, random_state=0).fit(links, n_nodes=len(X)).hierarchy_
    titles = f"first level: {levels[0].max() + 1}", f"last level: {levels[-1].max() + 1}"
    return page(
        *(network(title, X, links, level) for title, level in zip(titles, (levels[0], levels[-1]), strict=True))
    )


def neighbourhoods() -> tuple[np.ndarray, np.ndarray]:
    """Return nodes in the plane, and links between near ones."""
    X = blobs(150)
    near = np.linalg.norm(X[:, None] - X[None], axis=2)
    chance = np.exp(-((near / 0.9) ** 2)) + 0.0012
    return X, np.argwhere(np.triu(np.random.default_rng(0).random(near.shape) < chance, 1))


def network(title: str, X: np.ndarray, links: np.ndarray, labels: np.ndarray) -> Panel:
    """Draw links below their nodes."""
    panel = Panel.around(title, X)
    return panel.lines(X[links[:, 0]], X[links[:, 1]], width=0.35).dots(X, labels, 3.0)


@picture
def aekmeans() -> str:
    """Show digits by their pixels and by what an autoencoder makes of them, both along two axes."""
    X = digits()
    pixels = coterie.KMeans(5, random_state=0).fit(X.reshape(len(X), -1))
    model = coterie.deep.AEKMeans(5, encoder="mlp", hidden=(128, 64), random_state=0).fit(X)
    return page(
        Panel.around("pixels", flat(X.reshape(len(X), -1))).dots(flat(X.reshape(len(X), -1)), pixels.labels_),
        Panel.around("embedding", flat(model.embedding_)).dots(flat(model.embedding_), model.labels_),
    )


@picture
def n2d() -> str:
    """Show an embedding along its two widest axes, and its layout in two dimensions."""
    X = digits()
    settings = {"hidden": (128, 64), "manifold_dim": 2, "random_state": 0}
    model = coterie.deep.N2D(5, **settings).fit(X)
    planes = {"embedding": flat(model.embedding_), "layout": model.positions_}
    return page(*(Panel.around(name, plane).dots(plane, model.labels_) for name, plane in planes.items()))


@picture
def dec() -> str:
    """Show an embedding before and after it was trained with clusters."""
    X = digits()
    settings = {"encoder": "mlp", "hidden": (128, 64), "random_state": 0}
    models = {
        "before": coterie.deep.DEC(5, epochs=0, **settings).fit(X),
        "after": coterie.deep.DEC(5, **settings).fit(X),
    }
    planes = {name: flat(model.embedding_) for name, model in models.items()}
    return page(*(Panel.around(name, planes[name]).dots(planes[name], model.labels_) for name, model in models.items()))


@picture
def dcn() -> str:
    """Show an embedding before and after it was drawn towards its centers."""
    return refined(coterie.deep.DCN, clustering_weight=0.5)


@picture
def dkm() -> str:
    """Show an embedding that was pretrained, and after its centers were trained with it."""
    return refined(coterie.deep.DKM, clustering_weight=0.5)


@picture
def vade() -> str:
    """Show the clusters of a density, and its tenth of rows that are the least likely."""
    X = digits()
    model = coterie.deep.VaDE(5, hidden=(128, 64), random_state=0).fit(X)
    plane, density = flat(model.embedding_), model.score_samples(X)
    return page(
        Panel.around("clusters", plane).dots(plane, model.labels_),
        Panel.around("the least likely tenth", plane).dots(plane, np.where(density < np.quantile(density, 0.1), 1, -1)),
    )


@picture
def graph_clustering() -> str:
    """Show a planted graph by its attributes, and by what the network has learnt."""
    random = np.random.default_rng(4)
    groups = np.repeat(np.arange(4), 60)
    X = np.array([[0.0, 0], [2.4, 0], [0, 2.4], [2.4, 2.4]])[groups] + 0.9 * random.normal(size=(240, 2))
    pairs = random.integers(240, size=(9000, 2))
    one, other = groups[pairs].T
    links = pairs[(one == other) | (random.random(9000) < 0.22)][:1100]
    model = coterie.deep.DeepGraphClustering(4, epochs=300, random_state=0).fit(links, X, n_nodes=240)
    plane, shown = flat(model.embedding_), links[::6]
    return page(
        network("attributes", X, shown, model.labels_),
        network("what the network has learnt", plane, shown, model.labels_),
    )


@picture
def imsat() -> str:
    """Show digits by their pixels and by the last layer of a classifier that has learnt its classes itself."""
    X = digits()
    model = coterie.deep.IMSAT(5, hidden=(128, 128), random_state=0).fit(X)
    pixels, plane = flat(X.reshape(len(X), -1)), flat(model.embedding_)
    return page(
        Panel.around("pixels", pixels).dots(pixels, model.labels_),
        Panel.around("last layer", plane).dots(plane, model.labels_),
    )


@picture
def scan_head() -> str:
    """Show digits by K-means and by a head on the same features, both along two axes."""
    X = digits().reshape(500, -1)
    model = coterie.deep.SCANHead(5, random_state=0).fit(X)
    plane = flat(X)
    return page(
        Panel.around("K-means", plane).dots(plane, model.start_labels_),
        Panel.around("with their neighbours", plane).dots(plane, model.labels_),
    )


def refined(kind: Any, **settings: Any) -> str:
    """Return an embedding before and after training with clusters."""
    X = digits()
    settings |= {"encoder": "mlp", "hidden": (128, 64), "random_state": 0}
    models = {"before": kind(5, epochs=0, **settings).fit(X), "after": kind(5, **settings).fit(X)}
    planes = {name: flat(model.embedding_) for name, model in models.items()}
    return page(*(Panel.around(name, planes[name]).dots(planes[name], model.labels_) for name, model in models.items()))


def digits() -> np.ndarray:
    """Return images of five digits."""
    found = load_digits()
    return found.images[found.target < 5][:500] / 16


def flat(X: np.ndarray) -> np.ndarray:
    """Return rows along their two widest axes."""
    return PCA(2, svd_solver="full").fit_transform(X)


if __name__ == "__main__":
    sys.exit(main())
