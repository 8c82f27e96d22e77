"""How the classes relate: what `coterie.graph.relations` counts and judges, kept small for very many classes, and in words."""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph
from ..study.record import plain

__all__ = ["MOST_RELATED", "ClassRelations", "relations_of"]

MOST_RELATED = 200  # classes whose relations are counted one by one; the smaller ones are counted together, so that
# the totals and what chance would give stay right without k^2 numbers for thousands of classes
_COLUMNS = ("links", "expected", "log_ratio", "z")


class ClassRelations(NamedTuple):
    """(k, k) arrays over the largest classes: rows are where links come from, columns where they lead to."""

    links: np.ndarray  # weight of the links, each once
    expected: np.ndarray
    log_ratio: np.ndarray  # log2 of links over expected; -inf where there is no link
    z: np.ndarray
    verdict: np.ndarray  # "attracts", "repels", "neutral", "feeds"
    verdict_by_size: np.ndarray  # the same, if not the degrees of the nodes but their number were to count
    directed: bool
    beyond_chance: bool
    n_classes: int  # there are; more than rows where the smaller ones were counted together
    null: str  # what chance keeps: "degrees", each node's number of links; "sizes", nothing of it
    sentence: str

    def lines(self) -> list[tuple[int, int, float, float, float, float, str, str]]:
        """Return a line for each pair: from, to, links, expected, log ratio, z, both verdicts; an undirected pair once."""
        k = len(self.links)
        i, j = np.indices((k, k)).reshape(2, -1) if self.directed else np.triu_indices(k)
        columns = [getattr(self, name)[i, j].tolist() for name in (*_COLUMNS, "verdict", "verdict_by_size")]
        return list(zip(i.tolist(), j.tolist(), *columns, strict=True))

    def record(self, most: int) -> dict[str, Any]:
        """Return the matrices of the first ``most`` classes as lists, infinite ratios as None."""
        k = min(most, len(self.links))
        parts = {name: plain(np.round(getattr(self, name)[:k, :k], 4)) for name in _COLUMNS}
        return {
            "classes": k, "left_out": self.n_classes - k, **parts, "verdict": self.verdict[:k, :k].tolist(),
            "verdict_by_size": self.verdict_by_size[:k, :k].tolist(),
            "null": self.null, "directed": self.directed, "beyond_chance": self.beyond_chance, "sentence": self.sentence,
        }  # fmt: skip


def relations_of(
    graph: Graph, labels: np.ndarray, k: int, *, directed: bool, checked: bool = False, null: str = "auto"
) -> ClassRelations:
    """Count and judge the links between the classes.

    Parameters
    ----------
    graph : Graph
        With its directions, if it has any.
    labels : (n,) int64 array
        Classes found in these links, the largest first; -1 none.
    k : int
    directed : bool
    checked : bool, default=False
        Whether the classes were found to be more than chance by another test. If not, nothing is said of single classes unless
        they make the network shorter to describe: classes found in noise attract themselves, too.
    null : {"auto", "degrees", "sizes"}, default="auto"
        What is expected; see `coterie.graph.relations`.

    Returns
    -------
    ClassRelations
    """
    from ..graph import relations

    shown = min(k, MOST_RELATED)
    if k == 0:
        none = np.zeros((0, 0))
        words = none.astype(str)
        return ClassRelations(none, none, none, none, words, words, directed, False, 0, null, "There are no classes.")
    found = relations(graph, np.minimum(labels, shown), directed=directed, found_in_links=not checked, null=null)
    names = ("count", "expected", "log_ratio", "z", "verdict", "verdict_by_size")
    count, expected, log_ratio, z, verdict, by_size = (found.matrix(name)[:shown, :shown] for name in names)
    told = _sentence(count, expected, verdict, directed=directed, beyond=found.beyond_chance)
    return ClassRelations(
        count, expected, log_ratio, z, verdict, by_size, directed, found.beyond_chance, k, found.null, told
    )


def _sentence(count: np.ndarray, expected: np.ndarray, verdict: np.ndarray, *, directed: bool, beyond: bool) -> str:
    k = len(count)
    if k < 2:
        return "With one class there is nothing to relate."
    if not beyond:
        return "How the single classes relate can't be told from chance."
    i, j = np.nonzero(~np.eye(k, dtype=bool)) if directed else np.triu_indices(k, 1)
    strongest = _strongest(count, expected, verdict, i, j, directed=directed)
    return f"{_within(np.diagonal(verdict))} {_between(verdict[i, j])} {strongest}"


def _within(own: np.ndarray) -> str:
    k, more, less = len(own), int((own == "attracts").sum()), int((own == "repels").sum())
    if k in (more, less):
        every = "Both" if k == 2 else f"All {k:,}"
        return f"{every} classes link {'more' if more else 'less'} within than chance would."
    if not more and not less:
        return "No class links clearly more or less within than chance would."
    parts = [
        f"{number:,} link{'s' if number == 1 else ''} {word}"
        for number, word in ((more, "more"), (less, "less"))
        if number
    ]
    return f"Of the {k:,} classes, {' and '.join(parts)} within than chance would."


def _between(verdicts: np.ndarray) -> str:
    p = len(verdicts)
    if p == 1:
        return f"{_ONE_PAIR[str(verdicts[0])]}."
    said = [
        f"{number:,} {verb if number > 1 else verb_of_one}"
        for name, (verb_of_one, verb) in _VERBS.items()
        if (number := int((verdicts == name).sum()))
    ]
    if not said:
        return f"None of the {p:,} pairs of classes attracts or repels."
    return f"Of the {p:,} pairs of classes, {', '.join(said)}."


_ONE_PAIR = {
    "attracts": "They attract each other",
    "repels": "Between them there are fewer links than chance would give",
    "neutral": "Between them there are about as many links as chance would give",
}
_VERBS = {
    "attracts": ("attracts", "attract"),
    "feeds": ("feeds one into the other", "feed one into the other"),
    "repels": ("links less than chance would", "link less than chance would"),
}


def _strongest(
    count: np.ndarray, expected: np.ndarray, verdict: np.ndarray, i: np.ndarray, j: np.ndarray, *, directed: bool
) -> str:
    """Name the pair with most links beyond what chance gives, of those that clearly have more; else the one with most links."""
    if not count[i, j].any():
        return "There is no link between any two classes."
    more = np.isin(verdict[i, j], ("attracts", "feeds")) & (count[i, j] > expected[i, j])
    beyond = np.where(more, count[i, j] - expected[i, j], -np.inf) if more.any() else count[i, j]
    most = int(np.argmax(beyond))
    a, b = int(i[most]), int(j[most])
    ratio = f", {count[a, b] / expected[a, b]:.2g} times what chance would give" if expected[a, b] else ""
    from_to = f"from class {a} to class {b}" if directed else f"between classes {a} and {b}"
    links = f"({count[a, b]:,.6g} {'link' if count[a, b] == 1 else 'links'}{ratio})"
    if not more.any():
        return f"Most links {'lead' if directed else 'are'} {from_to} {links}."
    return f"The strongest tie {'leads' if directed else 'is'} {from_to} {links}."
