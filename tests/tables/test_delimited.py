"""Every odd file has one outcome, and no row is lost on the way."""


import numpy as np
import pytest

from coterie.errors import InputError
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
