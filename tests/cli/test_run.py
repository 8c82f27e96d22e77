"""The main job through the command line: what is written, what is said, and what pipes carry."""

import csv
import io
import json

import numpy as np
import pytest

RUN = ("run", "groups.csv", "--method", "KMeans", "-k", "3")


@pytest.fixture
def groups(tmp_path):
    """A file of three groups, an id column and a known answer."""
    rng = np.random.default_rng(0)
    lines = ["customer,height (cm),weight (kg),kind"]
    for row in range(150):
        x, y = np.array([(0, 0), (9, 0), (0, 9)])[row % 3] + rng.normal(0, 0.7, 2)
        lines.append(f"C{row:05d},{170 + x:.3f},{70 + y:.3f},{'abc'[row % 3]}")
    path = tmp_path / "groups.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _labels(text):
    return [int(row["label"]) for row in csv.DictReader(io.StringIO(text))]


def test_a_run_says_a_line_a_step_writes_four_files_and_keeps_stdout_empty(call, groups, tmp_path):
    ended = call(*RUN, "--truth", "kind")
    assert ended.code == 0, ended.err
    assert ended.out == ""
    names = [line.split()[0] for line in ended.err.splitlines() if line and not line.startswith(" ")]
    wanted = ["read", "prepare", "plan", "clusters", "truth", "wrote", "next"]
    assert [name for name in names if name in wanted] == wanted
    assert "seed 0" in ended.err.splitlines()[0]
    assert "100% of the rows agree with kind" in ended.err
    folder = tmp_path / "groups.coterie"
    assert {path.name for path in folder.iterdir()} == {"labels.csv", "model.coterie", "run.json", "report.html"}
    record = json.loads((folder / "run.json").read_text())
    assert record["schema"] == "coterie.run/1"
    assert {column["name"]: column["used"] for column in record["columns"]} == {
        "customer": False, "height (cm)": True, "weight (kg)": True, "kind": False,
    }  # fmt: skip


@pytest.mark.parametrize("method", ["KMeans", "DBSCAN", "HDBSCAN"])
def test_predicting_the_training_file_repeats_its_labels(call, groups, tmp_path, method):
    assert call("run", "groups.csv", "--method", method, "-q").code == 0
    written = (tmp_path / "groups.coterie" / "labels.csv").read_text()
    ended = call("predict", "groups.coterie/model.coterie", "groups.csv")
    assert ended.code == 0, ended.err
    assert len(_labels(written)) == 150
    assert _labels(ended.out) == _labels(written)


def test_prediction_in_batches_to_a_file_as_json_and_from_a_folder_are_the_same(call, groups, tmp_path, monkeypatch):
    from coterie.cli import predict

    call(*RUN, "-q")
    whole = call("predict", "groups.coterie", "groups.csv", "-q")
    assert whole.err == ""
    monkeypatch.setattr(predict, "BATCH_ROWS", 40)
    assert call("predict", "groups.coterie", "groups.csv").out == whole.out
    call("predict", "groups.coterie", "groups.csv", "-o", "new.csv")
    assert (tmp_path / "new.csv").read_text() == whole.out
    as_json = json.loads(call("predict", "groups.coterie", "groups.csv", "--json").out)
    assert as_json["schema"] == "coterie.predict/1"
    assert as_json["labels"] == _labels(whole.out)


def test_a_column_that_is_missing_at_prediction_is_named_and_leaves_nothing(call, groups, tmp_path):
    call(*RUN, "-q")
    (tmp_path / "new.csv").write_text("customer,height (cm)\nC1,170\nC2,171\n")
    ended = call("predict", "groups.coterie", "new.csv", "-o", "out.csv")
    assert ended.code == 3
    assert "weight (kg)" in ended.err
    assert not (tmp_path / "out.csv").exists()


def test_the_same_seed_gives_the_same_bytes_of_labels(call, groups, tmp_path):
    call(*RUN, "-q", "-o", "one", "--seed", "5")
    call(*RUN, "-q", "-o", "two", "--seed", "5")
    assert (tmp_path / "one" / "labels.csv").read_bytes() == (tmp_path / "two" / "labels.csv").read_bytes()
    assert json.loads((tmp_path / "one" / "run.json").read_text())["seed"] == 5


def test_json_on_stdout_is_the_record_that_was_written(call, groups, tmp_path):
    ended = call(*RUN, "--json", "-q")
    assert json.loads(ended.out) == json.loads((tmp_path / "groups.coterie" / "run.json").read_text())


