"""Kinds of option values, and the checks that happen before anything heavy is imported."""

import difflib
import glob
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import click

from ..catalog import CATALOG, DEEP

__all__ = [
    "FOR_PICTURES", "Address", "Bytes", "Method", "NetworkMethod", "Role", "Seconds", "Share", "Windows", "default_folder", "excel_safe", "limits_and_seed",
    "output_and_talk", "usable_input", "usable_source",
]  # fmt: skip

_UNITS = {"": 1, "b": 1} | {
    letter + end: 1024**power for power, letter in enumerate("kmgt", 1) for end in ("", "b", "ib")
}  # fmt: skip
_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}
_NETWORK_METHODS = ("auto", "leiden", "louvain", "balanced_cut", "block_model", "spectral", "attributed")
# Methods that train a network, on pictures.
FOR_PICTURES = tuple(line.name for line in DEEP if line.name not in ("DeepGraphClustering", "SCANHead"))
_ENDINGS = {
    ".gz",
    ".gml",
    ".graphml",
    ".xml",
    ".graph",
    ".metis",
    ".mtx",
    ".pq",
    ".csv",
    ".tsv",
    ".txt",
    ".parquet",
    ".json",
    ".jsonl",
    ".ndjson",
    ".npy",
    ".npz",
    ".sqlite",
    ".db",
}


class Bytes(click.ParamType):
    """A size such as 2GB or 500 MB, as bytes."""

    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Return bytes."""
        size = _with_unit(value, _UNITS)
        if size is None or size < 1:
            self.fail(f"expected a size such as 500MB or 2GB, got {value!r}", param, ctx)
        return int(size)


class Seconds(click.ParamType):
    """A duration such as 30s, 5m or 1h, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return seconds."""
        seconds = _with_unit(value, _SECONDS)
        if seconds is None or seconds <= 0:
            self.fail(f"expected a duration such as 30s, 5m or 1h, got {value!r}", param, ctx)
        return seconds


class Share(click.ParamType):
    """A share such as 0.01 or 1%, as a number from 0 to 1, or to a lower bound."""

    name = "share"

    def __init__(self, most: float = 1.0):
        self.most = most

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return a share."""
        share = _with_unit(value, {"": 1.0, "%": 0.01})
        if share is None or share > self.most:
            self.fail(
                f"expected a share from 0 to {self.most:g}, or a percentage such as 2%, got {value!r}", param, ctx
            )
        return share


class Windows(click.ParamType):
    """How many windows, or how long each is: 6, 1mo, 2w."""

    name = "windows"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | str:
        """Return a number, or the length as text."""
        words = str(value).strip()
        if words.isdecimal():
            return int(words)
        if not re.fullmatch(r"\d+\s*(s|min|h|d|w|mo|q|y)", words, re.IGNORECASE):
            self.fail(f"expected a number such as 6, or a length such as 1mo, 2w or 1d, got {value!r}", param, ctx)
        return words


class Address(click.ParamType):
    """Where a scheduler of Dask listens, or "local"."""

    name = "address"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return it unchanged after a look at its form."""
        if value != "local" and not re.fullmatch(r"(tcp|tls)://[^/\s]+:\d+/?", str(value)):
            self.fail(f"expected local, tcp://host:8786 or tls://host:8786, got {value!r}", param, ctx)
        return str(value)


class Role(click.ParamType):
    """``column=role``; the last equals sign counts, so that column names may hold one."""

    name = "column=role"
    envvar_list_splitter = ";"
    kinds = ("number", "category", "date", "text", "id", "ignored")

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return it unchanged after checking the role."""
        column, _, role = str(value).rpartition("=")
        if not column:
            self.fail(f"expected COLUMN=ROLE, for example zip=category, got {value!r}", param, ctx)
        if role not in self.kinds:
            near = difflib.get_close_matches(role, self.kinds, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.kinds)}"
            self.fail(f"no role is called {role!r}; {hint}", param, ctx)
        return f"{column}={role}"


