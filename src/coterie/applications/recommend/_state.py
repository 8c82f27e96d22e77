"""What a model file keeps of a recommender: its lines and what was settled, from which the rest is learnt again."""

from typing import Any

import numpy as np

from ...errors import ModelFileError
from ._interactions import Interactions
from ._items import Items
from ._ranking import Setting

__all__ = ["pack_state", "unpack_state"]


def pack_state(lines: Interactions, items: Items, setting: Setting, metrics: dict, source: dict) -> dict[str, Any]:
    """Return values that a model file can hold."""
    return {
        "lines": {**lines._asdict(), "notes": list(lines.notes)},
        "items": {**items._asdict(), "tag_names": list(items.tag_names), "notes": list(items.notes)},
        "setting": [setting.half_life, setting.links],
        "metrics": dict(metrics),
        "source": dict(source),
    }


def unpack_state(kept: Any) -> tuple[Interactions, Items, Setting, dict, dict]:
    """Return the same parts, checked.

    Raises
    ------
    ModelFileError
        If they do not belong together.
    """
    lines = Interactions(**kept["lines"])._replace(notes=tuple(kept["lines"]["notes"]))
    items = Items(**kept["items"])._replace(
        tag_names=tuple(kept["items"]["tag_names"]), notes=tuple(kept["items"]["notes"])
    )
    n, m = lines.shape
    lengths = {
        len(values)
        for values in (lines.user, lines.item, lines.rating, lines.day, lines.liked, lines.since, lines.first_rating)
        if values is not None
    }
    inside = all(
        np.issubdtype(codes.dtype, np.integer) and codes.min() >= 0 and codes.max() < top
        for codes, top in ((lines.user, n), (lines.item, m))
    )
    if len(lengths) != 1 or not inside or len(items.titles) != m or lines.liked.dtype != bool:
        raise ModelFileError("the model is damaged: its lines do not fit its users and items")
    if items.tags is not None and items.tags.shape != (m, len(items.tag_names)):
        raise ModelFileError("the model is damaged: its tags do not fit its items")
    half_life, links = kept["setting"]
    if half_life is not None and not half_life > 0:
        raise ModelFileError("the model is damaged: its half-life is not above 0")
    return lines, items, Setting(half_life, float(links)), kept["metrics"], kept["source"]
