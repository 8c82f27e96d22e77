"""Read the links, and what is known of the nodes."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import InputError, ResourceError
from ..primitives.memory import free_bytes
from ..study.plan import readable_bytes

__all__ = ["read_network"]

_LEAST, _MOST = 1e-100, 1e100
# Measured: 1 million links between 100,000 nodes, both directions stored, take 470 MB at the peak of Leiden and the check.
_BYTES_A_LINK, _BYTES_A_NODE = 220, 600
# 4.8 million links with times, in 12 windows, take 2.3 GB at the peak, 0.8 GB more than without.
_BYTES_A_TIME = 170


def read_network(
    edges: Any,
    nodes: Any = None,
    *,
    directed: bool | None,
    columns: tuple[str | None, str | None, str | None, str | None],
    id_column: str | None,
    memory_limit: int | None,
) -> Any:
    """Return the network of a file of links, with a table of its nodes where one is given.

    Parameters
    ----------
    edges : path or Network
    nodes : path or Table, optional
    directed : bool or None
        None is what the file says.
    columns : (source, target, weight, time)
        Names of columns; None is found, "" is no time.
    id_column : str or None
        Column of ``nodes`` that names the node.
    memory_limit : int or None

    Returns
    -------
    Network

    Raises
    ------
    InputError
        If a file cannot be used, or there is nothing to cluster.
    ResourceError
        If it would not fit.
    """
    from .. import tables

    if hasattr(edges, "graph") and hasattr(edges, "names"):
        network = edges
    else:
        given = {
            name: value
            for name, value in zip(("source", "target", "weight", "time"), columns, strict=True)
            if value or (name == "time" and value is not None)
        }
        network = tables.read_graph(edges, directed=directed, memory_limit=memory_limit, **given)
    if nodes is not None:
        table = nodes if hasattr(nodes, "columns") else tables.read(nodes, memory_limit=memory_limit)
        network = tables.read_nodes(table, network, id_column=id_column)
    if network.n_nodes == 0:
        raise InputError(f"{network.name} has no nodes; there is nothing to group")
    _check_memory(network, memory_limit)
    return _within_reach(network)


def _check_memory(network: Any, memory_limit: int | None) -> None:
    """Refuse what would not fit, before anything is made of it."""
    links, nodes = len(network.graph.indices), network.n_nodes
    need = _BYTES_A_LINK * links + _BYTES_A_NODE * nodes
    need += 0 if network.timed is None else _BYTES_A_TIME * len(network.timed.times)
    limit = free_bytes() if memory_limit is None else memory_limit
    if need > limit:
        raise ResourceError(
            f"the classes of {nodes:,} nodes and {network.n_edges:,} links need about {readable_bytes(need)}, more than the "
            f"limit of {readable_bytes(limit)}; allow more with memory_limit, or give fewer links"
        )


def _within_reach(network: Any) -> Any:
    """Divide weights by a power of two where their sums or squares would leave what floating point can hold."""
    largest = float(network.graph.weights.max(initial=0.0))
    if largest == 0 or _LEAST < largest < _MOST:
        return network
    unit = 2.0 ** int(np.clip(np.frexp(largest)[1], -1021, 1022))
    graph = network.graph._replace(weights=network.graph.weights.astype(np.float64) / unit)
    note = f"weights are shown in units of {unit:.3g}, for they are as large or small as {largest:.3g}"
    return replace(network, graph=graph, notes=(*network.notes, note))
