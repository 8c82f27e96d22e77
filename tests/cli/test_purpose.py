"""Purposes through the command line: what is written, what is said, and what is refused."""

import csv
import json

import numpy as np
import pytest

from coterie import report
from report.schemas import problems


@pytest.fixture
def shop(tmp_path):
    """Three kinds of customers, and one who spends far more than any other."""
    rng = np.random.default_rng(0)
    lines = ["customer,age,spend"]
    for row in range(240):
        age, spend = np.array([(20, 30), (45, 80), (65, 40)])[row % 3] + rng.normal(0, (2, 4))
        lines.append(f"C{row:03d},{age:.1f},{spend:.2f}")
    lines.append("=cmd|x,33.0,390.00")
    path = tmp_path / "shop.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _schema():
    from importlib.resources import files

    return json.loads((files(report) / "schema" / "run-1.json").read_text())


def _lines(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _record(tmp_path):
    record = json.loads((tmp_path / "shop.coterie" / "run.json").read_text())
    assert list(problems(record, _schema())) == []
    return record


def test_reduce_writes_the_representatives_as_rows_of_the_table(call, shop, tmp_path):
    ended = call("run", "shop.csv", "--purpose", "reduce")
    assert ended.code == 0, ended.err
    record, lines = _record(tmp_path), _lines(tmp_path / "shop.coterie" / "representatives.csv")
    assert list(lines[0]) == ["representative", "row", "weight", "loss_share", "customer", "age", "spend"]
    assert sum(int(line["weight"]) for line in lines) == 241
    rows = shop.read_text().splitlines()[1:]
    assert all(rows[int(line["row"])].split(",")[0] == line["customer"] for line in lines)
    assert [int(line["row"]) for line in lines] == [line["row"] for line in record["purpose"]["representatives"]]
    assert record["files"]["representatives"] == "representatives.csv"
    assert f"{len(lines)} representatives in 241 rows" in ended.err
    assert "representatives.csv" in ended.err
    page = (tmp_path / "shop.coterie" / "report.html").read_text()
    assert f"{len(lines)} representatives" in page


def test_outliers_come_first_with_rank_score_and_reason(call, shop, tmp_path):
    ended = call("run", "shop.csv", "--purpose", "outliers")
    assert ended.code == 0, ended.err
    record, lines = _record(tmp_path), _lines(tmp_path / "shop.coterie" / "outliers.csv")
    assert list(lines[0]) == ["rank", "row", "score", "reason", "customer", "age", "spend"]
    assert (lines[0]["row"], lines[0]["spend"]) == ("240", "390")
    assert "spend is 390" in lines[0]["reason"]
    assert len(lines) == record["outliers"]["rows"]
    shown = ended.err.splitlines()
    head = next(i for i, line in enumerate(shown) if "why it is unusual" in line)
    assert shown[head + 1].split()[:2] == ["1", "240"]


def test_useful_says_what_the_groups_are(call, shop, tmp_path):
    ended = call("run", "shop.csv", "--purpose", "useful")
    assert ended.code == 0, ended.err
    assert "3 useful groups in 241 rows" in ended.err
    assert "useful groups" in (tmp_path / "shop.coterie" / "report.html").read_text()
    assert _record(tmp_path)["purpose"]["name"] == "useful"


def test_natural_is_the_default_and_lists_no_rows(call, shop, tmp_path):
    one = call("run", "shop.csv", "-q", "-o", "one")
    two = call("run", "shop.csv", "-q", "-o", "two", "--purpose", "natural")
    assert (one.code, two.code) == (0, 0)
    names = {"labels.csv", "model.coterie", "run.json", "report.html"}
    assert {path.name for path in (tmp_path / "one").iterdir()} == names
    assert (tmp_path / "one" / "labels.csv").read_bytes() == (tmp_path / "two" / "labels.csv").read_bytes()


def test_the_listing_of_another_purpose_goes_when_the_folder_is_replaced(call, shop, tmp_path):
    call("run", "shop.csv", "-q", "--purpose", "reduce")
    call("run", "shop.csv", "-q", "--purpose", "outliers")
    names = {path.name for path in (tmp_path / "shop.coterie").iterdir()}
    assert "outliers.csv" in names
    assert "representatives.csv" not in names


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--purpose", "reduce", "--method", "dbscan"), 3, "DBSCAN leaves rows out"),
        (("--purpose", "reduce", "--min-share", "5%"), 3, "leave --min-share out"),
        (("--purpose", "useful", "-k", "40"), 3, "ask for at most 18 groups"),
        (("--purpose", "beauty"), 2, "beauty"),
    ],
)
def test_what_contradicts_is_one_sentence_and_nothing_is_written(call, shop, tmp_path, arguments, code, words):
    ended = call("run", "shop.csv", *arguments)
    assert ended.code == code
    assert words in ended.err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["shop.csv"]


def test_the_purpose_can_stand_in_the_configuration(call, shop, tmp_path):
    (tmp_path / "coterie.toml").write_text('[run]\npurpose = "useful"\n')
    assert call("run", "shop.csv", "-q").code == 0
    assert _record(tmp_path)["purpose"]["name"] == "useful"


def test_strict_asks_of_each_purpose_what_it_promises():
    from coterie.cli.run import _is_doubtful

    record = {"structure": {"verdict": "none"}, "judge": {"stability": 0.5}, "warnings": []}
    doubtful = {name: _is_doubtful(record | {"purpose": {"name": name}}) for name in ("reduce", "outliers", "useful")}
    assert doubtful == {"reduce": False, "outliers": False, "useful": True}
    assert not _is_doubtful(record | {"purpose": {"name": "useful"}, "judge": {"stability": 0.9}})


def test_formulas_in_a_listing_can_be_defused(shop, tmp_path):
    found = report.run(shop, purpose="outliers")
    found.write(tmp_path / "plain")
    found.write(tmp_path / "safe", excel_safe=True)
    first = [_lines(tmp_path / name / "outliers.csv")[0]["customer"] for name in ("plain", "safe")]
    assert first == ["=cmd|x", "'=cmd|x"]


def test_rows_worked_on_block_by_block_are_for_natural_groups_alone(call, tmp_path):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(200, 3)))
    ended = call("run", "rows.npy", "--purpose", "reduce", "--memory-limit", "2KB")
    assert ended.code in (2, 3, 4)
    assert "purpose" in ended.err.splitlines()[-1]
