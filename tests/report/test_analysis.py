"""The main job in Python: from data to a folder of results, and back."""

import csv
import json
import os

import numpy as np
import pytest

import coterie
from coterie import report
from coterie.errors import InputError, OutputError


def test_an_analysis_has_the_groups_that_are_there(analysis):
    found = [set(analysis.labels[part].tolist()) for part in (slice(1, 30), slice(30, 60), slice(60, 90))]
    assert sorted(found, key=min) == [{0}, {1}, {2}]
    assert "3 clusters in 90 rows" in repr(analysis)
    assert "3 groups in 90 rows" in analysis.to_text()
    assert "3 groups in 90 rows" in analysis._repr_html_()


def test_the_record_says_where_it_comes_from(analysis):
    record = analysis.record
    assert record["schema"] == "coterie.run/1"
    assert record["coterie"] == coterie.__version__
    assert record["input"]["rows"] == 90
    assert record["input"]["fingerprint"] == analysis.table.fingerprint()
    assert record["steps"][0]["name"] == "read"
    assert record["options"] == {"method": "KMeans", "n_clusters": 3, "roles": {"city": "ignored"}}
    assert {"coterie", "python", "numpy"} <= record["versions"].keys()


def test_the_record_is_strict_json(analysis):
    assert json.loads(json.dumps(analysis.record, allow_nan=False)) == analysis.record


def test_every_step_is_told_as_it_ends():
    rng = np.random.default_rng(1)
    points = np.repeat([[0, 0], [9, 9]], 20, axis=0) + rng.normal(0, 0.5, (40, 2))
    told = []
    found = report.run(points, method="KMeans", n_clusters=2, on_step=told.append, memory_limit="2GB")
    assert [step.name for step in told] == [step["name"] for step in found.record["steps"]]
    assert told[0].name == "read"


def test_the_folder_holds_labels_model_record_and_page(analysis, tmp_path):
    written = analysis.write(tmp_path / "customers.coterie", input_path="customers.csv")
    assert sorted(os.listdir(written.path)) == ["labels.csv", "model.coterie", "report.html", "run.json"]
    with open(written.labels, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [int(line["label"]) for line in lines] == analysis.labels.tolist()
    assert list(lines[0]) == ["row", "customer_id", "label", "strength", "outlier_score"]
    assert lines[7]["customer_id"] == "=C007"
    record = json.loads(written.record.read_text(encoding="utf-8"))
    assert record["files"] == {name: getattr(written, name).name for name in ("labels", "model", "record", "report")}
    assert any("customers.csv" in line for line in record["next"])
    assert written.report.read_text(encoding="utf-8") == report.html(record)


def test_the_model_in_the_folder_gives_the_same_labels(analysis, tmp_path):
    written = analysis.write(tmp_path / "a")
    model = coterie.load(written.model)
    np.testing.assert_array_equal(model.predict(analysis.table), analysis.labels)
    np.testing.assert_array_equal(analysis.predict(analysis.table), analysis.labels)
    assert model.card["fingerprint"] == analysis.table.fingerprint()


def test_labels_can_be_parquet_and_safe_for_spreadsheets(analysis, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    written = analysis.write(tmp_path / "a", labels_format="parquet", excel_safe=True)
    table = parquet.read_table(written.labels)
    assert table["customer_id"][0].as_py() == "'=C000"
    assert table["label"].to_pylist() == analysis.labels.tolist()


def test_an_unknown_format_of_labels_leaves_nothing_behind(analysis, tmp_path):
    with pytest.raises(InputError, match="labels_format"):
        analysis.write(tmp_path / "a", labels_format="xlsx")
    assert os.listdir(tmp_path) == []


def test_a_failing_model_leaves_the_older_results_whole(analysis, tmp_path, monkeypatch):
    written = analysis.write(tmp_path / "a")
    before = {name: (written.path / name).read_bytes() for name in os.listdir(written.path)}

    def fail(self, path):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(report.Analysis, "save_model", fail)
    with pytest.raises(OutputError, match=f"could not write {written.path}: No space left on device"):
        analysis.write(tmp_path / "a")
    assert {name: (written.path / name).read_bytes() for name in os.listdir(written.path)} == before
    assert os.listdir(tmp_path) == ["a"]


def test_render_gives_the_page_that_write_wrote(analysis, tmp_path):
    written = analysis.write(tmp_path / "a")
    page = written.report.read_bytes()
    written.report.unlink()
    assert report.render(written.path) == written.report
    assert written.report.read_bytes() == page


def test_an_analysis_without_its_page_does_not_name_one(analysis, tmp_path):
    written = analysis.write(tmp_path / "plain.coterie", report=False)
    record = json.loads(written.record.read_text(encoding="utf-8"))
    assert sorted(path.name for path in written.path.iterdir()) == ["labels.csv", "model.coterie", "run.json"]
    assert "report" not in record["files"]
    assert not any(line.startswith("open") for line in record["next"])
