"""Malformed and hostile tables: a page that can be read and runs nothing, or one sentence and exit code 3."""

import json
import re
import unicodedata
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest

import coterie
from cli.hostile_tables import PAYLOADS, READ, REFUSED, SCRIPTS
from coterie.report import html

# Nothing of the data may steer the terminal, or turn the words after it.
STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Elements(HTMLParser):
    """What a browser would make of a page before any script runs."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


RISKY = {"script", "img", "iframe", "object", "embed", "form", "svg", "base", "meta", "link", "a"}


def _risky(page):
    """Return what of a page could run or load something, and how often it is there."""
    found = [(tag, tuple(attributes)) for tag, attributes in Elements(page).found if tag in RISKY]
    found += [(tag, name) for tag, attributes in Elements(page).found for name in attributes if name.startswith("on")]
    return Counter(found)


@pytest.fixture(scope="module")
def plain_page(tmp_path_factory):
    """Return what could run or load something on the page of a table that is nobody's enemy."""
    rows = [{"a": i % 2 * 8 + i / 60, "b": i % 2 * 8 - i / 60} for i in range(60)]
    return _risky(html(coterie.run(rows, method="KMeans", n_clusters=2).record))


def _run(call, tmp_path, data, name):
    (tmp_path / name).write_bytes(data)
    return call("run", name, "--method", "kmeans", "-k", "2")


@pytest.mark.parametrize("case", READ)
def test_a_hostile_table_gives_a_page_that_runs_nothing(case, call, tmp_path, plain_page):
    data, name, said = READ[case]
    ended = _run(call, tmp_path, data, name)
    assert ended.code == 0, ended.err
    assert not STEERING.search(ended.err)
    folder = tmp_path / f"{name.rpartition('.')[0]}.coterie"
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert said in json.dumps(record, ensure_ascii=False)
    assert len((folder / "labels.csv").read_text().splitlines()) == record["input"]["rows"] + 1
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert len(page) < 2_000_000
    assert _risky(page) == plain_page


def test_values_of_every_kind_are_on_the_page_as_they_were(call, tmp_path):
    for case, values in (("markup and scripts", PAYLOADS), ("every script", SCRIPTS)):
        data, name, _ = READ[case]
        assert _run(call, tmp_path, data, name).code == 0
        page = Elements((tmp_path / "x.coterie" / "report.html").read_text(encoding="utf-8"))
        kept = json.loads(next(text for text in re.findall(r"\{\"schema.*\}", page.text) if "clusters" in text))
        column = list(kept["rows"]["sample"]["0"])[2]
        assert {row[column] for row in kept["rows"]["sample"].values()} == set(values)
        (tmp_path / "x.coterie").rename(tmp_path / case)


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_one_sentence_and_leaves_nothing(case, call, tmp_path):
    data, name, said = REFUSED[case]
    (tmp_path / name).write_bytes(data() if callable(data) else data)
    ended = call("run", name)
    assert ended.code == 3
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert said in errors[0]
    assert "unexpected" not in ended.err
    assert len(errors[0]) < 300
    assert [path.name for path in tmp_path.iterdir()] == [
        name
    ]  # no result, and no file that unpickling would have left


def test_many_categories_asked_for_stay_bounded(call, tmp_path):
    data, name, _ = READ["10,000 categories"]
    (tmp_path / name).write_bytes(data)
    assert call("run", name, "--method", "kmeans", "-k", "2", "--roles", "c=category").code == 0
    record = json.loads((tmp_path / "x.coterie" / "run.json").read_text(encoding="utf-8"))
    column = next(column for column in record["columns"] if column["name"] == "c")
    assert column["used"]
    assert len(column["categories"]) <= 51


@pytest.mark.thorough
def test_thousands_of_columns_are_a_page_too(call, tmp_path):
    rows = np.random.default_rng(0).normal(size=(40, 5000)) + 3 * (np.arange(40) % 2)[:, None]
    np.save(tmp_path / "x.npy", rows)
    ended = call("run", "x.npy", "--method", "kmeans", "-k", "2")
    assert ended.code == 0, ended.err
    assert "2 groups in 40 rows" in ended.err
    assert (tmp_path / "x.coterie" / "report.html").stat().st_size < 10_000_000


@pytest.mark.browser
def test_marks_that_reverse_words_do_not_reverse_the_page(call, tmp_path, browser):
    data, name, _ = READ["every script"]
    assert _run(call, tmp_path, data, name).code == 0
    page = browser.new_page()
    page.goto((tmp_path / "x.coterie" / "report.html").as_uri())
    page.wait_for_function("document.documentElement.dataset.ready === 'yes'", timeout=30_000)
    words = page.evaluate("document.body.innerText")
    page.close()
    assert not STEERING.search(words)
    assert "عمود" in words
    assert any(unicodedata.normalize("NFC", value) in unicodedata.normalize("NFC", words) for value in SCRIPTS[:5])
