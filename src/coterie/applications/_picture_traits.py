"""What people would say of a picture without knowing what it shows: how bright, how much contrast, detail and colour."""

from typing import Any

import numpy as np

from ..study.values import View
from ..tables.pictures import Pictures

__all__ = ["named", "traits_of"]

_BLOCK = 1024
# Points of percent, and the effect, from which a difference can be seen; a name takes what nobody could miss.
_SEEN, _SEEN_EFFECT = 2.0, 0.3
_STRIKING, _STRIKING_EFFECT = 5.0, 0.6
_WORDS = {
    "brightness": ("bright", "dark"),
    "contrast": ("strong contrast", "little contrast"),
    "detail": ("much detail", "little detail"),
    "colourfulness": ("colourful", "greyish"),
    "lead of red": ("reddish", "little red"),
    "lead of green": ("greenish", "little green"),
    "lead of blue": ("bluish", "little blue"),
}


def traits_of(pictures: Pictures) -> list[View]:
    """Return measures of every picture, in percent of the most there can be, as columns to describe groups by.

    Parameters
    ----------
    pictures : Pictures

    Returns
    -------
    list of View
        Brightness (mean), contrast (standard deviation), detail (mean step between neighbouring pixels); of coloured pictures
        also colourfulness (the mean distance of the channels from grey) and the lead of red, green and blue over grey.
    """
    found: dict[str, list[np.ndarray]] = {}
    for start in range(0, pictures.n_rows, _BLOCK):
        for name, values in _measures(pictures.values[start : start + _BLOCK]).items():
            found.setdefault(name, []).append(values)
    nothing = np.empty(0)
    return [
        View(name, "number", "%", 100 * np.concatenate(parts).astype(np.float64), nothing, ())
        for name, parts in found.items()
    ]


def _measures(pictures: np.ndarray) -> dict[str, np.ndarray]:
    grey = pictures if pictures.ndim == 3 else pictures.mean(axis=1)
    steps = [np.abs(np.diff(grey, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2)]
    found = {
        "brightness": grey.mean(axis=(1, 2)),
        "contrast": grey.std(axis=(1, 2)),
        "detail": (steps[0] + steps[1]) / 2,
    }
    if pictures.ndim == 4:
        lead = pictures - grey[:, None]
        found["colourfulness"] = np.abs(lead).mean(axis=(1, 2, 3))
        found |= {f"lead of {name}": lead[:, i].mean(axis=(1, 2)) for i, name in enumerate(("red", "green", "blue"))}
    return found


def named(clusters: list[dict[str, Any]]) -> None:
    """Keep of the features what people could see, and name each group by what is striking, else by its number.

    Parameters
    ----------
    clusters : list of dict
        From `study.describe`; changed in place.
    """
    taken: dict[str, int] = {}
    for cluster in clusters:
        cluster["features"] = [one for one in cluster["features"] if _is(one, _SEEN, _SEEN_EFFECT)]
        for one in cluster["features"]:
            one["text"] = f"{one['column']} {_middle(one['here']):.0f} % (others {_middle(one['elsewhere']):.0f} %)"
        striking = [one for one in cluster["features"] if _is(one, _STRIKING, _STRIKING_EFFECT)][:2]
        words = ", ".join(_WORDS[one["column"]][int(one["effect"] < 0)] for one in striking)
        name = words[:1].upper() + words[1:] or f"Group {cluster['id']}"
        taken[name] = taken.get(name, 0) + 1
        cluster["name"] = name if taken[name] == 1 else f"{name} ({taken[name]})"
        cluster["sentence"] = None


def _is(feature: dict[str, Any], points: float, effect: float) -> bool:
    here, elsewhere = (_middle(feature[name]) for name in ("here", "elsewhere"))
    return abs(here - elsewhere) >= points and abs(feature["effect"]) >= effect


def _middle(value: Any) -> float:
    return float(value["median"] if isinstance(value, dict) else value)
