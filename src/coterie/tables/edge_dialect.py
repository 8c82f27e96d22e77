"""How a list of links is written as text: comments, what separates its fields, and whether its first line is a header."""

import re
from collections import Counter
from dataclasses import replace

from ..errors import InputError
from .decimals import number_like
from .dialect import Dialect, sniff
from .encoding import refuse_binary

__all__ = ["edge_dialect", "without_comments"]

_SAMPLE = 1 << 16
_HEADER_WORDS = re.compile(
    r"(?i)(source|target|src|dst|from|to|node|id|weight|user|name|vertex|u|v)([ _-]?(id|node))*[ _-]?[12ab]?"
)


def without_comments(data: bytes) -> tuple[bytes, int]:
    """Empty the lines that begin with # or %: what is left keeps its line numbers."""
    if data[:1] not in (b"#", b"%") and b"\n#" not in data and b"\n%" not in data:
        return data, 0
    return re.subn(rb"(?m)^[#%][^\n]*", b"", data)


def edge_dialect(data: bytes, name: str) -> tuple[bytes, Dialect]:
    """Find how the links are written; white space is made one tab."""
    sample = data.lstrip(b"\n")[:_SAMPLE]
    complete = len(sample) == len(data.lstrip(b"\n"))
    text = sample.decode("utf-8", "ignore")
    refuse_binary(name, text[:4096].encode())
    dialect = sniff(text, complete=complete, name=name)
    lines = [line for line in (text if complete else text.rpartition("\n")[0]).split("\n") if line.strip()]
    tabs = {line.count("\t") for line in lines}
    blanks = dialect.delimiter in " \t" or dialect.n_fields == 1
    if blanks and (len(tabs) > 1 or 0 in tabs) and len(lines[0].split()) > 1:
        data = _tabbed(data)
        dialect = Dialect("\t", 0, None, 0, notes=(*dialect.notes[:-2], "the fields are separated by white space"))
        lines = ["\t".join(line.split()) for line in lines]
    lines = lines[1 if dialect.skip and "=" in lines[0] else 0 :]  # "sep=;"
    if '"' not in text and lines:
        widths = Counter(line.count(dialect.delimiter) + 1 for line in lines)
        dialect = replace(dialect, n_fields=max(widths, key=lambda width: widths[width]))
    if dialect.n_fields < 2:
        raise InputError(
            f"{name} has one column, but a list of links needs two: the nodes at both ends of each link, and perhaps a weight"
        )
    records = [[cell.strip().strip('"') for cell in line.split(dialect.delimiter)] for line in lines]
    header = tuple(records[0]) if _is_header(records, dialect) else None
    skip = dialect.skip + len(data) - len(data.lstrip(b"\n")) if dialect.skip else 0
    if skip:
        data = b"\n" * skip + b"\n".join(data.split(b"\n")[skip:])
    said = "the first line names the columns" if header else "no header line was found"
    notes = (*(note for note in dialect.notes if "header" not in note and "first line" not in note), said)
    return data, Dialect(dialect.delimiter, 0, header, dialect.n_fields, dialect.comma_decimals, dialect.quoting, notes)


def _tabbed(data: bytes) -> bytes:
    data = data.translate(bytes.maketrans(b" ", b"\t"))
    if b"\t\t" in data or b"\n\t" in data or b"\t\n" in data or data[:1] == b"\t":
        data = re.sub(rb"(?m)^\t+|\t+$", b"", re.sub(rb"\t\t+", b"\t", data))
    return data


def _is_header(records: list[list[str]], dialect: Dialect) -> bool:
    """Say whether the first record names the columns: words for ends, texts over numbers, or names that never come again."""
    first, body = records[0], [record for record in records[1:] if len(record) == dialect.n_fields]
    named = [cell for cell in first if cell]  # the column of row numbers that frames are written with has no name
    if len(first) != dialect.n_fields or len(named) < 2 or any(number_like(cell) for cell in named):
        return False
    if {cell for record in body for cell in record}.intersection(named[:2]):
        return False
    if all(_HEADER_WORDS.fullmatch(cell) for cell in named[:2]):
        return True
    if any(cell and all(number_like(record[j]) for record in body) for j, cell in enumerate(first)):
        return bool(body)
    return dialect.header is not None
