"""Work on whole files that tasks have left, two at a time."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..exchange import Drop
from .cluster import Crew
from .exchange import Missing, Slice, slice_bytes
from .here import Here
from .tasks import Errand, Lost, Place
from .watch import told_of_receivers

__all__ = ["collect_pairs"]


def collect_pairs(
    crew: Crew | Here,
    drops: Sequence[Drop],
    pairs: Sequence[tuple[int, int]],
    function: Callable,
    arguments: tuple,
    strict: bool,
) -> list:
    """See `coterie.primitives.drop_pairs.collect_pairs`."""
    groups = [(drop.address,) if strict else drop.folder for drop in drops]
    writers = {g: sorted({d.address for d, of in zip(drops, groups, strict=True) if of == g}) for g in set(groups)}
    seen_by = {address: group for group, addresses in writers.items() for address in addresses}
    slices = [Slice(i, drop.path, 0, int(drop.sizes.sum())) for i, drop in enumerate(drops)]

    def plan(pair: tuple[int, int], place: Place) -> Errand:
        far = [i for i in pair if groups[i] != seen_by.get(place.address, ())]
        reads = [(_read, slices[i], writers[groups[i]]) for i in far]
        files = [None if i in far else slices[i] for i in pair]
        return Errand(_serve, (function, pair, files, arguments), reads)

    done = told_of_receivers(function, len(pairs))
    found = crew.stream([partial(plan, pair) for pair in pairs], done)
    for result in found:
        if isinstance(result, Missing):
            raise Lost(str(result))
    return found


def _serve(function: Callable, pair: tuple, files: list[Slice | None], arguments: tuple, *read: Any) -> Any:
    """Call the function for a pair on a worker; what it does not see has been read for it."""
    there = iter(read)
    try:
        data = [next(there) if file is None else slice_bytes(file) for file in files]
    except Missing as error:
        return error
    gone = next((part for part in data if isinstance(part, Missing)), None)
    return function(pair, *data, *arguments) if gone is None else gone


def _read(file: Slice) -> Any:
    """Read a file of this worker for another."""
    try:
        return slice_bytes(file)
    except Missing as error:
        return error
