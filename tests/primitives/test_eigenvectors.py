"""Eigenvectors of Laplacians: closed forms, whole decompositions, multiplicities, and graphs that are hard."""

import numpy as np
import pytest
from scipy.sparse import csgraph, csr_array
from scipy.sparse.linalg import eigsh

from coterie.arrays import Graph, to_numpy
from coterie.errors import InputError, ResourceError
from coterie.graphs import as_graph, from_edges, to_scipy
from coterie.primitives import eigenvectors
from coterie.primitives._multilevel import GROUP, _contracted
from coterie.primitives.eigenvectors import smallest_eigenpairs
from coterie.primitives.engine import threads
from coterie.primitives.laplacian import KINDS, laplacian, product, row_sums

every_kind = pytest.mark.parametrize("kind", KINDS)


def path(n, weights=None):
    return from_edges(np.c_[np.arange(n - 1), np.arange(1, n)], n, weights=weights)


def cycle(n):
    return from_edges(np.c_[np.arange(n), (np.arange(n) + 1) % n])


def grid(rows, columns):
    node = np.arange(rows * columns).reshape(rows, columns)
    down = np.c_[node[1:].ravel(), node[:-1].ravel()]
    return from_edges(np.r_[down, np.c_[node[:, 1:].ravel(), node[:, :-1].ravel()]])


def complete(n):
    return as_graph(np.ones((n, n)) - np.eye(n))


def star(n):
    return from_edges(np.c_[np.zeros(n - 1, int), np.arange(1, n)])


def communities(n, k, inside, between, seed=0):
    """A planted partition: about ``inside`` and ``between`` links of each node."""
    random = np.random.default_rng(seed)
    group = np.arange(n) * k // n
    ends = random.integers(0, n, (int(n * between / 2), 2))
    own = random.integers(0, n, int(n * inside / 2))
    start, size = np.searchsorted(group, group[own]), np.bincount(group)[group[own]]
    near = np.c_[own, start + (random.random(len(own)) * size).astype(int)]
    edges = np.r_[ends, near]
    return from_edges(edges[edges[:, 0] != edges[:, 1]], n)


def whole_matrix(graph, kind):
    """Form the matrix by its definition: the oracle."""
    A = to_scipy(graph).toarray().astype(float)
    d = A.sum(axis=1)
    loops = np.diag(np.diag(A))
    if kind == "modularity":
        return np.outer(d, d) / d.sum() - A
    L = np.diag(d) - A
    assert np.allclose(np.diag(L), d - np.diag(loops))
    root = np.sqrt(np.where(d > 0, d, 1))
    return L if kind == "unnormalised" else L / np.outer(root, root)


def moved(graph, on):
    return Graph(*(on(part) for part in graph))


CLOSED = {
    "path": (lambda: path(900), 2 - 2 * np.cos(np.pi * np.arange(900) / 900)),
    "cycle": (lambda: cycle(900), np.sort(2 - 2 * np.cos(2 * np.pi * np.arange(900) / 900))),
    "grid": (
        lambda: grid(40, 25),
        np.sort(
            np.add.outer(2 - 2 * np.cos(np.pi * np.arange(40) / 40), 2 - 2 * np.cos(np.pi * np.arange(25) / 25)).ravel()
        ),
    ),
    "complete": (lambda: complete(450), np.r_[0.0, np.full(449, 450.0)]),
    "star": (lambda: star(2000), np.r_[0.0, np.ones(1998), 2000.0]),
    "two nodes": (lambda: path(2), np.array([0.0, 2.0])),
}


@pytest.mark.parametrize("name", CLOSED)
def test_eigenvalues_are_those_of_the_closed_form(name, on):
    graph, exact = CLOSED[name][0](), CLOSED[name][1]
    k = min(7, len(exact))
    found = smallest_eigenpairs(moved(graph, on), k, kind="unnormalised")
    assert found.converged
    # A residual of tol * value leaves an error of at most that in the value, here far less.
    np.testing.assert_allclose(found.values, exact[:k], rtol=1e-6, atol=1e-12)


