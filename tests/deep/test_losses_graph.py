"""The losses on graphs against the same formulas with dense matrices of nodes by nodes."""

import numpy as np
import pytest
import torch

from coterie.deep.losses_graph import collapse_penalty, cut_loss, modularity_loss, orthogonality_penalty

RANDOM = np.random.default_rng(0)
N = 30


def graph(weighted):
    upper = np.triu(RANDOM.random((N, N)) < 0.2, 1) * (RANDOM.random((N, N)) + 0.1 if weighted else 1.0)
    return upper + upper.T


def soft(k):
    p = RANDOM.random((N, k)) ** 3
    return p / p.sum(1, keepdims=True)


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(array, np.float64)) for array in arrays]


@pytest.mark.parametrize("k", [1, 2, 7])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_modularity_is_that_of_the_dense_matrix_b(k, weighted):
    A, p = graph(weighted), soft(k)
    d = A.sum(1)
    B = A - np.outer(d, d) / d.sum()
    found = float(modularity_loss(*tensors(p, A @ p, d)))
    assert found == pytest.approx(-np.trace(p.T @ B @ p) / d.sum(), abs=1e-12)


@pytest.mark.parametrize("k", [1, 2, 7])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_cut_is_that_of_the_dense_matrices(k, weighted):
    A, p = graph(weighted), soft(k)
    expected = -np.trace(p.T @ A @ p) / np.trace(p.T @ np.diag(A.sum(1)) @ p)
    assert float(cut_loss(*tensors(p, A @ p, A.sum(1)))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("k", [1, 2, 7])
def test_the_penalties_are_the_formulas(k):
    p = soft(k)
    overlaps = p.T @ p
    expected = np.linalg.norm(overlaps / np.linalg.norm(overlaps) - np.eye(k) / np.sqrt(k))
    assert float(orthogonality_penalty(*tensors(p))) == pytest.approx(expected, abs=1e-12)
    expected = np.sqrt(k) / N * np.linalg.norm(p.sum(0)) - 1
    assert float(collapse_penalty(*tensors(p))) == pytest.approx(expected, abs=1e-12)


def test_the_modularity_of_hard_labels_is_that_of_the_metric():
    from coterie.metrics.graph import modularity

    A, labels = graph(False), RANDOM.integers(4, size=N)
    p = np.eye(4)[labels]
    assert -float(modularity_loss(*tensors(p, A @ p, A.sum(1)))) == pytest.approx(modularity(A, labels), abs=1e-12)


def test_equal_clusters_that_share_no_node_pay_no_penalty():
    p = torch.eye(5, dtype=torch.float64).repeat(6, 1)
    assert float(collapse_penalty(p)) == pytest.approx(0, abs=1e-12)
    assert float(orthogonality_penalty(p)) == pytest.approx(0, abs=1e-12)


def test_all_nodes_in_one_cluster_pay_most():
    p = torch.zeros(30, 4, dtype=torch.float64)
    p[:, 2] = 1
    assert float(collapse_penalty(p)) == pytest.approx(1.0)  # sqrt(4) - 1
    assert float(orthogonality_penalty(p)) == pytest.approx(1.0)


def test_the_gradient_of_the_modularity_through_a_sparse_product_is_that_of_dense_matrices():
    from coterie.deep._graph_network import matrix_of

    A, p = graph(True).astype(np.float32), torch.from_numpy(soft(4).astype(np.float32))
    import scipy.sparse as sp

    degrees = torch.from_numpy(A.sum(1))
    found = []
    for links in (matrix_of(sp.csr_array(A), "cpu"), matrix_of(A, "cpu")):
        one = p.clone().requires_grad_()
        modularity_loss(one, links @ one, degrees).backward()
        found.append(one.grad.numpy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-7)