@pytest.mark.parametrize("option", [("-o", "-"), ("--labels-to-stdout",)])
def test_labels_go_to_stdout_and_no_folder_is_made(call, groups, tmp_path, option):
    ended = call(*RUN, *option)
    assert ended.code == 0, ended.err
    assert sorted(set(_labels(ended.out))) == [0, 1, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["groups.csv"]


def test_a_dry_run_stops_after_the_plan(call, groups, tmp_path):
    ended = call("run", "groups.csv", "--dry-run")
    assert ended.code == 0
    said = [line for line in ended.err.splitlines() if not line.startswith(" ")]
    assert [line.split()[0] for line in said] == ["read", "prepare", "plan", "dry"]
    candidates = [line.split() for line in ended.err.splitlines() if line.startswith(" ")]
    # Each with the seconds and the bytes of its fit.
    assert {words[0] for words in candidates} == {"KMeans,", "HDBSCAN,"}
    assert all(words[-3] == "s" and words[-1] in ("bytes", "KB", "MB") for words in candidates)
    assert [path.name for path in tmp_path.iterdir()] == ["groups.csv"]


def test_a_limit_that_cannot_hold_the_plan_is_exit_4_with_figures(call, groups, tmp_path):
    ended = call("run", "groups.csv", "--memory-limit", "1KB")
    assert ended.code == 4
    assert "limit of" in ended.err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["groups.csv"]


def test_a_role_can_be_said(call, groups, tmp_path):
    call(*RUN, "-q", "--roles", "weight (kg)=ignored")
    record = json.loads((tmp_path / "groups.coterie" / "run.json").read_text())
    assert not next(column for column in record["columns"] if column["name"] == "weight (kg)")["used"]


@pytest.mark.parametrize(
    "arguments", [("--roles", "wieght (kg)=ignored"), ("--truth", "knid")], ids=["a role", "the truth"]
)
def test_a_misspelt_column_gets_the_nearest_name(call, groups, arguments):
    ended = call(*RUN, *arguments)
    assert ended.code == 3
    assert ("weight (kg)" if "--roles" in arguments else "kind") in ended.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "doubtful"),
    [
        ({}, False),
        ({"structure": {"verdict": "none"}}, True),
        ({"structure": {"verdict": "weak"}}, True),
        ({"judge": {"stability": 0.5}}, True),
        ({"judge": {"stability": None}}, False),
        ({"judge": None}, False),
        ({"warnings": [{"text": "a small cluster"}]}, True),
    ],
)
def test_strict_doubts_what_has_no_structure_comes_and_goes_or_carries_a_warning(change, doubtful):
    from coterie.cli.run import _is_doubtful

    record = {"structure": {"verdict": "clusters"}, "judge": {"stability": 0.9}, "warnings": []}
    assert _is_doubtful({**record, **change}) is doubtful


def test_strict_exits_with_5_on_a_single_cloud_and_still_writes(call, tmp_path):
    rng = np.random.default_rng(3)
    np.savetxt(tmp_path / "cloud.csv", rng.normal(size=(80, 2)), delimiter=",", header="a,b", comments="", fmt="%.5f")
    ended = call("run", "cloud.csv", "--strict", "-q", "--method", "KMeans")
    assert ended.code == 5
    assert (tmp_path / "cloud.coterie" / "report.html").exists()


def test_report_makes_the_page_anew_from_the_record_alone(call, groups, tmp_path):
    call(*RUN, "-q")
    folder = tmp_path / "groups.coterie"
    before = (folder / "report.html").read_bytes()
    for name in ("report.html", "labels.csv", "model.coterie"):
        (folder / name).unlink()
    assert call("report", "groups.coterie").code == 0
    assert (folder / "report.html").read_bytes() == before
    assert "3 groups in 150 rows" in call("report", "groups.coterie", "--text").out


def test_a_pipe_carries_rows_in_and_labels_out_and_nothing_else_is_coloured(process, groups):
    ended = process("run", "-", "-o", "-", "--method", "KMeans", "-k", "3", stdin=groups.read_text())
    assert ended.code == 0, ended.err
    assert len(_labels(ended.out)) == 150
    assert "\x1b" not in ended.err


def test_no_report_leaves_out_the_page(call, groups, tmp_path):
    ended = call(*RUN, "--no-report")
    assert not (tmp_path / "groups.coterie" / "report.html").exists()
    assert "report.html" not in ended.err


def test_the_demo_finds_the_three_grapes(call, tmp_path):
    ended = call("demo")
    assert ended.code == 0, ended.err
    assert "3 groups in 178 rows" in ended.err
    assert "agree with cultivar" in ended.err
    assert (tmp_path / "demo.coterie" / "wine.csv").read_text().startswith("alcohol,")
    record = json.loads((tmp_path / "demo.coterie" / "run.json").read_text())
    assert record["judge"]["truth"]["ari"] > 0.8
    assert ended.err.splitlines()[-1].endswith("demo.coterie/report.html")
