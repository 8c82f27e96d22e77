"""The record of a network study: plain JSON values, with the sentences that every reader shows."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..graphs import to_scipy
from ..study.record import plain
from ._network_classes import METHODS
from ._network_drawing import MOST_CLASSES, draw_classes
from ._network_members import bridges, hubs
from ._network_profile import class_names
from ._network_quality import quality_lines
from ._network_settle import has_others

__all__ = ["MOST_MEMBERS", "network_record"]

MOST_MEMBERS = 50_000
MOST_DETAILED = 500  # classes with a line of their own in the record; the files of members and relations hold all
MOST_BRIDGES = 50


def network_record(study: Any, agreed: Mapping[str, float]) -> dict[str, Any]:
    """Return the record, but for steps, warnings and the truth.

    Parameters
    ----------
    study : NetworkStudy
    agreed : mapping
        Adjusted mutual information of each category with the classes.

    Returns
    -------
    dict
    """
    network, found, quality = study.network, study.found, study.quality
    classes = _classes(study)
    record = {
        "input": _input(study),
        "attributes": study.attributes.lines(agreed, found.compared),
        "chosen": {
            "method": METHODS[found.method],
            "params": found.params,
            "why": found.why,
            "contributions": contributions_of(found.estimator),
        },
        "structure": study.structure,
        "stability": {
            "runs": study.stability.runs,
            "agreement": study.stability.agreement,
            "sentence": study.stability.sentence,
        },
        "answer": _answer(study, classes),
        "n_classes": found.k,
        "classes": classes,
        "unplaced": {"nodes": int((study.labels < 0).sum()), "isolated": found.n_isolated},
        "relations": study.relations.record(MOST_CLASSES),
        "drawing": _drawing(study),
        "bridges": _bridges(study),
        "members": _members(study),
        "metrics": quality_lines(quality, study.stability.agreement),
        "directed": network.directed,
    }
    return plain(record)


def _input(study: Any) -> dict[str, Any]:
    network = study.network
    return {
        "name": network.name,
        "nodes": network.n_nodes,
        "links": network.n_edges,
        "listed": network.n_links,
        "self_loops": network.n_self_loops,
        "merged": network.n_merged,
        "mirrored": network.n_mirrored,
        "dropped": network.n_dropped,
        "isolated": study.found.n_isolated,
        "directed": network.directed,
        "weighted": network.weighted,
        "bytes": network.source_bytes,
    }


def contributions_of(estimator: Any) -> dict[str, float] | None:
    """Return how much links and attributes each contributed, where the estimator says so."""
    parts = getattr(estimator, "contributions_", None)
    return None if parts is None else {side: float(parts[side]) for side in ("links", "attributes")}


def name_of(study: Any, node: int) -> str:
    """Return what to call a node: its name where a column holds one, else its id."""
    shown = study.attributes.display
    return (shown[node] if shown else "") or study.network.names[node]


def _classes(study: Any) -> list[dict[str, Any]]:
    k, labels, quality = study.found.k, study.labels, study.quality
    # Of classes that link across, those who link most at all.
    first = hubs(study.members, labels, k, inside=quality.coverage >= 0.5)
    names, short = class_names(study.profile, [name_of(study, some[0]) if some else "" for some in first])
    shown = min(k, MOST_DETAILED)
    n = len(labels)
    found = []
    for i in range(shown):
        size, inside, leaving = int(quality.sizes[i]), float(quality.inside[i]), float(quality.leaving[i])
        ends = 2 * inside + leaving
        found.append(
            {
                "id": i,
                "name": names[i],
                "short": short[i],
                "nodes": size,
                "share": size / n,
                "weight_inside": inside,
                "weight_leaving": leaving,
                "inside_share": 2 * inside / ends if ends > 0 else None,
                "conductance": float(quality.conductance[i]),
                "hubs": [name_of(study, node) for node in first[i]],
                "features": study.profile[i],
                "color": i,
                "stability": study.stability.classes[i] if study.stability.classes else None,
            }
        )
    return found


def _answer(study: Any, classes: list[dict[str, Any]]) -> list[str]:
    network, k = study.network, study.found.k
    if k == 0:
        return [
            f"Nothing that holds together in the network of {network.n_nodes:,} nodes is as large as asked for, so there are no classes; lower --min-share."
            if has_others(to_scipy(network.graph)).any()
            else f"None of the {network.n_nodes:,} nodes has a link to another, so there are no classes."
        ]
    sentences = []
    if k > 1:
        largest, smallest = classes[0], int(study.quality.sizes.min())
        cut = study.structure["verdict"] == "none"
        sentences.append(
            f"The {network.n_nodes:,} nodes {'were cut' if cut else 'fall'} into {k:,} {'parts' if cut else 'classes'}. "
            f"The largest holds {largest['nodes']:,} nodes ({100 * largest['share']:.0f}%), the smallest {smallest:,}."
        )
    else:
        sentences.append(f"All {int(study.quality.sizes[0]):,} nodes with links form one class.")
    if study.quality.total > 0:
        sentences.append(f"{100 * study.quality.coverage:.0f}% of the links stay inside a class.")
    if study.structure["verdict"] == "clusters":
        sentences.append(study.structure["sentence"])
    if study.stability.runs:
        sentences.append(study.stability.sentence)
    if k > 1 and study.relations.sentence:
        sentences.append(study.relations.sentence)
    unplaced = int((study.labels < 0).sum())
    if unplaced:
        sentences.append(f"{unplaced:,} node{'s belong' if unplaced != 1 else ' belongs'} to no class.")
    return sentences


def _drawing(study: Any) -> dict[str, Any] | None:
    k = min(study.found.k, MOST_CLASSES)
    if k == 0:
        return None
    weight = study.relations.links[:k, :k]
    drawing = draw_classes(np.asarray(weight), study.quality.sizes[:k], directed=study.network.directed)
    drawing["classes_left_out"] = study.found.k - k
    for link in drawing["links"]:
        a, b = link["from"], link["to"]
        link["verdict"] = str(study.relations.verdict[a, b])
        link["ratio"] = float(np.exp2(study.relations.log_ratio[a, b]))
    return drawing


def _bridges(study: Any) -> list[dict[str, Any]]:
    found = bridges(study.members, study.labels, MOST_BRIDGES)
    return [{**one, "node": study.network.names[one["node"]], "shown": name_of(study, one["node"])} for one in found]


def _members(study: Any) -> dict[str, Any]:
    """Return columns, so that fifty thousand members stay small; where there are more, those with most links."""
    n = len(study.labels)
    members = study.members
    which = np.arange(n)
    if n > MOST_MEMBERS:
        which = np.sort(np.argsort(-members.links, kind="stable")[:MOST_MEMBERS])
    names, shown = study.network.names, study.attributes.display
    return {
        "total": n,
        "node": [names[i] for i in which.tolist()],
        "shown": [shown[i] for i in which.tolist()] if shown else None,
        "class": study.labels[which],
        "links": members.links[which],
        "strength": np.round(members.strength[which], 3),
        "participation": np.round(members.participation[which], 3),
        "next_class": members.next_class[which],
    }
