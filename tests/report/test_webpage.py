"""The page as a file: one piece, no address in it, a policy that names its only script, and small."""

import base64
import hashlib
import json
import re
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

import coterie.report
from coterie import report
from coterie.errors import InputError
from coterie.report import points as point
from coterie.report.palette import PALETTE, color
from report.records import make_record

PAGE = Path(coterie.report.__file__).parent / "page"


@pytest.fixture(scope="module")
def page():
    return report.html(make_record())


def digest(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_forbids_everything_but_the_one_script_and_the_one_style(page):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page).group(1)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    styles = re.findall(r"<style>(.*?)</style>", page, re.S)
    assert rules == {
        "default-src": "'none'",
        "script-src": f"'{digest(scripts[0])}'",
        "style-src": f"'{digest(styles[0])}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert (len(scripts), len(styles)) == (1, 1)


def test_no_address_stands_in_the_page_even_when_the_data_hold_one():
    record = make_record()
    record["clusters"][0]["name"] = "https://evil.example/a.js"
    record["input"]["name"] = "http://evil.example"
    page = report.html(record)
    assert re.findall(r"https?://", page) == []
    assert re.findall(r"<(?:link|img|script|iframe)[^>]*(?:src|href)=\"(?!data:)", page) == []


def test_no_inline_style_or_handler_is_needed(page):
    markup = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.S)
    assert re.findall(r"<[^>]*\s(?:style|on\w+)=", markup) == []


def test_the_scripts_are_small_and_use_nothing_that_reads_text_as_markup():
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted(PAGE.glob("*.js")))
    assert len(source.encode()) <= 120_000  # of the 8 MB that a page may have
    # The page reads its own markup once, to save a copy of itself; it never makes any.
    forbidden = r"innerHTML|outerHTML\s*\+?=(?!=)|insertAdjacent|document\.write|\beval\b|new Function|setTimeout\(\s*[\"']|\bfetch\b|XMLHttp|import\("
    assert re.findall(forbidden, source) == []
    assert "</script" not in source.lower()


def test_a_hundred_thousand_points_stay_below_a_megabyte():
    assert len(report.html(make_record(map_points=100_000))) < 1_000_000


def test_the_record_comes_back_from_the_page_whole(page):
    embedded = re.search(r'<script type="application/json" id="record">(.*?)</script>', page, re.S).group(1)
    found = json.loads(embedded)
    record = make_record()
    assert found["clusters"] == record["clusters"]
    assert found["rows"] == record["rows"]


def test_marks_of_the_template_in_the_data_are_just_text():
    record = make_record()
    record["clusters"][0]["name"] = "%%script%%"
    page = report.html(record)
    assert page.count('<script type="application/json"') == 1
    assert "%%script%%" in page


def test_points_are_packed_without_loss():
    entry = make_record(n=3000)["map"]
    points = point.from_map(entry)
    planes = np.frombuffer(zlib.decompress(base64.b64decode(point.packed(points))), np.uint8)
    n = len(points.row)
    split = np.split(planes, np.cumsum([4 * n, 2 * n, 2 * n]))
    values = [
        np.ascontiguousarray(part.reshape(-1, n).T).view(kind).ravel()
        for part, kind in zip(split, ("<u4", "<u2", "<u2", "<i2"), strict=True)
    ]
    np.testing.assert_array_equal(np.cumsum(values[0]), points.row)
    np.testing.assert_array_equal(values[1], points.x)
    np.testing.assert_array_equal(values[2], points.y)
    np.testing.assert_array_equal(values[3], points.label)


def test_points_are_put_in_the_order_of_their_rows():
    entry = make_record()["map"]
    backwards = entry | {
        name: base64.b64encode(np.frombuffer(base64.b64decode(entry[name]), kind)[::-1].tobytes()).decode()
        for name, kind in (("row", "<u4"), ("x", "<u2"), ("y", "<u2"), ("label", "<i2"))
    }
    for found, expected in zip(point.from_map(backwards), point.from_map(entry), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("damage", [{"x": "AAA="}, {"x": "*"}, {"y": None}, {"label": "AA=="}])
def test_a_damaged_map_is_refused(damage):
    record = make_record()
    record["map"] |= damage
    with pytest.raises(InputError, match="map in the record is damaged"):
        report.html(record)


def test_the_page_without_scripts_tells_the_answer_and_shows_a_picture(page):
    static = re.search(r"<noscript>(.*?)</noscript>", page, re.S).group(1)
    assert "customers.csv: 5 groups in 200 rows" in static
    assert "High income, low spending" in static
    image = base64.b64decode(re.search(r'src="data:image/png;base64,([^"]*)"', static).group(1).replace("&#47;", "/"))
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", image[16:24]) == (1200, 750)


def test_the_picture_shows_every_group_in_its_colour_and_noise_underneath():
    points = point.Points(
        np.arange(4, dtype="<u4"),
        np.array([0, 30000, 65535, 30000], "<u2"),
        np.array([0, 30000, 65535, 30000], "<u2"),
        np.array([0, 1, 2, -1], "<i2"),
    )
    image = point.picture(points, [0, 1, 70])
    body = image[image.index(b"IDAT") + 4 : image.index(b"IEND") - 8]
    shades, counts = np.unique(
        np.frombuffer(zlib.decompress(body), np.uint8).reshape(750, 1201)[:, 1:], return_counts=True
    )
    assert shades.tolist() == [0, 2, 3, 2 + 70 % len(PALETTE)]
    assert counts[1] == counts[2] == counts[3]


def test_the_colours_are_all_different_and_start_over_after_the_last():
    assert len(set(PALETTE)) == len(PALETTE) == 64
    assert color(64) == color(0)
    assert color(-1) == "#999999"


def test_a_page_of_a_million_points_is_made_in_seconds_and_stays_below_eight_megabytes():
    record = make_record(map_points=1_000_000, k=12, n=2000)
    began = time.process_time()
    page = report.html(record)
    assert time.process_time() - began < 6
    assert len(page) < 8_000_000
