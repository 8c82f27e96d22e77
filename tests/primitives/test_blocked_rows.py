"""Rows that come to a device block by block give what rows on it give: on the CPU, and on a GPU where there is one."""

import numpy as np
import pytest

from coterie import KMeans
from coterie.partition import kmeans as kmeans_module
from coterie.primitives import placing
from coterie.primitives.assign import center_sums, lloyd_start, lloyd_step, nearest_center, seeding_step
from coterie.primitives.conditioning import condition
from coterie.primitives.row_keys import row_keys

torch = pytest.importorskip("torch")

from coterie.primitives._torch import _tiles, blocked_rows  # noqa: E402 - PyTorch may be missing
from coterie.primitives._torch.blocked_rows import BlockedRows  # noqa: E402

N, D, BLOCK = 2_300, 5, 256


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("PyTorch sees no CUDA device here")
    return torch.device(request.param)


@pytest.fixture(params=[(0, 0), (0, BLOCK * D * 8 * 2), (10**9, 10**9)], ids=["none kept", "some kept", "all kept"])
def both(request, monkeypatch, device):
    """Rows on a device, and the same in blocks on two (here the same one twice) with room for none, some or all of them."""
    monkeypatch.setattr(_tiles, "_SLICE_BYTES", BLOCK * D * 8)
    X = torch.from_numpy(np.random.default_rng(0).normal(3.0, 2.0, (N, D)))
    return X.to(device), BlockedRows(X, [device] * 2, request.param)


def test_blocks_are_read_whole_and_rows_by_number(both):
    X, blocked = both
    for _ in range(2):
        parts = [blocked[part] for part in _tiles.slices(blocked)]
        assert [len(part) for part in parts] == [BLOCK] * 8 + [N - 8 * BLOCK]
        assert torch.equal(torch.cat(parts), X)
    assert torch.equal(blocked[[5, 2299, 5]], X[[5, 2299, 5]])


def test_no_device_keeps_more_than_its_room(both):
    _, blocked = both
    before = list(blocked.room)
    for part in _tiles.slices(blocked):
        blocked[part]
    kept = blocked._kept_bytes()
    assert all(0 <= size <= room for size, room in zip(kept, before, strict=True))
    assert [room - size for room, size in zip(before, kept, strict=True)] == blocked.room


def test_conditioned_rows_take_over_the_room_of_those_they_are_made_of(both):
    _, blocked = both
    room = list(blocked.room)
    parts = condition(blocked).rows
    for rows in (blocked, parts):
        for part in _tiles.slices(rows):
            rows[part]
    assert blocked._kept_bytes() == [0, 0]
    assert [left + kept for left, kept in zip(parts.room, parts._kept_bytes(), strict=True)] == room


def test_every_function_has_the_bits_of_a_tensor(both):
    X, blocked = both
    weight = np.random.default_rng(1).uniform(0, 2, N)
    (rows, shift, scale), (parts, shift2, scale2) = condition(X), condition(blocked)
    assert np.array_equal(shift, shift2)
    assert scale == scale2
    assert torch.equal(row_keys(rows), row_keys(parts))
    centers = rows[:7].cpu().numpy()
    for one, other in zip(nearest_center(rows, centers), nearest_center(parts, centers), strict=True):
        assert torch.equal(one, other)
    labels = nearest_center(rows, centers)[0]
    for one, other in zip(center_sums(rows, labels, 7, weight), center_sums(parts, labels, 7, weight), strict=True):
        assert torch.equal(one, other)
    steps = [lloyd_step(lloyd_start(each, weight), centers) for each in (rows, parts)]
    for one, other in zip(*steps, strict=True):
        assert np.array_equal(one, other)
    closest = None
    for candidates in ([3, 400], [900, 2299]):
        found = [seeding_step(each, candidates, closest, weight) for each in (rows, parts)]
        assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
        closest = found[0][1]


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_kmeans_by_blocks_is_kmeans(both, monkeypatch, init):
    X, blocked = both
    whole = KMeans(6, init=init, n_init=2, random_state=0).fit(X)
    monkeypatch.setattr(
        kmeans_module, "placed", lambda rows, device: BlockedRows(torch.from_numpy(rows), blocked.devices)
    )
    on_host = X.cpu().numpy()
    parts = KMeans(6, init=init, n_init=2, random_state=0).fit(on_host)
    assert np.array_equal(whole.labels_.cpu().numpy(), parts.labels_)
    assert whole.inertia_ == parts.inertia_
    assert np.array_equal(whole.cluster_centers_.cpu().numpy(), parts.cluster_centers_)
    assert np.array_equal(parts.predict(on_host), parts.labels_)
    assert parts.score(on_host) == whole.score(X)


@pytest.mark.parametrize(("device", "expected"), [("cuda", ["cuda:0", "cuda:1"]), ("cuda:1", ["cuda:1"])])
def test_rows_that_one_device_cannot_hold_are_placed_in_blocks_on_all_that_were_asked_for(
    monkeypatch, device, expected
):
    made = []
    monkeypatch.setattr(blocked_rows, "too_large", lambda n_bytes, device: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(blocked_rows, "BlockedRows", lambda host, devices: made.extend(map(str, devices)))
    placing.placed(np.zeros((3, 2)), device)
    assert made == expected


def test_rows_stay_on_the_host_where_that_is_asked_for():
    X = np.zeros((3, 2))
    assert placing.placed(X, "cpu") is X


def test_rows_are_too_large_for_a_device_that_lacks_room_for_three_of_them(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (3000, 9000))
    assert [blocked_rows.too_large(size, "cuda") for size in (1000, 1001)] == [False, True]
    assert not blocked_rows.too_large(10**9, "mps")
