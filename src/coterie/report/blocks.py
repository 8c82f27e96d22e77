"""The main job on files of rows that are worked on block by block: an analysis whose labels are never all in memory."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..catalog import entry
from ..errors import ClusterWarning, CoterieError, InputError, UnsupportedError
from .analysis import Analysis, Folder, ReadStep
from .record import SCHEMA, check, clean, now, versions

__all__ = ["BlockAnalysis", "block_source", "run_blocks", "write_label_blocks"]

_BLOCK = 1_048_576
_FORMATS = ("parquet", "npy", "csv")
# Options of `coterie.run` that need every row in memory.
_WHOLE = ("query", "truth", "min_share", "time_limit")


@dataclass(frozen=True, repr=False)
class BlockAnalysis(Analysis):
    """A finished analysis of rows in files.

    As `Analysis`, but ``labels`` lie in a temporary file without a name (4 bytes a row), ``table`` and ``strengths`` and
    ``outlier_scores`` are those of ``sample_rows``.

    Attributes
    ----------
    sample_rows : (m,) int64 array
        Numbers of the rows that were described.
    """

    sample_rows: Any = None

    @property
    def labels_new_rows(self) -> bool:
        """Whether the saved model can label new rows: density methods compare them with the rows of the fit, which no file holds."""
        return entry(type(self.estimator).__name__).family != "density"

    def write(
        self,
        folder: str | os.PathLike,
        *,
        force: bool = False,
        report: bool = True,
        labels_format: str = "parquet",
        excel_safe: bool = False,
        input_path: str | os.PathLike | None = None,
    ) -> Folder:
        """Write labels, model, record and report into ``folder``: all of them, or nothing.

        Parameters
        ----------
        folder, force, report, input_path
            As for `Analysis.write`.
        labels_format : {"parquet", "npy", "csv"}, default="parquet"
            Kind of the label file, written block by block: columns ``row`` and ``label``, or the labels alone in ``.npy``.
        excel_safe : bool, default=False
            Has no effect: there are no ids.

        Returns
        -------
        Folder

        Raises
        ------
        OutputError
            If the folder cannot be written; what stood there before still stands, whole.
        """
        return super().write(
            folder,
            force=force,
            report=report,
            labels_format=labels_format,
            excel_safe=excel_safe,
            input_path=input_path,
        )

    def _write_labels(self, path: Path, labels_format: str, excel_safe: bool) -> None:
        write_label_blocks(path, self.labels, labels_format)


def write_label_blocks(path: str | os.PathLike, labels: np.ndarray, file_format: str) -> None:
    """Write the label of every row, a million rows at a time.

    Parameters
    ----------
    path : str or path-like
    labels : (n,) int array
        In memory or mapped from a file.
    file_format : {"parquet", "npy", "csv"}

    Raises
    ------
    InputError
        If the format is none of these.
    MissingExtraError
        If Parquet is asked for without pyarrow.
    """
    if file_format not in _FORMATS:
        raise InputError(f"labels_format must be one of {', '.join(map(repr, _FORMATS))}, got {file_format!r}")
    {"parquet": _write_parquet, "npy": _write_npy, "csv": _write_csv}[file_format](Path(path), labels)


def _parts(labels: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(labels), _BLOCK):
        yield start, np.asarray(labels[start : start + _BLOCK])


def _write_parquet(path: Path, labels: np.ndarray) -> None:
    from ..errors import MissingExtraError

    try:
        import pyarrow
        from pyarrow.parquet import ParquetWriter
    except ImportError:
        raise MissingExtraError('labels as Parquet need pyarrow; pip install "coterie[distributed]"') from None
    schema = pyarrow.schema([("row", pyarrow.int64()), ("label", pyarrow.int32())])
    options = {"compression": "zstd", "use_dictionary": ["label"], "column_encoding": {"row": "DELTA_BINARY_PACKED"}}
    with ParquetWriter(path, schema, **options) as writer:
        for start, part in _parts(labels):
            rows = np.arange(start, start + len(part), dtype=np.int64)
            writer.write_table(pyarrow.table([rows, part.astype(np.int32)], schema=schema))


def _write_npy(path: Path, labels: np.ndarray) -> None:
    from ..tables.blocks import write_npy

    write_npy(path, (part for _, part in _parts(labels)), len(labels), np.int32)


def _write_csv(path: Path, labels: np.ndarray) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write("row,label\n")
        for start, part in _parts(labels):
            file.write("".join(f"{row},{label}\n" for row, label in enumerate(part.tolist(), start)))


def block_source(
    data: Any, method: str, n_clusters: int | None, memory_limit: int | None, cluster: str | None
) -> tuple[Any, str] | None:
    """Return what is worked on block by block, and why; None where all rows are to be read into memory.

    Parameters
    ----------
    data : object
        As for `coterie.run`.
    method : str
    n_clusters : int or None
    memory_limit : int or None
        Bytes.
    cluster : str or None

    Raises
    ------
    InputError
        If there is a cluster, and ``data`` cannot be read in blocks.
    """
    from ..study.blocks import BLOCK_METHODS, bytes_in_memory
    from ..study.plan import available_memory, readable_bytes
    from ..tables import RowFiles, row_files
    from ..tables.row_sources import are_several, row_sources

    source = row_sources(data)
    if cluster is not None:
        if source is None:
            raise InputError(
                "a cluster works on .parquet and .npy files, a folder of .parquet files, or a pattern; convert the data, or leave the "
                "cluster out"
            )
        return source, ""
    if source is None:
        return None
    if isinstance(data, RowFiles):
        return source, "the rows came as files"
    try:
        shape = row_files(source).shape
    except CoterieError:
        if not are_several(source):
            return None  # the reader of whole files has the sentence for it
        raise
    limit = available_memory() if memory_limit is None else memory_limit
    need = bytes_in_memory(method, n_clusters, *shape)
    known = str(method).lower().replace("-", "").replace("_", "")
    if need <= limit or known not in ("auto", *(name.lower() for name in BLOCK_METHODS)):
        return None
    return (
        source,
        f"the rows take about {readable_bytes(need)} in memory, more than the limit of {readable_bytes(limit)}",
    )


def run_blocks(
    source: Any,
    *,
    why: str = "",
    cluster: str | None = None,
    memory_limit: int | None = None,
    on_step: Callable[[Any], None] | None = None,
    **options: Any,
) -> BlockAnalysis:
    """Find the clusters in files of rows, block by block; see `coterie.run`."""
    from ..primitives.workers import workers_at
    from ..study.blocks import check_options, study_blocks
    from ..tables import row_files
    from ..tables.row_sources import name_of_files

    for name in _WHOLE:
        if options.get(name) is not None:
            raise UnsupportedError(
                f"{name} needs all rows in memory, and these are worked on block by block; leave it out"
            )
    options = {name: value for name, value in options.items() if name not in _WHOLE}
    check_options(**{name: options[name] for name in ("method", "n_clusters", "params", "seed") if name in options})
    steps: list[Any] = []

    def keep(step: Any) -> None:
        steps.append(step)
        if on_step is not None:
            on_step(step)

    began = time.perf_counter()
    files = row_files(source)
    name, n = name_of_files(source), files.shape[0]
    many = f"{len(files.sources)} files, " if len(files.sources) > 1 else ""
    columns = files.shape[1] + len(files.left_out)
    keep(ReadStep("read", f"{n:,} rows and {columns} columns in {many}{name}", time.perf_counter() - began))
    with nullcontext() if cluster is None else workers_at(cluster) as workers:
        _warn_of_open_port(workers)
        found = study_blocks(source, memory_limit=memory_limit, why=why, on_step=keep, **options)
    given = {"memory_limit": memory_limit, "cluster": cluster, **options}
    return BlockAnalysis(
        record=_record(found, name, steps, given),
        labels=found.labels,
        strengths=np.empty(0),
        outlier_scores=np.empty(0),
        table=found.table,
        estimator=found.estimator,
        prepared=found.prepared,
        label_map=found.label_map,
        sample_rows=found.rows,
    )


def _warn_of_open_port(workers: Any) -> None:
    if workers is not None and workers.unsafe:
        import warnings

        warnings.warn(workers.unsafe, ClusterWarning, stacklevel=4)


def _record(found: Any, name: str, steps: list[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    from .. import __version__

    about = found.record["about"]
    silent = {"on_progress", "on_step"}
    n, m = about["n_rows"], len(found.rows)
    notes = list(found.prepared.notes)
    if m < n:
        notes.append(
            f"silhouettes, stability, descriptions, outliers and the map are from a sample of {m:,} of {n:,} rows; sizes are of all"
        )
    head = {
        "schema": SCHEMA,
        "coterie": __version__,
        "created": now(),
        "seed": int(given.get("seed") or 0),
        "versions": versions(),
        "input": {
            "name": name,
            "rows": n,
            "columns": about["n_columns"],
            "bytes": found.table.source_bytes,
            "fingerprint": about["fingerprint"],
            "notes": notes,
        },
        "steps": [{"name": step.name, "text": step.text, "seconds": step.seconds} for step in steps],
        "options": {key: value for key, value in given.items() if value is not None and key not in silent},
    }
    record = clean(
        {**head, **{key: value for key, value in found.record.items() if key not in head and key != "about"}}
    )
    check(record)
    return record