class _Named(click.ParamType):
    """One of some names, however it is written: with other capitals, with or without hyphens, underscores and spaces."""

    name = "method"
    names: ClassVar[tuple[str, ...]] = ()
    also: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Further ways to write a name, in small letters."""

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return the name as the rest of the package takes it."""
        known = {name.lower().replace("_", ""): name for name in self.names} | dict(self.also)
        plain = re.sub(r"[-_ ]", "", str(value)).lower()
        if plain not in known:
            near = difflib.get_close_matches(plain, known, 1, 0.5)
            hint = f"did you mean {known[near[0]]}?" if near else f"there are {', '.join(self.names)}"
            self.fail(f"no method is called {value!r}; {hint}", param, ctx)
        return known[plain]

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list:
        """Complete the names."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in self.names if name.lower().startswith(incomplete.lower())]


class Method(_Named):
    """The name of an algorithm: KMeans, kmeans, k-means."""

    names = ("auto", *(line.name for line in CATALOG), *FOR_PICTURES)


class NetworkMethod(_Named):
    """The name of a way to find the classes of a network: balanced_cut, balanced-cut, BalancedCut."""

    names = _NETWORK_METHODS
    also = MappingProxyType({"spectralclustering": "spectral", "attributedgraphclustering": "attributed"})


def excel_safe(command: Any) -> Any:
    """Add the option for people who open results in a spreadsheet."""
    return click.option(
        "--excel-safe", is_flag=True, help="Defuse texts in the CSV files that a spreadsheet would run as formulas."
    )(command)


def limits_and_seed(what: str) -> Callable[[Any], Any]:
    """Return a decorator that adds the options that bound an analysis, where ``what`` might need too much memory."""
    return _with(
        click.option("--memory-limit", type=Bytes(), help=f"Refuse {what} more, e.g. 2GB."),
        click.option(
            "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of all random numbers."
        ),
        click.option("--json", "as_json", is_flag=True, help="Write the record of the run (as in run.json) to stdout."),
    )


def output_and_talk(command: Any) -> Any:
    """Add the options of what is written and said."""
    return _with(
        click.option("--no-report", is_flag=True, help="Leave out report.html."),
        click.option("--force", is_flag=True, help="Write into a folder that holds other things too."),
        click.option("--strict", is_flag=True, help="Exit with 5 where the result is doubtful."),
        click.option("--print-config", is_flag=True, help="Show each option's value and where it comes from."),
        click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors."),
        click.option(
            "-v", "--verbose", is_flag=True, help="Also the seconds of each step, and what the reader decided."
        ),
    )(command)


def _with(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a decorator that adds options in this order."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def usable_input(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse a file that is not there, or a folder, before anything is imported for it."""
    if value is None or value == "-" or "://" in value or ctx.resilient_parsing:
        return value
    try:
        path = Path(value).expanduser()
        if path.is_dir():
            raise click.UsageError(f"{value} is a folder; give the file in it that holds the rows", ctx)
        if not os.path.lexists(path):
            raise click.UsageError(f"there is no file {value}{_nearest(path)}", ctx)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{value!r} cannot be a file: {error}", ctx) from error
    return str(path)


def usable_source(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Take a pattern that files match, and a folder where it holds pictures or Parquet files; else as `usable_input`."""
    if value is None or ctx.resilient_parsing:
        return value
    path = os.path.expanduser(value)
    if not os.path.isdir(path):
        is_pattern = "://" not in path and glob.has_magic(path) and not os.path.lexists(path)
        if is_pattern and glob.glob(path, recursive=True):
            return path
        return usable_input(ctx, parameter, value)
    from ..tables import holds_pictures

    if not any(Path(path).glob("*.parquet")) and not holds_pictures(path):
        raise click.UsageError(
            f"{value} is a folder without pictures and without .parquet files; give the file in it that holds the rows, or a folder of "
            "such",
            ctx,
        )
    return path


def default_folder(source: str) -> str:
    """Return the result folder for an input: ``customers.coterie`` in the current folder for ``data/customers.csv.gz``."""
    if source == "-":
        return "stdin.coterie"
    if "://" in source:
        name = re.sub(r"[?#].*", "", source.rstrip("/")).rpartition("/")[2]
        return (re.sub(r"[^\w.-]", "_", name.rpartition("@")[2]) or "query") + ".coterie"
    if glob.has_magic(source) and not os.path.exists(source):
        folder = next((part for part in Path(source).absolute().parents if not glob.has_magic(str(part))), Path("rows"))
        return f"{folder.name or 'rows'}.coterie"
    path = Path(source) if Path(source).name else Path(source).resolve()  # "." and ".." have no name of their own
    if path.is_dir():
        return f"{path.resolve().name or 'pictures'}.coterie"
    while path.suffix.lower() in _ENDINGS:
        path = path.with_suffix("")
    return f"{path.name}.coterie"


def _with_unit(value: Any, units: dict[str, Any]) -> float | None:
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-zA-Z%]*)\s*", str(value))
    if match is None or match[2].lower() not in units:
        return None
    return float(match[1]) * units[match[2].lower()]


def _nearest(path: Path) -> str:
    try:
        names = [entry.name for entry in os.scandir(path.parent)]
    except OSError:
        return f", nor a folder {path.parent}"
    near = difflib.get_close_matches(path.name, names, 1, 0.6)
    return f"; did you mean {path.parent / near[0]}?" if near else ""
