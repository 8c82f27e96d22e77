"""Groups as SQL, run by SQLite and DuckDB: the same labels as predict, rules as right as they say, and names that stay names."""

import datetime
import json
import re
import sqlite3

import duckdb
import numpy as np
import pandas as pd
import pytest

import coterie
from coterie.errors import InputError, UnsupportedError
from coterie.models import Model
from coterie.study.export_json import groups_json
from coterie.study.export_sql import centers_sql, rules_sql
from coterie.study.sql_dialects import name, number, remark, text

NASTY = 'a"; DROP TABLE t; --'
ENGINES = ["sqlite", "duckdb"]


@pytest.fixture(scope="module")
def frame():
    """Every coding: scaled, a logarithm, a far tail, yes and no, several levels with rare ones, missing values, awkward names."""
    rng = np.random.default_rng(0)
    n = 600
    kind = np.arange(n) % 3
    tail = rng.normal(np.array([0, 8, 16])[kind], 1)
    tail[:4] = [500, -500, 300, 90]
    city = np.array(["Bern", "O'Fallon", "Zürich; --"])[np.where(rng.random(n) < 0.8, kind, rng.integers(0, 3, n))]
    city = city.astype(object)
    city[:9] = [f"rare {i}" for i in range(9)]
    city[9:60:5] = None
    age = rng.normal(np.array([25, 50, 75])[kind], 4).round(1)
    age[::17] = np.nan
    return pd.DataFrame(
        {
            NASTY: age,
            "income": np.exp(rng.normal(np.array([2, 4, 6])[kind], 0.5)).round(3),
            "tail": tail,
            "city": city,
            "member's": np.where(rng.random(n) < 0.5 + 0.4 * (kind == 1), "yes", "no"),
            "grade": rng.integers(1, 4, n).astype(float),
        }
    )


@pytest.fixture(scope="module")
def analysed(frame):
    return _analysed(frame, roles={"city": "category", "member's": "category", "grade": "category"})


def _analysed(frame, method="KMeans", **options):
    given = {"n_clusters": 3} if method != "HDBSCAN" else {}
    analysis = coterie.run(frame, method=method, **given, **options)
    return analysis, Model(analysis.estimator, analysis.prepared, analysis.label_map, analysis._card())


def _labelled(frame, query, engine):
    """Run a query on the rows; a database may give them in any order."""
    frame = frame.assign(place=np.arange(len(frame)))
    if engine == "sqlite":
        connection = sqlite3.connect(":memory:")
        frame.to_sql("t", connection, index=False)
        found = connection.execute(query.rstrip().rstrip(";")).fetchall()
        assert connection.execute("SELECT COUNT(*) FROM t").fetchone() == (len(frame),)
    else:
        with duckdb.connect() as connection:
            connection.register("t", frame)
            found = connection.execute(query).fetchall()
    return np.array([-9 if row[-1] is None else row[-1] for row in sorted(found, key=lambda row: row[-2])])


@pytest.mark.parametrize("engine", ENGINES)
def test_every_coding_gives_the_labels_of_predict(analysed, frame, engine):
    analysis, model = analysed
    codings = {coding.coding for coding in analysis.prepared.codings if coding.used}
    assert codings >= {"log", "signed log", "one-hot", "yes/no"}
    found = _labelled(frame, centers_sql(model, table="t", dialect=engine), engine)
    np.testing.assert_array_equal(found, analysis.labels)


@pytest.mark.parametrize("engine", ENGINES)
def test_new_rows_with_unknown_levels_and_missing_values_get_the_labels_of_predict(analysed, frame, engine):
    _, model = analysed
    rng = np.random.default_rng(5)
    new = frame.sample(300, random_state=1).reset_index(drop=True)
    for column in new.columns:
        new[column] = new[column].sample(frac=1, random_state=len(column)).to_numpy()
        new.loc[rng.random(300) < 0.1, column] = None
    new.loc[::7, "city"] = "never seen"
    new.loc[::11, "income"] = -3.5
    predicted = model.predict(new)
    found = _labelled(new, centers_sql(model, table="t", dialect=engine), engine)
    assert (found == predicted).mean() >= 0.999
    assert len(np.unique(found)) == 3


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("method", ["KMedoids", "CLARA", "MiniBatchKMeans"])
def test_other_methods_with_centers_agree_with_predict(method, engine, frame):
    analysis, model = _analysed(frame[["income", "tail", NASTY]], method)
    found = _labelled(frame, centers_sql(model, table="t", dialect=engine), engine)
    assert (found == analysis.labels).mean() >= 0.999


