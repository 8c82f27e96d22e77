"""What is told of all rows in files, against NumPy on the gathered rows: exact where it is exact, within its bound where it is sketched."""

import numpy as np
import pytest

from coterie import DBSCAN, KMeans, metrics
from coterie.errors import InputError, ResourceError
from coterie.study import blocks_people, population
from coterie.study.blocks import study_blocks
from coterie.study.judge import against_truth

pytest.importorskip("distributed", reason="rows in blocks need the extra distributed")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

N = 30_000  # more than the sample
NAMES = ("spent", "visits", "stars")
LIMIT = 600_000


@pytest.fixture(scope="module")
def rows():
    """A skewed column, one far from zero, one of few values; a fortieth of the rows far from the others; a class of most of them."""
    rng = np.random.default_rng(0)
    group = rng.choice(3, N, p=[0.6, 0.375, 0.025])
    values = np.column_stack(
        [
            np.exp(rng.normal(0, 1, N) + np.array([0.0, 3.0, 1.0])[group]),
            5000 + np.array([0.0, 60.0, 300.0])[group] + rng.normal(0, 8, N),
            np.minimum(rng.poisson(np.array([1.0, 4.0, 2.0])[group]), 9),
        ]
    )
    kinds = np.array(["new", "old", "old", None], object)[np.where(rng.random(N) < 0.1, 3, group)]
    return values, kinds


@pytest.fixture(scope="module")
def folder(rows, tmp_path_factory):
    place = tmp_path_factory.mktemp("rows")
    values, kinds = rows
    for i, at in enumerate(np.split(np.arange(N), [4000, 15_500, 22_000])):
        columns = dict(zip(NAMES, values[at].T, strict=True)) | {"kind": kinds[at]}
        pq.write_table(pa.table(columns), place / f"{i}.parquet", row_group_size=3000)
    return place


def start(values):
    return ((values - values.mean(axis=0)) / values.std(axis=0))[[0, 1, 2]]


def studied(folder, values, **options):
    params = {"init": start(values), "tol": 0.0}
    return study_blocks(
        folder, method="KMeans", n_clusters=3, params=params, memory_limit=LIMIT, **{"min_share": 0.0} | options
    )


@pytest.fixture(scope="module")
def found(folder, rows):
    return studied(folder, rows[0], truth="kind")


def members(found, values):
    return [values[found.labels == cluster["id"]] for cluster in found.record["clusters"]]


def cells(found):
    """Give each cell of the profile table with the number of its group and of its column."""
    for j, line in enumerate(found.record["profile"]["columns"]):
        for g, cell in enumerate(line["by_cluster"]):
            yield g, j, cell, line


def test_profiles_are_those_of_the_gathered_rows(found, rows):
    parts = members(found, rows[0])
    for g, j, cell, _ in cells(found):
        own = parts[g][:, j]
        exact = {"mean": own.mean(), "deviation": own.std(), "min": own.min(), "max": own.max(), "missing": 0}
        for name, value in exact.items():
            assert cell[name] == pytest.approx(value, rel=1e-7), name  # the record keeps eight figures


def test_quantiles_keep_the_bound_that_the_record_states(found, rows):
    parts = members(found, rows[0])
    for g, j, cell, line in cells(found):
        bound = line["quantiles"]
        assert bound["alpha"] == (0 if j == 2 else 2**-8)
        for name, share in (("q25", 0.25), ("median", 0.5), ("q75", 0.75)):
            true = np.quantile(parts[g][:, j], share, method="inverted_cdf")
            error = bound["alpha"] * (abs(true - bound["origin"]) + bound["unit"])
            assert cell[name] == pytest.approx(true, abs=error + 1e-7 * abs(true))


def test_the_line_of_all_rows_is_of_all_rows(found, rows):
    assert found.record["profile"]["rows"] == N
    for j, line in enumerate(found.record["profile"]["columns"]):
        assert line["overall"]["mean"] == pytest.approx(rows[0][:, j].mean(), rel=1e-7)
        assert line["overall"]["max"] == pytest.approx(rows[0][:, j].max(), rel=1e-7)


def test_few_values_are_told_with_their_shares(found, rows):
    parts = members(found, rows[0])
    for g, j, cell, _ in cells(found):
        values, counts = np.unique(parts[g][:, j], return_counts=True)
        if j == 2:
            assert cell["distinct"] == len(values)
            assert cell["top"][0] == {
                "level": values[counts.argmax()],
                "share": pytest.approx(counts.max() / len(parts[g])),
            }
        else:
            assert cell["distinct"] == pytest.approx(len(values), rel=0.1)
            assert "top" not in cell


def test_cards_are_of_all_rows(found, rows):
    parts = members(found, rows[0])
    for g, cluster in enumerate(found.record["clusters"]):
        others = np.vstack([part for i, part in enumerate(parts) if i != g])
        assert cluster["rows"] == len(parts[g])
        for j, name in enumerate(NAMES):
            assert cluster["center"][name] == pytest.approx(parts[g][:, j].mean(), rel=1e-7)
        for feature in cluster["features"]:
            j = NAMES.index(feature["column"])
            assert feature["here"] == pytest.approx(np.median(parts[g][:, j]), rel=0.01)
            assert feature["elsewhere"] == pytest.approx(np.median(others[:, j]), rel=0.01)
            assert feature["effect"] == pytest.approx(rank_biserial(parts[g][:, j], others[:, j]), abs=2e-3)


def rank_biserial(here, there):
    ordered = np.sort(there)
    below, upto = (np.searchsorted(ordered, here, side) for side in ("left", "right"))
    return (below - (len(there) - upto)).sum() / len(here) / len(there)


