"""``coterie drift``: what it says, what it writes, how it ends."""

import json
import shutil

import numpy as np
import pytest

from coterie.models import load
from coterie.report.drift_text import drift_text


def rows(n, seed, shares=(0.5, 0.3, 0.2), older=0.0, strangers=0):
    """Return CSV of three kinds of customers."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, n, p=shares)
    age = np.array([25, 45, 70])[kind] + 3 * rng.normal(size=n) + older * (kind == 1)
    spend = np.array([20, 90, 50])[kind] + 5 * rng.normal(size=n)
    plan = np.array(["basic", "gold", "plus"])[np.where(rng.random(n) < 0.9, kind, rng.integers(0, 3, n))]
    age[:strangers], spend[:strangers] = 20 + rng.normal(size=strangers), 220 + 2 * rng.normal(size=strangers)
    lines = [f"c{i},{age[i]:.1f},{spend[i]:.2f},{plan[i]}" for i in range(n)]
    return "\n".join(["id,age,spend (€),plan", *lines, ""])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Run once on 900 rows; the tests copy the folder."""
    from coterie.cli import invoke

    place = tmp_path_factory.mktemp("made")
    (place / "old.csv").write_text(rows(900, 1))
    assert (
        invoke(["run", str(place / "old.csv"), "-k", "3", "--method", "KMeans", "-q", "-o", str(place / "old.coterie")])
        == 0
    )
    return place


@pytest.fixture
def place(made, in_an_empty_folder):
    """Return a folder with the run, its data, and batches."""
    shutil.copytree(made / "old.coterie", "old.coterie")
    shutil.copy(made / "old.csv", "old.csv")
    for name, given in {
        "same": {}, "moved": {"shares": (0.25, 0.3, 0.45)}, "older": {"older": 6.0}, "strange": {"strangers": 40}
    }.items():  # fmt: skip
        (in_an_empty_folder / f"{name}.csv").write_text(rows(600, 2, **given))
    return in_an_empty_folder


def told(call, *arguments):
    ended = call("drift", "old.coterie", *arguments, "--json", "-q")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


@pytest.mark.parametrize(
    ("batch", "findings"),
    [("same", []), ("moved", ["shares moved"]), ("older", ["groups moved"]), ("strange", ["new kind of rows"])],
)
def test_each_kind_of_drift_is_called_by_its_name(call, place, batch, findings):
    record = told(call, f"{batch}.csv")
    assert record["findings"][:1] == findings
    assert record["drift"] == bool(findings)
    assert record["verdict"] == (findings or ["no shift"])[0]


def test_the_record_is_one_versioned_object_with_the_counts_of_both_sides(call, place):
    record = told(call, "moved.csv")
    assert record["schema"] == "coterie.drift/1"
    assert record["old"] == {"run": "old", "data": "old.csv", "rows": 900}
    assert record["new"] == {"run": None, "data": "moved.csv", "rows": 600}
    groups = record["shares"]["groups"]
    assert [sum(line[side] for line in groups) for side in ("rows_then", "rows_now")] == [900, 600]
    assert record["shares"]["band"] == "large"


def test_text_names_the_column_in_its_unit(call, place):
    ended = call("drift", "old.coterie", "older.csv")
    assert ended.code == 0
    assert ended.out.startswith("older.csv (600 rows) beside old.csv (900 rows): groups moved")
    assert "age about 51" in ended.out
    assert "(was 45" in ended.out
    assert "what to do: Refit" in ended.out


@pytest.mark.parametrize(
    ("batch", "said"),
    [("same", "0 of 3 columns changed in any group, p"), ("older", "changed in at least one group, p")],
)
def test_text_counts_columns_and_not_columns_times_groups(call, place, batch, said):
    assert said in call("drift", "old.coterie", f"{batch}.csv").out


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([], "p = 0.5"),
        (["note"], "p = 0.5; note holds text and was not compared"),
        (["note", "job"], "p = 0.5; 2 columns hold text and were not compared (note, job)"),
        (list("abcd"), "p = 0.5; 4 columns hold text and were not compared (a, b, c, …)"),
    ],
)
def test_text_names_the_columns_that_were_not_compared(call, place, texts, said):
    record = told(call, "same.csv")
    record["columns"] |= {"texts": texts, "p_value": 0.5}
    (line,) = [line for line in drift_text(record, width=200).splitlines() if line.startswith("columns")]
    assert line.endswith(said)


def test_far_rows_are_named_and_described(call, place):
    ended = call("drift", "old.coterie", "strange.csv")
    assert "rows 0, 1, 2" in ended.out
    assert "spend (€) about €220" in ended.out


def test_without_its_data_a_run_is_compared_by_the_rows_its_record_keeps(call, place):
    (place / "old.csv").unlink()
    record = told(call, "moved.csv")
    assert record["compared_with"]["which"] == "kept"
    assert record["compared_with"]["rows"] == 300
    assert record["findings"] == ["shares moved"]
    assert record["shares"]["groups"][0]["rows_then"] > 300
    assert not told(call, "same.csv")["drift"]
    assert told(call, "older.csv")["findings"][:1] == ["groups moved"]


