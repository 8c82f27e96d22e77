"""Save a clustering to one file and load it again, without ever executing what the file holds.

A ``.coterie`` file is a safetensors file: arrays, and JSON that says which class of the catalog they belong to. Loading
builds that class from its parameters and hands it its fitted state; a name in the file is looked up in a list of ours,
never imported. Saving and loading cost time and memory linear in the fitted state (milliseconds for centres, about a second
per GB where an algorithm has to keep its rows).
"""

import datetime
import os
import platform
from collections.abc import Mapping
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from .. import catalog
from ..errors import InputError, MissingExtraError, ModelFileError, UnsupportedError
from . import _check, _format, _values

__all__ = ["Model", "load", "save"]

# What a file may ask for by name, beside the catalog's classes.
_TUPLES = {
    "AttributeCoder": "coterie.tables.attribute_rows:AttributeCoder",
    "AttributeProfiles": "coterie.graph._held_out:AttributeProfiles",
    "SubspaceCluster": "coterie.grid.clique:SubspaceCluster",
    "Colours": "coterie.applications.images._colours:Colours",
    "CondensedTree": "coterie.trees.condense:CondensedTree",
    "DivisionTree": "coterie.hierarchy._dividing:DivisionTree",
    "Graph": "coterie.arrays:Graph",
    "History": "coterie.applications.anomaly:History",
    "Looks": "coterie.applications.images._looks:Looks",
    "Relations": "coterie.graph._relations:Relations",
    "Scaling": "coterie.applications.anomaly:Scaling",
    "SpanningTree": "coterie.primitives.spanning_tree:SpanningTree",
}
# Models of applications, which are no algorithms and stand in no list of them.
_APPLICATIONS = {
    "ClusterRecommender": "coterie.applications.recommend:ClusterRecommender",
    "ImageSegmenter": "coterie.applications.images:ImageSegmenter",
    "NormalcyModel": "coterie.applications.anomaly:NormalcyModel",
}
# How rows were prepared, by the word that only such a description has; Prepared where it has none of them.
_CODINGS = {
    "pictures": "coterie.tables:PictureCoding",
    "nodes": "coterie.tables:NodeCoding",
    "picture": "coterie.tables.picture_whole:WholePicture",
    "customers": "coterie.applications.segments.grouping:CustomerCoding",
}
_VERSIONS_OF = ("numpy", "scipy", "scikit-learn", "numba")
_DOCUMENT_KEYS = {"class", "parameters", "state", "prepared", "label_map", "card"}


class Model:
    """A fitted clustering with everything needed to label new rows.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    prepared : coterie.tables.Prepared or None, default=None
        How a table became the estimator's numbers; None where the estimator was fitted on numbers directly.
    label_map : (k,) int64 array or None, default=None
        Final label of each of the estimator's labels; noise (-1) stays noise.
    card : dict, default={}
        ``created``, ``versions``, ``seed``, ``n_rows``, ``clusters`` (rows by label), ``fingerprint`` and what was added
        when saving. JSON values only.
    """

    def __init__(
        self,
        estimator: Any,
        prepared: Any = None,
        label_map: np.ndarray | None = None,
        card: Mapping[str, Any] | None = None,
    ):
        self.estimator = estimator
        self.prepared = prepared
        self.label_map = None if label_map is None else np.asarray(label_map, dtype=np.int64)
        self.card = dict(card or {})

    def __repr__(self) -> str:
        rows = self.card.get("n_rows")
        return f"Model({type(self.estimator).__name__}, n_rows={rows}, clusters={self.card.get('clusters')})"

    def predict(self, data: Any) -> np.ndarray:
        """Label rows by the rule of the estimator (its docstring says which).

        Parameters
        ----------
        data : table, frame, array or path
            Anything that ``coterie.run`` accepts, with the columns the model was fitted on, in any order.

        Returns
        -------
        (n,) int64 array
            Labels as in ``labels.csv`` of the run that wrote the model: 0 is the largest cluster, noise is -1.

        Raises
        ------
        InputError
            If a column is missing or holds what cannot be used; the message names it.
        UnsupportedError
            If the estimator compares new rows with those of its fit, and that were rows in blocks, which no file holds.
        """
        name = type(self.estimator).__name__
        of_fit = hasattr(self.estimator, "labels_") or getattr(self.estimator, "_host", None) is not None
        if name in {line.name for line in catalog.CATALOG if line.family == "density"} and not of_fit:
            raise UnsupportedError(
                f"this {name} was fitted to rows in blocks, and its model file holds none of these, with which predict compares new rows; "
                "label new rows in the process of the fit, or take KMeans, Birch, STING or WaveCluster"
            )
        labels = np.asarray(self.estimator.predict(self.transform(data)))
        return self.final(labels)

    def transform(self, data: Any) -> Any:
        """Return the rows of ``data`` as the estimator's numbers, (n, m)."""
        is_path = isinstance(data, str | os.PathLike)
        if getattr(self.estimator, "prepared_", None) is not None:
            return _tables().read(data)
        if self.prepared is not None:
            return self.prepared.transform(self.prepared.read(data))
        if is_path or hasattr(data, "n_rows"):
            return _numbers(_tables().read(data), self.estimator)
        return data

    def final(self, labels: np.ndarray) -> np.ndarray:
        """Translate the estimator's ``labels`` into the final ones."""
        labels = np.asarray(labels).astype(np.int64)
        if self.label_map is None:
            return labels
        with_noise = np.append(self.label_map, -1)
        return with_noise[labels]


