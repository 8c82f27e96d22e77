"""Eigenvectors of the adjacency with added degree, beside the dense matrix."""

import numpy as np
import pytest
from scipy.sparse import random_array

from coterie.errors import InputError
from coterie.graphs import as_graph, from_edges, to_scipy
from coterie.primitives.regularised import regularised_eigenpairs


def random_graph(n, density, seed=0):
    matrix = random_array((n, n), density=density, rng=np.random.default_rng(seed), format="csr")
    matrix = (matrix + matrix.T).tolil()
    matrix.setdiag(0)
    return as_graph(matrix.tocsr())


def whole(graph, extra=None):
    A = to_scipy(graph).toarray()
    degree = A.sum(axis=1)
    extra = degree.mean() if extra is None else extra
    scale = 1 / np.sqrt(degree + extra)
    return scale[:, None] * (A + extra / len(A)) * scale


@pytest.mark.parametrize("n", [12, 150, 600])
@pytest.mark.parametrize("extra", [None, 0.3, 20.0])
def test_values_and_vectors_are_those_of_the_dense_matrix(n, extra):
    graph = random_graph(n, 4 / n)
    matrix = whole(graph, extra)
    found = regularised_eigenpairs(graph, 6, np.random.default_rng(0), extra=extra, tol=1e-10)
    np.testing.assert_allclose(found.values, np.linalg.eigvalsh(matrix)[::-1][:6], atol=1e-9)
    np.testing.assert_allclose(matrix @ found.vectors, found.vectors * found.values, atol=1e-7)
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(6), atol=1e-9)


def test_the_first_vector_is_known():
    graph = random_graph(400, 0.01)
    degree = np.asarray(to_scipy(graph).sum(axis=1)).ravel()
    found = regularised_eigenpairs(graph, 2, np.random.default_rng(0))
    assert found.values[0] == pytest.approx(1)
    expected = np.sqrt(degree + degree.mean())
    np.testing.assert_allclose(np.abs(found.vectors[:, 0]), expected / np.linalg.norm(expected), atol=1e-5)


def test_crumbs_do_not_take_the_leading_vectors():
    clique = np.argwhere(~np.eye(150, dtype=bool))
    crumbs = 300 + np.arange(60).reshape(
        -1, 2
    )  # thirty pairs, each of which has an eigenvalue of 1 without added degree
    graph = from_edges(np.concatenate([clique, clique + 150, crumbs, crumbs[:, ::-1]]))
    vectors = regularised_eigenpairs(graph, 2, np.random.default_rng(0)).vectors
    assert (vectors[:300] ** 2).sum() > 0.95 * (vectors**2).sum()


def test_a_call_is_the_same_bits_as_another():
    graph = from_edges(np.argwhere(~np.eye(4, dtype=bool)), 300)  # most nodes alone: the iteration starts anew often
    found = [regularised_eigenpairs(graph, 5, np.random.default_rng(0)).vectors for _ in range(3)]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_what_cannot_be_asked_is_refused_in_a_sentence():
    graph = from_edges([[0, 1]], 3)
    with pytest.raises(InputError, match="k=4 with 3 nodes"):
        regularised_eigenpairs(graph, 4, np.random.default_rng(0))
    with pytest.raises(InputError, match="greater than 0, got 0; give extra, or a graph with links"):
        regularised_eigenpairs(from_edges(np.zeros((0, 2), int), 3), 1, np.random.default_rng(0))
