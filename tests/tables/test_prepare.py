"""A matrix in which every column counts about alike, outliers stay far, and new rows fall where they should."""

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coterie.errors import InputError
from coterie.tables import Prepared, find_roles, prepare, read

N = 1000


def rng():
    return np.random.default_rng(0)


def coding_of(values, **options):
    return prepare(read({"v": values}), **options).codings[0]


DISTRIBUTIONS = {
    "normal": (lambda r: r.normal(50, 3, N), "z-score"),
    "uniform": (lambda r: r.uniform(0, 1, N), "z-score"),
    "two groups": (lambda r: np.r_[r.normal(5, 1, 700), r.normal(15, 1, 300)], "z-score"),
    "two groups, one small": (lambda r: np.r_[r.normal(0, 1, 900), r.normal(10, 1, 100)], "z-score"),
    "lognormal": (lambda r: r.lognormal(3, 1.5, N), "log"),
    "lognormal in cents": (lambda r: 100 * r.lognormal(3, 1.5, N), "log"),
    "counts": (lambda r: np.floor(r.lognormal(1.5, 1.2, N)), "log"),
    "amounts, mostly none": (lambda r: np.where(r.random(N) < 0.6, 0, r.lognormal(3, 1.5, N)), "log"),
    "an age with a slip": (lambda r: np.r_[r.uniform(18, 80, N - 1), 4500], "signed log"),
    "Cauchy": (lambda r: r.standard_cauchy(N), "signed log"),
    "returns of goods": (lambda r: np.r_[r.integers(1, 30, N - 2), -80_995, 80_995], "signed log"),
    "mostly one value": (lambda r: np.where(r.random(N) < 0.97, 7, r.normal(7, 1, N)), "signed log"),
}


@pytest.mark.parametrize("key", DISTRIBUTIONS)
def test_the_coding_follows_the_shape(key):
    make, expected = DISTRIBUTIONS[key]
    assert coding_of(make(rng())).coding == expected


@pytest.mark.parametrize("key", DISTRIBUTIONS)
def test_every_coding_gives_about_unit_spread_and_keeps_the_order(key):
    values = DISTRIBUTIONS[key][0](rng())
    x = prepare(read({"v": values})).X[:, 0]
    assert 0.5 < np.std(x) < 2.5
    order = np.argsort(values, kind="stable")
    assert (np.diff(x[order]) >= 0).all()


def test_an_outlier_is_far_and_does_not_flatten_the_rest():
    values = np.r_[rng().normal(0, 1, N), 1e6]
    x = prepare(read({"v": values})).X[:, 0]
    assert x[-1] > 3 * np.abs(x[:-1]).max()
    assert np.std(x[:-1]) > 0.9


def test_a_logarithm_does_not_depend_on_the_currency():
    amounts = rng().lognormal(3, 1.5, N)
    in_francs, in_cents = (prepare(read({"v": amounts * factor})).X for factor in (1, 100))
    np.testing.assert_allclose(in_francs, in_cents, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e-30, 1, 1e30, 1e150, 1e300])
def test_extreme_units_change_nothing(scale):
    values = rng().normal(3, 1, N)
    expected = prepare(read({"v": values})).X
    np.testing.assert_allclose(prepare(read({"v": values * scale})).X, expected, rtol=1e-9, atol=1e-9)


def mean_square(X):
    """Mean squared distance of two rows: twice the total variance."""
    return 2 * X.var(axis=0).sum()


@pytest.mark.parametrize("levels", [2, 3, 5, 12])
def test_a_category_counts_about_as_much_as_a_number(levels):
    r = rng()
    number = prepare(read({"n": r.normal(size=N)})).X
    category = prepare(read({"c": [f"level {i}" for i in r.integers(0, levels, N)]}))
    assert mean_square(category.X) == pytest.approx(mean_square(number), rel=0.05)
    assert category.X.shape[1] == (1 if levels == 2 else levels)


def test_a_rare_flag_does_not_outweigh_everything():
    flag = np.zeros(N, int)
    flag[:3] = 1
    X = prepare(read({"f": flag, "n": rng().normal(size=N)})).X
    assert np.ptp(X[:, 0]) == pytest.approx(2.0)


def test_rare_levels_are_pooled_and_said():
    values = ["a"] * 600 + ["b"] * 380 + [f"rare {i % 10}" for i in range(20)]
    coding = coding_of(values)
    assert coding.categories == ("a", "b", "other")


