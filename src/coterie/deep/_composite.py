"""One row of features from what the layers gave: blocks side by side, or coordinates that the layers agree on."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ._blocks import Block, Moments, alignment_weights, block_of
from ._capture import Layer
from ._graphs_of_layers import consensus, consensus_of, mean_graph, mean_graph_of

__all__ = ["GRAPHS", "Composite", "add_up", "composite_of"]

GRAPHS = ("mean_graph", "consensus")
"""Ways to combine layers that need all rows of the fit at once."""


class Composite(NamedTuple):
    """What was learnt of the layers."""

    names: list[str]
    blocks: list[Block]
    weights: np.ndarray  # (L,), of sum 1
    how: str
    state: Any = None  # of "mean_graph" and "consensus"

    @property
    def parts(self) -> list[slice]:
        """Return the columns of each block."""
        ends = np.cumsum([block.columns for block in self.blocks])
        return [slice(int(end) - block.columns, int(end)) for end, block in zip(ends, self.blocks, strict=True)]

    @property
    def slices(self) -> dict[str, slice]:
        """Return the columns of the features, by layer where they are of one."""
        if self.state is None:
            return dict(zip(self.names, self.parts, strict=True))
        return {self.how: slice(0, self.state[1].shape[1])}

    def rows(self, batches: Iterable[list[Tensor]], device: torch.device) -> Iterator[Tensor]:
        """Yield the blocks side by side, batch by batch."""
        blocks, start = [block.placed(device) for block in self.blocks], 0
        for found in batches:
            side_by_side = [block(z, name) for block, z, name in zip(blocks, found, self.names, strict=True)]
            rows = torch.cat(side_by_side, 1)
            self._check_finite(rows, start)
            start += len(rows)
            yield rows

    def _check_finite(self, rows: Tensor, start: int) -> None:
        if bool(rows.isfinite().all()):
            return
        row, column = (int(i) for i in (~rows.isfinite()).nonzero()[0])
        name = next(n for n, part in zip(self.names, self.parts, strict=True) if part.start <= column < part.stop)
        raise not_finite(name, start + row)

    def weighted(self, rows: Iterable[Tensor], device: torch.device) -> "Composite":
        """Return the same with each block weighted by its agreement with all."""
        parts = self.parts
        moments = Moments(parts[-1].stop, device)
        for batch in rows:
            moments.add(batch)
        weights = alignment_weights(moments.covariance(), parts) * self.weights
        weights = weights / weights.sum()
        blocks = [
            block._replace(scale=np.asarray(root if block.scale is None else block.scale * root))
            for block, root in zip(self.blocks, np.sqrt(weights * len(weights)), strict=True)
        ]
        return self._replace(blocks=blocks, weights=weights)

    def combined(
        self, rows: np.ndarray, n_neighbors: int, n_components: int, random: np.random.RandomState, device: str
    ) -> tuple[np.ndarray, "Composite"]:
        """Return the coordinates of the rows of the fit, and what those of others need."""
        common = (rows, self.parts, self.weights)
        if self.how == "mean_graph":
            found, state = mean_graph_of(*common, n_neighbors, n_components, device)
            return found, self._replace(state=state)
        found, partitions = consensus_of(*common, n_components, random, device)
        return found, self._replace(state=partitions)

    def coordinates(self, rows: np.ndarray, n_neighbors: int, device: str) -> np.ndarray:
        """Return the coordinates of rows."""
        if self.how == "mean_graph":
            return mean_graph(rows, self.state, self.parts, self.weights, n_neighbors, device)
        return consensus(rows, self.state, self.parts, self.weights)

    def settled(self) -> Any:
        """Return arrays and texts that say all of it."""
        blocks = [tuple(block) for block in self.blocks]
        return self.names, blocks, self.weights, self.how, None if self.state is None else self.state[1]


def composite_of(
    layers: list[Layer], widths: list[int], moments: list[Moments | None], settings: list[Any], how: str
) -> Composite:
    """Return the blocks of layers.

    Parameters
    ----------
    layers : list of Layer
    widths : list of int
    moments : list of Moments or None
    settings : list of (norm, reduce)
    how : str
        How blocks will be combined. Graphs take the weights of layers themselves, so their blocks are left without.
    """
    weights = np.array([layer.spec.get("weight", 1.0) for layer in layers], dtype=np.float64)
    blocks = [
        block_of(part, width, norm, reduce, 1.0 if how != "concat" else float(weight))
        for part, width, (norm, reduce), weight in zip(moments, widths, settings, weights, strict=True)
    ]
    names = [layer.label for layer in layers]
    for name, block in zip(names, blocks, strict=True):
        if block.mean is not None and not np.any(block.axes if block.axes is not None else block.scale):
            warnings.warn(
                f"layer {name!r} gives the same values for every row and adds nothing; leave it out", stacklevel=5
            )
    return Composite(names, blocks, weights / weights.sum(), how)


def add_up(moments: list[Moments | None], found: list[Tensor], layers: list[Layer], widths: list[int]) -> None:
    """Take a batch of pooled rows into what is added up of each layer."""
    for part, z, layer, width in zip(moments, found, layers, widths, strict=True):
        if part is None:
            continue
        if z.shape[1] != width:
            raise InputError(
                f"layer {layer.label!r} gives {z.shape[1]} columns for some rows and {width} for others; pool its positions"
                " with 'mean'"
            )
        before = part.n
        part.add(z)
        if not bool(part.sums.isfinite().all()):
            row = int((~z.isfinite()).any(1).nonzero()[0])
            raise not_finite(layer.label, before + row)


def not_finite(name: str, row: int) -> InputError:
    """Return the error for activations that are no numbers."""
    return InputError(
        f"layer {name!r} gave NaN or infinity for row {row}; look at its weights and at the scale of that row, or leave the"
        " layer out"
    )
