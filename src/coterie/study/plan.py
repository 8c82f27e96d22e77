"""What a study will cost, before it runs: seconds and bytes for each candidate, and a refusal of what cannot fit.

Nothing is allocated here. What one fit costs, `cost` forecasts; what the study does around the fits is counted here. Which candidates
are tried depends on the forecasts alone; the seconds told are those of this machine (`speed`).
"""

from typing import Any, NamedTuple

from ..errors import InputError, ResourceError
from ..primitives.memory import free_bytes, taken_bytes
from .candidate import STABILITY_ROWS, candidate_text
from .cost import TREE_COLUMNS, forecast
from .describe import DESCRIBE_ROWS, RULE_COLUMNS, RULE_ROWS
from .estimators import needs_k
from .sensitivity import ROWS as SENSITIVITY_ROWS
from .speed import compiling_seconds, slowness
from .structure import VALLEY_ROWS
from .turned import WIDE

__all__ = [
    "Plan",
    "Planned",
    "check_table",
    "lines",
    "make_plan",
    "parse_bytes",
    "readable_bytes",
    "readable_seconds",
    "selection_rows",
]

# Without a time limit, the automatic choice leaves out what would take longer than this.
PATIENCE_SECONDS = 120.0
# The choice looks at a sample above this many rows, in many columns of so many numbers; the final fit sees every row.
SELECTION_LIMIT = 5000
SELECTION_LIMIT_FLAT = 8000
SELECTION_NUMBERS = 2_500_000
FEWEST_SELECTED = 1000
# What a process takes beside its data once the libraries and kernels are loaded, which they are not when the plan is made.
LOADED_BYTES = 300 << 20


class Planned(NamedTuple):
    """One candidate with its forecast: wall ``seconds`` and peak ``bytes`` of the final fit on all rows."""

    method: str
    params: dict[str, Any]
    seconds: float
    bytes: int
    fits: bool
    why_not: str = ""


class Plan(NamedTuple):
    """The whole study: limits, forecast, and the rows on which method and k are chosen (None is all).

    ``seconds`` if the cheapest candidate wins, ``most_seconds`` if the dearest does. ``bytes`` is the peak of the whole process if the
    dearest does, ``least_bytes`` if the cheapest does. ``compiling`` of the seconds are spent the first time on a machine only.
    """

    memory_limit: int
    seconds: float
    bytes: int
    sample_rows: int | None
    candidates: tuple[Planned, ...]
    most_seconds: float = 0.0
    least_bytes: int = 0
    compiling: float = 0.0


def parse_bytes(limit: int | str | None) -> int | None:
    """Read a memory limit such as ``2_000_000_000``, ``"2GB"`` or ``"512 MiB"`` as bytes.

    Raises
    ------
    InputError
        If it is not a positive number with a known unit.
    """
    if limit is None or (isinstance(limit, int) and limit > 0):
        return limit
    text = str(limit).strip().upper().replace(" ", "").replace("IB", "B")
    units = {"TB": 1 << 40, "GB": 1 << 30, "MB": 1 << 20, "KB": 1 << 10}
    units |= {unit[0]: size for unit, size in units.items()} | {"B": 1}
    for unit, size in units.items():
        if text.endswith(unit):
            number, factor = text[: -len(unit)], size
            break
    else:
        number, factor = text, 1
    try:
        value = float(number) * factor
    except ValueError:
        value = 0.0
    if not 1 <= value < float("inf"):
        raise InputError(f"memory_limit must be bytes or a size such as '2GB', got {limit!r}")
    return int(value)