def save(
    estimator: Any,
    path: str | os.PathLike,
    *,
    prepared: Any = None,
    label_map: Any = None,
    card: Mapping[str, Any] | None = None,
) -> Path:
    """Write a fitted estimator to one file, whole or not at all.

    Parameters
    ----------
    estimator : estimator or Model
        Fitted, of a class of the catalog. A ``Model`` brings its own ``prepared``, ``label_map`` and ``card``.
    path : str or path-like
        By custom ends in ``.coterie``. What stands there is replaced.
    prepared : coterie.tables.Prepared, optional
        How to turn a table into the estimator's numbers.
    label_map : (k,) int array, optional
        Final label of each of the estimator's labels.
    card : mapping, optional
        JSON values to keep with the model; ``created``, ``versions``, ``seed``, ``n_rows`` and ``clusters`` are filled in
        where absent.

    Returns
    -------
    Path
        Where the model is.

    Raises
    ------
    InputError
        If the class is not on the list, the estimator is not fitted, or a parameter is a function or another object that
        a file without code cannot hold.
    OutputError
        If the file cannot be written; what stood there before still stands.

    Examples
    --------
    >>> import os, tempfile, numpy as np, coterie
    >>> X = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> fitted = coterie.KMeans(2, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = coterie.save(fitted, os.path.join(folder, "two.coterie"))
    ...     same = coterie.load(path).predict(X)
    >>> bool((same == fitted.labels_).all())
    True
    """
    if isinstance(estimator, Model):
        prepared = estimator.prepared if prepared is None else prepared
        label_map = estimator.label_map if label_map is None else label_map
        card = {**estimator.card, **(card or {})}
        estimator = estimator.estimator
    name = _name_of(estimator)
    arrays: dict[str, np.ndarray] = {}
    state = _state_of(estimator)
    label_map = None if label_map is None else np.asarray(label_map, dtype=np.int64)
    document: dict[str, Any] = {
        "class": name,
        "parameters": {key: _values.pack(value, key, arrays) for key, value in _parameters_of(estimator).items()},
        "state": {key: _values.pack(value, f"state.{key}", arrays) for key, value in state.items()},
        "prepared": None,
        "label_map": _values.pack(label_map, "label_map", arrays),
        "card": _values.pack(_card(estimator, state, label_map, card), "card", arrays),
    }
    if prepared is not None:
        described, kept = prepared.state()
        document["prepared"] = [
            _values.pack(described, "prepared", arrays),
            {key: _values.pack(np.asarray(value), f"prepared:{key}", arrays) for key, value in kept.items()},
        ]
    text = _format.dump_json(document)
    _format.write(path, text, arrays)
    return Path(path)


def load(path: str | os.PathLike, *, text_model: Any = None) -> Model:
    """Read a model that ``coterie.save`` or ``coterie run`` wrote. Nothing in the file is executed.

    Parameters
    ----------
    path : str or path-like
        A ``.coterie`` file, or the result folder that holds ``model.coterie``.
    text_model : str, path or callable, optional
        Where the embedding model is by which texts were compared, if it is no longer where it was, or was a function.

    Returns
    -------
    Model
        With ``estimator``, ``prepared``, ``card`` and ``predict``.

    Raises
    ------
    ModelFileError
        If it is not there, not a coterie model, of another format version, damaged, or made up.
    InputError
        If ``text_model`` is not the one by which texts were compared.
    """
    path = Path(path)
    inside = path / "model.coterie"
    if path.is_dir() and inside.is_file():
        path = inside
    text, arrays = _format.read(path)
    document = _format.strict_json(text, str(path))
    if not isinstance(document, dict) or set(document) != _DOCUMENT_KEYS:
        raise ModelFileError(f"{path} is damaged: its description is incomplete")
    try:
        model = _build(document, arrays)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error
    if arrays:
        raise ModelFileError(f"{path} is damaged: it holds arrays that nothing refers to")
    if text_model is not None:
        if not hasattr(model.prepared, "with_text_model"):
            raise InputError(f"{path} is no model of a table with texts; leave text_model out")
        model.prepared = model.prepared.with_text_model(text_model)
    return model


