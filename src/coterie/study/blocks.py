"""The main job on rows in files, worked on block by block: the groups are found in all rows, described and judged on a sample.

The steps are those of a study in memory. Columns come on a common scale by mean and deviation, found in one pass that also draws
the sample; method and number of groups are chosen on it. The fit and the labels see every row.
"""

import hashlib
import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from ..catalog import CATALOG
from ..clustering import relabel
from ..errors import InputError, UnsupportedError
from ..primitives.blocks import limited, values_by_block, watching
from ..primitives.column_moments import column_moments
from ..primitives.workers import Workers, at_work
from ..tables import Prepared, row_files
from ..tables.row_sources import name_of_files
from ..tables.scaled_files import sampled_table, scale_codings, scaled_files, source_bytes
from . import choose as choosing
from . import plan as planning
from .blocks_told import Labelled, Sampled, told_of_sample
from .cost import forecast
from .estimators import method_name, parameters, scaled, takes
from .record import plain
from .steps import Diary, Step
from .verdicts import chosen

__all__ = ["BLOCK_METHODS", "SAMPLE_ROWS", "BlockStudy", "bytes_in_memory", "check_options", "study_blocks"]

BLOCK_METHODS = tuple(line.name for line in CATALOG if "dask" in line.engines)
SAMPLE_ROWS = 20_000
_SAMPLE_BYTES = 64 * 2**20
_BLOCK_ROWS = 1_048_576
_BLOCK_SHARE = 8  # a block takes at most this part of the memory of a task
_RELABEL_ROWS = 4_194_304


class BlockStudy(NamedTuple):
    """A finished study of rows in files.

    Attributes
    ----------
    table : Table
        The sample, in original units.
    rows : (m,) int64 array
        Numbers of its rows among all.
    prepared, estimator, label_map
        As in `coterie.study.Study`; ``prepared`` holds no rows.
    labels : (n,) int array
        Of all rows, in a temporary file that vanishes with the array.
    record : dict
    warnings : list of dict
    """

    table: Any
    rows: np.ndarray
    prepared: Prepared
    estimator: Any
    labels: np.ndarray
    label_map: np.ndarray
    record: dict[str, Any]
    warnings: list[dict[str, str]]


def bytes_in_memory(method: str, n_clusters: int | None, n: int, m: int) -> int:
    """Return how many bytes a study of n rows and m columns takes at least where all rows are in memory."""
    name = "KMeans" if str(method).lower() == "auto" else method_name(method)
    return max(2 * 8 * n * m, forecast(name, {"n_clusters": n_clusters or 2}, n, m)[1])


