"""A short name for each group, made of what sets it apart."""

from typing import Any

__all__ = ["group_names"]


def group_names(features: list[list[dict[str, Any]]]) -> list[str]:
    """Name each group by its strongest features, adding one at a time until no two are called the same.

    Parameters
    ----------
    features : list of list of dict
        Of each group, the strongest first, as `describe` finds them.
    """
    k = len(features)
    if k == 1:
        return ["all rows"]
    names = [""] * k
    for depth in (1, 2, 3):
        counts = {name: names.count(name) for name in names}
        for i in range(k):
            if depth <= 2 or counts[names[i]] > 1:
                names[i] = _tags(_tagged(features[i])[:depth]) or "mixed"
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


def _tagged(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    strong = [feature for feature in features if abs(feature["effect"]) >= 0.5 * abs(features[0]["effect"])]
    return strong or features[:1]


def _tags(features: list[dict[str, Any]]) -> str:
    tags: list[str] = []
    for feature in features:
        says = f"{feature['column']} says "
        # Of several words of one text the column is named once.
        again = feature["kind"] == "text" and any(tag.startswith(says) for tag in tags)
        tags.append(_tag(feature).removeprefix(says) if again else _tag(feature))
    return ", ".join(tags)


def _tag(feature: dict[str, Any]) -> str:
    column, up = feature["column"], feature["effect"] > 0
    if feature["kind"] == "number":
        return f"{'high' if up else 'low'} {column}"
    if feature["kind"] == "date":
        return f"{'late' if up else 'early'} {column}"
    level = str(feature["level"])
    if feature["kind"] == "text":
        return f"{column} says {level!r}"
    if level.lower() in ("yes", "true", "1", "y"):
        return f"{'with' if up else 'without'} {column}"
    if level.lower() in ("no", "false", "0", "n"):
        return f"{'without' if up else 'with'} {column}"
    return f"{column}: {level}" if up else f"{column} not {level}"
