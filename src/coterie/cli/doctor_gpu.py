"""What ``coterie doctor --gpu`` finds out: whether a device gives what the CPU engine gives, and how fast it is."""

import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["absent", "checks", "speeds"]

Mover = Callable[[Any], Any]  # lays an array out for one engine

_ROWS, _ROWS_ON_CPU = 200_000, 4_000  # to be timed

_PARAMETERS: dict[str, dict[str, Any]] = {
    "DBSCAN": {"eps": 0.9, "min_samples": 5},
    "OPTICS": {"min_samples": 5, "extraction": "dbscan", "eps": 0.9},
    "HDBSCAN": {"min_cluster_size": 8},
    "Birch": {"n_clusters": 4, "threshold": 0.2},
    "CLIQUE": {"n_intervals": 8},
    "STING": {"n_cells": 8, "min_points": 3},
    "WaveCluster": {"n_cells": 16, "wavelet": "haar", "threshold": 1.0},
}


def absent(device: str) -> str | None:
    """Return why PyTorch cannot compute on ``device``, as one sentence, or None if it can.

    Raises
    ------
    MissingExtraError
        If there is no PyTorch.
    """
    from ..errors import MissingExtraError

    try:
        import torch
    except ImportError:
        raise MissingExtraError('checking a GPU needs PyTorch; pip install "coterie[gpu]"') from None
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = " ".join((str(error) or type(error).__name__).split()).partition(". ")[0].rstrip(".")
        return (
            f"PyTorch {torch.__version__} can use no device {device!r} here ({reason}); install a build of PyTorch for "
            "the GPU and its driver, or pass --device cpu to check the same code on the CPU"
        )
    return None


def checks(device: str) -> Iterator[tuple[str, str, bool]]:
    """Compare both engines on small data.

    Yields
    ------
    name : str
    value : str
    good : bool
    """
    for name, compute in [*_of_rows().items(), *_of_graphs().items(), *_estimators()]:
        began = time.perf_counter()
        try:
            expected, given = compute(np.asarray), compute(functools.partial(_moved, device=device))
            good = all(_agree(name, a, b) for a, b in zip(given, expected, strict=True))
            value = f"{'as on the CPU' if good else 'OTHER THAN ON THE CPU'} ({time.perf_counter() - began:.2f} s)"
        except Exception as error:  # whatever a driver or a compiler raises is a finding
            good, value = False, f"failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        yield name, value, good


def speeds(device: str) -> Iterator[tuple[str, str]]:
    """Time the torch engine on ``device`` and the CPU engine on the same rows: name, and a sentence."""
    n = _ROWS_ON_CPU if device == "cpu" else _ROWS
    X = np.random.default_rng(0).standard_normal((n, 16)).astype(np.float32)
    for name, call in _tasks(n).items():
        try:
            ours = _seconds(call, _moved(X, device))
            cpu = _seconds(call, X)
        except Exception as error:
            yield name, f"failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
            continue
        yield (
            name,
            f"{ours:.3f} s on {device}, {cpu:.3f} s on the CPU without: {cpu / ours:.2g} times as fast ({n} x 16)",
        )


def _tasks(n: int) -> dict[str, Callable[[Any], Any]]:
    from .. import DBSCAN, KMeans
    from ..primitives.neighbors import k_nearest

    few = np.random.default_rng(1).standard_normal((64, 16))
    tasks: dict[str, Callable[[Any], Any]] = {
        "KMeans": lambda X: KMeans(64, init=few, n_init=1, max_iter=20, tol=0).fit(X),
        "DBSCAN": lambda X: DBSCAN(eps=2.0, min_samples=5).fit(X),
        "k_nearest": lambda X: k_nearest(X, 10),
        "LayerFeatures": _layer_features,
    }
    return tasks


def _layer_features(X: Any) -> Any:
    import torch

    from ..arrays import is_tensor
    from ..deep import LayerFeatures

    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(16, 256), torch.nn.ReLU(), torch.nn.Linear(256, 32))
    device = str(X.device) if is_tensor(X) else "cpu"
    return LayerFeatures(module, layers="all", device=device).fit_transform(X)


