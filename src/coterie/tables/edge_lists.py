"""Edge lists: text files and Parquet files with a row for each link, its two ends and perhaps a weight.

Names of nodes may be any text. Where all of them are whole numbers, the nodes are in ascending order, else in order of first
appearance. The rows are parsed and numbered by DuckDB: 10 million links take seconds.
"""

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from ..errors import InputError, ResourceError
from .dialect import Dialect
from .duck import connect, literal, quoted, safe_path
from .edge_dialect import edge_dialect, without_comments
from .encoding import plain_utf8
from .graph_links import Links
from .link_times import TIME_NAMES, TimedLinks, moments_of, since_1970
from .rewrite import ragged, rewrite
from .scan import scan
from .table import unknown_name

__all__ = ["Columns", "read_edge_list", "read_edge_parquet"]

_ENDS = (
    ("source", "src", "from", "from_id", "from_node", "fromnodeid", "source_id", "start", "tail", "sender", "follower"),
    (
        "target",
        "dst",
        "dest",
        "destination",
        "to",
        "to_id",
        "to_node",
        "tonodeid",
        "target_id",
        "end",
        "head",
        "receiver",
    ),
)
_WEIGHTS = ("weight", "weights", "w", "value", "strength", "count", "n", "frequency")
_WHOLE = "-?(0|[1-9][0-9]{0,17})"


class Columns(NamedTuple):
    """Names of the columns that hold the ends, the weights and the times; None is found, "" is none."""

    source: str | None = None
    target: str | None = None
    weight: str | None = None
    time: str | None = None


