"""An analysis under kept numbers, and the rows of an earlier run that can still be had."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import coterie
from coterie import tables
from coterie.errors import InputError
from coterie.report.drifted import refit
from coterie.report.kept import with_kept_numbers
from coterie.report.past_rows import past_rows
from coterie.report.stored import open_run
from coterie.study.identity import keep_identity
from coterie.study.map import unpack
from report.schemas import problems

SCHEMA = json.loads((Path(coterie.__file__).parent / "report" / "schema" / "run-1.json").read_text())


def table(n=700):
    rng = np.random.default_rng(0)
    kind = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    plan = np.array(["basic", "gold", None], dtype=object)[kind]
    day = np.datetime64("2024-01-01") + (kind * 200 + rng.integers(0, 60, n)).astype("timedelta64[D]")
    return {"age": np.array([20.0, 45, 70])[kind] + 3 * rng.normal(size=n), "plan": plan.tolist(), "day": day}


@pytest.fixture(scope="module")
def found():
    return coterie.run(table(), method="KMeans", n_clusters=3)


@pytest.fixture(scope="module")
def old(found, tmp_path_factory):
    return open_run(found.write(tmp_path_factory.mktemp("runs") / "old.coterie").path)


@pytest.fixture(scope="module")
def renumbered(found, old):
    """Return the analysis with numbers 3, 0 and 4 instead of 0, 1 and 2; 1 and 2 are retired."""
    before = np.where(found.labels == 1, 0, -1)
    return with_kept_numbers(found, keep_identity(before, found.labels, known=[0, 1, 2]), old)


def test_labels_model_map_and_record_agree_on_the_numbers(found, renumbered):
    number = {0: 3, 1: 0, 2: 4}
    wanted = np.array([number[label] for label in found.labels.tolist()])
    assert renumbered.labels.tolist() == wanted.tolist()
    assert renumbered.predict(table()).tolist() == wanted.tolist()
    shown = unpack(renumbered.record["map"]["label"], "<i2")
    assert shown.tolist() == wanted[unpack(renumbered.record["map"]["row"], "<u4")].tolist()
    assert [c["rows"] for c in renumbered.record["clusters"]] == np.bincount(wanted).tolist()


def test_a_label_is_the_place_of_its_group_and_retired_numbers_say_so(renumbered):
    clusters = renumbered.record["clusters"]
    assert [cluster["id"] for cluster in clusters] == [0, 1, 2, 3, 4]
    assert [cluster["name"].startswith("Retired") for cluster in clusters] == [False, True, True, False, False]
    assert renumbered.record["identity"]["retired"] == [1, 2]
    assert "2 are retired, so there are 3 groups" in renumbered.record["warnings"][-1]["text"]


def test_every_line_of_the_profile_follows_its_group(found, renumbered):
    for before, after in zip(found.record["profile"]["columns"], renumbered.record["profile"]["columns"], strict=True):
        assert [after["by_cluster"][i] for i in (3, 0, 4)] == before["by_cluster"]


def test_the_record_still_follows_its_schema(renumbered):
    assert list(problems(renumbered.record, SCHEMA)) == []


def test_what_is_written_can_be_read_and_keeps_the_numbers(renumbered, tmp_path):
    folder = renumbered.write(tmp_path / "new.coterie").path
    again = open_run(folder)
    assert again.labels.tolist() == renumbered.labels.tolist()
    assert again.model.predict(table()).tolist() == renumbered.labels.tolist()
    assert "Retired" in (folder / "report.html").read_text()


# ---- rows of an earlier run


def test_kept_rows_are_prepared_as_they_were(found, old):
    then = past_rows(old)
    rows = np.linspace(0, 699, 300).astype(int)
    assert (then.which, then.table.n_rows) == ("kept", 300)
    np.testing.assert_allclose(old.model.transform(then.table), found.prepared.X[rows], atol=1e-6)


def test_a_small_run_keeps_all_its_rows(tmp_path):
    small = coterie.run(table(120), method="KMeans", n_clusters=2)
    then = past_rows(open_run(small.write(tmp_path / "small.coterie").path))
    assert (then.which, then.table.n_rows) == ("all", 120)


def test_other_rows_than_those_of_the_run_are_refused(old):
    other = table()
    other["age"][3] += 1
    with pytest.raises(InputError, match="does not hold the 700 rows"):
        past_rows(old, other)
    assert past_rows(old, table()).which == "all"


def test_a_record_without_rows_leaves_the_counts(old):
    bare = type(old)(old.folder, old.record | {"rows": {"sample": {}}})
    assert past_rows(bare).table is None


def test_a_damaged_record_is_said_to_be(old):
    rows = {str(int(row)): 7 for row in np.linspace(0, 699, 300).astype(int)}
    with pytest.raises(InputError, match="is damaged"):
        past_rows(type(old)(old.folder, old.record | {"rows": {"sample": rows}}))


def test_what_other_candidates_found_follows_its_group():
    random = np.random.default_rng(2)
    found = coterie.run(random.normal(size=(400, 2)) + 9 * random.choice(3, (400, 1), p=[0.5, 0.3, 0.2]))
    by = [5, 6, 7]
    record = found.record | {"consensus": found.record["consensus"] | {"found_by": by}}
    changed = replace(found, record=record)
    before = np.where(found.labels == 1, 0, -1)
    stored = SimpleNamespace(record=record, name="old", fingerprint="", names={})
    kept = with_kept_numbers(changed, keep_identity(before, found.labels, known=[0, 1, 2]), stored)
    assert kept.record["consensus"]["found_by"] == [6, 0, 0, 5, 7]


@pytest.mark.parametrize("purpose", ["natural", "useful", "reduce"])
def test_a_refit_has_the_purpose_of_the_run(purpose, tmp_path):
    first = coterie.run(table(), purpose=purpose)
    earlier = open_run(first.write(tmp_path / "old.coterie").path)
    again, _ = refit(earlier, tables.read(table(900)), seed=0)
    assert again.record["purpose"]["name"] == purpose
    assert again.record["chosen"]["method"] == first.record["chosen"]["method"]
