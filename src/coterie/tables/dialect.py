"""How a text file is written: delimiter, quoting, header. Found from its first 64 KB, before anything is parsed.

Nothing here guesses past what the sample shows: a delimiter is one that gives the same number of fields on most lines, a
header is a first line whose texts stand over numbers or dates, or whose texts are all different and do not come again.
"""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..errors import InputError
from .cast import MISSING_TEXTS
from .dates import looks_like_date
from .decimals import number_like, shows_decimal

__all__ = ["DELIMITERS", "QUOTINGS", "Dialect", "leading_lines", "sniff"]

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", " ": "white space"}
# Options of the csv module. Quotes are doubled even where a backslash may stand before them: without that the module
# accepts text after a closing quote.
QUOTINGS: dict[str, dict[str, Any]] = {
    "doubled": {},
    "backslash": {"escapechar": "\\"},
    "after blanks": {"skipinitialspace": True},
}
SAMPLE_BYTES = 64 * 1024
_MOST_FIELDS = 200_000


@dataclass(frozen=True)
class Dialect:
    """How a delimited text file is written.

    Attributes
    ----------
    delimiter : str
        One of `DELIMITERS`; " " stands for runs of blanks and tabs.
    skip : int
        Lines before the first record: "sep=;", comments.
    header : tuple of str or None
        Cells of the first record if it names the columns.
    n_fields : int
        Of every record after the header.
    comma_decimals : bool or None
        True where numbers such as "1,5" were seen, False where "1.5" was, None where neither or both.
    quoting : {"doubled", "backslash", "after blanks"}
        What stands before a quote inside a quoted value, or that quoted values may begin after blanks.
    notes : tuple of str
    """

    delimiter: str
    skip: int
    header: tuple[str, ...] | None
    n_fields: int
    comma_decimals: bool | None = None
    quoting: str = "doubled"
    notes: tuple[str, ...] = ()


def sniff(text: str, *, complete: bool, name: str) -> Dialect:
    """Find the dialect from the beginning of a file.

    Parameters
    ----------
    text : str
        The beginning, decoded, any newlines.
    complete : bool
        Whether it is the whole file; otherwise its last line may be cut and is left out.
    name : str
        Of the file, for messages.

    Returns
    -------
    Dialect

    Raises
    ------
    InputError
        If there is no text in it.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not complete and "\n" in text:
        text = text[: text.rindex("\n") + 1]
    notes: list[str] = []
    text, skip, delimiter = leading_lines(text, notes)
    if not text.strip():
        raise InputError(f"{name} holds no data: it is empty; give a file with a header line and at least one row")
    if delimiter is None:
        delimiter = _delimiter(text, complete)
    records = _records(text, delimiter, complete)
    n_fields = Counter(len(record) for record in records[1:] or records).most_common(1)[0][0]
    if n_fields > _MOST_FIELDS:
        raise InputError(f"{name} has {n_fields:,} columns; at most {_MOST_FIELDS:,} can be read")
    body = [record for record in records[1:] if len(record) == n_fields]
    first = records[0]
    header = tuple(first) if abs(len(first) - n_fields) <= 1 and _is_header(first, body) else None
    comma_decimals = _comma_decimals(body or records, delimiter)
    notes.append(f"the fields are separated by {_named(delimiter)}")
    notes.append("the first line names the columns" if header else "no header line was found: the columns are numbered")
    return Dialect(delimiter, skip, header, n_fields, comma_decimals, _quoting(text, delimiter), tuple(notes))


def _named(delimiter: str) -> str:
    return {" ": "white space", "\t": "tabs", ",": "commas", ";": "semicolons", "|": "vertical bars"}[delimiter]


def leading_lines(text: str, notes: list[str]) -> tuple[str, int, str | None]:
    """Take off blank lines, "sep=;" and comments before the first record.

    Parameters
    ----------
    text : str
    notes : list of str
        What was found is added.

    Returns
    -------
    text : str
        From the first record on.
    skip : int
        Lines before it.
    delimiter : str or None
        That such a line names.
    """
    skip, delimiter = 0, None
    while text:
        line, _, rest = text.partition("\n")
        stripped = line.strip()
        separator = re.fullmatch(r'"?sep=(.)"?', stripped if stripped.lower() != "sep=" else "sep=\t", re.IGNORECASE)
        if separator and separator[1] in DELIMITERS and skip == 0:
            delimiter = separator[1]
            notes.append(f"the line {stripped!r} names the delimiter")
        elif stripped.startswith("#") and _comment(line, rest):
            notes.append("a line beginning with # was left out as a comment")
        elif stripped:
            break
        skip += 1
        text = rest
    return text, skip, delimiter


def _comment(line: str, rest: str) -> bool:
    """Tell a comment from a header such as "#id,x,y": a comment has another number of fields than the next line."""
    following = rest.partition("\n")[0]
    return bool(following) and all(
        line.count(mark) != following.count(mark) or not line.count(mark) for mark in ",;\t|"
    )


def _delimiter(text: str, complete: bool) -> str:
    best, best_score = ",", (0.0, 0.0, 0)
    for mark in ",;\t|":
        records = _records(text, mark, complete)
        score = _score(records, mark)
        if score > best_score:
            best, best_score = mark, score
    if best_score[0] == 0.0 and _white_space_fits(text):
        return " "
    return best


def _score(records: list[list[str]], mark: str) -> tuple[float, float, int]:
    """Grade a delimiter: how many records agree on their number of fields, how whole the fields are, how many there are."""
    counts = Counter(len(record) for record in records)
    if counts.keys() == {1}:
        return 0.0, 0.0, 0
    # The number most records have; one field is what every wrong delimiter gives.
    n_fields, agree = max(counts.items(), key=lambda item: (item[0] > 1, item[1]))
    share = agree / len(records)
    if share < 0.5 and len(records) > 2:
        return 0.0, 0.0, 0
    fields = [field for record in records[1:60] or records for field in record]
    # "5;2" as a field says that the semicolon divides; "1,5" between semicolons is a decimal comma and says nothing.
    broken = sum(any(other in field for other in ";\t|" if other != mark) for field in fields)
    return round(share, 1), 1.0 - round(broken / max(len(fields), 1), 1), n_fields


def _white_space_fits(text: str) -> bool:
    rows = [line.split() for line in text.split("\n") if line.strip()][:1000]
    if len({len(row) for row in rows}) != 1 or len(rows[0]) < 2 or len(rows) < 2:
        return False
    return any(all(number_like(value) for value in column) for column in zip(*rows[1:], strict=True))


def _records(text: str, delimiter: str, complete: bool) -> list[list[str]]:
    if delimiter == " ":
        return [line.split() for line in text.split("\n") if line.strip()]
    previous = csv.field_size_limit(len(text) + 1)
    try:
        options = QUOTINGS[_quoting(text, delimiter)]
        records = [r for r in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, **options) if r]
    except csv.Error:
        records = [line.split(delimiter) for line in text.split("\n") if line]
    finally:
        csv.field_size_limit(previous)
    # The sample may end inside a quoted field.
    return records[:-1] if not complete and len(records) > 1 else records or [[""]]


def _quoting(text: str, delimiter: str) -> str:
    if '"' not in text:
        return "doubled"
    if re.search(rf'(?:{re.escape(delimiter)}|^) +"', text, re.MULTILINE):
        return "after blanks"
    return "backslash" if '\\"' in text and not _strictly(text, delimiter, "doubled") else "doubled"


def _strictly(text: str, delimiter: str, quoting: str) -> bool:
    """Say whether every closing quote is followed by a delimiter; the sample may end inside quotes."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, **QUOTINGS[quoting])
    try:
        for _ in reader:
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return True


