"""Bytes of unknown origin to UTF-8 on disk: compression, byte-order marks, encodings.

The rest of the reader sees one thing only: a plain UTF-8 file. An ordinary file stands for itself; everything else is
written once, in blocks, to a temporary file.
"""

import codecs
import contextlib
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import InputError, ResourceError

__all__ = ["PlainFile", "expand", "identify", "plain_utf8", "refuse_binary"]

_BLOCK = 1 << 22
# A gzip stream cannot exceed 1032 : 1; text that real tables consist of stays far below 200 : 1.
_MAX_RATIO = 200
_HARMLESS_BYTES = 64 << 20

# What files of other kinds begin with, whatever they are called.
_SIGNATURES = [
    (b"\x89PNG", "png", "a PNG picture"),
    (b"\xff\xd8\xff", "jpeg", "a JPEG picture"),
    (b"GIF8", "gif", "a GIF picture"),
    (b"II*\x00", "tiff", "a TIFF picture"),
    (b"MM\x00*", "tiff", "a TIFF picture"),
    (b"%PDF", "pdf", "a PDF document"),
    (b"PAR1", "parquet", "a Parquet file"),
    (b"SQLite format 3\x00", "sqlite", "an SQLite database"),
    (b"\x93NUMPY", "npy", "a NumPy array"),
    (b"\x1f\x8b", "gzip", "a gzip file"),
    (b"PK\x03\x04", "zip", "a zip archive"),
    (b"PK\x05\x06", "zip", "a zip archive"),
    (b"\xd0\xcf\x11\xe0", "excel", "an old Excel workbook or another Office file"),
    (b"BZh", "bzip2", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "xz", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "zstd", "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z", "a 7-Zip archive"),
    (b"\x7fELF", "program", "a program"),
    (b"MZ\x90", "program", "a program"),
    (b"\x89HDF\r\n", "hdf5", "an HDF5 file"),
    (b"ARROW1\x00", "arrow", "an Arrow IPC file"),
    (b"FEA1", "arrow", "a Feather file"),
    (b"ORC", "orc", "an ORC file"),
    (b"Obj\x01", "avro", "an Avro file"),
]
_PICKLE = tuple(bytes([0x80, version]) for version in range(2, 6))
_REMEDY = {
    "zip": "unpack it and give the table inside",
    "excel": "save it as CSV in Excel (File, Save as) and give that",
    "pickle": "pickles can run code, so they are never opened; save the data as CSV, Parquet or .npy",
    "page": "download the table itself, as CSV",
    "bzip2": "unpack it first",
    "xz": "unpack it first",
    "zstd": "unpack it first",
    "7z": "unpack it first",
}


@dataclass(frozen=True)
class PlainFile:
    """A UTF-8 file without byte-order mark handling left to do.

    Attributes
    ----------
    path : Path
        Of the original, or of a temporary copy.
    start : int
        Bytes to pass over at the beginning (a byte-order mark).
    notes : tuple of str
    copied : bool
        Whether ``path`` is a temporary copy.
    """

    path: Path
    start: int
    notes: tuple[str, ...]
    copied: bool


def identify(head: bytes) -> tuple[str, str] | None:
    """Name the kind of a binary file from its first bytes: ("png", "a PNG picture"), or None for what may be text."""
    for signature, kind, words in _SIGNATURES:
        if head.startswith(signature):
            # Three printable letters may also begin a text; real files of these kinds go on with bytes that no text has.
            if (
                signature.isalnum()
                and len(signature) <= 4
                and kind != "parquet"
                and head[:256].isascii()
                and b"\0" not in head[:256]
            ):
                continue
            if kind == "zip" and (b"xl/" in head[:4096] or b"[Content_Types].xml" in head[:4096]):
                return "excel", "an Excel workbook or another Office file"
            return kind, words
    if head.startswith(_PICKLE) and b"\n" not in head[:2]:
        return "pickle", "a Python pickle"
    return None