def readable_bytes(size: float) -> str:
    """Write a number of bytes for people: ``1.5 GB``."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError


def available_memory() -> int:
    """Return 80% of the memory that is free now, in bytes (4 GiB when the system does not say)."""
    free = free_bytes()
    return int(0.8 * free) if free < float("inf") else 4 << 30


def check_table(n_rows: int, n_columns: int, memory_limit: int | None) -> int:
    """Refuse a table whose numeric matrix alone cannot fit, before it is made; return the limit in force, in bytes.

    Raises
    ------
    ResourceError
        With the figure and what to do.
    """
    limit = available_memory() if memory_limit is None else memory_limit
    need = 2 * 8 * n_rows * max(n_columns, 1)
    if need > limit:
        most = max(limit // (16 * max(n_columns, 1)), 1)
        raise ResourceError(
            f"preparing {n_rows:,} rows x {n_columns} columns needs about {readable_bytes(need)}, more than the limit of "
            f"{readable_bytes(limit)}; allow more with memory_limit, leave out columns, or give a file of at most {most:,} rows"
        )
    return limit


def selection_rows(n: int, m: int, sample: int | str | None) -> int | None:
    """Return on how many rows method and k are chosen: None when on all.

    Raises
    ------
    InputError
        If ``sample`` is neither "auto", None nor a number of at least 10.
    """
    if sample is None:
        return None
    if sample == "auto":
        most = SELECTION_LIMIT_FLAT if m <= TREE_COLUMNS else SELECTION_LIMIT
        size = min(most, max(SELECTION_NUMBERS // m, FEWEST_SELECTED))
    elif isinstance(sample, int) and not isinstance(sample, bool) and sample >= 10:
        size = sample
    else:
        raise InputError(f"sample must be 'auto', None or a number of rows of at least 10, got {sample!r}")
    return size if n > size else None


def make_plan(
    candidates: list[tuple[str, dict[str, Any]]],
    n: int,
    m: int,
    *,
    memory_limit: int,
    time_limit: float | None = None,
    sample: int | str | None = "auto",
    explicit: bool = False,
) -> Plan:
    """Forecast every candidate and refuse the study when none can fit.

    Parameters
    ----------
    candidates : list of (method, params)
        As they would be fitted on all rows.
    n, m : int
        Rows and columns of the prepared matrix.
    memory_limit : int
        Bytes; also what is in memory already counts: the matrix and its table.
    time_limit : float, optional
        Seconds for the final fit. None leaves out only what would take minutes, and nothing when ``explicit``.
    sample : int, "auto" or None
        Rows on which method and k are chosen.
    explicit : bool, default=False
        Whether the user named the method: then a plan too slow is refused, not left out.

    Returns
    -------
    Plan

    Raises
    ------
    ResourceError
        If no candidate fits; the message has the figures and an alternative.
    """
    # Without a limit of the user's what is tried must not depend on the machine.
    slower = slowness()
    patience = time_limit if time_limit is not None else (float("inf") if explicit else PATIENCE_SECONDS * slower)
    planned = []
    for method, params in candidates:
        seconds, size = forecast(method, params, n, m)
        seconds *= slower
        why_not = ""
        if size > memory_limit:
            why_not = f"needs about {readable_bytes(size)}, the limit is {readable_bytes(memory_limit)}"
        elif seconds > patience:
            why_not = f"would take about {readable_seconds(seconds)}, the limit is {readable_seconds(patience)}"
        planned.append(Planned(method, dict(params), round(seconds, 3), int(size), not why_not, why_not))
    fitting = [line for line in planned if line.fits]
    if not fitting:
        raise ResourceError(_refusal(planned, n, m, memory_limit))
    rows = selection_rows(n, m, sample)
    compiling = slower * compiling_seconds(rows or n, m)
    rest = compiling + slower * (_search_seconds(fitting, rows or n, m) + _other_seconds(n, m))
    seconds, most = (rest + pick(line.seconds for line in fitting) for pick in (min, max))
    least, size = (_peak_bytes(pick(line.bytes for line in fitting), rows or n, n, m) for pick in (min, max))
    return Plan(memory_limit, round(seconds, 2), size, rows, tuple(planned), round(most, 2), least, round(compiling, 2))


def _search_seconds(fitting: list[Planned], r: int, m: int) -> float:
    """Return the seconds of trying candidates on r rows, and of the question whether there are groups at all."""
    m = m if m <= WIDE * r else r
    # A compact candidate is fitted once, and the few that could win in two pairs of parts. Density ones with the same neighbours share a
    # spanning tree of all rows and one of each of three parts.
    seconds, trees = 0.0, set()
    for line in fitting:
        once = forecast(line.method, line.params, r, m)[0]
        shared = line.params.get("min_samples")
        if needs_k(line.method):
            seconds += 2 * once
        elif line.method != "HDBSCAN" or shared not in trees:
            trees.add(shared)
            seconds += once * (1 + 3 * min(0.7, STABILITY_ROWS / r) ** 2)
    # The winner is fitted again with other settings, a few times.
    seconds += 4 * min(forecast(line.method, line.params, min(r, SENSITIVITY_ROWS), m)[0] for line in fitting)
    return seconds + 1.5 + 1e-4 * min(r, 5_000) + 6e-6 * min(r, 500) * m


def _other_seconds(n: int, m: int) -> float:
    """Return the seconds of all that is neither search nor fit: preparing, judging, describing, drawing."""
    return 0.3 + 1e-6 * n + 4e-7 * n * m + 7e-7 * min(n, DESCRIBE_ROWS) * m + 2.5e-4 * m


def _peak_bytes(fit: int, r: int, n: int, m: int) -> int:
    """Return the peak of the process: what it holds, with the libraries loaded, and the largest of what the steps do."""
    held = max(taken_bytes(), LOADED_BYTES + 2 * 8 * n * m)
    search = 2 * 8 * min(r, VALLEY_ROWS) ** 2 + 12 * 8 * r * m
    describe = 48 * 9 * min(n, RULE_ROWS) * min(m, RULE_COLUMNS) + 8 * n * m
    return int(held + max(search, fit + 8 * n * m, describe))


def lines(plan: Plan) -> tuple[str, ...]:
    """Write each candidate of a plan with the seconds and bytes of its fit on all rows, and why it is left out where it is."""
    names = [candidate_text(line.method, line.params) for line in plan.candidates]
    width = max(map(len, names))
    return tuple(
        f"{name:{width}}  {readable_seconds(line.seconds):>7}  {readable_bytes(line.bytes):>8}"
        + (f"  {line.why_not}" if line.why_not else "")
        for name, line in zip(names, plan.candidates, strict=True)
    )


def readable_seconds(seconds: float) -> str:
    """Write a duration for people: ``0.02 s``, ``40 s``, ``12 min``, ``3 h``."""
    if seconds < 1:
        return f"{seconds:.1g} s"
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _refusal(planned: list[Planned], n: int, m: int, memory_limit: int) -> str:
    cheapest = min(planned, key=lambda line: (line.bytes > memory_limit, line.seconds))
    text = f"{cheapest.method} on {n:,} rows x {m} columns {cheapest.why_not}; "
    if cheapest.bytes > memory_limit:
        rows = max(int(memory_limit * n / cheapest.bytes), 1)
        return text + f"raise memory_limit to {readable_bytes(cheapest.bytes * 1.1)} or take at most {rows:,} rows"
    if cheapest.method != "KMeans":
        seconds = slowness() * forecast("KMeans", {"n_clusters": 12}, n, m)[0]
        return text + f"raise time_limit, or use method='KMeans' (about {readable_seconds(seconds)})"
    return text + "raise time_limit or take fewer rows"