def _build(document: dict[str, Any], arrays: dict[str, np.ndarray]) -> Model:
    def plain(value: Any) -> Any:
        return _values.unpack(value, arrays, _tuple_class)

    kind = _class_called(document["class"])
    parameters = _check.mapping(document["parameters"], "its parameters")
    estimator = _check.construct(kind, {key: plain(value) for key, value in parameters.items()})
    state = {key: plain(value) for key, value in _check.mapping(document["state"], "its fitted state").items()}
    label_map = plain(document["label_map"])
    card = plain(document["card"])
    _check.state(estimator, state, label_map)
    if not isinstance(card, dict):
        raise ModelFileError("the model is damaged: it has no card")
    prepared = None
    if document["prepared"] is not None:
        prepared = _read_prepared(document["prepared"], plain)
    _check.restore(estimator, state)
    return Model(estimator, prepared, label_map, card)


def _read_prepared(content: Any, plain: Any) -> Any:
    if not isinstance(content, list) or len(content) != 2:
        raise ModelFileError("the model is damaged: how its columns were prepared cannot be read")
    described = plain(content[0])
    kept = {key: plain(value) for key, value in _check.mapping(content[1], "its columns").items()}
    try:
        kinds = [kind for mark, kind in _CODINGS.items() if isinstance(described, dict) and mark in described]
        module, _, attribute = (kinds[0] if kinds else "coterie.tables:Prepared").partition(":")
        return getattr(import_module(module), attribute).from_state(described, kept)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ModelFileError("the model is damaged: how its columns were prepared cannot be read") from error


def _tables() -> Any:
    # By name, as the catalog does: models and tables stand side by side and neither is built on the other.
    return import_module("coterie.tables")


def _names() -> list[str]:
    return [*(line.name for line in catalog.ALL), *_APPLICATIONS]


def _class_called(name: Any) -> type:
    if not isinstance(name, str) or name not in _names():
        raise ModelFileError(f"the model is of class {str(name)[:80]!r}, which this coterie does not have")
    target = _APPLICATIONS.get(name) or catalog.entry(name).target
    module, _, attribute = target.partition(":")
    if name in {line.name for line in catalog.DEEP} and find_spec("torch") is None:
        raise MissingExtraError(f'a model of class {name} needs PyTorch; pip install "coterie[deep]"')
    return getattr(import_module(module), attribute)


def _tuple_class(name: Any) -> type:
    if not isinstance(name, str) or name not in _TUPLES:
        raise ModelFileError("the model is damaged: it holds a value of no known kind")
    module, _, attribute = _TUPLES[name].partition(":")
    return getattr(import_module(module), attribute)


def _name_of(estimator: Any) -> str:
    name = type(estimator).__name__
    if name not in _names() or type(estimator) is not _class_called(name):
        known = ", ".join(_names())
        raise InputError(f"a model file can hold {known}; got {type(estimator).__module__}.{name}")
    return name


def _state_of(estimator: Any) -> dict[str, Any]:
    state = estimator._fitted_state()
    if "labels_" not in state and "n_features_in_" not in state:
        raise InputError(f"this {type(estimator).__name__} is not fitted yet; call fit before saving it")
    return state


def _parameters_of(estimator: Any) -> dict[str, Any]:
    parameters = dict(estimator.get_params(deep=False))
    seed = parameters.get("random_state")
    if seed is not None and not isinstance(seed, int | np.integer):
        parameters["random_state"] = None  # a generator's state is of no use to a fitted model
    return parameters


def _card(
    estimator: Any, state: Mapping[str, Any], label_map: np.ndarray | None, card: Mapping[str, Any] | None
) -> dict[str, Any]:
    filled: dict[str, Any] = {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "versions": _versions(),
        "seed": _parameters_of(estimator).get("random_state"),
    }
    if state.get("labels_") is not None:
        labels = state["labels_"]
        if hasattr(labels, "detach"):
            labels = labels.detach().cpu()
        labels = Model(estimator, label_map=label_map).final(np.asarray(labels))
        found, counts = np.unique(labels, return_counts=True)
        filled["n_rows"] = len(labels)
        filled["clusters"] = {str(label): int(count) for label, count in zip(found, counts, strict=True)}
    return {**filled, **(card or {})}


def _versions() -> dict[str, str]:
    from .. import __version__

    found = {"coterie": __version__, "python": platform.python_version()}
    for name in _VERSIONS_OF:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _numbers(table: Any, estimator: Any) -> np.ndarray:
    """Return the number columns of ``table``, those the estimator knows by name where it knows names."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        names = [column.name for column in table.columns if column.kind == "number"]
    columns = [table.column(str(name)) for name in names]
    for column in columns:
        if column.kind != "number":
            raise InputError(f"column {column.name!r} holds {column.kind}, the model was fitted on numbers")
    return np.column_stack([column.values for column in columns]) if columns else np.empty((table.n_rows, 0))