def read_edge_list(
    path: Path | None, stream: IO[bytes], name: str, columns: Columns, memory_limit: int | None = None
) -> Links:
    """Read a delimited text file of links; fields are separated by commas, semicolons, tabs, bars or white space.

    Parameters
    ----------
    path : Path or None
        The file that ``stream`` reads, if it is an ordinary one.
    stream : binary file
    name : str
        Of the file, for messages.
    columns : Columns
    memory_limit : int, optional
        Bytes that parsing may use.

    Returns
    -------
    Links

    Raises
    ------
    InputError
        If it has fewer than two columns, an end is missing, or a weight cannot be used; the message names the line.
    """
    with tempfile.TemporaryDirectory(prefix="coterie-") as temporary:
        folder = Path(temporary)
        plain = plain_utf8(path, stream, name, folder)
        data = plain.path.read_bytes()[plain.start :]
        data, n_comments = without_comments(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        data, dialect = edge_dialect(data, name)
        canonical = folder / "links"
        canonical.write_bytes(data)
        chosen = _chosen(dialect.header, dialect.n_fields, columns, name, dialect)
        source, dialect, n_rows, longest, skip = _regular(canonical, dialect, name, folder)
        lines = _Lines(data, name, dialect.header is not None or skip > 0)
        with contextlib.closing(connect(source, memory_limit)) as connection:
            _load(connection, source, dialect, chosen, n_rows, longest, skip, name)
            links = _numbered(connection, chosen, lines, name)
    links.n_comments = n_comments
    links.notes[:0] = [*plain.notes, *dialect.notes]
    return links


def read_edge_parquet(path: Path, columns: Columns, memory_limit: int | None = None) -> Links:
    """Read a Parquet file of links.

    Parameters
    ----------
    path : Path
    columns : Columns
    memory_limit : int, optional

    Returns
    -------
    Links

    Raises
    ------
    InputError
        If it is damaged, has fewer than two columns, an end is missing, or a weight cannot be used; the message names the row.
    """
    import duckdb

    name = path.name
    with tempfile.TemporaryDirectory(prefix="coterie-") as folder:
        source = safe_path(path, Path(folder))
        table = f"read_parquet({literal(str(source))})"
        try:
            with contextlib.closing(connect(source, memory_limit)) as connection:
                described = connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
                names = tuple(str(one[0]) for one in described)
                chosen = _chosen(names, len(names), columns, name, None)
                wanted = ", ".join(
                    f"CAST({quoted(names[j])} AS VARCHAR) AS {c}"
                    for j, c in zip(chosen.places, "stwdm", strict=True)
                    if j is not None
                )
                connection.execute(f"CREATE TEMP TABLE links AS SELECT {wanted} FROM {table}")
                return _numbered(connection, chosen, _Rows(name), name)
        except duckdb.OutOfMemoryException as error:
            raise ResourceError(f"{name} does not fit in the memory limit; raise the limit or read a part") from error
        except duckdb.Error as error:
            reason = str(error).partition("\n")[0].replace(str(source), "it").strip(" .")[:200]
            raise InputError(f"{name} is no readable Parquet file: {reason}; write or fetch it again") from error


class _Chosen(NamedTuple):
    places: tuple[
        int, int, int | None, int | None, int | None
    ]  # of source, target, weight, "Directed" or "Undirected" as Gephi has it, and time
    sure: bool  # whether the weight was named, rather than found third in a file without header
    notes: list[str]
    time: tuple[str, bool] = ("", False)  # the column of times, and whether it was asked for


def _chosen(
    header: Sequence[str] | None, n_fields: int, columns: Columns, name: str, dialect: Dialect | None
) -> _Chosen:
    """Choose the columns of the ends and of the weight."""
    if header is None:
        if any(columns):
            raise InputError(f"{name} has no header line, so no column is called {next(filter(None, columns))!r}")
        return _Chosen((0, 1, 2 if n_fields > 2 and columns.weight is None else None, None, None), False, [])
    names = [cell.strip() for cell in header]
    if len(names) < 2:
        raise InputError(f"{name} has one column, but a list of links needs two: the nodes at both ends of each link")
    lower = [cell.casefold() for cell in names]
    places: list[int | None] = []
    for given, known in zip(columns, (*_ENDS, _WEIGHTS, TIME_NAMES), strict=True):
        if given == "" and known in (_WEIGHTS, TIME_NAMES):
            places.append(None)
        elif given is not None:
            if given not in names:
                raise unknown_name(given, names)
            places.append(names.index(given))
        else:
            places.append(next((lower.index(one) for one in known if one in lower), None))
    weight, time = places[2:]
    source, target = _ends(names, places[:3], name)
    if time in (source, target, weight):
        if columns.time:
            raise InputError(
                f"the column {columns.time!r} cannot be the time of links and their end or weight too; name the other columns as well"
            )
        time = None
    kind = lower.index("type") if "type" in lower else None
    kind = None if kind in (source, target, weight, time) else kind
    unused = [cell for j, cell in enumerate(names) if cell and j not in (source, target, weight, kind, time)]
    notes = [f"links lead from {names[source]!r} to {names[target]!r}"]
    if unused:
        hint = "" if weight is not None else f"; weight={unused[0]!r} would take it for the weight of links"
        notes.append(f"not used: {', '.join(map(repr, unused[:5]))}{hint}")
    said = ("" if time is None else names[time], columns.time is not None)
    return _Chosen((source, target, weight, kind, time), True, notes, said)


def _ends(names: list[str], places: list[int | None], name: str) -> tuple[int, int]:
    """Return the columns of both ends; one that no name gives is the first other column."""
    source, target, weight = places
    if source == target:
        source = target = None
    free = [j for j, cell in enumerate(names) if cell and j not in (source, target, weight)]
    if len(free) < (source is None) + (target is None):
        raise InputError(
            f"{name} has the columns {', '.join(map(repr, names))}, but a list of links needs two for the nodes at its ends"
        )
    source = free.pop(0) if source is None else source
    return source, free.pop(0) if target is None else target


def _regular(path: Path, dialect: Dialect, name: str, folder: Path) -> tuple[Path, Dialect, int, int, int]:
    """Check every line, and rewrite the file where a strict parser would stumble; returns rows, longest and lines to skip."""
    found = scan(path, 0, dialect.delimiter, dialect.n_fields, dialect.n_fields, 1)
    if found.nul_line is not None:
        raise InputError(f"line {found.nul_line:,} of {name} holds a NUL byte; the file is damaged or is no text")
    if found.well_formed and found.odd_fields:
        line, fields = found.odd_fields[0]
        raise InputError(ragged(name, line, fields, dialect, found.n_odd - 1))
    header = int(dialect.header is not None)
    if found.n_records <= header:
        raise InputError(f"{name} has a header line but no links; give a file with at least one")
    if found.regular:
        blank = 0
        with open(path, "rb") as file:
            while header and not file.readline().strip():
                blank += 1
        return path, dialect, found.n_records - header, found.longest, blank + header
    target = folder / "canonical"
    n_rows, longest, _ = rewrite(path, 0, dialect, dialect.n_fields, name, found, target)
    plain = Dialect(",", 0, None, dialect.n_fields, dialect.comma_decimals, notes=dialect.notes)
    return target, plain, n_rows, longest, 0


def _load(
    connection: Any, source: Path, dialect: Dialect, chosen: _Chosen, n_rows: int, longest: int, skip: int, name: str
) -> None:
    """Make the table ``links`` with the texts s, t and w."""
    import duckdb

    fields = ", ".join(f"'c{j}': 'VARCHAR'" for j in range(dialect.n_fields))
    wanted = ", ".join(f"trim(c{j}) AS {c}" for j, c in zip(chosen.places, "stwdm", strict=True) if j is not None)
    size = max(longest + 1024, 1 << 20)
    try:
        connection.execute(
            f"CREATE TEMP TABLE links AS SELECT {wanted} FROM read_csv({literal(str(source))}, auto_detect=false, "
            f"delim={literal(dialect.delimiter)}, quote='\"', escape='\"', new_line='\\n', header=false, skip={skip}, "
            f"columns={{{fields}}}, strict_mode=true, null_padding=false, nullstr='', "
            f"max_line_size={size}, buffer_size={max(4 * size, 8 << 20)})"
        )
        (counted,) = connection.execute("SELECT count(*) FROM links").fetchone()
    except duckdb.OutOfMemoryException as error:
        raise ResourceError(f"{name} does not fit in the memory limit; raise the limit or read a part") from error
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0][:200]
        raise InputError(f"{name} cannot be read as a list of links: {reason}") from error
    if counted != n_rows:
        raise InputError(f"{name} has {n_rows:,} records, but {counted:,} could be parsed; check its quotes")


