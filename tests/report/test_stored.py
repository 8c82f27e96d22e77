"""A folder of results, read back."""

import json
import shutil

import numpy as np
import pytest

import coterie
from coterie.errors import InputError
from coterie.report.stored import open_run


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A run of a file with ids, beside that file."""
    place = tmp_path_factory.mktemp("stored")
    rng = np.random.default_rng(0)
    rows = [f"C{i},{x:.3f},{'ab'[i % 2]}" for i, x in enumerate(rng.normal(np.tile([0, 9], 400), 1))]
    (place / "rows.csv").write_text("customer_id,size,kind\n" + "\n".join(rows) + "\n")
    analysis = coterie.run(place / "rows.csv", method="KMeans", n_clusters=2)
    analysis.write(place / "rows.coterie")
    return place, analysis


@pytest.fixture
def copied(written, tmp_path):
    shutil.copytree(written[0], tmp_path / "copy")
    return tmp_path / "copy"


def test_labels_strengths_scores_and_ids_come_back(written):
    place, analysis = written
    run = open_run(place / "rows.coterie")
    np.testing.assert_array_equal(run.labels, analysis.labels)
    np.testing.assert_allclose(run.strengths, analysis.strengths, atol=1e-5)
    np.testing.assert_allclose(run.outlier_scores, analysis.outlier_scores, atol=1e-5)
    assert run.ids[0] == "customer_id"
    assert run.ids[1][:3] == ["C0", "C1", "C2"]
    assert run.name == "rows"


def test_a_file_in_the_folder_stands_for_it(written):
    place, analysis = written
    assert open_run(place / "rows.coterie" / "model.coterie").record["input"]["rows"] == 800
    assert (open_run(place / "rows.coterie").model.predict(place / "rows.csv") == analysis.labels).all()


def test_the_data_are_found_beside_the_folder(written):
    run = open_run(written[0] / "rows.coterie")
    assert run.data().fingerprint() == run.fingerprint


def test_data_that_changed_are_not_taken_for_those_of_the_run(copied):
    text = (copied / "rows.csv").read_text()
    (copied / "rows.csv").write_text(text.replace("C5,", "C5,1"))
    assert open_run(copied / "rows.coterie").data() is None


def test_values_of_some_rows_are_in_the_record(written):
    run = open_run(written[0] / "rows.coterie")
    exemplar = run.record["clusters"][0]["exemplars"][0]
    assert run.sampled([exemplar])[0]["customer_id"] == f"C{exemplar}"
    absent = next(row for row in range(800) if str(row) not in run.record["rows"]["sample"])
    assert run.sampled([exemplar, absent]) is None


def test_an_id_that_is_not_there_is_named(written):
    with pytest.raises(
        InputError, match="no row has 'C999' in column 'customer_id'; give one of its values, for example 'C0'"
    ):
        open_run(written[0] / "rows.coterie").rows_of(["C3", "C999"])


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no folder of results"):
        open_run(tmp_path)


def test_labels_that_do_not_fit_the_record_are_refused(copied):
    labels = copied / "rows.coterie" / "labels.csv"
    labels.write_text("\n".join(labels.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(InputError, match="does not have a label for each of the 800 rows"):
        _ = open_run(copied / "rows.coterie").labels


def test_results_of_a_network_are_refused(copied):
    record = copied / "rows.coterie" / "run.json"
    record.write_text(
        json.dumps({"schema": "coterie.network/1", "input": {}, "structure": {}, "classes": [], "relations": {}})
    )
    with pytest.raises(InputError, match="holds the results of a network; give those of coterie run on a table"):
        open_run(copied / "rows.coterie")


def test_a_record_cannot_lead_out_of_its_folder(copied):
    record = copied / "rows.coterie" / "run.json"
    content = json.loads(record.read_text())
    content["files"] = content.get("files", {}) | {"labels": "../rows.csv"}
    record.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"rows\.coterie.rows\.csv is not there"):
        _ = open_run(copied / "rows.coterie").labels
