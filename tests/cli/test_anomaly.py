"""``coterie anomaly``: a history, new rows, the alarms with their reasons, and one sentence where something cannot be used."""

import csv
import gzip
import json
import re

import numpy as np
import pytest

import coterie
from coterie.cli import invoke

HEADER = "machine_id,when,watts,vibration,state,site,fault"


def lines_of(n, seed, bad=0):
    """Rows of machines that are busy or idle; the first ``bad`` use far too much power."""
    random = np.random.default_rng(seed)
    busy = random.random(n) < 0.4
    watts = random.normal(np.where(busy, 90.0, 20.0), 3.0)
    watts[:bad] += 600.0
    vibration = random.gamma(5.0, 0.2, n)
    return [
        f"m{seed}{i:05d},2026-0{seed + 1}-{1 + i % 28:02d},{watts[i]:.2f},{vibration[i]:.3f},{'busy' if busy[i] else 'idle'},plant 7,"
        f"{int(i < bad)}"
        for i in range(n)
    ]


def write(path, lines, header=HEADER):
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with history.csv, the model of it, and today.csv, of which the first four rows are bad."""
    folder = tmp_path_factory.mktemp("kept")
    write(folder / "history.csv", lines_of(400, 1))
    write(folder / "today.csv", lines_of(300, 2, bad=4))
    history, model = str(folder / "history.csv"), str(folder / "model")
    assert invoke(["anomaly", "fit", history, "-o", model, "--label", "fault", "-q"]) == 0
    return folder


def table_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_fit_writes_its_folder_and_says_what_is_normal(kept):
    model = kept / "model"
    assert {path.name for path in model.iterdir()} == {
        "model.coterie", "normal_profile.csv", "metrics.json", "run.json", "report.html",
    }  # fmt: skip
    watts = {row["kind"]: row for row in table_of(model / "normal_profile.csv") if row["column"] == "watts"}
    assert sorted(float(row["middle"]) for row in watts.values()) == pytest.approx([20.0, 90.0], abs=1.0)
    record = json.loads((model / "run.json").read_text())
    assert [group["size"] for group in record["groups"]] == sorted(
        (group["size"] for group in record["groups"]), reverse=True
    )
    assert sum(group["size"] for group in record["groups"]) == 400
    assert all(metric["definition"] for metric in json.loads((model / "metrics.json").read_text())["metrics"].values())


def test_a_score_writes_alarms_with_reasons_and_checks_them_by_the_label(call, kept, tmp_path):
    ended = call(
        "anomaly",
        "score",
        kept / "today.csv",
        "--model",
        kept / "model",
        "--label",
        "fault",
        "-o",
        "out",
        "--time",
        "when",
    )
    assert (ended.code, ended.out) == (0, "")
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == {
        "alerts.csv",
        "scores.csv",
        "metrics.json",
        "run.json",
        "report.html",
    }
    alerts = table_of(folder / "alerts.csv")
    assert {row["machine_id"] for row in alerts[:4]} == {f"m2{i:05d}" for i in range(4)}
    assert all(row["column_1"] == "watts" and row["why"].startswith("watts is ") for row in alerts[:4])
    metrics = {name: one["value"] for name, one in json.loads((folder / "metrics.json").read_text())["metrics"].items()}
    assert metrics["roc_auc"] == 1.0
    assert metrics["recall"] == 1.0
    assert metrics["alarms"] == len(alerts) == sum(row["alarm"] == "1" for row in table_of(folder / "scores.csv"))
    assert "4 known anomalies" in ended.err


def test_alarms_alone_go_to_one_file_or_to_stdout(call, kept, tmp_path):
    alone = call("anomaly", "score", kept / "today.csv", "--model", kept / "model", "-o", tmp_path / "alerts.csv")
    piped = call("anomaly", "score", kept / "today.csv", "--model", kept / "model", "-o", "-", "-q")
    assert alone.code == piped.code == 0
    assert (tmp_path / "alerts.csv").read_text() == piped.out
    assert [path.name for path in tmp_path.iterdir()] == ["alerts.csv"]


def test_rows_that_come_in_batches_get_the_same_alarms(call, process, kept):
    model = kept / "model"
    whole = call("anomaly", "score", kept / "today.csv", "--model", model, "-o", "-", "-q")
    stream = process(
        "anomaly", "score", "-", "--model", model, "-o", "-", "--batch", "70", stdin=(kept / "today.csv").read_text()
    )
    assert stream.code == 0
    assert sorted(stream.out.splitlines()) == sorted(whole.out.splitlines())


@pytest.mark.parametrize("more", [(), ("--batch", "50")], ids=["whole", "batches"])
@pytest.mark.parametrize(("safe", "told"), [((), "=m"), (("--excel-safe",), "'=m")], ids=["as it came", "defused"])
def test_names_of_rows_stay_as_they_came_unless_a_spreadsheet_shall_read_them(call, tmp_path, more, safe, told):
    history, today = ([f"={line}" for line in lines_of(n, seed, bad)] for n, seed, bad in ((200, 1, 0), (60, 2, 3)))
    header = HEADER.replace(HEADER.split(",", maxsplit=1)[0], '"machine, no."')
    write(tmp_path / "history.csv", history, header)
    write(tmp_path / "today.csv", today, header)
    assert call("anomaly", "fit", "history.csv", "-o", "model", "-q").code == 0
    assert call("anomaly", "score", "today.csv", "--model", "model", "-o", "alerts.csv", *more, *safe).code == 0
    found = table_of(tmp_path / "alerts.csv")
    assert len(found) >= 3
    assert all(line["machine, no."].startswith(told) for line in found)


def test_batches_tell_once_what_a_whole_file_tells_and_bear_an_odd_value(call, kept, tmp_path):
    rows = lines_of(40, 2)
    for i, new in ((5, "off"), (9, "out")):
        rows[i] = rows[i].replace("idle", new).replace("busy", new)
    rows[20] = ",".join([*rows[20].split(",")[:2], "much", *rows[20].split(",")[3:]])
    with gzip.open(tmp_path / "odd.csv.gz", "wt") as file:
        file.write("\n".join([HEADER, *rows]) + "\n")
    ended = call(
        "anomaly", "score", "odd.csv.gz", "--model", kept / "model", "-o", "-", "-q", "--batch", "4", "--strict"
    )
    assert ended.code == 5
    assert ended.err.count("warning") == 2
    assert "up to row 7: 1 row has a value of state that history never had (such as 'off')" in ended.err
    assert "up to row 23: 1 row has no value of watts, which history never lacked" in ended.err
    rows[21:23] = [row.replace(row.split(",")[2], "more") for row in rows[21:23]]
    ended = call(
        "anomaly", "score", write(tmp_path / "odd.csv", rows), "--model", kept / "model", "-o", "-", "--batch", "4"
    )
    assert ended.code == 3
    assert "column 'watts' should hold numbers, but 3 of 24 values so far are none, such as 'much'" in ended.err


def test_rows_that_have_moved_as_a_whole_are_told_from_all_batches_together(call, kept, tmp_path):
    moved = [line.split(",") for line in lines_of(80, 3)]
    moved = [",".join([*one[:3], f"{float(one[3]) + 0.9:.3f}", *one[4:]]) for one in moved]
    ended = call(
        "anomaly", "score", write(tmp_path / "m.csv", moved), "--model", kept / "model", "-o", "-", "-q", "--batch", "4"
    )
    assert ended.code == 0
    assert ended.err.count("The rows as a whole are unlike history") == 1


def test_the_saved_model_gives_the_p_values_of_the_folder(call, kept, tmp_path):
    assert call("anomaly", "score", kept / "today.csv", "--model", kept / "model", "-o", "out", "-q").code == 0
    written = [float(row["p_value"]) for row in table_of(tmp_path / "out" / "scores.csv")]
    loaded = coterie.load(kept / "model").estimator
    assert loaded.p_values(coterie.load(kept / "model").transform(kept / "today.csv")) == pytest.approx(
        written, rel=1e-5
    )


def test_rows_unlike_history_are_said_to_be(call, kept, tmp_path):
    moved = [line.replace("plant 7", "plant 8").split(",") for line in lines_of(300, 3)]
    moved = [",".join([*one[:3], f"{float(one[3]) + 0.9:.3f}" if i else "", *one[4:]]) for i, one in enumerate(moved)]
    moved[5] = moved[5].replace("busy", "off").replace("idle", "off")
    ended = call(
        "anomaly", "score", write(tmp_path / "moved.csv", moved), "--model", kept / "model", "-o", "out", "--strict"
    )
    assert ended.code == 5
    said = " ".join(ended.err.split())
    assert "The rows as a whole are unlike history" in said
    assert "site was plant 7 in every row of history, and is something else in 300" in said
    assert "1 row has a value of state that history never had (such as 'off')" in said
    assert "1 row has no value of vibration, which history never lacked" in said


def test_rows_of_two_sorts_are_no_unsettled_history_and_no_too_few_alarms(call, tmp_path):
    write(tmp_path / "few.csv", ["1,2", "2,2"] * 300, "a,b")
    fitted = call("anomaly", "fit", "few.csv", "-o", "model", "--strict")
    scored = call(
        "anomaly", "score", write(tmp_path / "more.csv", ["1,2", "2,2"] * 1500, "a,b"), "--model", "model", "-o", "out"
    )
    assert (fitted.code, scored.code) == (0, 0)
    said = " ".join(scored.err.split())
    assert "0 are within what chance explains (0 to" in said


def test_the_history_itself_is_known_again_and_not_compared_with_chance(call, kept):
    ended = call("anomaly", "score", kept / "history.csv", "--model", kept / "model", "-o", "out")
    assert ended.code == 0
    said = " ".join(ended.err.split())
    assert "These are the rows that the model learnt from" in said
    assert "chance explains" not in said


def test_a_rate_that_a_long_history_cannot_keep_is_refused_at_the_fit(call, tmp_path):
    rows = np.random.default_rng(0).normal(size=(10_500, 2)).round(3)
    write(tmp_path / "long.csv", [f"{a},{b}" for a, b in rows], "a,b")
    ended = call("anomaly", "fit", "long.csv", "-o", "model", "--fpr", "0.0002")
    assert ended.code == 3
    assert "needs 4,999 normal rows of history to judge by, got 3,150 of 10,500" in ended.err


def test_a_date_is_read_as_in_history(call, tmp_path):
    history = [f"{i % 7}.5,{1 + i % 28:02d}/{1 + i % 12:02d}/2024" for i in range(200)]
    assert (
        call("anomaly", "fit", write(tmp_path / "h.csv", history, "v,day"), "-o", "m", "-q", "--roles", "day=date").code
        == 0
    )
    write(tmp_path / "one.csv", ["900,01/02/2019"], "v,day")
    for more in ((), ("--batch", "1")):
        ended = call("anomaly", "score", "one.csv", "--model", "m", "-o", "-", "-q", *more)
        assert "day is 2019-02-01" in ended.out


def test_later_rows_check_what_earlier_ones_promise(call, kept):
    ended = call("anomaly", "fit", kept / "history.csv", "--time", "when", "--label", "fault", "-o", "ordered")
    assert ended.code == 0
    assert re.search(r"1[12]\d rows were judged without having been seen", " ".join(ended.err.split()))


def other(tmp_path, kept, what):
    """Return the arguments of a command that cannot be carried out."""
    today, model = kept / "today.csv", kept / "model"
    some = lines_of(60, 1)
    if what == "other columns":
        return "score", write(tmp_path / "x.csv", ["1,2", "3,4"], "a,b"), "--model", model
    if what == "missing column":
        return "score", write(tmp_path / "x.csv", ["1,2", "3,4"], "watts,state"), "--model", model
    if what == "text among numbers":
        return "score", write(tmp_path / "x.csv", [some[0].replace(some[0].split(",")[2], "much")]), "--model", model
    if what == "constant history":
        return "fit", write(tmp_path / "x.csv", ["1,2", "1,2", "1,2"], "a,b")
    if what == "too few rows":
        return "fit", write(tmp_path / "x.csv", some)
    if what == "too few rows for this rate":
        return "score", today, "--model", model, "--fpr", "0.001"
    if what in ("fpr 0", "fpr 1"):
        return "score", today, "--model", model, "--fpr", what[-1]
    if what == "other kind of model":
        coterie.save(coterie.KMeans(2, random_state=0).fit(np.eye(4)), tmp_path / "other.coterie")
        return "score", today, "--model", tmp_path / "other.coterie"
    if what == "no model":
        return "score", today, "--model", tmp_path / "absent"
    if what == "empty today":
        return "score", write(tmp_path / "x.csv", []), "--model", model
    if what == "label of one value":
        return "score", write(tmp_path / "x.csv", some), "--model", model, "--label", "fault"
    if what == "no such label":
        return "score", today, "--model", model, "--label", "falt"
    if what == "time with gaps":
        return (
            "fit",
            write(tmp_path / "x.csv", [some[0].replace("2026-02-01", ""), *lines_of(200, 1)]),
            "--time",
            "when",
        )
    raise AssertionError(what)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("other columns", "the new rows lack a column the model uses"),
        ("missing column", "no column is called 'vibration'"),
        ("text among numbers", "column 'watts' should hold numbers, but row 0 has 'much'"),
        ("constant history", "no column"),
        (
            "too few rows",
            "needs 99 normal rows of history to judge by, got 60; give more history, or --fpr 0.017 or more",
        ),
        ("too few rows for this rate", "needs 999 rows to be judged by, and the model has"),
        ("fpr 0", "lies between 0 and 1, got 0"),
        ("fpr 1", "lies between 0 and 1, got 1"),
        ("other kind of model", "the model is a KMeans, not one of normal rows"),
        ("no model", "there is no model file at"),
        ("empty today", "has a header line but no rows"),
        ("label of one value", "must hold two values, such as 0 and 1, got 1 different value"),
        ("no such label", "did you mean 'fault'?"),
        ("time with gaps", "1 row has no value there (the first is row 0)"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence_and_nothing_is_written(call, kept, tmp_path, what, said):
    arguments = other(tmp_path, kept, what)
    before = set(tmp_path.iterdir())
    ended = call("anomaly", *arguments, "-o", "out", "-q")
    assert ended.code == 3
    assert ended.out == ""
    assert said in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("anomaly", "fit"), "give the file of HISTORY"),
        (("anomaly", "score"), "give the FILE of new rows"),
        (("anomaly", "score", "-"), "give the folder of the model with --model"),
        (("anomaly", "score", "-", "--model", "m", "--batch", "5"), "give -o alerts.csv, or -o - for stdout"),
        (
            ("anomaly", "score", "-", "--model", "m", "-o", "-", "--batch", "5", "--label", "x"),
            "--label checks all alarms",
        ),
        (("anomaly", "score", "-", "--model", "m", "-o", "-", "--batch", "5", "--time", "x"), "--time orders all rows"),
        (("anomaly", "score", "-", "--model", "m", "-o", "-", "--json"), "--json writes the record of a folder"),
        (("anomaly", "fit", "-", "--contamination", "60%"), "more than half of history must be normal"),
    ],
)
def test_what_was_typed_wrongly_is_said(call, arguments, said):
    ended = call(*arguments)
    assert ended.code == 2
    assert said in ended.err


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        ("", "standard input is empty"),
        (HEADER + "\n", "a header line but no rows"),
        ("a,b\n1,2\n", "lack a column the model uses"),
    ],
)
def test_a_stream_that_cannot_be_used_leaves_no_file(process, kept, tmp_path, stdin, said):
    ended = process("anomaly", "score", "-", "--model", kept / "model", "-o", "alerts.csv", "--batch", "9", stdin=stdin)
    assert (ended.code, ended.out) == (3, "")
    assert said in ended.err
    assert not (tmp_path / "alerts.csv").exists()


def test_a_reason_says_what_is_unusual_or_that_only_the_combination_is(call, kept, tmp_path):
    rows = ["m1,2026-03-01,90.00,1.000,idle,plant 7,0", "m2,2026-03-01,-50.00,1.000,idle,plant 7,0", *lines_of(60, 2)]
    write(tmp_path / "odd.csv", rows)
    assert call("anomaly", "score", "odd.csv", "--model", kept / "model", "-o", "alerts.csv", "--fpr", "0.05").code == 0
    why = {row["machine_id"]: row["why"] for row in table_of(tmp_path / "alerts.csv")}
    assert why["m2"].startswith("watts is -50, usually ")
    assert "usually idle" not in why["m1"]
    assert ("idle" in why["m1"]) or ("watts is 90" in why["m1"])


def test_a_history_of_hardly_any_rows_says_nothing_of_its_stability(call, tmp_path):
    write(tmp_path / "two.csv", ["1,2", "2,3"], header="a,b")
    ended = call("anomaly", "fit", "two.csv", "-o", "model", "--fpr", "0.5")
    assert ended.code == 0, ended.err
    assert "nothing can be said of how settled it is" in " ".join(ended.err.split())
    assert call("anomaly", "fit", "two.csv", "-o", "more", "--min-share", "0.9").code == 2
