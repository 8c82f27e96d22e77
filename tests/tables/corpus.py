"""Small delimited files, one for each way a file can be odd, and the one outcome each has.

``Good`` gives the columns to be read (numbers, texts, None where missing, dates as ISO text) and, where the reader must say
something, words of its notes. ``Bad`` gives words of the refusal.
"""

import gzip
from typing import Any, NamedTuple


class Good(NamedTuple):
    """The file is read."""

    data: bytes
    columns: dict[str, list[Any]]
    says: str = ""
    name: str = "data.csv"


class Bad(NamedTuple):
    """The file is refused with a sentence that contains ``says``."""

    data: bytes
    says: str
    name: str = "data.csv"


ABC = {"a": [1, 4], "b": [2, 5], "c": [3, 6]}
PLAIN = b"a,b,c\n1,2,3\n4,5,6\n"
TEXT = "name,city\nJosé,Zürich\nÅsa,Łódź\n"
WIDE = ",".join(f"c{i}" for i in range(5000)) + "\n" + ",".join("1" for _ in range(5000)) + "\n"


INVOICES = [*(str(536_365 + i) for i in range(90)), "C536379", "C536380", "C536391"]


def _rows(header: str, *rows: str) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def _column(*values: str, head: str = "v") -> bytes:
    """A file of two columns, the second of which is looked at: the first keeps single columns out of it."""
    return _rows(f"k,{head}", *(f"{key},{value}" for key, value in zip(_k(len(values)), values)))


def _k(n: int) -> list[str]:
    return [f"k{'abcdefghijklmnopqrstuvwxyz'[i % 26]}" for i in range(n)]


def _with(values: list[Any]) -> dict[str, list[Any]]:
    return {"k": _k(len(values)), "v": values}


