"""The summary of an analysis of pictures as plain text, for a terminal or a log."""

from collections.abc import Mapping
from typing import Any

from .record import PICTURES, check
from .text import aligned, framed, joined
from .words import count, counted, percent, printable

__all__ = ["pictures_answer", "pictures_headline", "pictures_text"]

_NAMED = 3


def pictures_headline(record: Mapping[str, Any]) -> str:
    """Say in a few words how many groups were found among how many pictures."""
    k = len(record["clusters"])
    clear = record["structure"].get("verdict") != "none" and k > 0
    groups = counted(k, "group") if clear else "no clear groups"
    return f"{printable(record['input'].get('name') or 'pictures')}: {groups} in {counted(record['input'].get('rows'), 'picture')}"


def pictures_answer(record: Mapping[str, Any], *, doubt: bool = True) -> list[str]:
    """Say in a few sentences how many groups, how big, how sure, and how many pictures fit none."""
    clusters, structure = record["clusters"], record["structure"]
    real = structure.get("verdict") != "none"
    sentences: list[str | None] = []
    if len(clusters) > 1:
        largest, smallest = clusters[0], clusters[-1]
        sentences.append(
            f"The {count(record['input'].get('rows'))} pictures {'fall' if real else 'were cut'} into {len(clusters)} "
            f"{'groups' if real else 'parts'}. The largest holds {count(largest['rows'])} ({percent(largest['share'])}), "
            f"the smallest {count(smallest['rows'])} ({percent(smallest['share'])})."
        )
    noise = (record.get("population") or {}).get("noise_rows") or 0
    if noise:
        share = percent((record.get("population") or {}).get("noise_share"))
        sentences.append(f"{count(noise)} {'picture fits' if noise == 1 else 'pictures fit'} no group ({share}).")
    if doubt or structure.get("verdict") == "clusters":
        sentences.append(structure.get("sentence"))
    sentences.append((record.get("judge") or {}).get("sentence"))
    return [printable(sentence) for sentence in sentences if sentence]


def pictures_text(record: Mapping[str, Any], *, width: int = 100) -> str:
    """Tell in plain text which groups the pictures form, which stand for each, and what to be careful about.

    Parameters
    ----------
    record : mapping
        The content of ``run.json``.
    width : int, default=100
        Columns to fill; at least 40.

    Returns
    -------
    str
        Lines ending in a newline, without colours or control characters, whatever the data hold.

    Raises
    ------
    InputError
        If ``record`` is not a record of pictures.
    """
    check(record, schema=PICTURES)
    return framed(record, pictures_headline(record), pictures_answer(record), [_table], width)


def _table(record: Mapping[str, Any], width: int) -> str:
    sample = (record.get("rows") or {}).get("sample") or {}
    rows = [("group", "pictures", "share", ["most typical, and what sets it apart"])]
    for cluster in record["clusters"]:
        names = [sample.get(str(row), {}).get("picture", str(row)) for row in cluster["exemplars"][:_NAMED]]
        phrases = [printable(feature.get("text") or "") for feature in (cluster.get("features") or [])[:2]]
        parts = [
            printable(cluster.get("given_name") or ""),
            ", ".join(map(printable, names)),
            "; ".join(phrase for phrase in phrases if phrase),
        ]
        rows.append(
            (str(cluster["id"]), count(cluster["rows"]), percent(cluster["share"]), [part for part in parts if part])
        )
    population = record.get("population") or {}
    if population.get("noise_rows"):
        why = printable(population.get("noise_why") or "pictures that fit no group")
        rows.append(("none", count(population["noise_rows"]), percent(population.get("noise_share")), [why]))
    return joined(aligned(rows, width))
