"""``coterie explain``: rows of a run, new rows, and the groups as SQL and JSON."""

import json
import shutil
import sqlite3

import numpy as np
import pytest

import coterie


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of three groups with ids, by k-means, beside its file; 900 rows, of which the record keeps some."""
    place = tmp_path_factory.mktemp("explain")
    rng = np.random.default_rng(0)
    lines = ["customer_id,age,spend ($)"]
    for row in range(900):
        age, spend = np.array([(25, 20), (50, 90), (75, 50)])[row % 3] + rng.normal(0, 3, 2)
        lines.append(f"C{row:05d},{age:.1f},{spend:.2f}")
    lines[1] = "C00000,25.0,400.00"
    (place / "shop.csv").write_text("\n".join(lines) + "\n")
    coterie.run(place / "shop.csv", method="KMeans", n_clusters=3).write(place / "shop.coterie", report=False)
    return place


@pytest.fixture
def shop(made, tmp_path):
    """A copy of it, where the command runs."""
    return shutil.copytree(made, tmp_path, dirs_exist_ok=True)


def test_without_rows_a_typical_an_unsure_and_the_most_unusual_are_shown(call, shop):
    ended = call("explain", "shop.coterie")
    assert ended.code == 0, ended.err
    assert ended.out.count("typical of its group") == 3
    assert ended.out.count("among the least sure of its group") == 3
    first = next(part for part in ended.out.split("\n\n") if part.startswith("row 0 (C00000)"))
    assert "among the most unusual" in first
    assert "yes (score" in first
    assert "spend ($) is $400 (usually" in first
    assert "KMeans gives a row to the group with the nearest center" in ended.out


def test_rows_are_chosen_by_number_and_by_id(call, shop):
    ended = call("explain", "shop.coterie", "--row", "17", "--id", "C00160", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["schema"] == "coterie.explain/1"
    assert found["method"] == "KMeans"
    assert [(row["row"], row["id"]) for row in found["rows"]] == [(17, "C00017"), (160, "C00160")]


def test_what_is_told_of_a_row_of_the_run_is_what_its_labels_say(call, shop):
    lines = (shop / "shop.coterie" / "labels.csv").read_text().splitlines()
    _, _, label, strength, score = lines[18].split(",")
    (row,) = json.loads(call("explain", "shop.coterie", "shop.csv", "--row", "17", "--json").out)["rows"]
    assert row["group"] == int(label)
    assert row["strength"] == pytest.approx(float(strength), rel=1e-5)
    assert row["outlier"]["score"] == pytest.approx(float(score), rel=1e-5)


def test_new_rows_get_the_labels_of_predict(call, shop):
    (shop / "new.csv").write_text("spend ($),age,note\n88,51,x\n,26,y\n52,74,z\n")
    predicted = [
        int(line.split(",")[1]) for line in call("predict", "shop.coterie", "new.csv", "-q").out.splitlines()[1:]
    ]
    ended = call("explain", "shop.coterie/model.coterie", "new.csv", "--json")
    assert [row["group"] for row in json.loads(ended.out)["rows"]] == predicted
    assert "read" in ended.err
    text = call("explain", "shop.coterie", "new.csv", "-q")
    assert text.err == ""
    assert text.out.startswith("row 0: group")


def test_a_model_that_lies_alone_explains_new_rows(call, shop):
    (shop / "shop.coterie" / "model.coterie").rename(shop / "alone.coterie")
    (shop / "new.csv").write_text("age,spend ($)\n51,88\n")
    assert call("explain", "alone.coterie", "new.csv").out.startswith("row 0: group")


def test_rows_come_from_standard_input(process, shop):
    ended = process("explain", "shop.coterie", "-", "--json", "-q", stdin="age,spend ($)\n51,88\n24,21\n")
    assert ended.code == 0, ended.err
    assert len(json.loads(ended.out)["rows"]) == 2


def test_only_the_first_of_many_rows_are_shown_unless_all_are_asked_for(call, shop):
    ended = call("explain", "shop.coterie", "shop.csv", "--json")
    assert len(json.loads(ended.out)["rows"]) == 10
    assert "the first 10 of 900 rows" in ended.err
    assert len(json.loads(call("explain", "shop.coterie", "shop.csv", "--json", "--all").out)["rows"]) == 900


def test_an_answer_goes_to_a_file(call, shop):
    ended = call("explain", "shop.coterie", "--row", "3", "-o", "why.txt")
    assert (ended.code, ended.out) == (0, "")
    assert (shop / "why.txt").read_text() == call("explain", "shop.coterie", "--row", "3").out


def test_values_that_are_nowhere_to_be_found_are_asked_for(call, shop):
    (shop / "shop.csv").unlink()
    sample = json.loads((shop / "shop.coterie" / "run.json").read_text())["rows"]["sample"]
    absent = next(row for row in range(900) if str(row) not in sample)
    ended = call("explain", "shop.coterie", "--row", absent)
    assert ended.code == 3
    assert f"give the data as well: coterie explain shop.coterie shop.csv --row {absent}" in ended.err
    assert call("explain", "shop.coterie").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--row", "900"], 3, "row 900 is not there: the 900 rows are numbered 0 to 899"),
        (["--row", "-1"], 2, "-1"),
        (["--id", "nobody"], 3, "no row has 'nobody' in column 'customer_id'"),
        (["--all"], 2, "--all is for a FILE of rows"),
        (["--query", "select 1"], 2, "--query is for a FILE of rows"),
        (["--by", "rules"], 2, "--by and --from are for --export sql"),
        (["--export", "sql", "--row", "1"], 2, "--export writes the groups, not rows"),
        (["shop.csv", "--all", "--row", "1"], 2, "--all explains every row"),
        (["missing.csv"], 2, "there is no file missing.csv"),
        (["new.csv", "--id", "C1"], 2, "--id is for rows of the run"),
        (["new.csv"], 3, "spend ($)"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(call, shop, arguments, code, words):
    (shop / "new.csv").write_text("customer_id,age\nC1,30\n")
    ended = call("explain", "shop.coterie", *arguments)
    assert ended.code == code
    assert words in ended.err
    assert ended.out == ""


@pytest.mark.parametrize("run", ["nothing.coterie", "shop.csv"])
def test_what_is_no_run_is_refused(call, shop, run):
    ended = call("explain", run)
    assert ended.code == 3
    assert "no folder of results" in ended.err


def test_sql_labels_the_table_as_predict_does(call, shop):
    query = call("explain", "shop.coterie", "--export", "sql", "--dialect", "sqlite")
    assert query.code == 0, query.err
    connection = sqlite3.connect(":memory:")
    header, *lines = [line.split(",") for line in (shop / "shop.csv").read_text().splitlines()]
    connection.execute(f"CREATE TABLE shop ({', '.join(json.dumps(name) for name in header)})")
    connection.executemany("INSERT INTO shop VALUES (?, ?, ?)", lines)  # texts, as an import of CSV leaves them
    found = [row[-1] for row in connection.execute(query.out.rstrip().rstrip(";"))]
    labels = [int(line.split(",")[1]) for line in call("predict", "shop.coterie", "shop.csv").out.splitlines()[1:]]
    assert found == labels


def test_a_method_without_centers_writes_its_rules_and_says_so(call, shop):
    assert call("run", "shop.csv", "--method", "HDBSCAN", "-q", "-o", "dense", "--no-report").code == 0
    ended = call("explain", "dense", "--export", "sql", "--from", "other table")
    assert ended.code == 0, ended.err
    assert "HDBSCAN has no centers to go by" in ended.err
    assert 'FROM "other table" AS t;' in ended.out
    refused = call("explain", "dense", "--export", "sql", "--by", "centers")
    assert refused.code == 2
    assert "take the rules, with --by rules" in refused.err


def test_groups_as_json(call, shop):
    ended = call("explain", "shop.coterie", "--export", "json")
    found = json.loads(ended.out)
    assert found["schema"] == "coterie.groups/1"
    assert found["source"] == "shop.csv"
    assert len(found["groups"]) == len(found["centers"]) == 3
    assert all(group["rule"]["conditions"] for group in found["groups"])
