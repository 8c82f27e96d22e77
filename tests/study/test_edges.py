"""Tables so small, wide or oddly sampled that a step of the study has nothing to go by."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import coterie
from coterie.catalog import CATALOG
from coterie.study import study
from coterie.study.map import draw_map
from coterie.study.turned import turned


@pytest.mark.parametrize("name", [line.name for line in CATALOG])
def test_three_rows_have_an_answer_by_every_method(name):
    found = study({"a": [1.0, 2.0, 9.0], "b": [5.0, 4.0, 1.0]}, method=name)
    assert len(found.labels) == 3
    assert found.record["clusters"] is not None


def test_two_groups_of_three_rows_are_given_and_doubted():
    found = study({"a": [1.0, 1.1, 9.0], "b": [5.0, 4.9, 1.0]}, method="KMeans", n_clusters=2)
    assert np.bincount(found.labels).tolist() == [2, 1]
    assert found.record["judge"]["stability"] is None
    assert "cannot be told of so few rows" in found.record["judge"]["sentence"]
    assert any("hardly more than the rows themselves" in warning["text"] for warning in found.warnings)


def test_a_group_that_the_sample_misses_is_described_without_its_stability(tmp_path):
    random = np.random.default_rng(0)
    near = [random.normal(size=(10_000, 2)), random.normal(size=(9_990, 2)) + 12]
    X = np.concatenate([*near, random.normal(size=(10, 2)) * 0.2 + [60, -60]])
    found = coterie.run(X, method="KMeans", n_clusters=3, sample=100, min_share=1e-4)
    assert [cluster["rows"] for cluster in found.record["clusters"]] == [10_000, 9_990, 10]
    assert found.record["clusters"][2]["stability"] is None
    assert len(found.record["consensus"]["found_by"]) == 3
    assert found.write(tmp_path / "far.coterie").report.exists()


def test_centers_to_start_from_are_taken_for_wide_tables_too():
    X = np.random.default_rng(0).normal(size=(24, 60)) + 3 * (np.arange(24) % 3)[:, None]
    starts = ((X - X.mean(axis=0)) / X.std(axis=0))[:3]
    found = study(X, method="KMeans", n_clusters=3, params={"init": starts})
    assert np.bincount(found.labels).tolist() == [8, 8, 8]


def test_turned_rows_the_map_and_the_choice_have_the_same_bits_on_any_number_of_threads():
    X = np.random.default_rng(0).normal(size=(120, 700))
    seen = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            record = study(X).record
            seen.append(
                (turned(X).tobytes(), draw_map(X, np.arange(120) % 3)["x"], record["candidates"], record["structure"])
            )
    assert seen[0] == seen[1]
