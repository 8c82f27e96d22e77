"""Low-pass filters of wavelets, centred and scaled to sum 1, so that a constant stays what it is."""

import numpy as np

__all__ = ["WAVELETS", "Lowpass"]

Lowpass = tuple[tuple[float, ...], int]
"""Taps, and the cell of the first one relative to cell 2i."""

_CDF97 = (0.026748757410810, -0.016864118442875, -0.078223266528990, 0.266864118442875, 0.602949018236360)


def _centred(half: tuple[float, ...]) -> Lowpass:
    """Return the symmetric filter of odd length of which ``half`` is the first half and the middle."""
    return (*half, *half[-2::-1]), 1 - len(half)


WAVELETS: dict[str, Lowpass] = {
    "haar": ((0.5, 0.5), 0),
    "bior1.3": ((-1 / 16, 1 / 16, 1 / 2, 1 / 2, 1 / 16, -1 / 16), -2),
    "bior2.2": _centred((-1 / 8, 1 / 4, 3 / 4)),
    "bior2.4": _centred((3 / 128, -3 / 64, -1 / 8, 19 / 64, 45 / 64)),
    "bior4.4": _centred(tuple(np.array(_CDF97) / (2 * sum(_CDF97[:4]) + _CDF97[4]))),
}
"""Filters by the names that PyWavelets gives them; bior2.2 is the (2, 2) of Cohen, Daubechies and Feauveau, bior4.4 their 9/7."""
