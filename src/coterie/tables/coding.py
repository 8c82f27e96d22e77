"""How one column becomes numbers that can be compared with those of other columns.

Each coding brings a column to about unit spread, so that Euclidean distance weighs the columns alike, and keeps what it did
in original units so that results can be told in them. Outliers stay findable: a long tail is compressed, never cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .convert import as_date, as_levels, as_number
from .embedded import EmbeddedCoding, code_embedded, fit_embedded
from .table import Column, brief
from .text_models import TextModel
from .texts import TextCoding, code_texts, fit_texts

__all__ = ["OTHER", "Coding", "code", "fit_category", "fit_number", "fit_text", "owners_of"]

OTHER, MISSING = "other", "missing"
KNEE = 4.0  # spreads from the middle beyond which "signed log" compresses
_FAR = 12.0  # a column that reaches further than this many spreads is compressed
_SKEWED = 0.4  # quantile skewness, 0 for symmetric, 0.56 for exponential data
_RANGE = 10.0  # ratio of the 99th to the 1st percentile from which a logarithm is meaningful
_HEAVY = 1.5  # ratio of the spread with and without the outermost 2.5 % on each side
_RARE = 0.01
_MOST_LEVELS = 50
_FREQUENT_MISSING = 0.05


@dataclass(frozen=True)
class Coding:
    """What was done to one column of the input.

    Attributes
    ----------
    column, role, why : str
        As in `Role`.
    used : bool
    missing : int
        Missing values at the time of fitting.
    fill : float, str or None
        What stands in for them, in original units.
    coding : str
        "z-score", "robust", "log", "signed log", "common scale", "as is", "days", "one-hot", "yes/no", "tf-idf",
        "embedding" or "dropped".
    center, spread : float or None
        Middle and spread in original units (dates: days since 1970 and days).
    categories : tuple of str or None
        Levels that have a feature of their own; "other" pools the rare ones.
    weight : float
        Total variance of the column's features, about 1.
    unit : str or None
    """

    column: str
    role: str
    used: bool
    why: str
    missing: int = 0
    fill: float | str | None = None
    coding: str = "dropped"
    center: float | None = None
    spread: float | None = None
    categories: tuple[str, ...] | None = None
    weight: float = 0.0
    unit: str | None = None
    # What `code` needs: y = (g(factor * (x - seam)) - shift) / scale
    shift: float = 0.0
    scale: float = 1.0
    step: float = 1.0
    factor: float = 1.0
    seam: float | None = None
    format: str | None = None
    kept: tuple[int, ...] | None = field(default=None)
    text: TextCoding | EmbeddedCoding | None = field(default=None, compare=False)

    def state(self) -> dict[str, Any]:
        """Return all fields, as a model file keeps them."""
        found = {part.name: getattr(self, part.name) for part in fields(self)}
        return found | {"text": None if self.text is None else self.text.state()}

    def to_json(self) -> dict[str, Any]:
        """Return the public fields, as in run.json "columns"."""
        return {
            "name": self.column,
            "role": self.role,
            "used": self.used,
            "why": self.why,
            "missing": self.missing,
            "fill": brief(self.fill) if isinstance(self.fill, str) else self.fill,
            "coding": self.coding,
            "center": self.center,
            "spread": self.spread,
            "unit": self.unit,
            "categories": None if self.categories is None else [*map(brief, self.categories)],
            "text": None if self.text is None else self.text.to_json(),
        }

    @property
    def feature_names(self) -> list[str]:
        """Names of the features it gives, in order."""
        if not self.used:
            return []
        names = [self.column]
        if self.coding == "yes/no":
            names = [f"{self.column} = {brief((self.categories or ())[1])}"]
        elif self.coding == "one-hot":
            names = [f"{self.column} = {brief(level)}" for level in self.categories or ()]
        elif self.text is not None:
            names = [f"{self.column} {i}: {words}".removesuffix(": ") for i, words in enumerate(self.text.names, 1)]
        return names if self.kept is None else [names[i] for i in self.kept]


def fit_number(column: Column, base: Coding, scale: str) -> Coding:
    """Choose the coding of a column of numbers or dates.

    Parameters
    ----------
    column : Column
        Of kind "number" (dates as days), with at least one known value.
    base : Coding
        Column, role and reason.
    scale : {"auto", "z-score", "robust", "none"}
    """
    known = column.values[~column.missing]
    factor = _unit_factor(known)
    base = replace(
        base, used=True, missing=column.n_missing, unit=column.unit, weight=1.0, factor=factor,
        fill=float(np.median(known * factor)) / factor if column.n_missing else None,
    )  # fmt: skip
    known = known * factor
    middle, mean, deviation = float(np.median(known)), float(known.mean()), float(known.std())
    if scale == "none":
        return replace(base, coding="as is", center=mean / factor, spread=deviation / factor, weight=deviation**2)
    z_score = replace(
        base, coding="z-score", center=mean / factor, spread=deviation / factor, shift=mean, scale=deviation
    )
    if base.role == "date":
        return replace(z_score, coding="days")
    if scale == "z-score":
        return z_score
    trimmed = float(np.clip(known, *np.quantile(known, [0.025, 0.975])).std())
    spread = trimmed if trimmed > 1e-9 * deviation else deviation
    robust = replace(base, coding="robust", center=middle / factor, spread=spread / factor, shift=middle, scale=spread)
    if scale == "robust":
        return robust
    step = _log_step(known, counts=factor == 1.0)
    if step is not None:
        logs = np.log1p(known / step)
        return replace(robust, coding="log", step=step, shift=float(logs.mean()), scale=float(logs.std()))
    if max(known.max() - middle, middle - known.min()) > _FAR * spread:
        return replace(robust, coding="signed log")
    return robust if deviation > _HEAVY * spread else z_score


def _unit_factor(known: NDArray[np.float64]) -> float:
    """Return a power of two that brings extreme values near 1, so that no square overflows or vanishes."""
    size = float(np.abs(known).max())
    if size == 0 or 1e-100 < size < 1e100:
        return 1.0
    return float(2.0 ** min(max(-np.floor(np.log2(size)), -1000.0), 1000.0))


def _log_step(known: NDArray[np.float64], *, counts: bool) -> float | None:
    """Return the unit in which to take log(1 + x / unit), or None where no logarithm is called for."""
    if known.min() < 0:
        return None
    positive = known[known > 0]
    if positive.size < 20 or np.unique(positive[:1000]).size < 8:
        return None
    q01, q05, q50, q95, q99 = np.quantile(positive, [0.01, 0.05, 0.5, 0.95, 0.99])
    skew = _skewness(q05, q50, q95)
    if skew < _SKEWED or q99 < _RANGE * q01:
        return None
    # Counts have a natural unit; amounts take the size of the small ones, so that changing the currency changes nothing.
    whole = counts and q05 < 10 and bool((positive == np.floor(positive)).all())
    step = 1.0 if whole else float(q05)
    if abs(_skewness(*np.log1p(np.array([q05, q50, q95]) / step))) > 0.6 * skew:
        return None
    return step


def _skewness(low: float, middle: float, high: float) -> float:
    return (high + low - 2 * middle) / (high - low) if high > low else 0.0


def compress(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave values within `KNEE` of 0 alone and put a logarithm on what lies beyond: smooth, increasing, odd."""
    beyond = np.abs(z) - KNEE
    return np.where(beyond > 0, np.sign(z) * (KNEE + np.log1p(np.maximum(beyond, 0))), z)


