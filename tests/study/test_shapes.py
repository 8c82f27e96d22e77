"""What views show beside the map: right by hand on small data, bounded on large, and in the numbers that groups have now."""

import json

import numpy as np
import pytest

from coterie import (
    CLIQUE,
    DBSCAN,
    DIANA,
    HDBSCAN,
    OPTICS,
    PDDP,
    STING,
    AgglomerativeClustering,
    BisectingKMeans,
    Genie,
    KMeans,
    WaveCluster,
)  # fmt: skip
from coterie.metrics import silhouette_samples
from coterie.study import shapes

LINE = np.array([[0.0], [1.0], [1.5], [20.0], [21.0], [100.0]])


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(0)
    centers = rng.permutation(np.repeat([[0, 0], [4, 4], [8, 0]], 300, axis=0))
    return np.vstack([centers + rng.normal(0, 0.4, (900, 2)), rng.uniform(-2, 10, (60, 2))])


@pytest.fixture(scope="module")
def crowd():
    rng = np.random.default_rng(1)
    return rng.normal(0, 0.3, (20_000, 2)) + rng.uniform(0, 40, (90, 2))[rng.integers(0, 90, 20_000)]


# ---- silhouettes


def test_silhouettes_of_few_rows_are_exact_and_fall(blobs):
    labels = KMeans(3, random_state=0).fit(blobs).labels_
    shape = shapes.silhouettes(None, labels, blobs)
    values = silhouette_samples(blobs, labels)
    assert (shape["rows"], shape["exact"]) == (len(blobs), True)
    assert shape["mean"] == pytest.approx(values.mean(), abs=1e-4)
    for one in shape["groups"]:
        own = values[labels == one["group"]]
        assert one["values"] == pytest.approx(np.sort(own)[::-1], abs=1e-4)
        assert one["below"] == pytest.approx((own < 0).mean(), abs=1e-4)
    assert [one["size"] for one in shape["groups"]] == sorted(np.bincount(labels), reverse=True)


def test_silhouettes_of_many_rows_are_of_a_sample_that_is_drawn_again(crowd):
    labels = np.arange(len(crowd)) % 100
    shape = shapes.silhouettes(None, labels, crowd, seed=3)
    assert shape == shapes.silhouettes(None, labels, crowd, seed=3)
    assert (shape["exact"], len(shape["groups"])) == (False, 60)
    assert shape["rows"] < 4_000
    assert sum(len(one["values"]) for one in shape["groups"]) <= 3_000


@pytest.mark.parametrize("labels", [[0] * 6, [-1] * 6, [0, 1, 2, 3, 4, 5], [-1, -1, -1, 0, -1, -1]])
def test_there_are_no_silhouettes_without_two_groups_to_compare(labels):
    assert shapes.silhouettes(None, np.array(labels), LINE) is None


# ---- dendrogram


def test_a_whole_hierarchy_of_few_rows_is_told_as_it_is():
    model = AgglomerativeClustering(2, linkage="single").fit(LINE)
    shape = shapes.dendrogram(model, model.labels_)
    assert [merge["height"] for merge in shape["merges"]] == [0.5, 1.0, 1.0, 18.5, 79.0]
    assert shape["cut"] == pytest.approx((18.5 + 79.0) / 2, rel=1e-3)
    assert sorted(leaf["rows"] for leaf in shape["leaves"]) == [1] * 6
    assert [merge["group"] for merge in shape["merges"]] == [0, 0, 0, 0, None]


@pytest.mark.parametrize(
    "method", [AgglomerativeClustering(3), Genie(3), DIANA(3), BisectingKMeans(3, random_state=0), PDDP(3)]
)
def test_the_top_of_a_hierarchy_joins_all_rows_and_parts_the_groups(blobs, method):
    method.fit(blobs)
    labels = np.asarray(method.labels_)
    shape = shapes.dendrogram(method, labels)
    leaves, merges = shape["leaves"], shape["merges"]
    assert len(leaves) == len(merges) + 1 <= 51
    assert sum(leaf["rows"] for leaf in leaves) == len(blobs)
    below = [{i} for i in range(len(leaves))]
    for i, merge in enumerate(merges):
        assert max(merge["left"], merge["right"]) < len(leaves) + i
        below.append(below[merge["left"]] | below[merge["right"]])
        inside = {leaves[j]["group"] for j in below[-1]}
        assert merge["group"] == (min(inside) if len(inside) == 1 else None)
    assert below[-1] == set(range(len(leaves)))
    # Below the cut lie the groups, each whole.
    sizes = np.zeros(3, int)
    for leaf in leaves:
        assert leaf["share"] == 1
        sizes[leaf["group"]] += leaf["rows"]
    assert sizes.tolist() == np.bincount(labels).tolist()