def test_missing_numbers_take_the_median_and_are_counted():
    values = [1.0, 2.0, None, 4.0, None, 9.0, 7.5]
    prepared = prepare(read({"v": values}))
    coding = prepared.codings[0]
    assert (coding.missing, coding.fill) == (2, 4.0)
    assert prepared.X[2] == prepared.X[3]
    assert "2 of 7 values of v are missing and were filled with the median, 4" in prepared.notes


def test_frequent_missing_is_a_level_of_its_own_and_rare_missing_is_not():
    often = coding_of(["a", "b", None] * 20)
    seldom = coding_of(["a", "b", "a"] * 20 + [None])
    assert often.categories == ("a", "b", "missing")
    assert (seldom.categories, seldom.fill) == (("b", "a")[::-1], "a")


def test_missing_can_be_refused_with_its_place():
    with pytest.raises(InputError, match=r"column 'v' has 1 missing values \(first in row 2\)"):
        prepare(read({"v": [1, 2, None, 4]}), missing="error")


def test_places_keep_a_common_scale():
    r = rng()
    latitude, longitude = r.uniform(46, 48, N), r.uniform(6, 10, N)
    prepared = prepare(read({"Latitude": latitude, "Longitude": longitude, "depth": r.normal(size=N)}))
    lat, lon = prepared.X[:, 0], prepared.X[:, 1]
    ratio = (np.ptp(lon) / np.ptp(longitude)) / (np.ptp(lat) / np.ptp(latitude))
    assert ratio == pytest.approx(np.cos(np.radians(latitude.mean())))
    assert (lat.var() + lon.var()) / 2 == pytest.approx(1)
    assert any("are places" in note for note in prepared.notes)


def test_the_date_line_parts_no_neighbours():
    r = rng()
    longitude = np.r_[r.uniform(170, 190, 500), r.uniform(100, 140, 500)]
    longitude = np.where(longitude > 180, longitude - 360, longitude)
    prepared = prepare(read({"lat": r.uniform(-20, 20, N), "lon": longitude}))
    assert np.ptp(prepared.X[:500, 1]) < np.ptp(prepared.X[:, 1]) / 3
    np.testing.assert_array_equal(prepared.transform(read({"lat": [0.0], "lon": [-179.99]})).shape, (1, 2))


def test_pairs_of_places_are_matched_by_the_rest_of_their_names():
    r = rng()
    names = ["start_lat", "start_lng", "end_lat", "end_lng"]
    prepared = prepare(read({name: r.uniform(10, 20, N) for name in names}))
    assert [coding.coding for coding in prepared.codings] == ["common scale"] * 4


def test_coordinates_keep_a_common_scale():
    r = rng()
    prepared = prepare(read({"x": r.uniform(0, 10, N), "y": r.uniform(0, 2, N)}))
    assert np.ptp(prepared.X[:, 0]) / np.ptp(prepared.X[:, 1]) == pytest.approx(5, rel=0.02)


def test_pixels_keep_a_common_scale():
    r = rng()
    X = np.minimum(r.poisson(3, (N, 20)), 9) * 1.0
    X[0], X[1] = 0, 9
    prepared = prepare(read(X))
    assert {coding.coding for coding in prepared.codings} == {"common scale"}


def test_a_copy_of_a_column_is_counted_once():
    r = rng()
    a = r.normal(size=N)
    prepared = prepare(read({"kg": a, "pounds": -2.2046 * a + 1, "other": r.normal(size=N)}))
    assert prepared.feature_names == ("kg", "other")
    assert prepared.codings[1].why == "says the same as kg"
    assert "pounds says the same as kg and is left out" in prepared.notes


def test_closely_related_columns_are_both_kept():
    r = rng()
    a = r.normal(size=N)
    prepared = prepare(read({"a": a, "b": a + 0.1 * r.normal(size=N)}))
    assert prepared.feature_names == ("a", "b")


def test_two_of_three_hundred_columns_are_enough():
    r = rng()
    columns = {f"key_{i}_id": r.permutation(N) for i in range(298)} | {"a": r.normal(size=N), "b": r.normal(size=N)}
    prepared = prepare(read(columns))
    assert prepared.feature_names == ("a", "b")


def test_a_date_alone_can_be_used():
    prepared = prepare(read({"joined": np.datetime64("2024-01-01") + np.arange(50) % 31}))
    assert prepared.feature_names == ("joined",)
    assert prepared.codings[0].coding == "days"


