"""Attributes of nodes as rows of numbers: bags of words stay sparse, numbers are scaled, frames are coded column by column."""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse

from ..arrays import is_tensor
from ..errors import InputError
from .prepare import Prepared, prepare
from .read import read

__all__ = ["AttributeCoder", "AttributeRows", "coded", "fit_coder", "inverse_frequencies", "tf_idf"]

_WORDS = 20  # columns from which a dense table of zeros and ones is taken for a bag of words


class AttributeRows(NamedTuple):
    """Attributes ready to be compared: Euclidean geometry in ``rows``, and what is there to predict."""

    rows: Any  # (n, d) csr_array of TF-IDF rows, see `tf_idf`, or a float64 array of centered columns, 0 for what is missing
    known: Any  # words: (n, d) csr_array of ones where a word is present; numbers: (n, d) bool
    groups: np.ndarray  # (d,) the column of the input each comes from


class AttributeCoder(NamedTuple):
    """What was learnt of the columns, so that new rows are coded alike. Plain arrays and texts: a model file holds it."""

    kind: str  # "words", "numbers" or "table"
    shift: np.ndarray  # (d,) numbers: means; words: inverse document frequencies
    scale: np.ndarray  # (d,) numbers: standard deviations, 0 for a constant column
    state: Any  # table: what `Prepared.from_state` needs

    @property
    def n_columns(self) -> int:
        """Return how many columns of an array are expected."""
        return len(self.shift)


def fit_coder(attributes: Any, n: int, kind: str) -> AttributeCoder:
    """Look at the attributes and decide how they become numbers.

    Parameters
    ----------
    attributes : (n, d) array, sparse matrix, tensor or frame
    n : int
        How many nodes there are.
    kind : {"auto", "words", "numbers"}

    Returns
    -------
    AttributeCoder

    Raises
    ------
    InputError
        If there is not one row for each node, or the values cannot be read.
    """
    attributes = _opened(attributes)
    if issparse(attributes):
        if kind == "numbers":
            raise InputError("sparse attributes are read as bags of words; give a dense array for numbers")
        _check_rows(attributes.shape[0], n)
        return _fit_words(_words_in(attributes))
    if not isinstance(attributes, np.ndarray):
        table = read(attributes)
        _check_rows(table.n_rows, n)
        prepared = prepare(table, texts="ignore")
        return AttributeCoder("table", prepared.X.mean(axis=0), np.ones(prepared.X.shape[1]), prepared.state()[0])
    values = _numbers_in(attributes)
    _check_rows(len(values), n)
    if kind == "words" or (kind == "auto" and _looks_like_words(values)):
        return _fit_words(_words_in(csr_array(np.nan_to_num(values))))
    return _fit_numbers(values)


def coded(coder: AttributeCoder, attributes: Any) -> AttributeRows:
    """Return rows of attributes under a fitted coder.

    Parameters
    ----------
    coder : AttributeCoder
    attributes : (m, d) array, sparse matrix, tensor or frame
        The columns of the fit.

    Returns
    -------
    AttributeRows
    """
    attributes = _opened(attributes)
    if coder.kind == "table":
        if issparse(attributes) or isinstance(attributes, np.ndarray):
            raise InputError("the attributes of the fit were a frame; give a frame with the same columns")
        prepared = Prepared.from_state(coder.state, {})
        rows = prepared.transform(read(attributes)) - coder.shift
        return AttributeRows(rows, np.ones(rows.shape, bool), prepared.feature_columns)
    if not issparse(attributes) and not isinstance(attributes, np.ndarray):
        raise InputError("the attributes of the fit were an array; give an array with the same columns")
    if attributes.ndim != 2 or attributes.shape[1] != coder.n_columns:
        raise InputError(f"attributes must have the {coder.n_columns} columns of the fit, got shape {attributes.shape}")
    groups = np.arange(coder.n_columns)
    if coder.kind == "words":
        words = _words_in(attributes if issparse(attributes) else csr_array(np.nan_to_num(_numbers_in(attributes))))
        present = csr_array((np.ones(words.nnz), words.indices, words.indptr), shape=words.shape)
        return AttributeRows(tf_idf(words, coder.shift), present, groups)
    values = _numbers_in(attributes.toarray() if issparse(attributes) else attributes)
    known = np.isfinite(values) & (coder.scale > 0)
    with np.errstate(over="ignore", invalid="ignore"):
        z = (values - coder.shift) / np.where(coder.scale > 0, coder.scale, 1.0)
    return AttributeRows(np.where(known, np.clip(z, -1e6, 1e6), 0.0), known, groups)


