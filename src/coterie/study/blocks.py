"""The main job on rows in files, worked on block by block.

The steps are those of a study in memory. Columns come on a common scale by mean and deviation, found in one pass that also draws
a sample; method and number of groups are chosen on it. The fit and the labels see every row, and so do what is told of groups and
columns in numbers, small groups, and the scores around centers. What takes rows side by side (stability, silhouettes, rules, typical
rows, outliers, the map) is told of the sample.
"""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..catalog import CATALOG
from ..errors import InputError, UnsupportedError
from ..primitives.blocks import limited, watching
from ..primitives.column_moments import column_moments
from ..primitives.workers import Workers, at_work
from ..tables import Prepared, row_files
from ..tables.known_classes import class_files
from ..tables.row_sources import name_of_files
from ..tables.scaled_files import sampled_table, scale_codings, scaled_files, source_bytes
from . import choose as choosing
from . import plan as planning
from .blocks_labels import by_block
from .blocks_people import People, people_of
from .blocks_told import Chosen, Given, told
from .cost import forecast
from .estimators import method_name, parameters, scaled, takes
from .population import check_share
from .record import plain
from .steps import Diary, Step
from .verdicts import chosen

__all__ = ["BLOCK_METHODS", "SAMPLE_ROWS", "BlockStudy", "bytes_in_memory", "check_options", "study_blocks"]

