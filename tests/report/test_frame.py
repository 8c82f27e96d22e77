"""The three pages stand in one frame: what they share is written once, and no part of a page hides another."""

import re
from collections import Counter
from pathlib import Path

import pytest

import coterie.report
from coterie import report
from coterie.report.network_page import network_html
from coterie.report.pictures_page import pictures_html
from report.network_records import make_network_record
from report.picture_records import make_picture_record
from report.records import make_record

SCRIPTS = sorted((Path(coterie.report.__file__).parent / "page").rglob("*.js"))
LONG = 80  # characters; two short lines may well be the same by chance


@pytest.fixture(scope="module", params=["table", "network", "pictures"])
def script(request, tmp_path_factory):
    """Return the one script of a page."""
    if request.param == "table":
        page = report.html(make_record())
    elif request.param == "network":
        page = network_html(make_network_record())
    else:
        page = pictures_html(make_picture_record(tmp_path_factory.mktemp("stack")))
    return re.search(r"<script>(.*?)</script>", page, re.S).group(1)


def test_no_name_is_declared_twice_on_a_page(script):
    # All files of a page share one scope, where a second function of a name silently takes the place of the first.
    names = re.findall(r"^(?:async )?(?:function|class|const|let) (\w+)", script, re.M)
    assert len(names) > 60
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_every_page_is_put_together_by_the_frame(script):
    assert len(re.findall(r"^show\(", script, re.M)) == 1
    assert script.count("document.body.append(") == 1
    assert script.count("beforeprint") == 1


def test_the_script_of_a_page_is_small(script):
    assert len(script.encode()) <= 120_000  # of the 8 MB that a page may have


def test_no_long_line_is_written_twice():
    lines = Counter(line.strip() for path in SCRIPTS for line in path.read_text(encoding="utf-8").splitlines())
    assert [line for line, times in lines.items() if times > 1 and len(line) >= LONG] == []
