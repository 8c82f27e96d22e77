"""Do the candidates agree? Which groups they all find, and whether another answer is as good as the one that is given.

Compared are the candidates nearly as good as the best of their kind. A group that most of them find is there whatever the method; one
that only the winner finds deserves doubt. Where another of them is as good as the winner and groups the rows otherwise (two pairs of
groups are two groups, or four), the data have several answers, and the reader is told.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..metrics.external import adjusted_rand_score
from ..metrics.resampling import jaccard_by_cluster
from .candidate import Candidate, Choice
from .choose import ACCIDENT, MOST_NOISE
from .estimators import needs_k

__all__ = ["Consensus", "consensus"]

# Of the best score of the same kind; what scores this much is compared, and by the second, in the score's own unit, is as good.
NEARLY = 0.9
EQUAL = 0.01
# As good is only what comes back like this; below the second two groupings are different answers.
SURE = 0.9
SAME = 0.8
# A group is found again as one that shares this much with it (Jaccard).
FOUND = 0.75
MOST_ANSWERS = 3


class Consensus(NamedTuple):
    """What other candidates say of the answer.

    Attributes
    ----------
    compared : int
        Candidates nearly as good as the best of their kind, the winner left out.
    found : (k,) int64 array
        By how many of them each group is found.
    answers : list of Candidate
        Different and as good, at most two.
    """

    compared: int
    found: np.ndarray
    answers: list[Candidate]

    def record(self) -> dict[str, Any]:
        """Return the ``consensus`` part of a run's record."""
        told = [
            {"method": one.method, "params": one.params, "n_clusters": one.n_clusters, "score": one.score, "stability": one.stability}
            for one in self.answers
        ]  # fmt: skip
        return {"compared": self.compared, "found_by": self.found.tolist(), "answers": told}

    def warning(self, k: int) -> dict[str, str] | None:
        """Say that there are several answers, and what to do; None where there is one."""
        if not self.answers:
            return None
        others = " or ".join(str(number) for number in sorted({one.n_clusters for one in self.answers}))
        first = self.answers[0]
        text = f"{others} groups are as good an answer as the {k} shown: they too are well apart and come back when rows are left out."
        if all(one.n_clusters == k for one in self.answers):
            text = f"Another division into {k} groups ({first.method}) is as good an answer as the one shown."
        how = f"{first.n_clusters} groups" if needs_k(first.method) else f"the method {first.method}"
        return {"text": text, "remedy": f"Look at both: ask for {how}, and take the answer that serves your purpose."}


def consensus(choice: Choice, labels: np.ndarray, k: int) -> Consensus:
    """Compare the answer with what candidates nearly as good found.

    Parameters
    ----------
    choice : Choice
        Its candidates have labels of the rows on which they were tried.
    labels : (r,) int array
        Final labels of these rows, noise -1.
    k : int
        Groups there are in all.

    Returns
    -------
    Consensus
    """
    winner = choice.candidates[choice.winner]
    near = [one for one in _nearly_as_good(choice.candidates) if one is not winner]
    found = np.zeros(k, dtype=np.int64)
    for one in near:
        groups, similarity = jaccard_by_cluster(labels, one.labels)
        found[groups] += similarity >= FOUND
    answers: list[Candidate] = [] if choice.rival is None else [choice.candidates[choice.rival]]
    for one in sorted(near, key=lambda one: -one.score):
        if len(answers) + 1 < MOST_ANSWERS and _as_good(one, winner) and _is_new(one, [winner, *answers]):
            answers.append(one)
    return Consensus(len(near), found, answers)


def _nearly_as_good(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return those near the best of their kind; what is an accident of the rows, or leaves many out, has no say."""
    near: list[Candidate] = []
    sound = [one for one in candidates if one.n_clusters >= 2 and one.score > 0 and one.noise_share <= MOST_NOISE]
    sound = [one for one in sound if one.stability is None or one.stability >= ACCIDENT]
    for told_k in (True, False):
        kind = [one for one in sound if needs_k(one.method) == told_k]
        top = max((one.score for one in kind), default=0.0)
        near += [one for one in kind if one.score >= NEARLY * top]
    return near


def _as_good(one: Candidate, winner: Candidate) -> bool:
    surely = min(one.stability or 0.0, winner.stability or 0.0) >= SURE
    return surely and needs_k(one.method) == needs_k(winner.method) and one.score >= winner.score - EQUAL


def _is_new(one: Candidate, answers: Sequence[Candidate]) -> bool:
    return all(adjusted_rand_score(one.labels, other.labels) < SAME for other in answers)
