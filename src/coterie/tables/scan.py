"""An independent count of the records of a delimited file, and the place of whatever is wrong in it.

Quotes are matched by parity: outside quotes a newline ends a record, inside it belongs to the value. The file is walked in
blocks of arrays, so that a gigabyte takes seconds; what the parser reads later is compared with this count.
"""

import mmap
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scan", "scan"]

_BLOCK = 1 << 24
_QUOTE, _LF, _CR = 34, 10, 13
_MOST_REPORTED = 20


@dataclass
class Scan:
    """What the walk found.

    Attributes
    ----------
    n_records : int
        Lines that hold something, header included.
    n_blank : int
        Lines that hold nothing.
    longest : int
        Bytes of the longest record.
    odd_fields : list of (line, fields)
        The first records whose number of fields is not the expected one; lines count from 1.
    n_odd : int
        How many there are.
    nul_line : int or None
        Where a NUL byte is.
    open_quote_line : int or None
        Where a quote opens that never closes.
    stray_quote_line : int or None
        Where a quote stands inside a value or text follows a closing quote.
    has_cr, has_lf_only, has_lone_cr : bool
        Whether there are carriage returns, lines that end in LF alone, and returns without LF.
    white_space : bool
        Fields are separated by runs of blanks, and nothing was counted.
    """

    n_records: int = 0
    n_blank: int = 0
    longest: int = 0
    odd_fields: list[tuple[int, int]] = field(default_factory=list)
    n_odd: int = 0
    nul_line: int | None = None
    open_quote_line: int | None = None
    stray_quote_line: int | None = None
    has_cr: bool = False
    has_lf_only: bool = False
    has_lone_cr: bool = False
    white_space: bool = False

    @property
    def well_formed(self) -> bool:
        """Whether quotes are matched and well placed and no byte is NUL."""
        return self.nul_line is None and self.open_quote_line is None and self.stray_quote_line is None

    @property
    def mixed_ends(self) -> bool:
        """Whether lines end in more than one way."""
        return self.has_lone_cr or (self.has_cr and self.has_lf_only)

    @property
    def regular(self) -> bool:
        """Whether a strict parser can read it as it is."""
        return self.well_formed and not self.mixed_ends and not self.white_space


def scan(path: Path, start: int, delimiter: str, n_fields: int, first_fields: int, first_line: int) -> Scan:
    """Walk a file.

    Parameters
    ----------
    path : Path
        UTF-8.
    start : int
        Byte at which the first record begins.
    delimiter : str
        One ASCII character.
    n_fields, first_fields : int
        Expected of every record, and of the first one.
    first_line : int
        Number of the first record's line, for messages.

    Returns
    -------
    Scan
    """
    found = Scan()
    with open(path, "rb") as file:
        if path.stat().st_size <= start:
            return found
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            walk = _Walk(found, ord(delimiter), n_fields, first_fields, first_line)
            for low in range(start, len(data), _BLOCK):
                walk.block(np.frombuffer(data[low : low + _BLOCK], np.uint8))
            walk.finish()
    return found


