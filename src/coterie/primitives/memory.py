"""How much memory the machine has free, so that a plan can be refused before anything is allocated."""

__all__ = ["free_bytes"]


def free_bytes() -> float:
    """Return how many bytes new arrays may take without swapping; infinity where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return float("inf")