@every_kind
@pytest.mark.parametrize("n", [3, 60, 700])
def test_pairs_agree_with_the_decomposition_of_the_whole_matrix(kind, n, on):
    graph = communities(n, 4, 14, 2)
    matrix = whole_matrix(graph, kind)
    found = smallest_eigenpairs(moved(graph, on), min(n, 6), kind=kind, tol=1e-7)
    exact = np.linalg.eigvalsh(matrix)[: min(n, 6)]
    np.testing.assert_allclose(found.values, exact, rtol=1e-8, atol=1e-10)
    vectors = to_numpy(found.vectors)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(exact)), atol=1e-9)
    rest = np.linalg.norm(matrix @ vectors - vectors * found.values, axis=0)
    assert (rest <= 1e-7 * np.abs(found.values) + 1e-12 * np.abs(matrix).max()).all()


@every_kind
def test_the_stated_residuals_are_those_of_the_matrix(kind):
    graph = grid(30, 25)
    found = smallest_eigenpairs(graph, 5, kind=kind, tol=1e-5)
    rest = np.linalg.norm(whole_matrix(graph, kind) @ found.vectors - found.vectors * found.values, axis=0)
    np.testing.assert_allclose(found.residuals, rest, rtol=1e-3, atol=1e-13)
    assert found.converged
    assert (rest[1:] <= 1e-5 * np.abs(found.values[1:])).all()


@every_kind
def test_products_are_those_of_the_whole_matrix(kind, on):
    random = np.random.default_rng(1)
    A = np.triu(random.random((300, 300)) * (random.random((300, 300)) < 0.1))
    A[5], A[:, 5] = 0.0, 0.0  # an isolated node
    graph = as_graph(A + A.T)  # with loops
    X = random.standard_normal((300, 5))
    operator = laplacian(moved(graph, on), kind)
    given = to_numpy(product(operator, on(X))) * operator.scale
    np.testing.assert_allclose(given, whole_matrix(graph, kind) @ X, rtol=1e-12, atol=1e-12)


def test_scipy_finds_the_same_values_of_a_large_grid():
    graph = grid(70, 60)
    matrix = csgraph.laplacian(to_scipy(graph), normed=True)
    exact = np.sort(eigsh(csr_array(matrix), 6, sigma=-1e-5, return_eigenvectors=False))
    np.testing.assert_allclose(smallest_eigenpairs(graph, 6).values, exact, rtol=1e-6, atol=1e-12)


def test_the_next_level_is_the_matrix_on_groups_of_a_few_linked_nodes():
    graph = communities(3000, 4, 10, 3)
    parent, groups, inside = _contracted(graph, row_sums(graph.indptr, graph.weights))
    sizes = np.bincount(parent)
    member = csr_array((np.ones(3000), (np.arange(3000), parent)))
    expected = (member.T @ to_scipy(graph) @ member).toarray()
    given = to_scipy(groups).toarray()
    np.testing.assert_array_equal(given, expected - np.diag(np.diag(expected)))
    np.testing.assert_array_equal(inside, np.diag(expected))
    assert sizes.max() <= GROUP
    assert len(sizes) < 1500


@pytest.mark.parametrize("kind", ["random groups", "grid"])
def test_coarse_levels_are_given_up_only_where_they_are_dense_and_not_needed(kind, monkeypatch):
    used, search = [], eigenvectors.lobpcg

    def spy(levels, at, *rest, **settings):
        used.append(len(levels))
        return search(levels, at, *rest, **settings)

    monkeypatch.setattr(eigenvectors, "lobpcg", spy)
    graph = communities(6000, 4, 14, 6) if kind == "random groups" else grid(80, 75)
    found = smallest_eigenpairs(graph, 4, tol=1e-6)
    matrix = csr_array(csgraph.laplacian(to_scipy(graph), normed=True))
    # Factors of random matrices fill up; iterations on grids take long.
    how = {"which": "SA"} if kind == "random groups" else {"sigma": -1e-5}
    exact = np.sort(eigsh(matrix, 4, return_eigenvectors=False, **how))
    np.testing.assert_allclose(found.values, exact, rtol=1e-6, atol=1e-12)
    assert (used[-1] == 1) == (kind == "random groups")
    assert used[0] > 2


