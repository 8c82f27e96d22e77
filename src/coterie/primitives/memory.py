"""How much memory the machine has free and this process has taken, so that a plan can be refused before anything is allocated."""

__all__ = ["free_bytes", "taken_bytes"]


def free_bytes() -> float:
    """Return how many bytes new arrays may take without swapping; infinity where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return float("inf")


def taken_bytes() -> int:
    """Return how many bytes of memory this process has now, program and libraries included; 0 where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
    except (OSError, StopIteration, ValueError):
        return 0
