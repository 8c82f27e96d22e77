"""New rows as a sheet: which are alarms, why, and whether the rows as a whole are still like history."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..applications.anomaly import Judged
from ..tables.convert import as_levels
from .anomaly import _WORDS, distance_histogram
from .cells import field, number, plain_text, write_rows, write_text
from .sheet import Sheet, sheet_record
from .words import count, counted

__all__ = ["alert_lines", "judged_sheet"]

_MOST_ROWS = 500


def judged_sheet(judged: Judged, options: Mapping[str, Any], *, excel_safe: bool = False) -> Sheet:
    """Return the sheet of new rows.

    Parameters
    ----------
    judged : Judged
    options : mapping
        As they were given.
    excel_safe : bool, default=False
        Defuse texts in the CSV files that a spreadsheet would run as formulas.

    Returns
    -------
    Sheet
    """
    table = judged.table
    threshold = _threshold(judged)
    sections = [_alerts_table(judged), *_columns_bars(judged)]
    sections += [
        distance_histogram([(table.name, -judged.scores)], threshold),
        _over_time(judged),
    ]
    record = sheet_record(
        kind="anomaly",
        source={"name": table.name, "rows": table.n_rows, "bytes": table.source_bytes, "fingerprint": table.fingerprint()},
        options=options,
        headline=f"{counted(len(judged.alarms), 'alarm')} among {counted(table.n_rows, 'row')}",
        answer=_answer(judged),
        members="rows",
        sections=sections,
        metrics=_metrics(judged),
        warnings=judged.warnings,
        notes=[*table.notes, f"what is normal was learnt from {count(judged.card['n_rows'])} rows of {judged.card['source']}"],
        words=_WORDS,
    )  # fmt: skip
    writers = {
        "alerts.csv": lambda path: write_text(path, "".join(alert_lines(judged, excel_safe=excel_safe))),
        "scores.csv": lambda path: write_rows(
            path, ("row", "distance", "p_value", "alarm", "kind"), _score_rows(judged, excel_safe)
        ),
    }
    return Sheet(record, writers)


def alert_lines(judged: Judged, first_row: int = 0, *, excel_safe: bool = False) -> Iterator[str]:
    """Return the lines of alerts.csv, the least likely first.

    Parameters
    ----------
    judged : Judged
    first_row : int, default=0
        What the first of the rows is called; there is a header where this is 0.
    excel_safe : bool, default=False
        Defuse texts that a spreadsheet would run as formulas.

    Returns
    -------
    iterator of str
        Each ends in a newline.
    """
    shown = judged.table.select(_names_of_rows(judged))
    names = judged.card["names"]
    lines: list[list[Any]] = []
    if first_row == 0:
        lines.append(["row", *shown.names, "distance", "p_value", "kind", *_reason_header(judged), "why"])
    for i, row in enumerate(judged.alarms.tolist()):
        own = [_cell(column, row) for column in shown.columns]
        columns = [judged.explanation.names[j] for j in judged.explanation.columns[i]]
        kind = names[int(judged.kinds[row])]
        values = [number(-judged.scores[row]), number(judged.p_values[row])]
        lines.append([f"{first_row + row}", *own, *values, kind, *columns, judged.reason(i)])
    for line in lines:
        text = ",".join(field(plain_text(value, excel_safe)) for value in line)
        yield text.encode("utf-8", "backslashreplace").decode() + "\n"


def _cell(column: Any, row: int) -> str:
    if column.missing[row]:
        return ""
    return as_levels(column.take([row])).values[0]


def _names_of_rows(judged: Judged) -> list[str]:
    """Return the columns that say which row it is: those that name rows, and the time."""
    codings = judged.model.prepared_.codings if judged.model.prepared_ else ()
    names = [coding.column for coding in codings if coding.role == "id"]
    wanted = [*names[:1], judged.card.get("time")]
    return [name for name in wanted if name is not None and name in judged.table.names]


def _reason_header(judged: Judged) -> list[str]:
    return [f"column_{i + 1}" for i in range(judged.explanation.columns.shape[1])]


def _score_rows(judged: Judged, excel_safe: bool) -> Iterator[list[str]]:
    alarm = np.zeros(judged.table.n_rows, int)
    alarm[judged.alarms] = 1
    names = [field(plain_text(name, excel_safe)) for name in judged.card["names"]]
    for row, (score, p, kind) in enumerate(zip(judged.scores, judged.p_values, judged.kinds, strict=True)):
        yield [f"{row}", number(-score), number(p), f"{alarm[row]}", names[kind]]


def _threshold(judged: Judged) -> float:
    from ..applications.anomaly._calibration import threshold

    return threshold(judged.model.held_out_scores_, judged.fpr)


def _answer(judged: Judged) -> list[str]:
    sentences = [_as_by_chance(judged)]
    if len(judged.alarms):
        sentences.append(f"The least likely row is row {int(judged.alarms[0]):,}: {judged.reason(0)}.")
    if judged.windows.above and len(judged.windows.shares) > 1:
        sentences.append(
            f"In {judged.windows.above} of {len(judged.windows.shares)} parts of the rows there are more alarms than chance explains."
        )
    if judged.truth is not None:
        sentences.append(
            f"Of {counted(judged.truth.n_anomalies, 'known anomaly').replace('anomalys', 'anomalies')}, {judged.truth.found:.0%} are alarms."
        )
    return sentences


def _as_by_chance(judged: Judged) -> str:
    n, alarms, expected = judged.table.n_rows, len(judged.alarms), judged.fpr * judged.table.n_rows
    if judged.seen:
        return (
            f"These are the rows that the model learnt from: it knows them, so {counted(alarms, 'alarm')} cannot be compared with what "
            "chance makes of new rows."
        )
    low, high = judged.limits
    like = "like the normal ones of history" if judged.model.suspects_ else "like those of history"
    about = "about" if expected <= high else "fewer than"
    number = "hardly one would be a false alarm" if expected < 1 else f"{about} {expected:,.0f} would be false alarms"
    verdict = (
        f"{alarms:,} are more than chance explains (at most {high:,})" if alarms > high
        else f"{alarms:,} are fewer than chance explains (at least {low:,})" if alarms < low
        else f"{alarms:,} are within what chance explains ({low:,} to {high:,})"
    )  # fmt: skip
    return f"Of {counted(n, 'row')} {like}, {number}; {verdict}."


def _alerts_table(judged: Judged) -> dict[str, Any]:
    own = _names_of_rows(judged)
    shown = judged.table.select(own)
    rows = [
        [row, *(_cell(column, row) for column in shown.columns), float(-judged.scores[row]), float(judged.p_values[row]),
         judged.card["names"][int(judged.kinds[row])], judged.reason(i)]
        for i, row in enumerate(judged.alarms[:_MOST_ROWS].tolist())
    ]  # fmt: skip
    return {
        "kind": "table",
        "title": "Alarms",
        "text": "Rows that are unlike history, the least likely first, and the columns that say so.",
        "columns": [
            {"name": "row", "label": "Row", "format": "integer", "help": "counted from 0, without the header"},
            *({"name": name, "label": name, "format": "text"} for name in own),
            {"name": "distance", "label": "Distance", "format": "number", "help": "from history"},
            {"name": "p_value", "label": "p-value", "format": "number", "help": "share of normal rows that are as far"},
            {"name": "kind", "label": "Nearest kind", "format": "text", "help": "kind of normal rows"},
            {"name": "why", "label": "Why", "format": "text"},
        ],
        "rows": rows,
        "total": len(judged.alarms),
        "file": "alerts.csv",
    }


def _columns_bars(judged: Judged) -> list[dict[str, Any]]:
    if not len(judged.alarms):
        return []
    names, counts = np.unique(judged.explanation.columns[:, 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:20]
    bars = {
        "kind": "bars",
        "title": "Columns behind the alarms",
        "text": "For how many alarms each column is the first reason.",
        "labels": [judged.explanation.names[names[i]] for i in order],
        "series": [{"name": "alarms", "values": counts[order].tolist()}],
        "format": "integer",
    }
    return [bars]


def _over_time(judged: Judged) -> dict[str, Any]:
    windows = judged.windows
    return {
        "kind": "lines",
        "title": "Share of alarms from part to part",
        "text": "The share of alarms in parts of equal size, and the limits within which it stays for rows like those of history.",
        "x": windows.starts,
        "series": [
            {"name": "share of alarms", "values": windows.shares.tolist()},
            {"name": "limits", "values": [judged.fpr] * len(windows.shares), "low": windows.low.tolist(), "high": windows.high.tolist()},
        ],
        "x_label": windows.label,
        "y_label": "share of alarms",
        "format": "percent",
    }  # fmt: skip


def _metrics(judged: Judged) -> list[dict[str, Any]]:
    n = judged.table.n_rows
    limits = {} if judged.seen else dict(zip(("low", "high"), judged.limits, strict=True))
    found = [
        {"name": "alarms", "label": "Alarms", "value": len(judged.alarms), "format": "integer", "key": True,
         "definition": "rows whose p-value is at most the false-alarm rate"},
        {"name": "fpr", "label": "False-alarm rate", "value": judged.fpr, "format": "percent", "key": True,
         "definition": "share of rows like those of history that may be alarms"},
        {"name": "expected", "label": "Alarms among as many normal rows", "value": judged.fpr * n, **limits,
         "format": "number", "definition": "false-alarm rate times rows; 999 times of 1,000 within the limits (beta-binomial)"},
        {"name": "beyond_middle", "label": "Rows beyond the middle of history", "value": float((judged.p_values <= 0.5).mean()),
         "format": "percent", "definition": "share of the rows that are farther from history than half of its own held-out rows; about 50 % "
         "where the rows are like history"},
        {"name": "windows_above", "label": "Parts with too many alarms", "value": judged.windows.above, "format": "integer",
         "definition": f"of {len(judged.windows.shares)} parts of equal size, those above the limits of chance; any at all once in 100 times"},
    ]  # fmt: skip
    truth = judged.truth
    if truth is None:
        return found
    means = f"rows with {truth.column} = {truth.value}"
    lines = [
        ("roc_auc", "Area under the ROC curve", truth.auc, "number", "chance that one of the {} is farther from history than another row"),
        ("average_precision", "Average precision", truth.average_precision, "number", "area under the precision-recall curve, in steps; {}"),
        ("recall", "Anomalies found", truth.found, "percent", "share of the {} that are alarms"),
        ("precision", "Alarms that are anomalies", truth.right, "percent", "share of the alarms that are {}"),
        ("false_alarms", "False alarms", truth.false_alarms, "percent", "share of the other rows that are alarms; anomalies are {}"),
    ]  # fmt: skip
    return found + [
        {"name": name, "label": label, "value": value, "format": kind, "definition": words.format(means), "key": True}
        for name, label, value, kind, words in lines
    ]