def _seconds(call: Callable[[Any], Any], X: Any) -> float:
    """Return the time of the second call: the first one compiles."""
    import torch

    for _ in range(2):
        began = time.perf_counter()
        call(X)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
    return time.perf_counter() - began


def _moved(values: Any, device: str) -> Any:
    import torch

    return torch.from_numpy(np.array(values)).to(device)


def _agree(name: str, given: Any, expected: Any) -> bool:
    given, expected = _on_host(given), _on_host(expected)
    # The bits are the same, but for sums over rows, which each engine adds in an order of its own.
    if given.shape != expected.shape:
        return False
    if name.endswith(("sums", "rows")):
        return bool(np.allclose(given, expected, rtol=1e-6 if given.dtype == np.float32 else 1e-12, atol=1e-12))
    return bool(np.array_equal(given, expected))


def _of_rows() -> dict[str, Callable[[Mover], tuple]]:
    from ..primitives import (
        around_centers,
        assign,
        bitsets,
        cells,
        cluster_distances,
        conditioning,
        distances,
        neighbors,
        radius,
        row_keys,
        spanning_tree,
    )  # fmt: skip

    random = np.random.default_rng(0)
    X = np.concatenate([random.standard_normal((150, 5)), random.integers(0, 3, (150, 5))])  # ties among them
    rows, low = X.astype(np.float32), X.min(axis=0)
    centers, labels = X[[0, 0, 40, 170, 299]], random.integers(-1, 4, 300).astype(np.int32)
    core, codes = random.random(300) < 0.5, random.integers(0, 4, (3, 300))

    def of_radius(on: Mover, what: Callable[[Any], Any]) -> Any:
        return what(radius.radius_index(on(X), 1.0))

    def intersected(on: Mover) -> tuple:
        columns = np.array([0, 1, 2, 0])
        laid = codes.astype(np.uint16) if on is np.asarray else on(codes.astype(np.int32))
        sets = bitsets.row_sets(laid, columns, np.array([1, 2, 3, 0]))
        members = np.array([[0, 1], [1, 2], [3, 2]], np.int32)
        return bitsets.intersection_sizes(sets, members), bitsets.first_containing(sets, members)

    return {
        "conditioned rows": lambda on: (conditioning.condition(on(X)).rows,),
        "row keys": lambda on: (row_keys.row_keys(on(X)),),
        "distances": lambda on: (distances.pairwise_distances(on(X), centers),),
        "nearest center, float64": lambda on: assign.nearest_center(on(X), on(centers)),
        "nearest center, float32": lambda on: assign.nearest_center(on(rows), on(centers)),
        "center sums": lambda on: assign.center_sums(on(rows), on(labels), 4),
        "Lloyd step's sums": lambda on: assign.lloyd_step(assign.lloyd_start(on(rows)), centers)[:3],
        "seeding sums": lambda on: assign.seeding_step(on(rows), on(np.array([3, 200, 7])), None),
        "mean distances to clusters, rows": lambda on: cluster_distances.mean_distances(on(X), on(labels % 4), 4),
        "distances around centers, sums": lambda on: around_centers.around_centers(on(X), on(labels), centers[1:]),
        "sets of rows": intersected,
        "cells": lambda on: tuple(cells.cells(on(X), low, np.full(5, 0.5)))[:2],
        "k nearest": lambda on: neighbors.k_nearest(on(X), 7),
        "radius counts": lambda on: (of_radius(on, radius.radius_counts),),
        "radius components": lambda on: (of_radius(on, lambda index: radius.radius_components(index, on(core))),),
        "radius graph": lambda on: tuple(radius.radius_graph(on(X), 1.0)),
        "spanning tree": lambda on: tuple(spanning_tree.spanning_tree(on(X))),
        "reachability tree": lambda on: tuple(spanning_tree.mutual_reachability_tree(on(X), 5)[0]),
    }


