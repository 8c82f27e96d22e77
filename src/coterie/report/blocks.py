"""The main job on files of rows that are worked on block by block: an analysis whose labels are never all in memory."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..catalog import entry
from ..errors import ClusterWarning, CoterieError, InputError, UnsupportedError
from .analysis import Analysis, Steps
from .record import finished
from .words import counted

__all__ = ["BlockAnalysis", "block_source", "run_blocks", "write_label_blocks"]

_BLOCK = 1_048_576
_CHECKED = ("method", "n_clusters", "params", "seed", "min_share")
# Options of `coterie.run` that need every row in memory.
_WHOLE = ("query", "time_limit", "purpose", "text_model")


@dataclass(frozen=True, repr=False)
class BlockAnalysis(Analysis):
    """A finished analysis of rows in files.

    As `Analysis`, but ``labels`` lie in a temporary file without a name (4 bytes a row), and ``table`` holds ``sample_rows`` alone.

    Attributes
    ----------
    sample_rows : (m,) int64 array
        Numbers of the rows that were described.
    """

    sample_rows: Any = None
    _FORMATS: ClassVar = ("parquet", "npy", "csv")  # columns ``row`` and ``label``, or the labels alone in ``.npy``
    _NEW: ClassVar = "new.parquet"

    @property
    def labels_new_rows(self) -> bool:
        """Whether the saved model can label new rows: density methods compare them with rows of the fit, which few models hold."""
        held = getattr(self.estimator, "_host", None) is not None
        return held or entry(type(self.estimator).__name__).family != "density"

    def _landmarks(self) -> dict[str, Any]:
        from ..study.landmarks import landmarks

        labels = np.asarray(self.labels)[np.asarray(self.sample_rows)].astype(np.int64)
        X = self.prepared.transform(self.table)
        return landmarks(self.table, self.prepared, X, labels, len(self.record["clusters"]))

    def _write_labels(self, path: Path, labels_format: str, excel_safe: bool) -> None:
        write_label_blocks(path, self.labels, labels_format)


def write_label_blocks(path: str | os.PathLike, labels: np.ndarray, file_format: str) -> None:
    """Write the label of every row, a million rows at a time; columns ``row`` and ``label``, or labels alone in ``.npy``.

    Parameters
    ----------
    path : str or path-like
    labels : (n,) int array
        In memory or mapped from a file.
    file_format : {"parquet", "npy", "csv"}

    Raises
    ------
    MissingExtraError
        If Parquet is asked for without pyarrow.
    """
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
    check_options(**{name: options[name] for name in _CHECKED if name in options})
    steps, began = Steps(on_step), time.perf_counter()
    files = row_files(source)
    many = f"{len(files.sources)} files, " if len(files.sources) > 1 else ""
    columns = files.shape[1] + len(files.left_out)
    name = name_of_files(source)
    steps.read(f"{counted(files.shape[0], 'row')} and {counted(columns, 'column')} in {many}{name}", began)
    with nullcontext() if cluster is None else workers_at(cluster) as workers:
        _warn_of_open_port(workers)
        found = study_blocks(source, memory_limit=memory_limit, why=why, on_step=steps.keep, **options)
    given = {"memory_limit": memory_limit, "cluster": cluster, **options}
    return BlockAnalysis(
        record=finished(found.record, _input(found, name), given, steps=steps.plain()),
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


def _input(found: Any, name: str) -> dict[str, Any]:
    about = found.record.pop("about")
    n, m = about["n_rows"], len(found.rows)
    notes = list(found.prepared.notes)
    if m < n:
        notes.append(
            f"silhouettes, stability, rules, typical rows, outliers and the map are from a sample of {m:,} of {n:,} rows; the rest is of all"
        )
    return {
        "name": name,
        "rows": n,
        "columns": about["n_columns"],
        "bytes": found.table.source_bytes,
        "fingerprint": about["fingerprint"],
        "notes": notes,
    }
