"""A heap of clusters, first the one whose nearest other cluster is nearest; equal distances by the lower name, then the higher.

``heap[:count]`` holds names and ``keys[:count]`` their distances, side by side so that a comparison reads one place in memory;
``place[name]`` says where a name is, -1 for those that are not in the heap. A cluster that has not been looked at has the nearest one
-1, so that it comes before all of the same distance.
"""

from .jit import part

__all__ = ["remove", "settle"]


@part
def settle(heap, keys, place, count, nearest, name, key):
    """Put a cluster whose distance has become ``key`` where it belongs."""
    at = place[name]
    while at:
        above = (at - 1) // 2
        if not _before(nearest, name, key, heap[above], keys[above]):
            break
        heap[at], keys[at] = heap[above], keys[above]
        place[heap[at]] = at
        at = above
    _sink(heap, keys, place, count, nearest, at, name, key)


@part
def remove(heap, keys, place, count, nearest, name):
    """Take a cluster out; ``count`` is the number before, and one less after."""
    at, last = place[name], heap[count - 1]
    place[name] = -1
    if last != name:
        key = keys[count - 1]
        heap[at], place[last] = last, at
        settle(heap, keys, place, count - 1, nearest, last, key)


@part
def _sink(heap, keys, place, count, nearest, at, name, key):
    while True:
        below = 2 * at + 1
        if below >= count:
            break
        if below + 1 < count and _before(nearest, heap[below + 1], keys[below + 1], heap[below], keys[below]):
            below += 1
        if not _before(nearest, heap[below], keys[below], name, key):
            break
        heap[at], keys[at] = heap[below], keys[below]
        place[heap[at]] = at
        at = below
    heap[at], keys[at] = name, key
    place[name] = at


@part
def _before(nearest, a, distance_a, b, distance_b):
    """Say whether the pair of cluster a comes before that of b."""
    if distance_a != distance_b:
        return distance_a < distance_b
    low_a, high_a = (a, nearest[a]) if a < nearest[a] else (nearest[a], a)
    low_b, high_b = (b, nearest[b]) if b < nearest[b] else (nearest[b], b)
    return low_a < low_b or (low_a == low_b and high_a < high_b)