BLOCK_METHODS = tuple(line.name for line in CATALOG if "dask" in line.engines)
SAMPLE_ROWS = 20_000
_SAMPLE_BYTES = 64 * 2**20
_BLOCK_ROWS = 1_048_576
_BLOCK_SHARE = 8  # a block takes at most this part of the memory of a task


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
    min_share: float | None = None,
    memory_limit: int | None = None,
    seed: int = 0,
    sample: int | str | None = "auto",
    truth: str | None = None,
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
    n_clusters, params, roles, min_share, seed, sample, truth
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
    ResourceError
        If ``min_share`` is given, and the method finds more clusters than there is room for.
    ClusterError
        If the workers are lost.
    """
    options = check_options(method, n_clusters, params, seed, min_share)
    diary = Diary(on_step)
    limit = planning.available_memory() if memory_limit is None else memory_limit

    def on_pass(number: int, what: str, done: int, total: int) -> None:
        by_block(on_progress, what, done, total)

    with limited(limit), watching(on_pass) as tally:
        with diary.step("plan"):
            workers = at_work()
            files, rows = _cut(source, workers)
            _refuse(files, options["n_clusters"], truth)
            diary.text = _plan_text(files, workers, why)
        with diary.step("prepare"):
            given = _given(source, files, rows, roles, truth, seed)
            diary.text = _prepare_text(given)
        with diary.step("choose"):
            choice = _choose(given.Z, options, sample, seed, on_progress)
            diary.text = choice.structure["sentence"]
        with diary.step("cluster"):
            with diary.hearing(choice.best.method):
                estimator = _fit(given.X, choice, options, seed)
            diary.text = f"{type(estimator).__name__} fitted on {files.shape[0]:,} rows in {tally.passes} passes"
        with diary.step("population"):
            people = people_of(given, estimator, min_share, on_progress, diary)
            diary.text = _population_text(people)
        record = told(diary, given, people, estimator, choice, truth, seed)
    plan = {"memory_limit": limit if workers.address is None else None, "sample_rows": len(choice.rows)}
    record |= {"seed": seed, "plan": plan, "blocks": _work(workers, given, tally, estimator)}
    record |= {"steps": [step.plain() for step in diary.steps], "warnings": diary.warnings}
    return BlockStudy(
        given.table, given.drawn, given.prepared, estimator, people.labels, people.label_map,
        plain(record) | {"about": _about(given)}, diary.warnings,
    )  # fmt: skip


def check_options(
    method: str = "auto", n_clusters: Any = None, params: Any = None, seed: Any = 0, min_share: Any = None
) -> dict[str, Any]:
    """Return method, n_clusters and params as they are used; refuse what cannot be, before anything is started for it.

    Raises
    ------
    InputError
        If an option cannot be used.
    UnsupportedError
        If the method needs all rows in memory.
    """
    check_share(min_share)
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


def _refuse(files: Any, n_clusters: int | None, truth: str | None) -> None:
    if n_clusters is not None and n_clusters > files.shape[0]:
        raise InputError(f"n_clusters must be at most the {files.shape[0]:,} rows, got {n_clusters}")
    if truth is not None:
        class_files(files, truth).pieces[0].load()  # too many values are seen here, before anything is fitted


def _plan_text(files: Any, workers: Workers, why: str) -> str:
    many = len(files.pieces)
    blocks = f"{many:,} block{'s' if many > 1 else ''} of at most {max(piece.n_rows for piece in files.pieces):,} rows"
    if workers.address is None:
        return f"{why}{'; ' if why else ''}this process works block by block, {blocks}; no cluster is needed for one machine"
    crew = f"{workers.n_workers} worker{'s' if workers.n_workers > 1 else ''} with {workers.n_threads} threads"
    return f"{crew} at {workers.address} work block by block, {blocks}"


def _given(source: Any, files: Any, rows: int, roles: Any, truth: str | None, seed: int) -> Given:
    """Bring the rows on a common scale, in one pass that also draws a sample."""
    n, d = files.shape
    drawn = _drawn(n, d, seed)
    moments = column_moments(files, drawn)
    table = sampled_table(name_of_files(source), files, moments.sample, source_bytes(files))
    roles = dict(roles or {}) | ({truth: "ignored"} if truth is not None else {})
    codings = scale_codings(table, moments, drawn, roles, files.left_out)
    prepared = _prepared(codings)
    X = scaled_files(files, codings, source, rows)
    return Given(files, X, moments, table, drawn, prepared.transform(table), codings, prepared)


def _drawn(n: int, d: int, seed: int) -> np.ndarray:
    size = min(n, SAMPLE_ROWS, max(_SAMPLE_BYTES // (8 * d), 1000))
    return np.sort(np.random.default_rng(seed).choice(n, size, replace=False, shuffle=False)).astype(np.int64)


def _prepared(codings: tuple) -> Prepared:
    left = [f"{coding.column} is not used: {coding.why}" for coding in codings if not coding.used]
    note = "columns are on a common scale by the mean and standard deviation of all rows"
    return Prepared.from_state({"codings": [coding.state() for coding in codings], "notes": [note, *left]}, {})


def _prepare_text(given: Given) -> str:
    codings, n_drawn, n = given.codings, len(given.drawn), given.files.shape[0]
    used = sum(coding.used for coding in codings)
    left_out = f", {len(codings) - used} left out" if used < len(codings) else ""
    drawn = f"; a sample of {n_drawn:,} rows drawn" if n_drawn < n else ""
    return (
        f"{used} columns on a common scale by mean and standard deviation, in one pass over {n:,} rows{left_out}{drawn}"
    )


def _choose(Z: np.ndarray, options: dict, sample: Any, seed: int, on_progress: Any) -> Chosen:
    size = planning.selection_rows(len(Z), Z.shape[1], sample)
    rows = np.arange(len(Z))
    if size is not None:
        rows = np.sort(np.random.default_rng(seed).choice(len(Z), size, replace=False))
    tried = choosing.candidates_for(Z[rows], len(rows), **options)
    return Chosen(*chosen(Z[rows], tried, seed, on_progress), rows)


def _fit(X: Any, choice: Chosen, options: dict, seed: int) -> Any:
    asked = options["n_clusters"] is not None or options["method"] != "KMeans"
    name, given = choice.best.method, scaled(choice.best.method, choice.best.params, len(choice.rows), X.shape[0])
    if choice.structure["verdict"] in ("none", "one") and not asked:
        name, given = "KMeans", {"n_clusters": 1}
    if name == "KMeans":
        given = {"n_init": "auto"} | given  # each start costs passes over all rows, and k-means|| merges fewer groups
    return choosing.fit(X, name, given, seed)[0]


def _population_text(people: People) -> str:
    k = len(people.sizes)
    noise = f"{people.noise:,} rows fit none" if people.noise else "every row belongs to one"
    return " ".join([f"{k} group{'s' if k != 1 else ''}; {noise}.", *people.record["actions"]])


def _work(workers: Workers, given: Given, tally: Any, estimator: Any) -> dict[str, Any]:
    """Return what was worked on where, for the record."""
    files, (n, d) = given.files, given.X.shape
    return {
        "where": workers.address or "this process", "workers": workers.n_workers, "threads": workers.n_threads,
        "blocks": len(files.pieces), "most_rows": max(piece.n_rows for piece in files.pieces), "passes": tally.passes,
        "bytes_read": 8 * n * d * tally.readings, "files": [path.name for path in files.sources][:1000],
        "sample_rows": len(given.drawn), "scaling": "mean and standard deviation of all rows, found in one pass",
        "inertia": getattr(estimator, "inertia_", None), "steps": getattr(estimator, "n_iter_", None),
    }  # fmt: skip


def _about(given: Given) -> dict[str, Any]:
    files = given.files
    columns = files.shape[1] + len(files.left_out)
    return {"n_rows": files.shape[0], "n_columns": columns, "fingerprint": _fingerprint(files, given.moments)}


def _fingerprint(files: Any, moments: Any) -> str:
    whole = hashlib.sha256(repr((files.shape, files.names, str(files.dtype))).encode())
    for values in (moments.low, moments.high):
        whole.update(np.ascontiguousarray(values, np.float64).tobytes())
    for piece in files.pieces:
        if piece.file_row == 0:
            whole.update(f"{piece.path.name} {piece.file_bytes}".encode())
    return whole.hexdigest()