class _Lines:
    """Where a link stands in a text file; looked up only for a message."""

    def __init__(self, data: bytes, name: str, header: bool) -> None:
        self.data, self.name, self.header = data, name, header

    def place(self, row: int) -> str:
        filled = (i for i, line in enumerate(self.data.split(b"\n"), 1) if line.strip())
        for seen, i in enumerate(filled):
            if seen == row + self.header:
                return f"line {i:,} of {self.name}"
        return f"link {row + 1:,} of {self.name}"


class _Rows:
    def __init__(self, name: str) -> None:
        self.name = name

    def place(self, row: int) -> str:
        return f"row {row + 1:,} of {self.name}"


def _numbered(connection: Any, chosen: _Chosen, lines: Any, name: str) -> Links:
    """Number the nodes of the table ``links`` and check its weights."""
    missing = connection.execute(
        "SELECT rowid, s IS NULL OR s = '' FROM links WHERE s IS NULL OR t IS NULL OR s = '' OR t = '' ORDER BY rowid LIMIT 1"
    ).fetchone()
    if missing:
        which = "first" if missing[1] else "second"
        raise InputError(
            f"{lines.place(missing[0])} does not name the {which} node of its link; fill it in or remove it"
        )
    weights, notes = _weights(connection, lines) if chosen.places[2] is not None else (None, [])
    if isinstance(weights, str):
        if chosen.sure:
            raise InputError(weights)
        weights, notes = None, [*notes, "the third column holds no numbers and is not used"]
    (texts,) = connection.execute(
        f"SELECT count(*) FROM links WHERE NOT (regexp_full_match(s, '{_WHOLE}') AND regexp_full_match(t, '{_WHOLE}'))"
    ).fetchone()
    names, sources, targets = _by_name(connection) if texts else _by_number(connection)
    weights, times, more = _times(connection, chosen, weights, lines)
    timed = times and TimedLinks(times[0], sources, targets, weights, *times[1])
    notes = [*chosen.notes, *notes, *more]
    return Links(names, sources, targets, weights, _said(connection, chosen), notes=notes, timed=timed)


