"""The summary of an analysis as plain text, for a terminal or a log."""

import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .naming import name_of
from .record import check
from .words import answer, count, headline, percent, printable

__all__ = ["aligned", "framed", "joined", "text"]

_LEAST_WIDTH = 40
_MOST_REPRESENTATIVES = 12


def text(record: Mapping[str, Any], *, width: int = 100) -> str:
    """Tell in plain text what an analysis found: the groups, what sets each apart, and what to be careful about.

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
        If ``record`` is not a record of an analysis.
    """
    check(record)
    sentences = [record["structure"].get("sentence"), (record.get("judge") or {}).get("sentence")]
    tables = [_table]
    if (record.get("purpose") or {}).get("answer"):
        sentences = answer(record)
        tables = [_unusual, _table] if record["purpose"]["name"] == "outliers" else tables
    return framed(record, headline(record), [sentence for sentence in sentences if sentence], tables, width)


def framed(
    record: Mapping[str, Any],
    headline: str,
    paragraph: Sequence[str],
    tables: Sequence[Callable[[Mapping[str, Any], int], str]],
    width: int,
) -> str:
    """Return a headline, a paragraph with the answer, what the tables make of the record, its cautions, and what to do next."""
    width = max(width, _LEAST_WIDTH)
    head = joined([headline, *textwrap.wrap(" ".join(map(printable, paragraph)), width)])
    blocks = [head, *(table(record, width) for table in tables), _cautions(record, width), _next_steps(record)]
    return "\n".join(block for block in blocks if block)


def _unusual(record: Mapping[str, Any], width: int) -> str:
    rows = [("rank", "row", "score", ["why it is unusual"])]
    for rank, line in enumerate(record["outliers"].get("top") or (), 1):
        rows.append((str(rank), count(line["row"]), f"{line['score']:.2f}", [printable(line.get("why") or "")]))
    return joined(aligned(rows, width)) if len(rows) > 1 else ""


def _table(record: Mapping[str, Any], width: int) -> str:
    rows = [("group", "rows", "share", ["what sets it apart"])]
    # Representatives are many, and few people read a line for each.
    shown = _MOST_REPRESENTATIVES if (record.get("purpose") or {}).get("name") == "reduce" else len(record["clusters"])
    for cluster in record["clusters"][:shown]:
        phrases = [printable(feature.get("text") or "") for feature in (cluster.get("features") or [])[:3]]
        parts = [name_of(cluster), "; ".join(phrase for phrase in phrases if phrase)]
        rows.append((str(cluster["id"]), count(cluster["rows"]), percent(cluster["share"]), parts))
    if more := record["clusters"][shown:]:
        rest = sum(cluster["rows"] for cluster in more)
        share = percent(sum(cluster["share"] for cluster in more))
        rows.append(
            ("more", count(rest), share, [f"{len(more)} further representatives, in the file and in the report"])
        )
    population = record.get("population") or {}
    if population.get("noise_rows"):
        why = printable(population.get("noise_why") or "rows that fit no group")
        rows.append(("none", count(population["noise_rows"]), percent(population.get("noise_share")), [why]))
    return joined(aligned(rows, width))


def aligned(rows: Sequence[tuple[str, str, str, list[str]]], width: int) -> Iterator[str]:
    """Yield the lines of a table: three columns flush right, and words that wrap."""
    widths = [max(_columns(cell) for cell in column) for column in zip(*(row[:3] for row in rows), strict=True)]
    indent = sum(widths) + 8
    for *cells, parts in rows:
        start = "  ".join(" " * (room - _columns(cell)) + cell for room, cell in zip(widths, cells, strict=True))
        wrapped = [line for part in parts for line in textwrap.wrap(part, max(width - indent, 12))]
        yield f"  {start}  {''.join(wrapped[:1])}".rstrip()
        for more in wrapped[1:]:
            yield " " * indent + more


def _cautions(record: Mapping[str, Any], width: int) -> str:
    """Return the warnings of a record with what to do about them."""
    lines: list[str] = []
    for warning in record.get("warnings") or ():
        lines += textwrap.wrap(printable(warning["text"]), width, initial_indent="! ", subsequent_indent="  ")
        if warning.get("remedy"):
            remedy = printable(warning["remedy"])
            lines += textwrap.wrap(remedy, width, initial_indent="  what to do: ", subsequent_indent="  ")
    return joined(lines)


def _next_steps(record: Mapping[str, Any]) -> str:
    """Return what a record says one may do next."""
    return joined(f"next  {printable(line)}" for line in record.get("next") or ())


def joined(lines: Sequence[str] | Iterator[str]) -> str:
    """Return the lines as one text, each ended."""
    return "".join(f"{line}\n" for line in lines)


def _columns(value: str) -> int:
    """Count the columns a terminal gives to a text; East Asian wide letters take two."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in value
    )
