"""Social networks: which classes the nodes form, how the classes relate, who joins them, and what their members share.

The steps: read the links and what is known of the nodes; choose a method and run it; settle small classes; check against
networks linked at random, and by leaving links out; count the relations between classes; describe the classes by their members' attributes. Every step
is timed, told once, and leaves its part in the record, a dict of plain JSON values that the report is made of.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph
from ..graphs import to_scipy, undirected
from ..study.plan import parse_bytes
from ..study.record import plain
from ..study.steps import Diary, Step
from ._network_check import agreement, examine
from ._network_classes import METHODS, Found, find_classes
from ._network_input import read_network
from ._network_members import Members, members_of
from ._network_nodes import NodeAttributes, attributes_of, compare
from ._network_profile import profile_of
from ._network_quality import Quality, quality_of
from ._network_record import name_of, network_record
from ._network_relations import ClassRelations, relations_of
from ._network_stability import Stability, stability_of
from ._network_time import OverTime, over_time
from ._network_time_record import time_metrics, time_record, time_sentences, time_warnings
from ._network_warnings import network_warnings

__all__ = ["NetworkStudy", "study_network"]

# Links up to which the automatic choice also tries the block model, which takes much longer than Leiden.
MOST_BLOCK_LINKS = 30_000


class NetworkStudy(NamedTuple):
    """A finished study of a network.

    Attributes
    ----------
    network : Network
        As read, with what is known of the nodes.
    found : Found
        The method, its fitted estimator, and what it found.
    attributes : NodeAttributes
        What the columns of the nodes are for, and names to show for the nodes.
    members : Members
        Strength, participation and more of each node.
    relations : ClassRelations
        (k, k) arrays.
    profile : list of k lists of dict
        What sets each class apart.
    quality : Quality
        Modularity, and cut and conductance of each class.
    structure : dict
        Whether there are classes at all.
    stability : Stability
        Whether they come back without some of the links.
    labels : (n,) int64 array
        Class of each node, 0 the largest; -1 none.
    record : dict
        Everything of use to a reader as plain JSON values (the body of ``run.json``).
    time : OverTime or None
        How the classes change, where links have times.
    """

    network: Any
    found: Found
    attributes: NodeAttributes
    members: Members
    relations: ClassRelations
    profile: list[list[dict[str, Any]]]
    quality: Quality
    structure: dict[str, Any]
    stability: Stability
    labels: np.ndarray
    record: dict[str, Any]
    time: OverTime | None = None


def study_network(
    edges: Any,
    nodes: Any = None,
    *,
    method: str = "auto",
    n_clusters: int | None = None,
    resolution: float | None = None,
    objective: str | None = None,
    imbalance: float | None = None,
    directed: bool | None = None,
    null: str = "auto",
    source: str | None = None,
    target: str | None = None,
    weight: str | None = None,
    time: str | None = None,
    windows: int | str | None = None,
    id_column: str | None = None,
    min_share: float | None = None,
    roles: Mapping[str, str] | None = None,
    truth: str | None = None,
    memory_limit: int | str | None = None,
    seed: int = 0,
    on_step: Callable[[Step], None] | None = None,
) -> NetworkStudy:
    """Find the classes of a network, how they relate, who joins them, and what their members share.

    Parameters
    ----------
    edges : path or Network
        A file of links, or what `coterie.tables.read_graph` made of one.
    nodes : path or Table, optional
        A table with a line for each node.
    method : str, default="auto"
        "leiden", "louvain", "balanced_cut", "block_model", "spectral", "attributed", or "auto": leiden, and the block model
        where its classes are no more than chance; with ``n_clusters``, attributed where ``nodes`` has attributes that can be
        compared, else spectral.
    n_clusters : int, optional
        Number of classes; None lets the method find it.
    resolution, objective, imbalance : optional
        Parameters of the method; see the estimators.
    directed : bool, optional
        Whether links have a direction; None is what the file says.
    null : {"auto", "degrees", "sizes"}, default="auto"
        What is expected of the links between classes; see `coterie.graph.relations`.
    source, target, weight : str, optional
        Columns of the file of links.
    time : str, optional
        Column of the file of links that says when each was made. By default one that is called time, date or the like; "" takes none.
    windows : int or str, optional
        How many windows time is cut into, or how long each is: "1mo", "2w", "1d". By default as many as have enough links, in whole
        units of the calendar where the span allows.
    id_column : str, optional
        Column of ``nodes`` that names the node.
    min_share : float, optional
        Smallest share of the nodes that a class may have; a smaller one joins its nearest.
    roles : mapping, optional
        What columns of ``nodes`` are: {"zip": "category", "remark": "ignored"}.
    truth : str, optional
        A column of known classes: kept out, compared with the result.
    memory_limit : int or str, optional
        Bytes that reading may take.
    seed : int, default=0
    on_step : callable, optional
        Told of each finished step.

    Returns
    -------
    NetworkStudy

    Raises
    ------
    InputError
        If the files or an option cannot be used.
    ResourceError
        If the method would need more memory than there is.
    """
    options = {"n_clusters": n_clusters, "resolution": resolution, "objective": objective, "imbalance": imbalance}
    diary = Diary(on_step)
    with diary.step("read"):
        network = read_network(
            edges,
            nodes,
            directed=directed,
            columns=(source, target, weight, time),
            id_column=id_column,
            memory_limit=parse_bytes(memory_limit),
        )
        diary.text = _read_text(network)
    with diary.step("nodes"):
        attributes = attributes_of(network.nodes, roles=roles, truth=truth)
        diary.text = _nodes_text(attributes)
    one_way = undirected(network.graph)
    both_ways = to_scipy(one_way)
    with diary.step("classes"):
        found = find_classes(
            method, network, one_way, attributes, options,
            given_nodes=nodes is not None, roles=roles or {}, min_share=min_share, seed=seed,
        )  # fmt: skip
        diary.text = _classes_text(found)
    with diary.step("check"):
        quality = quality_of(both_ways, found.labels, found.k)
        structure = examine(found, quality, one_way, seed)
        if method == "auto" and found.method == "leiden" and not found.params and structure["verdict"] == "none":
            before = found
            found, quality, structure = _otherwise(found, quality, structure, network, one_way, min_share, seed)
            diary.text = (
                "" if found is before else "Leiden's classes are no more than chance. " + _classes_text(found) + ". "
            )
        diary.text += structure["sentence"]
    with diary.step("stability"):
        compared = attributes.without(set(found.left_out), roles or {}).X if found.left_out else attributes.X
        stability = stability_of(found, network, one_way, compared, min_share, seed)
        diary.text = stability.sentence
    with diary.step("relations"):
        members = members_of(both_ways, found.labels, found.k)
        relations = relations_of(
            network.graph, found.labels, found.k,
            directed=network.directed, checked=structure["verdict"] == "clusters", null=null,
        )  # fmt: skip
        diary.text = relations.sentence
    with diary.step("profile"):
        profile = profile_of(attributes.views, found.labels, found.k, attributes.bags)
        agreed = agreement(attributes.views, found.labels)
        diary.text = _profile_text(profile, attributes)
    through = None
    if network.timed is not None or windows is not None:
        with diary.step("time"):
            through = over_time(network, found, windows, seed)
            diary.text = _time_text(through)
    study = NetworkStudy(
        network, found, attributes, members, relations, profile, quality, structure, stability,
        found.labels, {},
    )  # fmt: skip
    record = network_record(study, agreed)
    record["truth"] = None if truth is None else compare(network.nodes, truth, found.labels)
    record["warnings"], record["notes"] = network_warnings(study, agreed, resolution)
    if through is not None:
        record["time"] = _told_of_time(study, through, record)
    record["steps"] = [step.plain() for step in diary.steps]
    return study._replace(record=record, time=through)


def _told_of_time(study: NetworkStudy, through: OverTime, record: dict[str, Any]) -> dict[str, Any]:
    """Return what the record says of time, and add to its answer and warnings."""
    names = [one["name"] for one in record["classes"]]
    told = plain(time_record(through, names, lambda node: name_of(study, node), study.network.names))
    record["answer"] += time_sentences(told)
    record["metrics"] += time_metrics(told)
    record["warnings"] += time_warnings(told)
    return told


def _otherwise(
    found: Found, quality: Quality, structure: dict, network: Any, one_way: Graph, min_share: float | None, seed: int
):
    """Where links do not gather within classes, look for classes that link alike; keep them where they say more than chance."""
    if network.n_edges > MOST_BLOCK_LINKS:
        return found, quality, structure
    nothing = dict.fromkeys(("n_clusters", "resolution", "objective", "imbalance"))
    other = find_classes(
        "block_model", network, one_way, NodeAttributes(), nothing,
        given_nodes=False, roles={}, min_share=min_share, seed=seed,
    )  # fmt: skip
    if other.k < 2:
        return found, quality, structure
    why = "links do not gather within classes more than chance would have it, but there are classes of nodes that link alike"
    other = other._replace(why=why)
    its_quality = quality_of(to_scipy(one_way), other.labels, other.k)
    return other, its_quality, examine(other, its_quality, one_way, seed)


def _read_text(network: Any) -> str:
    kind = "directed" if network.directed else "undirected"
    weights = ", weighted" if network.weighted else ""
    return f"{network.n_edges:,} links between {network.n_nodes:,} nodes from {network.name}, {kind}{weights}"


def _nodes_text(attributes: NodeAttributes) -> str:
    if attributes.table is None:
        return "nothing but the links is known of the nodes"
    n = len(attributes.codings)
    used = sum(one.used for one in attributes.codings)
    named = f", named by {attributes.display_column}" if attributes.display_column else ""
    return f"{used} of {n} attribute{'s' if n != 1 else ''} of use{named}"


def _classes_text(found: Found) -> str:
    said = " ".join(found.actions)
    classes = f"{found.k:,} class{'es' if found.k != 1 else ''}"
    return f"{METHODS[found.method]} found {classes}" + (f". {said}" if said else "")


def _time_text(through: OverTime | None) -> str:
    if through is None:
        return "too few links or times to cut into windows"
    moved = sum(one.moved for one in through.transitions)
    nodes = f"{moved:,} change{'s' if moved != 1 else ''} of class" if moved else "nobody clearly changed class"
    n_events = sum(one.window > 0 for one in through.events)
    events = f", {n_events} of classes" if n_events else ""
    return f"{len(through.slices)} windows, {through.windows.words}: {nodes}{events}"


def _profile_text(profile: list[list[dict[str, Any]]], attributes: NodeAttributes) -> str:
    if not (attributes.views or attributes.bags):
        return "no attributes to describe the classes by"
    told = sum(bool(features) for features in profile)
    return f"{told} of {len(profile)} class{'es' if len(profile) != 1 else ''} set apart by their attributes"