def _times(connection: Any, chosen: _Chosen, weights: Any, lines: Any) -> tuple[Any, Any, list[str]]:
    """Return the weights, the column of times with what it holds, if there is one, and notes."""
    if chosen.places[4] is not None:
        column, given = chosen.time
        times = moments_of(connection, column, lines, given=given)
        if times is None:
            return weights, None, [f"{column!r} is called like a time but holds none"]
        unknown = int(np.isnan(times[0]).sum())
        more = [f"{unknown:,} link{'s have' if unknown != 1 else ' has'} no time that can be read"] if unknown else []
        return weights, (column, times), [f"links have the time {column!r}", *more]
    # Without a header nothing says what the third column is but its numbers.
    stamps = None if chosen.sure or weights is None else since_1970(weights)
    if stamps is None:
        return weights, None, []
    return None, ("the third column", (stamps, True)), ["the third column was taken for times, seconds since 1970"]


def _said(connection: Any, chosen: _Chosen) -> bool | None:
    """Say whether the links are directed, where a column says the same of all of them."""
    if chosen.places[3] is None:
        return None
    kinds = {kind for (kind,) in connection.execute("SELECT DISTINCT lower(d) FROM links LIMIT 3").fetchall()}
    return {"directed": True, "undirected": False}.get(kinds.pop()) if len(kinds) == 1 else None


def _weights(connection: Any, lines: Any) -> tuple[Any, list[str]]:
    """Return the weights, or a sentence where most of them are no numbers."""
    number = "TRY_CAST(w AS DOUBLE)"
    total, read = connection.execute(f"SELECT count(*), count({number}) FROM links").fetchone()
    notes = []
    if 2 * read < total:
        comma = "TRY_CAST(replace(w, ',', '.') AS DOUBLE)"
        (read_comma,) = connection.execute(f"SELECT count({comma}) FROM links").fetchone()
        if 2 * read_comma >= total:
            number, read = comma, read_comma
            notes.append("the comma was read as the decimal mark of weights")
    bad = connection.execute(
        f"SELECT rowid, w FROM (SELECT rowid, w, {number} AS x FROM links) "
        "WHERE x IS NULL OR NOT isfinite(x) OR x < 0 ORDER BY rowid LIMIT 1"
    ).fetchone()
    if bad is None:
        return np.asarray(connection.execute(f"SELECT {number} AS x FROM links").fetchnumpy()["x"], np.float64), notes
    row, text = bad
    what = "no weight" if text in (None, "") else f"the weight {text[:30]!r}"
    sentence = f"{lines.place(row)} gives a link {what}; weights must be finite numbers of at least 0"
    if 2 * read < total:
        return sentence, notes
    raise InputError(sentence)


def _by_number(connection: Any) -> tuple[list[str], np.ndarray, np.ndarray]:
    found = connection.execute("SELECT CAST(s AS BIGINT) AS s, CAST(t AS BIGINT) AS t FROM links").fetchnumpy()
    sources, targets = (np.asarray(found[c], np.int64) for c in "st")
    low, high = min(sources.min(), targets.min()), max(sources.max(), targets.max())
    if high - low <= 8 * len(sources) + 1000:  # counting instead of sorting
        there = np.zeros(high - low + 1, bool)
        there[sources - low] = there[targets - low] = True
        numbers = np.flatnonzero(there)
        place = np.cumsum(there) - 1
        return [str(i) for i in (numbers + low).tolist()], place[sources - low], place[targets - low]
    numbers, places = np.unique(np.concatenate([sources, targets]), return_inverse=True)
    return [str(i) for i in numbers.tolist()], places[: len(sources)], places[len(sources) :]


def _by_name(connection: Any) -> tuple[list[str], np.ndarray, np.ndarray]:
    connection.execute(
        "CREATE TEMP TABLE nodes AS SELECT name, row_number() OVER (ORDER BY seen) - 1 AS i FROM ("
        "SELECT name, min(place) AS seen FROM (SELECT s AS name, 2 * rowid AS place FROM links "
        "UNION ALL SELECT t, 2 * rowid + 1 FROM links) GROUP BY name)"
    )
    names = [name for (name,) in connection.execute("SELECT name FROM nodes ORDER BY i").fetchall()]
    found = connection.execute(
        "SELECT a.i AS s, b.i AS t FROM links JOIN nodes a ON links.s = a.name JOIN nodes b ON links.t = b.name "
        "ORDER BY links.rowid"
    ).fetchnumpy()
    return names, np.asarray(found["s"], np.int64), np.asarray(found["t"], np.int64)
