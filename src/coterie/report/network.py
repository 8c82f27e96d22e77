"""The network job: from files of links and nodes to a `NetworkAnalysis`, and from there to a folder of results."""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import folder as folders
from .cells import cell, field, number, plain_text, write_rows, write_text
from .network_page import network_html
from .network_text import network_text
from .network_time import write_migration, write_movers
from .record import NETWORK, check, clean, dumps, now, versions

__all__ = ["FILES", "NetworkAnalysis", "network"]

FILES = {
    "members": "members.csv",
    "relations": "relations.csv",
    "profile": "profile.csv",
    "migration": "migration.csv",
    "movers": "movers.csv",
    "metrics": "metrics.json",
    "graph": "graph.graphml",
    "model": "model.coterie",
    "record": "run.json",
    "report": "report.html",
}
# Only where links have times.
_OF_TIME = {"migration", "movers"}
_BLOCK = 100_000


@dataclass(frozen=True, repr=False)
class NetworkAnalysis:
    """One finished analysis of a network.

    Attributes
    ----------
    record : dict
        What ``run.json`` holds; its fields are documented in ``coterie/report/schema/network-1.json``.
    study : NetworkStudy
        The network, the fitted estimator, members, relations and profile.
    """

    record: dict[str, Any]
    study: Any

    @property
    def labels(self) -> np.ndarray:
        """(n,) int64: class of each node, 0 the largest; -1 none."""
        return self.study.labels

    def to_text(self, width: int = 100) -> str:
        """Return the summary that the terminal shows."""
        return network_text(self.record, width=width)

    def to_html(self) -> str:
        """Return the report: one page that needs nothing but a browser."""
        return network_html(self.record)

    def write(
        self, folder: str | os.PathLike, *, force: bool = False, report: bool = True, excel_safe: bool = False
    ) -> dict[str, Path]:
        """Write members, relations, profile, metrics, GraphML, model, record and report into ``folder``: all of them, or nothing.

        Where links have times, also who moved from which class to which.

        Parameters
        ----------
        folder : str or path-like
            Created, or, where it holds an earlier analysis, replaced in one step. Other files in it are kept.
        force : bool, default=False
            Write even into a folder that holds other things but no earlier analysis.
        report : bool, default=True
            Write the page; it can be made later from the record by `render`.
        excel_safe : bool, default=False
            Defuse names that a spreadsheet would take for a formula.

        Returns
        -------
        dict of str to Path
            What was written, by kind.

        Raises
        ------
        OutputError
            If the folder cannot be written; what stood there before still stands, whole.
        """
        target = folders.check_target(folder, force=force)
        without = (set() if report else {"report"}) | (_OF_TIME if self.study.time is None else set())
        files = {kind: name for kind, name in FILES.items() if kind not in without}
        record = {**self.record, "files": files, "next": self.steps_from(folder, report=report)}
        writers: dict[str, Callable[[Path], object]] = {
            "members": lambda path: self._write_members(path, excel_safe),
            "relations": self._write_relations,
            "profile": lambda path: self._write_profile(path, excel_safe),
            "migration": lambda path: write_migration(path, self.study),
            "movers": lambda path: write_movers(path, self.study, excel_safe=excel_safe),
            "metrics": lambda path: write_text(path, dumps(_metrics(record))),
            "graph": self._write_graph,
            "model": self._write_model,
            "record": lambda path: write_text(path, dumps(record)),
            "report": lambda path: write_text(path, network_html(record)),
        }
        folders.write_folder(target, {name: writers[kind] for kind, name in files.items()}, force=force)
        return {kind: target / name for kind, name in files.items()}

    def steps_from(self, folder: str | os.PathLike, *, report: bool = True) -> list[str]:
        """Return the commands that make sense once the results are in ``folder``."""
        return [f"open {shlex.quote(os.fspath(Path(folder) / FILES['report']))}"] if report else []

    def _write_members(self, path: Path, excel_safe: bool) -> None:
        study = self.study
        shown = study.attributes.display
        header = ["node", *(["name"] if shown else []), "class", "strength", "links", "weight", "participation"]
        write_rows(path, [*header, "next_class"], self._member_rows(shown, excel_safe))

    def _member_rows(self, shown: tuple[str, ...] | None, excel_safe: bool) -> Iterator[tuple[str, ...]]:
        study, members = self.study, self.study.members
        for start in range(0, len(study.labels), _BLOCK):
            part = slice(start, start + _BLOCK)
            texts = [study.network.names[part], *([shown[part]] if shown else [])]
            columns = [[field(plain_text(value, excel_safe)) for value in values] for values in texts]
            columns += [
                [str(value) for value in study.labels[part].tolist()],
                [number(value) for value in members.strength[part].tolist()],
                [str(value) for value in members.links[part].tolist()],
                [number(value) for value in members.weight[part].tolist()],
                [number(value) for value in members.participation[part].tolist()],
                ["" if value < 0 else str(value) for value in members.next_class[part].tolist()],
            ]
            yield from zip(*columns, strict=True)

    def _write_relations(self, path: Path) -> None:
        header = ("from", "to", "links", "expected", "log2_ratio", "z", "verdict", "verdict_by_size")
        rows = (
            (str(a), str(b), *(number(value) for value in values), verdict, by_size)
            for a, b, *values, verdict, by_size in self.study.relations.lines()
        )
        write_rows(path, header, rows)

    def _write_profile(self, path: Path, excel_safe: bool) -> None:
        header = ("class", "attribute", "kind", "value", "here", "elsewhere", "overall", "lift", "effect", "z")
        rows = (
            (
                str(i),
                *(cell(one[name], excel_safe, 6) for name in ("column", "kind", "value")),
                *(cell(one[name], excel_safe, 6) for name in ("here", "elsewhere", "overall", "lift", "effect", "z")),
            )
            for i, features in enumerate(self.study.profile)
            for one in features
        )
        write_rows(path, header, rows)

    def _write_model(self, path: Path) -> None:
        from .. import models, tables

        study = self.study
        directed = study.network.directed and study.found.method == "block_model"
        said = {
            kind: self.record["options"][kind]
            for kind in ("source", "target", "weight")
            if kind in self.record["options"]
        }
        coding = tables.NodeCoding(study.network.names, directed, said)
        own, first = np.unique(np.asarray(study.found.estimator.labels_), return_index=True)
        final = np.full(int(own.max(initial=-1)) + 1, -1, np.int64)
        final[own[own >= 0]] = self.labels[first[own >= 0]]
        models.save(study.found.estimator, path, prepared=coding, label_map=final)

    def _write_graph(self, path: Path) -> None:
        from .. import tables

        study, members = self.study, self.study.members
        attributes: dict[str, Any] = {} if study.network.nodes is None else _columns(study.network.nodes)
        attributes |= {"class": study.labels, "strength": members.strength, "participation": members.participation}
        tables.write_graphml(
            path, study.network.graph, study.network.names, attributes, directed=study.network.directed
        )

    def __repr__(self) -> str:
        source = self.record["input"]
        return f"<NetworkAnalysis of {source['name']}: {self.record['n_classes']} classes of {source['nodes']:,} nodes>"


