"""From pictures to a few numbers each: by a network trained on them, by one from a model file, or by directions of pixels.

The network is trained once: the final fit takes it as it is, after the number of groups was found in what it makes of the pictures.
"""

import math
import os
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from ..catalog import CATALOG, DEEP
from ..errors import InputError, MissingExtraError, ModelFileError
from ..tables.picture_coding import PictureCoding
from ..tables.pictures import PictureKind, Pictures

__all__ = [
    "DEEP_METHODS",
    "Encoded",
    "Encoder",
    "apply_to",
    "directions_of",
    "encode",
    "fit_deep",
    "from_file",
    "training",
]

DEEP_METHODS = tuple(line.name for line in DEEP if line.name not in ("DeepGraphClustering", "SCANHead"))
# These take a trained autoencoder; the others have networks of a kind of their own.
_TAKES_A_NETWORK = ("N2D", "AEKMeans", "DEC", "IDEC", "DCN", "DKM")
_KINDS = {"ConvAutoencoder": "conv", "MLPAutoencoder": "mlp", "VariationalAutoencoder": "vae"}
_WORDS = {"conv": "a convolutional autoencoder", "mlp": "an autoencoder", "vae": "a variational autoencoder"}
# Steps below which a network has learnt too little, and passes of pictures beyond which more are not worth the wait. On 1,000
# pictures of each of three sets (10 groups, 2 seeds) 600 steps gave NMI within .013 of 1,000 steps, in 60% of the time.
_LEAST_STEPS, _MOST_PASSES, _USUAL_EPOCHS = 600, 600_000, 30
_DIRECTIONS = 30


class Encoder(NamedTuple):
    """A trained network and how a new one of its kind is built."""

    module: Any
    settings: dict[str, Any]  # of the estimator: encoder, hidden, embedding_dim, layers, whiten
    source: str  # the model file, or ""


class Encoded(NamedTuple):
    """Pictures as few numbers.

    Attributes
    ----------
    rows : (n, p) float32 or float64 array
        What the network, or the projection, makes of each.
    encoder : Encoder
    words : str
        Which network made the numbers.
    """

    rows: np.ndarray
    encoder: Encoder
    words: str


def apply_to(method: str, encoder: str | None) -> str:
    """Return which method runs: of "auto", N2D where PyTorch is installed, else the study's choice on directions of pixels.

    Raises
    ------
    InputError
        If the method is not for pictures, or can do nothing with a network that is given.
    MissingExtraError
        If a network is asked for and PyTorch is not installed.
    """
    names = {name.lower(): name for name in ("auto", *DEEP_METHODS, *(line.name for line in CATALOG))}
    found = names.get(str(method).lower().replace("-", "").replace("_", ""))
    if found is None:
        raise InputError(f"method must be one of {', '.join(names.values())} for pictures, got {method!r}")
    has_torch = find_spec("torch") is not None
    if (encoder is not None or found in DEEP_METHODS) and not has_torch:
        what = "an encoder" if encoder is not None else found
        raise MissingExtraError(
            f'{what} needs PyTorch; pip install "coterie[deep]", or compare pixels with --method KMeans'
        )
    if encoder is not None and found not in ("auto", *_TAKES_A_NETWORK):
        raise InputError(
            f"{found} does not take the network of a model; with an encoder the methods are {', '.join(_TAKES_A_NETWORK)}"
        )
    return "N2D" if found == "auto" and has_torch else found


