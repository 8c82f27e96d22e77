"""Layers side by side: each becomes a block of few columns, and all blocks have the same total variance.

A layer of 2,000 columns would outvote one of 10, and one of large numbers any other. So each is turned to its principal axes
(at most 50), these are made white, and the block is divided by the root of its total variance. Everything needed for it is
added up batch by batch: the means and the covariance in double precision, or, for very wide layers, a sketch of it.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.linalg import eigh
from torch import Tensor

from ..errors import InputError, ResourceError

__all__ = ["NORMS", "Block", "Moments", "Sketch", "alignment_weights", "block_of", "moments_for", "needs_moments"]

NORMS = ("whiten", "scale", "standard", "l2")
WIDEST = 4096  # columns up to which the covariance itself is kept: 134 MB
# Added to all variances, so that axes of nothing but rounding are not blown up: a share of the largest, or of the mean square
# of a column where that is more, since rounding goes with the size of the numbers and not with how much they vary. The second
# keeps what another batch size changes in float32 below 1e-5 (measured on 15 networks: 3e-5 without, 9e-6 with).
_LEAST_SHARE, _ROUNDING_SHARE = 1e-5, 3e-4
_NOTHING = 1e-10  # of the largest variance: below it an axis is rounding, not data
_OVERSAMPLED = 10
_WIDE, _ROWS_AT_ONCE = 256, 256


class Block(NamedTuple):
    """From the pooled rows of a layer to its columns: ``(z - mean) @ axes`` or ``(z - mean) * scale``, maybe of length 1."""

    width: int  # columns that come in
    columns: int  # columns that go out
    mean: np.ndarray | None  # (width,) float64
    axes: np.ndarray | None  # (width, columns) float64
    scale: np.ndarray | None  # (columns,) or () float64
    unit: bool

    def placed(self, device: torch.device) -> "PlacedBlock":
        """Return the block on a device."""
        dtype = torch.float32 if device.type == "mps" else torch.float64
        mean, axes, scale = (
            None if part is None else torch.as_tensor(part, dtype=dtype, device=device)
            for part in (self.mean, self.axes, self.scale)
        )
        return PlacedBlock(self.width, mean, axes, scale, self.unit)


class PlacedBlock(NamedTuple):
    """A `Block` of tensors."""

    width: int
    mean: Any
    axes: Any
    scale: Any
    unit: bool

    def __call__(self, z: Tensor, name: str) -> Tensor:
        """Return the columns of pooled rows."""
        if z.shape[1] != self.width:
            raise InputError(
                f"layer {name!r} gives {z.shape[1]} columns and gave {self.width} in fit; pass rows of the same shape, or"
                " pool positions with 'mean'"
            )
        if self.mean is not None:
            z = z.to(self.mean.dtype) - self.mean
        if self.axes is not None:
            z = z @ self.axes
        if self.unit:
            length = z.norm(dim=1, keepdim=True)
            z = z / length.where(length > 0, length.new_ones(()))
        return z if self.scale is None else z * self.scale.to(z.dtype)


class Moments:
    """Means and covariance of rows, added up in double precision."""

    def __init__(self, width: int, device: torch.device):
        self.device = torch.device("cpu") if device.type == "mps" else device
        self.n, self.shift = 0, torch.zeros(0)
        self.sums = torch.zeros(width, dtype=torch.float64, device=self.device)
        self.products = torch.zeros(width, width, dtype=torch.float64, device=self.device)

    def add(self, z: Tensor) -> None:
        """Take the next rows, (b, width)."""
        z = self._shifted(z)
        self.sums += z.sum(0)
        self.products.addmm_(z.T, z)

    def _shifted(self, z: Tensor) -> Tensor:
        """Return rows in double precision less the first mean: squares of large offsets would eat the digits."""
        z = z.to(self.device).double()
        if self.n == 0:
            self.shift = z.mean(0)
        self.n += len(z)
        return z - self.shift

    def finish(self, most: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Return the mean, the leading eigenvalues of the covariance, descending, their vectors, and the total variance.

        The sums are turned into the covariance where they lie, and that is used up.
        """
        mean = (self.sums / self.n).cpu().numpy()
        covariance, self.products = self.products.cpu().numpy(), torch.zeros(0)
        covariance /= self.n
        for start in range(0, len(mean), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            covariance[part] -= mean[part, None] * mean
        total = float(np.trace(covariance))
        values, vectors = _leading(covariance, most)
        return mean + self.shift.cpu().numpy(), np.maximum(values, 0.0), _signed(vectors), total

    def variances(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of each column."""
        mean = self.sums / self.n
        variance = self.products.diagonal() / self.n - mean * mean
        return (mean + self.shift).cpu().numpy(), variance.clamp(min=0).cpu().numpy()

    def covariance(self) -> np.ndarray:
        """Return the covariance."""
        mean = self.sums / self.n
        return (self.products / self.n - mean[:, None] * mean[None, :]).cpu().numpy()


class Sketch(Moments):
    """The same for very wide rows: the covariance times a few random directions, from which its leading part is rebuilt.

    References
    ----------
    Tropp, J. A., Yurtsever, A., Udell, M., & Cevher, V. (2017). Fixed-rank approximation of a positive-semidefinite matrix
    from streaming data. NeurIPS. https://arxiv.org/abs/1706.05736
    """

    def __init__(self, width: int, device: torch.device, most: int, random: np.random.RandomState):
        super().__init__(0, device)
        directions = np.linalg.qr(random.standard_normal((width, min(width, 2 * most + _OVERSAMPLED))))[0]
        self.directions = torch.as_tensor(directions, device=self.device)
        self.sums = torch.zeros(width, dtype=torch.float64, device=self.device)
        self.squares = torch.zeros(width, dtype=torch.float64, device=self.device)
        self.products = torch.zeros(directions.shape, dtype=torch.float64, device=self.device)

    def add(self, z: Tensor) -> None:
        """Take the next rows, (b, width)."""
        z = self._shifted(z)
        self.sums += z.sum(0)
        self.squares += (z * z).sum(0)
        self.products.addmm_(z.T, z @ self.directions)

    def finish(self, most: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Return mean, leading eigenvalues, vectors and total variance, the middle two nearly."""
        mean = self.sums / self.n
        image = (self.products / self.n - mean[:, None] * (mean @ self.directions)[None, :]).cpu().numpy()
        directions = self.directions.cpu().numpy()
        shift = np.sqrt(len(mean)) * np.finfo(float).eps * np.linalg.norm(image, 2)
        image = image + shift * directions
        core = directions.T @ image
        factor = np.linalg.cholesky((core + core.T) / 2 + shift * np.eye(len(core)))
        vectors, roots, _ = np.linalg.svd(np.linalg.solve(factor, image.T).T, full_matrices=False)
        values = np.maximum(roots**2 - shift, 0.0)[:most]
        _, variance = self.variances()
        return (mean + self.shift).cpu().numpy(), values, _signed(vectors[:, :most]), float(variance.sum())

    def variances(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of each column."""
        mean = self.sums / self.n
        variance = self.squares / self.n - mean * mean
        return (mean + self.shift).cpu().numpy(), variance.clamp(min=0).cpu().numpy()


def _leading(covariance: np.ndarray, most: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the leading eigenvalues, descending, and their vectors; of a wide matrix in its own memory."""
    d = len(covariance)
    if most is None or d < _WIDE or 4 * most > d:
        values, vectors = np.linalg.eigh(covariance)
        return values[::-1][:most], vectors[:, ::-1][:, :most]
    # The transpose of a symmetric matrix is itself, in the order that LAPACK takes without a copy.
    values, vectors = eigh(covariance.T, subset_by_index=[d - most, d - 1], overwrite_a=True, check_finite=False)
    return values[::-1], vectors[:, ::-1]


def _signed(vectors: np.ndarray) -> np.ndarray:
    """Return vectors whose entry of largest magnitude is positive, so that they are the same on every machine."""
    largest = np.abs(vectors).argmax(axis=0)
    return vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])


def needs_moments(norm: str | None, reduce: int | None) -> bool:
    """Say whether a block has to be learnt from the rows."""
    return reduce is not None or norm in ("whiten", "scale", "standard")


def moments_for(
    widths: list[int], settings: list[tuple[str | None, int | None]], names: list[str], room: float,
    device: torch.device, random: np.random.RandomState,
) -> list[Moments | None]:  # fmt: skip
    """Return what is added up for each layer, the widest as sketches where the covariances would not fit.

    Parameters
    ----------
    widths : list of int
    settings : list of (norm, reduce)
    names : list of str
    room : float
        Bytes for all together.
    device : device
    random : RandomState
    """
    cost: dict[int, float] = {}
    sketched = set()
    for i, (width, (norm, reduce)) in enumerate(zip(widths, settings, strict=True)):
        if needs_moments(norm, reduce):
            cost[i] = (
                (10.0 if reduce is not None else 32.0) * width * width
            )  # with all eigenvectors, and copies for them
            if width > WIDEST and reduce is not None:
                sketched.add(i)
    for i in sorted(cost, key=lambda i: -widths[i]):
        over = sum(_sketch_cost(widths[j], settings[j][1]) if j in sketched else cost[j] for j in cost) > room
        if over and settings[i][1] is not None and _sketch_cost(widths[i], settings[i][1]) < cost[i]:
            sketched.add(i)
    needed = sum(_sketch_cost(widths[j], settings[j][1]) if j in sketched else cost[j] for j in cost)
    if needed > room:
        widest = max(cost, key=lambda i: widths[i])
        raise ResourceError(
            f"learning the blocks needs {needed / 1e6:,.0f} MB, layer {names[widest]!r} alone has {widths[widest]:,} columns,"
            f" and {room / 1e6:,.0f} MB are left for it; pool it with 'mean', set reduce, or raise max_memory"
        )
    return [
        None if i not in cost else Sketch(width, device, settings[i][1] or 1, random) if i in sketched
        else Moments(width, device)
        for i, width in enumerate(widths)
    ]  # fmt: skip


def _sketch_cost(width: int, reduce: int | None) -> float:
    return 32.0 * width * (2 * (reduce or 1) + _OVERSAMPLED)


def block_of(moments: Moments | None, width: int, norm: str | None, reduce: int | None, weight: float) -> Block:
    """Return the block of a layer.

    Parameters
    ----------
    moments : Moments or None
        None where nothing needs to be learnt.
    width : int
    norm : {"whiten", "scale", "standard", "l2"} or None
    reduce : int or None
        Most principal axes to keep; None keeps the columns, except that "whiten" turns them.
    weight : float
        Of the block's squared distances.
    """
    root = float(np.sqrt(weight))
    if moments is None:
        return Block(width, width, None, None, None if weight == 1 else np.asarray(root), norm == "l2")
    if reduce is None and norm in ("scale", "standard"):
        mean, variance = moments.variances()
        total = float(variance.sum())
        if norm == "scale":
            return Block(width, width, mean, None, np.full(width, root / np.sqrt(total) if total > 0 else 0.0), False)
        known = variance > _NOTHING * variance.max(initial=0.0)
        scale = np.divide(1.0, np.sqrt(variance), out=np.zeros(width), where=known)
        return Block(width, width, mean, None, scale * root / np.sqrt(max(known.sum(), 1)), False)
    mean, values, vectors, spread = moments.finish(reduce)
    kept = values > _NOTHING * values[0] if values[0] > 0 else np.arange(len(values)) == 0
    values, vectors = values[kept], vectors[:, kept]
    if norm in ("whiten", "standard") and values[0] > 0:
        least = max(_LEAST_SHARE * float(values[0]), _ROUNDING_SHARE * (float(mean @ mean) + spread) / width)
        vectors = vectors / np.sqrt(values + least)
        values = values / (values + least)
    if norm in ("whiten", "standard", "scale"):
        total = float(values.sum())
        vectors = vectors * (root / np.sqrt(total) if total > 0 else 0.0)
        root = 1.0
    scale = None if root == 1 else np.asarray(root)
    return Block(width, vectors.shape[1], mean, vectors, scale, norm == "l2")


def alignment_weights(covariance: np.ndarray, slices: list[slice]) -> np.ndarray:
    """Return how well each layer agrees with all, as weights of sum 1, without labels.

    The agreement is the alignment of the layer's kernel ``Z Z^T`` with the mean of those of all layers, and is read off the
    covariance between the blocks: ``<Z Z^T, Y Y^T> = |Z^T Y|^2``.

    Parameters
    ----------
    covariance : (d, d) array
        Of the blocks side by side, each of total variance 1.
    slices : list of slice
        Columns of each block.

    Returns
    -------
    (L,) array

    References
    ----------
    Cortes, C., Mohri, M., & Rostamizadeh, A. (2012). Algorithms for learning kernels based on centered alignment. JMLR, 13,
    795-828. https://jmlr.org/papers/v13/cortes12a.html
    """
    inner = np.array([[(covariance[a, b] ** 2).sum() for b in slices] for a in slices])
    own, mean = np.sqrt(inner.diagonal()), np.sqrt(inner.sum())
    scores = np.divide(inner.sum(axis=1), own * mean, out=np.zeros(len(slices)), where=own * mean > 0)
    return scores / scores.sum() if scores.sum() > 0 else np.full(len(slices), 1.0 / len(slices))
