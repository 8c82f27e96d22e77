"""What groups are for: a purpose chooses what is tried, by what it is judged, and what guards the answer.

One line for each purpose; its numbers are those that the steps use, and docs/guide/study.md shows the same table.
"""

from typing import NamedTuple

from ..catalog import entry
from ..errors import InputError

__all__ = [
    "APART", "FEWEST", "FLOOR", "GOAL", "MOST", "MOST_QUESTIONS", "MOST_REPRESENTATIVES", "MOST_SHARE", "MOST_UNUSUAL", "PURPOSES", "ROOM", "Purpose",
    "least_share", "purpose_of", "refuse_contradictions",
]  # fmt: skip

# Natural groups: a small one stands apart when it is this many times further from its neighbour than the neighbour is wide.
APART = 3.0
# Representatives: the share of the differences that they keep. Of the total variation 70% to 90% is what is customarily kept
# (Jolliffe 2002, Principal Component Analysis, 6.1.1). They are no reduction where they are more than a share of the rows.
GOAL = 0.9
MOST_REPRESENTATIVES, MOST_SHARE = 96, 0.2
# Useful groups: how many people keep apart, the least share of the rows in each, and the conditions that a rule has at most.
FEWEST, MOST = 3, 9
FLOOR = 0.05
MOST_QUESTIONS = 4
# The least shares of all groups add up to no more than this, or rows could hardly be where they are near.
ROOM = 0.9
# Unusual rows: a group below this share (or a fifth of the average one) is unusual as a whole; no more rows than this are named.
SMALL_SHARE = 0.05
# A small group within so many widths (root mean squares) of the next lies inside its spread: a fragment of it, not a kind apart.
INSIDE = 2.0
MOST_UNUSUAL = 0.1


class Purpose(NamedTuple):
    """One purpose, in words and in what the steps of a study ask of it."""

    name: str
    aim: str
    candidates: str
    criterion: str
    guards: str
    every_row: bool  # whether each row has to end in a group
    wants_structure: bool  # whether rows stay together where no groups stand out
    reach: float  # widths of its neighbour within which a small group joins it
    file: str = ""  # what is written beside the labels


PURPOSES = (
    Purpose(
        "natural",
        "types that are there in the data",
        "KMeans with 2 to 12 groups and more, HDBSCAN with eight settings",
        "silhouette times stability; density groups win where they come back, unless compact ones are better separated",
        "one group where no groups stand out; small groups join a neighbour or are set aside; noise allowed",
        False, True, APART,
    ),
    Purpose(
        "reduce",
        "fewer rows that stand for all: each representative a real row, with its weight",
        f"KMeans with 2 to {MOST_REPRESENTATIVES} groups, then KMedoids (CLARA where distances exceed memory) with the same number",
        f"fewest representatives that keep {GOAL:.0%} of the squared differences between rows; then the method that keeps more",
        f"what is kept is measured on rows left out; at most {MOST_REPRESENTATIVES} and {MOST_SHARE:.0%} of the rows; no group is merged; "
        "natural groups are not asked for",
        True, False, APART, "representatives.csv",
    ),
    Purpose(
        "useful",
        "a few groups that people can act on, whether or not they are natural",
        f"KMeans with {FEWEST} to {MOST} groups and a least size",
        f"silhouette times stability times the share of rows left out that {MOST_QUESTIONS} questions put in their group",
        f"every group holds at least {FLOOR:.0%} of the rows; every row belongs to one; cuts through a continuum are called so",
        True, False, float("inf"),
    ),
    Purpose(
        "outliers",
        "the unusual rows first, each with its score and its reason",
        "HDBSCAN with eight settings (one KMeans where those take too long)",
        "groups by stability less noise; rows by the geometric mean of three scores: against their group, and the distance to the 20th neighbour "
        "against that in the group and in all rows",
        f"unusual from the far fence on, {MOST_UNUSUAL:.0%} of the rows at most; groups below {SMALL_SHARE:.0%} (or a fifth of the average "
        f"one) are unusual as a whole, not merged, where they lie further than {INSIDE:.0f} widths from the next",
        False, True, INSIDE, "outliers.csv",
    ),
)  # fmt: skip


def purpose_of(name: str) -> Purpose:
    """Return the purpose of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    for purpose in PURPOSES:
        if purpose.name == name:
            return purpose
    names = ", ".join(purpose.name for purpose in PURPOSES)
    raise InputError(f"purpose must be one of {names}, got {name!r}")


def refuse_contradictions(purpose: Purpose, method: str, n_clusters: int | None, min_share: float | None) -> None:
    """Refuse what was asked for beside a purpose, where both cannot be had; ``method`` is of the catalog, or "auto".

    Raises
    ------
    InputError
        In one sentence, with what to change.
    """
    if purpose.every_row and method != "auto" and entry(method).has_noise:
        raise InputError(
            f"purpose {purpose.name!r} puts every row in a group, and {method} leaves rows out; take another method (KMeans) or another purpose"
        )
    if purpose.name == "reduce" and min_share is not None:
        raise InputError("purpose 'reduce' keeps a representative however few rows it stands for; leave min_share out")
    if purpose.name == "useful" and n_clusters is not None:
        share = FLOOR if min_share is None else min_share
        if n_clusters < 2:
            raise InputError(f"purpose 'useful' makes at least two groups, got n_clusters={n_clusters}; ask for more")
        if n_clusters * share > ROOM:
            raise InputError(
                f"{n_clusters} groups with at least {share:.3g} of the rows each leave too little room; ask for at most "
                f"{int(ROOM / share + 1e-9)} groups, or lower min_share"
            )


def least_share(purpose: Purpose, k: int, asked: float | None) -> float | None:
    """Return the least share of the rows of each of k groups: as asked for, or by the purpose; None as in `population.settle`."""
    if asked is not None or purpose.name == "natural":
        return asked
    return {"reduce": 0.0, "useful": FLOOR}.get(purpose.name, min(SMALL_SHARE, 0.2 / max(k, 1)))