def tf_idf(words: csr_array, weight: np.ndarray) -> csr_array:
    """Return rows of counts, weighted by column and scaled to the square root of how many words they hold; empty rows stay empty.

    A direction that is known from few words is uncertain, with a variance of 1 / words: the scale is one over its deviation. So what is
    summed over neighbours, or gives the axes, heeds each row as far as it is known; distinct words are counted, so one endless text
    doesn't drown all others.
    """
    n_words = np.diff(words.indptr)
    data = words.data * weight[words.indices]
    owner = np.repeat(np.arange(words.shape[0]), n_words)
    largest = np.zeros(words.shape[0])
    np.maximum.at(largest, owner, data)
    data = data / np.where(largest > 0, largest, 1.0)[owner]
    length = np.sqrt(np.bincount(owner, data**2, minlength=words.shape[0]))
    data *= (np.sqrt(n_words) / np.where(length > 0, length, 1.0))[owner]
    return csr_array((data, words.indices, words.indptr), shape=words.shape)


def inverse_frequencies(words: csr_array) -> np.ndarray:
    """Return log((1 + n) / (1 + rows with the word)) + 1 for each column."""
    holders = np.bincount(words.indices, minlength=words.shape[1])
    return np.log((1 + words.shape[0]) / (1 + holders)) + 1


def _fit_words(words: csr_array) -> AttributeCoder:
    return AttributeCoder("words", inverse_frequencies(words), np.ones(words.shape[1]), None)


def _fit_numbers(values: np.ndarray) -> AttributeCoder:
    known = np.isfinite(values)
    counts = np.maximum(known.sum(axis=0), 1)
    size = np.where(known, np.abs(values), 0.0).max(axis=0, initial=0.0)
    size = np.where(size > 0, size, 1.0)
    unit = np.where(known, values / size, 0.0)
    mean = unit.sum(axis=0) / counts
    spread = np.sqrt((np.where(known, unit - mean, 0.0) ** 2).sum(axis=0) / counts)
    spread[spread < 1e-12] = 0.0  # constant up to rounding
    return AttributeCoder("numbers", mean * size, spread * size, None)


def _opened(attributes: Any) -> Any:
    """Return tensors, lists and matrices as arrays; frames and sparse matrices as they are."""
    if is_tensor(attributes):
        attributes = attributes.detach().cpu()
        return (
            attributes.to_dense().numpy()
            if attributes.layout is not attributes.new_empty(0).layout
            else attributes.numpy()
        )
    if issparse(attributes):
        return csr_array(attributes)
    if isinstance(attributes, np.ndarray) and attributes.ndim == 1:
        attributes = attributes[:, None]  # one value for each node
    if isinstance(attributes, np.ndarray) and attributes.dtype.kind in "OUSmM":
        return {f"column {i}": column for i, column in enumerate(attributes.T)}
    if isinstance(attributes, list | tuple) and not (attributes and isinstance(attributes[0], dict)):
        array = np.asarray(attributes)
        return _opened(array)
    return attributes


def _words_in(words: csr_array) -> csr_array:
    if np.iscomplexobj(words):
        raise InputError("complex data not supported: attributes must be real numbers")
    words = csr_array((words.data.astype(np.float64), words.indices, words.indptr), shape=words.shape)
    if not np.isfinite(words.data).all():
        raise InputError("the sparse attributes hold NaN or infinity; a word that is not known to be there is 0")
    if words.nnz and words.data.min() < 0:
        raise InputError("sparse attributes are bags of words and must not be negative; give numbers as a dense array")
    words.sum_duplicates()
    words.eliminate_zeros()
    if words.nnz:
        words.data /= words.data.max()
    return words


def _numbers_in(attributes: np.ndarray) -> np.ndarray:
    values = np.asarray(attributes)
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise InputError(f"attributes must have a row for each node, got {values.dtype} of shape {values.shape}")
    values = values.astype(np.float64, copy=False)
    if np.isinf(values).any():
        raise InputError("attributes hold infinity; a missing value is NaN")
    return values


def _looks_like_words(values: np.ndarray) -> bool:
    if values.shape[1] < _WORDS:
        return False
    return bool((np.isnan(values) | (values == 0) | (values == 1)).all())


def _check_rows(found: int, n: int) -> None:
    if found != n:
        raise InputError(f"attributes must have a row for each of the {n} nodes, got {found} rows")
