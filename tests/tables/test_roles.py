"""What a column is for, with a reason that an analyst would accept."""

import numpy as np
import pytest

from coterie.errors import InputError
from coterie.tables import find_roles, prepare, read

N = 200
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=N)
WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "then", "sleeps"]


def texts(make):
    return [make(i) for i in range(N)]


def few(*levels):
    return list(RNG.choice(levels, N))


CASES = {
    "measurements": ("height", NUMBERS, "number", "numbers from"),
    "counts": ("visits", RNG.integers(0, 40, N), "number", "whole numbers from"),
    "ratings": ("rating", RNG.integers(1, 6, N), "number", "whole numbers from 1 to 5"),
    "a flag": ("SeniorCitizen", RNG.integers(0, 2, N), "category", "only two values, 0 and 1"),
    "one and two": ("sex", RNG.integers(1, 3, N), "category", "only two values, 1 and 2"),
    "truth": ("churned", RNG.integers(0, 2, N) == 1, "category", "only two values"),
    "two far values": ("power", RNG.choice([100.0, 250.0], N), "number", "whole numbers"),
    "group numbers": ("market_segment", RNG.integers(1, 7, N), "category", "stand for groups"),
    "few levels": ("city", few("Bern", "Basel", "Chur"), "category", "3 different values"),
    "yes or no": ("partner", few("Yes", "No"), "category", "2 different values"),
    "yes or missing": ("vip", [("Y" if i % 3 else None) for i in range(N)], "category", "either 'Y' or missing"),
    "row numbers": ("index", np.arange(N), "id", "numbers the rows"),
    "row numbers without a name": ("position", np.arange(1, N + 1), "id", "numbers the rows"),
    "customer ids": ("CustomerID", RNG.permutation(N) + 5000, "id", "different in every row"),
    "repeated ids": ("customer_id", RNG.integers(1, 40, N), "id", "times on average"),
    "joined ids": ("userid", RNG.integers(1, 40, N), "id", "named like an identifier"),
    "invoice numbers": ("InvoiceNo", RNG.permutation(N) + 536_365, "id", "named like an identifier"),
    "text keys": ("code", texts(lambda i: f"{i * 7919 % 10_000:04d}-X"), "id", "different in every row"),
    "uuids": ("token", texts(lambda i: f"{i:08x}-0000-4000-8000-{i:012x}"), "id", "universal"),
    "card numbers": ("card", texts(lambda i: str(4_000_000_000_000_000 + i * 7919)), "id", "different in every row"),
    "emails": ("email", texts(lambda i: f"a{i % 150}@example.org"), "id", "named like an identifier"),
    "zip codes": ("zip", RNG.integers(10_000, 99_999, N), "ignored", "codes, whose size means nothing"),
    "zip codes with zeros": ("zip", texts(lambda i: f"0{i * 37 % 5000:04d}"), "id", "different in every row"),
    "few codes": ("area_code", RNG.choice([212, 310, 415], N), "category", "codes"),
    "free text": ("review", texts(lambda i: " ".join(RNG.choice(WORDS, 9))), "text", "free text"),
    "names that repeat a little": ("name", texts(lambda i: f"N{i * 3 // 4}"), "ignored", "almost every row"),
    "many codes": ("sku", texts(lambda i: f"S{i % 90}"), "ignored", "90 different values"),
    "constant number": ("year", np.full(N, 2024), "constant", "every row has 2024"),
    "constant text": ("country", ["CH"] * N, "constant", "every row has 'CH'"),
    "nearly equal": ("level", 1e9 + 1e-7 * np.arange(N) % 1e-6, "constant", "every row has 1e+09"),
    "all missing": ("note", [None] * N, "constant", "every value is missing"),
    "mostly missing": (
        "extra",
        [1.5 if i < 4 else None for i in range(N)],
        "ignored",
        "98 % of its values are missing",
    ),
    "dates": ("joined", np.datetime64("2024-01-01") + np.arange(N), "date", "dates from 2024-01-01 to 2024-07-18"),
    "one date": ("joined", np.full(N, np.datetime64("2024-01-01")), "constant", "every row has 2024-01-01"),
    "numbers as text": ("price", texts(lambda i: f"$ {i % 37}.50"), "number", "numbers from"),
}


@pytest.mark.parametrize("key", CASES)
def test_a_column_gets_the_role_an_analyst_would_give_it(key):
    name, values, role, why = CASES[key]
    (found,) = find_roles(read({name: values}))
    assert (found.column, found.role) == (name, role)
    assert why in found.why
    assert found.used == (role in ("number", "category", "date", "text"))


def test_dates_are_set_aside_where_there_is_something_else_to_compare():
    data = {"joined": np.datetime64("2024-01-01") + np.arange(N), "age": RNG.integers(18, 80, N)}
    by_default, asked = (find_roles(read(data), roles=roles)[0] for roles in (None, {"joined": "date"}))
    assert (by_default.role, by_default.used) == ("date", False)
    assert "left out of the distances" in by_default.why
    assert (asked.role, asked.used) == ("date", True)