def test_scores_around_centers_are_of_all_rows(found, rows):
    values = rows[0]
    Z = (values - values.mean(axis=0)) / values.std(axis=0)
    scores = found.record["judge"]["all_rows"]
    assert scores["rows"] == N
    for name in ("davies_bouldin", "calinski_harabasz", "simplified_silhouette"):
        expected = getattr(metrics, f"{name}_score")(Z, np.asarray(found.labels))
        assert scores[name] == pytest.approx(expected, rel=1e-7)


def test_known_classes_are_compared_over_all_rows(found, rows):
    expected = against_truth("kind", rows[1], np.asarray(found.labels, np.int64))
    ours = found.record["judge"]["truth"]
    assert ours["table"] == expected["table"]
    for name in ("rows", "ari", "ami", "accuracy", "normalized_accuracy"):
        assert ours[name] == pytest.approx(expected[name], rel=1e-7)
    assert ours["rows"] < N
    assert "kind" not in {column["name"] for column in found.record["columns"] if column["used"]}


def test_on_workers_all_of_it_is_the_same_to_the_last_bit(found, folder, rows, workers):
    other = studied(folder, rows[0], truth="kind")
    for part in ("clusters", "profile", "population", "judge"):
        assert other.record[part] == found.record[part], part


def same_population(ours, expected):
    """Compare with the record of rows in memory; ours keeps eight figures."""
    told = {
        name: pytest.approx(value, rel=1e-7) if isinstance(value, float) else value
        for name, value in expected.record.items()
    }
    assert ours.record["population"] == told


def test_no_order_of_the_files_changes_what_all_rows_tell(found, folder, rows, tmp_path):
    for i, name in enumerate("2031"):
        (tmp_path / f"{i}.parquet").write_bytes((folder / f"{name}.parquet").read_bytes())
    other = studied(tmp_path, rows[0], truth="kind")
    assert other.record["profile"] == found.record["profile"]
    for part in ("all_rows", "truth"):
        assert other.record["judge"][part] == found.record["judge"][part]
    assert other.record["population"] == found.record["population"]
    for name in ("rows", "center", "features", "name", "sentence"):
        ours, theirs = ([cluster[name] for cluster in some.record["clusters"]] for some in (other, found))
        assert ours == theirs, name


def test_small_groups_become_what_they_become_in_memory(folder, rows):
    values = rows[0]
    Z = (values - values.mean(axis=0)) / values.std(axis=0)
    for min_share in (None, 0.05, 0.45):
        ours = studied(folder, values, min_share=min_share)
        own = KMeans(3, init=start(values), tol=0.0).fit(Z).labels_
        expected = population.settle(Z, own, min_share=min_share, method="KMeans")
        assert np.array_equal(ours.labels, expected.labels)
        assert np.array_equal(ours.label_map, expected.label_map)
        same_population(ours, expected)
        assert [cluster["rows"] for cluster in ours.record["clusters"]] == np.bincount(
            expected.labels[expected.labels >= 0]
        ).tolist()


def test_rows_set_aside_are_in_no_group(folder, rows):
    ours = studied(folder, rows[0], min_share=0.05)
    parts = members(ours, rows[0])
    noise = (ours.labels == -1).sum()
    assert noise == ours.record["population"]["noise_rows"]
    assert sum(map(len, parts)) + noise == N
    for g, j, cell, _ in cells(ours):
        assert cell["mean"] == pytest.approx(parts[g][:, j].mean(), rel=1e-7)
    Z = (rows[0] - rows[0].mean(axis=0)) / rows[0].std(axis=0)
    assert ours.record["judge"]["all_rows"]["davies_bouldin"] == pytest.approx(
        metrics.davies_bouldin_score(Z, np.asarray(ours.labels)), rel=1e-7
    )


def test_noise_of_the_method_and_small_groups_go_together(folder, rows):
    values = rows[0]
    Z = (values - values.mean(axis=0)) / values.std(axis=0)
    params = {"eps": 0.15, "min_samples": 10}
    ours = study_blocks(folder, method="DBSCAN", params=params, memory_limit=None, min_share=0.1, truth="kind")
    own = DBSCAN(**{name: getattr(ours.estimator, name) for name in params}).fit(Z).labels_
    expected = population.settle(Z, own, min_share=0.1, method="DBSCAN")
    assert np.array_equal(ours.labels, expected.labels)
    same_population(ours, expected)
    assert ours.record["judge"]["truth"]["table"] == against_truth("kind", rows[1], expected.labels)["table"]


def test_a_column_of_too_many_values_is_no_class(folder, rows):
    with pytest.raises(InputError, match="'spent' has more than 1,000 different values"):
        studied(folder, rows[0], truth="spent")


def test_a_column_that_is_not_there_is_no_class(folder, rows):
    with pytest.raises(InputError, match="knd"):
        studied(folder, rows[0], truth="knd")


@pytest.mark.parametrize("min_share", [-0.1, 0.5])
def test_a_share_that_groups_cannot_have_is_refused_at_once(folder, min_share):
    with pytest.raises(InputError, match="min_share must be at least 0 and below"):
        study_blocks(folder, min_share=min_share)


def no_room(*_):
    raise ResourceError("profiles of so many groups take more than there is")


def test_without_room_for_profiles_the_sample_describes_and_says_so(folder, rows, monkeypatch):
    monkeypatch.setattr(blocks_people, "layout_of", no_room)
    ours = studied(folder, rows[0], min_share=None)
    assert any("described from the sample alone" in warning["text"] for warning in ours.warnings)
    assert ours.record["steps"][-1]["text"] == "3 groups described from a sample of 20,000 of 30,000 rows"
    assert sum(cluster["rows"] for cluster in ours.record["clusters"]) == N
    with pytest.raises(ResourceError, match="profiles of so many groups"):
        studied(folder, rows[0], min_share=0.01)