def _is_header(first: list[str], body: list[list[str]]) -> bool:
    cells = [cell.strip() for cell in first]
    if not body:
        return not any(_typed(cell) or cell in MISSING_TEXTS for cell in cells)
    # One name short: the rows begin with an unnamed index.
    offset = len(body[0]) - len(cells)
    votes_for, votes_against, unlike = 0, 0, True
    for j, cell in enumerate(cells):
        column = [row[j + max(offset, 0)].strip() for row in body[:500] if j + max(offset, 0) < len(row)]
        known = [value for value in column if value not in MISSING_TEXTS]
        if not known or not cell:
            continue
        if 10 * sum(map(_typed, known)) >= 8 * len(known):
            votes_for += not _typed(cell) and cell not in MISSING_TEXTS
            votes_against += _typed(cell)
        else:
            unlike &= cell not in known and not _typed(cell)
    named = [cell for cell in cells if cell]
    distinct = len({cell.casefold() for cell in named}) == len(named) > 0
    if votes_for:
        # Years may name columns; measurements may not.
        return votes_against == 0 or (distinct and all(re.fullmatch(r"\d{4}|\D.*", cell) for cell in named))
    if votes_against:
        return unlike and distinct and _are_years(cells, body)
    return unlike and distinct and not any(map(_typed, named))


def _are_years(cells: list[str], body: list[list[str]]) -> bool:
    """Recognise "country,2019,2020,2021": equally spaced years over numbers that are not all years themselves."""
    years = [int(cell) for cell in cells if re.fullmatch(r"(?:19|20)\d\d", cell)]
    if len(years) < 2 or len(years) != sum(map(_typed, cells)) or len({b - a for a, b in pairwise(years)}) != 1:
        return False
    below = [value for row in body for cell, value in zip(cells, row) if _typed(cell)]
    return not all(re.fullmatch(r"(?:19|20)\d\d", value.strip()) for value in below)


def _typed(value: str) -> bool:
    return number_like(value) or looks_like_date(value)


def _comma_decimals(records: list[list[str]], delimiter: str) -> bool | None:
    fields = {field.strip().lstrip("+-") for record in records[:2000] for field in record}
    numeric = [field for field in fields if re.fullmatch(r"[\d.,]*\d", field) and ("." in field or "," in field)]
    comma = sum(shows_decimal(field, ",", ".") for field in numeric)
    point = sum(shows_decimal(field, ".", ",") for field in numeric)
    if bool(comma) == bool(point):
        return None
    return bool(comma) if delimiter != "," or comma else False