CASES: dict[str, Good | Bad] = {
    # delimiters
    "comma": Good(PLAIN, ABC, "commas"),
    "semicolon": Good(PLAIN.replace(b",", b";"), ABC, "semicolons"),
    "tab": Good(PLAIN.replace(b",", b"\t"), ABC, "tabs"),
    "tab in a .tsv": Good(PLAIN.replace(b",", b"\t"), ABC, "tabs", "data.tsv"),
    "bar": Good(PLAIN.replace(b",", b"|"), ABC, "vertical bars"),
    "runs of blanks": Good(b" id  x    y\n 1   2.5  3\n 22  3.5  10\n", {"id": [1, 22], "x": [2.5, 3.5], "y": [3, 10]}, "white space"),
    "sep line": Good(b"sep=;\na;b\n1;2\n3;4\n", {"a": [1, 3], "b": [2, 4]}, "names the delimiter"),
    "sep line quoted": Good(b'"sep=|"\na|b\n1|2\n3|4\n', {"a": [1, 3], "b": [2, 4]}, "names the delimiter"),
    "semicolon and decimal comma": Good(b"a;b\n1,5;2,25\n3,5;4,75\n", {"a": [1.5, 3.5], "b": [2.25, 4.75]}, "decimal mark"),
    "semicolon, decimal comma, no header": Good(b"1,5;2,25\n3,5;4,75\n", {"column_1": [1.5, 3.5], "column_2": [2.25, 4.75]}),
    "comma text between semicolons": Good(b"n;t\n1;a, b\n2;c\n", {"n": [1, 2], "t": ["a, b", "c"]}),
    "semicolons inside quoted comma file": Good(b'n,t\n1,"a;b"\n2,"c;d"\n', {"n": [1, 2], "t": ["a;b", "c;d"]}),
    "one column": Good(b"x\n1\n2\n", {"x": [1, 2]}),
    "one column of texts with blanks": Good(b"name\nJohn Smith\nAnn Lee\nBo\n", {"name": ["John Smith", "Ann Lee", "Bo"]}),
    # line ends
    "crlf": Good(PLAIN.replace(b"\n", b"\r\n"), ABC),
    "cr alone": Good(PLAIN.replace(b"\n", b"\r"), ABC, "CR alone"),
    "mixed crlf and lf": Good(b"a,b,c\r\n1,2,3\n4,5,6\r\n", ABC, "different ways"),
    "mixed with a lone cr": Good(b"a,b,c\n1,2,3\r4,5,6\n", ABC, "different ways"),
    "no newline at the end": Good(PLAIN[:-1], ABC),
    "no newline at the end, crlf": Good(PLAIN[:-1].replace(b"\n", b"\r\n"), ABC),
    "blank lines": Good(b"a,b,c\n\n1,2,3\n\n\n4,5,6\n", ABC, "3 blank lines"),
    "blank lines at the end": Good(PLAIN + b"\n\n", ABC, "2 blank lines"),
    "blank lines, crlf": Good(b"a,b,c\r\n\r\n1,2,3\r\n4,5,6\r\n\r\n", ABC, "2 blank lines"),
    "blank lines before the header": Good(b"\n\na,b,c\n1,2,3\n4,5,6\n", ABC),
    "blank line in one column is missing": Good(b"x\n1\n\n3\n\n", {"x": [1, None, 3]}),
    "line of delimiters is a row": Good(b"a,b,c\n1,2,3\n,,\n4,5,6\n", {"a": [1, None, 4], "b": [2, None, 5], "c": [3, None, 6]}),
    # encodings
    "utf-8": Good(TEXT.encode(), {"name": ["José", "Åsa"], "city": ["Zürich", "Łódź"]}, "UTF-8"),
    "utf-8 with mark": Good(b"\xef\xbb\xbf" + PLAIN, ABC),
    "utf-8 with mark and quoted header": Good(b'\xef\xbb\xbf"a","b","c"\n1,2,3\n4,5,6\n', ABC),
    "utf-8 with mark and crlf": Good(b"\xef\xbb\xbf" + PLAIN.replace(b"\n", b"\r\n"), ABC),
    "utf-16 little endian": Good(TEXT.encode("utf-16"), {"name": ["José", "Åsa"], "city": ["Zürich", "Łódź"]}, "UTF-16"),
    "utf-16 big endian": Good(b"\xfe\xff" + TEXT.encode("utf-16-be"), {"name": ["José", "Åsa"], "city": ["Zürich", "Łódź"]}, "UTF-16"),
    "utf-16 without mark": Good(PLAIN.decode().encode("utf-16-le"), ABC, "UTF-16"),
    "utf-16 big endian without mark": Good(PLAIN.decode().encode("utf-16-be"), ABC, "UTF-16"),
    "utf-16 tabs from Excel": Good(PLAIN.replace(b",", b"\t").replace(b"\n", b"\r\n").decode().encode("utf-16"), ABC, "UTF-16"),
    "utf-32": Good(TEXT.encode("utf-32"), {"name": ["José", "Åsa"], "city": ["Zürich", "Łódź"]}, "UTF-32"),
    "latin-1": Good("name,n\nJosé,1\nÅsa,2\n".encode("latin-1"), {"name": ["José", "Åsa"], "n": [1, 2]}, "Windows-1252"),
    "windows-1252": Good("name,n\n“x”,1\n€,2\n".encode("cp1252"), {"name": ["“x”", "€"], "n": [1, 2]}, "Windows-1252"),
    "latin-1 beyond windows-1252": Good(b"name,n\n\x81\xe9,1\nb,2\n", {"name": ["\x81é", "b"], "n": [1, 2]}, "Latin-1"),
    "one bad byte in utf-8": Bad("name,n\nJosé,1\nÅsa,2\nŁódź,3\n".encode() + b"\xff,4\n", "line 5"),
    "truncated utf-16": Bad(PLAIN.decode().encode("utf-16")[:-1], "damaged"),
    "nul byte": Bad(b"a,b\n1,2\n3,\x004\n5,6\n", "line 3"),
    # quotes
    "quoted": Good(b'"a","b","c"\n"1","2","3"\n"4","5","6"\n', ABC),
    "quoted delimiter": Good(b'n,t\n1,"x, y"\n2,z\n', {"n": [1, 2], "t": ["x, y", "z"]}),
    "quoted newline": Good(b'n,t\n1,"x\ny"\n2,z\n', {"n": [1, 2], "t": ["x\ny", "z"]}),
    "quoted crlf": Good(b'n,t\r\n1,"x\r\ny"\r\n2,z\r\n', {"n": [1, 2], "t": ["x\r\ny", "z"]}),
    "quoted newline in the header": Good(b'n,"t\nu"\n1,a\n2,b\n', {"n": [1, 2], "t u": ["a", "b"]}),
    "doubled quotes": Good(b'n,t\n1,"say ""hi"""\n2,"""q"""\n', {"n": [1, 2], "t": ['say "hi"', '"q"']}),
    "empty quoted": Good(b'n,t\n1,""\n2,"z"\n', {"n": [1, 2], "t": [None, "z"]}),
    "quote inside a value": Good(b'n,t\n1,5" pipe\n2,3" pipe\n', {"n": [1, 2], "t": ['5" pipe', '3" pipe']}, "quotes that are part"),
    "one quote inside a value": Good(b'n,t\n1,5" pipe\n2,pipe\n', {"n": [1, 2], "t": ['5" pipe', "pipe"]}, "quotes that are part"),
    "backslash before quotes": Good(b'n,t\n1,"say \\"hi\\", you"\n2,z\n', {"n": [1, 2], "t": ['say "hi", you', "z"]}, "backslash"),
    "blank before a quote": Good(b'n, t\n1, "x, y"\n2, "z"\n', {"n": [1, 2], "t": ["x, y", "z"]}, "blanks after"),
    "single quotes are letters": Good(b"n,t\n1,'x'\n2,it's\n", {"n": [1, 2], "t": ["'x'", "it's"]}),
    "unclosed quote": Bad(b'n,t\n1,"x\n2,y\n3,z\n', "line 2"),
    "unclosed quote at the end": Bad(b'n,t\n1,x\n2,y\n3,"z\n', "line 4"),
    "text after a closing quote": Bad(b'n,t\n1,x\n2,"y"z\n', "line 3"),
    "two unclosed quotes": Bad(b'n,t\n1,"x\n2,y\n3,"z\n4,w\n', "lines 2 to 4"),
    # ragged
    "short row": Bad(b"a,b,c\n1,2,3\n4,5\n7,8,9\n", "line 3 of data.csv has 2 fields where 3 are expected"),
    "short row first": Bad(b"a,b,c\n3\n4,5,6\n7,8,9\n", "line 2 of data.csv has 1 field where 3"),
    "long row": Bad(b"a,b,c\n1,2,3\n4,5,6,7\n8,9,10\n", "line 3 of data.csv has 4 fields"),
    "ragged after quoted newlines": Bad(b'a,b\n1,"x\ny"\n2,z\n3\n4,w\n', "line 5"),
    "title above the header": Bad(b"Sales report\na,b,c\n1,2,3\n4,5,6\n7,8,9\n", "line 1"),
    "unquoted thousands": Bad(b"a,b\n1,200\n1,300,5\n2,3\n4,5\n", "line 3"),
    "decimal comma in a comma file": Bad(b"x\n1,5\n1,7\n2,5\n", "line 1"),
    "trailing delimiter": Good(b"a,b,c,\n1,2,3,\n4,5,6,\n", ABC, "ends in a delimiter"),
    "trailing delimiter in the rows": Good(b"a,b,c\n1,2,3,\n4,5,6,\n", ABC, "ends in a delimiter"),
    "trailing delimiter in the header": Good(b"a,b,c,\n1,2,3\n4,5,6\n", ABC),
    "comment before the header": Good(b"# made by hand\na,b,c\n1,2,3\n4,5,6\n", ABC, "comment"),
    "header with a hash": Good(b"#a,b,c\n1,2,3\n4,5,6\n", {"#a": [1, 4], "b": [2, 5], "c": [3, 6]}),
    # headers
    "no header": Good(b"1,2,3\n4,5,6\n", {"column_1": [1, 4], "column_2": [2, 5], "column_3": [3, 6]}, "no header"),
    "no header, texts and numbers": Good(b"x,1\ny,2\nx,3\n", {"column_1": ["x", "y", "x"], "column_2": [1, 2, 3]}, "no header"),
    "no header, dates": Good(b"2024-01-01,1\n2024-01-02,2\n", {"column_1": ["2024-01-01", "2024-01-02"], "column_2": [1, 2]}),
    "no header, first row has a gap": Good(b"1,,3\n4,5,6\n", {"column_1": [1, 4], "column_2": [None, 5], "column_3": [3, 6]}),
    "header of texts over texts": Good(b"a,b\nx,y\nz,w\n", {"a": ["x", "z"], "b": ["y", "w"]}, "names the columns"),
    "header of years": Good(b"country,2019,2020\nCH,1,2\nDE,3,4\n", {"country": ["CH", "DE"], "2019": [1, 3], "2020": [2, 4]}),
    "same name twice": Good(b"a,b,a\n1,2,3\n4,5,6\n", {"a": [1, 4], "b": [2, 5], "a_2": [3, 6]}, "more than once"),
    "same name, and the new one taken": Good(b"a,a,a_2\n1,2,3\n4,5,6\n", {"a": [1, 4], "a_3": [2, 5], "a_2": [3, 6]}, "more than once"),
    "empty name": Good(b"a,,c\n1,2,3\n4,5,6\n", {"a": [1, 4], "column_2": [2, 5], "c": [3, 6]}, "no name"),
    "blanks around names": Good(b" a , b ,c\n1,2,3\n4,5,6\n", ABC),
    "index column without a name": Good(b",a,b\n0,5,x\n1,6,y\n", {"column_1": [0, 1], "a": [5, 6], "b": ["x", "y"]}, "no name"),
    "index column beyond the header": Good(b"a,b\nr1,5,x\nr2,6,y\n", {"row_name": ["r1", "r2"], "a": [5, 6], "b": ["x", "y"]}, "rows' own name"),
    "header only": Bad(b"a,b,c\n", "no rows"),
    "header only without newline": Bad(b"a,b,c", "no rows"),
    "one row": Good(b"a,b,c\n1,2,3\n", {"a": [1], "b": [2], "c": [3]}),
    "one row without header": Good(b"1,2,3\n", {"column_1": [1], "column_2": [2], "column_3": [3]}),
    "empty": Bad(b"", "is empty"),
    "blanks only": Bad(b"\n \n\n", "empty"),
    "mark only": Bad(b"\xef\xbb\xbf", "empty"),
    # missing values
    "NA": Good(_column("1", "NA", "3"), _with([1, None, 3])),
    "N/A": Good(_column("1", "N/A", "3"), _with([1, None, 3])),
    "null": Good(_column("1", "null", "3"), _with([1, None, 3])),
    "NaN": Good(_column("1.5", "NaN", "3"), _with([1.5, None, 3])),
    "question mark": Good(_column("1", "?", "3"), _with([1, None, 3])),
    "dash among numbers": Good(_column("1", "-", "3"), _with([1, None, 3]), "'-' count as missing"),
    "dash among texts": Good(_column("x", "-", "y"), _with(["x", "-", "y"])),
    "None among texts": Good(_column("x", "None", "y"), _with(["x", "None", "y"])),
    "blank cell": Good(_column("1", " ", "3"), _with([1, None, 3])),
    "all missing": Good(_column("", "NA", ""), _with([None, None, None])),
    "NA among country codes": Good(
        _column(*["DE", "FR", "IT", "NA", "CH", "US", "GB", "ES", "PT", "AT", "PL", "SE"]), _with(["DE", "FR", "IT", "NA", "CH", "US", "GB", "ES", "PT", "AT", "PL", "SE"]), "kept as a value"
    ),
    "error of a spreadsheet": Good(_column("1", "#DIV/0!", "3"), _with([1, None, 3]), "count as missing"),
    # numbers
    "infinite": Good(_column("1", "inf", "3"), _with([1, None, 3]), "infinite value counts as missing (first in row 1)"),
    "minus infinite": Good(_column("1", "-Infinity", "3"), _with([1, None, 3]), "infinite"),
    "beyond float64": Good(_column("1", "1e400", "3"), _with([1, None, 3]), "infinite"),
    "below float64": Good(_column("1", "1e-400", "3"), _with([1, 0, 3])),
    "minus zero": Good(_column("1", "-0.0", "3"), _with([1, 0, 3])),
    "plus sign": Good(_column("+1", "-2", "3"), _with([1, -2, 3])),
    "exponents": Good(_column("1e3", "2E-1", "3.e0"), _with([1000, 0.2, 3])),
    "point first": Good(_column(".5", "-.25", "3."), _with([0.5, -0.25, 3])),
    "underscores are no digits": Good(_column("1_000", "2_000", "3"), _with(["1_000", "2_000", "3"])),
    "hexadecimal is text": Good(_column("0x10", "0x20", "0x30"), _with(["0x10", "0x20", "0x30"])),
    "thousands": Good(_column('"1,234"', '"2,500,000"', "3"), _with([1234, 2_500_000, 3]), "thousands"),
    "thousands and points": Good(_column('"1,234.5"', "2.5", "3"), _with([1234.5, 2.5, 3]), "thousands"),
    "decimal commas in quotes": Good(_column('"1,5"', '"2,25"', "3"), _with([1.5, 2.25, 3]), "decimal mark"),
    "points as thousands": Good(b"k;v\nka;1.234,5\nkb;2.000\nkc;3,25\n", _with([1234.5, 2000, 3.25]), "decimal mark"),
    "both marks decimal": Good(b"k;v\nka;1,5\nkb;2.5\nkc;3\n", _with(["1,5", "2.5", "3"]), "some a decimal point"),
    "three digits after a comma between semicolons": Good(b"k;v\nka;1,234\nkb;2,345\n", _with([1.234, 2.345]), "decimal mark"),
    "blanks as thousands": Good(_column("1 234", "2 500 000", "3"), _with([1234, 2_500_000, 3])),
    "narrow blanks as thousands": Good(_column("1\u202f234", "2\u00a0500", "3"), _with([1234, 2500, 3])),
    "apostrophes as thousands": Good(_column("1'234", "2'500", "3"), _with([1234, 2500, 3])),
    "dollars": Good(_column("$1.50", "$2", '"$1,000.25"'), _with([1.5, 2, 1000.25]), "values are in $"),
    "euros behind": Good(b"k;v\nka;1,50 \xe2\x82\xac\nkb;2 \xe2\x82\xac\nkc;-3,25 \xe2\x82\xac\n", _with([1.5, 2, -3.25]), "€"),
    "two currencies": Good(_column("$1", "€2", "$3"), _with(["$1", "€2", "$3"]), "different units"),
    "per cent": Good(_column("12%", "5.5 %", "100%"), _with([12, 5.5, 100]), "values are in %"),
    "per cent and not": Good(_column("12%", "5", "100%"), _with(["12%", "5", "100%"]), "some are not"),
    "brackets are minus": Good(_column('"(1,234.50)"', "2", "3.5"), _with([-1234.5, 2, 3.5])),
    "wrong thousands": Good(_column('"1,23,4"', '"2,5,6"', '"3,1,1"'), _with(["1,23,4", "2,5,6", "3,1,1"])),
    "late text": Good(
        _column(*["1"] * 50, "abc", *["2"] * 50), _with([1] * 50 + [None] + [2] * 50), "1 value is not a number and count"
    ),
    "numbers and texts mixed": Good(_column("1", "x", "3", "4", "y"), _with(["1", "x", "3", "4", "y"]), "kept as text"),
    "numbers and codes": Good(_column(*INVOICES), _with(INVOICES), "codes such as 'C536379'"),
    "leading zeros": Good(_column("0012", "0345", "6789"), _with(["0012", "0345", "6789"]), "start with zeros"),
    "two-digit months": Good(_column("01", "02", "12"), _with([1, 2, 12])),
    "twenty digits": Good(_column("12345678901234567890", "12345678901234567891"), _with(["12345678901234567890", "12345678901234567891"]), "more than 15"),
    "full-width digits are text": Good(_column("１２", "３４"), _with(["１２", "３４"])),
    "true and false": Good(_column("true", "False", "true"), _with(["true", "False", "true"])),
    # dates
    "iso dates": Good(_column("2024-01-05", "2024-12-31"), _with(["2024-01-05", "2024-12-31"])),
    "iso times": Good(_column("2024-01-05T10:30:00", "2024-01-05 10:30:00.25"), _with(["2024-01-05T10:30", "2024-01-05T10:30:00.25"])),
    "iso zones": Good(_column("2024-01-05T10:30:00+02:00", "2024-01-05T10:30:00Z"), _with(["2024-01-05T08:30", "2024-01-05T10:30"])),
    "day first": Good(_column("13/01/2024", "01/02/2024"), _with(["2024-01-13", "2024-02-01"])),
    "month first": Good(_column("01/13/2024", "02/01/2024"), _with(["2024-01-13", "2024-02-01"])),
    "day or month, order decides": Good(_column("01/02/2024", "02/02/2024", "01/03/2024"), _with(["2024-02-01", "2024-02-02", "2024-03-01"]), "chronological"),
    "day or month, undecided": Good(_column("01/02/2024", "05/06/2024", "02/01/2024"), _with(["2024-01-02", "2024-05-06", "2024-02-01"]), "could be"),
    "points in dates": Good(_column("31.12.2024", "01.02.2024"), _with(["2024-12-31", "2024-02-01"])),
    "short years": Good(_column("12/31/99", "01/15/24"), _with(["1999-12-31", "2024-01-15"])),
    "names of months": Good(_column("5 Jan 2024", "31 December 2024"), _with(["2024-01-05", "2024-12-31"])),
    "month names first": Good(_column('"Jan 5, 2024"', '"December 31, 2024"'), _with(["2024-01-05", "2024-12-31"])),
    "am and pm": Good(_column("1/13/2024 1:05 PM", "1/14/2024 12:00 AM"), _with(["2024-01-13T13:05", "2024-01-14"])),
    "days that do not exist": Good(_column("2024-02-30", "2024-02-28", "2024-01-01"), _with(["2024-02-30", "2024-02-28", "2024-01-01"]), "kept as text"),
    "compact dates by name": Good(_column("20240131", "20240201", head="date").replace(b"k,date", b"k,date"), {"k": _k(2), "date": ["2024-01-31", "2024-02-01"]}, "yyyymmdd"),
    "compact numbers without the name": Good(_column("20240131", "20240201"), _with([20240131, 20240201])),
    "seconds since 1970": Good(_column("1700000000", "1700000060", head="timestamp"), {"k": _k(2), "timestamp": ["2023-11-14T22:13:20", "2023-11-14T22:14:20"]}, "since 1970"),
    "versions are no dates": Good(_column("1.2.3", "1.10.0"), _with(["1.2.3", "1.10.0"])),
    # size
    "5000 columns": Good(WIDE.encode(), {f"c{i}": [1] for i in range(5000)}),
    "field of 3 MB": Good(b"n,t\n1," + b"x" * 3_000_000 + b"\n2,y\n", {"n": [1, 2], "t": ["x" * 3_000_000, "y"]}),
    "quoted field of 3 MB": Good(b'n,t\n1,"' + b"x\n" * 1_500_000 + b'"\n2,y\n', {"n": [1, 2], "t": [("x\n" * 1_500_000).strip(), "y"]}),
    "header beyond the sample": Good(
        (",".join(f"column_with_a_long_name_{i}" for i in range(3000)) + "\n" + ",".join(["7"] * 3000) + "\n").encode(),
        {f"column_with_a_long_name_{i}": [7] for i in range(3000)},
    ),
    # other kinds of file
    "gzip": Good(gzip.compress(PLAIN), ABC, name="data.csv.gz"),
    "gzip without the name": Good(gzip.compress(PLAIN), ABC, name="data.csv"),
    "gzip of two parts": Good(gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:]), ABC, name="data.csv.gz"),
    "truncated gzip": Bad(gzip.compress(PLAIN)[:-12], "damaged gzip", "data.csv.gz"),
    "gzip with damage": Bad(gzip.compress(PLAIN)[:15] + b"\xff\xff" + gzip.compress(PLAIN)[17:], "damaged gzip", "data.csv.gz"),
    "gzip of nothing": Bad(gzip.compress(b""), "empty", "data.csv.gz"),
    "gzip bomb": Bad(gzip.compress(bytes(80 << 20)), "expands more than", "data.csv.gz"),
    "png": Bad(b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "PNG picture"),
    "jpeg": Bad(b"\xff\xd8\xff\xe0" + bytes(range(256)), "JPEG picture"),
    "pdf": Bad(b"%PDF-1.7\n1 0 obj\n", "PDF"),
    "excel": Bad(b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + b"[Content_Types].xml" + bytes(100), "Excel workbook"),
    "old excel": Bad(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "old Excel"),
    "excel by its name": Bad(b"PK\x03\x04\x14\x00\x06\x00\x08\x00xl/workbook.xml" + bytes(100), "Excel", "data.xlsx"),
    "zip": Bad(b"PK\x03\x04\x14\x00\x00\x00\x08\x00data.csv" + bytes(100), "zip archive"),
    "pickle": Bad(b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00}\x94.", "pickle"),
    "noise": Bad(bytes((i * 7 + 1) % 31 for i in range(3000)), "not text"),
}  # fmt: skip
