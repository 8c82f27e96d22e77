"""Rounds of batches on several threads, against what a round is by definition."""

import numpy as np
import pytest

from coterie.graphs import from_edges
from coterie.primitives._numba import communities_rounds as rounds
from coterie.primitives._numba.communities_move import _State
from coterie.primitives.communities import community_graph
from coterie.primitives.engine import threads

N = 1500


def begun(seed=0):
    """Return a graph whose nodes are in pairs, each pair a community, and the arguments of a round."""
    rng = np.random.default_rng(seed)
    graph = community_graph(from_edges(rng.integers(N, size=(6000, 2)), N, weights=rng.integers(1, 9, 6000) / 4))
    state = _State(graph, (np.arange(N) // 2).astype(np.int32))
    links = (graph.indptr, graph.indices, graph.weights, graph.sizes, 1 / graph.sizes.sum())
    starts, order = np.empty(rounds.BATCHES + 2, np.int64), np.empty(N, np.int32)
    rounds.batches(graph.indptr, state.waiting, 12345, starts, order)
    return starts, order, links, state, np.empty(N, np.int32)


def by_definition(starts, order, links, state):
    """Make the round in plain Python: all of a batch choose, then all of them move; return who waits."""
    indptr, indices, weights, sizes, resolution = links
    labels, totals, members, free, n_free = state.arrays
    waiting = np.ones(N, bool)
    waiting[order[: starts[1]]] = False
    for batch in range(rounds.BATCHES):
        chosen = {}
        for node in order[starts[batch] : starts[batch + 1]]:
            row = slice(indptr[node], indptr[node + 1])
            around, own = {labels[node]: 0.0}, labels[node]
            for other, weight in zip(labels[indices[row]], weights[row], strict=True):
                around[other] = around.get(other, 0.0) + weight
            worth = {
                c: w - resolution * sizes[node] * (totals[c] - sizes[node] * (c == own)) for c, w in around.items()
            }
            best = max(worth, key=lambda c: (worth[c] + 1e-9 * (c == own), -list(around).index(c)))
            chosen[node] = best if worth[best] >= 0 else -1
            if chosen[node] != own:
                waiting[[other for other in indices[row] if labels[other] != chosen[node]]] = True
        for node, label in chosen.items():
            if label != labels[node]:
                rounds.move.py_func(node, label, sizes, labels, totals, members, free, n_free)
        if batch + 1 < rounds.BATCHES:
            waiting[order[starts[batch + 1] : starts[batch + 2]]] = False
    return waiting


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_round_moves_what_its_definition_moves(n_threads, seed):
    starts, order, links, state, _ = begun(seed)
    waiting = by_definition(starts, order, links, state)
    assert (state.labels != np.arange(N) // 2).sum() > N / 4
    starts, order, links, made, chosen = begun(seed)
    with threads(n_threads):
        rounds.make_round(starts, order, links, made, chosen)
    np.testing.assert_array_equal(made.labels, state.labels)
    np.testing.assert_array_equal(made.totals, state.totals)
    np.testing.assert_array_equal(made.waiting[:N], waiting)


def test_batches_hold_each_waiting_node_once_and_about_equally_many():
    starts, order, *_ = begun()
    assert starts[0] == 0
    assert starts[rounds.BATCHES] == N
    np.testing.assert_array_equal(np.sort(order), np.arange(N))
    assert np.diff(starts[: rounds.BATCHES + 1]).max() < 2 * N / rounds.BATCHES


def work(progress):
    starts, order, links, state, chosen = begun()
    return rounds._work(starts, order, *links, *state.arrays, state.largest, chosen, state.waiting, progress), state


def test_a_thread_that_waits_for_another_in_vain_comes_back():
    progress = np.zeros((2 + 2 * rounds.BATCHES) * rounds._LINE, np.int64)
    progress[rounds._TAKEN] = 1000  # all parts of the first batch are with somebody who never finishes
    over, state = work(progress)
    assert not over
    np.testing.assert_array_equal(state.labels, np.arange(N) // 2)


def test_a_round_that_was_stopped_goes_no_further():
    progress = np.zeros((2 + 2 * rounds.BATCHES) * rounds._LINE, np.int64)
    progress[rounds._STOP] = 1
    over, state = work(progress)
    assert not over
    np.testing.assert_array_equal(state.labels, np.arange(N) // 2)


def test_what_goes_wrong_in_one_thread_stops_the_others(monkeypatch):
    seen = []

    def broken(*arguments):
        seen.append(arguments[-1])
        raise RuntimeError("broken")

    monkeypatch.setattr(rounds, "_work", broken)
    with pytest.raises(RuntimeError, match="broken"), threads(2):
        rounds.make_round(*begun())
    assert seen[0][rounds._STOP] == 1
