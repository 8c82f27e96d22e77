"""Values that are computed block by block, brought here one block after another."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from .cluster import Crew, crew_at_work

__all__ = ["values_by_block"]

_AHEAD = 2  # blocks at each place that are computed before they are asked for


def values_by_block(values: Any) -> Iterator[np.ndarray]:
    """See `coterie.primitives.blocks.values_by_block`."""
    crew = crew_at_work()
    parts = list(np.ravel(np.array(values.to_delayed(), dtype=object)))
    if not isinstance(crew, Crew):
        for part in parts:
            yield part.compute(scheduler="sync")
        return
    most = _AHEAD * len(crew.places())
    waiting: deque = deque()
    try:
        while parts or waiting:
            while parts and len(waiting) < most:
                waiting.append(crew.client.compute(parts.pop(0)))
            future = waiting.popleft()
            crew.wait([future])
            with crew._losses():
                found = future.result()
            yield found
    finally:
        crew._cancel(list(waiting))
