"""A short name for each group, made of what sets it apart."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

__all__ = ["group_names"]

_YES = ("yes", "true", "1", "y")
_NO = ("no", "false", "0", "n")


def group_names(features: list[list[dict[str, Any]]], levels: Mapping[str, Sequence[str]]) -> list[str]:
    """Name each group by its strongest features, adding one at a time until no two are called the same.

    Parameters
    ----------
    features : list of list of dict
        Of each group, the strongest first, as `describe` finds them.
    levels : mapping
        Column to its levels; a group is "with" or "without" a column only where these are yes and no.
    """
    k = len(features)
    yes_no = {column for column, own in levels.items() if _are_yes_and_no(own)}
    if k == 1:
        return ["all rows"]
    names = [""] * k
    for depth in (1, 2, 3):
        counts = {name: names.count(name) for name in names}
        for i in range(k):
            if depth <= 2 or counts[names[i]] > 1:
                names[i] = _tags(_tagged(features[i])[:depth], yes_no) or "mixed"
        if depth >= 2 and len(set(names)) == k:
            break
    for i in [i for i in range(k) if names.count(names[i]) > 1]:
        # Where words run out, the values themselves tell groups apart.
        names[i] = ", ".join(feature["text"].split(" (others")[0] for feature in features[i][:2]) or names[i]
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            names[i] = f"{name} ({seen[name]})"
    return [name[0].upper() + name[1:] if name[:1].islower() else name for name in names]


def _are_yes_and_no(levels: Sequence[str]) -> bool:
    return sorted(str(level).lower() for level in levels) in [sorted(pair) for pair in zip(_YES, _NO, strict=True)]


def _tagged(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    strong = [feature for feature in features if abs(feature["effect"]) >= 0.5 * abs(features[0]["effect"])]
    return strong or features[:1]


def _tags(features: list[dict[str, Any]], yes_no: Collection[str]) -> str:
    tags: list[str] = []
    for feature in features:
        says = f"{feature['column']} says "
        # Of several words of one text the column is named once.
        again = feature["kind"] == "text" and any(tag.startswith(says) for tag in tags)
        tag = _tag(feature, yes_no)
        tags.append(tag.removeprefix(says) if again else tag)
    return ", ".join(tags)


def _tag(feature: dict[str, Any], yes_no: Collection[str]) -> str:
    column, up = feature["column"], feature["effect"] > 0
    if feature["kind"] == "number":
        return f"{'high' if up else 'low'} {column}"
    if feature["kind"] == "date":
        return f"{'late' if up else 'early'} {column}"
    level = str(feature["level"])
    if feature["kind"] == "text":
        return f"{column} says {level!r}"
    if column in yes_no:
        return f"{'with' if up == (level.lower() in _YES) else 'without'} {column}"
    return f"{column}: {level}" if up else f"{column} not {level}"
