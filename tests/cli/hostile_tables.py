"""Tables as people, exports and attackers make them: what each is called, its bytes, and the file it comes in."""

import datetime
import gzip
import io
import json

import numpy as np

ROWS = 60
_RNG = np.random.default_rng(0)
_HIGH = np.arange(ROWS) % 2
_X, _Y = (_HIGH * 8 + _RNG.normal(size=ROWS) for _ in range(2))


def _table(names, cell=lambda i: [], separator=",", rows=ROWS):
    """Two groups in the first two columns, and what ``cell`` gives in the others."""
    lines = [separator.join(names)]
    lines += [separator.join([f"{_X[i % ROWS]:.3f}", f"{_Y[i % ROWS]:.3f}", *cell(i)]) for i in range(rows)]
    return ("\n".join(lines) + "\n").encode()


def _quoted(value):
    return '"' + value.replace('"', '""') + '"'


def _npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


class Touch:
    """An object that leaves a file behind when it is unpickled."""

    def __reduce__(self):
        return open, ("pwned", "w")


PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</script><svg onload=alert(1)>",
    '"><iframe srcdoc=x>',
    "javascript:alert(1)",
    "{{7*7}}${7*7}",
)
SCRIPTS = (
    "שלום עולם",
    "مرحبا بالعالم",
    "👩‍👩‍👧‍👦",
    "Z̸͉̈́a̷l̶g̴o̵",
    "a\u200bb\u200dc",
    "\u202eevil\u202c",
    "한국어",
    "ไทย",
    "हिन्दी",
    "🏳️‍🌈",
)
_DAY = datetime.date(2024, 3, 1)
_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%B %d %Y", "%Y%m%d")


def _days(i, formats):
    return [(_DAY + datetime.timedelta(days=7 * i)).strftime(form) for form in formats]


# Each is read, and said of it (in run.json) is what stands last.
READ = {
    "a byte-order mark": (b"\xef\xbb\xbf" + _table("ab"), "x.csv", ""),
    "UTF-16 without a mark": (_table("ab").decode().encode("utf-16-le"), "x.csv", "UTF-16 (without a mark)"),
    "a name twice and one missing": (_table(["a", "a", ""], lambda i: [str(i % 3)]), "x.csv", "column 3 has no name and is called 'column_3'"),
    "10,000 categories": (_table("abc", lambda i: [f"kind {i % 10_000}"], rows=10_400), "x.csv", "almost every row has its own"),
    "columns of blanks": (_table("abcd", lambda i: ["", "   "]), "x.csv", "every value is missing"),
    "one column": (b"v\n" + b"".join(b"%.3f\n" % value for value in _X), "x.csv", ""),
    "constant columns": (_table("abc", lambda i: ["7"]), "x.csv", "every row has 7"),
    "infinity, NaN and 1e308": (_table("abc", lambda i: [["inf", "-inf", "nan", "1e308", "-1e308", "1e400", "5"][i % 7]]), "x.csv", "infinite values count as missing"),
    "decimal commas": (_table("ab", separator=";").replace(b".", b","), "x.csv", "the comma is read as the decimal mark"),
    "thousands separators": (_table("abc", lambda i: [f'"{1000 * _X[i] + 20_000:,.2f}"']), "x.csv", "commas are read as thousands separators"),
    "formulas": (_table(["a", "b", "=cmd|' /C calc'!A0"], lambda i: [["=cmd|' /C calc'!A0", "+1+1", "@SUM(1)", "-2+3"][i % 4]]), "x.csv", ""),
    "markup and scripts": (_table(["a", "b", _quoted(PAYLOADS[0])], lambda i: [_quoted(PAYLOADS[i % 2 * 3 + i % 3])]), "x.csv", ""),
    "markup in the name of the file": (_table("ab"), "<img src=x onerror=alert(1)>.csv", ""),
    "every script": (_table(["עמודה", "عمود", "\u202eقائمة"], lambda i: [SCRIPTS[i % 2 * 5 + i % 5]]), "x.csv", ""),
    "text in every script": (_table("abc", lambda i: [" ".join(SCRIPTS[j % 10] for j in range(i % 7, i % 7 + 5)) + f" n{i}"]), "x.csv", "described, but not used to form the groups"),
    "a cell of a megabyte": (_table("abc", lambda i: ["z" * 1_000_000 if i == 7 else f"word {i % 3}"]), "x.csv", ""),
    "a name of 100,000 characters": (_table(["a" * 100_000, "b"]), "x.csv", "100,000 characters and is cut to 200"),
    "lines within quotes": (_table("abc", lambda i: ['"one\ntwo, three"' if i % 2 else '"x"']), "x.csv", ""),
    "dates in six formats, one a column": (_table(["a", "b", *(f"date {j}" for j in range(6))], lambda i: _days(i, _FORMATS)), "x.csv", "dates from 2024-03-01 to"),
    "dates in six formats in one column": (_table(["a", "b", "date"], lambda i: _days(i, _FORMATS[i % 6 : i % 6 + 1])), "x.csv", "of its values are dates, but"),
    "JSON lines with differing keys": ("".join(json.dumps({"a": _X[i], "b": _Y[i]} if i % 3 else {"b": str(_Y[i]), "a": _X[i], "more": {"deep": [1, {"z": 2}]}}) + "\n" for i in range(ROWS)).encode(), "x.jsonl", "'more.deep' is left out"),
    "names that the results use": (_table(["label", "strength"]), "x.csv", ""),
}  # fmt: skip