def _of_graphs() -> dict[str, Callable[[Mover], tuple]]:
    from ..arrays import Graph
    from ..primitives import block_counts, coarsen, kway, laplacian, symmetry

    graph, groups, ones = _ring_of_groups(), (np.arange(60) // 12).astype(np.int32), np.ones(60, np.int64)
    block = np.random.default_rng(2).standard_normal((60, 3))

    def on_engine(on: Mover, weights: Any = None) -> Graph:
        indices = graph.indices if weights is None else graph.indices.astype(np.int32)
        return Graph(on(graph.indptr), on(indices), on(graph.weights if weights is None else weights))

    def refined(on: Mover) -> tuple:
        # In which order nodes move belongs to the engine; that nothing more is cut, and that the sizes stay, does not.
        labels = on((np.arange(60) % 5).astype(np.int32))
        whole = on_engine(on, graph.weights.astype(np.int64))
        gained = kway.refine_parts(whole, on(ones), on(np.full(5, 13)), labels, 0)
        return (np.array([gained >= 0]), np.bincount(_on_host(labels), minlength=5) <= 13)

    def contracted(on: Mover) -> tuple:
        whole = on_engine(on, graph.weights.astype(np.int64))
        small, weights = coarsen.contract(whole, on(ones), on(groups), 5)
        return small.indptr, np.sort(_on_host(small.weights)), weights

    def multiplied(on: Mover) -> tuple:
        return (laplacian.product(laplacian.placed(laplacian.laplacian(graph), on(block)), on(block)),)

    return {
        "symmetry": lambda on: (np.array([symmetry.is_symmetric(on_engine(on))]),),
        "links between classes": lambda on: tuple(block_counts.block_counts(on_engine(on), on(groups))),
        "contraction": contracted,
        "refinement of parts": refined,
        "Laplacian times rows": multiplied,
    }


def _ring_of_groups() -> Any:
    from ..graphs import from_edges

    inside = [(g * 12 + a, g * 12 + b, 1.0) for g in range(5) for a in range(12) for b in range(a)]
    ring = [(g * 12, (g * 12 + 13) % 60, 1.0) for g in range(5)]
    return from_edges(np.array(inside + ring), 60)


def _on_host(values: Any) -> np.ndarray:
    from ..arrays import to_numpy

    return to_numpy(values)


def _estimators() -> Iterator[tuple[str, Callable[[Mover], tuple]]]:
    """Give a fit of every estimator that has both engines: between them they take all other primitives."""
    from ..catalog import CATALOG, DETECTORS, GRAPHS

    random = np.random.default_rng(20)
    corners = np.array([[0.0, 0, 0], [6, 0, 0], [0, 6, 0], [6, 6, 6]])
    X = corners[random.choice(4, 240)] + 0.35 * random.standard_normal((240, 3))
    for line in (*CATALOG, *DETECTORS):
        if "torch" in line.engines:
            yield line.name, functools.partial(_labels_of_rows, line, X)
    for line in GRAPHS:
        if "torch" in line.engines:
            yield line.name, functools.partial(_groups_of_nodes, line)


def _built(line: Any) -> Any:
    from importlib import import_module
    from inspect import signature

    module, _, name = line.target.partition(":")
    kind = getattr(import_module(module), name)
    parameters = _PARAMETERS.get(line.name, {"n_clusters": 4} if line.needs_k else {})
    if "random_state" in signature(kind).parameters:
        parameters = parameters | {"random_state": 0}
    return kind(**parameters)


def _labels_of_rows(line: Any, X: np.ndarray, on: Mover) -> tuple:
    model = _built(line).fit(on(X))
    return (model.labels_ if hasattr(model, "labels_") else model.negative_outlier_factor_,)


def _groups_of_nodes(line: Any, on: Mover) -> tuple:
    """Number the groups by their first nodes: in which order the nodes move, and so the numbers, belong to the engine."""
    from ..arrays import Graph

    labels = _on_host(_built(line).fit(Graph(*map(on, _ring_of_groups()))).labels_)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return (first[inverse],)