def refuse_binary(name: str, head: bytes) -> None:
    """Raise InputError if ``head`` begins a file that is no text, or a web page."""
    kind = identify(head)
    if head[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        kind = "page", "a web page"
    if kind is not None:
        remedy = _REMEDY.get(kind[0], "give a CSV, Parquet, JSON lines, NumPy or SQLite file")
        raise InputError(f"{name} is {kind[1]}, not a table; {remedy}")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _wide_text(head):
        return
    controls = sum(head.count(bytes([code])) for code in range(32) if code not in (0, 9, 10, 12, 13))
    if controls > max(2, len(head) // 50):
        raise InputError(
            f"{name} is not text: {controls:,} of its first {len(head):,} bytes are control codes; "
            "give a CSV, Parquet, JSON lines, NumPy or SQLite file"
        )


@contextlib.contextmanager
def expand(stream: IO[bytes], name: str, limit: int | None) -> Iterator[IO[bytes]]:
    """Read a gzip stream, refusing one that expands beyond measure.

    Raises
    ------
    InputError
        If the data is damaged, or expands more than 200 times to more than 64 MiB.
    ResourceError
        If it expands beyond ``limit`` bytes.
    """
    with contextlib.closing(io.BufferedReader(_Expanded(stream, name, limit), _BLOCK)) as expanded:
        yield expanded


class _Expanded(io.RawIOBase):
    def __init__(self, stream: IO[bytes], name: str, limit: int | None) -> None:
        self._counted = _Counted(stream)
        self._inner = gzip.GzipFile(fileobj=self._counted)  # type: ignore[call-overload]
        self._name, self._limit, self._total = name, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        try:
            data = self._inner.read(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            reason = "it ends too early" if isinstance(error, EOFError) else str(error)
            raise InputError(f"{self._name} is a damaged gzip file: {reason}; fetch or pack it again") from error
        self._total += len(data)
        if self._limit is not None and self._total > self._limit:
            raise ResourceError(
                f"{self._name} expands beyond the memory limit of {self._limit / 1e6:,.0f} MB; raise the limit or read a part"
            )
        if self._total > _HARMLESS_BYTES and self._total > _MAX_RATIO * max(self._counted.total, 1):
            raise InputError(
                f"{self._name} expands more than {_MAX_RATIO} times, as an archive made to fill a disk does; "
                "if it is a real table, unpack it first"
            )
        buffer[: len(data)] = data
        return len(data)


class _Counted:
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self.total = stream, 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(min(size, 1 << 16) if size > 0 else size)
        self.total += len(data)
        return data


def plain_utf8(path: Path | None, stream: IO[bytes], name: str, folder: Path) -> PlainFile:
    """Give the content of a stream as a UTF-8 file.

    Parameters
    ----------
    path : Path or None
        The file that ``stream`` reads, if it is an ordinary one: it is used as it is when it can be.
    stream : binary file
        At its beginning; can be read once.
    name : str
        For messages.
    folder : Path
        Where a copy may be written.

    Returns
    -------
    PlainFile

    Raises
    ------
    InputError
        If the file is mostly UTF-8 but damaged, or contains NUL bytes; the message names the line.
    """
    if path is None:
        path = folder / "copy"
        with _room_for(path, name) as copy:
            while block := stream.read(_BLOCK):
                copy.write(block)
        copied = True
    else:
        copied = False
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    for mark, encoding, words in (
        (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
        (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
        (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
        (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
    ):
        if head.startswith(mark):
            return _transcoded(path, encoding, words, name, folder)
    wide = _wide_text(head)
    if wide is not None:
        return _transcoded(path, wide, "UTF-16 (without a mark)", name, folder)
    start = 3 if head.startswith(codecs.BOM_UTF8) else 0
    problem = _first_bad_byte(path, start)
    if problem is None:
        return PlainFile(path, start, ("the text is UTF-8",), copied)
    line, byte, n_multi, n_bad = problem
    if start or n_multi > n_bad:
        raise InputError(
            f"line {line:,} of {name} holds the byte 0x{byte:02X}, which is not UTF-8 although the rest of the file is; "
            "correct or remove that line"
        )
    try:
        return _transcoded(path, "cp1252", "Windows-1252, for it is not UTF-8", name, folder)
    except InputError:
        return _transcoded(path, "latin-1", "Latin-1, for it is neither UTF-8 nor Windows-1252", name, folder)


def _wide_text(head: bytes) -> str | None:
    """Recognise UTF-16 without a mark: in Western text every other byte is zero."""
    if len(head) < 4 or b"\0" not in head[:256]:
        return None
    even, odd = head[0:4096:2], head[1:4096:2]
    if even.count(0) == 0 and odd.count(0) > 0.7 * len(odd):
        return "utf-16-le"
    if odd.count(0) == 0 and even.count(0) > 0.7 * len(even):
        return "utf-16-be"
    return None


def _first_bad_byte(path: Path, start: int) -> tuple[int, int, int, int] | None:
    """Find the first byte that is not UTF-8: (line, byte, valid sequences of several bytes, invalid ones), or None."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open(path, "rb") as file:
        file.seek(start)
        while block := file.read(_BLOCK):
            if block.isascii() and not decoder.getstate()[0]:
                continue
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                break
        else:
            try:
                decoder.decode(b"", final=True)
                return None
            except UnicodeDecodeError:
                pass
    return _count_sequences(path, start)


def _count_sequences(path: Path, start: int) -> tuple[int, int, int, int]:
    first, n_multi, n_bad, lines = None, 0, 0, 1
    with open(path, "rb") as file:
        file.seek(start)
        for raw in file:
            try:
                n_multi += 0 if raw.isascii() else sum(ord(c) > 127 for c in raw.decode("utf-8"))
            except UnicodeDecodeError as error:
                first = first or (lines, raw[error.start])
                text = raw.decode("utf-8", "replace")
                n_bad += text.count("�")
                n_multi += sum(ord(c) > 127 and c != "�" for c in text)
            lines += 1
    line, byte = first or (lines, 0)
    return line, byte, n_multi, n_bad


def _transcoded(path: Path, encoding: str, words: str, name: str, folder: Path) -> PlainFile:
    target = folder / "utf8"
    try:
        with open(path, encoding=encoding, newline="") as text, _room_for(target, name) as out:
            while block := text.read(_BLOCK):
                out.write(block.encode("utf-8"))
    except UnicodeError as error:
        raise InputError(
            f"{name} begins as {encoding.upper()} text but is damaged: {error}; save it again as UTF-8"
        ) from error
    return PlainFile(target, 0, (f"the text is {words}",), True)


@contextlib.contextmanager
def _room_for(path: Path, name: str) -> Iterator[IO[bytes]]:
    try:
        with open(path, "wb") as file:
            yield file
    except OSError as error:
        if isinstance(error, InputError | ResourceError):
            raise
        raise ResourceError(
            f"no room to unpack {name} in {os.fspath(path.parent)}: {error.strerror}; free some space or set TMPDIR"
        ) from error
