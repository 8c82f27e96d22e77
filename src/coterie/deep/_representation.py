"""What of an encoder is clustered: its embedding, or several of its layers side by side.

Layers differ in width and in scale. Each becomes a block: averaged over a coarse grid where it is an image, turned to its
principal axes, at most 50, made white, and scaled so that all blocks have the same total variance. The blocks are fixed when
they are fitted; gradients pass through them.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ._training import encoded

__all__ = ["Representation"]

_MOST_AXES = 50
_LEAST_SHARE = 1e-2  # of the largest variance, added to all: an axis the network hardly uses is not blown up, and training stays calm


class Representation(nn.Module):
    """From rows to what is clustered.

    Parameters
    ----------
    coder : torch.nn.Module
        With ``encode``.
    layers : None or sequence of str
        Names of submodules of ``coder``; None is the embedding itself.
    whiten : bool
        Whether to make the embedding white where it stands alone; several layers always are.
    example : (b, ...) tensor
        Some rows, to learn the widths from.
    """

    def __init__(self, coder: nn.Module, layers: Any, whiten: bool, example: Tensor):
        super().__init__()
        self.coder = coder
        self.layers = None if layers is None else list(layers)
        self.fixed = whiten or layers is not None
        widths = [block.shape[1] for block in self._blocks(example)]
        for i, width in enumerate(widths if self.fixed else ()):
            axes = min(_MOST_AXES, width)
            self.register_buffer(f"mean{i}", torch.zeros(width, device=example.device))
            self.register_buffer(f"axes{i}", torch.zeros(width, axes, device=example.device))
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
        count = 1 if self.layers is None else len(self.layers)
        for i in range(count):
            mean, axes = _white(encoded(lambda x, i=i: self._blocks(x)[i], rows), self.get_buffer(f"axes{i}").shape[1])
            self.get_buffer(f"mean{i}").copy_(mean)
            self.get_buffer(f"axes{i}").copy_(axes * (self.width / (count * axes.shape[1])) ** 0.5)

    def _blocks(self, x: Tensor) -> list[Tensor]:
        encode: Any = self.coder.encode
        if self.layers is None:
            return [encode(x)]
        caught: dict[str, Tensor] = {}
        handles = [
            self.coder.get_submodule(name).register_forward_hook(
                lambda _module, _inputs, output, name=name: caught.update({name: _pooled(output)})
            )
            for name in self.layers
        ]
        try:
            encode(x)
        finally:
            for handle in handles:
                handle.remove()
        return [caught[name] for name in self.layers]


def _pooled(output: Tensor) -> Tensor:
    """Return a layer's output as (b, width); images are averaged over 4 x 4 fields."""
    if output.ndim == 4:
        output = nn.functional.adaptive_avg_pool2d(output, (min(4, output.shape[2]), min(4, output.shape[3])))
    return output.flatten(1)


def _white(block: Tensor, n_axes: int) -> tuple[Tensor, Tensor]:
    """Return the mean of a block and its leading principal axes, each divided by its standard deviation."""
    mean = block.double().mean(0)
    centered = block.double() - mean
    values, vectors = torch.linalg.eigh(centered.T @ centered / len(block))
    values, vectors = values[-n_axes:].flip(0), vectors[:, -n_axes:].flip(1)
    least = max(float(values[0]) * _LEAST_SHARE, torch.finfo(torch.float32).tiny)
    signs = vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()  # the same axes on every machine
    return mean.float(), (vectors * signs / (values.clamp_min(0) + least).sqrt()).float()
