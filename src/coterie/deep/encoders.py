"""Networks that learn without labels: from rows to a short embedding and back.

An encoder here is any `torch.nn.Module` with ``encode(x)``; where it also has ``loss(x)``, it can be trained without labels.
The classes below are the usual ones. Their layers are plain children with plain names, so that `LayerFeatures` and the
``layers=`` of the deep clusterers can take them by name ("encoder.0", "encoder.2", ...). Rows go in with the shape they have
in the data, and come back with the same.
"""

import copy
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import InputError

__all__ = [
    "Autoencoder",
    "ConvAutoencoder",
    "MLPAutoencoder",
    "ModuleEncoder",
    "VariationalAutoencoder",
    "build_encoder",
]

_LOG_VARIANCE_BOUND = 6.0  # variances between e^-6 and e^6: beyond, exp overflows long before the loss says so


class Autoencoder(nn.Module):
    """What the encoders share: the squared error of the reconstruction, from inputs with some values left out.

    Parameters
    ----------
    row_shape : tuple of int
        Shape of one row: ``(d,)`` for tables, ``(height, width)`` or ``(channels, height, width)`` for images.
    embedding_dim : int
        Length of the embedding.
    noise : float
        Share of the input values set to 0 while training (denoising), 0 for none.
    """

    encoder: nn.Module
    decoder: nn.Module

    def __init__(self, row_shape: Sequence[int], embedding_dim: int, noise: float):
        super().__init__()
        if not 0 <= noise < 1:
            raise InputError(f"noise is the share of values left out, at least 0 and below 1, got {noise!r}")
        if embedding_dim < 1:
            raise InputError(f"embedding_dim must be at least 1, got {embedding_dim!r}")
        self.row_shape = tuple(int(side) for side in row_shape)
        self.embedding_dim = int(embedding_dim)
        self.noise = float(noise)

    def encode(self, x: Tensor) -> Tensor:
        """Return the embedding of the rows ``x``, (b, embedding_dim)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Return the rows that the embeddings ``z`` stand for, (b, *row_shape)."""
        return self.decoder(z).reshape(len(z), *self.row_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstruction of ``x``."""
        return self.decode(self.encode(x))

    def corrupted(self, x: Tensor) -> Tensor:
        """Return ``x`` with a share of its values left out, where the encoder learns to fill them in."""
        return functional.dropout(x, self.noise) * (1 - self.noise) if self.noise and self.training else x

    def reconstruction_loss(self, x: Tensor, z: Tensor) -> Tensor:
        """Return the mean squared error of a value of ``x`` as decoded from ``z``."""
        return functional.mse_loss(self.decode(z), x)

    def loss(self, x: Tensor) -> Tensor:
        """Return what training without labels makes small."""
        return self.reconstruction_loss(x, self.encode(self.corrupted(x)))


class MLPAutoencoder(Autoencoder):
    """Autoencoder of fully connected layers.

    Parameters
    ----------
    row_shape : tuple of int
        Shape of one row; it is flattened.
    embedding_dim : int, default=10
        Length of the embedding.
    hidden : sequence of int, default=(500, 500, 2000)
        Widths of the layers before the embedding, and in reverse after it. The default is that of DEC.
    noise : float, default=0.0
        Share of the input values set to 0 while training.

    References
    ----------
    Xie, J., Girshick, R., & Farhadi, A. (2016). Unsupervised deep embedding for clustering analysis. ICML, 478-487.
    https://arxiv.org/abs/1511.06335

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.encoders import MLPAutoencoder
    >>> coder = MLPAutoencoder((64,), embedding_dim=5, hidden=(32,))
    >>> coder.encode(torch.zeros(3, 64)).shape, coder(torch.zeros(3, 64)).shape
    (torch.Size([3, 5]), torch.Size([3, 64]))
    """

    def __init__(
        self,
        row_shape: Sequence[int],
        embedding_dim: int = 10,
        *,
        hidden: Sequence[int] = (500, 500, 2000),
        noise: float = 0.0,
    ):
        super().__init__(row_shape, embedding_dim, noise)
        self.hidden = tuple(int(width) for width in hidden)
        widths = (math.prod(self.row_shape), *self.hidden, self.embedding_dim)
        self.encoder = nn.Sequential(nn.Flatten(), *_fully_connected(widths))
        self.decoder = nn.Sequential(*_fully_connected(widths[::-1]))


class ConvAutoencoder(Autoencoder):
    """Autoencoder of strided convolutions, for images.

    Parameters
    ----------
    row_shape : tuple of int
        ``(height, width)`` or ``(channels, height, width)``.
    embedding_dim : int, default=10
        Length of the embedding.
    channels : sequence of int, default=(16, 32, 64)
        Of the convolutions before the embedding; each halves height and width, and in reverse after it.
    noise : float, default=0.0
        Share of the input values set to 0 while training.

    References
    ----------
    Guo, X., Liu, X., Zhu, E., & Yin, J. (2017). Deep clustering with convolutional autoencoders. ICONIP, 373-382.
    https://doi.org/10.1007/978-3-319-70096-0_39

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.encoders import ConvAutoencoder
    >>> coder = ConvAutoencoder((28, 28))
    >>> coder.encode(torch.zeros(3, 28, 28)).shape, coder(torch.zeros(3, 28, 28)).shape
    (torch.Size([3, 10]), torch.Size([3, 28, 28]))
    """

    def __init__(
        self,
        row_shape: Sequence[int],
        embedding_dim: int = 10,
        *,
        channels: Sequence[int] = (16, 32, 64),
        noise: float = 0.0,
    ):
        super().__init__(row_shape, embedding_dim, noise)
        if len(self.row_shape) not in (2, 3):
            raise InputError(
                f"a convolutional encoder needs rows of (height, width) or (channels, height, width), got {self.row_shape}"
            )
        self.channels = tuple(int(count) for count in channels)
        first, height, width = self.row_shape if len(self.row_shape) == 3 else (1, *self.row_shape)
        counts = (first, *self.channels)
        sides = [(height, width)]
        for _ in self.channels:
            sides.append(((sides[-1][0] + 1) // 2, (sides[-1][1] + 1) // 2))
        last = (counts[-1], *sides[-1])
        down: list[nn.Module] = [nn.Unflatten(1, (1, height))] if len(self.row_shape) == 2 else []
        for before, after in pairwise(counts):
            down += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(math.prod(last), self.embedding_dim))
        up: list[nn.Module] = [nn.Linear(self.embedding_dim, math.prod(last)), nn.Unflatten(1, last)]
        for step in range(len(self.channels), 0, -1):
            # 2 s - 1 or 2 s of the side before it was halved
            extra = (int(sides[step - 1][0] % 2 == 0), int(sides[step - 1][1] % 2 == 0))
            up += [
                nn.ReLU(),
                nn.ConvTranspose2d(counts[step], counts[step - 1], 3, stride=2, padding=1, output_padding=extra),
            ]
        self.decoder = nn.Sequential(*up)


class VariationalAutoencoder(Autoencoder):
    """Autoencoder whose embedding is a normal distribution for each row.

    Parameters
    ----------
    row_shape : tuple of int
        Shape of one row; it is flattened.
    embedding_dim : int, default=10
        Length of the embedding.
    hidden : sequence of int, default=(500, 500, 2000)
        Widths of the layers before the embedding, and in reverse after it.
    noise : float, default=0.0
        Share of the input values set to 0 while training.

    References
    ----------
    Kingma, D. P., & Welling, M. (2014). Auto-encoding variational Bayes. ICLR. https://arxiv.org/abs/1312.6114

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.encoders import VariationalAutoencoder
    >>> coder = VariationalAutoencoder((64,), embedding_dim=5, hidden=(32,))
    >>> mean, log_variance = coder.posterior(torch.zeros(3, 64))
    >>> mean.shape
    torch.Size([3, 5])
    """

    def __init__(
        self,
        row_shape: Sequence[int],
        embedding_dim: int = 10,
        *,
        hidden: Sequence[int] = (500, 500, 2000),
        noise: float = 0.0,
    ):
        super().__init__(row_shape, embedding_dim, noise)
        self.hidden = tuple(int(width) for width in hidden)
        widths = (math.prod(self.row_shape), *self.hidden)
        self.trunk = nn.Sequential(nn.Flatten(), *_fully_connected(widths), nn.ReLU())
        self.mean = nn.Linear(widths[-1], self.embedding_dim)
        self.log_variance = nn.Linear(widths[-1], self.embedding_dim)
        self.encoder = nn.Sequential(self.trunk, self.mean)
        self.decoder = nn.Sequential(*_fully_connected((self.embedding_dim, *widths[::-1])))

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance of each row's embedding, (b, embedding_dim) each."""
        trunk = self.trunk(x)
        return self.mean(trunk), self.log_variance(trunk).clamp(-_LOG_VARIANCE_BOUND, _LOG_VARIANCE_BOUND)

    @staticmethod
    def sample(mean: Tensor, log_variance: Tensor) -> Tensor:
        """Draw an embedding of each row; gradients pass through the draw."""
        return mean + torch.randn_like(mean) * (0.5 * log_variance).exp()

    def loss(self, x: Tensor) -> Tensor:
        """Return minus the evidence lower bound of a row in the mean, for values of unit variance, divided by its length."""
        mean, log_variance = self.posterior(self.corrupted(x))
        squared = (self.decode(self.sample(mean, log_variance)) - x).square().flatten(1).sum(1)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
        return (0.5 * squared + divergence).mean() / math.prod(self.row_shape)


class ModuleEncoder(nn.Module):
    """Any module as an encoder: what it returns, flattened, is the embedding, and it has no loss of its own.

    Parameters
    ----------
    module : torch.nn.Module
        From (b, ...) rows to one tensor of b rows.

    Examples
    --------
    >>> import torch
    >>> from coterie.deep.encoders import ModuleEncoder
    >>> ModuleEncoder(torch.nn.Conv1d(1, 2, 3)).encode(torch.zeros(5, 1, 8)).shape
    torch.Size([5, 12])
    """

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module

    def encode(self, x: Tensor) -> Tensor:
        """Return the embedding of the rows ``x``, (b, p)."""
        z = self.module(x)
        if not isinstance(z, Tensor) or z.ndim < 2 or len(z) != len(x) or not z.is_floating_point():
            what = tuple(z.shape) if isinstance(z, Tensor) else type(z).__name__
            raise InputError(
                f"an encoder must return one tensor of numbers with a row for each of the {len(x)} rows, got {what}; "
                "give it a method encode(x) that does"
            )
        return z.flatten(1)


# The class, and the parameter that gives the sizes of its layers.
_KINDS: dict[str, tuple[Any, str]] = {
    "mlp": (MLPAutoencoder, "hidden"),
    "conv": (ConvAutoencoder, "channels"),
    "vae": (VariationalAutoencoder, "hidden"),
}


def build_encoder(kind: Any, row_shape: Sequence[int], embedding_dim: int, hidden: Sequence[int] | None = None) -> Any:
    """Return an untrained encoder for rows of a shape; its start is drawn from PyTorch's own generator.

    Parameters
    ----------
    kind : {"auto", "mlp", "conv", "vae"} or torch.nn.Module
        "auto" is "conv" for rows of two or three sides of at least 8, else "mlp". A module is copied, not changed.
    row_shape : tuple of int
    embedding_dim : int
    hidden : sequence of int, optional
        Widths (mlp, vae) or channels (conv) of the layers before the embedding; default: of the class.

    Returns
    -------
    torch.nn.Module
        With ``encode``.
    """
    shape = tuple(row_shape)
    if isinstance(kind, nn.Module):
        own = copy.deepcopy(kind)
        return own if hasattr(own, "encode") else ModuleEncoder(own)
    if kind == "auto":
        kind = "conv" if len(shape) in (2, 3) and min(shape[-2:]) >= 8 else "mlp"
    if kind not in _KINDS:
        raise InputError(f"encoder must be one of auto, {', '.join(_KINDS)} or a torch.nn.Module, got {kind!r}")
    make, sizes = _KINDS[kind]
    return make(shape, embedding_dim, **({} if hidden is None else {sizes: hidden}))


def _fully_connected(widths: Sequence[int]) -> list[nn.Module]:
    """Return linear layers of the given widths with rectifiers between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return layers[:-1]
