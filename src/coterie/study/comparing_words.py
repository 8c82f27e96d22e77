"""What a comparison of groupings comes to, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["agreement_words", "pair_sentence", "verdict"]

# Of the adjusted Rand index: what is left to chance is 0.
ALMOST, MOSTLY, PARTLY = 0.9, 0.7, 0.4
# A score must lead by this much to be called better.
LEAD = 0.03
SOLID = 0.75


def agreement_words(ari: float) -> str:
    """Say how far two groupings agree."""
    if ari >= ALMOST:
        return "agree almost everywhere"
    if ari >= MOSTLY:
        return "agree on most rows"
    return "agree in part" if ari >= PARTLY else "disagree"


def pair_sentence(pair: Mapping[str, Any], n: int) -> str:
    """Say how far the two of a pair agree, and where they differ most."""
    start = f"{pair['a']} and {pair['b']} {agreement_words(pair['ari'])} (adjusted Rand index {pair['ari']:.2f})"
    moved = round((1 - pair["kept_share"]) * n)
    if not moved:
        return f"{start}: every row is in the same group."
    move = pair["moves"][0]
    most = f"{_group(move['a'])} of {pair['a']} and {_group(move['b'])} of {pair['b']}"
    rows = "1 row is" if moved == 1 else f"{moved:,} rows ({moved / n:.0%}) are"
    return f"{start}; {rows} in another group, most of them ({move['rows']:,}) in {most}."


def verdict(
    groupings: Sequence[Mapping[str, Any]],
    pairs: Sequence[Mapping[str, Any]],
    structures: Sequence[str | None],
    *,
    same_rows: bool,
) -> str:
    """Say in a paragraph what the comparison comes to, and what it cannot say."""
    sentences = [_of_agreement(groupings, pairs)]
    if any(structure in ("none", "weak") for structure in structures):
        sentences.append(
            "The check for structure found no clear groups, so the groupings are ways to cut one cloud, and none of them is the true one."
        )
    sentences += [_of_scores(groupings, same_rows)]
    return " ".join(sentence for sentence in sentences if sentence)


def _of_agreement(groupings: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]]) -> str:
    least = min(pairs, key=lambda pair: pair["ari"])
    counts = [len(grouping["groups"]) for grouping in groupings]
    together = "Both groupings" if len(groupings) == 2 else f"All {len(groupings)} groupings"
    if max(counts) < 2:
        return f"{together} find no more than one group."
    if least["ari"] >= ALMOST:
        return f"{together} {agreement_words(least['ari'])}: whichever is taken, the groups are about the same, which speaks for them."
    if len(set(counts)) > 1:
        numbers = ", ".join(f"{grouping['name']} {len(grouping['groups'])}" for grouping in groupings)
        many = f" They differ in the number of groups: {numbers}."
    else:
        many = f" They have {counts[0]} groups each, drawn differently."
    if len(groupings) == 2:
        return f"The two {agreement_words(least['ari'])}.{many}"
    most = max(pairs, key=lambda pair: pair["ari"])
    return (
        f"{least['a']} and {least['b']} {agreement_words(least['ari'])} ({least['ari']:.2f}); the closest, {most['a']} and "
        f"{most['b']}, {agreement_words(most['ari'])} ({most['ari']:.2f}).{many}"
    )


def _of_scores(groupings: Sequence[Mapping[str, Any]], same_rows: bool) -> str:
    """Say who leads by which score, and what the scores favour."""
    if not same_rows:
        return "The rows were not at hand, so each silhouette is the one its own run told, on its own preparation: do not rank by them."
    leads = {
        what: _leader(groupings, score)
        for what, score in (("separation", "silhouette"), ("density", "dbcv"), ("stability", "stability"))
    }
    ahead = {what: name for what, name in leads.items() if name is not None}
    sentences = []
    if not ahead:
        sentences.append("No score tells them apart.")
    elif len(set(ahead.values())) == 1:
        sentences.append(f"{next(iter(ahead.values()))} is ahead by {_and(list(ahead))}.")
    else:
        sentences.append("By " + "; by ".join(f"{what} {name} is ahead" for what, name in ahead.items()) + ".")
        sentences.append(
            "Separation (silhouette) favours round groups, density (DBCV) dense ones of any shape: take the one that fits the purpose."
        )
    shaky = [g["name"] for g in groupings if g["stability"] is not None and g["stability"] < SOLID]
    if shaky:
        sentences.append(
            f"The groups of {_and(shaky)} change when rows are left out; do not build on {'them' if len(shaky) > 1 else 'these'}."
        )
    return " ".join(sentences)


def _leader(groupings: Sequence[Mapping[str, Any]], score: str) -> str | None:
    """Return who is clearly ahead by a score that all have, or None."""
    values = [(grouping[score], grouping["name"]) for grouping in groupings if grouping[score] is not None]
    if len(values) < len(groupings):
        return None
    first, second = sorted((value for value, _ in values), reverse=True)[:2]
    return next(name for value, name in values if value == first) if first >= second + LEAD else None


def _group(label: int) -> str:
    return "no group" if label < 0 else f"group {label}"


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