def study_blocks(
    source: Any,
    *,
    method: str = "auto",
    n_clusters: int | None = None,
    params: dict[str, Any] | None = None,
    roles: dict[str, str] | None = None,
    memory_limit: int | None = None,
    seed: int = 0,
    sample: int | str | None = "auto",
    why: str = "",
    on_step: Callable[[Step], None] | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> BlockStudy:
    """Find the groups in rows of files, block by block, on the workers that are there or in this process.

    Parameters
    ----------
    source : path, pattern, or list of paths
        As for `coterie.tables.row_files`.
    method : str, default="auto"
        One of `BLOCK_METHODS`; "auto" is K-means.
    n_clusters, params, roles, seed, sample
        As for `coterie.study.study`.
    memory_limit : int, optional
        Bytes that this process may take for rows, where it works by itself.
    why : str, default=""
        Why the rows are worked on block by block, for the plan.
    on_step, on_progress : callable, optional
        As for `coterie.study.study`; progress is told in blocks of one pass.

    Returns
    -------
    BlockStudy

    Raises
    ------
    InputError
        If the files or an option cannot be used.
    UnsupportedError
        If the method needs all rows in memory.
    ClusterError
        If the workers are lost.
    """
    options = check_options(method, n_clusters, params, seed)
    diary = Diary(on_step)
    limit = planning.available_memory() if memory_limit is None else memory_limit

    def on_pass(number: int, what: str, done: int, total: int) -> None:
        if on_progress is not None:
            on_progress(done, total, f"{what}, {done:,} of {total:,} blocks")

    with limited(limit), watching(on_pass) as tally:
        with diary.step("plan"):
            workers = at_work()
            files, rows = _cut(source, workers)
            n = files.shape[0]
            if options["n_clusters"] is not None and options["n_clusters"] > n:
                raise InputError(f"n_clusters must be at most the {n:,} rows, got {options['n_clusters']}")
            diary.text = _plan_text(files, workers, why)
        with diary.step("prepare"):
            drawn = _drawn(n, files.shape[1], seed)
            moments = column_moments(files, drawn)
            table = sampled_table(name_of_files(source), files, moments.sample, source_bytes(files))
            codings = scale_codings(table, moments, drawn, roles, files.left_out)
            X = scaled_files(files, codings, source, rows)
            prepared = _prepared(codings)
            Z = prepared.transform(table)
            diary.text = _prepare_text(codings, len(drawn), n)
        with diary.step("choose"):
            choice, structure, on_rows = _choose(Z, options, sample, seed, on_progress)
            diary.text = structure["sentence"]
        best = choice.candidates[choice.winner]
        with diary.step("cluster"):
            with warnings.catch_warnings(record=True, action="always", category=UserWarning) as said:
                estimator = _fit(X, best, len(on_rows), options, structure["verdict"], seed)
            for warning in said:
                diary.warn(f"{type(estimator).__name__}: {warning.message}", "")
            diary.text = f"{type(estimator).__name__} fitted on {n:,} rows in {tally.passes} passes"
        with diary.step("population"):
            labelled = _labelled(estimator.labels_, n, on_progress)
            diary.text = _population_text(labelled)
        sampled = Sampled(table, drawn, Z, codings)
        record = told_of_sample(diary, sampled, labelled, estimator, choice, structure, on_rows, seed)
    d = X.shape[1]
    record |= {
        "seed": seed,
        "plan": {"memory_limit": limit if workers.address is None else None, "sample_rows": len(on_rows)},
        "blocks": {
            "where": workers.address or "this process", "workers": workers.n_workers, "threads": workers.n_threads,
            "blocks": len(files.pieces), "most_rows": max(piece.n_rows for piece in files.pieces), "passes": tally.passes,
            "bytes_read": 8 * n * d * tally.readings, "files": [path.name for path in files.sources][:1000],
            "sample_rows": len(drawn), "scaling": "mean and standard deviation of all rows, found in one pass",
            "inertia": getattr(estimator, "inertia_", None), "steps": getattr(estimator, "n_iter_", None),
        },
        "steps": [step._asdict() for step in diary.steps],
        "warnings": diary.warnings,
    }  # fmt: skip
    about = {
        "n_rows": n,
        "n_columns": files.shape[1] + len(files.left_out),
        "fingerprint": _fingerprint(files, moments),
    }
    return BlockStudy(
        table,
        drawn,
        prepared,
        estimator,
        labelled.labels,
        labelled.label_map,
        plain(record) | {"about": about},
        diary.warnings,
    )


def check_options(method: str = "auto", n_clusters: Any = None, params: Any = None, seed: Any = 0) -> dict[str, Any]:
    """Return method, n_clusters and params as they are used; refuse what cannot be, before anything is started for it.

    Raises
    ------
    InputError
        If an option cannot be used.
    UnsupportedError
        If the method needs all rows in memory.
    """
    name = "KMeans" if str(method).lower() == "auto" else method_name(method)
    if name not in BLOCK_METHODS:
        raise UnsupportedError(
            f"{name} needs all rows in memory, and these are worked on block by block; take {', '.join(BLOCK_METHODS)}, or fewer rows"
        )
    params = dict(params or {})
    takes(name, params)
    n_clusters = params.pop("n_clusters", n_clusters)
    if n_clusters is not None:
        if isinstance(n_clusters, bool) or not isinstance(n_clusters, int | np.integer) or n_clusters < 1:
            raise InputError(f"n_clusters must be a whole number of at least 1, got {n_clusters!r}")
        if "n_clusters" not in parameters(name):
            raise InputError(f"{name} finds the number of groups itself; leave n_clusters out or use method='KMeans'")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise InputError(f"seed must be a whole number from 0 to 4294967295, got {seed!r}")
    return {"method": name, "n_clusters": None if n_clusters is None else int(n_clusters), "params": params}


def _cut(source: Any, workers: Workers) -> tuple[Any, int]:
    """Cut files into blocks of which a worker can hold some."""
    files = row_files(source)
    room = workers.memory / workers.n_places / _BLOCK_SHARE / (8 * files.shape[1])
    rows = int(min(_BLOCK_ROWS, max(room, 1)))
    return (files if rows == _BLOCK_ROWS else row_files(source, rows=rows)), rows


def _plan_text(files: Any, workers: Workers, why: str) -> str:
    many = len(files.pieces)
    blocks = f"{many:,} block{'s' if many > 1 else ''} of at most {max(piece.n_rows for piece in files.pieces):,} rows"
    if workers.address is None:
        return f"{why}{'; ' if why else ''}this process works block by block, {blocks}; no cluster is needed for one machine"
    crew = f"{workers.n_workers} worker{'s' if workers.n_workers > 1 else ''} with {workers.n_threads} threads"
    return f"{crew} at {workers.address} work block by block, {blocks}"


def _drawn(n: int, d: int, seed: int) -> np.ndarray:
    size = min(n, SAMPLE_ROWS, max(_SAMPLE_BYTES // (8 * d), 1000))
    return np.sort(np.random.default_rng(seed).choice(n, size, replace=False, shuffle=False)).astype(np.int64)


def _prepared(codings: tuple) -> Prepared:
    left = [f"{coding.column} is not used: {coding.why}" for coding in codings if not coding.used]
    note = "columns are on a common scale by the mean and standard deviation of all rows"
    return Prepared.from_state({"codings": [asdict(coding) for coding in codings], "notes": [note, *left]}, {})


def _prepare_text(codings: tuple, n_drawn: int, n: int) -> str:
    used = sum(coding.used for coding in codings)
    left_out = f", {len(codings) - used} left out" if used < len(codings) else ""
    drawn = f"; a sample of {n_drawn:,} rows drawn" if n_drawn < n else ""
    return (
        f"{used} columns on a common scale by mean and standard deviation, in one pass over {n:,} rows{left_out}{drawn}"
    )


def _choose(Z: np.ndarray, options: dict, sample: Any, seed: int, on_progress: Any) -> tuple[Any, dict, np.ndarray]:
    size = planning.selection_rows(len(Z), Z.shape[1], sample)
    rows = np.arange(len(Z))
    if size is not None:
        rows = np.sort(np.random.default_rng(seed).choice(len(Z), size, replace=False))
    tried = choosing.candidates_for(Z[rows], len(rows), **options)
    return *chosen(Z[rows], tried, seed, on_progress), rows


def _fit(X: Any, best: Any, n_from: int, options: dict, verdict: str, seed: int) -> Any:
    asked = options["n_clusters"] is not None or options["method"] != "KMeans"
    name, given = best.method, scaled(best.method, best.params, n_from, X.shape[0])
    if verdict in ("none", "one") and not asked:
        name, given = "KMeans", {"n_clusters": 1}
    if name == "KMeans":
        given = {"n_init": "auto"} | given  # each start costs passes over all rows, and k-means|| merges fewer groups
    return choosing.fit(X, name, given, seed)[0]


def _labelled(own: Any, n: int, on_progress: Any) -> Labelled:
    """Bring the labels here, block by block and into a file that has no name; number groups by decreasing size."""
    labels = _file_of_labels(n)
    counts, at = np.zeros(1, np.int64), 0  # of noise, then of label 0
    total = len(own.chunks[0])
    for i, part in enumerate(values_by_block(own), 1):
        labels[at : at + len(part)] = part
        at += len(part)
        found = np.bincount(part + 1)
        counts, found = (np.pad(some, (0, max(len(counts), len(found)) - len(some))) for some in (counts, found))
        counts = counts + found
        if on_progress is not None:
            on_progress(i, total, f"labels, {i:,} of {total:,} blocks")
    order = np.argsort(-counts[1:], kind="stable")
    label_map = np.empty(len(order), np.int64)
    label_map[order] = np.arange(len(order))
    for start in range(0, n, _RELABEL_ROWS):
        labels[start : start + _RELABEL_ROWS] = relabel(labels[start : start + _RELABEL_ROWS], label_map)
    sizes = counts[1:][order]
    return Labelled(labels, label_map, sizes[sizes > 0], int(counts[0]))


def _file_of_labels(n: int) -> np.ndarray:
    """Return n numbers in a temporary file that has no name, so that nothing of it can be left over."""
    with tempfile.TemporaryFile(prefix="coterie-") as file:
        if hasattr(os, "posix_fallocate"):  # a full disk is an error here, and a crash once the file is mapped
            os.posix_fallocate(file.fileno(), 0, 4 * n)
        return np.memmap(file, np.int32, "r+" if hasattr(os, "posix_fallocate") else "w+", shape=(n,))


def _population_text(labelled: Labelled) -> str:
    k = len(labelled.sizes)
    noise = f"; {labelled.noise:,} rows fit none" if labelled.noise else "; every row belongs to one"
    return f"{k} group{'s' if k != 1 else ''}{noise}"


def _fingerprint(files: Any, moments: Any) -> str:
    whole = hashlib.sha256(repr((files.shape, files.names, str(files.dtype))).encode())
    for values in (moments.low, moments.high):
        whole.update(np.ascontiguousarray(values, np.float64).tobytes())
    for piece in files.pieces:
        if piece.file_row == 0:
            whole.update(f"{piece.path.name} {piece.file_bytes}".encode())
    return whole.hexdigest()