def network(
    edges: Any, nodes: Any = None, *, on_step: Callable[[Any], None] | None = None, **options: Any
) -> NetworkAnalysis:
    r"""Find the classes of a network, how they relate, who joins them and what their members share: in one call.

    Parameters
    ----------
    edges : path or Network
        A file of links: an edge list as CSV or Parquet, GML, GraphML, METIS, Matrix Market.
    nodes : path or Table, optional
        A table with a line for each node.
    on_step : callable, optional
        Called with each step (``name``, ``text``, ``seconds``) as it ends.
    **options
        See `coterie.applications.study_network`.

    Returns
    -------
    NetworkAnalysis
        ``.write(folder)`` puts it on the disk.

    Raises
    ------
    InputError
        If a file or an option cannot be used.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "friends.csv"
    >>> _ = path.write_text("source,target\na,b\nb,c\nc,a\nd,e\ne,f\nf,d\na,d\n")
    >>> found = network(path, method="leiden")
    >>> found, found.labels
    (<NetworkAnalysis of friends.csv: 2 classes of 6 nodes>, array([0, 0, 0, 1, 1, 1]))
    >>> folder.cleanup()
    """
    from .. import __version__
    from ..applications import study_network

    study = study_network(edges, nodes, on_step=on_step, **options)
    defaults = {"seed": 0, "method": "auto"}
    given = {key: value for key, value in options.items() if value not in (None, (), {}, defaults.get(key))}
    nodes_name = Path(nodes).name if isinstance(nodes, str | os.PathLike) else getattr(nodes, "name", None)
    head = {
        "schema": NETWORK,
        "coterie": __version__,
        "created": now(),
        "seed": int(options.get("seed") or 0),
        "versions": versions(),
        "input": {**study.record["input"], "nodes_file": nodes_name},
        "options": given,
    }
    record = clean({**head, **{key: value for key, value in study.record.items() if key not in head}})
    check(record, schema=NETWORK)
    return NetworkAnalysis(record, study)


def _metrics(record: Mapping[str, Any]) -> dict[str, Any]:
    classes = [
        {name: one[name] for name in ("id", "name", "nodes", "weight_inside", "weight_leaving", "conductance")}
        for one in record["classes"]
    ]
    return {"schema": "coterie.network-metrics/1", "metrics": record["metrics"], "classes": classes}


def _columns(table: Any) -> dict[str, Any]:
    # A column of the file that is called as one of ours keeps its values under another name.
    ours = {"class", "strength", "participation"}
    return {(f"{one.name} (input)" if one.name in ours else one.name): one.values for one in table.columns}