# ---- components, multiplicities


def test_each_component_has_the_value_zero_and_a_vector_of_its_own(on):
    pieces = [grid(20, 20), path(300), cycle(400), complete(12)]
    graph = as_graph(csr_array(block_diagonal(pieces)))
    found = smallest_eigenpairs(moved(graph, on), 6)
    np.testing.assert_array_equal(found.values[:4], 0.0)
    vectors = to_numpy(found.vectors)
    assert [int((column > 0).sum()) for column in vectors[:, :4].T] == [400, 400, 300, 12]
    assert (found.values[4:] > 1e-6).all()
    np.testing.assert_allclose(found.values, np.linalg.eigvalsh(whole_matrix(graph, "normalised"))[:6], atol=1e-9)


def block_diagonal(graphs):
    from scipy.sparse import block_diag

    return block_diag([to_scipy(graph) for graph in graphs], format="csr")


def test_a_thousand_components_of_equal_values():
    graph = as_graph(csr_array(block_diagonal([complete(4)] * 1000)))
    found = smallest_eigenpairs(graph, 1003)
    np.testing.assert_array_equal(found.values[:1000], 0.0)
    np.testing.assert_allclose(found.values[1000:], 4 / 3, rtol=1e-6)


@pytest.mark.parametrize("n", [401, 1200])
def test_vectors_of_a_repeated_value_span_its_whole_space(n, on):
    k = 5
    found = smallest_eigenpairs(moved(cycle(n), on), k, kind="unnormalised", tol=1e-6)
    turn = 2 * np.pi * np.outer(np.arange(n), [1, 2]) / n
    exact = np.c_[np.cos(turn), np.sin(turn)] * np.sqrt(2 / n)
    inside = exact.T @ to_numpy(found.vectors)[:, 1:]
    np.testing.assert_allclose(np.linalg.svd(inside)[1], 1.0, atol=1e-6)


def test_isolated_nodes_are_components_without_weight():
    graph = from_edges(np.c_[np.arange(599), np.arange(1, 600)], 700)
    found = smallest_eigenpairs(graph, 3, kind="normalised")
    assert found.values[:3].tolist() == [0, 0, 0]
    assert (found.vectors[:600, 0] > 0).all()
    many = smallest_eigenpairs(graph, 103, kind="normalised")
    assert (many.values[:101] == 0).all()
    assert many.values[101] == pytest.approx(1 - np.cos(np.pi / 599), rel=1e-6)


@every_kind
def test_a_graph_without_links_has_values_of_zero(kind):
    found = smallest_eigenpairs(as_graph(np.zeros((5, 5))), 5, kind=kind)
    np.testing.assert_array_equal(found.values, 0.0)
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(5), atol=1e-12)


# ---- hard ones


@pytest.mark.parametrize("kind", ["unnormalised", "normalised"])
def test_a_path_of_twenty_thousand_nodes_is_solved_to_six_digits(kind):
    n = 20_000
    found = smallest_eigenpairs(path(n), 5, kind=kind)
    steps = np.pi * np.arange(5)
    exact = 2 - 2 * np.cos(steps / n) if kind == "unnormalised" else 1 - np.cos(steps / (n - 1))
    assert found.converged
    np.testing.assert_allclose(found.values, exact, rtol=1e-6, atol=1e-18)


