"""What is known of the nodes of a network, from a table with a row for each."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Graph
from ..errors import InputError
from .cast import name_words
from .read import read
from .table import Column, Table, listing

if TYPE_CHECKING:
    from .graph_files import Network

__all__ = ["read_nodes"]

_ID_WORDS = ("id", "node", "name", "label", "key", "vertex", "user", "code")


def read_nodes(source: Any, network: "Network", *, id_column: str | None = None) -> "Network":
    r"""Give a network the attributes of its nodes, from a table with a row for each.

    Parameters
    ----------
    source : path, frame, Table or anything that `coterie.tables.read` takes
    network : Network
    id_column : str, optional
        The column that names the node; by default the one that names most, those called id, node, name or label first.

    Returns
    -------
    Network
        With a table of attributes, row i for node i. Nodes that only the table knows are added without links; nodes that it
        does not know have missing attributes. Both are counted in the notes.

    Raises
    ------
    InputError
        If a node stands in two rows, a row names none, or the table and the network have no node in common.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from coterie.tables import read_graph, read_nodes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "edges.csv"
    ...     _ = path.write_text("source,target\nann,bob\nbob,eve\n")
    ...     network = read_nodes({"id": ["bob", "ann", "eve"], "age": [31, 45, 28]}, read_graph(path))
    >>> network.names, network.nodes.column("age").values.tolist()
    (('ann', 'bob', 'eve'), [45.0, 31.0, 28.0])
    """
    table = read(source)
    number = {name: i for i, name in enumerate(network.names)}
    column = table.column(id_column) if id_column is not None else _id_column(table, number)
    ids = _names(column)
    _check(ids, number, column.name, table.name)
    new = [name for name in ids if name not in number]
    row_of = {name: row for row, name in enumerate(ids)}
    names = (*network.names, *new)
    rows = np.array([row_of.get(name, -1) for name in names], np.int64)
    unknown = int((rows < 0).sum())
    own = [one for one in table.columns if one is not column]
    kept = [one for one in network.nodes.columns if one.name not in {o.name for o in own}] if network.nodes else []
    before = np.concatenate([np.arange(len(network.names)), np.full(len(new), -1)])
    columns = (*(_at(one, before) for one in kept), *(_at(one, rows) for one in own))
    notes = [f"{column.name!r} of {table.name} names the nodes"]
    if new:
        notes.append(f"{len(new):,} nodes stand in {table.name} only and have no links, such as {new[0]!r}")
    if unknown:
        first = next(name for name in names if name not in row_of)
        notes.append(f"{unknown:,} nodes are not in {table.name}, such as {first!r}: their attributes are missing")
    return replace(
        network,
        graph=_with_isolated(network.graph, len(new)),
        names=names,
        nodes=Table(table.name, columns, len(names), table.notes, table.source_bytes) if columns else None,
        notes=(*network.notes, *notes),
    )


def _id_column(table: Table, number: dict[str, int]) -> Column:
    """Choose the column that names most nodes; among columns called id and the like, if any of them names one."""
    likely = [column for column in table.columns if set(name_words(column.name)) & set(_ID_WORDS)]
    likely = list(dict.fromkeys([*likely, *table.columns[:1]]))
    best, matched = None, 0
    for columns in (likely, table.columns):
        for column in columns:
            found = sum(name in number for name in set(_names(column)))
            if found > matched:
                best, matched = column, found
        if best is not None:
            return best
    example = next(iter(number), "")
    raise InputError(
        f"no column of {table.name} names a node of the network, such as {example!r}; there are {listing(table.names)}: "
        "say which by id_column, and check that both files spell the nodes the same"
    )


def _names(column: Column) -> list[str]:
    if column.kind == "number":
        return ["" if value != value else _number_name(value) for value in column.values.tolist()]
    return [
        "" if gone else str(value).strip() for value, gone in zip(column.values, column.missing.tolist(), strict=True)
    ]


def _number_name(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _check(ids: list[str], number: dict[str, int], column: str, table: str) -> None:
    seen: dict[str, int] = {}
    for row, name in enumerate(ids):
        if not name:
            raise InputError(
                f"row {row + 1:,} of {table} has no value in {column!r}, which names the nodes; fill it in"
            )
        if name in seen:
            raise InputError(
                f"the node {name!r} stands in rows {seen[name] + 1:,} and {row + 1:,} of {table}; a node may have one row only"
            )
        seen[name] = row
    if not any(name in number for name in ids):
        raise InputError(
            f"no value of {column!r} in {table}, such as {ids[0]!r}, is a node of the network, such as {next(iter(number))!r}; "
            "name the right column by id_column"
        )


def _at(column: Column, rows: np.ndarray) -> Column:
    """Return the column at ``rows``; missing at -1."""
    missing = {"number": np.nan, "date": np.datetime64("NaT"), "text": None}[column.kind]
    values = column.values[np.maximum(rows, 0)].copy()
    values[rows < 0] = missing
    return replace(column, values=values)


def _with_isolated(graph: Graph, n_new: int) -> Graph:
    if not n_new:
        return graph
    return graph._replace(indptr=np.concatenate([graph.indptr, np.full(n_new, graph.indptr[-1])]))