NOTHING = {
    "all text": ({"note": [f"a long remark about thing number {i} of many" for i in range(50)]}, "1 free text"),
    "all missing": ({"a": [None, None], "b": [np.nan, np.nan]}, "2 constant"),
    "a constant": ({"a": [5, 5, 5]}, "1 constant"),
    "only ids": ({"id": range(40), "uuid": [f"u{i}" for i in range(40)]}, "2 identifiers"),
    "one row": ({"a": [5], "b": ["x"]}, "2 constant"),
}


@pytest.mark.parametrize("key", NOTHING)
def test_nothing_to_compare_by_is_said_with_what_was_found(key):
    source, found = NOTHING[key]
    with pytest.raises(InputError) as refusal:
        prepare(read(source))
    assert found in str(refusal.value)
    assert "roles=" in str(refusal.value)


@pytest.mark.parametrize(("option", "value"), [("scale", "zscore"), ("missing", "drop"), ("categories", "all")])
def test_an_unknown_option_is_refused(option, value):
    with pytest.raises(InputError, match=f"{option}="):
        prepare(read({"a": [1, 2, 4]}), **{option: value})


@pytest.mark.parametrize(("scale", "expected"), [("z-score", "z-score"), ("robust", "robust"), ("none", "as is")])
def test_the_scale_can_be_chosen(scale, expected):
    values = rng().lognormal(3, 1.5, N)
    prepared = prepare(read({"v": values}), scale=scale)
    assert prepared.codings[0].coding == expected
    if scale == "none":
        np.testing.assert_array_equal(prepared.X[:, 0], values)


def test_categories_can_be_ignored():
    prepared = prepare(read({"c": ["a", "b", "a"], "n": [1, 2, 4]}), categories="ignore")
    assert prepared.feature_names == ("n",)


# ---- new rows


def training():
    r = rng()
    gaps = r.random(N) < 0.05
    return {
        "age": np.where(gaps, np.nan, r.uniform(18, 80, N)),
        "income": r.lognormal(8, 1, N),
        "city": list(r.choice(["Bern", "Basel", "Chur", "Genf"], N, p=[0.5, 0.3, 0.195, 0.005])),
        "vip": r.integers(0, 2, N),
        "joined": np.datetime64("2020-01-01") + r.integers(0, 900, N),
        "lat": r.uniform(46, 48, N),
        "lon": r.uniform(6, 10, N),
        "customer_id": r.permutation(N),
    }


def test_training_rows_fall_where_they_were_bit_for_bit():
    table = read(training())
    prepared = prepare(table)
    np.testing.assert_array_equal(prepared.transform(table), prepared.X)
    rows = np.arange(N)[::-7]
    np.testing.assert_array_equal(prepared.transform(table.take(rows)), prepared.X[rows])


def test_the_same_table_always_gives_the_same_matrix():
    first, second = (prepare(read(training())) for _ in range(2))
    np.testing.assert_array_equal(first.X, second.X)
    assert first.codings == second.codings
    assert first.X.flags.c_contiguous
    assert first.X.dtype == np.float64


def test_its_state_is_json_and_gives_the_same_rows():
    table = read(training())
    prepared = prepare(table)
    state, arrays = prepared.state()
    back = Prepared.from_state(json.loads(json.dumps(state)), arrays)
    np.testing.assert_array_equal(back.transform(table), prepared.X)
    assert back.feature_names == prepared.feature_names
    np.testing.assert_array_equal(back.feature_columns, prepared.feature_columns)
    assert back.X.shape == (0, prepared.X.shape[1])


@pytest.mark.parametrize("state", [{}, {"codings": [{"nonsense": 1}], "notes": []}, {"codings": 5, "notes": []}])
def test_a_damaged_state_is_refused(state):
    with pytest.raises(InputError, match="damaged"):
        Prepared.from_state(state, {})


def test_columns_are_matched_by_name_in_any_order_and_others_ignored():
    data = training()
    prepared = prepare(read(data))
    shuffled = {"extra": ["?"] * N} | {name: data[name] for name in reversed(data)}
    del shuffled["customer_id"]
    np.testing.assert_array_equal(prepared.transform(read(shuffled)), prepared.X)


def test_a_renamed_column_is_named_with_the_nearest():
    data = training()
    prepared = prepare(read(data))
    data["Age"] = data.pop("age")
    with pytest.raises(InputError, match="'age'; did you mean 'Age'"):
        prepared.transform(read(data))