def training(n: int) -> tuple[int, int]:
    """Return epochs and pictures a step for n pictures.

    Examples
    --------
    >>> training(1000), training(60_000)
    ((38, 62), (10, 256))
    """
    batch = min(256, max(16, n // 16))
    usual = min(_USUAL_EPOCHS, math.ceil(_MOST_PASSES / n))
    return max(usual, math.ceil(_LEAST_STEPS / max(1, n // batch))), batch


def from_file(path: str | os.PathLike) -> tuple[Encoder, PictureKind]:
    """Return the network of a model file, and what pictures it takes.

    Raises
    ------
    ModelFileError
        If it is no model, or not of a network for pictures.
    """
    from .. import models

    model = models.load(path)
    estimator, name = model.estimator, os.path.basename(os.fspath(path))
    module = getattr(estimator, "encoder_", None) if type(estimator).__name__ in DEEP_METHODS else None
    kind = _KINDS.get(type(module).__name__)
    shape = tuple(getattr(estimator, "row_shape_", ()))
    if module is None or kind is None:
        raise ModelFileError(
            f"{name} is a {type(estimator).__name__} without an autoencoder; give a model of {', '.join(_TAKES_A_NETWORK)}"
        )
    if isinstance(model.prepared, PictureCoding):
        wanted = model.prepared.kind
    elif len(shape) in (2, 3) and (len(shape) == 2 or shape[0] == 3):
        wanted = PictureKind((int(shape[-2]), int(shape[-1])), len(shape) == 3)
    else:
        raise ModelFileError(f"{name} was fitted on rows of shape {shape}, not on pictures; give a model of pictures")
    sizes = module.channels if kind == "conv" else module.hidden
    settings = {
        "encoder": kind, "hidden": list(sizes), "embedding_dim": int(module.embedding_dim),
        "layers": estimator.layers, "whiten": estimator.whiten,
    }  # fmt: skip
    return Encoder(module, settings, name), wanted


def encode(pictures: Pictures, given: Encoder | None, *, seed: int, show: bool) -> Encoded:
    """Train a network on the pictures, or take the one that is given, and return what it makes of them.

    Parameters
    ----------
    pictures : Pictures
    given : Encoder, optional
    seed : int
    show : bool
        Show progress on the error stream.

    Returns
    -------
    Encoded
    """
    first = fit_deep(pictures, "AEKMeans", 2, given, seed=seed, show=show)
    own = {"encoder": _KINDS[type(first.encoder_).__name__], "hidden": first.hidden}
    encoder = given or Encoder(first.encoder_, own, "")
    return Encoded(np.asarray(first.embedding_), encoder, _words(first, given))


def fit_deep(pictures: Pictures, method: str, k: int, encoder: Encoder | None, *, seed: int, show: bool) -> Any:
    """Return the fitted estimator; ``encoder`` is not trained anew where the method takes it.

    Parameters
    ----------
    pictures : Pictures
    method : str
        One of `DEEP_METHODS`.
    k : int
    encoder : Encoder or None
    seed : int
    show : bool

    Returns
    -------
    estimator
        With the parameters that would have trained the same network.
    """
    from .. import deep

    epochs, batch = training(pictures.n_rows)
    settings: dict[str, Any] = {"pretrain_epochs": epochs, "batch_size": batch}
    if method in ("VaDE", "IMSAT"):
        settings = {}
    elif encoder is None:
        # Pictures too small to be halved three times have no more than some dozens of pixels.
        settings |= {"encoder": "conv"} if min(pictures.kind.size) >= 8 else {"encoder": "mlp", "hidden": [128, 64]}
    told: dict[str, Any] = {}
    if encoder is not None and method in _TAKES_A_NETWORK:
        settings |= encoder.settings
        told = {"encoder": settings["encoder"], "pretrain_epochs": epochs}
        settings |= {"encoder": encoder.module.requires_grad_(True), "pretrain_epochs": 0}
    estimator = getattr(deep, method)(k, **settings, random_state=seed, verbose=int(show))
    estimator.fit(pictures.values)
    if encoder is not None:
        encoder.module.requires_grad_(False)
    return estimator.set_params(**told, verbose=0)


def directions_of(pictures: Pictures, seed: int) -> tuple[PictureCoding, np.ndarray, float]:
    """Return the projection on the principal directions of the pixels, the projected pictures, and the share they keep.

    Parameters
    ----------
    pictures : Pictures
    seed : int
        Of the randomised decomposition.
    """
    from sklearn.decomposition import PCA

    flat = pictures.values.reshape(pictures.n_rows, -1)
    count = max(1, min(_DIRECTIONS, pictures.n_rows - 1, flat.shape[1]))
    solver = "full" if max(flat.shape) <= 500 else "randomized" if count < min(flat.shape) // 2 else "full"
    model = PCA(count, svd_solver=solver, random_state=seed).fit(flat)
    mean, directions = (np.ascontiguousarray(part, dtype=np.float32) for part in (model.mean_, model.components_))
    coding = PictureCoding(pictures.kind, mean, directions)
    kept = float(np.nan_to_num(model.explained_variance_ratio_).sum())
    return coding, coding.transform(pictures).astype(np.float64), kept


def _words(estimator: Any, encoder: Encoder | None) -> str:
    """Say in a sentence which network made the numbers, and how much of the pictures these keep."""
    kind = _WORDS.get(_KINDS.get(type(estimator.encoder_).__name__, ""), "a network")
    dimensions = f"{np.asarray(estimator.embedding_).shape[1]} numbers a picture"
    if encoder is not None and encoder.source:
        return f"{kind} from {encoder.source}, applied as it is: {dimensions}"
    epochs = estimator.get_params().get("pretrain_epochs")
    trained = (
        f", trained on these pictures for {epochs} epochs without labels"
        if isinstance(epochs, int)
        else ", trained on these pictures"
    )
    return f"{kind}{trained}: {dimensions}"
