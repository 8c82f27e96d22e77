"""A history as a sheet: what is normal in it, in kinds, and how far its promise reaches."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..applications.anomaly import Learnt
from ..applications.anomaly._profile import usual_text, value_text
from .cells import field, number, plain_text, write_rows
from .sheet import Sheet, sheet_record
from .words import count, counted, percent

__all__ = ["distance_histogram", "history_sheet"]

_BARS = 40
_MOST_FACTS = 5
_BEYOND = 3.0  # times the threshold at which the histogram ends
_MOST_ROWS = 500
_WORDS = (
    ("distance", "how far a row is from history: from its next few rows and from its bulk, multiplied"),
    ("p-value", "the share of normal rows that are at least as far from history"),
    ("false alarm", "an alarm for a row that is like history"),
    ("held out", "judged by a summary of history that had not seen the row"),
)


def history_sheet(learnt: Learnt, options: Mapping[str, Any]) -> Sheet:
    """Return the sheet of a history.

    Parameters
    ----------
    learnt : Learnt
    options : mapping
        As they were given.

    Returns
    -------
    Sheet
        Its folder holds the model.
    """
    model, card, table = learnt.model, learnt.card, learnt.table
    n_kinds = len(learnt.profile)
    used = [coding for coding in model.prepared_.codings if coding.used] if model.prepared_ else []
    record = sheet_record(
        kind="anomaly",
        source={
            "name": table.name,
            "rows": table.n_rows,
            "bytes": table.source_bytes,
            "fingerprint": card["fingerprint"],
        },
        options=options,
        seed=int(options.get("seed") or 0),
        headline=f"{counted(n_kinds, 'kind')} of normal rows among {count(table.n_rows)}",
        answer=_answer(learnt, len(used)),
        groups=_groups(learnt, used),
        noun="kind",
        members="rows",
        sections=[
            distance_histogram([("history, held out", model.held_out_scores_)], -model.offset_),
            _profile_table(learnt, used),
        ],
        metrics=_metrics(learnt),
        warnings=learnt.warnings,
        notes=[*table.notes, *(model.prepared_.notes if model.prepared_ else ())],
        steps=[step.plain() for step in learnt.steps],
        words=_WORDS,
    )
    writers = {"model.coterie": _saver(learnt), "normal_profile.csv": lambda path: _write_profile(path, learnt, used)}
    return Sheet(record, writers, ["coterie anomaly score today.csv --model {folder}"])


def distance_histogram(series: list[tuple[str, np.ndarray]], threshold: float) -> dict[str, Any]:
    """Return the section that shows how far rows are from history, and where alarms begin."""
    end = max(min(max(float(values.max()) for _, values in series), _BEYOND * threshold), threshold * 1.05, 1e-12)
    edges = np.linspace(0.0, end, _BARS + 1)
    counts = [np.histogram(np.minimum(values, end), edges)[0] for _, values in series]
    return {
        "kind": "histogram",
        "title": "Distance from history",
        "text": "How many rows are how far from history; rows beyond the last bar are counted in it, and alarms begin at the mark.",
        "edges": edges.tolist(),
        "series": [{"name": name, "counts": found.tolist()} for (name, _), found in zip(series, counts, strict=True)],
        "x_label": "distance",
        "marks": [{"x": float(threshold), "label": "alarms begin"}],
        "log": True,
    }


def _answer(learnt: Learnt, n_columns: int) -> list[str]:
    model, metrics = learnt.model, learnt.metrics
    least = metrics["least_fpr"]
    sentences = [
        f"History is summed up by {counted(model.n_clusters_, 'representative row')} of {counted(n_columns, 'column')}, in "
        f"{counted(len(learnt.profile), 'kind')} of normal rows.",
        f"New rows like {'these' if model.suspects_ == 0 else 'the normal ones'} will be false alarms as often as you ask for, from "
        f"{least:.2%} on: {count(int(metrics['held_out']))} rows were judged without having been seen.",
    ]
    if model.suspects_ > 0:
        share = percent(model.suspects_)
        sentences.append(
            f"{share} of the rows lie very far from all others and do not count as normal; rows like them will be alarms beside those."
            if model.contamination == "auto"
            else f"The farthest {share} of the rows do not count as normal, as was said."
        )
    return sentences


def _groups(learnt: Learnt, used: list) -> list[dict[str, Any]]:
    total = sum(kind["rows"] for kind in learnt.profile)
    roles = {coding.column: coding.role for coding in used}
    return [
        {
            "id": i, "name": name, "size": kind["rows"], "share": kind["rows"] / total,
            "facts": [[column, usual_text(usual, roles[column])] for column, usual in list(kind["columns"].items())[:_MOST_FACTS]],
        }
        for i, (kind, name) in enumerate(zip(learnt.profile, learnt.card["names"], strict=True))
    ]  # fmt: skip


def _profile_rows(learnt: Learnt, used: list) -> Iterator[tuple[str, str, list[str]]]:
    roles = {coding.column: coding.role for coding in used}
    for kind, name in zip(learnt.profile, learnt.card["names"], strict=True):
        for column, usual in kind["columns"].items():
            if isinstance(usual, dict):
                yield (
                    name,
                    column,
                    ["", " or ".join(f"{level} ({percent(share)})" for level, share in usual.items()), ""],
                )
            else:
                yield name, column, [value_text(value, roles[column]) for value in usual or (None, None, None)]


def _profile_table(learnt: Learnt, used: list) -> dict[str, Any]:
    rows = [[name, column, *values] for name, column, values in _profile_rows(learnt, used)]
    return {
        "kind": "table",
        "title": "What is usual",
        "text": "In each kind of normal rows: between which values 98 of 100 rows lie, and the middle; or the most frequent values.",
        "columns": [
            {"name": "kind", "label": "Kind", "format": "text"},
            {"name": "column", "label": "Column", "format": "text"},
            {"name": "low", "label": "Low", "format": "text", "help": "1 of 100 rows is lower"},
            {"name": "middle", "label": "Middle", "format": "text", "help": "half of the rows are lower"},
            {"name": "high", "label": "High", "format": "text", "help": "1 of 100 rows is higher"},
        ],
        "rows": rows[:_MOST_ROWS],
        "total": len(rows),
        "file": "normal_profile.csv",
    }


def _write_profile(path: Path, learnt: Learnt, used: list) -> None:
    rows = _profile_rows(learnt, used)
    write_rows(
        path,
        ["kind", "column", "low", "middle", "high"],
        (
            [field(plain_text(text, excel_safe=True)) for text in (name, column, *values)]
            for name, column, values in rows
        ),
    )


def _saver(learnt: Learnt) -> Any:
    def save(path: Path) -> None:
        from ..models import save as save_model

        save_model(learnt.model, path, card=learnt.card)

    return save


def _metrics(learnt: Learnt) -> list[dict[str, Any]]:
    given = learnt.metrics
    lines = [
        ("held_out", "Rows judged unseen", "integer", "rows of history that were scored by a summary which had not seen them", True),
        ("least_fpr", "Lowest false-alarm rate", "percent", "1 / (rows judged unseen + 1); below it nothing can be promised", True),
        ("suspects", "Taken for anomalies", "percent",
         "share of the rows of history that count as no normal rows for p-values: as stated, or beyond the tail of the others", True),
        ("left_out", "Not summed up", "percent",
         "share of the rows of history, the farthest, that its summary does not stand on, in case they are not normal", False),
        ("stability", "Stability", "percent",
         "of a random third of the rows: share of its farthest twentieth, by a summary of the second third, that is so by the last third too", True),
    ]  # fmt: skip
    found = [
        {"name": name, "label": label, "value": given[name], "format": kind, "definition": words, "key": key}
        for name, label, kind, words, key in lines
    ]
    definition = "distance above which a row is an alarm at the false-alarm rate of the fit"
    threshold = {"name": "threshold", "label": "Alarms begin at", "value": -learnt.model.offset_, "format": "number"}
    return [*found, {**threshold, "definition": f"{definition} ({number(learnt.model.fpr_)})"}]
