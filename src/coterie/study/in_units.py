"""From prepared numbers back to the units of the table."""

from typing import Any

import numpy as np

from ..tables.coding import KNEE

__all__ = ["decoded"]


def decoded(coding: Any, values: np.ndarray) -> Any:
    """Undo the coding of one column: a number or a date (days since 1970), shares of levels, or None for a text."""
    if coding.text is not None:
        return None
    if coding.coding == "yes/no":
        no, yes = coding.categories
        share = float(values[0]) * coding.scale + 0.5
        return {no: 1.0 - share, yes: share}
    if coding.coding == "one-hot":
        names = [coding.categories[i] for i in (coding.kept or range(len(coding.categories)))]
        return {level: float(value) * coding.scale for level, value in zip(names, values, strict=True)}
    y = float(values[0])
    if coding.coding == "as is":
        return y
    if coding.coding == "signed log" and abs(y) > KNEE:
        y = float(np.sign(y) * (KNEE + np.expm1(abs(y) - KNEE)))
    x = y * coding.scale + coding.shift
    if coding.coding == "log":
        x = float(np.sign(x) * coding.step * np.expm1(abs(x)))
    return x / coding.factor
