"""Records of sheets with sections of every kind, for tests of what is shown."""

import base64
import math
import struct
import zlib

from coterie.report.sheet import sheet_record

NAMES = ("recent high spenders", "steady small baskets", "one-timers gone quiet", "new this month")


def png(red, green, blue, side=24):
    """Return a picture of one colour as a data URI."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + bytes((red, green, blue)) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    made = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(made).decode()


def make_bars(n=4, **more):
    """Return a section of ``n`` bars of two series, the first with whiskers and one value that is not known."""
    values = [round(120 / (i + 1), 2) for i in range(n)]
    low, high = ([round(value * by, 2) for value in values] for by in (0.8, 1.3))
    if n > 2:
        values[2] = low[2] = high[2] = None
    return {
        "kind": "bars", "title": "Spend after the cut-off", "text": "what each segment spent in the 39 weeks that followed",
        "labels": [f"label {i}" for i in range(n)], "format": "money", "unit": "$",
        "series": [
            {"name": "expected", "values": values, "low": low, "high": high},
            {"name": "seen", "values": [round(100 / (i + 1), 2) for i in range(n)]},
        ],
    } | more  # fmt: skip


def make_sections():
    """Return a section of each kind, in small."""
    weeks = [f"2026-0{1 + i // 4}-{1 + 7 * (i % 4):02d}" for i in range(20)]
    wave = [0.4 + 0.2 * math.sin(i / 3) for i in range(20)]
    return [
        make_bars(title="Spend of each segment", groups=[0, 1, 2, 3], series=make_bars()["series"][:1]),
        make_bars(),
        {
            "kind": "lines", "title": "Over time", "text": "the share of members seen each week", "x": weeks,
            "x_label": "week", "y_label": "share seen", "format": "percent",
            "series": [
                {"name": "seen", "values": wave, "low": [v - 0.05 for v in wave], "high": [v + 0.07 for v in wave]},
                {"name": "expected", "values": [0.4] * 8 + [None] * 3 + [0.45] * 9},
            ],
            "marks": [{"x": "2026-02-08", "label": "cut-off"}, {"x": "2026-02-15", "label": "campaign"}],
        },
        {
            "kind": "histogram", "title": "Scores", "text": "how unusual rows are", "edges": [i / 10 for i in range(11)], "log": True,
            "series": [{"name": "usual", "counts": [900, 400, 120, 30, 8, 2, 1, 0, 0, 0]}, {"name": "alerts", "counts": [0] * 6 + [1, 4, 9, 3]}],
            "x_label": "score", "marks": [{"x": 0.62, "label": "alerts from here on"}],
        },
        {
            "kind": "heat", "title": "Who moved", "text": "from the segment of the line to that of the column", "rows": list(NAMES),
            "columns": [*NAMES[:3], "gone"], "row_label": "in spring", "column_label": "in autumn", "format": "percent",
            "values": [[0.7, 0.2, 0.05, 0.05], [0.1, 0.8, 0.05, None], [0.02, 0.03, 0.9, 0.05], [0.25, 0.25, 0.25, 0.25]],
        },
        {
            "kind": "heat", "title": "Above and below the mean", "rows": ["north", "south"], "columns": ["tea", "coffee"],
            "format": "number", "scale": "diverging", "values": [[-1.5, 0.2], [0.9, 0]],
        },
        {
            "kind": "table", "title": "Customers", "text": "the first of each segment", "file": "segments.csv", "total": 2357,
            "columns": [
                {"name": "customer", "label": "Customer", "format": "text"},
                {"name": "segment", "label": "Segment", "format": "group"},
                {"name": "spend", "label": "Spend", "format": "money", "unit": "$", "help": "All purchases up to the cut-off."},
                {"name": "last", "label": "Last seen", "format": "date"},
            ],
            "rows": [[f"C{i:03d}", i % 4, None if i == 3 else 5.5 * i, f"2026-01-{1 + i % 28:02d}"] for i in range(60)],
        },
        {"kind": "picture", "title": "Overlay", "source": png(20, 120, 90), "alt": "a green square", "width": 240, "height": 160},
        {
            "kind": "levels", "title": "Finer and coarser", "text": "move the slider for more regions", "label": "Regions", "start": 1,
            "frames": [
                {"label": str(k), "source": png(40 * k, 90, 160), "alt": f"the picture in {k} regions", "facts": [["Regions", k], ["Covering", "0.61"]]}
                for k in (2, 4, 6)
            ],
        },
    ]  # fmt: skip


def make_sheet_record(sections=None, **more):
    """Return a complete record of four segments, a new one at each call."""
    sizes = (1200, 800, 300, 57)
    groups = [
        {
            "id": i, "name": name, "size": sizes[i], "share": sizes[i] / 2357, "rule": f"F >= {3 - i} and R < 40 days",
            "facts": [["CLV", f"${300 - 50 * i}"], ["Repeat purchases", 3 - i]], "phrases": ["buys often", "bought 12 days ago"],
        }
        for i, name in enumerate(NAMES)
    ]  # fmt: skip
    given = {
        "kind": "segments", "headline": "4 segments of 2,357 customers", "noun": "segment", "members": "customers", "seed": 7,
        "source": {"name": "sales.csv", "rows": 6919, "bytes": 250_000, "fingerprint": "0123abcd"},
        "answer": ["Half of the spend comes from 1,200 recent high spenders.", "57 customers are new this month."],
        "options": {"cutoff": "1997-09-30", "k": 4}, "groups": groups, "sections": make_sections() if sections is None else sections,
        "metrics": [
            {"name": "w_over_t", "label": "Variance within segments", "value": 0.1371, "format": "number", "definition": "sum of squares within over total"},
            {"name": "stability", "label": "Stability", "value": 0.93, "low": 0.9, "high": 0.96, "format": "percent", "definition": "agreement of two draws"},
            {"name": "cac", "label": "Cost of a new customer", "value": None, "format": "money", "unit": "$", "definition": "needs --spend"},
        ],
        "warnings": [{"text": "80 customers paid nothing.", "remedy": "Leave them out with --min-amount."}],
        "notes": ["Column id names the customer."], "steps": [{"name": "read", "text": "6,919 rows", "seconds": 0.12}],
        "words": [["CLV", "what a customer is expected to spend"]],
    }  # fmt: skip
    return sheet_record(**(given | more))