def test_data_that_moved_can_be_named(call, place):
    (place / "old.csv").rename("elsewhere.csv")
    assert told(call, "same.csv", "--data", "elsewhere.csv")["compared_with"]["which"] == "all"


def test_the_same_seed_gives_the_same_answer(call, place):
    first, second = (told(call, "older.csv", "--seed", "5") for _ in range(2))
    assert first | {"created": ""} == second | {"created": ""}


def test_a_few_rows_are_too_few_to_tell(call, place):
    (place / "few.csv").write_text(rows(25, 3))
    record = told(call, "few.csv")
    assert record["verdict"] == "too few rows to tell"
    assert record["shares"]["visible_psi"] > 0.2
    assert "rows or more" in record["remedy"]


def test_rows_come_from_stdin_too(process, place):
    ended = process("drift", "old.coterie", "-", "-q", stdin=rows(600, 2))
    assert ended.code == 0
    assert "no shift" in ended.out


@pytest.mark.parametrize(("batch", "code"), [("same", 0), ("moved", 5)])
def test_a_script_can_ask_to_fail(call, place, batch, code):
    assert call("drift", "old.coterie", f"{batch}.csv", "--fail-on-drift").code == code


# ---- refits


def test_a_refit_keeps_the_numbers_in_labels_model_and_record(call, place):
    ended = call("drift", "old.coterie", "moved.csv", "--refit", "-o", "new.coterie", "--json", "-q")
    record = json.loads(ended.out)
    assert record["identity"]["kept"] == [0, 1, 2]
    assert record["refit"] == "new.coterie"
    labels = np.array(
        [int(line.split(",")[2]) for line in (place / "new.coterie/labels.csv").read_text().splitlines()[1:]]
    )
    assert (labels == load("old.coterie").predict("moved.csv")).mean() > 0.99
    assert (labels == load("new.coterie").predict("moved.csv")).all()
    run = json.loads((place / "new.coterie/run.json").read_text())
    assert [cluster["rows"] for cluster in run["clusters"]] == np.bincount(labels).tolist()
    assert call("report", "new.coterie").code == 0


def test_a_group_that_is_gone_is_retired_for_good(call, place):
    (place / "two.csv").write_text(rows(600, 4, shares=(0.6, 0.0, 0.4)))
    (place / "back.csv").write_text(rows(600, 5))
    # Two kinds of rows, and three groups asked for: one of the two is cut, and its halves cannot both be the old group.
    first = json.loads(call("drift", "old.coterie", "two.csv", "--refit", "-o", "two.coterie", "--json", "-q").out)
    gone = set(first["identity"]["retired"])
    assert gone
    run = json.loads((place / "two.coterie/run.json").read_text())
    assert [run["clusters"][i]["rows"] for i in gone] == [0] * len(gone)
    assert run["identity"]["retired"] == sorted(gone)
    assert "Retired" in call("report", "two.coterie", "--text").out
    assert call("report", "two.coterie").code == 0
    second = json.loads(call("drift", "two.coterie", "back.csv", "--refit", "-o", "back.coterie", "--json", "-q").out)
    numbers = {line["number"] for line in second["identity"]["groups"]}
    assert not numbers & gone
    assert gone <= set(second["identity"]["retired"])


def test_a_newer_run_is_matched_with_the_older(call, place):
    assert call("run", "moved.csv", "-k", "3", "--method", "KMeans", "-q").code == 0
    record = told(call, "moved.coterie")
    assert record["identity"]["kept"] == [0, 1, 2]
    assert record["findings"] == ["shares moved"]
    assert sum(line["rows"] for line in record["migration"]) == 600
    assert "3 of 3 groups keep the number of an old one." in call("drift", "old.coterie", "moved.coterie").out


# ---- what cannot be


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nothere", "same.csv"], 3, "no folder of results"),
        (["old.coterie", "nofile.csv"], 2, "there is no file"),
        (["old.coterie", "same.csv", "--data", "moved.csv"], 3, "does not hold the 900 rows"),
        (["old.coterie", "same.csv", "-o", "x"], 2, "add --refit"),
        (["old.coterie", "same.csv", "--level", "0%"], 2, "--level must be at least 0.1%"),
        (["old.coterie", "old.coterie", "--refit"], 2, "NEW is the folder of a run"),
        (["old.coterie", "bad.csv"], 3, "lack a column"),
        (["old.coterie", "empty.csv"], 3, "no rows"),
        (["old.coterie", "tiny.csv", "--refit"], 3, "at least the 3 rows"),
    ],
)
def test_what_cannot_be_is_one_sentence(call, place, arguments, code, words):
    (place / "bad.csv").write_text("a,b\n1,2\n")
    (place / "empty.csv").write_text("id,age,spend (€),plan\n")
    (place / "tiny.csv").write_text("id,age,spend (€),plan\nc1,30,20,basic\nc2,50,90,gold\n")
    ended = call("drift", *arguments)
    assert ended.code == code
    (sentence,) = [line for line in ended.err.splitlines() if line.startswith("error:")]
    assert words in sentence
    assert ended.out == ""
    assert not (place / "old-refit.coterie").exists()
