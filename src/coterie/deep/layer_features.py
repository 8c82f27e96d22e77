"""Features from one layer of a network or from several, for any network.

Each wanted layer gives a row some numbers: its output, with positions pooled. Layers differ in width and scale, so each becomes
a block of few columns, and all blocks weigh the same; or the layers' neighbours or partitions are put together instead of
their numbers. Rows pass in batches; what is learnt of them is added up, and no more than a batch of activations is ever held.
"""

from contextlib import closing
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.sparse import csr_array, vstack
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from ..arrays import is_tensor, like_input
from ..base import Estimator, Interval, StrOptions
from ..errors import InputError
from ._batches import bytes_of
from ._blocks import NORMS, moments_for
from ._cache import fingerprint, found_again, remember
from ._composite import GRAPHS, Composite, add_up, composite_of
from ._guard import check_usable
from ._inputs import Rows, Stream, is_batch
from ._layers import check_pool, requested
from ._reading import Plan, Reading
from ._store import Store

__all__ = ["LayerFeatures"]

# Shares of max_memory, beside an eighth for the activations of a batch.
_FOR_MOMENTS, _FOR_HELD, _FOR_ROWS = 0.5, 0.25, 0.5
_FLOAT16_MOST = 65504.0


class LayerFeatures(TransformerMixin, Estimator):
    """Features from one layer of a network, or from several side by side.

    Parameters
    ----------
    module : torch.nn.Module
        Any. It is given back as it was: weights, buffers, flags, hooks, random state.
    layers : str, list of str, or dict, default="last"
        "last": what the module returns, or its ``encode`` where it has one. "all": every layer with weights, read behind the
        normalisation and activation that follow it. Names as in ``dict(module.named_modules())``, patterns such as
        ``"encoder.*"``, ``"relu#1"`` for the second call of a layer that runs several times, ``"lstm[1]"`` or ``"block[hidden]"``
        for one of several outputs. A dict says more of each: a pool, or a dict with ``pool``, ``norm``, ``reduce``, ``weight``
        and ``channels`` ("first" or "last", where that is not found rightly).
    pool : str or callable, default="auto"
        How positions become one vector: "mean", "max", "gem", "cls", "cls+mean", "last", "grid" (4 fields a side), "pyramid"
        (the mean, and halves along each side), "flatten", or a function. "auto" is the mean; of packed sequences the last token.
        Padding is left out where a batch is a dict with an ``attention_mask``.
    norm : {"whiten", "scale", "standard", "l2"} or None, default="whiten"
        What makes layers comparable: principal axes of equal variance; the layer's own shape with total variance 1; columns
        of equal variance; rows of length 1; nothing.
    reduce : int or None, default=50
        Most principal axes to keep of each layer.
    combine : {"concat", "weighted", "mean_graph", "consensus"}, default="concat"
        Blocks side by side; the same, each weighted by its agreement with all; coordinates in the mean of the layers' graphs of
        nearest neighbours; coordinates by belonging to the same clusters of several partitions of each layer.
    n_components : int, default=10
        Columns of "mean_graph" and "consensus".
    n_neighbors : int, default=10
        Neighbours in "mean_graph", the row itself included.
    batch_size : int or "auto", default="auto"
        Rows that pass at once. "auto" finds as many as ``max_memory`` holds and halves them where memory runs out.
    device : str, default="cpu"
        "cuda", "cuda:0", "mps": a copy of a module that lies elsewhere is moved there. "auto": where the module lies, or the GPU.
    dtype : {"float32", "float64", "float16"}, default="float32"
        Of the features. Sums are taken in float64 whatever it is.
    autocast : {"bfloat16", "float16"} or None, default=None
        Precision of the pass itself; pooling is in float32.
    cache : path or None, default=None
        Write features to this .npy file and return a map of it. The same rows, module and settings find it again.
    max_memory : int or str, default="2GB"
        Bytes that all of it may take beside the rows and the module.
    stop_early : bool, default=True
        Leave the pass behind the last wanted layer. One that ran once for the first rows is then read at its first run.
    sparse_output : bool, default=False
        Return a sparse array, for raw activations (``norm=None, reduce=None``), which are mostly zeros behind a ReLU.
    random_state : int, RandomState or None, default=None
        Seed of partitions, of sketches of very wide layers, and of modules that draw while they compute.

    Attributes
    ----------
    layer_names_ : list of str
        The layers that were read, in the order of their columns.
    layer_slices_ : dict
        Columns of each layer; of "mean_graph" and "consensus", all columns under their name.
    layer_weights_ : (n_layers,) array
        Share of each layer, of sum 1.
    n_features_in_ : int
        Number of features, where rows are vectors.
    feature_names_in_ : (d,) array of str
        Their names, where the input had names that are strings.

    Notes
    -----
    ``fit`` passes all rows once, ``transform`` once; "weighted", "mean_graph" and "consensus" pass them twice in ``fit`` where
    the pooled rows of all layers exceed a quarter of ``max_memory``. Features of a row don't depend on the rows beside it, up
    to the rounding of the module's own kernels. "mean_graph" keeps the rows of the fit; a row that equals one of them gets its
    coordinates, another those that its neighbours say.

    References
    ----------
    Aljalbout, E., Golkov, V., Siddiqui, Y., & Cremers, D. (2018). Clustering with deep learning: taxonomy and new methods.
    https://arxiv.org/abs/1801.07648

    Huang, D., Chen, D.-H., Chen, X., Wang, C.-D., & Lai, J.-H. (2024). DeepCluE: enhanced deep clustering via multi-layer
    ensembles in neural networks. IEEE TETCI, 8(2), 1582-1594. https://doi.org/10.1109/TETCI.2023.3343968

    Examples
    --------
    >>> import torch
    >>> from coterie.deep import LayerFeatures
    >>> _ = torch.manual_seed(0)
    >>> network = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
    >>> X = torch.randn(100, 4).numpy()
    >>> features = LayerFeatures(network, layers=["1", "2"], reduce=5).fit(X)
    >>> features.layer_slices_
    {'1': slice(0, 5, None), '2': slice(5, 8, None)}
    >>> features.transform(X).shape
    (100, 8)
    """

    _plan: Plan
    _composite: Composite
    _state_attributes: ClassVar = ("_plan", "_composite", "_seed")
    _parameter_constraints: ClassVar = {
        "module": "no_validation",
        "layers": "no_validation",
        "pool": "no_validation",
        "norm": [StrOptions(set(NORMS)), None],
        "reduce": [Interval(Integral, 1, None, closed="left"), None],
        "combine": [StrOptions({"concat", "weighted", "mean_graph", "consensus"})],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "n_neighbors": [Interval(Integral, 2, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "dtype": [StrOptions({"float16", "float32", "float64"})],
        "autocast": [StrOptions({"bfloat16", "float16"}), None],
        "cache": "no_validation",
        "max_memory": "no_validation",
        "stop_early": ["boolean"],
        "sparse_output": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        module: Any,
        layers: Any = "last",
        *,
        pool: Any = "auto",
        norm: str | None = "whiten",
        reduce: int | None = 50,
        combine: str = "concat",
        n_components: int = 10,
        n_neighbors: int = 10,
        batch_size: Any = "auto",
        device: str = "cpu",
        dtype: str = "float32",
        autocast: str | None = None,
        cache: Any = None,
        max_memory: Any = "2GB",
        stop_early: bool = True,
        sparse_output: bool = False,
        random_state: Any = None,
    ) -> None:
        self.module = module
        self.layers = layers
        self.pool = pool
        self.norm = norm
        self.reduce = reduce
        self.combine = combine
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.autocast = autocast
        self.cache = cache
        self.max_memory = max_memory
        self.stop_early = stop_early
        self.sparse_output = sparse_output
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "LayerFeatures":
        """Find the layers and learn their blocks.

        Parameters
        ----------
        X : array or tensor of shape (n, ...), dict of them, data set, loader, or list of batches
            Rows as the module takes them. A dict holds arguments of the module by name. Of a batch that is a tuple the first
            item counts, the others are taken for labels. A whole graph is a list of one batch.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        InputError
            If a layer is not there, the module cannot compute the rows, or activations are not finite.
        ResourceError
            If what has to be learnt would not fit into ``max_memory``.
        """
        self._fit(X, keep=False)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Learn the blocks and return the features of the same rows.

        Parameters
        ----------
        X : as in `fit`
        y : ignored

        Returns
        -------
        (n, n_columns) array
            As `transform` gives it; rows pass the module only once where the pooled layers fit into memory.
        """
        return self._fit(X, keep=True)

    def transform(self, X: Any) -> Any:
        """Return the features of rows.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        (n, n_columns) array
            A read-only map of the file where ``cache`` is given, a tensor where ``X`` is one.

        Raises
        ------
        ResourceError
            If the features fit neither into ``max_memory`` nor, with ``cache``, onto the disk.
        """
        check_is_fitted(self)
        X = self._columns_in(X, reset=False)
        key = None
        if self.cache is not None:
            settings = (self._plan, self._composite.settled(), self.dtype, self.autocast, self._seed)
            key = fingerprint(self.module, settings, X)
            found = found_again(self.cache, key)
            if found is not None:
                return like_input(found, X) if not is_tensor(X) else like_input(np.array(found), X)
        reading = self._reading()
        source = reading.source(X)
        self._refuse_shuffled(source)
        batches = self._composite.rows(self._pooled(reading, source), reading.device)
        return self._out(self._combined_rows(batches, source.n, None), X, key)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the columns: the layer and a number.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        (n_columns,) array of str
        """
        check_is_fitted(self)
        names = [f"{name}_{i}" for name, part in self.layer_slices_.items() for i in range(part.stop - part.start)]
        return np.array(names, object)

    # ---- fit

    def _fit(self, X: Any, keep: bool) -> Any:
        self._validate_params()
        self._check_settings()
        random = check_random_state(self.random_state)
        self._seed = int(random.randint(2**31 - 1))
        X = self._columns_in(X, reset=True)
        reading = self._reading()
        source = reading.source(X)
        graph = self.combine in GRAPHS
        if keep or graph:
            self._refuse_shuffled(source)
        self._plan = reading.plan(source, check_pool(self.pool))
        self.layer_names_ = [layer.label for layer in self._plan.layers]
        held = self._learn_blocks(reading, source, random, holding=keep or self.combine != "concat")
        rows = None
        if self.combine == "weighted":
            self._composite = self._composite.weighted(self._again(reading, source, held), reading.device)
        elif graph:
            given = self._gathered(self._again(reading, source, held), source.n)
            rows, self._composite = self._composite.combined(
                given, self.n_neighbors, self.n_components, random, self.device
            )
        self.layer_slices_, self.layer_weights_ = self._composite.slices, self._composite.weights
        if not keep:
            return None
        batches = self._again(reading, source, held) if rows is None else iter(())
        return self._out(self._combined_rows(batches, source.n, rows), X, None)

    def _check_settings(self) -> None:
        check_usable(self.module)
        bytes_of(self.max_memory)
        if self.sparse_output and (self.norm is not None or self.reduce is not None or self.combine != "concat"):
            raise InputError("sparse_output is for raw activations; set norm=None, reduce=None and combine='concat'")
        if self.cache is not None and (self.sparse_output or not str(self.cache).endswith(".npy")):
            raise InputError(f"cache must be the path of a .npy file, of dense features, got {self.cache!r}")

    def _columns_in(self, X: Any, reset: bool) -> Any:
        """Remember or compare number and names of the features, where rows are vectors."""
        if isinstance(X, list | tuple) and len(X) and not any(is_batch(part) for part in X):
            X = np.asarray(X)
        if hasattr(X, "shape") and len(X.shape) == 2:
            validate_data(self, X, reset=reset, skip_check_array=True)
        return X

    def _reading(self) -> Reading:
        check_usable(self.module)
        return Reading(self.module, self.device, self._seed, requested(self.layers), self.stop_early, self.autocast)

    def _learn_blocks(
        self, reading: Reading, source: Rows | Stream, random: np.random.RandomState, holding: bool
    ) -> list[list[np.ndarray]] | None:
        """Pass the rows once; return the pooled rows too, where they are wanted and fit."""
        (layers, widths, *_), room = self._plan, bytes_of(self.max_memory)
        settings = [(layer.spec.get("norm", self.norm), layer.spec.get("reduce", self.reduce)) for layer in layers]
        moments = moments_for(widths, settings, self.layer_names_, _FOR_MOMENTS * room, reading.device, random)
        learning = any(part is not None for part in moments)
        held: list[list[np.ndarray]] | None = [] if holding else None
        n = n_held = 0
        for found in self._pooled(reading, source) if learning or holding else ():
            n += len(found[0])
            add_up(moments, found, layers, widths)
            n_held += sum(z.numel() * z.element_size() for z in found)
            held = None if n_held > _FOR_HELD * room else held
            if held is not None:
                held.append([z.cpu().numpy() for z in found])
        if learning and n < 2:
            raise InputError(
                f"norm={self.norm!r} with reduce={self.reduce!r} learns variances and needs at least 2 rows, got {n};"
                " pass more, or set norm=None, reduce=None"
            )
        self._composite = composite_of(layers, widths, moments, settings, self.combine)
        return held

    # ---- rows

    def _pooled(self, reading: Reading, source: Rows | Stream) -> Any:
        """Yield one (b, d) tensor for each layer, batch by batch; the module is put back whatever happens."""
        size = reading.size(self.batch_size, self._plan, bytes_of(self.max_memory))
        with closing(reading.pooled(source, self._plan, size)) as batches:
            yield from batches

    def _again(self, reading: Reading, source: Rows | Stream, held: list[list[np.ndarray]] | None) -> Any:
        """Yield the blocks of the rows of the fit, from what was held or from a second pass."""
        if held is not None:
            tensors = ([torch.from_numpy(z) for z in part] for part in held)
            return self._composite.rows(tensors, torch.device("cpu"))
        if not source.again:
            raise InputError(
                "X can be read only once, and these features need a second pass; pass a list of batches, a DataLoader or"
                " an array, or raise max_memory"
            )
        return self._composite.rows(self._pooled(reading, source), reading.device)

    def _gathered(self, batches: Any, n: int | None) -> np.ndarray:
        store = Store(n, self._composite.parts[-1].stop, np.float32, _FOR_ROWS * bytes_of(self.max_memory))
        for rows in batches:
            store.add(rows.float().cpu().numpy())
        return store.close()

    def _combined_rows(self, batches: Any, n: int | None, rows: np.ndarray | None) -> Any:
        """Yield how many rows there will be, if known, and then the features, batch by batch."""
        if self._composite.state is None:
            yield n
            yield from (self._stored(part) for part in batches)
            return
        if rows is None:
            rows = self._composite.coordinates(self._gathered(batches, n), self.n_neighbors, self.device)
        yield len(rows)
        yield rows

    def _stored(self, rows: Tensor) -> np.ndarray:
        if self.dtype == "float16" and float(rows.abs().max()) > _FLOAT16_MOST:
            raise InputError("a feature is beyond 65504, the most that float16 holds; use dtype='float32'")
        return rows.to(getattr(torch, self.dtype)).cpu().numpy()

    def _out(self, parts: Any, X: Any, key: str | None) -> Any:
        n, d = next(parts), max(part.stop for part in self.layer_slices_.values())
        if self.sparse_output:
            return vstack([csr_array(part) for part in parts], format="csr")
        room = (1 - _FOR_HELD) * bytes_of(self.max_memory)
        store = Store(n, d, self.dtype, room, self.cache)
        try:
            for part in parts:
                store.add(part)
            if self.cache is not None:
                remember(self.cache, None)
            found = store.close()
        finally:
            store.discard()
        if self.cache is not None:
            remember(self.cache, key)
        return like_input(np.array(found) if is_tensor(X) and self.cache is not None else found, X)

    def _refuse_shuffled(self, source: Rows | Stream) -> None:
        if source.shuffled:
            raise InputError(
                "X is a DataLoader that shuffles, so nobody knows which features belong to which row; pass shuffle=False"
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []
        return tags