@pytest.mark.parametrize("bridge", [1e-3, 1e-6, 1e-9])
def test_a_weak_bridge_gives_the_value_of_its_weight(bridge):
    n = 300
    halves = block_diagonal([complete(n), complete(n)]).toarray()
    halves[n - 1, n] = halves[n, n - 1] = bridge
    found = smallest_eigenpairs(as_graph(halves), 2, kind="unnormalised")
    assert found.converged
    assert found.values[1] == pytest.approx(2 * bridge / n, rel=1e-2, abs=1e-12)
    assert abs(found.vectors[:n, 1].mean() + found.vectors[n:, 1].mean()) < 1e-6
    assert len(set(np.sign(found.vectors[:, 1]).reshape(2, n).mean(axis=1).tolist())) == 2


@pytest.mark.parametrize("kind", ["unnormalised", "normalised"])
def test_weights_over_twelve_orders_of_magnitude(kind):
    random = np.random.default_rng(4)
    n = 700
    edges = random.integers(0, n, (4 * n, 2))
    edges = np.r_[edges[edges[:, 0] != edges[:, 1]], np.c_[np.arange(n - 1), np.arange(1, n)]]
    graph = from_edges(edges, n, weights=10.0 ** random.uniform(-6, 6, len(edges)))
    matrix = whole_matrix(graph, kind)
    found = smallest_eigenpairs(graph, 8, kind=kind, tol=1e-6)
    assert found.converged
    np.testing.assert_allclose(found.values, np.linalg.eigvalsh(matrix)[:8], rtol=1e-6, atol=1e-13 * matrix.max())


@pytest.mark.parametrize("factor", [1e-300, 1e-150, 1e150, 1e300])
def test_the_unit_of_the_weights_scales_the_values_only(factor):
    one, other = (smallest_eigenpairs(path(700, np.full(699, f)), 3, kind="unnormalised") for f in (1.0, factor))
    np.testing.assert_allclose(other.values / factor, one.values, rtol=1e-9)
    np.testing.assert_allclose(other.vectors, one.vectors, atol=1e-9)


def test_weights_of_every_magnitude_give_finite_vectors():
    found = smallest_eigenpairs(path(601, 10.0 ** np.linspace(-300, 300, 600)), 4)
    assert np.isfinite(found.vectors).all()
    assert np.isfinite(found.values).all()


def test_single_precision_weights_are_computed_on_in_double():
    graph = grid(30, 30)
    single = smallest_eigenpairs(graph._replace(weights=graph.weights.astype(np.float32)), 4)
    np.testing.assert_array_equal(single.values, smallest_eigenpairs(graph, 4).values)


# ---- rules


@every_kind
def test_the_number_of_threads_changes_no_bit(kind):
    graph = communities(5000, 5, 12, 3)
    found = []
    for count in (1, 2, 4):
        with threads(count):
            found.append(smallest_eigenpairs(graph, 5, kind=kind))
    for other in found[1:]:
        assert other.vectors.tobytes() == found[0].vectors.tobytes()
        assert other.values.tobytes() == found[0].values.tobytes()


def test_the_entry_of_largest_magnitude_is_positive():
    vectors = smallest_eigenpairs(grid(30, 20), 6).vectors
    largest = np.abs(vectors).argmax(axis=0)
    assert (vectors[largest, np.arange(6)] > 0).all()


def test_too_few_iterations_are_said():
    found = smallest_eigenpairs(path(20_000), 4, max_iter=1)
    assert not found.converged
    assert found.n_iter == 1


@pytest.mark.parametrize("k", [0, 6])
def test_a_number_that_cannot_be_is_refused(k):
    with pytest.raises(InputError, match=rf"k={k} with 5 nodes"):
        smallest_eigenpairs(path(5), k)


def test_an_unknown_kind_is_refused():
    with pytest.raises(InputError, match="normalised"):
        smallest_eigenpairs(path(5), 2, kind="signless")


def test_what_does_not_fit_is_refused_before_it_is_allocated(monkeypatch):
    monkeypatch.setattr(eigenvectors, "free_bytes", lambda: 1e5)
    with pytest.raises(ResourceError, match="GiB"):
        smallest_eigenpairs(path(5000), 3)
