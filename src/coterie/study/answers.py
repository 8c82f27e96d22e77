"""What a study answers beyond its groups, by its purpose: representatives, useful cuts, unusual rows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from . import reduce, unusual, useful
from .candidate import Choice
from .outliers import explain_outliers
from .purpose import GOAL, MOST_UNUSUAL, Purpose
from .values import View

__all__ = ["Answer", "Listing", "answered"]


class Listing(NamedTuple):
    """Rows of the table to be written beside the labels, in this order, with what is told of each by column."""

    file: str
    rows: np.ndarray  # (m,) int64
    columns: dict[str, Sequence[Any]]  # of m values each


class Answer(NamedTuple):
    """Parts of the record (``purpose``, ``outliers``), the scores of the rows, what is listed, and warnings."""

    purpose: dict[str, Any]
    outliers: dict[str, Any]
    scores: np.ndarray
    listing: Listing | None = None
    warnings: Sequence[dict[str, str]] = ()


def answered(
    way: Purpose,
    X: np.ndarray,
    own: np.ndarray,
    people: Any,
    estimator: Any,
    choice: Choice,
    structure: dict[str, Any],
    verdicts: dict[str, Any],
    views: list[View],
    options: dict[str, Any],
    seed: int,
) -> Answer:
    """Answer what the purpose asks.

    Parameters
    ----------
    way : Purpose
    X : (n, m) float64 array
        Prepared rows.
    own : (n,) int array
        Labels of the estimator.
    people : Settled
        With the final ones.
    estimator, choice, structure, verdicts, views, options, seed
        As the steps of the study left them.

    Returns
    -------
    Answer
    """
    head = {"name": way.name, "aim": way.aim}
    if way.name == "outliers":
        return _unusual(way, head, X, own, people, verdicts["scores"], views, seed)
    plain = Answer(head, explain_outliers(views, people.labels, verdicts["scores"]), verdicts["scores"])
    if way.name == "reduce":
        best = choice.candidates[choice.winner]
        return _reduced(way, plain, X, people, estimator, best.validity or None, options["n_clusters"] is not None)
    if way.name == "useful":
        sizes = np.bincount(people.labels[people.labels >= 0])
        rules = useful.told_apart(X, people.labels, seed) if len(sizes) > 1 else None
        found = useful.told(len(sizes), len(X), int(sizes.min()), structure["verdict"], rules)
        return plain._replace(purpose=head | found)
    return plain


def _reduced(way, plain: Answer, X, people, estimator, held_out: float | None, asked: bool) -> Answer:
    found = reduce.representatives(X, people.labels, estimator, people.label_map)
    listing = Listing(
        way.file,
        found.rows,
        {
            "representative": range(len(found.rows)),
            "weight": found.weights.tolist(),
            "loss_share": found.losses.tolist(),
        },
    )
    short = held_out is not None and held_out < GOAL and not asked
    warning = {
        "text": f"As many representatives as allowed keep less than {GOAL:.0%} of the differences between rows.",
        "remedy": "Ask for more, or use only the columns that matter.",
    }
    return plain._replace(
        purpose=plain.purpose | reduce.told(found, held_out, asked),
        listing=listing,
        warnings=[warning] if short else [],
    )


def _unusual(way, head, X, own, people, scores, views, seed) -> Answer:
    aside = (own >= 0) & (people.labels < 0)
    together = np.where(aside, np.bincount(own[own >= 0], minlength=1)[np.maximum(own, 0)], 0)
    scores = unusual.scores(X, people.labels, scores, aside, seed)
    found = unusual.ranked(views, people.labels, scores, together)
    k = int(people.labels.max(initial=-1)) + 1
    answer, outliers = unusual.told(found, len(X), k, len(np.unique(own[aside])))
    ranks = range(1, len(found.rows) + 1)
    listing = Listing(way.file, found.rows, {"rank": ranks, "score": found.scores.tolist(), "reason": found.why})
    warning = {
        "text": f"More than {MOST_UNUSUAL:.0%} of the rows lie beyond the far fence.",
        "remedy": "Look whether they are another kind of row: ask for the natural groups.",
    }
    return Answer(head | answer, outliers, scores, listing, [warning] if found.more else [])