@pytest.mark.parametrize("engine", ENGINES)
def test_places_on_both_sides_of_the_date_line_agree_with_predict(engine):
    rng = np.random.default_rng(2)
    longitude = np.concatenate([rng.normal(179, 2, 60), rng.normal(150, 2, 60)])
    longitude = np.where(longitude > 180, longitude - 360, longitude)
    frame = pd.DataFrame({"lat": np.concatenate([rng.normal(-17, 1, 60), rng.normal(-30, 1, 60)]), "lon": longitude})
    analysis, model = _analysed(frame)
    assert analysis.prepared.codings[1].seam is not None
    found = _labelled(frame, centers_sql(model, table="t", dialect=engine), engine)
    assert (found == analysis.labels).mean() >= 0.999


@pytest.mark.parametrize("engine", ENGINES)
def test_dates_agree_with_predict_and_standard_sql_refuses_them(engine):
    rng = np.random.default_rng(3)
    start = datetime.datetime(2020, 1, 1)
    days = np.concatenate([rng.integers(0, 50, 60), rng.integers(400, 450, 60), rng.integers(900, 950, 60)])
    frame = pd.DataFrame(
        {"when": [start + datetime.timedelta(days=int(day)) for day in days], "size": rng.normal(0, 1, 180)}
    )
    analysis, model = _analysed(frame, roles={"when": "date"})
    found = _labelled(frame, centers_sql(model, table="t", dialect=engine), engine)
    assert (found == analysis.labels).mean() >= 0.999
    by_rule = _labelled(frame, _rules(analysis, model, engine), engine)
    assert (by_rule == analysis.labels).mean() >= 0.9
    with pytest.raises(UnsupportedError, match="column 'when' holds dates"):
        centers_sql(model, table="t", dialect="ansi")


def test_a_number_that_is_not_finite_counts_as_missing(analysed, frame):
    _, model = analysed
    new = frame.head(40).copy()
    new["tail"] = np.where(np.arange(40) % 2, np.inf, np.nan)
    found = _labelled(new, centers_sql(model, table="t", dialect="duckdb"), "duckdb")
    missing = new.assign(tail=None)
    missing["tail"] = missing["tail"].astype(float)
    np.testing.assert_array_equal(found, model.predict(missing))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_blank_among_numbers_that_are_texts_counts_as_missing(analysed, frame, engine):
    _, model = analysed
    new = frame.head(60).assign(tail=None)
    expected = model.predict(new.assign(tail=np.nan))
    new["tail"] = np.where(np.arange(60) % 2, " ", "")
    found = _labelled(new, centers_sql(model, table="t", dialect=engine), engine)
    np.testing.assert_array_equal(found, expected)


def test_yes_and_no_that_a_database_made_logical_values_keep_their_meaning(analysed, frame):
    analysis, model = analysed
    logical = frame.assign(**{"member's": frame["member's"] == "yes"})
    found = _labelled(logical, centers_sql(model, table="t", dialect="duckdb"), "duckdb")
    np.testing.assert_array_equal(found, analysis.labels)


def _rules(analysis, model, dialect):
    return rules_sql(analysis.record["clusters"], model.prepared.codings, table="t", dialect=dialect)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("method", ["KMeans", "HDBSCAN"])
def test_each_rule_is_exactly_as_right_in_the_database_as_it_says(method, engine, frame):
    analysis, model = _analysed(frame, method, roles={"city": "category", "grade": "category"})
    ruled = [cluster for cluster in analysis.record["clusters"] if cluster["rule"]]
    assert len(ruled) >= 2
    for cluster in ruled:
        query = rules_sql([cluster], model.prepared.codings, table="t", dialect=engine)
        caught = _labelled(frame, query, engine) == cluster["id"]
        inside = analysis.labels == cluster["id"]
        # What it says is what half of the rows within and outside the group showed, which its search did not see.
        rng = np.random.default_rng(0)
        unseen = np.concatenate([rng.permutation(np.flatnonzero(mask))[1::2] for mask in (inside, ~inside)])
        right = (caught & inside)[unseen].sum()
        assert right / caught[unseen].sum() == pytest.approx(cluster["rule"]["precision"], abs=6e-4)
        assert right / inside[unseen].sum() == pytest.approx(cluster["rule"]["coverage"], abs=6e-4)