# Each is refused; said in the one sentence is what stands last. A function makes what is large.
REFUSED = {
    "UTF-8 and Windows-1252 mixed": (_table("abc", lambda i: ["Zürich"]) + b"1,2,Gen\xe8ve\n", "x.csv", "line 62 of x.csv holds the byte 0xE8, which is not UTF-8"),
    "a row too long": (_table("ab") + b"1,2,3\n", "x.csv", "line 62 of x.csv has 3 fields where 2 are expected"),
    "a row too short": (_table("abc", lambda i: ["q"]) + b"1,2\n", "x.csv", "line 62 of x.csv has 2 fields where 3 are expected"),
    "one row": (b"a,b\n1,2\n", "x.csv", "no column to compare rows by"),
    "NUL bytes": (_table("abc", lambda i: ["q\0"]), "x.csv", "holds a NUL byte"),
    "a quote that never closes": (_table("abc", lambda i: ['"oops' if i == 30 else "fine"]), "x.csv", "a quote that opens in line 32 of x.csv is never closed"),
    "codes that steer a terminal": (_table("abc", lambda i: ["\x1b[31mred\x1b[0m"]), "x.csv", "control codes"),
    "only delimiters": (b",,,\n" * 50, "x.csv", "no column to compare rows by"),
    "random bytes": (np.random.default_rng(3).bytes(5000), "x.csv", "is not text"),
    "a web page": (b"\n<!DOCTYPE html><html><table><tr><td>1</td></tr></table></html>", "x.csv", "is a web page, not a table; download the table itself"),
    "half a gzip file": (gzip.compress(_table("ab"))[:300], "x.csv.gz", "is a damaged gzip file: it ends too early"),
    "a gzip file that fills a disk": (lambda: gzip.compress(b"a,b\n" + b"1,2\n" * 20_000_000), "x.csv.gz", "expands more than 200 times"),
    "pickled objects in .npy": (_npy(np.array([Touch(), 1], dtype=object)), "x.npy", "holds pickled Python objects, which are never loaded"),
    "a header that promises terabytes": (b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000, 100), }".ljust(117) + b"\n", "x.npy", "its header promises 80,000,000,000,000 bytes"),
    "text called .parquet": (_table("ab"), "x.parquet", "does not begin as a Parquet file does; if it is text, give it a name that ends in .csv"),
    "half a Parquet file": (b"PAR1" + bytes(100), "x.parquet", "is no readable Parquet file"),
    "a damaged database": (b"SQLite format 3\0" + b"\xff" * 500, "x.db", "x.db cannot be read: file is not a database"),
    "JSON without end": (b"[" * 100_000, "x.json", "nested too deeply"),
    "a broken line of JSON": (b'{"a": 1}\n{"a": 2}\n{"a": \n', "x.jsonl", "line 3 of x.jsonl is no JSON"),
    "lines of bare values": (b"1\n2\n3\n", "x.jsonl", "line 1 of x.jsonl holds a number, not an object"),
}  # fmt: skip