def fit_category(column: Column, base: Coding) -> Coding:
    """Choose the levels of a category and how strongly they count."""
    levels = as_levels(column)
    n_rows = column.values.shape[0]
    order = sorted(range(len(levels.values)), key=lambda i: (-levels.counts[i], levels.values[i]))
    own_missing = column.n_missing >= max(_FREQUENT_MISSING * n_rows, 1) or len(order) == 1
    named = [i for i in order if levels.counts[i] >= _RARE * n_rows][:_MOST_LEVELS] or order[:1]
    if len(order) - len(named) <= 1 and len(order) <= _MOST_LEVELS:
        named = order  # a single rare level needs no pool
    categories = [levels.values[i] for i in named]
    shares = [float(levels.counts[i]) for i in named]
    if len(named) < len(order):
        categories.append(_fresh(OTHER, categories))
        shares.append(float(levels.counts.sum() - sum(shares)))
    fill: str | None = None
    if column.n_missing and own_missing:
        categories.append(_fresh(MISSING, categories))
        shares.append(float(column.n_missing))
        fill = categories[-1]
    elif column.n_missing:
        fill = categories[0]
        shares[0] += column.n_missing
    p = np.array(shares) / n_rows
    yes_no = len(categories) == 2 and categories[-1] != OTHER
    # Two rows that differ are as far apart as two that differ by 2 spreads of a number (1.4 where there are many levels);
    # a rare level does not count more than that, or a flag that one row in a thousand has would outweigh everything.
    total = max(1.0 - float((p**2).sum()), 0.5)
    if yes_no:
        categories, p = _yes_last(categories, p)
        scale = float(np.sqrt(total / 2))
        weight = float(p[1] * (1 - p[1])) / scale**2
    else:
        scale = float(np.sqrt(total))
        weight = float((p * (1 - p)).sum()) / scale**2
    return replace(
        base, used=True, missing=column.n_missing, fill=fill, coding="yes/no" if yes_no else "one-hot",
        categories=tuple(categories), scale=scale, weight=weight,
    )  # fmt: skip


