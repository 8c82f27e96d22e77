"""Numbers and headlines in words, the same in the terminal, the notebook and the page without scripts."""

import unicodedata
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

__all__ = ["TURNS", "answer", "count", "counted", "headline", "percent", "printable"]


def count(value: int | None) -> str:
    """Write a count with thousands separated."""
    return "?" if value is None else f"{value:,}"


def counted(value: int | None, one: str) -> str:
    """Write a count of things: ``1 row``, ``2,000 rows``."""
    return f"{count(value)} {one}{'' if value == 1 else 's'}"


def percent(share: float | None) -> str:
    """Write a share (0 to 1) in percent, precise enough to tell a small group from none."""
    if share is None:
        return "?"
    value = 100 * share
    if 0 < value < 0.1:
        return "<0.1%"
    # A half goes up, as in the page's scripts: the same share reads the same everywhere.
    return f"{Decimal(value).quantize(Decimal('0.1' if 0 < value < 10 else '1'), ROUND_HALF_UP)}%"


def headline(record: Mapping[str, Any]) -> str:
    """Say in a few words how many groups were found in what."""
    source = record["input"]
    return f"{printable(source.get('name') or 'data')}: {_groups(record)} in {counted(source.get('rows'), 'row')}"


def answer(record: Mapping[str, Any], *, doubt: bool = True) -> list[str]:
    """Say in a few sentences how many groups, how big, how sure, and how many rows fit none.

    With ``doubt=False`` a verdict against the groups is left to the caller, who shows it by itself. A purpose other than natural
    groups has its own answer.
    """
    if told := (record.get("purpose") or {}).get("answer"):
        judged = (record.get("judge") or {}).get("sentence") if record["purpose"]["name"] == "useful" else None
        return [printable(sentence) for sentence in [*told, judged] if sentence]
    clusters = record["clusters"]
    structure = record["structure"]
    real = structure.get("verdict") != "none"
    sentences: list[str | None] = []
    if len(clusters) > 1:
        largest = max(clusters, key=lambda cluster: cluster["rows"])
        smallest = min(clusters, key=lambda cluster: cluster["rows"])
        sentences.append(
            f"The {count(record['input'].get('rows'))} rows "
            f"{'fall' if real else 'were cut'} into {len(clusters)} {'groups' if real else 'parts'}. The largest holds "
            f"{counted(largest['rows'], 'row')} ({percent(largest['share'])}), "
            f"the smallest {count(smallest['rows'])} ({percent(smallest['share'])})."
        )
    noise = (record.get("population") or {}).get("noise_rows") or 0
    if noise:
        share = percent((record.get("population") or {}).get("noise_share"))
        sentences.append(f"{count(noise)} {'row fits' if noise == 1 else 'rows fit'} no group ({share}).")
    elif clusters and real:
        sentences.append("Every row belongs to a group.")
    if doubt or structure.get("verdict") == "clusters":
        sentences.append(structure.get("sentence"))
    sentences.append((record.get("judge") or {}).get("sentence"))
    return [printable(sentence) for sentence in sentences if sentence]


# Marks that set the direction of what follows.
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(value: Any) -> str:
    """Replace control characters, so that no value of the data can move the cursor, change colours or reverse what follows."""
    return "".join(
        ""
        if letter in TURNS
        else " "
        if letter in "\n\r\t"
        else "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(letter) in ("Cc", "Cs")
        else letter
        for letter in str(value)
    )


def _groups(record: Mapping[str, Any]) -> str:
    if told := (record.get("purpose") or {}).get("headline"):
        return printable(told)
    verdict = record["structure"].get("verdict")
    number = len(record["clusters"])
    if verdict == "none" or number == 0:
        return "no clear groups"
    return counted(number, "group")