def test_conditions_of_a_rule_hold_for_the_rows_that_its_search_saw(frame, analysed):
    analysis, model = analysed
    cluster = next(c for c in analysis.record["clusters"] if c["rule"])
    mask = np.ones(len(frame), dtype=bool)
    for line in cluster["rule"]["conditions"]:
        values = frame[line["column"]]
        signs = {
            "at most": lambda v, x: v <= x,
            "above": lambda v, x: v > x,
            "is": lambda v, x: v.astype(str) == str(x),
            "is not": lambda v, x: v.astype(str) != str(x),
        }
        mask &= signs[line["kind"]](values, line["value"]).to_numpy()
    query = rules_sql([cluster], model.prepared.codings, table="t", dialect="duckdb")
    np.testing.assert_array_equal(_labelled(frame, query, "duckdb") == cluster["id"], mask)


@pytest.mark.parametrize("dialect", ["ansi", "duckdb", "postgres", "sqlite"])
def test_names_and_texts_cannot_end_what_they_stand_in(dialect, analysed):
    analysis, model = analysed
    for query in (centers_sql(model, table='t"; --', dialect=dialect), _rules(analysis, model, dialect)):
        assert "DROP TABLE" in query
        bare = re.sub(r'"(?:[^"]|"")*"|\'(?:[^\']|\'\')*\'|--[^\n]*', "", query)
        assert "DROP" not in bare
        assert bare.count(";") == 1


@pytest.mark.parametrize("value", ["plain", "it's", 'say "x"', "a;--", "naïve ☃", "", "\\", "new\nline"])
def test_texts_come_back_as_they_were(value):
    assert sqlite3.connect(":memory:").execute(f"SELECT {text(value)}").fetchone() == (value,)
    assert duckdb.sql(f"SELECT {text(value)} AS {name(value or 'x')}").fetchall() == [(value,)]


def test_a_nul_character_is_refused():
    with pytest.raises(InputError, match="NUL"):
        name("a\0b")


@pytest.mark.parametrize("value", [0.0, 1.0, -2.5, 0.1, 1e300, 5e-324, -1 / 3, 12345678901234567.0])
def test_numbers_keep_all_their_bits(value):
    assert sqlite3.connect(":memory:").execute(f"SELECT 0 + {number(value)}").fetchone() == (value,)
    assert duckdb.sql(f"SELECT {number(value)}").fetchall() == [(value,)]


def test_a_remark_stays_on_its_line():
    assert remark("one\n; DROP TABLE t\u2028two") == "-- one ; DROP TABLE t two"


def test_a_method_without_centers_is_told_to_take_the_rules(frame):
    _, model = _analysed(frame[["income", "tail"]], "HDBSCAN")
    with pytest.raises(
        UnsupportedError, match="HDBSCAN does not give rows to the nearest of some centers; take the rules"
    ):
        centers_sql(model, table="t")


def test_an_unknown_dialect_names_those_there_are(analysed):
    with pytest.raises(InputError, match="dialect must be one of ansi, duckdb, postgres, sqlite, got 'oracle'"):
        centers_sql(analysed[1], table="t", dialect="oracle")


def test_no_rule_at_all_is_said():
    with pytest.raises(InputError, match="no group has a rule to write"):
        rules_sql([{"id": 0, "name": "all", "rule": None}], [], table="t")


def test_the_json_of_groups_labels_rows_by_its_own_centers(analysed, frame):
    analysis, model = analysed
    found = json.loads(json.dumps(groups_json(model, analysis.record["clusters"], source="frame")))
    assert found["schema"] == "coterie.groups/1"
    X = analysis.prepared.X
    centers = np.array([line["features"] for line in found["centers"]])
    nearest = ((X[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(np.array([line["group"] for line in found["centers"]])[nearest], analysis.labels)
    assert len(found["features"]) == X.shape[1]


def test_centers_are_told_in_original_units(analysed, frame):
    analysis, model = analysed
    found = groups_json(model, analysis.record["clusters"])
    for group in found["groups"]:
        rows = frame[analysis.labels == group["id"]]
        # The middle of logarithms is the geometric mean, up to the unit in which they were taken.
        assert rows["income"].quantile(0.25) < group["center"]["income"] < rows["income"].quantile(0.75)
        shares = rows["member's"].value_counts(normalize=True)
        assert group["center"]["member's"]["yes"] == pytest.approx(shares.get("yes", 0.0), abs=1e-6)
        assert sum(group["center"]["city"].values()) == pytest.approx(1.0, abs=1e-6)
