"""What of an encoder is clustered: its embedding, or several of its layers side by side.

Layers differ in width and in scale. Each becomes a block: averaged over a coarse grid where it is an image, turned to its
principal axes, at most 50, made white, and scaled so that all blocks have the same total variance. The blocks are fixed when
they are fitted; gradients pass through them.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ._blocks import Moments
from ._capture import Capture, trace
from ._layers import requested, resolve

__all__ = ["Representation"]

_MOST_AXES = 50
_BATCH = 1024
# Of the largest variance, added to all: an axis that the network hardly uses is not blown up, and training stays calm.
_LEAST_SHARE = 1e-2


class Representation(nn.Module):
    """From rows to what is clustered.

    Parameters
    ----------
    coder : torch.nn.Module
        With ``encode``.
    layers : None, str or sequence of str
        Layers of ``coder`` as `LayerFeatures` names them; None is the embedding itself.
    whiten : bool
        Whether to make the embedding white where it stands alone; several layers always are.
    example : (2, ...) tensor
        Some rows, to learn the widths from.
    """

    def __init__(self, coder: nn.Module, layers: Any, whiten: bool, example: Tensor):
        super().__init__()
        self.coder = coder
        self.fixed = whiten or layers is not None
        self.wanted = None
        if layers is not None:
            one, two = (trace(coder, self._encode, example[:n]) for n in (1, 2))
            names = requested(layers if isinstance(layers, str) else list(layers))
            self.wanted = resolve(names, coder, one, two, 1, "grid")
        widths = [block.shape[1] for block in self._blocks(example)]
        for i, width in enumerate(widths if self.fixed else ()):
            axes = min(_MOST_AXES, width)
            self.register_buffer(f"mean{i}", torch.zeros(width, device=example.device))
            self.register_buffer(f"axes{i}", torch.zeros(width, axes, device=example.device))
        self.n_blocks = len(widths)
        self.width = sum(min(_MOST_AXES, width) for width in widths) if self.fixed else sum(widths)

    def forward(self, x: Tensor) -> Tensor:
        """Return what is clustered, (b, width)."""
        blocks = self._blocks(x)
        if not self.fixed:
            return blocks[0]
        turned = [(block - self.get_buffer(f"mean{i}")) @ self.get_buffer(f"axes{i}") for i, block in enumerate(blocks)]
        return torch.cat(turned, 1)

    @torch.no_grad()
    def fit(self, rows: Tensor) -> None:
        """Find the principal axes of each block over all rows; does nothing where the embedding is taken as it is."""
        if not self.fixed:
            return
        moments = [Moments(len(self.get_buffer(f"mean{i}")), rows.device) for i in range(self.n_blocks)]
        for start in range(0, len(rows), _BATCH):
            for one, block in zip(moments, self._blocks(rows[start : start + _BATCH]), strict=True):
                one.add(block)
        for i, one in enumerate(moments):
            axes = self.get_buffer(f"axes{i}")
            mean, variances, vectors, _ = one.finish(axes.shape[1])
            least = max(float(variances[0]) * _LEAST_SHARE, float(np.finfo(np.float32).tiny))
            alike = (self.width / (self.n_blocks * axes.shape[1])) ** 0.5  # all blocks have the same total variance
            axes.copy_(torch.from_numpy(alike * vectors / np.sqrt(variances + least)))
            self.get_buffer(f"mean{i}").copy_(torch.from_numpy(mean))

    def _encode(self, x: Tensor) -> Tensor:
        encode: Any = self.coder.encode
        return encode(x)

    def _blocks(self, x: Tensor) -> list[Tensor]:
        if self.wanted is None:
            return [self._encode(x)]
        with Capture(self.coder, self._encode, self.wanted, stop_early=False) as read:
            return read(x)