def test_no_two_branches_of_a_dendrogram_cross(blobs):
    model = AgglomerativeClustering(3).fit(blobs)
    shape = shapes.dendrogram(model, model.labels_)
    span = [(i, i) for i in range(len(shape["leaves"]))]
    for merge in shape["merges"]:
        left, right = span[merge["left"]], span[merge["right"]]
        assert left[1] + 1 == right[0]
        span.append((left[0], right[1]))


def test_more_groups_than_merges_are_shown_are_still_parted(crowd):
    model = AgglomerativeClustering(80).fit(crowd[:2000])
    assert len(shapes.dendrogram(model, model.labels_)["merges"]) == 79


# ---- reachability


def test_reachability_follows_the_walk(blobs):
    model = OPTICS(min_samples=10, min_cluster_size=60).fit(blobs)
    shape = shapes.reachability(model, model.labels_)
    assert shape["rows_a_bar"] == 1
    assert shape["typical"][0] is None
    assert shape["typical"][1:] == pytest.approx(model.reachability_[model.ordering_][1:], rel=1e-3)
    assert shape["group"] == model.labels_[model.ordering_].tolist()


def test_many_rows_share_bars(crowd):
    model = OPTICS(min_samples=5).fit(crowd[:2500])
    shape = shapes.reachability(model, model.labels_)
    heights = model.reachability_[model.ordering_]
    assert (shape["rows_a_bar"], len(shape["typical"])) == (3, 834)
    assert shape["highest"][7] == pytest.approx(heights[21:24].max(), rel=1e-3)
    assert shape["typical"][7] == pytest.approx(np.median(heights[21:24]), rel=1e-3)


# ---- condensed tree


def test_the_condensed_tree_tells_the_groups_and_how_they_lose_rows(blobs):
    model = HDBSCAN(min_cluster_size=20).fit(blobs)
    shape = shapes.condensed_tree(model, model.labels_)
    clusters = shape["clusters"]
    assert clusters[0]["parent"] is None
    assert sorted(one["group"] for one in clusters if one["group"] is not None) == [0, 1, 2]
    for i, one in enumerate(clusters):
        steps = one["steps"]
        assert one["parent"] is None or one["parent"] < i
        assert steps["distance"] == sorted(steps["distance"], reverse=True)
        assert steps["left"] == sorted(steps["left"], reverse=True)
        assert steps["left"][-1] == 0
        if one["group"] is not None:
            assert one["rows"] == (model.labels_ == one["group"]).sum()
            assert all(above["group"] is None for above in ancestors(clusters, one))


def ancestors(clusters, one):
    while one["parent"] is not None:
        one = clusters[one["parent"]]
        yield one


def test_a_large_condensed_tree_is_cut_to_what_matters(crowd):
    model = HDBSCAN(min_cluster_size=5).fit(crowd[:8000])
    shape = shapes.condensed_tree(model, model.labels_)
    assert shape["left_out"] > 0
    assert len(json.dumps(shape)) < 60_000


# ---- cells and subspaces


@pytest.mark.parametrize("method", [STING(), WaveCluster()])
def test_cells_hold_all_rows_in_the_groups_they_have(blobs, method):
    labels = np.asarray(method.fit(blobs).labels_)
    shape = shapes.cells(method, labels, blobs)
    assert sum(shape["rows"]) == len(blobs)
    assert max(shape["x"]) < shape["across"]
    assert max(shape["y"]) < shape["up"]
    assert set(shape["group"]) == set(labels.tolist())


def test_grids_of_more_columns_have_no_cells_to_draw(blobs):
    X = np.column_stack([blobs, blobs[::-1, 0]])
    assert shapes.cells(STING(n_cells=8).fit(X), np.zeros(len(X), int), X) is None


def test_subspaces_name_their_columns(blobs):
    X = np.column_stack([blobs, np.arange(len(blobs)) % 7])
    model = CLIQUE(density_threshold=0.02).fit(X)
    shape = shapes.shapes_of(model, np.asarray(model.labels_), X, ["east", "north", "day"])["subspaces"]
    assert {name for one in shape["found"] for name in one["columns"]} <= {"east", "north", "day"}
    assert {one["group"] for one in shape["found"]} - {None} <= set(model.labels_.tolist())


# ---- all together


def test_a_method_without_tree_walk_or_grid_has_silhouettes_alone(blobs):
    model = DBSCAN(0.5).fit(blobs)
    assert list(shapes.shapes_of(model, model.labels_, blobs, ["x", "y"])) == ["silhouettes"]


def test_groups_can_be_renumbered_wherever_they_stand(blobs):
    model = HDBSCAN(min_cluster_size=20).fit(blobs)
    numbers = np.array([7, 5, 9])
    again = np.append(numbers, -1)[model.labels_]
    before = shapes.shapes_of(model, model.labels_, blobs, ["x", "y"])["condensed_tree"]
    assert shapes.renumbered(before, numbers) == shapes.condensed_tree(model, again)
