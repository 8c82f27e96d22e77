"""The main job: from data to an `Analysis`, and from there to a folder of results."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..errors import InputError
from . import folder as folders
from .labels import write_labels
from .listing import write_listing
from .pages import page_of
from .record import dumps, finished, without_credentials
from .text import text
from .webpage import html
from .words import counted

__all__ = ["Analysis", "Folder", "Steps", "run"]


_FILES = {"model": "model.coterie", "record": "run.json", "report": "report.html"}


class Folder(NamedTuple):
    """Where the results of one analysis lie."""

    path: Path
    labels: Path
    model: Path
    record: Path
    report: Path
    listing: Path | None = None


class ReadStep(NamedTuple):
    """The first step of a run: what was read, and how long that took."""

    name: str
    text: str
    seconds: float


class Steps:
    """Collects the steps of a run, and tells the caller about each."""

    def __init__(self, on_step: Callable[[Any], None] | None):
        self.all: list[Any] = []
        self._on_step = on_step

    def keep(self, step: Any) -> None:
        """Take a step that has ended."""
        self.all.append(step)
        if self._on_step is not None:
            self._on_step(step)

    def read(self, text: str, began: float) -> None:
        """Take the first step, which began at a time of `time.perf_counter`."""
        self.keep(ReadStep("read", text, time.perf_counter() - began))

    def plain(self) -> list[dict[str, Any]]:
        """Return all of them for the record."""
        return [{"name": step.name, "text": step.text, "seconds": step.seconds} for step in self.all]


@dataclass(frozen=True, repr=False)
class Analysis:
    """One finished analysis: the labels, the model that gave them, and the record that explains them.

    Attributes
    ----------
    record : dict
        What ``run.json`` holds; its fields are documented in ``coterie/report/schema/run-1.json``.
    labels : (n,) int64 array
        Cluster of every row, 0 the largest; -1 fits no cluster.
    strengths : (n,) float64 array
        How firmly each row belongs to its cluster, 0 to 1.
    outlier_scores : (n,) float64 array
        How unusual each row is; higher is more unusual.
    table : Table
        The data as read.
    estimator : estimator
        The fitted algorithm.
    prepared : Prepared
        How the table became numbers.
    label_map : (k,) int64 array or None
        From the estimator's labels to the final ones.
    listing : Listing or None
        Representatives, or unusual rows, where these are the purpose.
    """

    record: dict[str, Any]
    labels: np.ndarray
    strengths: np.ndarray
    outlier_scores: np.ndarray
    table: Any
    estimator: Any
    prepared: Any = None
    label_map: np.ndarray | None = None
    listing: Any = None
    _cache: dict[str, Any] = field(default_factory=dict, compare=False)
    _FORMATS: ClassVar[tuple[str, ...]] = ("csv", "parquet")  # of the labels, first what they have by default
    _LABELS: ClassVar = "labels"
    _NEW: ClassVar = "new.csv"  # what new rows may be called

    @property
    def labels_new_rows(self) -> bool:
        """Whether the saved model can label new rows."""
        return True

    def to_text(self, width: int = 100) -> str:
        """Return the summary that the terminal shows."""
        return text(self.record, width=width)

    def to_html(self) -> str:
        """Return the report: one page that needs nothing but a browser."""
        return html(self.record)

    def predict(self, data: Any) -> np.ndarray:
        """Return the cluster of every row of ``data``, -1 where it fits none.

        Parameters
        ----------
        data : table, frame, array or path
            New rows with the columns of the analysed table, in any order.

        Returns
        -------
        (n,) int64 array
        """
        from .. import tables

        new = tables.read(data)
        found = np.asarray(self.estimator.predict(self.prepared.transform(new)), dtype=np.int64)
        if self.label_map is None:
            return found
        final = np.append(np.asarray(self.label_map, dtype=np.int64), -1)
        return final[found]

    def save_model(self, path: str | os.PathLike) -> None:
        """Write the model to ``path``; `coterie.load` reads it back without running any code from it."""
        from .. import models

        models.save(self.estimator, path, prepared=self.prepared, label_map=self.label_map, card=self._card())

    def write(
        self,
        folder: str | os.PathLike,
        *,
        force: bool = False,
        report: bool = True,
        labels_format: str | None = None,
        excel_safe: bool = False,
        input_path: str | os.PathLike | None = None,
    ) -> Folder:
        """Write labels, model, record and report into ``folder``: all of them, or nothing.

        Parameters
        ----------
        folder : str or path-like
            Created, or, where it holds an earlier analysis, replaced in one step. Other files in it are kept.
        force : bool, default=False
            Write even into a folder that holds other things but no earlier analysis.
        report : bool, default=True
            Write the page; it can be made later from the record by `render`.
        labels_format : {"csv", "parquet", "npy"}, optional
            Kind of the label file. By default "csv"; "parquet" where rows were worked on block by block, which alone can be "npy".
        excel_safe : bool, default=False
            Defuse ids that a spreadsheet would take for a formula.
        input_path : str or path-like, optional
            The file analysed, to name it in the suggestions for what to do next.

        Returns
        -------
        Folder
            Paths of what was written; ``report`` is where the page would stand where it was not asked for; ``listing`` is None where
            the purpose lists no rows.

        Raises
        ------
        OutputError
            If the folder cannot be written; what stood there before still stands, whole.
        """
        target = folders.check_target(folder, force=force)
        labels_format = labels_format or self._FORMATS[0]
        listed = {} if self.listing is None else {"listing": self.listing.file}
        names = {"labels": self._labels_file(labels_format), **_FILES, **listed}
        written = names if report else {kind: name for kind, name in names.items() if kind != "report"}
        roles = {"labels": self._LABELS, "listing": listed.get("listing", "").partition(".")[0]}
        files = {roles.get(kind, kind): name for kind, name in written.items()}
        record = {**self.record, "files": files, "next": self._next(Path(folder), written, input_path)}
        writers: dict[str, Callable[[Path], object]] = {
            "labels": lambda path: self._write_labels(path, labels_format, excel_safe),
            "model": self.save_model,
            "record": lambda path: path.write_text(dumps(record), encoding="utf-8", newline="\n"),
            "report": lambda path: path.write_text(page_of(record), encoding="utf-8", newline="\n"),
            "listing": lambda path: write_listing(path, self.listing, self.table, excel_safe=excel_safe),
        }
        folders.write_folder(target, {name: writers[kind] for kind, name in written.items()}, force=force)
        return Folder(target, *(target / name for name in names.values()))

    def _labels_file(self, labels_format: str) -> str:
        """Return the name of the file of labels, if there is such a format."""
        if labels_format not in self._FORMATS:
            known = ", ".join(map(repr, self._FORMATS))
            raise InputError(f"labels_format must be one of {known}, got {labels_format!r}")
        return f"{self._LABELS}.{labels_format}"

    def _next(self, folder: Path, names: Mapping[str, str], input_path: str | os.PathLike | None) -> list[str]:
        """Return commands that make sense from here."""
        new = self._NEW if input_path is None else os.path.basename(os.path.normpath(os.fspath(input_path)))
        look = [f"open {_quoted(folder / names['report'])}"] if "report" in names else []
        label = [f"coterie predict {_quoted(folder / names['model'])} {_quoted(new)}"] if self.labels_new_rows else []
        return [*look, *label]

    def _write_labels(self, path: Path, labels_format: str, excel_safe: bool) -> None:
        name, ids = self._ids()
        write_labels(
            path,
            self.labels,
            self.strengths,
            self.outlier_scores,
            ids=ids,
            id_name=name,
            excel_safe=excel_safe,
            file_format=labels_format,
        )

    def _ids(self) -> tuple[str, Any]:
        for entry in self.record.get("columns") or ():
            if entry.get("role") == "id":
                return entry["name"], self.table.column(entry["name"]).values
        return "id", None

    def _card(self) -> dict[str, Any]:
        record = self.record
        return {
            "created": record["created"],
            "versions": record["versions"],
            "seed": record["seed"],
            "n_rows": record["input"]["rows"],
            "fingerprint": record["input"]["fingerprint"],
            "names": [cluster["name"] for cluster in record["clusters"]],
            "groups": self._landmarks(),
        }

    def _landmarks(self) -> dict[str, Any] | None:
        """Return what the model keeps of its groups, so that it can explain rows."""
        from ..study.landmarks import landmarks

        return landmarks(self.table, self.prepared, self.prepared.X, self.labels, len(self.record["clusters"]))

    def __repr__(self) -> str:
        groups, rows = len(self.record["clusters"]), self.record["input"]["rows"]
        return f"<Analysis of {self.record['input']['name']}: {groups} clusters in {rows:,} rows>"

    def _repr_html_(self) -> str:
        from .notebook import summary

        return summary(self.record)


def run(
    data: Any,
    *,
    query: str | None = None,
    memory_limit: int | str | None = None,
    cluster: str | None = None,
    on_step: Callable[[Any], None] | None = None,
    **options: Any,
) -> Analysis:
    """Find the clusters in a table, or in pictures, and explain them: the main job, in one call.

    Parameters
    ----------
    data : path, frame, array, dict, database URL or Table
        Anything `coterie.tables.read` understands; a folder of ``.parquet`` files, a pattern such as ``"data/*.parquet"``, a list
        of such, or `coterie.tables.RowFiles`; or a folder of pictures, or an ``.npy`` or ``.npz`` file of them. Files of rows that
        do not fit into memory are worked on block by block.
    query : str, optional
        SQL to run where ``data`` is a database.
    memory_limit : int or str, optional
        Bytes, or a size such as "2GB", that may be used; a plan that would need more is refused before it runs.
    cluster : str, optional
        Work on files of rows block by block, on the workers of the scheduler of Dask at ``tcp://host:port`` or ``tls://host:port``;
        "local" starts a process for each core.
    on_step : callable, optional
        Called with each step (``name``, ``text``, ``seconds``) as it ends.
    **options
        ``purpose="natural"`` (or "reduce", "useful", "outliers"), ``method="auto"``, ``n_clusters``, ``params``, ``roles``,
        ``min_share``, ``time_limit``, ``seed=0``, ``sample="auto"``, ``truth``, ``text_model``, ``on_progress``: see `coterie.study.study`. For
        pictures ``method="auto"``, ``n_clusters``, ``encoder``, ``array``, ``size=32``, ``min_share``, ``time_limit``, ``seed=0``,
        ``truth``: see `coterie.applications.study_pictures`.

    Returns
    -------
    Analysis
        Labels, model and explanation; ``.write(folder)`` puts them on the disk.

    Raises
    ------
    InputError
        If the data or an option cannot be used.
    ResourceError
        If no plan fits in ``memory_limit``.
    ClusterError
        If the scheduler or its workers cannot be reached, or are lost.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> data = {"age": rng.normal([20, 60], 2, (50, 2)).ravel(), "visits": rng.normal([9, 2], 0.5, (50, 2)).ravel()}
    >>> found = run(data, method="KMeans", n_clusters=2)
    >>> found
    <Analysis of table: 2 clusters in 100 rows>
    >>> print(found.to_text().splitlines()[0])
    table: 2 groups in 100 rows
    """
    from .. import study, tables
    from ..study.plan import parse_bytes

    if options.get("purpose") == "natural":  # what is done anyway, also where no purpose can be given
        del options["purpose"]
    if tables.holds_pictures(data):
        from .pictures import pictures

        return pictures(data, query=query, memory_limit=memory_limit, on_step=on_step, **options)
    from .blocks import block_source, run_blocks

    limit = None if memory_limit is None else parse_bytes(memory_limit)
    blocks = block_source(data, options.get("method", "auto"), options.get("n_clusters"), limit, cluster)
    if blocks is not None:
        source, why = blocks
        given = {"query": query, **options}
        return run_blocks(source, why=why, cluster=cluster, memory_limit=limit, on_step=on_step, **given)
    if options.get("text_model") is not None:
        options["text_model"] = tables.text_model(options["text_model"])
    steps, began = Steps(on_step), time.perf_counter()
    table = tables.read(data, query=query, memory_limit=limit)
    size = f"{counted(table.n_rows, 'row')} and {counted(len(table.columns), 'column')}"
    steps.read(f"{size} from {without_credentials(table.name)}", began)
    found = study.study(table, memory_limit=memory_limit, on_step=steps.keep, **options)
    # The study may add to the text of a step after it was announced.
    told = [*steps.plain()[:1], *(found.record.get("steps") or steps.plain()[1:])]
    given = {"query": query, "memory_limit": memory_limit, **options}
    return Analysis(
        record=finished(found.record, _input(found.table), given, steps=told),
        labels=found.labels,
        strengths=found.strengths,
        outlier_scores=found.outlier_scores,
        table=found.table,
        estimator=found.estimator,
        prepared=found.prepared,
        label_map=getattr(found, "label_map", None),
        listing=found.listing,
    )


def _input(table: Any) -> dict[str, Any]:
    return {
        "name": without_credentials(table.name),
        "rows": table.n_rows,
        "columns": len(table.columns),
        "bytes": table.source_bytes,
        "fingerprint": table.fingerprint(),
        "notes": list(table.notes),
    }


def _quoted(path: str | os.PathLike) -> str:
    import shlex

    return shlex.quote(os.fspath(path))