def test_a_number_that_became_text_is_named_with_its_row():
    prepared = prepare(read(training()))
    new = {name: list(values[:3]) for name, values in training().items()} | {"age": ["old", "31", "44"]}
    with pytest.raises(InputError, match=r"column 'age' should hold numbers, but row 0 has 'old'"):
        prepared.transform(read(new))


def test_numbers_written_as_text_are_read_as_numbers():
    data = training()
    prepared = prepare(read(data))
    text = [None if np.isnan(age) else repr(float(age)) for age in data["age"]]
    np.testing.assert_array_equal(prepared.transform(read(data | {"age": text})), prepared.X)


def test_an_unknown_category_is_none_of_the_known():
    prepared = prepare(read({"c": ["a", "b", "c"] * 20, "n": range(1, 121, 2)}), roles={"n": "number"})
    new = prepared.transform(read({"c": ["a", "zzz"], "n": [3, 3]}))
    block = [j for j, name in enumerate(prepared.feature_names) if name.startswith("c = ")]
    assert np.count_nonzero(new[0, block]) == 1
    assert not new[1, block].any()


def test_an_unknown_value_of_a_flag_stands_half_way():
    prepared = prepare(read({"f": ["no", "yes"] * 20}))
    low, high, unknown = prepared.transform(read({"f": ["no", "yes", "perhaps"]}))[:, 0]
    assert low < high
    assert unknown == (low + high) / 2


def test_a_flag_written_as_words_or_as_numbers_is_the_same():
    prepared = prepare(read({"f": ["True", "False"] * 20}))
    np.testing.assert_array_equal(
        prepared.transform(read({"f": [True, False]})), prepared.transform(read({"f": ["True", "False"]}))
    )


def test_missing_values_of_new_rows_are_filled_even_where_training_had_none():
    prepared = prepare(read({"a": [1.0, 2, 3, 4], "c": ["x", "y", "x", "x"]}))
    new = prepared.transform(read({"a": [None, 2.5], "c": [None, "x"]}))
    assert np.isfinite(new).all()
    assert new[0, 0] == pytest.approx(0)


def test_dates_of_new_rows_are_read_in_the_order_learnt(tmp_path):
    old = tmp_path / "old.csv"
    old.write_text("day,n\n" + "\n".join(f"{d:02d}/03/2024,{d % 5}" for d in range(1, 29)) + "\n")
    prepared = prepare(read(old), roles={"day": "date"})
    new = tmp_path / "new.csv"
    new.write_text("day,n\n05/03/2024,1\n04/03/2024,2\n06/03/2024,2\n")
    expected = prepared.X[[4, 3, 5], 0]
    np.testing.assert_array_equal(prepared.transform(read(new))[:, 0], expected)


def test_one_new_row_is_enough(tmp_path):
    prepared = prepare(read(training()))
    path = tmp_path / "one.csv"
    path.write_text("age,income,city,vip,joined,lat,lon\n31,2500,Bern,1,2020-05-05,47,7.5\n")
    assert prepared.transform(read(path)).shape == (1, prepared.X.shape[1])


VALUES = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -0.0, 5e-324, 1e308, -1e308])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES, st.sampled_from(["a", "b", "c", None])), min_size=3, max_size=30))
def test_whatever_the_values_the_matrix_is_finite_and_repeats(rows):
    table = read({"a": [a for a, _, _ in rows], "b": [b for _, b, _ in rows], "c": [c for _, _, c in rows]})
    assume(any(role.used for role in find_roles(table)))
    prepared = prepare(table)
    assert np.isfinite(prepared.X).all()
    np.testing.assert_array_equal(prepared.transform(table), prepared.X)
    assert sum(coding.missing for coding in prepared.codings) == sum(column.n_missing for column in table.columns)


def test_json_of_a_coding_has_the_fields_of_the_record():
    for coding in prepare(read(training())).codings:
        assert set(coding.to_json()) == {
            "name", "role", "used", "why", "missing", "fill", "coding", "center", "spread", "unit", "categories", "text"
        }  # fmt: skip
        json.dumps(coding.to_json(), allow_nan=False)


def test_what_is_left_where_nothing_can_be_compared_is_called_by_its_name():
    table = read({"user_id": [f"u{i}" for i in range(60)], "note": [f"some words of row {i}a{i}" for i in range(60)]})
    with pytest.raises(InputError, match=r"1 identifier \(user_id\); 1 free text without common themes \(note\)"):
        prepare(table)