@pytest.mark.parametrize(
    "name", ["paid", "humid", "number_of_cds", "grid", "valid", "android", "idle", "period", "monkey"]
)
def test_a_word_that_ends_like_id_is_not_an_identifier(name):
    (found,) = find_roles(read({name: RNG.integers(0, 50, N)}))
    assert found.role == "number"


def test_a_country_with_many_levels_is_a_category_when_the_frequent_ones_cover_most_rows():
    rng = np.random.default_rng(1)
    levels = np.minimum(rng.geometric(0.07, 5000), 90)
    (found,) = find_roles(read({"country": [f"C{i}" for i in levels]}))
    assert found.role == "category"
    assert "make up" in found.why


@pytest.mark.parametrize("role", ["number", "category", "ignored", "id", "constant", "text"])
def test_a_role_can_be_given(role):
    table = read({"visits": RNG.integers(0, 40, N), "height": NUMBERS})
    roles = find_roles(table, roles={"visits": role})
    assert roles[0].role == role
    assert roles[0].why == "as you asked"
    assert roles[0].used == (role in ("number", "category", "text"))
    assert roles[1].role == "number"


def test_an_id_can_be_used_when_asked():
    prepared = prepare(read({"store_id": RNG.integers(1, 5, N), "height": NUMBERS}), roles={"store_id": "category"})
    assert "store_id = 1" in prepared.feature_names


def test_a_role_for_a_column_that_does_not_exist_suggests_the_nearest():
    with pytest.raises(InputError, match="did you mean 'height'"):
        find_roles(read({"height": NUMBERS}), roles={"hieght": "number"})


def test_an_unknown_role_suggests_the_nearest():
    with pytest.raises(InputError, match="did you mean 'category'"):
        find_roles(read({"height": NUMBERS}), roles={"height": "categorical"})


REAL = {
    "customers/Telco-Customer-Churn.csv": {
        "customerID": "id",
        "SeniorCitizen": "category",
        "tenure": "number",
        "TotalCharges": "number",
        "Contract": "category",
        "PhoneService": "category",
    },
    "customers/Mall_Customers.csv": {
        "CustomerID": "id",
        "Genre": "category",
        "Age": "number",
        "Annual Income (k$)": "number",
        "Spending Score (1-100)": "number",
    },
    "customers/online_retail_2010-12_2011-08.csv.gz": {
        "InvoiceNo": "id",
        "StockCode": "ignored",
        "Description": "text",
        "Quantity": "number",
        "InvoiceDate": "date",
        "UnitPrice": "number",
        "CustomerID": "id",
        "Country": "category",
    },
    "customers/CDNOW_master.txt.gz": {
        "customer_id": "id",
        "date": "date",
        "number_of_cds": "number",
        "dollar_value": "number",
    },
    "spatial/earthquakes-23k.csv.gz": {
        "Date": "date",
        "Latitude": "number",
        "Longitude": "number",
        "Magnitude": "number",
    },
    "spatial/rg_cities1000.csv.gz": {
        "lat": "number",
        "lon": "number",
        "name": "ignored",
        "admin1": "ignored",
        "admin2": "ignored",
        "cc": "category",
    },
}
ROWS = {
    "customers/Telco-Customer-Churn.csv": 7043,
    "customers/Mall_Customers.csv": 200,
    "customers/online_retail_2010-12_2011-08.csv.gz": 320_705,
    "customers/CDNOW_master.txt.gz": 69_659,
    "spatial/earthquakes-23k.csv.gz": 23_412,
    "spatial/rg_cities1000.csv.gz": 144_563,
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_read_whole_and_no_id_is_used(name, shared_data):
    table = read(shared_data / name)
    assert table.n_rows == ROWS[name]
    found = {role.column: role.role for role in find_roles(table)}
    assert {column: found[column] for column in REAL[name]} == REAL[name]
    prepared = prepare(table)
    assert np.isfinite(prepared.X).all()
    assert not any(coding.role == "id" and coding.used for coding in prepared.codings)
    np.testing.assert_array_equal(prepared.transform(table), prepared.X)


def test_blanks_in_total_charges_are_missing_and_filled(shared_data):
    table = read(shared_data / "customers/Telco-Customer-Churn.csv")
    assert table.column("TotalCharges").n_missing == 11
    notes = " ".join(prepare(table).notes)
    assert "11 of 7,043 values of TotalCharges are missing" in notes
    assert "OnlineSecurity = No internet service follows from InternetService and is counted once" in notes


def test_units_in_headers_are_found_and_ranges_are_not(shared_data):
    table = read(shared_data / "customers/Mall_Customers.csv")
    units = {column.name: column.unit for column in table.columns}
    assert units["Annual Income (k$)"] == "k$"
    assert units["Spending Score (1-100)"] is None