def fit_text(column: Column, base: Coding, model: TextModel | None = None, *, always: bool) -> Coding:
    """Choose the words and directions of a column of texts; it counts as one column, however many directions there are.

    Parameters
    ----------
    column : Column
    base : Coding
    model : TextModel, optional
        Compares the texts by an embedding instead of their words.
    always : bool
        Whether to use texts whose words go together no more than by chance.
    """
    text: TextCoding | EmbeddedCoding | None
    if model is None:
        text, variance = fit_texts(as_levels(column), always=always)
    else:
        text, variance = fit_embedded(as_levels(column), model, always=always)
    if text is None and model is not None:
        why = f"the model {model} " + (
            "gives all of them one place" if always else "sees no more in them than in shuffled words"
        )
        return replace(base, used=False, why=f"{base.why}; left out, since {why}", missing=column.n_missing)
    if text is None:
        why = "they share too few words" if always else "no words go together in them more often than by chance"
        return replace(base, used=False, why=f"{base.why}; left out, since {why}", missing=column.n_missing)
    return replace(
        base, used=True, missing=column.n_missing, coding="tf-idf" if model is None else "embedding", scale=float(np.sqrt(variance)), weight=1.0, text=text
    )  # fmt: skip


def _fresh(word: str, taken: list[str]) -> str:
    return word if word not in taken else f"({word})"


def _yes_last(categories: list[str], p: NDArray[np.float64]) -> tuple[list[str], NDArray[np.float64]]:
    """Put the level that reads as "yes" second: the one feature is named for it."""
    negative = {"no", "false", "0", "n", "f", "off", "none", "absent", "non", "nein"}
    flip = categories[1].casefold() in negative or (
        categories[0].casefold() not in negative and categories[1] < categories[0]
    )
    return (categories[::-1], p[::-1]) if flip else (categories, p)


def code(coding: Coding, column: Column) -> NDArray[np.float64]:
    """Return the (n, features) float64 block of a column under a fitted coding, NaN where a text is not known.

    The same rows give the same bits.

    Raises
    ------
    InputError
        If a value cannot be read as what the column held at fitting.
    """
    if coding.coding in ("one-hot", "yes/no"):
        block = _code_category(coding, column)
    elif isinstance(coding.text, EmbeddedCoding):
        block = code_embedded(coding.text, as_levels(column)) / coding.scale
    elif coding.text is not None:
        block = code_texts(coding.text, as_levels(column)) / coding.scale
    else:
        if coding.role == "date":
            column = as_date(column, coding.format)
        block = _code_number(coding, as_number(column, coding.format).values)[:, None]
    return block if coding.kept is None else block[:, list(coding.kept)]


def _code_number(coding: Coding, values: NDArray[np.float64]) -> NDArray[np.float64]:
    unknown = ~np.isfinite(values)
    if unknown.any():
        fill = coding.center if coding.fill is None else coding.fill
        values = np.where(unknown, float(fill or 0.0), values)
    if coding.seam is not None:
        values = coding.seam + np.mod(values - coding.seam, 360.0)
    if coding.coding == "as is":
        return np.array(values, np.float64)
    values = values * coding.factor
    if coding.coding == "log":
        # Training had no negative value; a new one goes on the other side of zero.
        return (np.sign(values) * np.log1p(np.abs(values) / coding.step) - coding.shift) / coding.scale
    z = (values - coding.shift) / coding.scale
    return compress(z) if coding.coding == "signed log" else z


def _code_category(coding: Coding, column: Column) -> NDArray[np.float64]:
    levels, categories = as_levels(column), list(coding.categories or ())
    position = {level: i for i, level in enumerate(categories)}
    pooled = position.get("(other)", position.get(OTHER, -1)) if len(categories) > 2 else -1
    lookup = np.empty(len(levels.values) + 1, np.int64)
    for i, level in enumerate(levels.values):
        lookup[i] = position.get(level, pooled)
    lookup[-1] = position.get(str(coding.fill), -1)
    codes = lookup[levels.codes]
    if coding.coding == "yes/no":  # an unknown value stands half way
        return np.array([[-0.5], [0.5], [0.0]])[codes] / coding.scale
    block = np.zeros((codes.size, len(categories)))
    known = np.flatnonzero(codes >= 0)
    block[known, codes[known]] = 1.0 / coding.scale
    return block


def owners_of(codings: Sequence[Coding]) -> NDArray[np.int64]:
    """Return the position of the column that each feature comes from."""
    return np.repeat(np.arange(len(codings)), [len(coding.feature_names) for coding in codings]).astype(np.int64)


def require_known(column: Column) -> None:
    """Raise InputError at the first missing value."""
    if column.n_missing:
        row = int(np.flatnonzero(column.missing)[0])
        raise InputError(
            f"column {column.name!r} has {column.n_missing:,} missing values (first in row {row}); fill them, "
            "or let missing='auto' fill them"
        )
