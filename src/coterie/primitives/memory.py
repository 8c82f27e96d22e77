"""How much memory is free and how much this process has taken, so that a plan can be refused before anything is allocated."""

import math
import os
from collections.abc import Iterator

__all__ = ["free_bytes", "taken_bytes"]

_MACHINE, _PROCESS, _GROUPS_OF_PROCESS, _GROUPS = (
    "/proc/meminfo",
    "/proc/self/status",
    "/proc/self/cgroup",
    "/sys/fs/cgroup",
)
# Where a control group says what it may take, what it has taken, and how much of that are pages of files that are given back.
_VERSION_2 = ("", "memory.max", "memory.current", "inactive_file")
_VERSION_1 = ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def free_bytes() -> float:
    """Return how many bytes new arrays may take without swapping, on this machine and within the limit of a container.

    Infinity where the system does not say.
    """
    return min(_kilobytes(_MACHINE, "MemAvailable", math.inf), *_left_to_groups())


def taken_bytes() -> int:
    """Return how many bytes of memory this process has now, program and libraries included; 0 where the system does not say."""
    return int(_kilobytes(_PROCESS, "VmRSS", 0))


def _left_to_groups() -> Iterator[float]:
    """What the limits of this process's control group, and of those around it, leave."""
    yield math.inf
    for line in _lines(_GROUPS_OF_PROCESS):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.strip().partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        tree, *names = _VERSION_1 if controllers else _VERSION_2
        parts = path.strip("/").split("/")
        # A container may see its own group as the root, and a path that stands for nothing inside it.
        for depth in range(len(parts) + 1):
            yield _left_to_group(os.path.join(_GROUPS, tree, *parts[:depth]), *names)


def _left_to_group(folder: str, limit: str, taken: str, given_back: str) -> float:
    try:
        most, now = (float(next(_lines(os.path.join(folder, name)), "")) for name in (limit, taken))
    except ValueError:  # no such group, or "max": no limit
        return math.inf
    counts = (line.split() for line in _lines(os.path.join(folder, "memory.stat")))
    cached = next((float(count[1]) for count in counts if count[0] == given_back), 0.0)
    return max(most - now + cached, 0.0)


def _kilobytes(path: str, name: str, unknown: float) -> float:
    return next((int(line.split()[1]) * 1024.0 for line in _lines(path) if line.startswith(name)), unknown)


def _lines(path: str) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8") as lines:
            yield from lines
    except OSError:
        return