class _Walk:
    """State carried from block to block."""

    def __init__(self, found: Scan, delimiter: int, n_fields: int, first_fields: int, line: int) -> None:
        self.found, self.delimiter, self.n_fields, self.first_fields = found, delimiter, n_fields, first_fields
        self.inside = 0  # 1 inside quotes
        self.fields = 0  # delimiters of the record that the block begins in
        self.length = 0  # bytes of it
        self.line = line  # of the block's first byte
        self.record_line = line  # of the record that the block begins in
        self.last = _LF  # byte before the block
        self.open_line = line
        self.pending_close = False  # the block before ended in a closing quote

    def block(self, a: NDArray[np.uint8]) -> None:
        newlines = np.flatnonzero(a == _LF)
        found = self.found
        if found.nul_line is None and not a.all():
            found.nul_line = self._line_of(int(np.flatnonzero(a == 0)[0]), newlines)
        quotes = np.flatnonzero(a == _QUOTE)
        self._carriage_returns(a, newlines)
        delimiters = np.flatnonzero(a == self.delimiter)
        ends = newlines
        if quotes.size or self.inside:
            self._check_quotes(a, quotes, newlines)
            ends = ends[(np.searchsorted(quotes, ends) + self.inside) & 1 == 0]
            delimiters = delimiters[(np.searchsorted(quotes, delimiters) + self.inside) & 1 == 0]
        self._records(a, ends, delimiters, newlines)
        self.inside = (self.inside + quotes.size) & 1
        self.line += newlines.size
        self.last = int(a[-1])

    def finish(self) -> None:
        """Close the last record, which needs no newline."""
        if self.inside:
            self.found.open_quote_line = self.open_line
        if self.length > 0:
            self._records(np.array([_LF], np.uint8), np.array([0]), np.array([], int), np.array([], int))

    def _line_of(self, position: int, newlines: NDArray[np.int64]) -> int:
        return self.line + int(np.searchsorted(newlines, position))

    def _carriage_returns(self, a, newlines) -> None:
        found = self.found
        returns = np.flatnonzero(a == _CR)
        after_return = np.count_nonzero(a[newlines - 1] == _CR) if newlines.size else 0
        if newlines.size and newlines[0] == 0:  # newlines[0] - 1 wrapped to the end of the block
            after_return += int(self.last == _CR) - int(a[-1] == _CR)
        found.has_cr |= returns.size > 0
        found.has_lf_only |= newlines.size > after_return
        inner = returns[returns < a.size - 1]
        found.has_lone_cr |= bool((a[inner + 1] != _LF).any())

    def _check_quotes(self, a, quotes, newlines) -> None:
        """An opening quote begins a field, a closing one ends it; two in a row are one quote of the value."""
        if not quotes.size:
            return
        opening, closing = quotes[self.inside :: 2], quotes[1 - self.inside :: 2]
        before = np.where(opening > 0, a[opening - 1], self.last)
        good = np.isin(before, (self.delimiter, _LF, _CR))
        doubled = np.zeros(opening.size, bool)
        if closing.size and opening.size:
            at = np.searchsorted(closing, opening) - 1
            doubled = (at >= 0) & (closing[np.maximum(at, 0)] == opening - 1)
        if opening.size and opening[0] == 0:
            doubled[0] |= self.pending_close
        strays = opening[~(good | doubled)]
        inner = closing[closing < a.size - 1]
        after = a[inner + 1]
        strays = np.concatenate([strays, inner[~np.isin(after, (self.delimiter, _LF, _CR, _QUOTE))]])
        if self.pending_close and a[0] not in (self.delimiter, _LF, _CR, _QUOTE):
            strays = np.append(strays, 0)
        if strays.size and self.found.stray_quote_line is None:
            self.found.stray_quote_line = self._line_of(int(strays.min()), newlines)
        if opening.size:
            self.open_line = self._line_of(int(opening[-1]), newlines)
        self.pending_close = bool(closing.size) and int(closing[-1]) == a.size - 1

    def _records(self, a, ends, delimiters, newlines) -> None:
        if ends.size == 0:
            self.fields += delimiters.size
            self.length += a.size
            return
        found = self.found
        cumulative = np.searchsorted(delimiters, ends)
        fields = np.diff(cumulative, prepend=0) + 1
        lengths = np.diff(ends, prepend=-1) - 1
        fields[0] += self.fields
        lengths[0] += self.length
        returns = a[np.maximum(ends - 1, 0)] == _CR
        if ends[0] == 0:
            returns[0] = self.last == _CR
        blank = (lengths == 0) | ((lengths == 1) & returns)
        found.n_blank += int(np.count_nonzero(blank))
        found.longest = max(found.longest, int(lengths.max()))
        kept = np.flatnonzero(~blank)
        odd = kept[fields[kept] != self.n_fields]
        if found.n_records == 0 and kept.size:
            odd = odd[odd != kept[0]]
            if fields[kept[0]] != self.first_fields:
                odd = np.concatenate([kept[:1], odd])
        found.n_records += kept.size
        found.n_odd += odd.size
        for i in odd[: max(0, _MOST_REPORTED - len(found.odd_fields))]:
            begin = int(ends[i - 1]) + 1 if i else -1
            line = self.record_line if i == 0 else self._line_of(begin, newlines)
            found.odd_fields.append((line, int(fields[i])))
        self.fields = delimiters.size - int(cumulative[-1])
        self.length = a.size - int(ends[-1]) - 1
        self.record_line = self._line_of(int(ends[-1]) + 1, newlines)
