"""Every odd file has one outcome, and no row is lost on the way."""

import csv
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coterie.errors import InputError, ResourceError
from coterie.tables import read
from tables.corpus import CASES, Bad, Good

GOOD = {key: case for key, case in CASES.items() if isinstance(case, Good)}
BAD = {key: case for key, case in CASES.items() if isinstance(case, Bad)}


def as_plain(column):
    """Return values as the corpus writes them."""
    if column.kind == "text":
        return list(column.values)
    if column.kind == "number":
        return [None if np.isnan(value) else value for value in column.values]
    return [None if np.isnat(value) else value for value in column.values]


@pytest.mark.parametrize("key", GOOD)
def test_an_odd_file_is_read_in_the_one_right_way(key, tmp_path):
    case = GOOD[key]
    path = tmp_path / case.name
    path.write_bytes(case.data)
    table = read(path)
    assert table.names == tuple(case.columns)
    for name, expected in case.columns.items():
        column = table.column(name)
        if column.kind == "date":
            expected = [None if value is None else np.datetime64(value, "us") for value in expected]
        assert as_plain(column) == expected, (name, column.kind)
    assert case.says in "\n".join(table.notes)


@pytest.mark.parametrize("key", BAD)
def test_a_malformed_file_is_refused_with_one_sentence(key, tmp_path):
    case = BAD[key]
    path = tmp_path / case.name
    path.write_bytes(case.data)
    with pytest.raises(InputError) as refusal:
        read(path)
    message = str(refusal.value)
    assert case.says in message
    assert case.name.removesuffix(".gz") in message
    assert "\n" not in message
    assert len(message) < 300


def test_the_corpus_has_a_hundred_files():
    assert len(CASES) >= 100


CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('",;|\t\n'), max_size=8)
DELIMITED = st.sampled_from([",", ";", "\t", "|"])


def outcome_of(path):
    """Return the table, or the sentence that refuses it."""
    try:
        return read(path)
    except InputError as error:
        return str(error)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(CELLS, st.floats(-1e6, 1e6), CELLS), min_size=2, max_size=12),
    delimiter=DELIMITED,
    newline=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_was_written_is_read_again_in_any_dialect(rows, delimiter, newline, quoting, tmp_path):
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=newline, quoting=quoting)
    writer.writerow(["first", "amount", "last"])
    # A letter in front keeps what looks like a number or a gap a text.
    writer.writerows([(f"a{a}", repr(x), f"b{b}") for a, x, b in rows])
    path = tmp_path / "round.csv"
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    table = read(path)
    assert table.names == ("first", "amount", "last")
    assert list(table.column("first").values) == [f"a{a}".strip() for a, _, _ in rows]
    assert list(table.column("last").values) == [f"b{b}".strip() for _, _, b in rows]
    np.testing.assert_array_equal(table.column("amount").values, [x for _, x, _ in rows])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(min_size=1, max_size=200) | st.text(',;\t|"\n\r ab1.', max_size=120).map(str.encode))
def test_any_bytes_give_a_table_or_one_sentence(data, tmp_path):
    path = tmp_path / "any.csv"
    path.write_bytes(data)
    outcome = outcome_of(path)
    if isinstance(outcome, str):
        assert 10 < len(outcome) < 400
        assert "\n" not in outcome
    else:
        assert outcome.n_rows > 0
        assert all(len(column.values) == outcome.n_rows for column in outcome.columns)


def test_rows_are_counted_over_blocks_of_the_scan(tmp_path, monkeypatch):
    from coterie.tables import scan

    monkeypatch.setattr(scan, "_BLOCK", 7)
    path = tmp_path / "blocks.csv"
    path.write_bytes(b'n,t\r\n1,"x\r\n""y"""\r\n\r\n2,"z, w"\r\n3,\r\n')
    found = scan.scan(path, 0, ",", 2, 2, 1)
    assert (found.n_records, found.n_blank, found.well_formed, found.mixed_ends) == (4, 1, True, False)


@pytest.mark.parametrize("block", [1, 2, 3, 5, 64])
def test_the_line_of_a_ragged_row_does_not_depend_on_blocks(block, tmp_path, monkeypatch):
    from coterie.tables import scan

    monkeypatch.setattr(scan, "_BLOCK", block)
    path = tmp_path / "blocks.csv"
    path.write_bytes(b'a,b\n1,"x\ny"\n2,z\n3\n4,w\n5,6,7\n')
    assert scan.scan(path, 0, ",", 2, 2, 1).odd_fields == [(5, 1), (7, 3)]


@pytest.mark.parametrize(
    "name", ["we'ird.csv", "a*[1]?.csv", "semi;colon--.csv", "日本 語.csv", "new\nline.csv", 'q"uote.csv']
)
def test_a_file_name_is_only_a_name(name, tmp_path):
    path = tmp_path / name
    path.write_text("a,b\n1,x\n2,y\n")
    (tmp_path / "a1z.csv").write_text("a,b\n7,x\n8,y\n9,z\n")
    assert list(read(path).column("a").values) == [1, 2]


def test_a_value_that_is_late_and_odd_is_counted_in_a_large_file(tmp_path):
    path = tmp_path / "late.csv"
    rows = [f"{i},{i / 4}" for i in range(20_000)]
    rows[15_000] = "15000,broken"
    path.write_text("a,b\n" + "\n".join(rows) + "\n")
    table = read(path)
    assert table.n_rows == 20_000
    assert table.column("b").n_missing == 1
    assert any("1 value is not a number" in note and "'broken' in row 15000" in note for note in table.notes)


def test_a_table_beyond_the_memory_limit_is_refused_with_its_size(tmp_path):
    path = tmp_path / "big.csv"
    path.write_text("a,b\n" + "1,2\n" * 10_000)
    with pytest.raises(ResourceError, match=r"10,000 rows x 2 columns, which need 0 MB, above the memory limit"):
        read(path, memory_limit=100_000)


def test_a_gzip_file_beyond_the_memory_limit_is_refused(tmp_path):
    import gzip

    path = tmp_path / "big.csv.gz"
    rng = np.random.default_rng(0)
    path.write_bytes(gzip.compress("\n".join(["a,b", *map("{0},{0}".format, rng.random(20_000))]).encode(), 1))
    with pytest.raises(ResourceError, match="memory limit"):
        read(path, memory_limit=100_000)
