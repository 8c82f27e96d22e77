"""The tree of cluster features against one of lists of rows, and against sums over all rows."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from coterie.primitives.cluster_features import CFTree, ClusterFeatures

X = make_blobs(3000, 3, centers=8, cluster_std=0.6, random_state=4)[0]


def plain_groups(rows, threshold, branching):
    """Build the tree from lists of rows: features are computed anew from the rows each time."""

    def mean(entry):
        return np.mean(entry["rows"], axis=0)

    def nearest(node, row):
        return min(node, key=lambda entry: float(((mean(entry) - row) ** 2).sum()))

    def insert(node, row):
        """Return the nodes that the node has become: one, or two after a split."""
        if node and "below" in node[0]:
            entry = nearest(node, row)
            parts = insert(entry["below"], row)
            entry["rows"].append(row)
            if len(parts) == 2:
                at = next(i for i, one in enumerate(node) if one is entry)
                made = [{"rows": [r for e in part for r in e["rows"]], "below": part} for part in parts]
                node[at : at + 1] = made[:1]
                node.append(made[1])
        else:
            best = nearest(node, row) if node else None
            joined = np.array([*best["rows"], row]) if best else None
            if best and np.sqrt(joined.var(axis=0).sum()) <= threshold:
                best["rows"].append(row)
            else:
                node.append({"rows": [row]})
        return split(node) if len(node) > branching else [node]

    def split(node):
        means = np.array([mean(entry) for entry in node])
        distances2 = ((means[:, None] - means) ** 2).sum(2)
        one, other = np.unravel_index(np.argmax(np.triu(distances2)), distances2.shape)
        first = [j for j in range(len(node)) if j != other and (j == one or distances2[one, j] <= distances2[other, j])]
        return [[node[j] for j in first], [node[j] for j in range(len(node)) if j not in first]]

    root = []
    for row in rows:
        parts = insert(root, row)
        root = parts[0] if len(parts) == 1 else [
            {"rows": [r for e in part for r in e["rows"]], "below": part} for part in parts
        ]  # fmt: skip
    leaves, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        for entry in node:
            if "below" in entry:
                waiting.append(entry["below"])
            else:
                leaves.append(np.array(entry["rows"]))
    return leaves


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("branching", [2, 3, 7, 50])
def test_groups_are_those_of_a_plain_tree(seed, branching):
    random = np.random.default_rng(seed)
    rows = random.standard_normal((150, 1 + seed % 4))
    threshold = random.uniform(0.05, 0.8)
    tree = CFTree(rows.shape[1], threshold, branching, 10_000)
    tree.insert(rows)
    found, expected = tree.features(), plain_groups(rows, threshold, branching)
    ours = sorted(zip(found.weights, found.means.tolist(), found.spreads, strict=True))
    theirs = sorted((float(len(g)), g.mean(0).tolist(), ((g - g.mean(0)) ** 2).sum()) for g in expected)
    assert [w for w, _, _ in ours] == [w for w, _, _ in theirs]
    np.testing.assert_allclose([m for _, m, _ in ours], [m for _, m, _ in theirs], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose([s for _, _, s in ours], [s for _, _, s in theirs], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("max_groups", [20, 100, 1000])
def test_features_add_up_to_those_of_all_rows(max_groups):
    random = np.random.default_rng(0)
    weights = random.integers(0, 3, 3000).astype(float)
    tree = CFTree(3, 0.01, 5, max_groups)
    tree.insert(X, weights)
    found = tree.features()
    assert len(found.weights) <= max_groups
    mean = weights @ X / weights.sum()
    assert found.weights.sum() == weights.sum()
    np.testing.assert_allclose(found.weights @ found.means / weights.sum(), mean, rtol=1e-9)
    between = found.weights @ ((found.means - mean) ** 2).sum(1)
    assert found.spreads.sum() + between == pytest.approx(weights @ ((X - mean) ** 2).sum(1), rel=1e-9)


@pytest.mark.parametrize("max_groups", [10, 50, 400])
def test_there_are_never_more_groups_than_allowed_and_none_is_too_wide(max_groups):
    tree = CFTree(3, 1e-6, 8, max_groups)
    for start in range(0, 3000, 37):
        tree.insert(X[start : start + 37])
        assert tree.n_groups <= max_groups
    found = tree.features()
    assert np.sqrt(found.spreads / found.weights).max() <= tree.threshold
    assert len(found.weights) >= max_groups // 5


def test_in_many_dimensions_the_threshold_rises_no_further_than_needed():
    # All distances are nearly equal: a little too high, and all rows are one group.
    rows = np.random.default_rng(0).standard_normal((2000, 200))
    tree = CFTree(200, 0.5, 20, 500)
    tree.insert(rows)
    assert 100 <= tree.n_groups <= 500


def test_groups_are_in_the_order_of_their_first_rows():
    tree = CFTree(3, 0.5, 5, 1000)
    tree.insert(X)
    found = tree.features()
    assert found.firsts[0] == 0
    assert (np.diff(found.firsts) > 0).all()


@pytest.mark.parametrize("n", [1, 2, 500])
def test_groups_of_another_tree_come_after_those_that_are_here(n):
    one, other = CFTree(3, 0.3, 5, 1000), CFTree(3, 0.3, 5, 1000)
    one.insert(X[:100])
    other.insert(X[100 : 100 + n])
    before = one.features()
    one.insert_features(other.features())
    after = one.features()
    assert after.weights.sum() == 100 + n
    assert after.firsts[: len(before.firsts)].tolist() == before.firsts.tolist()
    assert isinstance(after, ClusterFeatures)
    assert (after.firsts[len(before.firsts) :] >= 100).all()
